// The token endpoint at its worst. Each test reads in the server's log that the fault happened, that the code was sent
// once, and reads on the page what a person is told.

import assert from "node:assert/strict";
import { before, describe } from "node:test";
import { allow, beginSignIn, isSignedIn, isSignedOut, logIn, readApi, readFault, signInAgain, signOutButton } from "./support/person.mjs";
import { ANOTHER_ORIGIN, setting } from "./support/scenario.mjs";
import { dump, storedNames } from "./support/storage.mjs";
import { startBystander } from "./servers/loopback.mjs";
import { until } from "./support/until.mjs";
import { BLOCKED_BY_CORS, LOAD_FAILED } from "./support/visitor.mjs";

const scenario = setting({ familiar: true, faults: true, needs: ANOTHER_ORIGIN });

const FAILED = [LOAD_FAILED, BLOCKED_BY_CORS];

/** Signs in until the page says what went wrong; the code was sent exactly once, and nobody is signed in. */
async function signInVainly(page, stage) {
  await beginSignIn(page, stage);
  const fault = await readFault(page);
  assert.equal(stage.tokenRequests.length, 1);
  assert.equal(page.url(), stage.url("callback"));
  await isSignedOut(page);
  assert.ok(!(await storedNames(page)).some((name) => / (session|pending) /.test(name)));
  const [{ entry }] = stage.tokenRequests;
  return { ...fault, entry };
}

/** Presses "Try again" with a server that works again. */
async function tryAgain(page, stage, panel) {
  stage.fault.mode = "forward";
  await panel.getByRole("button", { name: "Try again" }).click();
  await isSignedIn(page);
  const [first, second] = stage.tokenRequests.map(({ parameters }) => parameters);
  assert.equal(stage.tokenRequests.length, 2);
  assert.notEqual(first.code, second.code);
  assert.notEqual(first.code_verifier, second.code_verifier);
}

describe("a token endpoint that does not answer", () => {
  for (const [mode, status] of [["redirect", 307], ["redirect302", 302]]) {
    scenario(`is not followed to where it redirects by ${status} (TOK-3, A12)`, { allow: FAILED }, async ({ page, stage }) => {
      stage.fault.mode = mode;
      const { code, summary, text, entry, panel } = await signInVainly(page, stage);
      assert.equal(entry.status, status);
      assert.deepEqual(stage.fault.elsewhere.log, [], "the target received nothing, not even a preflight");
      assert.equal(code, "token.unreachable");
      assert.match(summary, /The code was sent, and no usable answer came/);
      assert.match(text, /a refusal, a redirect and a broken connection all alike/);
      await tryAgain(page, stage, panel);
    });
  }

  // The connection is a new one, as the fault server has nothing but the token endpoint here. On one that was kept alive
  // Chromium itself sends a request again that got no answer, POST or not, and no page can forbid it.
  scenario("gets the code once, also when its answer is lost on the way (TOK-14)", { allow: FAILED }, async ({ page, stage }) => {
    stage.fault.mode = "lost";
    const { code, text, entry, panel } = await signInVainly(page, stage);
    assert.ok(entry.cutByServerAt, "the server hung up");
    const passedOn = stage.authorizationServer.log.filter(({ path }) => path === "/token");
    assert.deepEqual(passedOn.map(({ status }) => status), [200], "the code is spent");
    assert.equal(code, "token.unreachable");
    assert.match(text, /The code was not sent a second time/);
    await tryAgain(page, stage, panel);
  });

  scenario("may be cancelled by the person, and then hears no more", async ({ page, stage }) => {
    stage.fault.mode = "slow";
    await beginSignIn(page, stage);
    await page.getByText("Sending the code and the code verifier to the token endpoint").waitFor();
    await page.getByRole("button", { name: "Cancel" }).click();
    const { code, summary, side, panel } = await readFault(page);
    assert.equal(code, "token.cancelled");
    assert.match(summary, /was cancelled/);
    assert.equal(side, "the person");
    const [{ entry }] = stage.tokenRequests;
    await until("the server saw the connection close", () => entry.closedByClientAt);
    await tryAgain(page, stage, panel);
  });

  scenario("is ignored when it answers after the person signed out (contract 5)", async ({ page, stage }) => {
    await signInAgain(page, stage);
    stage.fault.mode = "held";
    await beginSignIn(page, stage);
    await page.getByText("Sending the code and the code verifier to the token endpoint").waitFor();
    await signOutButton(page).click();
    await isSignedOut(page);
    stage.fault.release();
    await until("the answer was there", () => stage.tokenRequests[1].entry.status === 200 || stage.tokenRequests[1].entry.closedByClientAt);
    await page.reload();
    await isSignedOut(page);
    assert.deepEqual(await storedNames(page), []);
  });

  scenario(
    "is told apart from a browser that is offline",
    { allow: FAILED },
    async ({ page, stage, context }) => {
      // Only where the browser was offline before is it known that nothing was sent.
      await page.addInitScript(() => {
        if (location.pathname.endsWith("/callback")) Object.defineProperty(navigator, "onLine", { get: () => false });
      });
      await context.route(`${stage.fault.origin}/token`, (route) => route.abort("internetdisconnected"));
      await beginSignIn(page, stage);
      const { code, summary, side } = await readFault(page);
      assert.equal(code, "token.offline");
      assert.match(summary, /the browser is offline/);
      assert.equal(side, "the network");
      assert.equal(stage.tokenRequests.length, 0);
    },
  );

  let gone;
  before(async () => {
    gone = await startBystander();
    await gone.close();
  });
  const nowhere = () => ({ metadata: { token_endpoint: `${gone.origin}/token` } });

  scenario(
    "may be switched off altogether",
    { allow: FAILED, client: nowhere, origins: () => [gone.origin] },
    async ({ page, stage }) => {
      await beginSignIn(page, stage);
      const { code, text } = await readFault(page);
      assert.equal(code, "token.unreachable");
      assert.match(text, /Check that the server is running and reachable/);
      await isSignedOut(page);
    },
  );

  scenario(
    "may keep its answer from the page (CORS), which the page names as a possible cause",
    { allow: FAILED },
    async ({ page, stage }) => {
      Object.assign(stage.fault, { mode: "reply", cors: false, reply: { body: { access_token: "unreadable", token_type: "Bearer" } } });
      const { code, text, entry } = await signInVainly(page, stage);
      assert.equal(entry.status, 200);
      assert.equal(code, "token.unreachable");
      assert.match(text, /lets this origin read its answers \(CORS\)/);
    },
  );
});

