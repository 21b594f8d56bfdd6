// examples/minimal, the smallest app: its settings are compiled in, so its servers must be where they say.

import assert from "node:assert/strict";
import * as dist from "./support/dist.mjs";
import { allow, logIn, signInButton, signOutButton, apiResponse } from "./support/person.mjs";
import { ANOTHER_ORIGIN, setting } from "./support/scenario.mjs";

const scenario = setting({
  needs: ANOTHER_ORIGIN,
  host: { root: dist.minimal(), port: 8080 },
  authorizationServer: { port: 9080 },
  api: { port: 9081 },
});

scenario("signs in, calls the API and signs out", async ({ page, stage }) => {
  await page.goto(stage.url());
  await page.getByRole("heading", { level: 1, name: "Photos" }).waitFor();
  await signInButton(page).click();
  await logIn(page);
  await allow(page);
  await signOutButton(page).waitFor();
  assert.equal(page.url(), stage.url());
  assert.equal(stage.authorizationRequests[0].parameters.scope, "openid photos:read");

  await page.getByRole("button", { name: "Send" }).click();
  await apiResponse(page).getByText("Harbour at six").waitFor();
  assert.equal(JSON.parse(await apiResponse(page).innerText()).owner, "alice");
  assert.match(stage.apiRequests[0].headers.authorization, /^Bearer \S+$/);

  await signOutButton(page).click();
  await signInButton(page).waitFor();
  assert.equal(await apiResponse(page).count(), 0);
  assert.equal(await page.evaluate(() => sessionStorage.length), 0);
});

scenario("says why a sign-in failed, and offers another try", async ({ page, stage }) => {
  await page.goto(stage.url());
  await signInButton(page).click();
  await logIn(page);
  await page.getByRole("button", { name: "Deny" }).click();
  const words = page.getByRole("alert").filter({ hasText: "failed" });
  assert.match(await words.innerText(), /^Signing in failed: callback\.refused$/);
  assert.equal(page.url(), stage.url("callback"));
  assert.equal(stage.tokenRequests.length, 0);
  await signInButton(page).click();
  await allow(page);
  await signOutButton(page).waitFor();
});

scenario("sends nothing for a forged answer (CB-1)", async ({ page, stage }) => {
  await page.goto(stage.url("callback?code=forged&state=wrong"));
  assert.match(await page.getByRole("alert").filter({ hasText: "failed" }).innerText(), /: callback\.unknown_state$/);
  await signInButton(page).waitFor();
  assert.equal(page.url(), stage.url("callback"));
  assert.equal(stage.tokenRequests.length, 0);
});

scenario("keeps its token in memory: a reload means signed out (WEB-1)", async ({ page, stage }) => {
  await page.goto(stage.url());
  await signInButton(page).click();
  await logIn(page);
  await allow(page);
  await signOutButton(page).waitFor();
  await page.reload();
  await signInButton(page).waitFor();
  assert.equal(await signOutButton(page).count(), 0);
});
