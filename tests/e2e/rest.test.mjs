// The rest of the program, which no sign-in needs: it is in nobody's way, it comes by itself once somebody is signed in, and
// where it cannot be had, what went wrong is said all the same.

import assert from "node:assert/strict";
import { readdirSync } from "node:fs";
import { describe } from "node:test";
import { app } from "./support/dist.mjs";
import {
  changed, heading, isSignedIn, navigationTo, readApi, readFault, signInAgain, signInButton, withheldAnswer,
} from "./support/person.mjs";
import { setting } from "./support/scenario.mjs";
import { until } from "./support/until.mjs";
import { LOAD_FAILED } from "./support/visitor.mjs";

const scenario = setting({ familiar: true });

/** The path of its file. */
const rest = () => `/${readdirSync(app()).find((name) => /^workbench-rest-[0-9a-f]+_bg\.wasm$/.test(name))}`;

const MISSING = "The rest of the workbench could not be loaded.";
const UNEXPLAINED = "Something did not go as it should.";
const BLOCKED = { allow: [LOAD_FAILED] };
const REFUSED = { allow: [LOAD_FAILED, /integrity/] };

const again = (within) => within.getByRole("button", { name: "Load it again" });

/** What the API page shows to somebody who is not signed in, and nothing but the rest can show. */
const apiPage = (page) => page.getByRole("main").getByText("Nobody is signed in");

describe("the rest of the program", () => {
  scenario("is not asked for before the session is shown, and then once, by itself", async ({ page, stage, context, witness }) => {
    const seen = [];
    await context.exposeFunction("noteRest", (text) => seen.push(text));
    await page.addInitScript(() => {
      const genuine = globalThis.fetch;
      globalThis.fetch = (target, ...more) => {
        const { rest } = document.documentElement.dataset;
        if (rest && target === rest) globalThis.noteRest(document.getElementById("page").innerText);
        return genuine(target, ...more);
      };
    });
    const requests = () => witness.requests.filter(({ url }) => new URL(url).pathname === rest()).length;

    await page.goto(stage.url());
    await signInButton(page).waitFor();
    await signInAgain(page, stage);
    await until("the rest is asked for", requests, 5000);
    // What the person saw at that moment.
    assert.equal(seen.length, 1);
    assert.match(seen[0], /^Session\n[^]*Sign out/);
    assert.equal((await readApi(page)).status, "Status 200");
    await navigationTo(page, "Session").click();
    await isSignedIn(page);
    assert.deepEqual([seen.length, requests()], [1, 1]);
  });

  scenario("comes at once when it is wanted, and once", async ({ page, stage, witness }) => {
    await page.goto(stage.url());
    await page.getByRole("button", { name: "Show the request" }).click();
    await page.getByRole("link", { name: "Follow the link" }).waitFor();
    await navigationTo(page, "API").click();
    await apiPage(page).waitFor();
    assert.equal(witness.requests.filter(({ url }) => new URL(url).pathname === rest()).length, 1);
  });
});

describe("without the rest of the program", () => {
  const block = (context) => context.route(`**${rest()}`, (route) => route.abort());
  const unblock = (context) => context.unroute(`**${rest()}`);

  scenario("an answer that nobody waits for is refused with its code", BLOCKED, async ({ page, stage, context }) => {
    await block(context);
    await page.goto(stage.url("callback?error=access_denied&state=wrong"));
    const panel = page.getByRole("alert");
    await panel.getByText(MISSING).waitFor();
    const { summary, code } = await readFault(page);
    assert.equal(code, "callback.unknown_state");
    assert.equal(summary, UNEXPLAINED);
    // Nothing is to be tried again, but for the rest itself.
    assert.deepEqual(await panel.getByRole("button").allInnerTexts(), ["Load it again"]);

    await unblock(context);
    await again(panel).click();
    await panel.getByRole("button", { name: "Copy report" }).waitFor();
    const whole = await readFault(page);
    assert.deepEqual([whole.code, whole.side], ["callback.unknown_state", "the person"]);
    assert.equal(await page.getByText(MISSING).count(), 0);
  });

  scenario("what can be tried again can be", BLOCKED, async ({ page, stage, context }) => {
    await block(context);
    const answer = await withheldAnswer(page, stage);
    await page.goto(changed(answer, { code: null, error: "access_denied" }));
    const panel = page.getByRole("alert");
    await panel.getByText(MISSING).waitFor();
    const { summary, code } = await readFault(page);
    assert.equal(code, "callback.refused");
    // What a server says is quoted in the whole panel, and nowhere as if this page said it.
    assert.equal(summary, UNEXPLAINED);
    await panel.getByRole("button", { name: "Try again" }).click();
    await isSignedIn(page);
    assert.equal(stage.tokenRequests.length, 1);
  });

  scenario("the API page says so, and comes at a click", BLOCKED, async ({ page, stage, context }) => {
    await block(context);
    await page.goto(stage.url("api"));
    const notice = page.getByRole("status").filter({ hasText: MISSING });
    await notice.waitFor();
    await heading(page, "API").waitFor();
    // In vain, and once more.
    await again(notice).click();
    await notice.waitFor();
    await unblock(context);
    await again(notice).click();
    await apiPage(page).waitFor();
    await notice.waitFor({ state: "detached" });
  });

  scenario("it comes by itself when the browser goes online", BLOCKED, async ({ page, stage, context }) => {
    await page.goto(stage.url());
    await signInButton(page).waitFor();
    await context.setOffline(true);
    await navigationTo(page, "API").click();
    await page.getByText(MISSING).waitFor();
    await context.setOffline(false);
    await apiPage(page).waitFor();
  });

  for (const [what, answer] of Object.entries({
    "is another module": { body: Buffer.from("0061736d01000000", "hex") },
    "is not there": { status: 404, type: "text/plain", body: "Not found.\n" },
  })) {
    scenario(`nothing crashes if it ${what} (WEB-13, A36)`, REFUSED, async ({ page, stage, witness }) => {
      // Not kept: a browser that keeps a wrong answer for ever is not shown another one.
      stage.answer(rest(), { ...answer, headers: { "Cache-Control": "no-store" } });
      await page.goto(stage.url("api"));
      await page.getByText(MISSING).waitFor();
      assert.ok(witness.printed.some((line) => /integrity/.test(line)), "the browser refused it");
      await again(page).click();
      await page.getByText(MISSING).waitFor();
      // The rest of the page goes on.
      await navigationTo(page, "Sign in").click();
      await signInButton(page).waitFor();
      assert.equal(await heading(page, "The workbench has stopped").count(), 0);
      await navigationTo(page, "API").click();
      await page.getByText(MISSING).waitFor();
      stage.answer(rest());
      await again(page).click();
      await apiPage(page).waitFor();
    });
  }
});
