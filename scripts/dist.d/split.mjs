// One module becomes two: what a page needs to begin, and what comes later, in a file of its own.
//
// Both parts are one program. They share memory, table and globals; the second calls functions of the first by its exports,
// and the first calls the second only by the table, in whose slots the second puts its functions when it is instantiated.
// Until then these slots hold a function that ends the program, so whoever calls must know that the rest has come.
//
// This happens before any optimisation, while each function still has its name and stands for itself: later, two that came
// to the same code would be one, of either name.

import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { FEATURES, run } from "./tools.mjs";

/** What the second part calls the first when it imports from it. */
const FIRST = "first";

const NAME = String.raw`\$(?:"(?:[^"\\]|\\.)*"|[^\s()"]+)`;
const CALL = new RegExp(String.raw`\((?:return_)?call (${NAME})`, "g");
const GLOBAL = new RegExp(String.raw`\(global\.[gs]et (${NAME})`, "g");

/**
 * Divides a module.
 *
 * @param {Uint8Array} octets the module, with the names of its functions
 * @param {RegExp} isLater what the names of the functions have that come later
 * @param {string[]} doors the functions of those that the first part may call, as the last parts of their names
 * @param {string} scratch a path without extension, for files that are gone afterwards
 * @returns {{ first: Buffer, later: (exports: [string, string][]) => Buffer }} both without names; the second wants to know
 *   what became of the names of the first's exports
 * @throws {Error} a sentence, if there is nothing to divide, or no way to
 */
export function split(octets, isLater, doors, scratch) {
  writeFileSync(`${scratch}.wasm`, octets);
  const { first, later } = divide(run("wasm-dis", [`${scratch}.wasm`]), isLater, doors);
  rmSync(`${scratch}.wasm`);
  return { first: assemble(first, scratch), later: (exports) => assemble(renameImports(later, new Map(exports)), scratch) };
}

/** The text of the second part with the names that the first one's exports have by now. */
function renameImports(text, names) {
  return text.replaceAll(new RegExp(`^ \\(import "${FIRST}" "([^"]*)"`, "gm"), (_, name) => ` (import "${FIRST}" "${names.get(name) ?? name}"`);
}

/** `split` for the text of a module; gives two texts. */
export function divide(text, isLater, doors) {
  const module = read(text);
  const later = chooseLater(module, isLater, doors);
  if (later.size === 0) throw new Error(`No function is called ${isLater}: nothing would come later.`);
  const named = new Set([...module.functions.values()].filter(({ name }) => later.has(name)).flatMap(({ body }) => references(body)));
  return { first: firstPart(module, later, named), later: laterPart(module, later, named) };
}

