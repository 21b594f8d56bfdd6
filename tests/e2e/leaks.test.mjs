// Where a code, a verifier, a state or a token must never turn up.

import assert from "node:assert/strict";
import {
  beginSignIn, heading, isSignedIn, navigationTo, readApi, readFault, revealToken, signInAgain, signOutButton, withheldAnswer,
} from "./support/person.mjs";
import { A_SERVERS_LOG, ANOTHER_ORIGIN, setting } from "./support/scenario.mjs";
import { dump, historyOf, storedNames } from "./support/storage.mjs";
import { until } from "./support/until.mjs";

const scenario = setting({ familiar: true, faults: true });

/** Everything of a log entry that its server could write down. */
const seen = ({ path, query, headers, body }) => JSON.stringify({ path, query, headers, body });

/** Starts a sign-in and stops when the code has been sent, and the answer is waited for. */
async function untilCodeIsSent(page, stage) {
  stage.fault.mode = "held";
  await beginSignIn(page, stage);
  await until("the code was sent", () => stage.fault.waiting.length === 1);
  const [{ parameters }] = stage.tokenRequests;
  const [{ parameters: request }] = stage.authorizationRequests;
  return { code: parameters.code, verifier: parameters.code_verifier, state: request.state, nonce: request.nonce };
}

scenario("has scrubbed the address bar and the history before the code is sent (CB-10, A8)", { needs: ANOTHER_ORIGIN }, async ({ page, stage }) => {
  const { code, state } = await untilCodeIsSent(page, stage);
  await heading(page, "Signing in").waitFor();
  const [address, ...others] = await page.evaluate(() => [location.href, document.URL, document.baseURI, document.referrer]);
  assert.equal(address, stage.url("callback"));
  for (const text of [...others, ...(await historyOf(page))]) {
    for (const secret of [code, state]) assert.ok(!text.includes(`=${secret}`), text);
  }
  stage.fault.release();
  await isSignedIn(page);
});

scenario("has dropped the record before the code is sent (CB-3)", { needs: ANOTHER_ORIGIN }, async ({ page, stage }) => {
  const { code, verifier, state, nonce } = await untilCodeIsSent(page, stage);
  const kept = JSON.stringify(await dump(page));
  for (const [name, secret] of Object.entries({ code, verifier, state, nonce })) assert.ok(!kept.includes(secret), name);
  stage.fault.release();
  await isSignedIn(page);
});

scenario("leaves neither code, verifier, state nor nonce anywhere after a sign-in (CB-10, WEB-1)", { needs: ANOTHER_ORIGIN }, async ({ page, stage }) => {
  const secrets = await untilCodeIsSent(page, stage);
  stage.fault.release();
  await isSignedIn(page);
  await readApi(page);
  const kept = JSON.stringify(await dump(page));
  for (const [name, secret] of Object.entries(secrets)) assert.ok(!kept.includes(secret), name);
});

scenario(
  "tells the code to the token endpoint and to the callback's own address only (CB-11, WEB-8, A7)",
  { needs: ANOTHER_ORIGIN },
  async ({ page, stage, witness }) => {
    const { code, verifier } = await untilCodeIsSent(page, stage);
    stage.fault.release();
    await isSignedIn(page);
    await readApi(page);

    for (const entry of stage.logs) assert.equal(entry.referer, undefined, `${entry.path} got a referrer`);
    // The arrival itself, and the token request on its way through the fault server to the authorization server.
    const told = stage.logs.filter((entry) => seen(entry).includes(code)).map(({ method, path }) => `${method} ${path}`);
    assert.deepEqual(told.sort(), ["GET /callback", "POST /token", "POST /token"]);
    const toldVerifier = stage.logs.filter((entry) => seen(entry).includes(verifier)).map(({ path }) => path);
    assert.deepEqual(toldVerifier, ["/token", "/token"]);

    const withCode = witness.requests.filter(({ url }) => url.includes(code));
    assert.equal(withCode.length, 1);
    assert.ok(withCode[0].isNavigation);
  },
);

scenario("fetches without cookies, though the servers have set some (CFG-13, TOK-4)", { needs: A_SERVERS_LOG }, async ({ page, stage, context }) => {
  await signInAgain(page, stage);
  await readApi(page);
  assert.ok((await context.cookies(stage.authorizationServer.issuer)).length > 0);
  const fetched = stage.logs.filter(({ headers }) => headers["sec-fetch-dest"] === "empty" && !headers["sec-fetch-site"].startsWith("same-origin"));
  const paths = new Set(fetched.map(({ path }) => path));
  for (const path of ["/.well-known/openid-configuration", "/token", "/photos"]) assert.ok(paths.has(path), path);
  for (const { path, headers } of fetched) assert.equal(headers.cookie, undefined, path);
});

