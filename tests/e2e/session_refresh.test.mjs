// Sessions that outlive their access token: renewed before it expires or when it is refused, across reloads and sleep.

import assert from "node:assert/strict";
import { describe } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { digest } from "./servers/authorization_server.mjs";
import { allow, beginSignIn, heading, isSignedIn, isSignedOut, logIn, navigationTo, readApi, sendRequest, signIn } from "./support/person.mjs";
import { setting } from "./support/scenario.mjs";
import { LIFETIME, lasting, presentedTwice, quietRequests, renewals, renewed, watchAlerts } from "./support/sessions.mjs";
import { storedNames } from "./support/storage.mjs";
import { until } from "./support/until.mjs";
import { LOAD_FAILED } from "./support/visitor.mjs";

const scenario = setting(lasting());

/** Each token that was presented is the one that was issued last. */
function assertChain(stage) {
  const { tokenLog } = stage.authorizationServer;
  for (const [index, { presented }] of tokenLog.entries()) {
    if (index > 0) assert.equal(presented, tokenLog[index - 1].issued, `request ${index}`);
  }
  assert.deepEqual(presentedTwice(stage), []);
}

describe("a session with a refresh token", () => {
  scenario("is renewed before its token expires, again and again, and calls go on (REF-1, REF-8)", async ({ page, stage, context }) => {
    const alerts = await watchAlerts(context);
    await signIn(page, stage);
    await readApi(page);
    for (const count of [1, 2, 3]) {
      await renewed(stage, count);
      assert.equal((await sendRequest(page)).status, "Status 200");
    }
    assertChain(stage);
    const times = stage.authorizationServer.tokenLog.map(({ at }) => at);
    for (const [index, at] of times.slice(1).entries()) {
      const waited = at - times[index];
      assert.ok(waited > 2000 && waited < LIFETIME * 1000, `renewed after ${waited} ms`);
    }
    assert.deepEqual(alerts, []);
    assert.equal(stage.authorizationRequests.length, 1);
  });

  scenario("asks for no scope, and sends no more than it must (REF-3)", async ({ page, stage }) => {
    await signIn(page, stage);
    await renewed(stage, 1);
    const [, { entry, parameters }] = stage.tokenRequests;
    const { refresh_token, ...rest } = parameters;
    assert.deepEqual(rest, { grant_type: "refresh_token", client_id: "workbench" });
    assert.equal(digest(refresh_token), stage.authorizationServer.tokenLog[0].issued);
    assert.equal(entry.headers["content-type"], "application/x-www-form-urlencoded");
    for (const absent of ["authorization", "cookie", "referer"]) assert.equal(entry.headers[absent], undefined, absent);
  });

  scenario("survives reloads, and is renewed after them with the newest token (REF-1, REF-10)", async ({ page, stage }) => {
    await signIn(page, stage);
    for (const count of [1, 2]) {
      await renewed(stage, count);
      await sleep(500); // the server has answered; now the page has its answer
      await page.reload();
      await isSignedIn(page);
    }
    await renewed(stage, 3);
    assert.equal((await readApi(page)).status, "Status 200");
    assertChain(stage);
    assert.equal(stage.authorizationRequests.length, 1);
  });

  scenario("may be closed for longer than its token lives, and is renewed when it is opened again (REF-8)", async ({ page, stage }) => {
    await signIn(page, stage);
    await page.goto("about:blank");
    await sleep((LIFETIME + 1) * 1000);
    assert.equal(renewals(stage).length, 0);
    await page.goto(stage.url("session"));
    await isSignedIn(page);
    assert.equal((await readApi(page)).status, "Status 200");
    assertChain(stage);
    assert.ok(stage.apiRequests.every(({ status }) => status === 200), "no call with the old token");
  });

  scenario("is renewed once after an hour's sleep, not once for every minute of it (REF-8, REF-9)", async ({ page, stage }) => {
    await page.addInitScript(() => {
      const { now } = Date;
      globalThis.slept = 0;
      Date.now = () => now() + globalThis.slept;
    });
    await signIn(page, stage);
    await page.evaluate(() => {
      globalThis.slept = 3_600_000;
      dispatchEvent(new Event("focus"));
    });
    await renewed(stage, 1);
    assert.equal((await readApi(page)).status, "Status 200");
    assert.ok(renewals(stage).length <= 2, `${renewals(stage).length} renewals`);
    assertChain(stage);
  });

  scenario("is renewed when an API refuses its token, and the call is made once more", { allow: [LOAD_FAILED] }, async ({ page, stage, context }) => {
    const alerts = await watchAlerts(context);
    await signIn(page, stage);
    await navigationTo(page, "API").click();
    await heading(page, "API").waitFor();
    stage.authorizationServer.revokeAccessTokens();
    assert.equal((await sendRequest(page)).status, "Status 200");
    assert.deepEqual(stage.apiRequests.map(({ status }) => status), [401, 200]);
    assert.equal(renewals(stage).length, 1);
    assert.deepEqual(alerts, []);
  });

  scenario("has its calls wait for a renewal under way, of which there is one (REF-2)", async ({ page, stage }) => {
    await signIn(page, stage);
    stage.fault.mode = "held";
    await navigationTo(page, "API").click();
    await heading(page, "API").waitFor();
    await until("a renewal is under way", () => stage.fault.waiting.length === 1);
    await sleep(1500); // until the old token has expired, too
    const sent = sendRequest(page);
    await sleep(500);
    assert.deepEqual(stage.apiRequests, []);
    assert.equal(stage.fault.waiting.length, 1);
    Object.assign(stage.fault, { mode: "forward" });
    stage.fault.release();
    assert.equal((await sent).status, "Status 200");
    assert.deepEqual(stage.apiRequests.map(({ status }) => status), [200]);
  });

  scenario("is renewed when the person asks for it", async ({ page, stage }) => {
    await signIn(page, stage);
    await page.getByRole("button", { name: "Renew now" }).click();
    await renewed(stage, 1, 2000);
    await isSignedIn(page);
  });

  scenario("has its token in sessionStorage and in no other place (A32)", async ({ page, stage }) => {
    await signIn(page, stage);
    await renewed(stage, 2);
    const [spent] = stage.tokenRequests.slice(1).map(({ parameters }) => parameters.refresh_token);
    const kept = await page.evaluate(() => JSON.stringify([{ ...sessionStorage }, { ...localStorage }, location.href, document.cookie]));
    assert.ok(!kept.includes(spent), "the spent token is gone");
    assert.deepEqual(await page.evaluate(() => Object.keys(localStorage)), []);
    assert.ok((await storedNames(page)).some((name) => name.startsWith("leptos-pkce session ")));
  });
});