/** A module taken apart: its items, as wasm-dis writes them, each from one space and a parenthesis to the next. */
function read(text) {
  const items = text.slice(0, text.lastIndexOf(")")).split(/^(?= \()/m).slice(1);
  const of = (kind) => items.filter((item) => item.startsWith(` (${kind} `));
  const named = (kind) => of(kind).map((body) => ({ name: body.match(NAME)[0], body }));
  const [table, ...tables] = of("table");
  const [slots, ...elements] = of("elem");
  if (tables.length || elements.length) throw new Error("The module has more than one table, or more than one list that fills it.");
  return {
    types: of("type"),
    imports: of("import"),
    imported: new Map(of("import").map((body) => [body.match(NAME)[0], signature(body)])),
    globals: named("global"),
    memory: of("memory")[0],
    data: of("data"),
    table,
    offset: Number(/\(i32\.const (\d+)\)/.exec(slots)[1]),
    slots: [...slots.slice(slots.indexOf(")")).matchAll(new RegExp(NAME, "g"))].map(([name]) => name),
    exports: of("export"),
    functions: new Map(named("func").map(({ name, body }) => [name, { name, body, calls: calls(body) }])),
  };
}

/**
 * Those whose names say so, as long as the first part calls none of them but the doors; and those that nobody but them
 * needs.
 */
function chooseLater({ functions, slots, exports }, isLater, doors) {
  const isDoor = (name) => doors.some((door) => name.endsWith(`${door}"`));
  const later = new Set([...functions.keys()].filter((name) => isLater.test(name)));
  const found = [...later].filter(isDoor);
  if (found.length !== doors.length) throw new Error(`Of the functions ${doors.join(", ")} the module has ${found.length}: mark them #[inline(never)].`);
  const isKept = new Set([...slots, ...exports.flatMap((body) => body.match(new RegExp(NAME)) ?? [])]);
  const callers = new Map([...functions.keys()].map((name) => [name, []]));
  for (const { name, calls } of functions.values()) for (const called of calls) callers.get(called)?.push(name);

  let size;
  do {
    size = later.size;
    for (const [name, by] of callers) {
      const isWanted = by.some((caller) => caller !== name && !later.has(caller));
      if (later.has(name) ? isWanted && !isDoor(name) : false) later.delete(name);
      else if (!later.has(name) && !isKept.has(name) && by.length > 0 && !isWanted) later.add(name);
    }
  } while (size !== later.size);
  return later;
}

function firstPart(module, later, named) {
  const slots = slotsOf(module, later);
  const text = [
    ...module.types,
    ...module.imports,
    ...module.globals.map(({ body }) => body),
    module.memory,
    ...module.data,
    module.table.replace(/(\d+) (\d+) funcref/, `${slots.end} ${slots.end} funcref`),
    ` (elem (i32.const ${module.offset}) ${module.slots.map((name) => (later.has(name) ? "$too-early" : name)).join(" ")}${" $too-early".repeat(slots.added.length)})\n`,
    ...module.exports,
    ` (export "${FIRST}:table" (table ${nameIn(module.table)}))\n`,
    ...module.globals.filter(({ name }) => named.has(name)).map(({ name }, at) => ` (export "${FIRST}:global:${at}" (global ${name}))\n`),
    ...calledByLater(module, later, named).map((name, at) => ` (export "${FIRST}:func:${at}" (func ${name}))\n`),
    " (func $too-early (unreachable))\n",
    ...[...module.functions.values()].flatMap(({ name, body }) => {
      if (!later.has(name)) return [body];
      return slots.doors.has(name) ? [door(name, body, slots.doors.get(name), nameIn(module.table))] : [];
    }),
  ];
  return `(module\n${text.join("")})\n`;
}

function laterPart(module, later, named) {
  const slots = slotsOf(module, later);
  const shared = module.globals.filter(({ name }) => named.has(name));
  const runs = [];
  for (const [slot, name] of slots.filled) {
    const last = runs.at(-1);
    if (last && last.slot + last.names.length === slot) last.names.push(name);
    else runs.push({ slot, names: [name] });
  }
  const text = [
    ...module.types,
    ...shared.map(({ name, body }, at) => ` (import "${FIRST}" "${FIRST}:global:${at}" (global ${name} ${globalType(body)}))\n`),
    ` (import "${FIRST}" "memory" ${module.memory.trim()})\n`,
    ` (import "${FIRST}" "${FIRST}:table" ${module.table.trim().replace(/(\d+) (\d+) funcref/, `${slots.end} ${slots.end} funcref`)})\n`,
    ...calledByLater(module, later, named).map((name, at) => {
      const taken = module.imported.get(name) ?? signature(module.functions.get(name).body);
      return ` (import "${FIRST}" "${FIRST}:func:${at}" (func ${name} ${taken}))\n`;
    }),
    ...runs.map(({ slot, names }) => ` (elem (i32.const ${slot}) ${names.join(" ")})\n`),
    ...[...later].map((name) => module.functions.get(name).body),
  ];
  return `(module\n${text.join("")})\n`;
}

/** Where in the table the functions stand that come later: their own slots, and new ones for doors that have none. */
function slotsOf({ slots, offset, functions }, later) {
  const doors = new Map();
  for (const { name, calls } of functions.values()) {
    if (!later.has(name)) for (const called of calls) if (later.has(called)) doors.set(called, undefined);
  }
  const filled = slots.flatMap((name, at) => (later.has(name) ? [[offset + at, name]] : []));
  const added = [...doors.keys()].filter((name) => !slots.includes(name));
  const all = [...filled, ...added.map((name, at) => [offset + slots.length + at, name])];
  for (const [slot, name] of all) if (doors.has(name)) doors.set(name, slot);
  return { doors, added, filled: all, end: offset + slots.length + added.length };
}

/** What stands in the first part for a function of the second that it calls: the way through the table. */
function door(name, body, slot, table) {
  const taken = signature(body);
  const parameters = [...taken.matchAll(/\(param \$(\d+)/g)].map(([, at]) => `(local.get $${at})`).join(" ");
  const type = taken.replaceAll(/\(param \$\d+ (\w+)\)/g, "(param $1)");
  return ` (func ${name} ${taken} (call_indirect ${table} ${type} ${parameters} (i32.const ${slot})))\n`;
}

/** The functions of the first part, and those that it imports, that the second calls. */
function calledByLater({ imported, functions }, later, named) {
  return [...imported.keys(), ...functions.keys()].filter((name) => named.has(name) && !later.has(name));
}

/** Parameters and results, as text: of a function, or of an import of one. */
function signature(body) {
  return [...body.split("\n")[0].matchAll(/\((?:param|result) [^()]*\)/g)].map(([part]) => part).join(" ");
}

function globalType(body) {
  return /\(mut \w+\)/.exec(body)?.[0] ?? body.replace(body.match(NAME)[0], "").trim().split(/\s+/)[1];
}

const calls = (body) => [...body.matchAll(CALL)].map(([, name]) => name);
const references = (body) => [...calls(body), ...[...body.matchAll(GLOBAL)].map(([, name]) => name)];
const nameIn = (body) => body.match(NAME)[0];

function assemble(text, scratch) {
  writeFileSync(`${scratch}.wat`, text);
  run("wasm-as", [...FEATURES, `${scratch}.wat`, "--output", `${scratch}.wasm`]);
  const octets = readFileSync(`${scratch}.wasm`);
  for (const extension of ["wat", "wasm"]) rmSync(`${scratch}.${extension}`);
  return octets;
}
