// What wasm-bindgen leaves for everybody and a page of ours does not need: exports that no script calls, the functions
// behind them, a hash in the name of each import, and readable JavaScript.
//
// Module and script are changed together, because each names what the other provides; both are then named by their
// contents, as Trunk names files, and the file that names them follows.

import { createHash } from "node:crypto";
import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { parse } from "acorn";
import { ancestor, simple } from "acorn-walk";
import binaryen from "binaryen";
import { minify } from "terser";
import { elements, isLink } from "./html.mjs";
import { orderFunctions } from "./order.mjs";
import { split } from "./split.mjs";
import { FEATURES, run } from "./tools.mjs";

// The second round finds what the first has made possible; the rest drops what only tools read. The lowest kilobyte of
// memory is the far end of the stack: who gets there has overflown it. What is there twice compresses better than what is
// kept in a local for the second use, a local better than what it holds in the place of its one use, and a small function
// that is called once than its body in a large one.
const OPTIMISATION = [
  "--low-memory-unused",
  ..."--skip-pass=local-cse --skip-pass=simplify-locals --one-caller-inline-max-function-size=100".split(" "),
  ..."-Oz --flatten --rereloop -Oz -Oz".split(" "),
  ..."--dealign --strip-debug --strip-producers --strip-target-features".split(" "),
];
const MINIFY = "--minify-imports-and-exports-and-modules";

/**
 * Puts smaller ones in the place of a script and a module.
 *
 * @param {string} root the directory of all three files
 * @param {string} text the file that names the two: a page, or a worker's script
 * @param {{ script: string, module: string, isClassic?: boolean }} names the two files; a classic script is none of modules
 * @param {string} bound the two as wasm-bindgen wrote them, without `.js` and `_bg.wasm`: with all their names
 * @param {{ isLater: RegExp, doors: string[] }} [rest] what of the module comes later, in a file of its own; see `split`
 * @returns {Promise<string>} the text, with their new names and hashes
 * @throws {Error} a sentence, if they are not as wasm-bindgen writes them
 */
export async function shrink(root, text, { script: oldScript, module: oldModule, isClassic = false }, bound, rest) {
  const script = withoutFallbacks(withoutClasses(readFileSync(`${bound}.js`, "utf8")));
  const module = join(root, oldModule);
  const whole = withoutUnused(readFileSync(`${bound}_bg.wasm`), exportsUsed(script));
  const parts = rest ? split(whole, rest.isLater, rest.doors, module) : { first: whole };
  writeFileSync(module, parts.first);
  const names = optimise(module);
  orderFunctions(module);
  if (rest) text = addRest(root, text, oldModule, parts.later(names.exports));
  const { code: minified } = await minify(rename(script, names), { module: !isClassic, ecma: 2022, compress: { passes: 3 } });
  const code = sortImports(minified);

  text = replaceFile(root, text, oldModule, readFileSync(module));
  return replaceFile(root, text, oldScript, code);
}

/** Minifies the page's own scripts; returns the page with their new names and hashes. */
export async function minifyScripts(root, html) {
  const sources = elements(html).filter(({ name, attributes: { src } }) => name === "script" && src);
  for (const { attributes: { src } } of sources) {
    const name = src.split("/").at(-1);
    const { code } = await minify(readFileSync(join(root, name), "utf8"), { module: true, ecma: 2022 });
    html = replaceFile(root, html, name, code);
  }
  return html;
}

/** The module as `shrink` optimises it, written to `path`, with the names of its functions. */
export function optimisedWithNames(bound, path) {
  const script = withoutFallbacks(withoutClasses(readFileSync(`${bound}.js`, "utf8")));
  writeFileSync(path, withoutUnused(readFileSync(`${bound}_bg.wasm`), exportsUsed(script)));
  const options = OPTIMISATION.filter((option) => option !== "--strip-debug");
  run("wasm-opt", [path, ...FEATURES, "--debuginfo", ...options, "-o", path]);
  return readFileSync(path);
}

/** The script and the module that a page preloads. */
export function namesInPage(html) {
  const links = elements(html).filter((element) => isLink(element, "modulepreload", "preload"));
  const named = (extension) => links.map(({ attributes }) => attributes.href.split("/").at(-1)).find((name) => name.endsWith(extension));
  const names = { script: named(".js"), module: named(".wasm") };
  if (names.script && names.module) return names;
  throw new Error("The page preloads no script or no module: let Trunk write both links (data-trunk rel=rust).");
}