scenario(
  "a session without one lives as long as its token, and then the API says so (REF-11)",
  { allow: [LOAD_FAILED], client: () => ({ scope: "openid photos:read" }) },
  async ({ page, stage }) => {
    await signIn(page, stage);
    assert.equal((await readApi(page)).status, "Status 200");
    await sleep((LIFETIME + 1) * 1000);
    assert.equal((await sendRequest(page)).status, "Status 401");
    assert.deepEqual(renewals(stage), []);
    assert.equal(stage.tokenRequests.length, 1);
  },
);

describe("a session in this page's memory that is to be had again", () => {
  const memory = () => ({ token_storage: "memory", restore: true });

  scenario("comes back after a reload by one round trip that shows nothing", { client: memory }, async ({ page, stage, context }) => {
    const alerts = await watchAlerts(context);
    await signIn(page, stage);
    await navigationTo(page, "API").click();
    await page.reload({ waitUntil: "commit" });
    await until("the session was asked for anew", () => quietRequests(stage).length === 1);
    await heading(page, "API").waitFor();
    assert.equal((await sendRequest(page)).status, "Status 200");
    assert.equal(page.url(), stage.url("api"));
    assert.equal(quietRequests(stage).length, 1);
    assert.equal(stage.authorizationRequests.length, 2);
    await renewed(stage, 1);
    assert.deepEqual(alerts, []);
  });

  scenario("is not asked for where nobody was signed in", { client: memory }, async ({ page, stage }) => {
    await page.goto(stage.url("session"));
    await isSignedOut(page);
    await sleep(500);
    assert.equal(stage.authorizationRequests.length, 0);
  });

  scenario("ends calmly if the server knows nobody any more: signed out, and not asked again (CB-17)", { client: memory }, async ({ page, stage, context }) => {
    const alerts = await watchAlerts(context);
    await signIn(page, stage);
    stage.authorizationServer.endSessions();
    await page.reload({ waitUntil: "commit" });
    await until("the server was asked", () => quietRequests(stage).length === 1);
    await isSignedOut(page);
    for (let reload = 0; reload < 5; reload += 1) {
      await sleep(300);
      await page.reload();
      await isSignedOut(page);
    }
    assert.equal(quietRequests(stage).length, 1);
    assert.equal(page.url(), stage.url("session"));
    assert.deepEqual(alerts, []);
    await beginSignIn(page, stage);
    await logIn(page);
    await allow(page);
    await isSignedIn(page);
  });

  scenario("is not asked for more than three times in a minute: then the person is told (CB-17)", { client: memory }, async ({ page, stage, context }) => {
    const alerts = await watchAlerts(context);
    await signIn(page, stage);
    for (let reload = 0; reload < 3; reload += 1) {
      await page.reload({ waitUntil: "commit" });
      await until("the session was asked for anew", () => quietRequests(stage).length === reload + 1);
      await isSignedIn(page);
    }
    assert.deepEqual(alerts, []);
    await page.reload();
    await isSignedOut(page);
    await sleep(500);
    assert.equal(quietRequests(stage).length, 3);
    await page.goto(stage.url());
    await isSignedOut(page);
    await until("the page says why", () => alerts.some((text) => text.includes("request.loop")));
    assert.equal(quietRequests(stage).length, 3);
  });
});
