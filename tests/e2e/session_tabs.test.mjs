// Several tabs of one person: what they share, what they tell each other, and what a copy of a tab may not do.

import assert from "node:assert/strict";
import { describe } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { allow, beginSignIn, isSignedIn, isSignedOut, readApi, sendRequest, sendRequestPatiently, signIn, signOutButton } from "./support/person.mjs";
import { setting } from "./support/scenario.mjs";
import {
  LIFETIME, databases, duplicate, encodingsOf, lasting, overhear, presentedBy, presentedTwice, quietRequests, renewals, renewed, tokensSeen, watchAlerts,
} from "./support/sessions.mjs";
import { dump, historyOf } from "./support/storage.mjs";
import { until } from "./support/until.mjs";
import { BLOCKED_BY_CORS, LOAD_FAILED } from "./support/visitor.mjs";

const scenario = setting(lasting({ restore: true }));
const shared = () => ({ token_storage: "shared" });

/** Another tab at the session page. */
async function openTab(context, stage) {
  const page = await context.newPage();
  await page.goto(stage.url("session"));
  return page;
}

describe("tabs that share a session", () => {
  scenario("renew it with one request for all of them (REF-2, A27, F17)", { client: shared }, async ({ page, stage, context }) => {
    const alerts = await watchAlerts(context);
    await signIn(page, stage);
    const tabs = [page, await openTab(context, stage), await openTab(context, stage)];
    for (const tab of tabs) await isSignedIn(tab);
    const began = Date.now();
    await renewed(stage, 4, 30_000);
    const most = Math.ceil((Date.now() - began) / 1000 / (LIFETIME - 2)) + 1;
    assert.ok(renewals(stage).length <= most, `${renewals(stage).length} renewals`);
    assert.deepEqual(presentedTwice(stage), []);
    assert.ok(renewals(stage).every(({ outcome }) => outcome === "tokens"));
    for (const tab of tabs) assert.equal((await readApi(tab)).status, "Status 200");
    assert.equal(stage.authorizationRequests.length, 1);
    assert.deepEqual(alerts, []);
  });

  scenario("renew it once, also if all of them want it at the same moment (REF-2, A27)", { client: shared, allow: [LOAD_FAILED] }, async ({ page, stage, context }) => {
    await signIn(page, stage);
    const tabs = [page, await openTab(context, stage), await openTab(context, stage)];
    for (const tab of tabs) await readApi(tab);
    for (let round = 0; round < 3; round += 1) {
      const before = renewals(stage).length;
      stage.authorizationServer.revokeAccessTokens();
      const answers = await Promise.all(tabs.map(sendRequest));
      assert.deepEqual(answers.map(({ status }) => status), ["Status 200", "Status 200", "Status 200"]);
      assert.ok(renewals(stage).length - before <= 2, `${renewals(stage).length - before} renewals`);
      await sleep(1200);
    }
    assert.deepEqual(presentedTwice(stage), []);
  });

  scenario("hear of a sign-in in another tab, and of who it is", { client: shared }, async ({ page, stage, context }) => {
    const other = await openTab(context, stage);
    await isSignedOut(other);
    await signIn(page, stage);
    await isSignedIn(other);
    assert.equal(JSON.parse((await readApi(other)).body).owner, "alice");
    assert.equal(stage.tokenRequests.filter(({ parameters }) => parameters.grant_type === "authorization_code").length, 1);

    // A tab of later has it, too; also when all others are closed.
    await page.close();
    await other.close();
    const later = await openTab(context, stage);
    await isSignedIn(later);
    assert.equal(stage.authorizationRequests.length, 1);
  });

  scenario(
    "get over one that is closed in the middle of a renewal, by one round trip that shows nothing (REF-7, REF-10, A27)",
    { client: shared, allow: [LOAD_FAILED, BLOCKED_BY_CORS] },
    async ({ page, stage, context }) => {
      const alerts = await watchAlerts(context);
      await signIn(page, stage);
      const other = await openTab(context, stage);
      for (const tab of [page, other]) await readApi(tab);
      const presented = [page, other].map(presentedBy);
      stage.fault.mode = "withheld";
      await until("one of them renews", () => stage.fault.waiting.length === 1);
      assert.equal(renewals(stage).at(-1).outcome, "tokens", "the token was spent");
      const [closing, staying] = presented[0].includes(renewals(stage).at(-1).presented) ? [page, other] : [other, page];
      await closing.close();
      Object.assign(stage.fault, { mode: "forward" });
      stage.fault.release();
      // The tab that stays presents the token once more, the server takes that for theft, and it asks anew.
      await until("the session was asked for anew", () => quietRequests(stage).length === 1, 30_000);
      assert.equal((await readApi(staying)).status, "Status 200");
      assert.equal(quietRequests(stage).length, 1);
      assert.equal(presentedTwice(stage).length, 1);
      assert.deepEqual(alerts, []);
    },
  );

  scenario(
    "leave no token where script finds it: not in storages, messages, addresses or the document (A32, WEB-17)",
    { client: shared },
    async ({ page, stage, context }) => {
      const { heard } = await overhear(context, stage);
      await signIn(page, stage);
      const other = await openTab(context, stage);
      await isSignedIn(other);
      await readApi(page);
      await renewed(stage, 2);
      await sendRequest(page);

      const dumps = JSON.stringify([await dump(page), await dump(other), await databases(page), await historyOf(page), await heard()]);
      const { refresh, access } = tokensSeen(stage);
      assert.ok(refresh.length >= 2 && access.length >= 2);
      for (const token of [...refresh, ...access]) {
        for (const encoded of encodingsOf(token)) assert.ok(!dumps.includes(encoded), "a token lies about");
      }
      // The record is there, and sealed: its key is one that nobody can take out.
      const [record] = Object.entries(await databases(page)).flatMap(([, records]) => Object.entries(records)).filter(([name]) => name.includes(" session "));
      assert.ok(record, "there is a record");
      assert.match(JSON.stringify(record), /key, extractable: false/);
      assert.ok(!JSON.stringify(record).includes("access_token"));

      await signOutButton(page).click();
      await isSignedOut(other);
      const messages = await heard();
      assert.ok(messages.length >= 3);
      for (const message of messages) {
        assert.deepEqual(Object.keys(JSON.parse(message)).filter((name) => !["news", "issuer", "client_id", "at"].includes(name)), []);
      }
    },
  );
});