/** The script and the module that a worker's script names. */
export function namesInWorker(text) {
  const [, script] = /"(sandbox_worker-\w+\.js)"/.exec(text) ?? [];
  const [, module] = /"(sandbox_worker-\w+_bg\.wasm)"/.exec(text) ?? [];
  if (script && module) return { script, module, isClassic: true };
  throw new Error("The worker's script names no hashed script or module: let Trunk run its hook (Trunk.toml).");
}

/** Classes that Rust exports to JavaScript: we use none, so they and what registers them go. */
export function withoutClasses(script) {
  const body = statements(parseModule(script));
  const exported = /^(?:export class|exports\.\w+ =) (\w+)/;
  const classes = [...new Set(body.flatMap(({ start }) => exported.exec(script.slice(start, start + 200))?.[1] ?? []))];
  const belongs = new RegExp(`^(?:(?:(?:export )?class|if \\(Symbol\\.dispose\\)|const) |exports\\.)(${classes.join("|")})(Finalization)?\\b`);
  const goes = ({ start }) => classes.length > 0 && belongs.test(script.slice(start));
  const rest = edit(script, body.filter(goes).map(({ start, end }) => ({ start, end, text: "" })));
  const left = classes.find((name) => new RegExp(`\\b${name}\\b`).test(rest));
  if (left) throw new Error(`The script uses the class ${left}, which a shrunk page does not have.`);
  return rest;
}

/**
 * The script without what it does for browsers too old for the module, and for callers that pass something else than
 * `{ module_or_path }`: ours is given the answer to its request.
 */
export function withoutFallbacks(script) {
  const edits = [];
  const source = ({ start, end }) => script.slice(start, end);
  const replace = (node, text) => edits.push({ ...span(node), text });
  simple(parseModule(script), {
    ConditionalExpression(node) {
      if (/^typeof FinalizationRegistry === .undefined.$/.test(source(node.test))) replace(node, source(node.alternate));
    },
    IfStatement(node) {
      const test = source(node.test);
      if (test === "module_or_path !== undefined") replace(node, "({module_or_path} = module_or_path);");
      if (test === "module_or_path === undefined" || test.startsWith("typeof module_or_path === 'string'")) replace(node, "");
      if (test === "!('encodeInto' in cachedTextEncoder)") replace(node, "");
    },
    FunctionDeclaration(node) {
      if (node.id.name === "initSync") replace(node, "");
    },
    ExportNamedDeclaration(node) {
      const kept = node.specifiers.filter(({ local }) => local.name !== "initSync");
      if (kept.length < node.specifiers.length) replace(node, `export { ${kept.map(source).join(", ")} };`);
    },
    Property(node) {
      // As a classic script has it.
      if (node.shorthand && node.key.name === "initSync") replace(node, "");
    },
  });
  const ways = edits.filter(({ text }) => text.startsWith("({module_or_path}")).length;
  if (ways !== 1) throw new Error("The script does not begin as wasm-bindgen's of this version does: see withoutFallbacks.");
  return edit(script, edits);
}

/** The exports of the module that the script uses, in the form `wasm.name`. */
export function exportsUsed(script) {
  const used = new Set(["memory"]);
  simple(parseModule(script), {
    MemberExpression(node) {
      if (isExport(node)) used.add(node.property.name);
    },
  });
  return [...used];
}

/**
 * The script with the module's new names, without what the module no longer imports.
 *
 * @param {string} script
 * @param {{ module: string, imports: [string, string, string][], exports: [string, string][] }} names the new name of what
 *   the module imports from; old and new names, as wasm-opt prints them, those of imports after what they are imported from
 */
export function rename(script, { module, imports, exports }) {
  const importNames = new Map(imports.map(([, before, after]) => [before, after]));
  const exportNames = new Map(exports);
  const modules = new Set(imports.map(([from]) => from));
  const edits = [];
  ancestor(parseModule(script), {
    MemberExpression(node) {
      const after = isExport(node) && exportNames.get(node.property.name);
      if (after) edits.push({ ...span(node.property), text: after });
    },
    Property(node, _, ancestors) {
      const object = ancestors.at(-2);
      const isImports = ancestors.at(-3)?.id?.name === "import0";
      if (modules.has(node.key.value)) edits.push({ ...span(node.key), text: JSON.stringify(module) });
      if (!isImports || node.key.name === "__proto__") return;
      const after = importNames.get(node.key.name);
      if (after) edits.push({ ...span(node.key), text: after });
      else edits.push({ start: node.start, end: object.properties[object.properties.indexOf(node) + 1]?.start ?? node.end, text: "" });
    },
  });
  return edit(script, edits);
}

