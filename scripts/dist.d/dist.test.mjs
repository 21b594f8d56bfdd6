// The checks of the release build: each must refuse what it is there for.

import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, describe, it } from "node:test";
import { readConfig } from "./config.mjs";
import { elements } from "./html.mjs";
import { inspectPage } from "./inspect.mjs";
import { exportsUsed, namesInPage, namesInWorker, rename, sortImports, withoutClasses, withoutFallbacks } from "./shrink.mjs";
import { joinStyles } from "./styles.mjs";
import { ANY_SERVER, contentSecurityPolicy, headersFile, policyElement } from "./policy.mjs";

const SCRIPT = "start();\n";
const INTEGRITY = `sha384-${createHash("sha384").update(SCRIPT).digest("base64")}`;
const SCRUB = 'history.replaceState(null, "", "<p onclick>");';

const root = mkdtempSync(join(tmpdir(), "dist-"));
writeFileSync(join(root, "start.js"), SCRIPT);
writeFileSync(join(root, "data.css"), 'a { background: url("data:image/png;base64,AA==") }');
after(() => rmSync(root, { recursive: true }));

const page = ({ before = "", head = "", body = "", integrity = INTEGRITY, publicUrl = "/" } = {}) => `<!doctype html>
<html lang="en"><head>${before}<meta charset="utf-8"><meta name="referrer" content="no-referrer">
<script>${SCRUB}</script>
<script src="${publicUrl}start.js" integrity="${integrity}" type="module"></script>${head}
</head><body><!-- <style>no</style> -->${body}</body></html>`;

const inspect = (options) => inspectPage(page(options), root, options?.publicUrl ?? "/");

describe("html", () => {
  it("reads attributes quoted, unquoted and bare, and undoes entities", () => {
    const [a] = elements(`<a HREF="/?a=1&amp;b=2" rel=next hidden title='a > b'>`);
    assert.deepEqual(a.attributes, { href: "/?a=1&b=2", rel: "next", hidden: "", title: "a > b" });
  });

  it("sees no elements in comments, scripts and titles", () => {
    const found = elements('<!-- <b> --><script>"<i>"</script><title><u></title><p>');
    assert.deepEqual(found.map(({ name }) => name), ["script", "title", "p"]);
  });
});

describe("inspection of the built page", () => {
  it("accepts the page that we mean to publish, below a sub-path too", () => {
    const { inlineScripts, files, dataImages } = inspect({ publicUrl: "/sub/" });
    assert.deepEqual(inlineScripts, [SCRUB]);
    assert.deepEqual(files, ["start.js"]);
    assert.equal(dataImages, false);
  });

  for (const [what, options, message] of [
    ["an inline event handler", { body: "<p onclick=go()>" }, /inline event handler/],
    ["a style attribute", { body: '<p style="color: red">' }, /inline style/],
    ["a style element", { head: "<style>p {}</style>" }, /inline style/],
    ["a second inline script", { body: "<script>1</script>" }, /2 inline scripts/],
    ["a base element", { head: '<base href="/">' }, /<base>/],
    ["a javascript: link", { body: '<a href="javascript:go()">' }, /inline script/],
    ["a policy of its own", { head: '<meta http-equiv="content-security-policy" content="">' }, /policy of its own/],
    ["a script without integrity", { integrity: "" }, /without integrity/],
    ["a stylesheet without integrity", { head: '<link rel="stylesheet" href="/a.css">' }, /without integrity/],
    ["a preload without integrity", { head: '<link rel="preload" as="fetch" href="/a.wasm">' }, /without integrity/],
    ["integrity of other bytes", { integrity: "sha384-AAAA" }, /has the hash sha384-.* but the page says sha384-AAAA/],
    ["a script of another site", { head: '<script src="https://cdn.example/a.js" integrity="sha384-AAAA"></script>' }, /served from here/],
    ["a script of another site without a scheme", { head: '<script src="//cdn.example/a.js"></script>' }, /served from here/],
    ["a link ahead of the policy", { before: '<link rel="icon" href="/icon.svg">' }, /stands before <meta charset>/],
  ]) {
    it(`refuses ${what}`, () => assert.throws(() => inspect(options), { message }));
  }

  it("refuses a page that could leak its address", () => {
    const html = page().replace("no-referrer", "origin");
    assert.throws(() => inspectPage(html, root, "/"), /lacks <meta name="referrer"/);
  });

  it("notices data: images in the page and in its stylesheets", () => {
    assert.equal(inspect({ body: '<img alt="" src="data:,">' }).dataImages, true);
    assert.equal(inspect({ head: '<link rel="icon" href="data:,">' }).dataImages, true);
    const integrity = `sha256-${createHash("sha256").update('a { background: url("data:image/png;base64,AA==") }').digest("base64")}`;
    assert.equal(inspect({ head: `<link rel="stylesheet" href="/data.css" integrity="${integrity}">` }).dataImages, true);
  });
});

