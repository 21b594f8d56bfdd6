// The sandbox against a client that is not ours: oauth4webapi, in a browser. What it refuses is a mistake of the sandbox.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { describe } from "node:test";
import { allow, beginSignIn, logIn, loginField } from "./support/person.mjs";
import { setting } from "./support/scenario.mjs";
import { LOAD_FAILED } from "./support/visitor.mjs";

const CLIENT = readFileSync(createRequire(import.meta.url).resolve("oauth4webapi"), "utf8");

const scenario = setting({ whole: true, sandbox: true });

/** The site's host serves that client on a page of its own, and at the callback in the place of the app. */
async function openClient(page, stage) {
  await beginSignIn(page, stage);
  await loginField(page).waitFor(); // the worker is there
  stage.reset();
  const html = { type: "text/html; charset=utf-8", body: "<!doctype html><title>Another client</title>" };
  stage.answer("/client.html", html);
  stage.answer("/callback", html);
  stage.answer("/client.js", { body: CLIENT });
  await page.goto(stage.url("client.html"));
}

/** Discovers the server and leaves with an authorization request. Runs in the page. */
async function authorize({ issuer, redirect_uri, scope, algorithm, parameters = {} }) {
  const oauth = await import("/client.js");
  const insecure = { [oauth.allowInsecureRequests]: true }; // http, on this machine
  const discovered = await oauth.discoveryRequest(new URL(issuer), { algorithm, ...insecure });
  const server = await oauth.processDiscoveryResponse(new URL(issuer), discovered);
  const [code_verifier, state, nonce] = [oauth.generateRandomCodeVerifier(), oauth.generateRandomState(), oauth.generateRandomNonce()];
  const code_challenge = await oauth.calculatePKCECodeChallenge(code_verifier);
  sessionStorage.setItem("request", JSON.stringify({ server, code_verifier, state, nonce, redirect_uri }));
  const query = {
    response_type: "code", client_id: "workbench", redirect_uri, scope, state, nonce, code_challenge, code_challenge_method: "S256", ...parameters,
  };
  location.href = `${server.authorization_endpoint}?${new URLSearchParams(query)}`;
}

/** Takes the answer at the callback, and everything that follows. Runs in the page. */
async function complete({ photos, maxAge }) {
  const oauth = await import("/client.js");
  const insecure = { [oauth.allowInsecureRequests]: true };
  const { server, code_verifier, state, nonce, redirect_uri } = JSON.parse(sessionStorage.getItem("request"));
  const client = { client_id: "workbench" };
  const told = (error) => ({ refusal: error.constructor.name, error: error.error, cause: error.cause });

  let answer;
  try {
    answer = oauth.validateAuthResponse(server, client, new URL(location.href), state);
  } catch (error) {
    return told(error);
  }
  const exchange = () => oauth.authorizationCodeGrantRequest(server, client, oauth.None(), answer, redirect_uri, code_verifier, insecure);
  const response = await exchange();
  const tokens = await oauth.processAuthorizationCodeResponse(server, client, response, {
    expectedNonce: nonce, requireIdToken: true, ...(maxAge !== undefined && { maxAge }),
  });
  await oauth.validateApplicationLevelSignature(server, response, insecure);
  const claims = oauth.getValidatedIdTokenClaims(tokens);
  const askUserInfo = await oauth.userInfoRequest(server, client, tokens.access_token, insecure);
  const user = await oauth.processUserInfoResponse(server, client, claims.sub, askUserInfo);

  const request = (token, method) => oauth.protectedResourceRequest(token, method, new URL(photos), undefined, undefined, insecure);
  const api = await (await request(tokens.access_token, "GET")).json();
  const refusals = [];
  for (const [token, method] of [["wrong", "GET"], [tokens.access_token, "POST"]]) {
    refusals.push(await request(token, method).then(() => "none", (error) => error.cause.map(({ scheme, parameters }) => [scheme, parameters.error])));
  }
  // The code once more: refused, and the tokens of the first time are worth nothing any more (RFC 6749 §4.1.2).
  const again = await oauth.processAuthorizationCodeResponse(server, client, await exchange(), { expectedNonce: nonce }).catch(told);
  const after = await request(tokens.access_token, "GET").then(() => "none", (error) => error.cause[0].parameters.error);
  return { claims, user, api, tokens: Object.keys(tokens), refusals, again, after };
}

describe("an independent client", () => {
  for (const algorithm of ["oidc", "oauth2"]) {
    scenario(`completes code and PKCE, the ID token's signature included (discovery: ${algorithm})`, { allow: [LOAD_FAILED] }, async ({ page, stage }) => {
      await openClient(page, stage);
      const { issuer } = stage.authorizationServer;
      const leave = { issuer, redirect_uri: stage.url("callback"), scope: "openid profile email photos:read", algorithm, parameters: { max_age: 60 } };
      await page.evaluate(authorize, leave);
      await logIn(page, "bob");
      await allow(page);
      await page.waitForURL(/callback\?/);
      const { claims, user, api, tokens, refusals, again, after } = await page.evaluate(complete, { photos: stage.photos, maxAge: 60 });
      assert.equal(claims.iss, issuer);
      assert.equal(claims.aud, "workbench");
      assert.ok(claims.at_hash && claims.auth_time && claims.nonce);
      assert.equal(user.sub, claims.sub);
      assert.match(user.name, /^Bob /);
      assert.match(user.email, /@/);
      assert.equal(api.owner, "bob");
      for (const member of ["access_token", "token_type", "expires_in", "id_token"]) assert.ok(tokens.includes(member), member);
      assert.deepEqual(refusals, [[["bearer", "invalid_token"]], [["bearer", "insufficient_scope"]]]);
      assert.deepEqual([again.refusal, again.error], ["ResponseBodyError", "invalid_grant"]);
      assert.equal(after, "invalid_token");
    });
  }

  scenario("is told why not, in words that it knows", async ({ page, stage }) => {
    await openClient(page, stage);
    const leave = { issuer: stage.authorizationServer.issuer, redirect_uri: stage.url("callback"), scope: "openid", algorithm: "oidc" };
    await page.evaluate(authorize, leave);
    await loginField(page).waitFor();
    await page.getByRole("button", { name: "Cancel" }).click();
    await page.waitForURL(/callback\?/);
    const { refusal, error } = await page.evaluate(complete, { photos: stage.photos });
    assert.deepEqual([refusal, error], ["AuthorizationResponseError", "access_denied"]);
  });

  scenario("refuses what the sandbox's misbehaviour does to it, so that is misbehaviour", async ({ page, stage }) => {
    await openClient(page, stage);
    for (const name of ["iss-wrong", "iss-missing", "iss-foreign", "state-wrong", "state-missing"]) {
      await page.goto(stage.url("client.html"));
      await page.evaluate((on) => fetch("/sandbox/switches", { method: "PUT", body: JSON.stringify({ on: [on] }) }), name);
      const leave = { issuer: stage.authorizationServer.issuer, redirect_uri: stage.url("callback"), scope: "openid", algorithm: "oidc" };
      await page.evaluate(authorize, leave);
      await page.waitForURL(/callback\?|\/sandbox\//);
      if (name === "iss-wrong") {
        await logIn(page);
        await allow(page);
        await page.waitForURL(/callback\?/);
      }
      const { refusal } = await page.evaluate(complete, { photos: stage.photos });
      assert.equal(refusal, "OperationProcessingError", name);
    }
  });
});