describe("a token endpoint that answers something else", () => {
  scenario(
    "is not read further than its limit: the server sees the connection close (TOK-16)",
    { allow: FAILED },
    async ({ page, stage }) => {
      const LIMIT = 256 * 1024;
      // Much slower than the page reads, so that what is under way at the end is little, also on a busy machine.
      Object.assign(stage.fault, { mode: "endless", pace: { bytes: 8 * 1024, milliseconds: 20 } });
      const { code, summary, side, entry } = await signInVainly(page, stage);
      await until("the server saw the connection close", () => entry.closedByClientAt);
      assert.ok(entry.bytesSent > LIMIT, `${entry.bytesSent} bytes were sent`);
      assert.ok(entry.bytesSent < 2 * LIMIT, `${entry.bytesSent} bytes were sent`);
      assert.equal(code, "token.body_too_large");
      assert.match(summary, /longer than 262144 octets/);
      assert.equal(side, "the authorization server or API");
    },
  );

  scenario("is told apart from tokens if it is a web page (TOK-5)", async ({ page, stage }) => {
    stage.fault.mode = "html";
    const { code, summary, text, entry, panel } = await signInVainly(page, stage);
    assert.equal(entry.status, 200);
    assert.equal(code, "token.html");
    assert.match(summary, /answered with an HTML page instead of tokens/);
    assert.match(text, /A hotel or company network/);
    await tryAgain(page, stage, panel);
  });

  const UNREADABLE = {
    "no UTF-8": Buffer.from([0x7b, 0x22, 0xff, 0xfe, 0x00, 0xc3, 0x28, 0x22]),
    "cut off": '{"access_token":"half',
    "a byte order mark first": '\uFEFF{"access_token":"canary","token_type":"Bearer"}',
    "nested ten thousand deep": `{"access_token":"canary","token_type":"Bearer","x":${"[".repeat(10_000)}${"]".repeat(10_000)}}`,
    "the access token twice": '{"access_token":"canary","access_token":"other","token_type":"Bearer"}',
    "something else behind it": '{"access_token":"canary","token_type":"Bearer"}garbage',
    "nothing at all": "",
  };

  scenario("is told apart from tokens if it cannot be read (TOK-12, TOK-18)", async ({ page, stage }) => {
    for (const [what, body] of Object.entries(UNREADABLE)) {
      stage.reset();
      Object.assign(stage.fault, { mode: "reply", reply: { body } });
      const { code, summary, text, entry } = await signInVainly(page, stage);
      assert.equal(entry.status, 200);
      assert.equal(code, "token.malformed", what);
      assert.match(summary, /The token response cannot be read/, what);
      assert.doesNotMatch(text, /canary/, what);
    }
  });

  const UNUSABLE = [
    [{ token_type: "Bearer" }, "token.missing_access_token", /has no access token/],
    [{ access_token: 17, token_type: "Bearer" }, "token.invalid_member", /access_token should be/],
    [{ access_token: "", token_type: "Bearer" }, "token.invalid_member", /access_token should be/],
    [{ access_token: "a\r\nX: y", token_type: "Bearer" }, "token.invalid_member", /access_token should be/],
    [{ access_token: "canary", token_type: "mac" }, "token.unsupported_token_type", /of a type that this client does not use/],
    [{ access_token: "canary", token_type: "Bearer", expires_in: -1 }, "token.invalid_member", /expires_in should be a number of seconds/],
    [{ access_token: "canary", token_type: "Bearer", refresh_token: {} }, "token.invalid_member", /refresh_token should be/],
  ];

  scenario("is thrown away whole if one member is wrong (TOK-6, TOK-8, TOK-17, OPS-3)", async ({ page, stage }) => {
    for (const [body, code, words] of UNUSABLE) {
      stage.reset();
      Object.assign(stage.fault, { mode: "reply", reply: { body } });
      const fault = await signInVainly(page, stage);
      assert.equal(fault.entry.status, 200);
      assert.equal(fault.code, code, JSON.stringify(body));
      assert.match(fault.summary, words);
      assert.ok(!JSON.stringify(await dump(page)).includes("canary"));
    }
  });

  scenario("must say that it is JSON (TOK-5)", async ({ page, stage }) => {
    const body = '{"access_token":"canary","token_type":"Bearer"}';
    Object.assign(stage.fault, { mode: "reply", reply: { headers: { "Content-Type": "text/plain" }, body } });
    const { code, text } = await signInVainly(page, stage);
    assert.equal(code, "token.not_json");
    assert.match(text, /Media type\s+text\/plain/);
  });

  scenario("is no success with another status than 200 (TOK-5)", async ({ page, stage }) => {
    Object.assign(stage.fault, { mode: "reply", reply: { status: 201, body: { access_token: "canary", token_type: "Bearer" } } });
    const { code, summary } = await signInVainly(page, stage);
    assert.equal(code, "token.status");
    assert.match(summary, /answered with status 201/);
  });
});

