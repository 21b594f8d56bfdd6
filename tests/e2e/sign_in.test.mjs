// A whole sign-in at a real authorization server: what a person sees, and what each server was asked.

import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import {
  allow, beginSignIn, heading, isSignedIn, logIn, loginField, navigationTo, readApi, readFault, revealToken, signIn, signInButton, signOutButton,
} from "./support/person.mjs";
import { ON_SANDBOX, setting } from "./support/scenario.mjs";
import { pendingNames } from "./support/storage.mjs";

const scenario = setting({ whole: true });

const RANDOM = /^[\w-]{43}$/;

for (const [client_id, kind, form] of [
  ["workbench", "an opaque", RANDOM],
  ...(ON_SANDBOX ? [] : [["workbench-jwt", "a JWT", /^[\w-]+\.[\w-]+\.[\w-]+$/]]), // the sandbox's tokens are opaque
]) {
  for (const [token_storage, place] of [
    ["session", "In this tab's sessionStorage"],
    ["memory", "In this page's memory"],
  ]) {
    const client = () => ({ client_id, token_storage, scope: "photos:read" });
    scenario(
      `signs in, keeps ${kind} token in ${token_storage} storage, and reads the API`,
      { client },
      async ({ page, stage }) => {
        await signIn(page, stage);
        await page.getByText(place).waitFor();
        assert.match(await revealToken(page), form);

        const { status, body } = await readApi(page);
        assert.equal(status, "Status 200");
        const { owner, photos } = JSON.parse(body);
        assert.equal(owner, "alice");
        assert.equal(photos.length, stage.photosOfAlice);
        assert.equal(stage.apiRequests.length, 1);
      },
    );
  }
}

scenario(
  "asks for a code by a navigation, with S256, and for no more than is configured (AUT-2, AUT-3, AUT-5, AUT-6, AUT-12, CFG-6, CFG-12)",
  async ({ page, stage }) => {
    await signIn(page, stage);
    const [{ entry, isNavigation, parameters }, ...more] = stage.authorizationRequests;
    assert.deepEqual(more, []);
    const { state, nonce, code_challenge, ...rest } = parameters;
    assert.deepEqual(rest, {
      response_type: "code",
      client_id: "workbench",
      redirect_uri: stage.url("callback"),
      // The workbench asks its own sandbox for a session that lasts.
      scope: `openid profile photos:read${ON_SANDBOX ? " offline_access" : ""}`,
      code_challenge_method: "S256",
    });
    for (const random of [state, nonce, code_challenge]) assert.match(random, RANDOM);
    assert.ok(isNavigation);
    assert.equal(entry.referer, undefined);
    // RFC 6749 §3.1: no parameter twice.
    assert.equal(entry.query.split("&").length, Object.keys(parameters).length);
  },
);

scenario(
  "exchanges the code in a plain form, without a secret, a cookie or a referrer (CFG-1, TOK-1, TOK-2, TOK-4)",
  async ({ page, stage }) => {
    await signIn(page, stage);
    const [{ entry, parameters }, ...more] = stage.tokenRequests;
    assert.deepEqual(more, []);
    const { code, code_verifier, ...rest } = parameters;
    assert.deepEqual(rest, {
      grant_type: "authorization_code",
      redirect_uri: stage.url("callback"),
      client_id: "workbench",
    });
    assert.ok(code);
    assert.match(code_verifier, RANDOM);
    const [request] = stage.authorizationRequests;
    assert.equal(createHash("sha256").update(code_verifier).digest("base64url"), request.parameters.code_challenge);

    assert.equal(entry.body.split("&").length, 5);
    assert.equal(entry.query, "");
    assert.equal(entry.headers["content-type"], "application/x-www-form-urlencoded");
    for (const absent of ["authorization", "cookie", "referer", "dpop"]) assert.equal(entry.headers[absent], undefined, absent);
    if (!ON_SANDBOX) assert.equal(entry.headers["cache-control"], "no-cache"); // what caches are told, no worker sees
    const preflights = stage.authorizationServer.log.filter(({ method }) => method === "OPTIONS");
    assert.deepEqual(preflights, []);
  },
);

scenario("sends the token to the API in the Authorization header and nowhere else (RS-1)", async ({ page, stage }) => {
  await signIn(page, stage);
  const token = await revealToken(page);
  await readApi(page);
  const [{ method, path, query, body, headers }, ...more] = stage.apiRequests;
  assert.deepEqual(more, []);
  assert.deepEqual({ method, path, query, body }, { method: "GET", path: new URL(stage.photos).pathname, query: "", body: "" });
  assert.equal(headers.authorization, `Bearer ${token}`);
  for (const absent of ["cookie", "referer"]) assert.equal(headers[absent], undefined, absent);
  for (const entry of stage.logs.filter((entry) => entry.path !== path)) {
    const { url, body, headers } = { url: `${entry.path}?${entry.query}`, ...entry };
    assert.ok(!JSON.stringify([url, body, headers]).includes(token), `${entry.method} ${entry.path} carried the token`);
  }
});