describe("signing out", () => {
  for (const token_storage of ["shared", "session", "memory"]) {
    scenario(`reaches the other tabs where tokens are in ${token_storage} storage (OUT-3)`, { client: () => ({ token_storage }) }, async ({ page, stage, context }) => {
      const alerts = await watchAlerts(context);
      await signIn(page, stage);
      const other = await openTab(context, stage);
      if (token_storage !== "shared") {
        await beginSignIn(other, stage);
        await allow(other);
      }
      await isSignedIn(other);
      await signOutButton(other).click();
      await isSignedOut(other);
      await isSignedOut(page);
      await page.getByText("Nobody is signed in.").waitFor();

      // And that is how it stays.
      const asked = stage.authorizationRequests.length;
      for (const tab of [page, other]) await tab.reload();
      await sleep((LIFETIME + 1) * 1000);
      for (const tab of [page, other]) await isSignedOut(tab);
      assert.equal(stage.authorizationRequests.length, asked);
      assert.deepEqual(alerts, []);
    });
  }
});

describe("a copy of a tab", () => {
  scenario("never presents the refresh token that was copied (REF-12, A28, F16)", { allow: [LOAD_FAILED] }, async ({ page, stage }) => {
    await signIn(page, stage);
    await renewed(stage, 1);
    const own = presentedBy(page);
    const copy = await duplicate(page);
    const copied = presentedBy(copy);
    await isSignedIn(copy);
    assert.equal((await readApi(copy, sendRequestPatiently)).status, "Status 200");
    await renewed(stage, 4, 30_000);
    assert.deepEqual(presentedTwice(stage), []);
    const issuedToOwner = new Set(own);
    assert.ok(copied.every((digest) => !issuedToOwner.has(digest)));
    assert.equal((await readApi(page)).status, "Status 200");
    await signOutButton(page).waitFor();
  });

  scenario("stays a copy while the first tab is loaded anew (REF-12, A28, F16)", { allow: [LOAD_FAILED] }, async ({ page, stage }) => {
    await signIn(page, stage);
    const copy = await duplicate(page);
    const copied = presentedBy(copy);
    await isSignedIn(copy);
    const left = [];
    page.on("framenavigated", (frame) => left.push(frame.url()));
    // For a moment nobody has the session's lock.
    await page.reload({ waitUntil: "commit" });
    const own = presentedBy(page);
    await until("the first tab has renewed its session", () => own.length >= 2, 30_000);
    assert.deepEqual(left, [page.url()], "the session is the first tab's still");
    assert.deepEqual(copied.filter((digest) => own.includes(digest)), []);
    assert.deepEqual(presentedTwice(stage), []);
  });

  scenario("signs in by itself, without a form, when its token is used up (REF-12, A28)", { allow: [LOAD_FAILED] }, async ({ page, stage, context }) => {
    const alerts = await watchAlerts(context);
    await signIn(page, stage);
    const copy = await duplicate(page);
    await readApi(copy);
    await sleep((LIFETIME + 2) * 1000);
    await copy.getByRole("button", { name: "Send", exact: true }).click();
    await until("the copy signed in by itself", () => quietRequests(stage).length === 1);
    await copy.getByRole("button", { name: "Send", exact: true }).waitFor();
    assert.equal((await sendRequest(copy)).status, "Status 200");
    await renewed(stage, 4, 30_000);
    assert.deepEqual(presentedTwice(stage), []);
    for (const tab of [page, copy]) await signOutButton(tab).waitFor();
    assert.deepEqual(alerts, []);
  });

  scenario("takes over when the first tab is closed at once", { allow: [LOAD_FAILED] }, async ({ page, stage }) => {
    await signIn(page, stage);
    const copy = await duplicate(page);
    await page.close();
    await isSignedIn(copy);
    await renewed(stage, 2, 30_000);
    assert.equal((await readApi(copy)).status, "Status 200");
    assert.deepEqual(presentedTwice(stage), []);
  });
});
