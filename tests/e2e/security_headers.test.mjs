// The policy and the headers that the build writes: that they are there, that they hold, and that the app runs under them.

import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { readFileSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { describe, it } from "node:test";
import { readConfig } from "../../scripts/dist.d/config.mjs";
import { elements, isLink } from "../../scripts/dist.d/html.mjs";
import { inspectPage } from "../../scripts/dist.d/inspect.mjs";
import { contentSecurityPolicy } from "../../scripts/dist.d/policy.mjs";
import { startStaticHost } from "./servers/static_host.mjs";
import * as dist from "./support/dist.mjs";
import { heading, navigationTo, readApi, signIn, signInButton } from "./support/person.mjs";
import { ANOTHER_ORIGIN, setting } from "./support/scenario.mjs";
import { until } from "./support/until.mjs";

const scenario = setting();

const PAGES = ["index.html", "callback.html", "callback/index.html", "404.html"];

/** A policy as directive → sources. */
const directives = (policy) =>
  Object.fromEntries(policy.split(";").map((part) => part.trim().split(/\s+/)).map(([name, ...sources]) => [name, sources]));

const metaPolicy = (html) => /<meta http-equiv="Content-Security-Policy" content="([^"]*)">/.exec(html)[1];

describe("the built page", () => {
  const html = () => readFileSync(join(dist.app(), "index.html"), "utf8");

  it("forbids everything but what it needs (WEB-4, WEB-5)", () => {
    const { "script-src": scripts, "connect-src": servers, ...rest } = directives(metaPolicy(html()));
    assert.deepEqual(rest, {
      "default-src": ["'none'"],
      "style-src": ["'self'"],
      "img-src": ["'self'"],
      "worker-src": ["'self'"],
      "form-action": ["'self'"],
      "base-uri": ["'none'"],
      "object-src": ["'none'"],
    });
    assert.deepEqual(servers, ["'self'", "https:", "http://localhost:*", "http://127.0.0.1:*"]);
    const [, inline] = /<script>([^]*?)<\/script>/.exec(html());
    const hash = `'sha256-${createHash("sha256").update(inline).digest("base64")}'`;
    assert.deepEqual(scripts, ["'self'", "'wasm-unsafe-eval'", hash]);
  });

  it("says its policy and its referrer policy before it loads anything (WEB-4, WEB-8)", () => {
    const all = elements(html());
    const first = all.findIndex(({ name }) => ["script", "link", "img", "style"].includes(name));
    const says = (attribute, value) => all.findIndex(({ name, attributes }) => name === "meta" && attributes[attribute] === value);
    for (const early of [says("http-equiv", "Content-Security-Policy"), says("name", "referrer")]) {
      assert.ok(early > 0 && early < first, `${early} comes before ${first}`);
    }
    assert.equal(all[says("name", "referrer")].attributes.content, "no-referrer");
  });

  it("is the same under each name that a host may look for", () => {
    for (const name of PAGES) assert.equal(readFileSync(join(dist.app(), name), "utf8"), html(), name);
  });

  it("names each script, style and module with the hash of the very file (WEB-13)", () => {
    const loaded = elements(html()).filter(
      (element) => (element.name === "script" && element.attributes.src) || isLink(element, "stylesheet", "modulepreload", "preload"),
    );
    const names = loaded.map(({ attributes }) => (attributes.src ?? attributes.href).slice(1));
    for (const kind of [/\.css$/, /^start-\w+\.js$/, /^workbench-\w+\.js$/, /_bg\.wasm$/]) {
      assert.ok(names.some((name) => kind.test(name)), `${kind} is loaded`);
    }
    for (const [index, { attributes }] of loaded.entries()) {
      const [algorithm] = attributes.integrity.split("-");
      const hash = createHash(algorithm).update(readFileSync(join(dist.app(), names[index]))).digest("base64");
      assert.equal(attributes.integrity, `${algorithm}-${hash}`, names[index]);
    }
  });

  it("holds no client secret and no word of one, in any of its files (CFG-1)", () => {
    const files = readdirSync(dist.app(), { recursive: true, withFileTypes: true }).filter((entry) => entry.isFile());
    for (const entry of files.filter(({ name }) => /\.(html|js|json|css)$/.test(name) && name !== "config.schema.json")) {
      const text = readFileSync(join(entry.parentPath ?? entry.path, entry.name), "utf8");
      assert.ok(!/client_secret(?!_)/.test(text), entry.name);
    }
  });
});

describe("the headers of the deployment", () => {
  it("are those of a page that gives nothing away (WEB-4, WEB-7, WEB-8, WEB-12, A31)", async () => {
    const host = await startStaticHost({ root: dist.app() });
    try {
      for (const path of ["", "callback", "session", "config.json"]) {
        const { headers } = await fetch(host.url + path);
        for (const [name, value] of Object.entries({
          "strict-transport-security": "max-age=31536000",
          "x-content-type-options": "nosniff",
          "referrer-policy": "no-referrer",
          "cross-origin-opener-policy": "same-origin",
          "cross-origin-resource-policy": "same-origin",
        })) {
          assert.equal(headers.get(name), value, `${name} of /${path}`);
        }
        const { "frame-ancestors": ancestors, ...rest } = directives(headers.get("content-security-policy"));
        assert.deepEqual(ancestors, ["'none'"]);
        assert.deepEqual(rest, directives(metaPolicy(readFileSync(join(dist.app(), "index.html"), "utf8"))));
        assert.match(headers.get("permissions-policy"), /camera=\(\)/);
      }
    } finally {
      await host.close();
    }
  });

  it("let caches keep what has a hash in its name, and nothing else for long", async () => {
    const host = await startStaticHost({ root: dist.app() });
    try {
      const files = readdirSync(dist.app()).filter((name) => !/\.(br|gz)$/.test(name) && !["_headers", "callback"].includes(name));
      for (const name of files) {
        const { headers } = await fetch(host.url + name);
        // A worker is known by the address of its script.
        const hashed = /\.(js|css|wasm|svg)$/.test(name) && name !== "sandbox-service-worker.js";
        assert.equal(headers.get("cache-control"), hashed ? "public, max-age=31536000, immutable" : "no-cache", name);
      }
      for (const path of ["", "callback", "callback/"]) {
        const { headers } = await fetch(host.url + path);
        assert.equal(headers.get("cache-control"), "no-cache", `/${path}`);
      }
    } finally {
      await host.close();
    }
  });
});

