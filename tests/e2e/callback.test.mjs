// Answers at the redirect URI: forged, mixed up, doubled, late, in the wrong place. None of them may send anything,
// and none may harm what was there before.

import assert from "node:assert/strict";
import { describe } from "node:test";
import {
  allow, changed, interceptAnswer, isSignedIn, isSignedOut, logIn, loginField, readApi, readFault, signInAgain, signInButton, withheldAnswer,
  beginSignIn,
} from "./support/person.mjs";
import { ANOTHER_ORIGIN, setting } from "./support/scenario.mjs";
import { pendingNames } from "./support/storage.mjs";

const scenario = setting({ familiar: true });

describe("an answer that nobody waits for", () => {
  const NOBODY_WAITS = {
    "a wrong state": "?code=forged&state=wrong",
    "no state": "?code=forged",
    "only a state": "?state=wrong",
    "an error and a wrong state": "?error=access_denied&state=wrong",
    "an error and no state": "?error=server_error&error_description=Pay%20here",
    "an error in the fragment": "#error=access_denied",
    "a token in the fragment": "#access_token=forged&token_type=bearer&state=wrong",
  };

  scenario("sends nothing and leaves a session alone, whatever it holds (CB-1, CB-4, CB-15, A1, A2)", async ({ page, stage }) => {
    await signInAgain(page, stage);
    for (const [what, forged] of Object.entries(NOBODY_WAITS)) {
      await page.goto("about:blank");
      await page.goto(stage.url(`callback${forged}`));
      const { code, summary, side } = await readFault(page);
      assert.equal(code, "callback.unknown_state", what);
      assert.match(summary, /no sign-in of this tab is waiting/i, what);
      assert.equal(side, "the person", what);
      await page.getByText("You are still signed in as before").waitFor();
      await page.getByRole("link", { name: "Go to the sign-in page" }).waitFor();
      assert.equal(page.url(), stage.url("callback"), what);
      assert.equal(stage.tokenRequests.length, 1, what);
    }
    assert.equal((await readApi(page)).status, "Status 200");
    assert.equal(stage.authorizationRequests.length, 1);
  });

  scenario("does not sign anybody in with the answer to somebody else (CB-1, A1, A3)", async ({ page, stage, context }) => {
    const mallory = await context.browser().newContext();
    const other = await mallory.newPage();
    const foreign = await interceptAnswer(stage, async () => {
      await beginSignIn(other, stage);
      await logIn(other, "bob");
      await allow(other);
    });
    await mallory.close();

    await page.goto(foreign.href);
    const { code, text } = await readFault(page);
    assert.equal(code, "callback.unknown_state");
    assert.match(text, /somebody may have sent you this link/);
    await isSignedOut(page);
    assert.equal(stage.tokenRequests.length, 0);
  });

  scenario("does not spoil a sign-in that is waiting for its own answer (CB-2, A2)", async ({ page, stage }) => {
    const answer = await withheldAnswer(page, stage);
    for (const forged of ["?code=forged&state=wrong", "?code=forged", "?error=access_denied&state=wrong", "?error=access_denied", ""]) {
      await page.goto(stage.url(`callback${forged}`));
      await page.getByText("Go to the sign-in page").waitFor();
    }
    assert.equal(stage.tokenRequests.length, 0);
    await page.goto(answer.href);
    await isSignedIn(page);
    assert.equal(stage.tokenRequests.length, 1);
  });

  scenario("says so in a second tab, and the first tab can still complete (CB-16)", async ({ page, stage, context }) => {
    const answer = await withheldAnswer(page, stage);
    const second = await context.newPage();
    await second.goto(answer.href);
    const { code, text } = await readFault(second);
    assert.equal(code, "callback.unknown_state");
    assert.match(text, /A sign-in belongs to the tab it was started in/);
    await second.getByRole("link", { name: "Go to the sign-in page" }).click();
    await signInButton(second).waitFor();
    assert.equal(stage.authorizationRequests.length, 1, "nobody was sent to sign in again by themselves");
    assert.equal(stage.tokenRequests.length, 0);

    await page.goto(answer.href);
    await isSignedIn(page);
  });

  scenario("is a plain page when it is opened without any answer (CB-15)", async ({ page, stage }) => {
    await page.goto(stage.url("callback"));
    await page.getByText("There is no answer here to complete").waitFor();
    assert.equal(await page.getByRole("alert").count(), 0);
    await page.getByRole("link", { name: "Go to the sign-in page" }).click();
    await signInButton(page).waitFor();
  });

  scenario("is not shown an error in words that anybody can have written", async ({ page, stage }) => {
    await page.goto(stage.url("callback?error=call_0800_now&error_description=Call%200800%20now&state=wrong"));
    const { code, text } = await readFault(page);
    assert.equal(code, "callback.unknown_state");
    assert.doesNotMatch(text, /0800/);
  });
});

