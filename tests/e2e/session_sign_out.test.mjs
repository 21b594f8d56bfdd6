// Signing out of a session that lasts: nothing stays in this browser, the server is told, and nobody is signed out but by
// their own hand.

import assert from "node:assert/strict";
import { describe } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { digest } from "./servers/authorization_server.mjs";
import { allow, beginSignIn, heading, isSignedIn, isSignedOut, loginField, readApi, signIn, signOutButton } from "./support/person.mjs";
import { setting } from "./support/scenario.mjs";
import { databases, encodingsOf, lasting, renewed, tokensSeen, watchAlerts } from "./support/sessions.mjs";
import { dump } from "./support/storage.mjs";
import { until } from "./support/until.mjs";
import { LOAD_FAILED } from "./support/visitor.mjs";

const scenario = setting(lasting({ restore: true, id_token_hint: true }));

const signOutAtServer = (page) => page.getByRole("button", { name: "Sign out at the server too", exact: true });

/** The revocation requests that arrived, each as its form. */
const revocations = ({ authorizationServer }) =>
  authorizationServer.log
    .filter(({ method, path }) => method === "POST" && path === "/token/revocation")
    .map(({ body }) => Object.fromEntries(new URLSearchParams(body)));

/** The requests for the server's own sign-out. */
const endSessionRequests = ({ authorizationServer }) =>
  authorizationServer.log
    .filter(({ method, path }) => method === "GET" && path === "/session/end")
    .map(({ query }) => Object.fromEntries(new URLSearchParams(query)));

/** Nothing of the person is left in this browser but when they signed out, which tabs that were away look up. */
async function assertNothingLeft(page, stage) {
  const records = await until("the database was cleared", async () => {
    const found = Object.values(await databases(page)).flatMap((store) => Object.keys(store));
    return found.length === 0 && [found];
  });
  assert.deepEqual(records, [[]]);
  const { session, local, caches, cookies, ...rest } = await dump(page);
  // What the server says of itself is nobody's, and the sign-in page asks for it.
  const ofPerson = Object.keys(session).filter((name) => !/^leptos-pkce (metadata|keys) /.test(name));
  assert.deepEqual(ofPerson, []);
  assert.deepEqual(Object.keys(local), [`leptos-pkce signed-out ${stage.authorizationServer.issuer} workbench`]);
  const [[, note]] = Object.entries(local);
  assert.deepEqual(Object.keys(JSON.parse(note)), ["at"]);
  assert.deepEqual(caches, []);
  const kept = JSON.stringify([rest, local, session]);
  const { refresh, access } = tokensSeen(stage);
  for (const token of [...refresh, ...access]) for (const encoded of encodingsOf(token)) assert.ok(!kept.includes(encoded));
}

describe("signing out here", () => {
  for (const token_storage of ["memory", "session", "shared"]) {
    for (const [where, offline] of [["", false], [", also offline", true]]) {
      scenario(
        `leaves nothing of a session in ${token_storage} storage but the time${where} (OUT-3)`,
        { allow: [LOAD_FAILED], client: () => ({ token_storage }) },
        async ({ page, stage, context }) => {
          await signIn(page, stage);
          await readApi(page);
          await renewed(stage, 1);
          await context.setOffline(offline);
          await signOutButton(page).click();
          await isSignedOut(page);
          await assertNothingLeft(page, stage);
          await sleep(4000); // for what is still on its way
          await assertNothingLeft(page, stage);

          await context.setOffline(false);
          await page.reload();
          await isSignedOut(page);
          await assertNothingLeft(page, stage);
          assert.equal(stage.authorizationRequests.length, 1);
        },
      );
    }
  }

  scenario("has the server revoke the refresh token first, then the access token (OUT-1)", async ({ page, stage }) => {
    await signIn(page, stage);
    await readApi(page);
    await signOutButton(page).click();
    await until("both were revoked", () => revocations(stage).length === 2);
    const [first, second] = revocations(stage);
    const { token: refresh_token, ...rest } = first;
    assert.deepEqual(rest, { token_type_hint: "refresh_token", client_id: "workbench" });
    assert.equal(digest(refresh_token), stage.authorizationServer.tokenLog[0].issued);
    const { token: access_token, ...more } = second;
    assert.deepEqual(more, { token_type_hint: "access_token", client_id: "workbench" });
    assert.equal(`Bearer ${access_token}`, stage.apiRequests[0].headers.authorization);
    assert.equal(await stage.authorizationServer.findAccessToken(access_token), undefined);
    assert.deepEqual(stage.authorizationServer.log.filter(({ method }) => method === "OPTIONS"), [], "without a preflight");
  });

  scenario("is done whatever the server says to that (OUT-2)", { allow: [LOAD_FAILED] }, async ({ page, stage, context }) => {
    const alerts = await watchAlerts(context);
    await page.route("**/token/revocation", (route) =>
      route.fulfill({ status: 400, contentType: "application/json", body: '{"error":"unsupported_token_type"}', headers: { "Access-Control-Allow-Origin": "*" } }),
    );
    await signIn(page, stage);
    await signOutButton(page).click();
    await isSignedOut(page);
    await sleep(1000);
    await isSignedOut(page);
    assert.deepEqual(alerts, []);
  });

  scenario("can be had from every page (OUT-9)", async ({ page, stage }) => {
    await signIn(page, stage);
    for (const path of ["", "session", "api", "nowhere", "callback"]) {
      await page.goto(stage.url(path));
      await signOutButton(page).waitFor();
    }
    await signOutButton(page).click();
    await isSignedOut(page);
  });

  scenario("lets Back show nothing of it (OUT-10)", async ({ page, stage }) => {
    await signIn(page, stage);
    await readApi(page);
    await page.goto(stage.url("session"));
    await isSignedIn(page);
    await signOutButton(page).click();
    await isSignedOut(page);
    await page.goto("about:blank");
    for (let step = 0; step < 3; step += 1) {
      await page.goBack();
      await isSignedOut(page);
      assert.ok(!(await page.locator("body").innerText()).includes("alice"));
    }
  });
});

