// What the browser keeps for the page, and what it may do to it: block it, fill it, change it, or have it poisoned.

import assert from "node:assert/strict";
import { describe } from "node:test";
import {
  isSignedIn, isSignedOut, readApi, readFault, signInAgain, signInButton, signOutButton, withheldAnswer, beginSignIn,
} from "./support/person.mjs";
import { ANOTHER_ORIGIN, ON_SANDBOX, setting } from "./support/scenario.mjs";
import { dump, pendingNames, poison, storedNames, withMembers } from "./support/storage.mjs";
import { until } from "./support/until.mjs";
import { LOAD_FAILED } from "./support/visitor.mjs";

const scenario = setting({ whole: true, familiar: true, faults: true });

/** Fills this origin's sessionStorage to the last character. Runs in the page. */
function fill() {
  let piece = "x".repeat(1024 * 1024);
  for (let count = 0; piece; count += 1) {
    try {
      sessionStorage.setItem(`filler ${count}`, piece);
    } catch {
      piece = piece.slice(0, Math.floor(piece.length / 2));
    }
  }
}

describe("storage that is not to be had", () => {
  scenario(
    "is said to be blocked, before anybody leaves the page (AUT-8, WEB-3, F18)",
    { preferences: { profile: { default_content_setting_values: { cookies: 2 } } }, needs: ANOTHER_ORIGIN },
    async ({ page, stage }) => {
      await page.goto(stage.url());
      const blocked = await page.evaluate(() => {
        try {
          return typeof sessionStorage;
        } catch (error) {
          return error.name;
        }
      });
      assert.equal(blocked, "SecurityError");
      await signInButton(page).click();
      const { code, summary, side, text, panel } = await readFault(page);
      assert.equal(code, "request.storage_blocked");
      assert.match(summary, /The browser keeps nothing for this page/);
      assert.match(text, /Allow cookies and site data/);
      assert.equal(side, "the browser");
      await panel.getByRole("button", { name: "Try again" }).waitFor();
      assert.equal(stage.authorizationRequests.length, 0);

      // The other pages work without it, too.
      await page.goto(stage.url("callback?code=forged&state=wrong"));
      assert.equal((await readFault(page)).code, "callback.unknown_state");
      await page.goto(stage.url("session"));
      await page.getByText("Nobody is signed in.").waitFor();
    },
  );

  scenario("is said to be full, before anybody leaves the page (AUT-8, F19)", async ({ page, stage }) => {
    await page.goto(stage.url());
    await page.getByText("PKCE with S256 announced").waitFor();
    await page.evaluate(fill);
    await signInButton(page).click();
    const { code, summary, panel } = await readFault(page);
    assert.equal(code, "request.storage_full");
    assert.match(summary, /storage is full/);
    assert.equal(stage.authorizationRequests.length, 0);
    assert.deepEqual(await pendingNames(page), []);

    await page.evaluate(() => {
      const fillers = Object.keys(sessionStorage).filter((name) => name.startsWith("filler"));
      for (const name of fillers) sessionStorage.removeItem(name);
    });
    await panel.getByRole("button", { name: "Try again" }).click();
    await isSignedIn(page);
  });

  for (const [what, sabotage] of [
    [
      "alters what it is given",
      () => {
        const { setItem } = Storage.prototype;
        Storage.prototype.setItem = function (name, text) {
          setItem.call(this, name, text.replace(/[0-9]/, "7 "));
        };
      },
    ],
    [
      "forgets what it is given",
      () => {
        Storage.prototype.setItem = () => {};
      },
    ],
  ]) {
    scenario(`is not relied on if it ${what} (AUT-8)`, async ({ page, stage }) => {
      await page.addInitScript(sabotage);
      await beginSignIn(page, stage);
      const { code, summary } = await readFault(page);
      assert.equal(code, "request.storage_altered");
      assert.match(summary, /The browser keeps nothing for this page/);
      assert.equal(stage.authorizationRequests.length, 0);
      assert.deepEqual(await pendingNames(page), []);
    });
  }
});

describe("a session that cannot be stored", () => {
  scenario("lives in this page, and the page says so (F19)", { needs: ANOTHER_ORIGIN }, async ({ page, stage }) => {
    stage.fault.mode = "held";
    await beginSignIn(page, stage);
    await until("the code was sent", () => stage.fault.waiting.length === 1);
    await page.evaluate(fill);
    stage.fault.release();
    await isSignedIn(page);
    await page.getByText("In this page's memory: a reload means signed out.").waitFor();
    assert.equal((await readApi(page)).status, "Status 200");
    await page.reload();
    await isSignedOut(page);
  });
});