describe("the rest of the program, which the root element names", () => {
  const REST = Buffer.from("0061736d01000000", "hex");
  const integrity = `sha256-${createHash("sha256").update(REST).digest("base64")}`;
  writeFileSync(join(root, "app-rest-1f_bg.wasm"), REST);
  const named = (rest, of = integrity, publicUrl = "/") => {
    const html = page({ publicUrl }).replace("<html", `<html data-rest="${rest}" ${of && `data-rest-integrity="${of}"`}`);
    return inspectPage(html, root, publicUrl);
  };

  it("is one of the page's files, below a sub-path too", () => {
    assert.deepEqual(named("/app-rest-1f_bg.wasm").files, ["app-rest-1f_bg.wasm", "start.js"]);
    assert.deepEqual(named("/sub/app-rest-1f_bg.wasm", integrity, "/sub/").files, ["app-rest-1f_bg.wasm", "start.js"]);
  });

  it("must be what its integrity says, and from here", () => {
    assert.throws(() => named("/app-rest-1f_bg.wasm", "sha256-AAAA"), { message: /has the hash sha256-.* but the page says sha256-AAAA/ });
    assert.throws(() => named("/app-rest-1f_bg.wasm", ""), { message: /without integrity/ });
    for (const elsewhere of ["https://cdn.example/app-rest-1f_bg.wasm", "//cdn.example/app-rest-1f_bg.wasm", "app-rest-1f_bg.wasm"]) {
      assert.throws(() => named(elsewhere), { message: /served from here/ }, elsewhere);
    }
    assert.throws(() => named("/app-rest-1f_bg.wasm", integrity, "/sub/"), { message: /which is not below \/sub\// });
  });
});

describe("policy", () => {
  const policy = contentSecurityPolicy(inspect(), ANY_SERVER);

  it("allows no inline script but the hashed one, and no eval", () => {
    const hash = createHash("sha256").update(SCRUB).digest("base64");
    assert.match(policy, /^default-src 'none'; /);
    assert.ok(policy.includes(`script-src 'self' 'wasm-unsafe-eval' 'sha256-${hash}';`));
    assert.doesNotMatch(policy, /unsafe-inline|'unsafe-eval'/);
  });

  it("allows workers of the site where it has one, and none elsewhere", () => {
    assert.match(policy, /worker-src 'none'/);
    assert.match(contentSecurityPolicy(inspect(), ANY_SERVER, { hasWorker: true }), /worker-src 'self';/);
  });

  it("is put right after the encoding, without what a meta element cannot say", () => {
    const html = page();
    const { policyOffset } = inspect();
    assert.ok(html.slice(0, policyOffset).endsWith('<meta charset="utf-8">'));
    assert.doesNotMatch(policyElement(policy), /frame-ancestors/);
  });

  it("becomes headers that keep hashed files for ever and pages never, each path once", () => {
    const files = ["index.html", "callback.html", "callback/index.html", "config.json", "app-0123456789abcdef_bg.wasm"];
    const headers = headersFile(policy, "/sub/", files);
    assert.match(headers, /^\/sub\/\*\n  Content-Security-Policy: .*; frame-ancestors 'none'$/m);
    assert.match(headers, /^\/sub\/app-0123456789abcdef_bg\.wasm\n  Cache-Control: .*immutable$/m);
    for (const path of ["/sub/", "/sub/callback", "/sub/callback/", "/sub/config.json"]) {
      assert.equal(headers.split(`\n${path}\n  Cache-Control: no-cache\n`).length, 2, path);
    }
  });
});

describe("the script beside the module", () => {
  const script = `export class Stream { free() { wasm.stream_free(this.__wbg_ptr); } }
if (Symbol.dispose) Stream.prototype[Symbol.dispose] = Stream.prototype.free;
function __wbg_get_imports() {
  const import0 = { __proto__: null, __wbg_now_0123: function() { return Date.now(); }, __wbg_close_4567: function(x) { wasm.free(x); } };
  return { __proto__: null, "./app_bg.js": import0 };
}
const StreamFinalization = new FinalizationRegistry(ptr => wasm.stream_free(ptr));
wasm.start();`;

  it("loses the classes that Rust exports, and what registers them", () => {
    const rest = withoutClasses(script);
    assert.doesNotMatch(rest, /Stream/);
    assert.match(rest, /^\s*function __wbg_get_imports/);
    assert.equal(withoutClasses(rest), rest);
  });

  it("must not need such a class", () => {
    assert.throws(() => withoutClasses(`${script}\nnew Stream();`), { message: /uses the class Stream/ });
  });

  it("loses them too where it is no module but one function, as for a worker", () => {
    const classic = `let wasm_bindgen = (function(exports) {
  class Stream { free() { wasm.stream_free(this.__wbg_ptr); } }
  if (Symbol.dispose) Stream.prototype[Symbol.dispose] = Stream.prototype.free;
  exports.Stream = Stream;
  const StreamFinalization = new FinalizationRegistry(ptr => wasm.stream_free(ptr));
  class Kept {}
  return Object.assign(() => wasm.start(new Kept()), exports);
})({ __proto__: null });`;
    const rest = withoutClasses(classic);
    assert.doesNotMatch(rest, /Stream/);
    assert.match(rest, /class Kept/);
    assert.deepEqual(exportsUsed(rest), ["memory", "start"]);
  });

  it("is found where a page preloads it, and where a worker's script names it", () => {
    const page = '<link rel="modulepreload" href="/sub/app-1f.js"><link rel="preload" as="fetch" href="/sub/app-1f_bg.wasm">';
    assert.deepEqual(namesInPage(page), { script: "app-1f.js", module: "app-1f_bg.wasm" });
    assert.throws(() => namesInPage("<p>"), { message: /preloads no script or no module/ });
    const worker = 'const GLUE = "sandbox_worker-0a.js";\nconst MODULE = "sandbox_worker-1b_bg.wasm";';
    assert.deepEqual(namesInWorker(worker), { script: "sandbox_worker-0a.js", module: "sandbox_worker-1b_bg.wasm", isClassic: true });
    const unnamed = 'const GLUE = "sandbox_worker.js";\nconst MODULE = "sandbox_worker_bg.wasm";';
    assert.throws(() => namesInWorker(unnamed), { message: /names no hashed script or module: let Trunk run its hook/ });
  });

  it("says which exports of the module it uses", () => {
    assert.deepEqual(exportsUsed(withoutClasses(script)), ["memory", "free", "start"]);
  });

  it("takes the module's new names, and loses what the module imports no more", () => {
    const renamed = rename(withoutClasses(script), {
      imports: [["./app_bg.js", "__wbg_now_0123", "a"]],
      exports: [["start", "b"], ["free", "c"]],
      module: "d",
    });
    assert.match(renamed, /const import0 = \{ __proto__: null, a: function\(\) \{ return Date\.now\(\); \},\s+\};/);
    assert.match(renamed, /"d": import0/);
    assert.match(renamed, /wasm\.b\(\);$/);
  });
});

describe("a deployment's config.json", () => {
  const server = {
    issuer: "https://as.example/tenant",
    client_id: "spa",
    metadata: { authorization_endpoint: "https://login.example/a", jwks_uri: "https://keys.example/jwks", token_endpoint_auth_methods_supported: ["client_secret_basic"] },
    resources: [{ url: "https://api.example:8443/photos" }],
  };
  const read = (value) => readConfig(typeof value === "string" ? value : JSON.stringify(value), "config.json");

  it("lets the page talk to its servers, and not to where it only navigates", () => {
    const { servers } = read({ authorization_servers: [server, { issuer: "http://localhost:9080" }] });
    assert.deepEqual(servers, ["http://localhost:9080", "https://api.example:8443", "https://as.example", "https://keys.example"]);
  });

  it("means the sandbox if it names no server, or names the sandbox", () => {
    assert.equal(read({ authorization_servers: [] }).hasSandbox, true);
    const sandbox = { issuer: "sandbox/", client_id: "workbench", resources: [{ url: "sandbox/api/photos" }] };
    const both = read({ authorization_servers: [server, sandbox] });
    assert.deepEqual([both.hasSandbox, both.servers.length, both.warnings.length], [true, 3, 1]);
    assert.equal(read({ authorization_servers: [{ ...sandbox, issuer: "https://app.example/sandbox/" }] }).hasSandbox, true);
    assert.equal(read({ authorization_servers: [server] }).hasSandbox, false);
  });

  it("warns where discovery may name other origins", () => {
    assert.match(read({ authorization_servers: [server] }).warnings[0], /^https:\/\/as\.example\/tenant names its endpoints by discovery/);
    const complete = { ...server, metadata: { token_endpoint: "https://as.example/token" } };
    assert.deepEqual(read({ authorization_servers: [complete] }).warnings, []);
  });

  for (const [what, value, message] of [
    ["what is not JSON", "<!doctype html>", /is not JSON/],
    ["JSON without servers", {}, /no list "authorization_servers"/],
    ["a secret", { authorization_servers: [{ ...server, client_secret: "x" }] }, /register a public client/],
  ]) {
    it(`refuses ${what}`, () => assert.throws(() => read(value), { message }));
  }
});

describe("the script, smaller", () => {
  it("has no way in but the one that is used", () => {
    const script = `const registry = (typeof FinalizationRegistry === 'undefined') ? {} : new FinalizationRegistry(free);
if (!('encodeInto' in cachedTextEncoder)) { polyfill(); }
function initSync(module) { return module; }
async function once(module_or_path) {
  if (module_or_path !== undefined) { warn(); }
  if (module_or_path === undefined) { module_or_path = new URL("x"); }
  if (typeof module_or_path === 'string' || other) { module_or_path = fetch(module_or_path); }
  if (ready) return;
  return module_or_path;
}
export { initSync, once as default };`;
    assert.equal(withoutFallbacks(script).replace(/\s+/g, " "), "const registry = new FinalizationRegistry(free); async function once(module_or_path) { ({module_or_path} = module_or_path); if (ready) return; return module_or_path; } export { once as default };");
  });

  it("provides the same, like beside like", () => {
    const script = `const imports={__proto__:null,a:function(n){return n.b},b:function(){return 1},c:function(n){return n.a}};`;
    assert.equal(sortImports(script), `const imports={__proto__:null,b:function(){return 1},c:function(n){return n.a},a:function(n){return n.b}};`);
    assert.equal(sortImports("start();"), "start();");
  });
});

describe("stylesheets", () => {
  it("become one, in their order, in the place of the first", () => {
    for (const name of ["a.css", "b.css"]) writeFileSync(join(root, name), `${name[0]} {}`);
    const html = joinStyles('<title>x</title><link href=/sub/a.css rel=stylesheet><p><link rel="stylesheet" href="/sub/b.css"><b>', root, "/sub/");
    const [link] = elements(html).filter(({ name }) => name === "link");
    const file = link.attributes.href.replace("/sub/", "");
    assert.equal(readFileSync(join(root, file), "utf8"), "a {}\nb {}");
    assert.equal(link.attributes.integrity, `sha256-${createHash("sha256").update("a {}\nb {}").digest("base64")}`);
    assert.equal(html.replace(/<link[^>]*>/, ""), "<title>x</title><p><b>");
    assert.ok(!existsSync(join(root, "a.css")) && !existsSync(join(root, "b.css")));
  });
});
