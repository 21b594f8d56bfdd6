// Renewals at their worst: a server that is down, busy, or says no, and answers that are lost on their way. A session ends
// for the server's plain word alone; whatever is unclear is made good without the person noticing.

import assert from "node:assert/strict";
import { describe } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { allow, beginSignIn, heading, isSignedIn, isSignedOut, navigationTo, readFault, sendRequest, signIn, signOutButton } from "./support/person.mjs";
import { setting } from "./support/scenario.mjs";
import { lasting, presentedTwice, quietRequests, renewals, renewed, watchAlerts } from "./support/sessions.mjs";
import { dump } from "./support/storage.mjs";
import { until } from "./support/until.mjs";
import { BLOCKED_BY_CORS, LOAD_FAILED } from "./support/visitor.mjs";

const FAILED = [LOAD_FAILED, BLOCKED_BY_CORS];

const scenario = setting(lasting({ restore: true }));
const JSON_TYPE = { "Content-Type": "application/json" };

/** Signs in, and goes where people work: the session page tells of each attempt to renew, the others do not. */
async function signInToWork(page, stage) {
  await signIn(page, stage);
  await navigationTo(page, "API").click();
  await heading(page, "API").waitFor();
}

/** Signs in, and has what comes next misbehave as `mode` says, until as many requests have arrived. */
async function signInBefore(page, stage, mode, count = 1) {
  await signInToWork(page, stage);
  stage.fault.mode = mode;
  await until("the renewal was sent", () => stage.tokenRequests.length > count, 15_000);
  const entry = stage.tokenRequests[count].entry;
  await until("it was answered, or not", () => entry.status || entry.cutByServerAt);
  stage.fault.mode = "forward";
}

describe("a server that cannot be reached", () => {
  scenario(
    "for twenty seconds ends no session: the person is signed in all the while (REF-6, F1)",
    { allow: FAILED, timeout: 100_000 },
    async ({ page, stage, context }) => {
      const alerts = await watchAlerts(context);
      await signInToWork(page, stage);
      await renewed(stage, 1);
      const back = stage.authorizationServer.restart(20_000);
      for (let second = 0; second < 20; second += 1) {
        await sleep(1000);
        assert.ok(await signOutButton(page).isVisible(), `signed in after ${second} s`);
      }
      await back;
      const asked = stage.tokenRequests.length;
      await renewed(stage, 2, 40_000);
      assert.equal((await sendRequest(page)).status, "Status 200");
      assert.equal(stage.authorizationRequests.length, 1);
      assert.deepEqual(presentedTwice(stage), []);
      assert.ok(asked < 10, `${asked} token requests while it was down`);
      assert.deepEqual(alerts, []);
    },
  );

  scenario("because this browser is offline ends none either, and is made good at once (REF-6, F1)", { allow: FAILED }, async ({ page, stage, context }) => {
    const alerts = await watchAlerts(context);
    await signInToWork(page, stage);
    await context.setOffline(true);
    await sleep(6500); // between two attempts
    assert.ok(await signOutButton(page).isVisible());
    assert.equal(renewals(stage).length, 0);
    await context.setOffline(false);
    const back = Date.now();
    await renewed(stage, 1, 10_000);
    assert.ok(Date.now() - back < 3000, `after ${Date.now() - back} ms`);
    assert.equal((await sendRequest(page)).status, "Status 200");
    assert.deepEqual(presentedTwice(stage), []);
    assert.deepEqual(alerts, []);
  });

  scenario("because it is busy gets the time that it asks for (REF-6, F8)", { allow: FAILED }, async ({ page, stage, context }) => {
    const alerts = await watchAlerts(context);
    await signInToWork(page, stage);
    const headers = { ...JSON_TYPE, "Retry-After": "4", "Access-Control-Expose-Headers": "Retry-After" };
    stage.fault.reply = { status: 429, headers, body: { error: "temporarily_unavailable" } };
    stage.fault.mode = "reply";
    await until("it was asked", () => stage.tokenRequests.length === 2);
    stage.fault.mode = "forward";
    await renewed(stage, 1);
    const [, refused, taken] = stage.tokenRequests.map(({ entry }) => entry);
    // Time is counted in whole seconds.
    assert.ok(taken.at - refused.at >= 3000, `asked again after ${taken.at - refused.at} ms`);
    assert.equal(stage.tokenRequests.length, 3);
    assert.equal((await sendRequest(page)).status, "Status 200");
    assert.deepEqual(alerts, []);
  });
});