describe("records that somebody else has written", () => {
  const GARBAGE = {
    "no JSON": () => "{",
    "an empty text": () => "",
    "null": () => "null",
    "a list": () => "[]",
    "a number": () => "1e400",
    "a text": () => '"session"',
    "an empty object": () => "{}",
    "another version": withMembers({ version: 1 }),
    "a member twice": (text) => text.replace("{", '{"x":1,"x":2,'),
    "deep nesting": () => "[".repeat(50_000),
    "three megabytes": () => JSON.stringify({ x: "y".repeat(3_000_000) }),
  };

  scenario("are no session (WEB-2, F21)", async ({ page, stage }) => {
    await signInAgain(page, stage);
    const genuine = await page.evaluate(() => ({ ...sessionStorage }));
    const wrongTypes = Object.fromEntries(
      [
        ["access_token", 17], ["access_token", ""], ["access_token", "two words"], ["access_token", "line\r\nbreak"],
        ["issuer", "http://127.0.0.1:1"], ["issuer", null], ["client_id", "other"], ["expires_at", "soon"],
        ["granted_scope", ["a"]], ["signed_in_at", -1], ["id_token", "yes"], ["id_token", { claims: {} }], ["id_token", undefined],
      ].map(([name, value]) => [`${name} ${JSON.stringify(value)}`, withMembers({ [name]: value })]),
    );
    for (const [what, change] of Object.entries({ ...GARBAGE, ...wrongTypes })) {
      await page.evaluate((records) => Object.entries(records).forEach(([name, text]) => sessionStorage.setItem(name, text)), genuine);
      await poison(page, "session", change);
      await page.goto(stage.url("session"));
      await page.getByText("Nobody is signed in.").waitFor().catch((cause) => { throw new Error(what, { cause }); });
    }
    await signInAgain(page, stage);
  });

  scenario("are no pending sign-in: no code is sent for them (WEB-2, F21, A41)", async ({ page, stage }) => {
    const answer = await withheldAnswer(page, stage);
    await page.goto(stage.url());
    await signInButton(page).waitFor();
    const genuine = await page.evaluate(() => ({ ...sessionStorage }));
    const wrongTypes = Object.fromEntries(
      [
        ["state", "other"], ["issuer", "javascript:alert(1)"], ["token_endpoint", "javascript:alert(1)"],
        ["token_endpoint", "http://example.com/token"], ["token_endpoint", 17], ["code_verifier", null],
        ["redirect_uri", "/callback"], ["created_at", "now"], ["iss_announced", 0], ["token_storage", "local"],
        ["id_token", undefined], ["id_token", { nonce: 17 }], ["scope", "photos:read"],
      ].map(([name, value]) => [`${name} ${JSON.stringify(value)}`, withMembers({ [name]: value })]),
    );
    for (const [what, change] of Object.entries({ ...GARBAGE, ...wrongTypes })) {
      await page.evaluate((records) => Object.entries(records).forEach(([name, text]) => sessionStorage.setItem(name, text)), genuine);
      await poison(page, "pending", change);
      await page.goto(answer.href);
      assert.equal((await readFault(page)).code, "callback.unknown_state", what);
      assert.equal(stage.tokenRequests.length, 0, what);
      assert.deepEqual(await pendingNames(page), [], what);
    }
  });

  scenario("are no metadata: it is fetched anew (WEB-2, F21)", async ({ page, stage }) => {
    await page.goto(stage.url());
    await page.getByText("PKCE with S256 announced").waitFor();
    const asked = () => stage.authorizationServer.log.filter(({ path }) => path.endsWith("/openid-configuration")).length;
    const genuine = await page.evaluate(() => ({ ...sessionStorage }));
    const evil = {
      ...GARBAGE,
      "another issuer": (text) => text.replaceAll(stage.authorizationServer.issuer, "http://127.0.0.1:1"),
      "a script for an endpoint": (text) => text.replace(/"authorization_endpoint":"[^"]*"/, '"authorization_endpoint":"javascript:alert(1)"'),
      "a date of long ago": withMembers({ fetched_at: 0 }),
    };
    delete evil["another version"];
    for (const [what, change] of Object.entries(evil)) {
      await page.evaluate((records) => Object.entries(records).forEach(([name, text]) => sessionStorage.setItem(name, text)), genuine);
      await poison(page, "metadata", change);
      const before = asked();
      await page.goto(stage.url());
      await page.getByText("PKCE with S256 announced").waitFor();
      assert.equal(asked(), before + 1, what);
    }
    await signInButton(page).click();
    await isSignedIn(page);
  });

  // One of each kind; the native tests have the long list.
  const BYPASSES = [
    "//evil.example", "/\\evil.example", "/%09/evil.example", "/%5cevil.example", "/%2f/evil.example", "http:evil.example",
    "https://evil.example/", "javascript:globalThis.pwned=1", "data:text/html,x", "/..//evil.example", "/\n/evil.example", 17, null,
  ];

  scenario("lead nobody to another place after a sign-in (AUT-14, A9)", async ({ page, stage, witness }) => {
    const request = page.getByRole("region", { name: "Authorization request" });
    for (const [done, return_path] of BYPASSES.entries()) {
      await page.goto(stage.url());
      await page.getByRole("button", { name: "Show the request" }).click();
      await request.getByRole("link", { name: "Follow the link" }).waitFor();
      await poison(page, "pending", withMembers({ return_path }));
      await request.getByRole("link", { name: "Follow the link" }).click();
      await page.getByText("You are signed in.").waitFor();
      assert.equal(page.url(), stage.url(), JSON.stringify(return_path));
      assert.equal(stage.tokenRequests.length, done + 1);
    }
    assert.equal(await page.evaluate(() => globalThis.pwned), undefined);
    assert.ok(!witness.requests.some(({ url }) => url.includes("evil.example")));
  });

  scenario("may name any place of the app to return to (AUT-14)", async ({ page, stage }) => {
    await page.goto(stage.url());
    const request = page.getByRole("region", { name: "Authorization request" });
    await page.getByRole("button", { name: "Show the request" }).click();
    await request.getByRole("link", { name: "Follow the link" }).waitFor();
    await poison(page, "pending", withMembers({ return_path: "/api?x=%2F..#y" }));
    await request.getByRole("link", { name: "Follow the link" }).click();
    await page.getByRole("button", { name: "Send" }).waitFor();
    assert.equal(page.url(), stage.url("api?x=%2F..#y"));
  });
});

