// The test servers themselves: what the end-to-end tests prove is worth no more than what these do.

import assert from "node:assert/strict";
import { createHash, randomBytes } from "node:crypto";
import { mkdtemp, mkdir, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { startApi } from "./servers/api.mjs";
import { digest, startAuthorizationServer } from "./servers/authorization_server.mjs";
import { startFaultServer } from "./servers/fault_server.mjs";
import { startStaticHost } from "./servers/static_host.mjs";
import { randomFrom } from "./support/random.mjs";

const APP = "http://localhost:8080";
const REDIRECT_URI = `${APP}/callback`;

describe("authorization server and API", () => {
  let authorizationServer, api;

  before(async () => {
    authorizationServer = await startAuthorizationServer({
      redirectUris: [REDIRECT_URI],
      postLogoutRedirectUris: [`${APP}/`],
    });
    api = await startApi({ authorizationServer, origins: [APP] });
  });
  after(() => Promise.all([authorizationServer.close(), api.close()]));

  for (const [client_id, kind, form, scope] of [
    ["workbench", "an opaque", /^[\w-]{43}$/, "openid photos:read"],
    // A token for one resource carries that resource's scopes only.
    ["workbench-jwt", "a JWT", /^[\w-]+\.[\w-]+\.[\w-]+$/, "photos:read"],
  ]) {
    it(`gives alice ${kind} access token that the API takes`, async () => {
      const { token } = await signIn(authorizationServer, { client_id });
      assert.match(token.access_token, form);
      assert.equal(token.expires_in, 300);
      assert.equal(token.scope, scope);

      const answer = await callApi(api, "/photos", token);
      assert.equal(answer.status, 200);
      const { owner, photos } = await answer.json();
      assert.equal(owner, "alice");
      assert.equal(photos.length, 12);
    });

    it(`refuses ${kind} token without the scope, and says which`, async () => {
      const { token } = await signIn(authorizationServer, { client_id });
      const answer = await callApi(api, "/photos", token, { method: "POST", body: "{}" });
      assert.equal(answer.status, 403);
      assert.match(answer.headers.get("www-authenticate"), /error="insufficient_scope".*scope="photos:write"/);
    });
  }

  it("gives userinfo to an opaque token", async () => {
    const { token } = await signIn(authorizationServer, { scope: "openid profile email" });
    const { userinfo_endpoint } = await metadata(authorizationServer);
    const answer = await fetch(userinfo_endpoint, { headers: bearer(token) });
    assert.deepEqual(await answer.json(), { sub: "alice", name: "Alice Example", email: "alice@example.com" });
  });

  it("issues a refresh token where consent to offline_access was asked for", async () => {
    const scope = "openid offline_access photos:read";
    const { token } = await signIn(authorizationServer, { scope, prompt: "consent" });
    assert.ok(token.refresh_token);
  });

  it("stops accepting a revoked token at once", async () => {
    const { token } = await signIn(authorizationServer);
    const { revocation_endpoint } = await metadata(authorizationServer);
    await post(revocation_endpoint, { client_id: "workbench", token: token.access_token });
    const answer = await callApi(api, "/photos", token);
    assert.equal(answer.status, 401);
    assert.match(answer.headers.get("www-authenticate"), /error="invalid_token"/);
  });

  it("tells a request without a token only the scheme", async () => {
    const answer = await fetch(`${api.origin}/photos`);
    assert.equal(answer.status, 401);
    assert.equal(answer.headers.get("www-authenticate"), 'Bearer realm="photos"');
  });

  it("refuses a JWT that another server signed", async (test) => {
    const other = await startAuthorizationServer({ redirectUris: [REDIRECT_URI] });
    test.after(other.close);
    const { token } = await signIn(other, { client_id: "workbench-jwt" });
    assert.equal((await callApi(api, "/photos", token)).status, 401);
  });

  for (const [choice, page] of [["cancel", "login"], ["deny", "consent"]]) {
    it(`sends error, iss and state back when alice chooses ${choice} on the ${page} page`, async () => {
      const { response, state } = await authorize(authorizationServer, { choices: { [page]: choice } });
      assert.equal(response.get("error"), "access_denied");
      assert.equal(response.get("iss"), authorizationServer.issuer);
      assert.equal(response.get("state"), state);
      assert.equal(response.get("code"), null);
    });
  }

  it("refuses a request without PKCE", async () => {
    const { response } = await authorize(authorizationServer, { omit: ["code_challenge", "code_challenge_method"] });
    assert.equal(response.get("error"), "invalid_request");
  });

  it("refuses a code the second time and drops the tokens of the first", async () => {
    const { token, again } = await signIn(authorizationServer);
    const answer = await again();
    assert.equal(answer.status, 400);
    assert.equal((await answer.json()).error, "invalid_grant");
    assert.equal((await callApi(api, "/photos", token)).status, 401);
  });

  it("lets the page of its client read, and no other", async () => {
    const { token_endpoint } = await metadata(authorizationServer);
    for (const [origin, expected] of [[APP, APP], ["http://localhost:1", null]]) {
      const answer = await post(token_endpoint, { grant_type: "authorization_code", client_id: "workbench", code: "x" }, origin);
      assert.equal(answer.headers.get("access-control-allow-origin"), expected);
    }
  });

  it("logs what arrived, with its raw query and body", async () => {
    const { state } = await signIn(authorizationServer, { state: "a b&c" });
    const authorization = authorizationServer.log.findLast(({ path }) => path === "/auth");
    assert.equal(new URLSearchParams(authorization.query).get("state"), state);
    assert.equal(authorization.status, 303);
    const exchange = authorizationServer.log.findLast(({ path }) => path === "/token");
    assert.match(exchange.body, /^grant_type=authorization_code&/);
    assert.equal(exchange.status, 200);
    assert.ok(exchange.bytesSent > 100);
  });

  it("misbehaves as the tests ask: redirects away, answers large, answers any status", async () => {
    const { token } = await signIn(authorizationServer);
    const redirect = await callApi(api, "/redirect", token, { redirect: "manual" });
    assert.equal(redirect.headers.get("location"), `${api.elsewhere.origin}/photos`);
    const large = await callApi(api, "/large?bytes=100000", token);
    assert.equal((await large.arrayBuffer()).byteLength, 100_000);
    assert.equal((await callApi(api, "/status/503", token)).status, 503);
    assert.equal(api.elsewhere.log.length, 0);
  });

  it("serves an issuer with a path, and both places of its metadata", async (test) => {
    const server = await startAuthorizationServer({ redirectUris: [REDIRECT_URI], issuerPath: "/tenant" });
    test.after(server.close);
    const inserted = await fetch(`${server.origin}/.well-known/oauth-authorization-server/tenant`);
    assert.equal((await inserted.json()).issuer, server.issuer);
    assert.equal((await fetch(`${server.origin}/.well-known/openid-configuration`)).status, 404);
    const { token } = await signIn(server);
    assert.equal((await server.findAccessToken(token.access_token)).accountId, "alice");
  });

  it("shows a page, not a stack trace, to who comes back to a finished sign-in", async () => {
    const answer = await fetch(`${authorizationServer.origin}/interaction/gone`);
    assert.equal(answer.status, 400);
    assert.match(await answer.text(), /no longer waiting/);
  });
});

describe("fault server", () => {
  let authorizationServer, fault;

  before(async () => {
    authorizationServer = await startAuthorizationServer({ redirectUris: [REDIRECT_URI] });
    fault = await startFaultServer({ forwardTo: (await metadata(authorizationServer)).token_endpoint });
  });
  after(() => Promise.all([authorizationServer.close(), fault.close()]));

  const exchange = (options) => fetch(`${fault.origin}/token`, { method: "POST", headers: { Origin: APP }, ...options });

  it("forwards to the real server and back", async () => {
    fault.mode = "forward";
    const { token } = await signIn(authorizationServer, { token_endpoint: `${fault.origin}/token` });
    assert.ok(await authorizationServer.findAccessToken(token.access_token));
  });

  it("holds the request until the test releases it", async () => {
    fault.mode = "held";
    let answered = false;
    const signedIn = signIn(authorizationServer, { token_endpoint: `${fault.origin}/token` }).then(() => (answered = true));
    while (!fault.waiting.length) await sleep(10);
    assert.equal(answered, false);
    fault.release();
    await signedIn;
  });

  it("loses the answer after the code was spent", async () => {
    fault.mode = "lost";
    const { token_endpoint } = await metadata(authorizationServer);
    await assert.rejects(signIn(authorizationServer, { token_endpoint: `${fault.origin}/token` }), /fetch failed/);
    const { headers, body, bytesSent, cutByServerAt } = fault.tokenRequests.at(-1);
    assert.equal(bytesSent, 0);
    assert.ok(cutByServerAt);
    const replayed = await fetch(token_endpoint, {
      method: "POST",
      headers: { "Content-Type": headers["content-type"] },
      body,
    });
    assert.equal((await replayed.json()).error, "invalid_grant");
  });

  for (const [mode, status] of [["redirect", 307], ["redirect302", 302]]) {
    it(`redirects to another origin with ${status}`, async () => {
      fault.mode = mode;
      const answer = await exchange({ redirect: "manual" });
      assert.equal(answer.status, status);
      assert.equal(answer.headers.get("location"), `${fault.elsewhere.origin}/token`);
      assert.equal(fault.elsewhere.log.length, 0);
    });
  }

  it("never sends headers, and notices when the client gives up", async () => {
    fault.mode = "slow";
    await assert.rejects(exchange({ signal: AbortSignal.timeout(200) }), { name: "TimeoutError" });
    await sleep(50);
    const { status, bytesSent, closedByClientAt } = fault.tokenRequests.at(-1);
    assert.deepEqual([status, bytesSent], [null, 0]);
    assert.ok(closedByClientAt);
  });

  it("drips a body that never ends", async () => {
    fault.mode = "drip";
    const answer = await exchange({ signal: AbortSignal.timeout(1500) });
    assert.equal(answer.status, 200);
    await assert.rejects(answer.text(), { name: "TimeoutError" });
  });

  it("sends an endless body until the client closes", async () => {
    fault.mode = "endless";
    const abort = new AbortController();
    const answer = await exchange({ signal: abort.signal });
    let received = 0;
    for await (const chunk of answer.body) {
      received += chunk.length;
      if (received > 1_000_000) break;
    }
    abort.abort();
    await sleep(50);
    const { bytesSent, closedByClientAt } = fault.tokenRequests.at(-1);
    assert.ok(closedByClientAt);
    assert.ok(bytesSent > 1_000_000);
  });

  it("answers HTML, garbage, or what the test wants", async () => {
    fault.mode = "html";
    assert.match((await exchange()).headers.get("content-type"), /^text\/html/);
    fault.mode = "garbage";
    await assert.rejects((await exchange()).json(), SyntaxError);
    fault.mode = "reply";
    fault.reply = { status: 400, body: { error: "invalid_grant" } };
    const answer = await exchange();
    assert.equal(answer.status, 400);
    assert.equal(answer.headers.get("access-control-allow-origin"), APP);
    assert.deepEqual(await answer.json(), { error: "invalid_grant" });
    fault.cors = false;
    assert.equal((await exchange()).headers.get("access-control-allow-origin"), null);
    fault.cors = true;
  });

  it("serves metadata from a map and redirects from its authorization endpoint", async () => {
    fault.documents["/.well-known/openid-configuration"] = { body: { issuer: fault.origin } };
    const document = await fetch(`${fault.origin}/.well-known/openid-configuration`);
    assert.equal((await document.json()).issuer, fault.origin);

    fault.authorize = (query) => `${query.get("redirect_uri")}?state=wrong`;
    const url = `${fault.origin}/authorize?redirect_uri=${encodeURIComponent(REDIRECT_URI)}`;
    const answer = await fetch(url, { redirect: "manual" });
    assert.equal(answer.headers.get("location"), `${REDIRECT_URI}?state=wrong`);
  });
});

describe("authorization server with rotation", () => {
  const scope = "openid offline_access photos:read";
  let server, api;

  before(async () => {
    server = await startAuthorizationServer({ redirectUris: [REDIRECT_URI], rotation: true, accessTokenLifetime: 5 });
    api = await startApi({ authorizationServer: server, origins: [APP] });
  });
  after(() => Promise.all([server.close(), api.close()]));

  const renew = async (refresh_token) =>
    (await post(`${server.issuer}/token`, { grant_type: "refresh_token", client_id: "workbench", refresh_token })).json();

  it("gives a refresh token with consent, and later without asking anybody", async () => {
    const cookies = new Map();
    const { token } = await signIn(server, { scope, prompt: "consent", cookies });
    assert.equal(token.expires_in, 5);
    const { token: later } = await signIn(server, { scope, prompt: "none", cookies });
    assert.ok(later.refresh_token);
    assert.notEqual(later.refresh_token, token.refresh_token);
    for (const { refresh_token } of [token, later]) assert.ok((await renew(refresh_token)).access_token);
  });

  it("takes a refresh token once; the second time ends its family, and no other", async () => {
    const cookies = new Map();
    const { token: first } = await signIn(server, { scope, prompt: "consent", cookies });
    const { token: other } = await signIn(server, { scope, prompt: "none", cookies });
    const renewed = await renew(first.refresh_token);
    assert.notEqual(renewed.refresh_token, first.refresh_token);
    assert.equal((await callApi(api, "/photos", renewed)).status, 200);

    assert.equal((await renew(first.refresh_token)).error, "invalid_grant");
    assert.equal((await renew(renewed.refresh_token)).error, "invalid_grant");
    assert.equal((await callApi(api, "/photos", renewed)).status, 401);
    assert.equal((await callApi(api, "/photos", other)).status, 200);
    assert.ok((await renew(other.refresh_token)).access_token);
    await signIn(server, { scope, prompt: "none", cookies });
  });

  it("notes who presented what, but no token", async () => {
    const { token } = await signIn(server, { scope, prompt: "consent" });
    const from = server.tokenLog.length - 1;
    const renewed = await renew(token.refresh_token);
    await renew(token.refresh_token);
    const noted = server.tokenLog.slice(from).map(({ at, ...rest }) => rest);
    const [before, after] = [token, renewed].map(({ refresh_token }) => digest(refresh_token));
    assert.deepEqual(noted, [
      { grantType: "authorization_code", presented: undefined, issued: before, outcome: "tokens" },
      { grantType: "refresh_token", presented: before, issued: after, outcome: "tokens" },
      { grantType: "refresh_token", presented: before, issued: undefined, outcome: "invalid_grant" },
    ]);
    assert.ok(!JSON.stringify(server.tokenLog).includes(token.refresh_token));
  });

  it("still knows everybody after a restart", async () => {
    const cookies = new Map();
    const { token } = await signIn(server, { scope, prompt: "consent", cookies });
    const back = server.restart(200);
    await assert.rejects(sleep(50).then(() => renew(token.refresh_token)));
    await back;
    assert.equal((await callApi(api, "/photos", token)).status, 200);
    assert.ok((await renew(token.refresh_token)).refresh_token);
    await signIn(server, { scope, prompt: "none", cookies });
  });

  it("ends tokens or sessions when a test says so", async () => {
    const cookies = new Map();
    const { token } = await signIn(server, { scope, prompt: "consent", cookies });
    server.revokeTokens();
    assert.equal((await callApi(api, "/photos", token)).status, 401);
    assert.equal((await renew(token.refresh_token)).error, "invalid_grant");
    await signIn(server, { scope, prompt: "none", cookies });
    server.endSessions();
    const { response } = await authorize(server, { scope, prompt: "none", cookies });
    assert.equal(response.get("error"), "login_required");
  });
});

describe("a network that loses requests", () => {
  it("loses them before or after they were passed on, or is late, the same for the same seed", async (test) => {
    const server = await startAuthorizationServer({ redirectUris: [REDIRECT_URI] });
    const fault = await startFaultServer({ forwardTo: `${server.issuer}/token` });
    test.after(() => Promise.all([server.close(), fault.close()]));
    const run = async () => {
      fault.log.length = server.tokenLog.length = 0;
      Object.assign(fault, { mode: "drawn", pause: 20, random: randomFrom(7), odds: { swallowed: 0.2, lost: 0.2, delayed: 0.2 } });
      const answers = [];
      for (let count = 0; count < 40; count += 1) {
        const form = { grant_type: "refresh_token", client_id: "workbench", refresh_token: "x" };
        answers.push(await post(`${fault.origin}/token`, form).then(({ status }) => status, () => "none"));
      }
      const fates = fault.tokenRequests.map(({ fate }) => fate);
      assert.deepEqual(answers, fates.map((fate) => (["forward", "delayed"].includes(fate) ? 400 : "none")));
      assert.equal(server.tokenLog.length, fates.filter((fate) => fate !== "swallowed").length);
      assert.ok(server.tokenLog.every(({ outcome }) => outcome === "invalid_grant"));
      return fates;
    };
    const fates = await run();
    assert.deepEqual([...new Set(fates)].sort(), ["delayed", "forward", "lost", "swallowed"]);
    assert.deepEqual(await run(), fates);
  });
});

describe("static host", () => {
  let root;

  before(async () => {
    root = await mkdtemp(join(tmpdir(), "static-host-"));
    await mkdir(join(root, "callback"));
    const files = {
      "index.html": "index",
      "callback.html": "callback",
      "callback/index.html": "callback",
      "404.html": "not found",
      "app-1a2b.wasm": "wasm",
      "app-1a2b.wasm.br": "compressed",
      "config.json": "{}",
      _headers: "/*\n  X-Everywhere: yes\n/sub/app-1a2b.wasm\n  Cache-Control: immutable\n",
    };
    for (const [name, body] of Object.entries(files)) await writeFile(join(root, name), body);
  });
  after(() => rm(root, { recursive: true }));

  it("answers unknown paths with index.html where rewrites are on", async (test) => {
    const host = await startStaticHost({ root, rewrites: true });
    test.after(host.close);
    const answer = await fetch(`${host.url}callback?code=1`, { headers: { Referer: "http://localhost:1/x" } });
    assert.equal(answer.status, 200);
    assert.equal(await answer.text(), "index");
    const { path, query, referer } = host.log[0];
    assert.deepEqual([path, query, referer], ["/callback", "code=1", "http://localhost:1/x"]);
  });

  it("answers as a plain host does where rewrites are off", async (test) => {
    const host = await startStaticHost({ root, rewrites: false });
    test.after(host.close);
    for (const [path, status, body] of [["callback", 200, "callback"], ["callback/", 200, "callback"], ["session", 404, "not found"]]) {
      const answer = await fetch(host.url + path);
      assert.deepEqual([answer.status, await answer.text()], [status, body]);
    }
  });

  it("compresses, labels and sets headers under a sub-path", async (test) => {
    const host = await startStaticHost({ root, base: "/sub/" });
    test.after(host.close);
    const plain = await fetch(`${host.url}app-1a2b.wasm`, { headers: { "Accept-Encoding": "identity" } });
    assert.equal(plain.headers.get("content-type"), "application/wasm");
    assert.equal(plain.headers.get("cache-control"), "immutable");
    assert.equal(plain.headers.get("x-everywhere"), "yes");
    assert.equal(await plain.text(), "wasm");
    const compressed = await fetch(`${host.url}app-1a2b.wasm`, { method: "HEAD", headers: { "Accept-Encoding": "br" } });
    assert.equal(compressed.headers.get("content-encoding"), "br");
    assert.equal((await fetch(`${host.origin}/app-1a2b.wasm`)).status, 404);
  });

  it("lets a test replace a file", async (test) => {
    const host = await startStaticHost({ root });
    test.after(host.close);
    host.overrides.set("/config.json", { body: "<!doctype html>", type: "text/html" });
    assert.equal(await (await fetch(`${host.url}config.json`)).text(), "<!doctype html>");
    host.overrides.delete("/config.json");
    assert.equal(await (await fetch(`${host.url}config.json`)).text(), "{}");
  });
});

// A browser in a few lines: follows redirects by hand, keeps cookies, fills in the forms.

async function authorize(server, { client_id = "workbench", scope = "openid photos:read", state = randomBytes(16).toString("hex"), prompt, choices = {}, omit = [], cookies = new Map() } = {}) {
  const verifier = randomBytes(32).toString("base64url");
  const { authorization_endpoint } = await metadata(server);
  const parameters = new URLSearchParams({
    response_type: "code",
    client_id,
    redirect_uri: REDIRECT_URI,
    scope,
    state,
    code_challenge: createHash("sha256").update(verifier).digest("base64url"),
    code_challenge_method: "S256",
    ...(prompt && { prompt }),
  });
  for (const name of omit) parameters.delete(name);

  let location = `${authorization_endpoint}?${parameters}`;
  let form;
  while (!location.startsWith(REDIRECT_URI)) {
    const answer = await fetch(location, {
      method: form ? "POST" : "GET",
      body: form,
      redirect: "manual",
      headers: { Cookie: [...cookies].map(([name, value]) => `${name}=${value}`).join("; ") },
    });
    for (const cookie of answer.headers.getSetCookie()) {
      const [, name, value] = /^([^=]+)=([^;]*)/.exec(cookie);
      cookies.set(name, value);
    }
    form = undefined;
    if (answer.headers.has("location")) {
      location = new URL(answer.headers.get("location"), location).href;
    } else {
      const html = await answer.text();
      const page = /Sign in to the development server/.test(html) ? "login" : "consent";
      assert.match(html, page === "login" ? /<label for="user">User name<\/label>/ : />Allow<\/button>/);
      const choice = choices[page] ?? { login: "login", consent: "allow" }[page];
      form = new URLSearchParams({ user: "alice", password: "any", choice });
    }
  }
  return { response: new URL(location).searchParams, state, verifier, client_id };
}

async function signIn(server, { token_endpoint, ...request } = {}) {
  const { response, state, verifier, client_id } = await authorize(server, request);
  assert.equal(response.get("state"), state);
  assert.equal(response.get("iss"), server.issuer);
  const exchange = async () =>
    post(token_endpoint ?? (await metadata(server)).token_endpoint, {
      grant_type: "authorization_code",
      client_id,
      code: response.get("code"),
      redirect_uri: REDIRECT_URI,
      code_verifier: verifier,
    });
  const answer = await exchange();
  assert.equal(answer.status, 200);
  return { token: await answer.json(), state, again: exchange };
}

async function metadata({ issuer }) {
  return (await fetch(`${issuer}/.well-known/openid-configuration`)).json();
}

function post(url, form, origin = APP) {
  return fetch(url, { method: "POST", body: new URLSearchParams(form), headers: { Origin: origin } });
}

function bearer({ access_token }) {
  return { Authorization: `Bearer ${access_token}`, Origin: APP };
}

function callApi(api, path, token, options = {}) {
  return fetch(api.origin + path, { headers: bearer(token), ...options });
}
