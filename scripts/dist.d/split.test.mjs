// One module becomes two, which together do what the one did.

import assert from "node:assert/strict";
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, describe, it } from "node:test";
import binaryen from "binaryen";
import { divide, split } from "./split.mjs";
import { run } from "./tools.mjs";

const TEXT = `(module
  (type $unary (func (param i32) (result i32)))
  (import "m" "told" (func $told (param i32)))
  (memory (export "memory") 1)
  (data (i32.const 8) "\\07")
  (global $stack (mut i32) (i32.const 1024))
  (global $hundred i32 (i32.const 100))
  (table 7 7 funcref)
  (elem (i32.const 1)
    $helper_in_table
    $"app[0123456789abcdef]::pages::later::in_table"
    $"app[0123456789abcdef]::pages::later::door_in_table"
    $twice
    $"app[0123456789abcdef]::pages::later::again_in_table"
    $plain)
  (func $main (export "main") (param i32) (result i32) (call $"app[0123456789abcdef]::pages::later::door" (local.get 0)))
  (func $main_by_table (export "main_by_table") (param i32 i32) (result i32)
    (call_indirect (type $unary) (local.get 0) (local.get 1)))
  (func $main_by_either (export "main_by_either") (param i32) (result i32)
    (call $"app[0123456789abcdef]::pages::later::door_in_table" (local.get 0)))
  (func $main_at_once (export "main_at_once") (result i32) (call $"app[0123456789abcdef]::pages::later::wanted_at_once"))
  (func $main_wide (export "main_wide") (param f64 i32 i64) (result i64)
    (call $"app[0123456789abcdef]::pages::later::wide_door" (local.get 0) (local.get 1) (local.get 2)))
  (func $stack_pointer (export "stack_pointer") (result i32) (global.get $stack))

  (func $"app[0123456789abcdef]::pages::later::door" (param i32) (result i32)
    (global.set $stack (i32.sub (global.get $stack) (i32.const 16)))
    (i32.store (i32.const 12) (call $helper_of_later (i32.load8_u (i32.const 8))))
    (call $told (local.get 0))
    (drop (call $helper_in_table))
    (drop (call $helper_exported))
    (i32.add (call $plain (local.get 0)) (call_indirect (type $unary) (local.get 0) (i32.const 4))))
  (func $"app[0123456789abcdef]::pages::later::in_table" (param i32) (result i32) (i32.add (global.get $hundred) (local.get 0)))
  (func $"app[0123456789abcdef]::pages::later::door_in_table" (param i32) (result i32) (i32.add (i32.const 200) (local.get 0)))
  (func $"app[0123456789abcdef]::pages::later::again_in_table" (param i32) (result i32) (i32.add (i32.const 300) (local.get 0)))
  (func $"app[0123456789abcdef]::pages::later::wide_door" (param f64 i32 i64) (result i64)
    (i64.add (local.get 2) (i64.add (i64.extend_i32_s (local.get 1)) (i64.trunc_f64_s (local.get 0)))))
  (func $"app[0123456789abcdef]::pages::later::wanted_at_once" (result i32) (call $helper_at_once))

  (func $helper_of_later (param i32) (result i32) (call $helper_of_helper (local.get 0)))
  (func $helper_of_helper (param i32) (result i32)
    (if (result i32) (i32.gt_u (local.get 0) (i32.const 100))
      (then (local.get 0))
      (else (call $helper_of_helper (i32.mul (local.get 0) (i32.const 3))))))
  (func $helper_at_once (result i32) (i32.const 9))
  (func $helper_in_table (result i32) (i32.const 1))
  (func $helper_exported (export "helper") (result i32) (i32.const 1))
  (func $twice (param i32) (result i32) (i32.mul (local.get 0) (i32.const 2)))
  (func $plain (param i32) (result i32) (i32.add (local.get 0) (i32.const 5))))`;

const IS_LATER = /\bpages::later::/;
const DOORS = ["pages::later::door", "pages::later::door_in_table", "pages::later::wide_door"];

const root = mkdtempSync(join(tmpdir(), "split-"));
const scratch = join(root, "scratch");
after(() => rmSync(root, { recursive: true }));

function assembled(text = TEXT) {
  binaryen.setDebugInfo(true);
  const module = binaryen.parseText(text);
  try {
    return Buffer.from(module.emitBinary());
  } finally {
    module.dispose();
    binaryen.setDebugInfo(false);
  }
}

