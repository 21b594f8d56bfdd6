// What wasm-bindgen leaves for everybody and a page of ours does not need: exports that no script calls, the functions
// behind them, a hash in the name of each import, and readable JavaScript.
//
// Module and script are changed together, because each names what the other provides; both are then named by their
// contents, as Trunk names files, and the page follows.

import { createHash } from "node:crypto";
import { execFileSync } from "node:child_process";
import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { parse } from "acorn";
import { ancestor, simple } from "acorn-walk";
import binaryen from "binaryen";
import { minify } from "terser";
import { elements, isLink } from "./html.mjs";

// A dependency of Leptos brings classes for streams to each page. They serve its server functions, which a site of static
// files cannot have; the functions stay in the table of the module, so no optimiser can tell that nobody calls them.
const NEVER_CALLED = /\bwasm_streams\b/;

// The second round finds what the first has made possible; the rest drops what only tools read.
const OPTIMISATION = [
  ..."-Oz --flatten --rereloop -Oz -Oz".split(" "),
  ..."--dealign --strip-debug --strip-producers --strip-target-features".split(" "),
  "--minify-imports-and-exports-and-modules",
];

/**
 * Puts smaller ones in the place of the script and the module that the page preloads.
 *
 * @param {string} root the directory of the page
 * @param {string} html the page
 * @param {string} bound the module as wasm-bindgen wrote it: functions still have their names there
 * @param {boolean} namesAreExact whether each function has its own name, as the small library's build leaves them
 * @returns {Promise<string>} the page, with their new names and hashes
 * @throws {Error} a sentence, if they are not as wasm-bindgen writes them
 */
export async function shrink(root, html, bound, namesAreExact) {
  const links = elements(html).filter((element) => isLink(element, "modulepreload", "preload"));
  const named = (extension) => links.map(({ attributes }) => attributes.href.split("/").at(-1)).find((name) => name.endsWith(extension));
  const [oldScript, oldModule] = [named(".js"), named(".wasm")];
  if (!oldScript || !oldModule) throw new Error("The page preloads no script or no module: let Trunk write both links (data-trunk rel=rust).");

  const script = withoutClasses(readFileSync(join(root, oldScript), "utf8"));
  const module = join(root, oldModule);
  writeFileSync(module, withoutUnused(readFileSync(bound), exportsUsed(script), namesAreExact ? NEVER_CALLED : /^$/));
  const names = optimise(module);
  const { code } = await minify(rename(script, names), { module: true, ecma: 2022, compress: { passes: 3 } });

  html = replaceFile(root, html, oldModule, readFileSync(module));
  return replaceFile(root, html, oldScript, code);
}

/** Classes that Rust exports to JavaScript: our pages use none, so they and what registers them go. */
export function withoutClasses(script) {
  const { body } = parseModule(script);
  const classes = body.flatMap(({ declaration }) => (declaration?.type === "ClassDeclaration" ? [declaration.id.name] : []));
  const belongs = new RegExp(`^(export class|if \\(Symbol\\.dispose\\)|const) (${classes.join("|")})(Finalization)?\\b`);
  const goes = ({ start }) => classes.length > 0 && belongs.test(script.slice(start));
  const rest = edit(script, body.filter(goes).map(({ start, end }) => ({ start, end, text: "" })));
  const left = classes.find((name) => new RegExp(`\\b${name}\\b`).test(rest));
  if (left) throw new Error(`The script uses the class ${left}, which a shrunk page does not have.`);
  return rest;
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

/** The module without the exports that are not `used`, and without the bodies of the functions that nobody calls. */
function withoutUnused(octets, used, neverCalled) {
  const module = binaryen.readBinary(octets);
  try {
    for (let index = module.getNumExports() - 1; index >= 0; index--) {
      const { name } = binaryen.getExportInfo(module.getExportByIndex(index));
      if (!used.includes(name)) module.removeExport(name);
    }
    for (let index = 0; index < module.getNumFunctions(); index++) {
      const body = module.getFunctionByIndex(index);
      if (neverCalled.test(binaryen.getFunctionInfo(body).name)) binaryen.Function.setBody(body, module.unreachable());
    }
    return module.emitBinary();
  } finally {
    module.dispose();
  }
}

/** Optimises the module in place; returns the new names, for `rename`. */
function optimise(path) {
  const names = execFileSync("wasm-opt", [path, ...OPTIMISATION, "-o", path], { encoding: "utf8", stdio: ["ignore", "pipe", "inherit"] });
  const [{ module }] = WebAssembly.Module.imports(new WebAssembly.Module(readFileSync(path)));
  return { module, ...JSON.parse(names) };
}

/** Writes `content` below a name with its hash instead of `name`; returns the page, which refers to it. */
function replaceFile(root, html, name, content) {
  const hash = (algorithm, encoding) => createHash(algorithm).update(content).digest(encoding);
  const renamed = name.replace(/-[0-9a-f]+(?=(_bg)?\.\w+$)/, `-${hash("sha256", "hex").slice(0, 16)}`);
  const { integrity } = elements(html).find(({ attributes: { href } }) => href?.endsWith(`/${name}`)).attributes;
  rmSync(join(root, name));
  writeFileSync(join(root, renamed), content);
  return html.replaceAll(name, renamed).replaceAll(integrity, `sha384-${hash("sha384", "base64")}`);
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