describe("the answer to a waiting sign-in", () => {
  /** Delivers the answer with other parameters, and reads what the page says; nothing may have been sent. */
  async function deliver(page, stage, parameters) {
    const answer = await withheldAnswer(page, stage);
    await page.goto(changed(answer, parameters));
    const fault = await readFault(page);
    assert.equal(stage.tokenRequests.length, 0);
    await isSignedOut(page);
    return { ...fault, answer };
  }

  scenario("is thrown away if it names another issuer (CB-6, A5)", async ({ page, stage }) => {
    const { code, summary, text } = await deliver(page, stage, { iss: "https://evil.example" });
    assert.equal(code, "callback.issuer_mismatch");
    assert.match(summary, /names another authorization server/);
    assert.match(text, /https:\/\/evil\.example/);
    assert.ok(text.includes(stage.authorizationServer.issuer));
  });

  scenario("is thrown away if it names no issuer though the server always does (CB-6)", async ({ page, stage }) => {
    const { code, summary } = await deliver(page, stage, { iss: null });
    assert.equal(code, "callback.missing_issuer");
    assert.match(summary, /announces that its answers carry iss/);
  });

  scenario(
    "may leave the issuer out where the server does not announce it (CB-6)",
    { client: () => ({ metadata: { authorization_response_iss_parameter_supported: false } }) },
    async ({ page, stage }) => {
      const answer = await withheldAnswer(page, stage);
      await page.goto(changed(answer, { iss: null }));
      await isSignedIn(page);
      assert.equal(stage.tokenRequests.length, 1);
    },
  );

  scenario("does not decide which token endpoint gets the code (CB-7)", { needs: ANOTHER_ORIGIN }, async ({ page, stage }) => {
    const answer = await withheldAnswer(page, stage);
    const elsewhere = `${stage.api.elsewhere.origin}/token`;
    // Neither a parameter nor a configuration that changed meanwhile moves it.
    stage.configure(stage.client({ metadata: { token_endpoint: elsewhere } }));
    await page.goto(changed(answer, { token_endpoint: elsewhere }));
    await isSignedIn(page);
    assert.equal(stage.tokenRequests.length, 1);
    assert.equal(stage.api.elsewhere.log.length, 0);
  });

  scenario("is thrown away if a parameter is there twice (CB-5)", async ({ page, stage }) => {
    const answer = await withheldAnswer(page, stage);
    for (const name of ["code", "state", "iss"]) {
      const value = answer.searchParams.get(name);
      for (const twice of [[value, value], [value, "other"], ["other", value]]) {
        await page.goto(changed(answer, { [name]: twice }));
        const { code, summary, text } = await readFault(page);
        assert.equal(code, "callback.malformed", name);
        assert.match(summary, /has a parameter twice/, name);
        assert.match(text, new RegExp(`Parameter\\s+${name}`));
      }
    }
    assert.equal(stage.tokenRequests.length, 0);
  });

  scenario("cannot be read if it is no text (CB-5)", async ({ page, stage }) => {
    const answer = await withheldAnswer(page, stage);
    await page.goto(`${answer.href}&x=%FF`);
    const { code, summary } = await readFault(page);
    assert.equal(code, "callback.malformed");
    assert.match(summary, /cannot be read/);
    assert.equal(stage.tokenRequests.length, 0);
  });

  scenario("may carry whatever else a server adds (CB-8)", async ({ page, stage }) => {
    const answer = await withheldAnswer(page, stage);
    await page.goto(changed(answer, { session_state: "a.b", scope: "openid", x: "é".repeat(500), "": "" }));
    await isSignedIn(page);
  });

  scenario("is reported if it is an error in the fragment (CB-9)", async ({ page, stage }) => {
    const answer = await withheldAnswer(page, stage);
    const state = answer.searchParams.get("state");
    const iss = encodeURIComponent(stage.authorizationServer.issuer);
    await page.goto(stage.url(`callback#error=access_denied&state=${state}&iss=${iss}`));
    const { code, summary } = await readFault(page);
    assert.equal(code, "callback.refused");
    assert.match(summary, /permission was not given \(access_denied\)/);
    assert.equal(new URL(page.url()).hash, "");
    assert.equal(stage.tokenRequests.length, 0);
  });

  scenario("is thrown away with a code in the fragment, or a token anywhere (CB-9)", async ({ page, stage }) => {
    for (const [name, address] of [
      ["code", (query) => `callback#${query}`],
      ["access_token", (query) => `callback#${query.replace("code=", "access_token=")}`],
      ["access_token", (query) => `callback?${query}&access_token=forged`],
      ["id_token", (query) => `callback?${query}&id_token=a.b.c`],
    ]) {
      const answer = await withheldAnswer(page, stage);
      await page.goto(stage.url(address(answer.search.slice(1))));
      const { code, summary } = await readFault(page);
      assert.equal(code, "callback.front_channel");
      assert.ok(summary.startsWith(`The answer carried ${name} in a place`), summary);
      assert.equal(page.url(), stage.url("callback"));
      await isSignedOut(page);
    }
    assert.equal(stage.tokenRequests.length, 0);
  });

  scenario("says what is missing if it has only a state (CB-15)", async ({ page, stage }) => {
    const { code, summary } = await deliver(page, stage, { code: null });
    assert.equal(code, "callback.missing_code");
    assert.match(summary, /neither a code nor an error/);
  });

  scenario("is too late after more than an hour (AUT-15)", async ({ page, stage }) => {
    const answer = await withheldAnswer(page, stage);
    await page.clock.setFixedTime(Date.now() + 3_602_000);
    await page.goto(answer.href);
    const { code, summary } = await readFault(page);
    assert.equal(code, "callback.stale");
    assert.match(summary, /more than 60 minutes after the request/);
    assert.equal(stage.tokenRequests.length, 0);
  });

  // Without an ID token, which would not be in time.
  scenario("is in time after fifty-nine minutes (AUT-15)", { client: () => ({ scope: "photos:read" }) }, async ({ page, stage }) => {
    const answer = await withheldAnswer(page, stage);
    await page.clock.setFixedTime(Date.now() + 59 * 60_000);
    await page.goto(answer.href);
    await isSignedIn(page);
  });

  scenario("is waited for by eight sign-ins at most, the latest ones (AUT-15)", async ({ page, stage }) => {
    await page.goto(stage.url());
    const prepared = page.getByRole("region", { name: "Authorization request" });
    const links = [];
    for (let made = 0; made < 9; made += 1) {
      await page.getByRole("button", { name: "Show the request" }).click();
      const link = prepared.getByRole("link", { name: "Follow the link" });
      await link.and(page.locator(`:not([href="${links.at(-1)}"])`)).waitFor();
      links.push(await link.getAttribute("href"));
    }
    assert.equal(new Set(links).size, 9);
    assert.equal((await pendingNames(page)).length, 8);

    await page.goto(links[8]);
    await isSignedIn(page);
    assert.equal(stage.tokenRequests.length, 1);
  });

  scenario("is refused once more when the sign-in was completed before (CB-3)", async ({ page, stage }) => {
    const answer = await withheldAnswer(page, stage);
    await page.goto(answer.href);
    await isSignedIn(page);
    await page.goto(answer.href);
    const { code } = await readFault(page);
    assert.equal(code, "callback.unknown_state");
    await page.getByText("You are still signed in as before").waitFor();
    assert.equal(stage.tokenRequests.length, 1);
  });
});