describe("a token endpoint that refuses", () => {
  const JSON_TYPE = { "Content-Type": "application/json" };

  const REFUSALS = [
    [400, JSON_TYPE, { error: "invalid_grant" }, "token.refused", /expired or was used already \(invalid_grant\)/],
    [400, { "Content-Type": "text/html" }, { error: "invalid_grant" }, "token.refused", /expired or was used already \(invalid_grant\)/],
    [401, {}, { error: "invalid_client" }, "token.refused", /does not accept this client \(invalid_client\)/],
    [200, JSON_TYPE, { error: "invalid_scope" }, "token.refused", /refused \(invalid_scope\)/],
    [400, JSON_TYPE, { error: "cosmic_rays" }, "token.refused", /The token endpoint refused/],
    [500, { "Content-Type": "text/html" }, "<h1>Oops</h1>", "token.status", /status 500, without saying why/],
    [503, {}, "", "token.status", /status 503, without saying why/],
  ];

  scenario("is understood, whatever status and media type it says it with (TOK-13)", { allow: FAILED }, async ({ page, stage }) => {
    for (const [status, headers, body, code, words] of REFUSALS) {
      stage.reset();
      Object.assign(stage.fault, { mode: "reply", reply: { status, headers, body } });
      const fault = await signInVainly(page, stage);
      assert.equal(fault.entry.status, status);
      assert.equal(fault.code, code, JSON.stringify([status, headers, body]));
      assert.match(fault.summary, words);
      if (body.error) assert.ok(fault.text.includes(body.error), fault.text);
    }
  });

  scenario(
    "is quoted as text, and its page about the error is no script (CB-14, A10)",
    { allow: FAILED },
    async ({ page, stage }) => {
      const error_description = "<img src=x onerror=globalThis.pwned=1>";
      const body = { error: "invalid_request", error_description, error_uri: "javascript:globalThis.pwned=1" };
      Object.assign(stage.fault, { mode: "reply", reply: { status: 400, body } });
      const { text, panel } = await signInVainly(page, stage);
      assert.ok(text.includes(error_description));
      assert.equal(await panel.locator("img, a").count(), 0);
      assert.equal(await page.evaluate(() => globalThis.pwned), undefined);
    },
  );

  // A server that sees a code twice takes back what it gave for it, consent included, so a stranger comes for this.
  scenario(
    "says that a code was used already, if somebody else was faster (A3)",
    { allow: FAILED, stranger: true },
    async ({ page, stage }) => {
      stage.fault.mode = "held";
      await beginSignIn(page, stage);
      await logIn(page);
      await allow(page);
      await until("the code was sent", () => stage.fault.waiting.length === 1);
      const [{ entry }] = stage.tokenRequests;
      const headers = { "Content-Type": "application/x-www-form-urlencoded" };
      const faster = await fetch(stage.fault.forwardTo, { method: "POST", headers, body: entry.body });
      assert.equal(faster.status, 200);

      stage.fault.release();
      const { code, summary, panel } = await readFault(page);
      assert.equal(entry.status, 400);
      assert.equal(code, "token.refused");
      assert.match(summary, /expired or was used already \(invalid_grant\)/);
      assert.equal(stage.tokenRequests.length, 1);

      stage.fault.mode = "forward";
      await panel.getByRole("button", { name: "Try again" }).click();
      await allow(page);
      await isSignedIn(page);
    },
  );
});

