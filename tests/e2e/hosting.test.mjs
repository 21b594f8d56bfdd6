// Where the site may be hosted: below a path, on hosts that rewrite nothing, on hosts that let nobody set headers.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe } from "node:test";
import * as dist from "./support/dist.mjs";
import {
  heading, navigationTo, readApi, readFault, signIn, signInAgain, signInButton, signOutButton,
} from "./support/person.mjs";
import { setting } from "./support/scenario.mjs";
import { LOAD_FAILED } from "./support/visitor.mjs";

/** A host without rewrites answers with the status 404 where it shows the app as its error page. */
const NOT_FOUND = [/^error: Failed to load resource: the server responded with a status of 404/];

describe("below a path", () => {
  for (const [what, rewrites] of [["on a host that rewrites", true], ["on a host without rewrites", false]]) {
    describe(what, () => {
      const scenario = setting({ whole: true, host: { root: dist.subPath(), base: dist.SUB_PATH, rewrites } });

      scenario(
        "signs in, reads the API, reloads, and asks for nothing outside of its path",
        { allow: NOT_FOUND },
        async ({ page, stage }) => {
          await signIn(page, stage);
          assert.equal(page.url(), stage.url("session"));
          assert.equal(stage.authorizationRequests[0].parameters.redirect_uri, stage.url("callback"));
          assert.equal((await readApi(page)).status, "Status 200");
          assert.equal(page.url(), stage.url("api"));
          await page.reload();
          await heading(page, "API").waitFor();
          await signOutButton(page).click();
          await navigationTo(page, "Sign in").click();
          assert.equal(page.url(), stage.url());
          const outside = stage.host.log.filter(({ path }) => !path.startsWith(dist.SUB_PATH)).map(({ path }) => path);
          assert.deepEqual(outside, []);
        },
      );

      scenario("keeps to its path when an answer is refused", async ({ page, stage }) => {
        await page.goto(stage.url("callback?code=forged&state=wrong"));
        const { code, text } = await readFault(page);
        assert.equal(code, "callback.unknown_state");
        assert.match(text, /Sign in again from this tab/, "the explanations are below the path too");
        assert.equal(page.url(), stage.url("callback"));
        await page.getByRole("link", { name: "Go to the sign-in page" }).click();
        await signInButton(page).waitFor();
        assert.equal(page.url(), stage.url());
      });
    });
  }
});

describe("on a host without rewrites", () => {
  const scenario = setting({ whole: true, familiar: true, host: { rewrites: false } });

  for (const [what, redirect_uri] of [
    ["callback.html answers at /callback", "callback"],
    ["callback/index.html answers at /callback/", "callback/"],
    ["the file's own name is the redirect URI", "callback.html"],
  ]) {
    scenario(
      `${what}, and the sign-in completes`,
      { client: (stage) => ({ redirect_uri: stage.url(redirect_uri) }) },
      async ({ page, stage }) => {
        await signInAgain(page, stage);
        assert.equal(stage.authorizationRequests[0].parameters.redirect_uri, stage.url(redirect_uri));
        assert.equal(stage.tokenRequests[0].parameters.redirect_uri, stage.url(redirect_uri));
        const arrival = stage.host.log.find(({ query }) => query.includes("code="));
        assert.equal(arrival.path, `/${redirect_uri}`);
        assert.equal(arrival.status, 200);
        assert.equal((await readApi(page)).status, "Status 200");
      },
    );
  }

  scenario("404.html completes the sign-in, where nothing else is found", { allow: NOT_FOUND }, async ({ page, stage }) => {
    const body = readFileSync(join(dist.app(), "404.html"));
    stage.answer("/callback", { status: 404, type: "text/html; charset=utf-8", body });
    await signInAgain(page, stage);
    const arrival = stage.host.log.find(({ query }) => query.includes("code="));
    assert.deepEqual([arrival.path, arrival.status], ["/callback", 404]);
    assert.equal((await readApi(page)).status, "Status 200");
  });

  scenario("every page can be opened by its own address", { allow: NOT_FOUND }, async ({ page, stage }) => {
    await signInAgain(page, stage);
    const pages = { session: "Session", api: "API", "": "Sign in", "index.html": "Sign in", callback: "Signing in" };
    for (const [path, name] of Object.entries(pages)) {
      await page.goto(stage.url(path));
      await heading(page, name).waitFor();
      await signOutButton(page).waitFor();
    }
  });
});

describe("on a host that lets nobody set headers", () => {
  const scenario = setting({ whole: true, host: { rewrites: false, headers: false } });

  scenario(
    "the page brings its policy itself, and signs in under it (WEB-4)",
    { allow: [/^violation: script-src-elem blocked inline/, /^error: .*Content Security Policy/] },
    async ({ page, stage }) => {
      const { headers } = await fetch(stage.url());
      assert.equal(headers.get("content-security-policy"), null);
      await signIn(page, stage);
      assert.equal((await readApi(page)).status, "Status 200");
      await page.evaluate(() => {
        const script = Object.assign(document.createElement("script"), { textContent: "globalThis.pwned = 1" });
        document.head.append(script);
      });
      assert.equal(await page.evaluate(() => globalThis.pwned), undefined);
      // Of the worker's files the browser itself tells which script asked; that is no page's address.
      const ofWorker = stage.url("sandbox-service-worker.js");
      for (const { path, referer } of stage.logs) assert.ok(!referer || referer === ofWorker, `${path} got the referrer ${referer}`);
    },
  );
});

describe("at an address that no page has", () => {
  const scenario = setting({ whole: true });

  scenario("says so, and knows the way back", async ({ page, stage }) => {
    await page.goto(stage.url("nothing/here"));
    await heading(page, "Page not found").waitFor();
    await page.getByRole("link", { name: "Go to the sign-in page" }).click();
    await signInButton(page).waitFor();
    assert.equal(page.url(), stage.url());
  });

  scenario("is not confused by dots and slashes", { allow: [LOAD_FAILED] }, async ({ page, stage }) => {
    for (const path of ["callback/../session", "session/", "api?x=/callback"]) {
      await page.goto(stage.url(path));
      await page.getByText(/Nobody is signed in/).waitFor();
      assert.equal(await page.getByRole("alert").count(), 0);
    }
  });
});