describe("a refusal by the server", () => {
  /** Delivers an error in place of the code. */
  async function refuse(page, stage, parameters) {
    const answer = await withheldAnswer(page, stage);
    await page.goto(changed(answer, { code: null, ...parameters }));
    return readFault(page);
  }

  for (const [what, leave] of [
    [
      "denies the request",
      async (page) => {
        await logIn(page);
        await page.getByRole("button", { name: "Deny" }).click();
      },
    ],
    [
      "cancels the sign-in",
      async (page) => {
        // The workbench has a button of this name too, while it waits for metadata.
        await loginField(page).waitFor();
        await page.getByRole("button", { name: "Cancel" }).click();
      },
    ],
  ]) {
    scenario(`is told to the person who ${what}, and "Try again" works (CB-13, F22)`, { stranger: true }, async ({ page, stage }) => {
      await beginSignIn(page, stage);
      await leave(page);
      const { code, summary, side, panel } = await readFault(page);
      assert.equal(code, "callback.refused");
      assert.match(summary, /permission was not given \(access_denied\)/);
      assert.equal(side, "the person");
      assert.equal(stage.tokenRequests.length, 0);

      await panel.getByRole("button", { name: "Try again" }).click();
      await page.getByRole("button", { name: /Continue|Allow/ }).waitFor();
      if (await loginField(page).count()) await logIn(page);
      await allow(page);
      await isSignedIn(page);
      const [first, second] = stage.authorizationRequests.map(({ parameters }) => parameters);
      assert.notEqual(first.state, second.state);
    });
  }

  scenario("is explained by its code, and one that nobody has registered is quoted (CB-13)", async ({ page, stage }) => {
    for (const [error, words] of [
      ["login_required", /must show something to the person first/],
      ["invalid_scope", /does not know or allow the scope/],
      ["temporarily_unavailable", /overloaded or being maintained/],
      ["cosmic_rays", /it has a reason of its own/],
    ]) {
      const { code, summary, text } = await refuse(page, stage, { error });
      assert.equal(code, "callback.refused", error);
      assert.match(summary, words);
      assert.ok(text.includes(error), text);
    }
  });

  scenario("is shown as text, whatever it says (CB-14, A10)", async ({ page, stage }) => {
    const markup = `<img src=x onerror="globalThis.pwned=1"><script>globalThis.pwned=1</script><a href="https://evil.example">here</a>`;
    const { text, panel } = await refuse(page, stage, {
      error: "server_error",
      error_description: markup,
      error_uri: "javascript:globalThis.pwned=1",
    });
    assert.ok(text.includes(markup));
    assert.ok(text.includes("javascript:globalThis.pwned=1"));
    assert.equal(await panel.locator("img, script, a").count(), 0);
    assert.equal(await page.evaluate(() => globalThis.pwned), undefined);
  });

  scenario(
    "links to its page about the error only if that is https, and leaves following it to the person (CB-14, A43)",
    async ({ page, stage, witness }) => {
      const uri = "https://as.example/errors/17";
      const { panel } = await refuse(page, stage, { error: "server_error", error_uri: uri });
      const link = panel.getByRole("link", { name: uri });
      assert.equal(await link.getAttribute("href"), uri);
      assert.match(await link.getAttribute("rel"), /noopener/);
      assert.ok(!witness.requests.some(({ url }) => url.startsWith("https://as.example")));

      for (const other of ["http://as.example/", "//as.example/", "data:text/html,x", "https://user@as.example/"]) {
        const { panel } = await refuse(page, stage, { error: "server_error", error_uri: other });
        assert.equal(await panel.getByRole("link").count(), 0, other);
      }
    },
  );

  scenario("may be as long as it likes, and is cut (CB-14)", async ({ page, stage }) => {
    const { text } = await refuse(page, stage, { error: "server_error", error_description: "long ".repeat(1000) });
    assert.ok(text.length < 2500);
    assert.match(text, /long long/);
  });
});