scenario("loads nothing from anywhere else on the callback page (CB-11)", async ({ page, stage, witness }) => {
  await page.goto(stage.url("callback?code=forged&state=wrong"));
  await readFault(page);
  await until("the configuration was asked for", () => stage.host.log.some(({ path }) => path === "/config.json"));
  const strangers = witness.requests.filter(({ url }) => !url.startsWith(stage.host.origin));
  // Metadata is the only thing that the page fetches from another server, and not before somebody wants to sign in.
  assert.deepEqual(strangers, []);
});

const refuse = (fault) => Object.assign(fault, { mode: "reply", reply: { status: 400, body: { error: "invalid_grant" } } });

for (const [ending, prepare] of [["that succeeds", () => {}], ["whose token request is refused", refuse]]) {
  scenario(
    `prints no secret to the console and writes none into the document, in a sign-in ${ending} (OPS-1, A40)`,
    { allow: [/400 \(Bad Request\)/], needs: ending === "that succeeds" ? undefined : ANOTHER_ORIGIN },
    async ({ page, stage, witness }) => {
      const answer = await withheldAnswer(page, stage);
      prepare(stage.fault);
      await page.goto(answer.href);
      await page.getByRole("alert").or(signOutButton(page)).waitFor();
      const secrets = [answer.searchParams.get("code"), answer.searchParams.get("state"), stage.authorizationRequests[0].parameters.nonce];
      secrets.push(stage.tokenRequests[0].parameters.code_verifier);
      if (ending === "that succeeds") {
        await isSignedIn(page);
        secrets.push(await revealToken(page));
        await readApi(page);
        assert.ok(stage.apiRequests[0].headers.authorization.includes(secrets.at(-1)));
      } else {
        assert.equal((await readFault(page)).code, "token.refused");
      }
      const shown = await page.evaluate(() => document.documentElement.outerHTML + location.href + document.title);
      for (const secret of secrets) {
        assert.ok(secret.length > 20);
        assert.ok(!shown.includes(secret), "in the document");
        assert.ok(!witness.printed.join("\n").includes(secret), "in the console");
      }
    },
  );
}

scenario("keeps a token out of the document until somebody asks to see it, and hides it again (WEB-1)", async ({ page, stage }) => {
  await signInAgain(page, stage);
  const token = await revealToken(page);
  assert.ok(!(await page.evaluate(() => document.documentElement.outerHTML)).includes(token));
});

scenario(
  "keeps a token in this page's memory and nowhere else, if so configured: a reload means signed out (WEB-1, A32)",
  { client: () => ({ token_storage: "memory" }) },
  async ({ page, stage }) => {
    await signInAgain(page, stage);
    const token = await revealToken(page);
    await readApi(page);
    assert.ok(!JSON.stringify(await dump(page)).includes(token));
    assert.ok(!(await storedNames(page)).some((name) => name.includes(" session ")));

    await page.reload();
    await page.getByText("Nobody is signed in").waitFor();
    await navigationTo(page, "Session").click();
    await page.getByText("Nobody is signed in.").waitFor();
    assert.equal(stage.tokenRequests.length, 1);
  },
);

scenario(
  "keeps a token in this tab's sessionStorage and nowhere else, if so configured (WEB-1)",
  async ({ page, stage, context }) => {
    await signInAgain(page, stage);
    const token = await revealToken(page);
    const { session, ...elsewhere } = await dump(page);
    assert.equal(Object.values(session).filter((record) => record.includes(token)).length, 1);
    assert.ok(!JSON.stringify(elsewhere).includes(token));

    const other = await context.newPage();
    await other.goto(stage.url("session"));
    await other.getByText("Nobody is signed in.").waitFor();
  },
);

const plain = () => ({ scope: "photos:read" });

const inMemory = () => ({ ...plain(), token_storage: "memory" });

scenario("keeps a refresh token in this page's memory and nowhere else, if so configured (WEB-1, A32)", { needs: ANOTHER_ORIGIN, client: inMemory }, async ({ page, stage }) => {
  stage.fault.mode = "reply";
  stage.fault.reply = { body: { access_token: "access-canary", token_type: "Bearer", refresh_token: "refresh-canary" } };
  await signInAgain(page, stage);
  await page.getByText("One came. The access token is renewed with it").waitFor();
  const kept = JSON.stringify(await dump(page));
  assert.ok(!kept.includes("access-canary"));
  assert.ok(!kept.includes("refresh-canary"));
});