describe("a token endpoint that departs from the standard a little", () => {
  // Its answers bring no ID token.
  const client = () => ({ scope: "profile photos:read" });
  const plain = (title, ...rest) => {
    const play = rest.pop();
    scenario(title, { ...rest[0], client }, play);
  };

  const session = (page) => page.getByRole("region", { name: "Access token" });

  /** Signs in with this answer, and resolves with what the session page says. */
  async function signInWith(page, stage, body) {
    Object.assign(stage.fault, { mode: "reply", reply: { body } });
    await signInAgain(page, stage);
    assert.equal(stage.tokenRequests.length, 1);
    return session(page).innerText();
  }

  plain("may say expires in place of expires_in, and the page says so (TOK-8)", async ({ page, stage }) => {
    const text = await signInWith(page, stage, {
      access_token: "AYjcyMzY3ZDhiNmJkNTY", refresh_token: "RjY2NjM5NzA2OWJjuE7c", token_type: "Bearer", expires: 3600,
    });
    assert.match(text, /Lifetime\s+(1 h 00 min|59:\d\d) left/);
    assert.match(text, /The lifetime came as expires instead of expires_in/);
    assert.equal(await session(page).locator(".warning").count(), 1);
    await page.getByText("One came. The access token is renewed with it").waitFor();
  });

  plain("may leave out what is optional, and the page invents nothing (TOK-8, TOK-9, TOK-11)", async ({ page, stage }) => {
    const text = await signInWith(page, stage, { access_token: "canary", token_type: "bEaReR" });
    assert.match(text, /Lifetime\s+lifetime not said/);
    assert.match(text, /Scope granted\s+profile photos:read/);
    assert.equal(await session(page).locator(".warning").count(), 0);
    await page.getByText("When the access token has expired").waitFor();
  });

  plain("may grant less than was asked for, and the page says what is missing (TOK-9)", async ({ page, stage }) => {
    const text = await signInWith(page, stage, { access_token: "canary", token_type: "Bearer", expires_in: 60, scope: "profile" });
    assert.match(text, /Scope granted\s+profile\s/);
    assert.match(text, /Not granted: photos:read/);
  });

  plain("may write a number as a string and forget the type, and the page says both (TOK-6, TOK-8)", async ({ page, stage }) => {
    const text = await signInWith(page, stage, { access_token: "canary", expires_in: "300", unknown: { members: ["are", "ignored"] } });
    assert.match(text, /Lifetime\s+(5:00|4:\d\d) left/);
    assert.match(text, /The lifetime came as a string/);
    assert.match(text, /token_type was missing/);
  });

  plain(
    "may give a token that the API then refuses, which is shown as the API's answer",
    { allow: FAILED },
    async ({ page, stage }) => {
      await signInWith(page, stage, { access_token: "canary", token_type: "Bearer" });
      const { status, body } = await readApi(page);
      assert.equal(status, "Status 401");
      assert.equal(JSON.parse(body).error, "invalid_token");
    },
  );
});