scenario(
  "draws a new verifier, state and nonce for every attempt, also after one was abandoned (AUT-4)",
  async ({ page, stage }) => {
    await beginSignIn(page, stage);
    await loginField(page).waitFor();
    await signIn(page, stage);
    const [abandoned, completed] = stage.authorizationRequests.map(({ parameters }) => parameters);
    for (const random of ["state", "nonce", "code_challenge"]) assert.notEqual(abandoned[random], completed[random], random);
    assert.equal(stage.tokenRequests.length, 1);
  },
);

for (const [manner, press] of [
  ["a double click", (button) => button.dblclick()],
  ["two clicks in one turn", (button) => button.evaluate((element) => (element.click(), element.click()))],
]) {
  scenario(`goes to the authorization server once on ${manner} (AUT-13)`, async ({ page, stage }) => {
    await page.goto(stage.url());
    // The sandbox is asked when it was started.
    await page.getByText(/PKCE with S256 announced|It is started when you sign in/).waitFor();
    await press(signInButton(page));
    await loginField(page).waitFor();
    assert.equal(stage.authorizationRequests.length, 1);
    await page.goto(stage.url());
    await signInButton(page).waitFor();
    assert.equal((await pendingNames(page)).length, 1);
  });
}

scenario(
  "keeps the query of the authorization endpoint, and encodes whatever is in a parameter (AUT-1)",
  {
    client: ({ authorizationEndpoint }) => ({
      metadata: { authorization_endpoint: `${authorizationEndpoint}?ui=plain%20text` },
      extra_parameters: { login_hint: "a b&c=d+e%f#g/é€😀", audience: "https://api.example/?x=1&y=2" },
    }),
  },
  async ({ page, stage }) => {
    await beginSignIn(page, stage);
    await loginField(page).waitFor();
    const [{ parameters }] = stage.authorizationRequests;
    assert.equal(parameters.ui, "plain text");
    assert.equal(parameters.login_hint, "a b&c=d+e%f#g/é€😀");
    assert.equal(parameters.audience, "https://api.example/?x=1&y=2");
    assert.equal(parameters.scope, "openid profile photos:read");
  },
);

scenario("sends the configured redirect URI, whatever the address the app was opened at (CFG-4)", async ({ page, stage }) => {
  await page.goto(stage.url("?x=1#y"));
  await signInButton(page).click();
  await logIn(page);
  await allow(page);
  await isSignedIn(page);
  assert.equal(stage.authorizationRequests[0].parameters.redirect_uri, stage.url("callback"));
  assert.equal(stage.tokenRequests[0].parameters.redirect_uri, stage.url("callback"));
});

scenario("sends nobody anywhere if the browser gives no random numbers (AUT-7)", async ({ page, stage }) => {
  await page.addInitScript(() => {
    Crypto.prototype.getRandomValues = () => {
      throw new DOMException("no entropy", "QuotaExceededError");
    };
  });
  await beginSignIn(page, stage);
  const { code, summary, side } = await readFault(page);
  assert.equal(code, "request.entropy");
  assert.match(summary, /gave no random numbers/);
  assert.equal(side, "the browser");
  assert.equal(stage.authorizationRequests.length, 0);
  assert.deepEqual(await pendingNames(page), []);
});

scenario("shows the authorization request as a plain link that works", async ({ page, stage }) => {
  await page.goto(stage.url());
  await page.getByRole("button", { name: "Show the request" }).click();
  const request = page.getByRole("region", { name: "Authorization request" });
  await request.getByText("code_challenge_method").waitFor();
  assert.equal(stage.authorizationRequests.length, 0);
  await request.getByRole("link", { name: "Follow the link" }).click();
  await logIn(page);
  await allow(page);
  await isSignedIn(page);
  assert.equal(stage.tokenRequests.length, 1);
});

scenario(
  "replaces the session when somebody else signs in",
  { client: () => ({ extra_parameters: { prompt: "login" } }) },
  async ({ page, stage }) => {
    await signIn(page, stage, "alice");
    assert.equal(JSON.parse((await readApi(page)).body).owner, "alice");
    await navigationTo(page, "Sign in").click();
    await signInButton(page).click();
    await logIn(page, "bob");
    await allow(page);
    await isSignedIn(page);
    assert.equal(JSON.parse((await readApi(page)).body).owner, "bob");
  },
);

scenario("says who is signed in, and every check of the ID token", async ({ page, stage }) => {
  await signIn(page, stage);
  const checks = await page.getByRole("region", { name: "ID token" }).getByRole("listitem").allInnerTexts();
  assert.equal(checks.length, 17);
  assert.ok(checks.every((check) => / (passed|not needed)\. /.test(check)), checks.join("\n"));
  assert.match(await page.getByRole("region", { name: "Who is signed in" }).innerText(), /\bsub\b/);
});

scenario("signs out, and shows nothing of the session any more", async ({ page, stage }) => {
  await signIn(page, stage);
  await signOutButton(page).click();
  await page.getByText("Nobody is signed in.").waitFor();
  await navigationTo(page, "API").click();
  await heading(page, "API").waitFor();
  await page.getByText("Nobody is signed in, so there is no token to send.").waitFor();
  assert.equal(await page.getByRole("button", { name: "Send", exact: true }).count(), 0);
});