describe("the policy in the browser", () => {
  // A request that the policy stops counts as one all the same; the other server's log says whether it was sent.
  const BLOCKED = [
    /^violation: /, /^stranger: /, /^uncaught: EvalError/, /^error: .*Content Security Policy/, /^error: Failed to load resource/,
    /^error: .*violates the following/, /^error: Refused to/,
  ];

  scenario("holds for the whole of a sign-in, without one violation (WEB-4)", async ({ page, stage, witness }) => {
    await signIn(page, stage);
    await readApi(page);
    for (const name of ["Sign in", "Session"]) {
      await navigationTo(page, name).click();
      await heading(page, name).waitFor();
    }
    assert.deepEqual(witness.incidents.filter((incident) => incident.startsWith("violation")), []);
  });

  /** What is tried, how (run in the page, with the address of another site), and what the browser reports. */
  const ATTEMPTS = [
    [
      "an inline script",
      () => document.head.append(Object.assign(document.createElement("script"), { textContent: "globalThis.pwned = 1" })),
      /script-src-elem blocked inline/,
    ],
    [
      "an inline event handler",
      () => document.body.insertAdjacentHTML("beforeend", '<img src="/none.svg" onerror="globalThis.pwned = 1">'),
      /script-src-attr blocked inline/,
    ],
    [
      "eval",
      () => {
        // Later, because what a test evaluates itself may use it.
        setTimeout(() => {
          globalThis.pwned = new Function("return 1")();
        });
      },
      /script-src blocked eval/,
    ],
    [
      "a script of another site",
      (url) => document.head.append(Object.assign(document.createElement("script"), { src: url })),
      /script-src-elem blocked http/,
    ],
    ["an inline style", () => document.body.setAttribute("style", "color: red"), /style-src-attr blocked inline/],
    [
      "a base element",
      () => document.head.prepend(Object.assign(document.createElement("base"), { href: "https://evil.example/" })),
      /base-uri blocked/,
    ],
    [
      "a frame",
      (url) => document.body.append(Object.assign(document.createElement("iframe"), { src: url })),
      /(frame|default)-src blocked/,
    ],
    [
      "a form to another site",
      (url) => {
        const form = Object.assign(document.createElement("form"), { action: url, method: "post" });
        document.body.append(form);
        form.submit();
      },
      /form-action blocked/,
    ],
    [
      "a worker made of text",
      () => {
        try {
          new Worker(URL.createObjectURL(new Blob(["1"], { type: "text/javascript" })));
        } catch {
          // Browsers may throw, or report alone.
        }
      },
      /worker-src blocked/,
    ],
    ["a plain request to another machine", () => void fetch("http://evil.example/").catch(() => {}), /connect-src blocked/],
  ];

  scenario("stops whatever somebody might inject (WEB-4, WEB-5, A37)", { allow: BLOCKED, needs: ANOTHER_ORIGIN }, async ({ page, stage, witness }) => {
    for (const [what, attempt, directive] of ATTEMPTS) {
      await page.goto(stage.url());
      await signInButton(page).waitFor();
      const before = witness.incidents.length;
      await page.evaluate(attempt, `${stage.api.elsewhere.origin}/x`);
      await until(`the browser reported ${what}`, () =>
        witness.incidents.slice(before).some((incident) => incident.startsWith("violation: ") && directive.test(incident)),
      );
      assert.equal(await page.evaluate(() => globalThis.pwned), undefined, what);
    }
    assert.deepEqual(stage.api.elsewhere.log, []);
  });
});

describe("a deployment's own config.json", () => {
  scenario(
    "tightens the policy to its servers, and the sign-in works under that",
    { allow: [/^violation: connect-src blocked/, /^error: .*Content Security Policy/], needs: ANOTHER_ORIGIN },
    async ({ page, stage, witness }) => {
      const config = JSON.stringify({ authorization_servers: [stage.client()] });
      const { servers } = readConfig(config, "config.json");
      const html = readFileSync(join(dist.app(), "index.html"), "utf8");
      const inspected = inspectPage(html.replace(/<meta http-equiv="Content-Security-Policy"[^>]*>/, ""), dist.app(), "/");
      const policy = contentSecurityPolicy(inspected, servers);
      assert.deepEqual(directives(policy)["connect-src"], ["'self'", ...[stage.api.origin, stage.authorizationServer.issuer].sort()]);
      const page_ = { type: "text/html; charset=utf-8", body: html, headers: { "Content-Security-Policy": policy } };
      for (const path of ["/", "/callback"]) stage.answer(path, page_);

      await signIn(page, stage);
      assert.equal((await readApi(page)).status, "Status 200");
      assert.deepEqual(witness.incidents.filter((incident) => incident.startsWith("violation")), []);

      const elsewhere = `${stage.api.elsewhere.origin}/photos`;
      assert.equal(await page.evaluate((url) => fetch(url).then(() => "answered", () => "blocked"), elsewhere), "blocked");
      assert.deepEqual(stage.api.elsewhere.log, []);
    },
  );
});