describe("an answer that is no answer", () => {
  for (const [what, reply] of [
    ["a web page (F6)", { status: 200, headers: { "Content-Type": "text/html" }, body: "<h1>Please accept our terms</h1>" }],
    ["garbage (F5)", { status: 200, headers: JSON_TYPE, body: Buffer.from([0x7b, 0x22, 0xff, 0xfe]) }],
    ["a failure of the server (F9)", { status: 500, headers: { "Content-Type": "text/html" }, body: "<h1>Oops</h1>" }],
    ["a redirect (F7)", { status: 307, headers: { Location: "http://localhost:1/token" }, body: "" }],
  ]) {
    scenario(`such as ${what} ends no session: the token is sent once more, when the server is there (REF-7)`, { allow: FAILED }, async ({ page, stage, context }) => {
      const alerts = await watchAlerts(context);
      stage.fault.reply = reply;
      await signInBefore(page, stage, "reply");
      await renewed(stage, 1);
      assert.equal(stage.tokenRequests.length, 3);
      const [, first, second] = stage.tokenRequests.map(({ parameters }) => parameters.refresh_token);
      assert.equal(first, second);
      assert.equal((await sendRequest(page)).status, "Status 200");
      assert.equal(stage.authorizationRequests.length, 1);
      assert.deepEqual(alerts, []);
    });
  }

  scenario("because the request was lost: it is sent once more, and nobody notices (REF-7)", { allow: FAILED }, async ({ page, stage, context }) => {
    const alerts = await watchAlerts(context);
    await signInBefore(page, stage, "swallowed");
    await renewed(stage, 1);
    assert.equal(stage.tokenRequests.length, 3);
    assert.deepEqual(presentedTwice(stage), []);
    assert.equal((await sendRequest(page)).status, "Status 200");
    assert.equal(stage.authorizationRequests.length, 1);
    assert.deepEqual(alerts, []);
  });

  for (const [when, reload] of [["", false], [", also if the page is loaded anew meanwhile", true]]) {
    scenario(
      `because it was lost: the token is spent, and the session is had anew by one round trip that shows nothing${when} (REF-7, REF-10)`,
      { allow: FAILED },
      async ({ page, stage, context }) => {
        const alerts = await watchAlerts(context);
        await signInToWork(page, stage);
        stage.fault.mode = "lost";
        await until("the answer was lost", () => stage.tokenRequests[1]?.entry.cutByServerAt);
        stage.fault.mode = "forward";
        if (reload) await page.reload();
        await until("the session was asked for anew", () => quietRequests(stage).length === 1, 15_000);
        assert.equal((await sendRequest(page)).status, "Status 200");
        assert.equal(page.url(), stage.url("api"));

        const [spent] = presentedTwice(stage);
        assert.deepEqual(renewals(stage).map(({ presented, outcome }) => [presented === spent, outcome]).slice(0, 2), [[true, "tokens"], [true, "invalid_grant"]]);
        await renewed(stage, 2);
        assert.equal(stage.authorizationRequests.length, 2);
        assert.deepEqual(presentedTwice(stage), [spent], "no other token was presented twice");
        assert.deepEqual(alerts, []);
      },
    );
  }

  scenario(
    "because it was lost twice leaves the token alone: not a third time (REF-7)",
    { allow: FAILED, timeout: 90_000 },
    async ({ page, stage }) => {
      await signInToWork(page, stage);
      stage.fault.mode = "swallowed";
      await until("the token was sent twice", () => stage.tokenRequests.length === 3, 20_000);
      await sleep(12_000);
      assert.equal(stage.tokenRequests.length, 3);
    },
  );
});

describe("a server that says no", () => {
  scenario("ends the session once, and the page says so in plain words (REF-5, F10)", { allow: FAILED }, async ({ page, stage, context }) => {
    const alerts = await watchAlerts(context);
    await signIn(page, stage);
    stage.authorizationServer.revokeTokens();
    const { code, text } = await readFault(page);
    assert.equal(code, "session.expired");
    assert.match(text, /invalid_grant/);
    await isSignedOut(page);
    assert.deepEqual(renewals(stage).map(({ outcome }) => outcome), ["invalid_grant"]);
    const { session, local, ...rest } = await dump(page);
    assert.ok(!Object.keys(session).some((name) => / (session|pending|restore) /.test(name)), Object.keys(session).join());
    assert.deepEqual(local, {});
    for (const { parameters } of stage.tokenRequests.slice(1)) {
      assert.ok(!JSON.stringify([session, rest]).includes(parameters.refresh_token));
    }

    await sleep(6000);
    assert.equal(stage.tokenRequests.length, 2, "and nothing is tried again");
    assert.equal(stage.authorizationRequests.length, 1, "nobody is sent anywhere");
    assert.ok(alerts.every((text) => text.includes("session.expired")), alerts.join("\n"));
    await beginSignIn(page, stage);
    await allow(page);
    await renewed(stage, 1);
  });

  scenario("to the client ends the session, as no second try would help (F10)", { allow: FAILED }, async ({ page, stage }) => {
    await signIn(page, stage);
    stage.fault.reply = { status: 401, headers: JSON_TYPE, body: { error: "invalid_client" } };
    stage.fault.mode = "reply";
    const { code, text } = await readFault(page);
    assert.equal(code, "token.refused");
    assert.match(text, /invalid_client/);
    await isSignedOut(page);
    await sleep(3000);
    assert.equal(stage.tokenRequests.length, 2);
  });
});

describe("a lost answer where no session is to be had anew", () => {
  const once = () => ({ restore: false });

  scenario("ends the session, and the page says that the person did nothing to end it (REF-7)", { allow: FAILED, client: once }, async ({ page, stage }) => {
    await signInBefore(page, stage, "lost");
    await isSignedOut(page);
    await navigationTo(page, "Session").click();
    const { code } = await readFault(page);
    assert.equal(code, "session.answer_lost");
    await isSignedOut(page);
    assert.equal(quietRequests(stage).length, 0);
    await beginSignIn(page, stage);
    await allow(page);
    await isSignedIn(page);
  });
});