describe("signing out", () => {
  /** When somebody signed out, for pages that browsers keep for Back and Forward: it names issuer and client, and no person. */
  const isSignOut = ([name, text]) => /^leptos-pkce signed-out /.test(name) && /^\{"at":\d+\}$/.test(text);
  const withoutSignOuts = (area) => Object.fromEntries(Object.entries(area).filter((entry) => !isSignOut(entry)));

  /** Nothing of the app is left in any storage. */
  async function assertNothingLeft(page, token) {
    const { session, local, databases, caches, name, historyState, ...rest } = await dump(page);
    // The sandbox is a server, and signing out at the app leaves what servers keep.
    const ofServer = (kept) => ON_SANDBOX && /^leptos-pkce .*\/sandbox\/$/.test(kept.name ?? kept);
    const [ownDatabases, ownCaches] = [databases, caches].map((list) => list.filter((kept) => !ofServer(kept)));
    assert.deepEqual({ session, local: withoutSignOuts(local), ownDatabases, ownCaches, name, historyState }, {
      session: {}, local: {}, ownDatabases: [], ownCaches: [], name: "", historyState: null,
    });
    assert.ok(!JSON.stringify(rest).includes(token));
  }

  for (const [where, offline] of [["", false], [", also offline", true]]) {
    scenario(`leaves nothing of the session in any storage${where} (OUT-3)`, { allow: offline ? [LOAD_FAILED] : [] }, async ({ page, stage, context }) => {
      await signInAgain(page, stage);
      const [[, record]] = await page.evaluate(() => Object.entries(sessionStorage).filter(([name]) => name.includes(" session ")));
      const token = JSON.parse(record).access_token;
      assert.ok(token);
      await context.setOffline(offline);
      await signOutButton(page).click();
      await isSignedOut(page);
      await assertNothingLeft(page, token);

      await context.setOffline(false);
      await page.reload();
      await page.getByText("Nobody is signed in.").waitFor();
    });
  }

  scenario("forgets the sign-ins that were on their way (OUT-3)", async ({ page, stage }) => {
    const answer = await withheldAnswer(page, stage);
    await signInAgain(page, stage);
    await signOutButton(page).click();
    await isSignedOut(page);
    assert.deepEqual(await storedNames(page), []);
    await page.goto(answer.href);
    assert.equal((await readFault(page)).code, "callback.unknown_state");
    assert.equal(stage.tokenRequests.length, 1);
  });

  scenario("leaves alone what others keep on the same origin", async ({ page, stage }) => {
    await signInAgain(page, stage);
    await page.evaluate(() => { sessionStorage.setItem("theirs", "1"); localStorage.setItem("theirs", "2"); });
    await signOutButton(page).click();
    await isSignedOut(page);
    const [session, local] = await page.evaluate(() => [{ ...sessionStorage }, { ...localStorage }]);
    assert.deepEqual([session, withoutSignOuts(local)], [{ theirs: "1" }, { theirs: "2" }]);
  });

  scenario("needs a click: no address signs anybody out (OUT-6, A42)", async ({ page, stage }) => {
    await signInAgain(page, stage);
    for (const path of [
      "?logout", "?destroy_session=true", "?sign_out=1#logout", "session?logout=true", "callback?error=access_denied",
      "callback?error=login_required&state=x", "?error=access_denied", "callback?state=x", "logout", "signout",
    ]) {
      await page.goto(stage.url(path));
      await signOutButton(page).waitFor();
      await page.getByText(/^Signed in · /).waitFor();
    }
    assert.equal((await readApi(page)).status, "Status 200");
  });

  scenario("is not undone by an address: none signs anybody in (OUT-6)", async ({ page, stage }) => {
    for (const path of [
      "?login", "?sign_in=true", "#access_token=forged&token_type=bearer&expires_in=300", "?access_token=forged&token_type=bearer",
      "callback#id_token=a.b.c&state=x", "session?code=forged&state=x", "?code=forged", "signin", "login",
    ]) {
      await page.goto("about:blank");
      await page.goto(stage.url(path));
      await isSignedOut(page);
      assert.equal(await signOutButton(page).count(), 0);
    }
    assert.equal(stage.authorizationRequests.length, 0);
    assert.equal(stage.tokenRequests.length, 0);
  });
});
