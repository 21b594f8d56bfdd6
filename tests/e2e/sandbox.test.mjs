// The sandbox's Service Worker: what it answers and what it leaves alone, that it survives being ended and being
// replaced, that it can be forgotten, and what the page says where it cannot be.

import assert from "node:assert/strict";
import { readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { describe } from "node:test";
import * as dist from "./support/dist.mjs";
import {
  allow, apiResponse, beginSignIn, heading, interceptAnswer, isSignedIn, isSignedOut, logIn, loginField, navigationTo, readApi, readFault,
  sendRequest, signIn, signInAgain, signInButton, signOutButton,
} from "./support/person.mjs";
import { endWorker } from "./support/sandbox_stage.mjs";
import { setting } from "./support/scenario.mjs";
import { dump } from "./support/storage.mjs";
import { until } from "./support/until.mjs";
import { LOAD_FAILED } from "./support/visitor.mjs";

const scenario = setting({ whole: true, sandbox: true });
const familiarScenario = setting({ whole: true, sandbox: true, familiar: true });

const ASLEEP = "It is started when you sign in";
const forgetButton = (page) => page.getByRole("button", { name: "Forget the sandbox" });

/** How many workers the origin has. */
const registrations = (page) => page.evaluate(async () => (await navigator.serviceWorker.getRegistrations()).length);

/** Asks from the page; resolves with the status, the body, and whether the worker answered. */
async function ask(page, path, options = {}) {
  const [response, answer] = await Promise.all([
    page.waitForResponse((response) => response.url() === new URL(path, page.url()).href),
    page.evaluate(
      async ({ path, options }) => {
        const response = await fetch(path, options);
        return { status: response.status, body: await response.text() };
      },
      { path, options },
    ),
  ]);
  return { ...answer, isFromWorker: response.fromServiceWorker() };
}

/** Switches misbehaviour on; no name switches all off. */
const misbehave = (page, ...on) =>
  page.evaluate((on) => fetch("/sandbox/switches", { method: "PUT", body: JSON.stringify({ on }) }).then(({ status }) => status), on);

describe("the sandbox", () => {
  scenario("is started when somebody chooses it, and not before", async ({ page, stage }) => {
    await page.goto(stage.url());
    await page.getByText(ASLEEP).waitFor();
    assert.equal(await registrations(page), 0);
    const files = stage.host.log.map(({ path }) => path).filter((path) => path.includes("sandbox"));
    assert.deepEqual(files, [], "nothing of it is loaded");
    await signIn(page, stage);
    assert.equal(await registrations(page), 1);
  });

  const elsewhere = { client: () => ({ issuer: "https://as.example" }), origins: () => ["https://as.example"], allow: [LOAD_FAILED] };

  scenario("is started by a press that comes before the page has looked for it", async ({ page, stage }) => {
    await page.addInitScript(() => {
      const { getRegistration } = ServiceWorkerContainer.prototype;
      ServiceWorkerContainer.prototype.getRegistration = async function (...given) {
        const none = await getRegistration.apply(this, given);
        await new Promise((resolve) => setTimeout(resolve, 50));
        return none;
      };
      const { register } = ServiceWorkerContainer.prototype;
      ServiceWorkerContainer.prototype.register = async function (...given) {
        await new Promise((resolve) => setTimeout(resolve, 300));
        return register.apply(this, given);
      };
    });
    await signIn(page, stage);
  });

  scenario("is not started where another server is configured", elsewhere, async ({ page, stage }) => {
    await page.route("https://as.example/**", (route) => route.fulfill({ status: 404 }));
    await page.goto(stage.url());
    await signInButton(page).waitFor();
    await page.getByText("The server's metadata cannot be used yet").waitFor();
    assert.equal(await registrations(page), 0);
    assert.equal(await page.getByText(ASLEEP).count(), 0);
  });

  for (const [what, mode, options] of [
    ["at the root", "/", {}],
    ["below a path", dist.SUB_PATH, { host: { root: dist.subPath(), base: dist.SUB_PATH } }],
  ]) {
    describe(what, () => {
      const scenario = setting({ whole: true, sandbox: true, familiar: true, ...options });

      scenario("answers what is its own, and lets everything else pass, the callback above all (WEB-11, F29)", { allow: [LOAD_FAILED] }, async ({ page, stage }) => {
        const callbacks = [];
        page.on("response", (response) => {
          if (new URL(response.url()).pathname === `${mode}callback`) callbacks.push(response.fromServiceWorker());
        });
        await signInAgain(page, stage);
        await readApi(page);
        assert.deepEqual(callbacks, [false]);
        for (const path of [".well-known/openid-configuration", "authorize", "token", "api/photos"]) {
          const given = stage.answers.filter((answer) => answer.path === `${mode}sandbox/${path}`);
          assert.deepEqual(given.map(({ isFromServiceWorker }) => isFromServiceWorker), [true], path);
        }
        assert.equal(stage.host.log.filter(({ path, query }) => path === `${mode}callback` && query.includes("code=")).length, 1);

        const own = ["sandbox/.well-known/openid-configuration", "sandbox/jwks", "sandbox/switches/list", "sandbox/nothing", "sandbox/"];
        for (const path of own) assert.ok((await ask(page, mode + path)).isFromWorker, path);
        assert.ok((await ask(page, `/.well-known/oauth-authorization-server${mode}sandbox`)).isFromWorker, "RFC 8414");
        assert.ok((await ask(page, `/.well-known/oauth-protected-resource${mode}sandbox/api/photos`)).isFromWorker, "RFC 9728");

        stage.host.log.length = 0;
        const others = [
          "", "callback?code=x&state=y", "callback", "config.json", "session", "api", "sandbox", "sandboxes/", "token", "authorize",
          ".well-known/oauth-authorization-server/sandbox/", ".well-known/oauth-protected-resource/x/sandbox/api/photos",
          ".well-known/openid-configuration", "x/sandbox/token",
          ...(mode === "/" ? [] : ["../../sandbox/token", "../sandbox/token"]),
        ];
        for (const path of others) {
          assert.ok(!(await ask(page, mode + path)).isFromWorker, path);
          assert.equal(stage.host.log.length, 1, `${path} reached the host`);
          stage.host.log.length = 0;
        }
        // A body, a header and a method pass untouched.
        await ask(page, `${mode}token`, { method: "POST", body: "code=x&code_verifier=y", headers: { authorization: "Bearer z" } });
        const [{ method, body, headers }] = stage.host.log;
        assert.deepEqual([method, body, headers.authorization], ["POST", "code=x&code_verifier=y", "Bearer z"]);
      });
    });
  }

  scenario("keeps nothing of a callback, an answer or a page in any cache (WEB-11, F29)", async ({ page, stage }) => {
    await signIn(page, stage);
    await readApi(page);
    const cached = await page.evaluate(async () => {
      const names = await caches.keys();
      const requests = await Promise.all(names.map(async (name) => (await caches.open(name)).keys()));
      return requests.flat().map(({ url }) => new URL(url).pathname);
    });
    assert.equal(cached.length, 1);
    assert.match(cached[0], /^\/sandbox_worker-[0-9a-f]{16}_bg\.wasm$/);
  });

  scenario("signs with a key that nobody can read out, and has kept what it says before it says it", async ({ page, stage }) => {
    await signIn(page, stage);
    const kept = await page.evaluate(
      () =>
        new Promise((resolve, reject) => {
          const opening = indexedDB.open("leptos-pkce /sandbox/");
          opening.onerror = reject;
          opening.onsuccess = () => {
            const store = opening.result.transaction("values").objectStore("values");
            const [keys, state] = [store.get("keys"), store.get("state")];
            state.onsuccess = async () => {
              const { privateKey } = keys.result;
              const exported = await crypto.subtle.exportKey("jwk", privateKey).then(() => "exported", (error) => error.name);
              opening.result.close();
              resolve({ exported, extractable: privateKey.extractable, state: state.result });
            };
          };
        }),
    );
    assert.deepEqual([kept.exported, kept.extractable], ["InvalidAccessError", false]);
    const { codes, tokens } = JSON.parse(kept.state);
    assert.deepEqual(codes.map(({ code, is_used }) => [code, is_used]), [[stage.tokenRequests[0].parameters.code, true]]);
    assert.equal(tokens.length, 1);
  });

  scenario("makes a key when a misbehaviour first needs it, and keeps it where no script can read it out", async ({ page, stage, context }) => {
    await signIn(page, stage);
    const keys = async () => JSON.parse((await ask(page, "/sandbox/jwks")).body).keys;
    for (const [name, alg] of [["id-token-rs256", "RS256"], ["id-token-ps256", "PS256"], ["id-token-eddsa", "EdDSA"]]) {
      await misbehave(page, name);
      const before = await keys();
      assert.deepEqual(before.map((key) => key.alg), ["ES256", alg]);
      await endWorker(context, page);
      assert.deepEqual(await keys(), before, alg);
    }
    const extractable = await page.evaluate(
      () =>
        new Promise((resolve, reject) => {
          const opening = indexedDB.open("leptos-pkce /sandbox/");
          opening.onerror = reject;
          opening.onsuccess = () => {
            const store = opening.result.transaction("values").objectStore("values");
            const names = ["keys", "keys RS256", "keys PS256", "keys EdDSA"].map((name) => store.get(name));
            names.at(-1).onsuccess = () => {
              opening.result.close();
              resolve(names.map(({ result }) => result.privateKey.extractable));
            };
          };
        }),
    );
    assert.deepEqual(extractable, [false, false, false, false]);
  });

  scenario("answers one request at a time: of twenty at once, one gets the tokens", { allow: [LOAD_FAILED] }, async ({ page, stage }) => {
    const answer = await interceptAnswer(stage, async () => {
      await beginSignIn(page, stage);
      await logIn(page);
      await allow(page);
    });
    // The record of the pending sign-in holds the verifier; this plays twenty tabs with the same code.
    await page.goto(stage.url());
    const errors = await page.evaluate(async (code) => {
      const [record] = Object.entries(sessionStorage).filter(([name]) => name.includes(" pending ")).map(([, text]) => JSON.parse(text));
      const body = () =>
        new URLSearchParams({
          grant_type: "authorization_code", client_id: "workbench", redirect_uri: `${location.origin}/callback`, code, code_verifier: record.code_verifier,
        });
      const answers = Array.from({ length: 20 }, async () => (await (await fetch("/sandbox/token", { method: "POST", body: body() })).json()).error);
      return Promise.all(answers);
    }, answer.searchParams.get("code"));
    assert.equal(errors.filter((error) => error === undefined).length, 1);
    assert.equal(errors.filter((error) => error === "invalid_grant").length, 19);
  });
});

describe("a worker that the browser ends", () => {
  scenario("goes on where it was, at every step of a sign-in", async ({ page, stage, context }) => {
    await beginSignIn(page, stage);
    await loginField(page).waitFor();
    await endWorker(context, page);
    await logIn(page);
    await page.getByRole("button", { name: "Allow" }).waitFor();
    await endWorker(context, page);
    const answer = await interceptAnswer(stage, () => allow(page));
    await endWorker(context, page);
    await page.goto(answer.href);
    await isSignedIn(page);
    await endWorker(context, page);
    assert.equal((await readApi(page)).status, "Status 200");
    await endWorker(context, page);
    await signInAgain(page, stage);
    assert.equal(stage.tokenRequests.length, 2);
  });

  scenario("in the middle of an answer leaves a whole state behind", { allow: [LOAD_FAILED] }, async ({ page, stage, context }) => {
    await signIn(page, stage);
    const query = new URLSearchParams({ ...stage.authorizationRequests[0].parameters, prompt: "login" });
    const session = await context.newCDPSession(page);
    await session.send("ServiceWorker.enable");
    let ends = 0;
    session.on("ServiceWorker.workerVersionUpdated", ({ versions }) => {
      ends += versions.filter(({ runningStatus }) => runningStatus === "stopped").length;
    });
    for (let round = 0; round < 5; round += 1) {
      // Each of these is a login page, which the sandbox remembers. What dies with the worker, Chromium asks the next one.
      const asked = page.evaluate(
        (path) => Promise.all(Array.from({ length: 100 }, () => fetch(path).then(({ status }) => status, () => "lost"))),
        `/sandbox/authorize?${query}`,
      );
      await new Promise((resolve) => setTimeout(resolve, 20 * (round + 1)));
      await session.send("ServiceWorker.stopAllWorkers");
      let isPending = true;
      asked.then(() => (isPending = false));
      await until("the worker was ended", () => ends > round);
      assert.ok(isPending, "in the middle of it");
      for (const outcome of await asked) assert.ok([200, 503, "lost"].includes(outcome), outcome);
      assert.equal((await ask(page, "/sandbox/jwks")).status, 200);
    }
    // Alice is signed in there still, her token is good, and no form comes.
    assert.equal((await readApi(page)).status, "Status 200");
    await signInAgain(page, stage);
  });
});

describe("a new build", () => {
  familiarScenario("replaces the worker, drops the old program, and keeps what the sandbox knows", async ({ page, stage }) => {
    await signInAgain(page, stage);
    const [name] = readdirSync(dist.app()).filter((name) => /^sandbox_worker-.*\.wasm$/.test(name));
    const next = "sandbox_worker-0123456789abcdef_bg.wasm";
    const script = readFileSync(join(dist.app(), "sandbox-service-worker.js"), "utf8");
    stage.answer(`/${next}`, { body: readFileSync(join(dist.app(), name)) });
    stage.answer("/sandbox-service-worker.js", { body: script.replace(name, next) });

    // Browsers look for it when somebody comes to the site.
    await page.goto(stage.url());
    await until("the new program is the only one", () =>
      page.evaluate(async (next) => {
        const kept = await (await caches.open("leptos-pkce /sandbox/")).keys();
        const { active, waiting, installing } = await navigator.serviceWorker.ready;
        return kept.length === 1 && kept[0].url.endsWith(next) && active.state === "activated" && !waiting && !installing;
      }, next),
    );
    // Alice is signed in there still, so no form comes.
    await signInAgain(page, stage);
    assert.equal((await readApi(page)).status, "Status 200");
  });

  familiarScenario("that does not arrive whole does not take the place of one that works", { allow: [LOAD_FAILED] }, async ({ page, stage }) => {
    await signInAgain(page, stage);
    const [name] = readdirSync(dist.app()).filter((name) => /^sandbox_worker-.*\.wasm$/.test(name));
    const script = readFileSync(join(dist.app(), "sandbox-service-worker.js"), "utf8");
    const next = "sandbox_worker-fedcba9876543210_bg.wasm";
    stage.answer(`/${next}`, { status: 404, type: "text/plain" });
    stage.answer("/sandbox-service-worker.js", { body: script.replace(name, next) });
    await page.evaluate(async () => (await navigator.serviceWorker.ready).update().catch(() => {}));
    await until("the new program was asked for", () => stage.host.log.some(({ path }) => path === `/${next}`));
    await until("the new worker is gone", () =>
      page.evaluate(async () => {
        const { waiting, installing } = await navigator.serviceWorker.ready;
        return !waiting && !installing;
      }),
    );
    assert.equal((await readApi(page)).status, "Status 200");
    await signInAgain(page, stage);
  });
});

describe("forgetting the sandbox", () => {
  scenario("removes the worker, its program, its database, and the session at it", async ({ page, stage }) => {
    await signIn(page, stage);
    const before = JSON.parse((await ask(page, "/sandbox/jwks")).body).keys[0].kid;
    await navigationTo(page, "Sign in").click();
    await forgetButton(page).click();
    await page.getByText(ASLEEP).waitFor();
    await isSignedOut(page);
    const { session, local, databases, caches } = await dump(page);
    assert.deepEqual({ session, local, databases, caches }, { session: {}, local: {}, databases: [], caches: [] });
    assert.equal(await registrations(page), 0);

    // The next one is another server: it knows nobody, and signs with another key.
    await signIn(page, stage);
    assert.notEqual(JSON.parse((await ask(page, "/sandbox/jwks")).body).keys[0].kid, before);
  });

  scenario("in another tab is no harm: the sign-in there starts it again", { allow: [LOAD_FAILED] }, async ({ page, stage, context }) => {
    await signIn(page, stage);
    const other = await context.newPage();
    await other.goto(stage.url());
    await forgetButton(other).waitFor();
    await navigationTo(page, "Sign in").click();
    await forgetButton(page).click();
    await page.getByText(ASLEEP).waitFor();
    await signInButton(other).click();
    await logIn(other);
    await allow(other);
    await isSignedIn(other);
  });

  scenario("while another tab is on its login page: that tab is sent to where a sign-in begins", async ({ page, stage, context }) => {
    await beginSignIn(page, stage);
    await loginField(page).waitFor();
    const other = await context.newPage();
    await other.goto(stage.url());
    await forgetButton(other).click();
    await other.getByText(ASLEEP).waitFor();
    await page.getByText(ASLEEP).waitFor();
    // And nothing of it has come back.
    assert.deepEqual(await other.evaluate(async () => [(await indexedDB.databases()).length, (await caches.keys()).length]), [0, 0]);
  });

  scenario("leaves alone the worker of another app above this site", async ({ page, stage }) => {
    stage.answer("/other.js", { body: "addEventListener('message', ({ ports: [port] }) => { globalThis.told = true; port?.postMessage(true); });" });
    await page.goto(stage.url("config.json"));
    await page.evaluate(() => navigator.serviceWorker.register("/other.js").then(() => navigator.serviceWorker.ready).then(() => true));
    await page.goto(stage.url());
    await page.getByText(ASLEEP).waitFor();
    assert.equal(await forgetButton(page).count(), 0);
  });

  scenario("leaves no page behind that pretends to be the sandbox's", async ({ page, stage }) => {
    await page.goto(stage.url("sandbox/authorize"));
    await heading(page, "Page not found").waitFor();
    await page.getByText("This is a page of the sandbox, which is not running").waitFor();
    stage.reset(); // it was for the host to answer
  });
});

describe("where the sandbox cannot be", () => {
  /** Presses "Sign in", and resolves with what the page says instead. */
  async function readTrouble(page, stage) {
    await beginSignIn(page, stage);
    const words = await page.getByRole("alert").innerText();
    assert.equal(page.url(), stage.url());
    assert.deepEqual(stage.authorizationRequests, []);
    await page.getByRole("alert").getByRole("button", { name: "Reload the page" }).waitFor();
    return words;
  }

  scenario("the page says so: a browser without Service Workers", async ({ page, stage }) => {
    await page.addInitScript(() => delete Navigator.prototype.serviceWorker);
    assert.match(await readTrouble(page, stage), /no Service Workers for this page.*private windows/s);
  });

  scenario("the page says so: a browser that refuses to register one", async ({ page, stage }) => {
    await page.addInitScript(() => {
      ServiceWorkerContainer.prototype.register = () => Promise.reject(new DOMException("no", "SecurityError"));
    });
    assert.match(await readTrouble(page, stage), /refused its Service Worker\. Allow this site to keep data/);
  });

  scenario(
    "the page says so: it came by http from another machine",
    {
      names: ["app.test"], origins: ({ host }) => [host.origin.replace("localhost", "app.test")],
      allow: [/^error: The Cross-Origin-Opener-Policy header has been ignored/], // as it is on http
    },
    async ({ page, stage }) => {
      const url = stage.url().replace("localhost", "app.test");
      await page.goto(url);
      assert.equal(await page.evaluate(() => isSecureContext), false);
      const words = await page.getByRole("alert").innerText();
      assert.match(words, /The sandbox cannot run here: .* They need https or http:\/\/localhost/);
      assert.match(words, /Or name a server in config\.json/);
      // Named in so many words it is a mistake of the configuration.
      stage.configure(stage.client());
      await page.goto(url);
      assert.equal((await readFault(page)).code, "configuration.invalid");
    },
  );

  scenario("the page says so: storage is blocked", { preferences: { profile: { default_content_setting_values: { cookies: 2 } } } }, async ({ page, stage }) => {
    assert.match(await readTrouble(page, stage), /cannot run here/);
  });

  scenario("the page says so: the worker's script was not uploaded", { allow: [/^error: A bad HTTP response code \(404\) was received/] }, async ({ page, stage }) => {
    stage.answer("/sandbox-service-worker.js", { status: 404, type: "text/plain" });
    assert.match(await readTrouble(page, stage), /see that sandbox-service-worker\.js was uploaded/);
  });

  scenario("the page says so: the worker's program was not uploaded; once it is, the sign-in works", { allow: [LOAD_FAILED] }, async ({ page, stage }) => {
    const [name] = readdirSync(dist.app()).filter((name) => /^sandbox_worker-.*\.wasm$/.test(name));
    stage.answer(`/${name}`, { status: 404, type: "text/plain" });
    assert.match(await readTrouble(page, stage), /does not answer: its files did not arrive/);
    stage.answer(`/${name}`);
    await page.getByRole("button", { name: "Reload the page" }).click();
    await signIn(page, stage);
  });

  familiarScenario("a forced reload is mended, or the page says what to do", async ({ page, stage, context }) => {
    await signInAgain(page, stage);
    const session = await context.newCDPSession(page);
    await session.send("Page.reload", { ignoreCache: true });
    await heading(page, "Session").waitFor();
    await until("the worker has the page", () => page.evaluate(() => navigator.serviceWorker.controller !== null));
    assert.equal((await readApi(page)).status, "Status 200");
  });

  familiarScenario("the page says so on every page: a reload that keeps the worker from it", async ({ page, stage }) => {
    await signInAgain(page, stage);
    await page.addInitScript(() => Object.defineProperty(ServiceWorkerContainer.prototype, "controller", { get: () => null }));
    for (const path of ["session", "api"]) {
      await page.goto(stage.url(path));
      const trouble = page.getByRole("alert");
      assert.match(await trouble.innerText(), /cannot see this page’s requests.*Shift \+ Reload/s);
      await trouble.getByRole("button", { name: "Reload the page" }).waitFor();
    }
    await page.goto(stage.url());
    assert.match(await page.getByRole("region", { name: "Sandbox" }).getByRole("alert").innerText(), /Reload it the ordinary way/);
  });

  scenario("can be waited for, and given up", async ({ page, stage }) => {
    await page.addInitScript(() => {
      const { register } = ServiceWorkerContainer.prototype;
      ServiceWorkerContainer.prototype.register = function (...given) {
        return new Promise((resolve) => setTimeout(() => resolve(register.apply(this, given)), 1000));
      };
    });
    await beginSignIn(page, stage);
    await page.getByText("Starting the sandbox…").waitFor();
    await page.getByRole("button", { name: "Cancel" }).click();
    await page.getByText(ASLEEP).waitFor();
    // It starts all the same, and nobody is sent anywhere.
    await forgetButton(page).waitFor();
    assert.equal(page.url(), stage.url());
    assert.deepEqual(stage.authorizationRequests, []);
  });

  scenario("the page says so: a page came in the place of the worker's program; later it is asked for again", { allow: [/^warning: `WebAssembly.instantiateStreaming` failed/] }, async ({ page, stage }) => {
    const [name] = readdirSync(dist.app()).filter((name) => /^sandbox_worker-.*\.wasm$/.test(name));
    stage.answer(`/${name}`, { type: "text/html; charset=utf-8", body: readFileSync(join(dist.app(), "index.html")) });
    assert.match(await readTrouble(page, stage), /does not answer: its files did not arrive/);
    stage.answer(`/${name}`);
    await page.getByRole("button", { name: "Reload the page" }).click();
    await signIn(page, stage);
  });
});

describe("what the worker keeps", () => {
  familiarScenario("may be damaged: a program that is none is said to be so, a state that is none begins anew", { allow: [LOAD_FAILED] }, async ({ page, stage, context }) => {
    await signInAgain(page, stage);
    await page.evaluate(async () => {
      const cache = await caches.open("leptos-pkce /sandbox/");
      const [request] = await cache.keys();
      await cache.put(request, new Response("garbage", { headers: { "content-type": "application/wasm" } }));
    });
    await endWorker(context, page);
    const answer = await ask(page, "/sandbox/jwks");
    assert.equal(answer.status, 503);
    assert.match(answer.body, /^The sandbox cannot answer: .*forget it and start it anew/);
    // A program that is none is not kept; the next start asks the host for it.
    assert.equal(await page.evaluate(async () => (await (await caches.open("leptos-pkce /sandbox/")).keys()).length), 0);
    await page.evaluate(async () => {
      const database = await new Promise((resolve) => (indexedDB.open("leptos-pkce /sandbox/").onsuccess = ({ target }) => resolve(target.result)));
      await new Promise((resolve) => {
        const transaction = database.transaction("values", "readwrite");
        transaction.objectStore("values").put("{ \"version\": 99 }", "state");
        transaction.oncomplete = resolve;
      });
      database.close();
    });
    await signIn(page, stage);
  });
});

describe("a panic of the worker's program", () => {
  scenario("is told to whoever waits for an answer; nobody waits for ever", { allow: [LOAD_FAILED, /^uncaught: .*unreachable/] }, async ({ page, stage }) => {
    const [glue] = readdirSync(dist.app()).filter((name) => /^sandbox_worker-\w+\.js$/.test(name));
    const body = `const wasm_bindgen = async () => {
      globalThis.answerRequest = () => new Promise(() => setTimeout(() => {
        throw Object.assign(new Error("unreachable"), { stack: "RuntimeError: unreachable at wasm://wasm/0001" });
      }));
    };`;
    stage.answer(`/${glue}`, { body });
    await beginSignIn(page, stage);
    const { code, text } = await readFault(page);
    assert.equal(code, "metadata.unavailable");
    assert.match(text, /503/);
    const { status, body: words } = await ask(page, "/sandbox/jwks");
    assert.equal(status, 503);
    assert.match(words, /an internal error ended it/);
    // A new one is not the old one.
    stage.answer(`/${glue}`);
    await forgetButton(page).click();
    await page.getByText(ASLEEP).waitFor();
    await signIn(page, stage);
  });
});

describe("misbehaviour, switched on in the running sandbox", () => {
  familiarScenario("is listed as data", { allow: [LOAD_FAILED] }, async ({ page, stage }) => {
    await signInAgain(page, stage);
    const { switches } = JSON.parse((await ask(page, "/sandbox/switches/list")).body);
    assert.ok(switches.length >= 24);
    for (const { name, phase, meaning, exercises, on } of switches) {
      assert.ok(name && phase && meaning && exercises.length && on === false, name);
    }
    assert.equal(await misbehave(page, "iss-wrong"), 200);
    assert.equal(await misbehave(page, "no-such-thing"), 400);
  });

  for (const [name, code] of [
    ["iss-wrong", "callback.issuer_mismatch"],
    ["state-wrong", "callback.unknown_state"],
    ["code-expired", "token.refused"],
    ["token-lost", "token.unreachable"],
    ["token-redirected", "token.unreachable"],
    ["token-html", "token.html"],
    ["token-endless", "token.body_too_large"],
    ["token-type-other", "token.unsupported_token_type"],
    ["token-429", "token.refused"],
  ]) {
    familiarScenario(`${name} ends with ${code}`, { allow: [LOAD_FAILED] }, async ({ page, stage }) => {
      await page.goto(stage.url());
      await forgetButton(page).waitFor();
      await misbehave(page, name);
      await signInButton(page).click();
      assert.equal((await readFault(page)).code, code);
      await isSignedOut(page);
      // At most once, whatever becomes of the answer (TOK-14).
      assert.ok(stage.tokenRequests.length <= 1);
      await misbehave(page);
      await signInAgain(page, stage);
    });
  }

  familiarScenario("token-slow can be waited for, and given up", async ({ page, stage }) => {
    await page.goto(stage.url());
    await forgetButton(page).waitFor();
    await misbehave(page, "token-slow");
    await signInButton(page).click();
    await page.getByText("Sending the code and the code verifier to the token endpoint").waitFor();
    await page.getByRole("button", { name: "Cancel" }).click();
    assert.equal((await readFault(page)).code, "token.cancelled");
    // Nobody else has to wait for it.
    assert.equal((await ask(page, "/sandbox/jwks")).status, 200);
  });

  for (const [name, status] of [["api-401", 401], ["api-401-bare", 401], ["api-403", 403], ["api-403-bare", 403], ["api-429", 429]]) {
    familiarScenario(`${name} is shown as what it is`, { allow: [LOAD_FAILED] }, async ({ page, stage }) => {
      await signInAgain(page, stage);
      await misbehave(page, name);
      assert.equal((await readApi(page)).status, `Status ${status}`);
      await misbehave(page);
      assert.equal((await sendRequest(page)).status, "Status 200");
      assert.equal(await apiResponse(page).getByRole("alert").count(), 0);
      await signOutButton(page).waitFor();
    });
  }
});