describe("signing out at the server too", () => {
  scenario(
    "tells it who it is about, and comes back with the state that was sent (OUT-4, OUT-7, OUT-1)",
    async ({ page, stage, context }) => {
      const alerts = await watchAlerts(context);
      await signIn(page, stage);
      await signOutAtServer(page).click();
      await page.getByRole("heading", { name: "Sign out of the development server?" }).waitFor();
      assert.equal(revocations(stage).length, 2, "the tokens were revoked before");
      await page.getByRole("button", { name: "Sign out", exact: true }).click();
      await isSignedOut(page);
      const [{ id_token_hint, state, ...rest }, ...more] = endSessionRequests(stage);
      assert.deepEqual(more, []);
      assert.equal(id_token_hint.split(".").length, 3);
      assert.match(state, /^[\w-]{43}$/);
      assert.deepEqual(rest, { post_logout_redirect_uri: stage.url() });

      const arrival = stage.host.log.find(({ query }) => query === `state=${state}`);
      assert.ok(arrival, "it came back with the state");
      assert.equal(page.url(), stage.url(), "which is no longer in the address bar");
      await assertNothingLeft(page, stage);
      assert.deepEqual(alerts, []);

      await beginSignIn(page, stage);
      await loginField(page).waitFor();
    },
  );

  scenario(
    "shows no ID token in an address where that is not configured (OUT-7)",
    { client: () => ({ id_token_hint: false }) },
    async ({ page, stage, witness }) => {
      await signIn(page, stage);
      await signOutAtServer(page).click();
      await page.getByRole("button", { name: "Sign out", exact: true }).click();
      await isSignedOut(page);
      const [{ state, ...rest }] = endSessionRequests(stage);
      assert.ok(state);
      assert.deepEqual(rest, { client_id: "workbench", post_logout_redirect_uri: stage.url() });
      assert.ok(!witness.requests.some(({ url }) => url.includes("eyJ")));
    },
  );

  scenario("waits for a slow server a short while, and leaves (OUT-8)", { allow: [LOAD_FAILED] }, async ({ page, stage }) => {
    await signIn(page, stage);
    await page.route("**/token/revocation", () => {});
    const began = Date.now();
    await signOutAtServer(page).click();
    await page.getByRole("heading", { name: "Sign out of the development server?" }).waitFor();
    const waited = Date.now() - began;
    assert.ok(waited > 1500 && waited < 6000, `left after ${waited} ms`);
  });

  scenario("is signing out here where the server has none (OUT-11)", async ({ page, stage, context }) => {
    const alerts = await watchAlerts(context);
    await page.route("**/.well-known/openid-configuration", async (route) => {
      const answer = await route.fetch();
      const { end_session_endpoint, ...metadata } = await answer.json();
      assert.ok(end_session_endpoint);
      await route.fulfill({ response: answer, json: metadata });
    });
    await signIn(page, stage);
    await signOutAtServer(page).click();
    await isSignedOut(page);
    await assertNothingLeft(page, stage);
    assert.equal(page.url(), stage.url("session"));
    assert.deepEqual(alerts, []);
  });

  scenario("is no business of an address that only looks like its answer (OUT-5, OUT-6, A42)", async ({ page, stage, context }) => {
    const alerts = await watchAlerts(context);
    await signIn(page, stage);
    for (const path of ["?state=forged", "?state=", "session?state=forged"]) {
      await page.goto(stage.url(path));
      await signOutButton(page).waitFor();
    }
    assert.equal((await readApi(page)).status, "Status 200");

    // Somebody left for the server, and comes back with another state, or with none.
    for (const query of ["?state=forged", ""]) {
      await page.goto(stage.url("session"));
      await signOutAtServer(page).click();
      await page.getByRole("heading", { name: "Sign out of the development server?" }).waitFor();
      await page.goto(stage.url(query));
      await heading(page, "Sign in").waitFor();
      await isSignedOut(page);
      await beginSignIn(page, stage);
      await allow(page);
      await isSignedIn(page);
    }
    assert.deepEqual(alerts, []);
  });
});

describe("somebody who has left", () => {
  const idle = (token_storage) => () => ({ idle_timeout: 4, token_storage });

  for (const token_storage of ["session", "shared"]) {
    scenario(`is signed out, in all tabs, where tokens are in ${token_storage} storage`, { client: idle(token_storage) }, async ({ page, stage, context }) => {
      await signIn(page, stage);
      const other = await context.newPage();
      if (token_storage === "shared") await other.goto(stage.url("session"));
      else {
        await beginSignIn(other, stage);
        await allow(other);
      }
      await isSignedIn(other);
      // As long as somebody is there, in whichever tab, both last.
      for (let second = 0; second < 7; second += 1) {
        await other.mouse.click(5, 5);
        await sleep(1000);
        for (const tab of [page, other]) assert.ok(await signOutButton(tab).isVisible(), `after ${second} s`);
      }
      await isSignedOut(page);
      await isSignedOut(other);
      await until("the server heard of it", () => revocations(stage).length >= 2);
    });
  }
});
