// Reload, Back and Forward, and several sign-ins in one tab: what a person does when they do not know what goes on.

import assert from "node:assert/strict";
import {
  beginSignIn, heading, interceptAnswer, isSignedIn, logIn, loginField, readApi, signIn, signInAgain, signInButton, signOutButton, withheldAnswer,
} from "./support/person.mjs";
import { setting } from "./support/scenario.mjs";
import { historyOf } from "./support/storage.mjs";
import { LOAD_FAILED } from "./support/visitor.mjs";

const scenario = setting({ familiar: true });

scenario("survives reloads of the page after a sign-in, without another token request (CB-3)", async ({ page, stage }) => {
  await signInAgain(page, stage);
  for (let reload = 0; reload < 2; reload += 1) {
    await page.reload();
    await isSignedIn(page);
  }
  assert.equal((await readApi(page)).status, "Status 200");
  assert.equal(stage.tokenRequests.length, 1);
  assert.equal(stage.authorizationRequests.length, 1);
});

scenario(
  "goes Back to the page before the sign-in, not to the callback, and Forward again (CB-3, CB-12)",
  async ({ page, stage }) => {
    await signInAgain(page, stage);
    assert.deepEqual((await historyOf(page)).slice(-2), [stage.url(), stage.url("session")]);

    await page.goBack();
    await heading(page, "Sign in").waitFor();
    assert.equal(page.url(), stage.url());
    await page.getByText("You are signed in.").waitFor();

    await page.goForward();
    await isSignedIn(page);
    assert.equal(page.url(), stage.url("session"));
    assert.equal(stage.tokenRequests.length, 1);
  },
);

scenario(
  "goes Back into the authorization server's forms without harm, where there were some (CB-12)",
  // The forms are used up, and the server says so with status 400.
  { stranger: true, allow: [LOAD_FAILED] },
  async ({ page, stage }) => {
    await signIn(page, stage);
    await page.goBack();
    await page.getByRole("heading", { name: stage.spentForm }).waitFor();
    await page.goForward();
    await isSignedIn(page);
    assert.equal(stage.tokenRequests.length, 1);
    const arrivals = stage.host.log.filter(({ path }) => path === "/callback");
    assert.equal(arrivals.length, 1);
  },
);

scenario(
  "sends nothing more on reload and Back after a token request that failed (CB-3)",
  { allow: [LOAD_FAILED] },
  async ({ page, stage }) => {
    const answer = await withheldAnswer(page, stage);
    await page.goto(answer.href.replace(/code=[^&]+/, "code=wrong"));
    await page.getByRole("alert").waitFor();
    assert.equal(stage.tokenRequests.length, 1);
    await page.reload();
    await page.getByText("There is no answer here to complete").waitFor();
    await page.goBack();
    await signInButton(page).waitFor();
    assert.equal(stage.tokenRequests.length, 1);
  },
);

scenario(
  "completes two sign-ins that were pending in one tab, each with its own verifier",
  { stranger: true },
  async ({ page, stage }) => {
    const first = await interceptAnswer(stage, async () => {
      await beginSignIn(page, stage);
      await logIn(page);
      await page.getByRole("button", { name: "Allow" }).click();
    });
    // The browser has stayed on the server's page; the person goes back and tries once more.
    await page.goto(stage.url());
    const second = await withheldAnswer(page, stage);
    assert.notEqual(first.searchParams.get("state"), second.searchParams.get("state"));

    for (const answer of [first, second]) {
      await page.goto(answer.href);
      await isSignedIn(page);
      assert.equal((await readApi(page)).status, "Status 200");
    }
    const [one, two] = stage.tokenRequests.map(({ parameters }) => parameters);
    assert.deepEqual([one.code, two.code], [first, second].map(({ searchParams }) => searchParams.get("code")));
    assert.notEqual(one.code_verifier, two.code_verifier);
  },
);

scenario(
  "lets a person who comes Back from the authorization server sign in at once",
  { stranger: true },
  async ({ page, stage }) => {
    await beginSignIn(page, stage);
    await loginField(page).waitFor();
    await page.goBack();
    await signInButton(page).click();
    await logIn(page);
    await page.getByRole("button", { name: "Allow" }).click();
    await isSignedIn(page);
    assert.equal(stage.authorizationRequests.length, 2);
  },
);

scenario("goes Back and Forward between its own pages, and moves the heading along", async ({ page, stage }) => {
  await signInAgain(page, stage);
  await readApi(page);
  await page.goBack();
  await heading(page, "Session").waitFor();
  await page.goForward();
  await heading(page, "API").waitFor();
  assert.equal(page.url(), stage.url("api"));
  await signOutButton(page).waitFor();
});
