// The sandbox's misbehaviours in a real browser, with WebCrypto, storage and a Service Worker in their places: each ends with
// the code that the native tests name, and a session only where there may be one.

import assert from "node:assert/strict";
import { describe } from "node:test";
import { heading, isSignedIn, navigationTo, readApi, readFault, sendRequest, signInButton, signOutButton } from "./support/person.mjs";
import { setting } from "./support/scenario.mjs";
import { LOAD_FAILED } from "./support/visitor.mjs";

const misbehave = (page, ...on) =>
  page.evaluate((on) => fetch("/sandbox/switches", { method: "PUT", body: JSON.stringify({ on }) }).then(({ status }) => status), on);

/** The same, for a page that has kept nothing: metadata and keys of before a switch would say what was true then. */
async function misbehaveAnew(page, stage, ...on) {
  await misbehave(page, ...on);
  await page.evaluate(() => sessionStorage.clear());
  await page.goto(stage.url());
}

/** Signs in from wherever the page is; resolves with the code of what went wrong, or with "signed in". */
async function outcome(page) {
  await navigationTo(page, "Sign in").click();
  await heading(page, "Sign in").waitFor();
  await signInButton(page).click();
  const [session, alert] = [signOutButton(page), page.getByRole("alert")];
  await session.or(alert).first().waitFor();
  if (await alert.count()) return (await readFault(page)).code;
  await heading(page, "Session").waitFor();
  return "signed in";
}

/** Each way to be wrong, and what comes of it; `A…` and ids as in the table of misbehaviours. */
const WRONG = {
  "id-token-iss-wrong": "id_token.iss",
  "id-token-aud-wrong": "id_token.aud",
  "id-token-aud-second": "id_token.aud",
  "id-token-azp-wrong": "id_token.azp",
  "id-token-sub-missing": "id_token.sub",
  "id-token-iat-missing": "id_token.iat",
  "id-token-expired": "id_token.exp",
  "id-token-nbf-future": "id_token.nbf",
  "id-token-nonce-wrong": "id_token.nonce",
  "id-token-at-hash-wrong": "id_token.at_hash",
  "id-token-three-faults": "id_token.iss",
  "id-token-duplicate-claim": "id_token.encryption",
  "id-token-huge": "id_token.encryption",
  "id-token-encrypted": "id_token.encryption",
  "id-token-alg-none": "id_token.alg",
  "id-token-alg-hs256": "id_token.alg",
  "id-token-alg-unlisted": "id_token.alg",
  "id-token-signature-wrong": "id_token.signature",
  "id-token-signature-zero": "id_token.signature",
  "id-token-signature-foreign": "id_token.signature",
  "id-token-header-jku": "id_token.signature",
  "id-token-crit": "id_token.signature",
  "id-token-typ-at-jwt": "id_token.typ",
  "id-token-missing": "token.missing_id_token",
  "kid-unknown": "id_token.signature",
  "keys-weak-rsa": "id_token.signature",
  "keys-html": "keys.unavailable",
};
const RIGHT = ["id-token-aud-array", "id-token-rs256", "id-token-ps256", "id-token-eddsa", "kid-missing", "kid-missing-several", "keys-rotated", "keys-one-bad", "jwks-uri-elsewhere", "scope-wider", "par-required"];

describe("ID tokens of the sandbox", () => {
  const scenario = setting({ sandbox: true, familiar: true, whole: true });

  scenario("A13 to A24: that are wrong sign nobody in", { allow: [LOAD_FAILED] }, async ({ page, stage }) => {
    await page.goto(stage.url());
    for (const [name, code] of Object.entries(WRONG)) {
      await misbehaveAnew(page, stage, name);
      assert.equal(await outcome(page), code, name);
      assert.equal(await page.evaluate(() => Object.keys(sessionStorage).some((key) => key.includes(" session "))), false, name);
    }
  });

  scenario("A3, A4: a code of another request is found out by the nonce, where the server does not look at the verifier", async ({ page, stage }) => {
    await page.goto(stage.url());
    await misbehave(page, "code-swapped", "pkce-ignored");
    assert.equal(await outcome(page), "id_token.nonce");
  });

  scenario("that are right in an unusual way sign people in", async ({ page, stage }) => {
    await page.goto(stage.url());
    for (const name of RIGHT) {
      await misbehaveAnew(page, stage, name);
      assert.equal(await outcome(page), "signed in", name);
    }
  });

  scenario("A25: user info about somebody else is dropped, signed user info verified", async ({ page, stage }) => {
    const region = page.getByRole("region", { name: "Who is signed in" });
    for (const [name, code] of [["userinfo-sub-wrong", "userinfo.sub_mismatch"], ["userinfo-signed-wrong", "userinfo.signature"]]) {
      await page.goto(stage.url());
      await misbehave(page, name);
      assert.equal(await outcome(page), "signed in");
      await region.getByRole("button", { name: "Ask for user info" }).click();
      assert.equal((await readFault(page, region)).code, code);
    }
    await misbehave(page, "userinfo-signed");
    await region.getByRole("button", { name: "Ask for user info" }).click();
    await region.getByText("Alice").first().waitFor();
  });
});

describe("bound tokens of the sandbox", () => {
  const client = () => ({ dpop: true, resources: [{ name: "API", url: "sandbox/api" }] });
  const scenario = setting({ sandbox: true, familiar: true, whole: true, client });

  scenario("DP-4, DP-8: nonces are taken as they come; one that nobody may read ends in a sentence", { allow: [LOAD_FAILED] }, async ({ page, stage }) => {
    await page.goto(stage.url());
    await misbehaveAnew(page, stage, "dpop-required", "dpop-nonce");
    assert.equal(await outcome(page), "signed in");
    await navigationTo(page, "API").click();
    await page.getByLabel("URL", { exact: true }).fill(stage.photos);
    assert.equal((await sendRequest(page)).status, "Status 200");
    await misbehaveAnew(page, stage, "dpop-nonce-hidden");
    assert.equal(await outcome(page), "token.nonce_hidden");
  });

  scenario("RS-9: an API that wants a second factor gets it", { allow: [LOAD_FAILED] }, async ({ page, stage }) => {
    await page.goto(stage.url());
    await misbehave(page);
    assert.equal(await outcome(page), "signed in");
    await navigationTo(page, "API").click();
    await page.getByLabel("URL", { exact: true }).fill(`${stage.authorizationServer.issuer}api/safe`);
    await page.getByRole("button", { name: "Send", exact: true }).click();
    await page.getByRole("button", { name: "Sign in as the API demands" }).click();
    await page.getByRole("radio", { name: "alice" }).check();
    await page.getByRole("button", { name: "Continue" }).click();
    await heading(page, "API").waitFor();
    await page.getByLabel("URL", { exact: true }).fill(`${stage.authorizationServer.issuer}api/safe`);
    assert.equal((await sendRequest(page)).status, "Status 200");
  });
});