/** The script with what it provides to the module in an order in which like stands beside like, which compresses better. */
export function sortImports(script) {
  let imports = { properties: [] };
  simple(parseModule(script), {
    ObjectExpression(node) {
      const provides = node.properties[0]?.key?.name === "__proto__";
      if (provides && node.properties.length > imports.properties.length) imports = node;
    },
  });
  const functions = imports.properties.slice(1);
  if (functions.length === 0) return script;
  const body = (text) => text.slice(text.indexOf(":"));
  const texts = functions.map(({ start, end }) => script.slice(start, end)).sort((a, b) => (body(a) < body(b) ? -1 : 1));
  return script.slice(0, functions[0].start) + texts.join(",") + script.slice(functions.at(-1).end);
}

/** The module without the exports that are not `used`, with the names of its functions. */
function withoutUnused(octets, used) {
  binaryen.setDebugInfo(true);
  const module = binaryen.readBinary(octets);
  try {
    for (let index = module.getNumExports() - 1; index >= 0; index--) {
      const { name } = binaryen.getExportInfo(module.getExportByIndex(index));
      if (!used.includes(name)) module.removeExport(name);
    }
    return module.emitBinary();
  } finally {
    module.dispose();
  }
}

/** Optimises the module in place; returns the new names, for `rename`. */
function optimise(path) {
  const names = run("wasm-opt", [path, ...FEATURES, ...OPTIMISATION, MINIFY, "-o", path]);
  const [{ module }] = WebAssembly.Module.imports(new WebAssembly.Module(readFileSync(path)));
  return { module, ...JSON.parse(names) };
}

/** Writes the rest of the module beside it; returns the page, which says where that is and what its integrity is. */
function addRest(root, html, module, octets) {
  const [place] = html.match(/<html\b/i) ?? [];
  const [, directory] = new RegExp(`["'=]([^"'=\\s>]*/)${module}`).exec(html) ?? [];
  if (!place || directory === undefined) throw new Error("The page has no <html>, or does not name its module: the rest of it could not be found.");
  const path = join(root, module.replace(/(-[0-9a-f]+_bg\.wasm)$/, "-rest$1"));
  writeFileSync(path, octets);
  run("wasm-opt", [path, ...FEATURES, ...OPTIMISATION, "-o", path]);
  orderFunctions(path);
  const content = readFileSync(path);
  const hash = (algorithm, encoding) => createHash(algorithm).update(content).digest(encoding);
  const name = module.replace(/-[0-9a-f]+(?=_bg\.wasm$)/, `-rest-${hash("sha256", "hex").slice(0, 16)}`);
  rmSync(path);
  writeFileSync(join(root, name), content);
  return html.replace(place, `${place} data-rest="${directory}${name}" data-rest-integrity="sha256-${hash("sha256", "base64")}"`);
}

/** The statements of the script; those of a classic one stand in the function that it begins with. */
function statements({ body }) {
  const [{ declarations: [{ init }] = [{}] } = {}] = body;
  return [...(init?.callee?.body?.body ?? []), ...body];
}

/** Writes `content` below a name with its hash instead of `name`; returns the text, which refers to it. */
function replaceFile(root, text, name, content) {
  const hash = (algorithm, encoding) => createHash(algorithm).update(content).digest(encoding);
  const renamed = name.replace(/-[0-9a-f]+(?=(_bg)?\.\w+$)/, `-${hash("sha256", "hex").slice(0, 16)}`);
  const { integrity } = elements(text).find(({ attributes: { href, src } }) => (href ?? src)?.endsWith(`/${name}`))?.attributes ?? {};
  rmSync(join(root, name));
  writeFileSync(join(root, renamed), content);
  const followed = text.replaceAll(name, renamed);
  return integrity ? followed.replaceAll(integrity, `sha256-${hash("sha256", "base64")}`) : followed;
}

function isExport({ object, property, computed }) {
  return object.name === "wasm" && !computed && property.type === "Identifier";
}

/** Applies edits that do not overlap; what lies within one that removes its place is removed with it. */
function edit(text, edits) {
  let [result, at] = ["", 0];
  for (const { start, end, text: replacement } of edits.sort((a, b) => a.start - b.start)) {
    if (start < at) continue;
    result += text.slice(at, start) + replacement;
    at = end;
  }
  return result + text.slice(at);
}

const parseModule = (script) => parse(script, { ecmaVersion: "latest", sourceType: "module" });
const span = ({ start, end }) => ({ start, end });