/** The names of the functions of both parts. */
function divided(text, isLater = IS_LATER, doors = DOORS) {
  const path = `${scratch}-named.wasm`;
  writeFileSync(path, assembled(text));
  const parts = divide(run("wasm-dis", [path]), isLater, doors);
  rmSync(path);
  const names = (part) => [...part.matchAll(/^ \(func \$"?(?:app\[\w+\]::)?([\w:-]+)/gm)].map(([, name]) => name);
  return { first: names(parts.first), later: names(parts.later) };
}

/** The first part as it runs; `arrive` brings the rest. */
function running() {
  const heard = [];
  const { first, later } = split(assembled(), IS_LATER, DOORS, scratch);
  const { exports } = new WebAssembly.Instance(new WebAssembly.Module(first), { m: { told: (number) => heard.push(number) } });
  const arrive = () => new WebAssembly.Instance(new WebAssembly.Module(later([])), { first: exports });
  return { exports, heard, arrive };
}

describe("two parts of a module", () => {
  it("are one program as soon as the second has come, and until then its doors end it", () => {
    const { exports, heard, arrive } = running();
    const calls = {
      "by name": [() => exports.main(3), 3 + 5 + 2 * 3],
      "by name or table": [() => exports.main_by_either(3), 203],
      "by the table, what is no door": [() => exports.main_by_table(3, 2), 103],
      "by the table, a door": [() => exports.main_by_table(3, 3), 203],
      "by the table, apart from the others": [() => exports.main_by_table(3, 5), 303],
      "with more than one parameter": [() => exports.main_wide(1.5, -3, 2n ** 40n), 2n ** 40n - 2n],
    };
    for (const [how, [call]] of Object.entries(calls)) assert.throws(call, WebAssembly.RuntimeError, how);
    assert.equal(exports.main_at_once(), 9);
    assert.equal(exports.main_by_table(3, 4), 6);

    arrive();
    for (const [how, [call, result]] of Object.entries(calls)) assert.equal(call(), result, how);
    assert.equal(exports.main_at_once(), 9);
    assert.equal(exports.main_by_table(3, 4), 6);
    assert.deepEqual(heard, [3]);
  });

  it("share memory and what changes outside of it", () => {
    const { exports, arrive } = running();
    arrive();
    const memory = new Uint8Array(exports.memory.buffer);
    memory[8] = 40;
    exports.main(0);
    assert.equal(memory[12], 120);
    exports.main(0);
    assert.equal(exports.stack_pointer(), 1024 - 2 * 16);
  });

  it("find each other where the first has other names by now, and leave nothing behind", () => {
    const { first, later } = split(assembled(), IS_LATER, DOORS, scratch);
    const exported = WebAssembly.Module.exports(new WebAssembly.Module(first)).map(({ name }) => name);
    const renamed = WebAssembly.Module.imports(new WebAssembly.Module(later(exported.map((name, at) => [name, `n${at}`]))));
    assert.ok(renamed.length > 5);
    for (const { module, name } of renamed) assert.match(`${module} ${name}`, /^first n\d+$/);
    assert.deepEqual(readdirSync(root), []);
  });
});

describe("the second part", () => {
  const { first, later } = divided();

  it("has what its name puts there, and what nobody else needs", () => {
    const helpers = ["helper_of_later", "helper_of_helper"];
    const named = [...DOORS, "pages::later::in_table", "pages::later::again_in_table"];
    assert.deepEqual([...later].sort(), [...named, ...helpers].sort());
    for (const name of helpers) assert.ok(!first.includes(name), name);
  });

  it("has nothing that the first calls by itself, and nothing that is exported or in the table", () => {
    for (const name of ["pages::later::wanted_at_once", "helper_at_once", "helper_in_table", "helper_exported", "plain", "twice"]) {
      assert.ok(first.includes(name) && !later.includes(name), name);
    }
  });

  it("counts a call in the last place as one", () => {
    const text = `(module
 (table $0 2 2 funcref)
 (elem $0 (i32.const 1) $main)
 (memory $0 1)
 (export "memory" (memory $0))
 (func $main (return_call $"app[0123456789abcdef]::pages::later::wanted_at_once"))
 (func $"app[0123456789abcdef]::pages::later::wanted_at_once" (call $helper))
 (func $"app[0123456789abcdef]::pages::later::door" (return_call $helper_of_later))
 (func $helper (nop))
 (func $helper_of_later (nop))
)
`;
    const parts = divide(text, IS_LATER, ["pages::later::door"]);
    assert.match(parts.first, /\(func \$helper /);
    assert.match(parts.later, /\(func \$helper_of_later /);
    assert.doesNotMatch(parts.later, /\(func \$helper /);
  });

  it("is refused where there is none, or where a door is missing", () => {
    const nothing = { message: "No function is called /nowhere::/: nothing would come later." };
    assert.throws(() => divided(TEXT, /nowhere::/, []), nothing);
    const missing = {
      message: "Of the functions pages::later::door, pages::later::gone the module has 1: mark them #[inline(never)].",
    };
    assert.throws(() => divided(TEXT, IS_LATER, ["pages::later::door", "pages::later::gone"]), missing);
  });

  it("is refused where there are two tables", () => {
    const text = TEXT.replace("(table 7 7 funcref)", "(table 7 7 funcref) (table $other 1 1 funcref)");
    assert.throws(() => divided(text), { message: /more than one table/ });
  });
});
