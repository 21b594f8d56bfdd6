// What is known of the functions of a module, and the order that they are put in.

import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, describe, it } from "node:test";
import binaryen from "binaryen";
import { functionSizes, groupOf } from "./functions.mjs";
import { likeAfterLike, orderFunctions } from "./order.mjs";

const TEXT = `(module
  (import "m" "told" (func $told (param i32)))
  (table 4 funcref)
  (elem (i32.const 1) $long $short $other)
  (memory 1)
  (data (i32.const 8) "twelve octets")
  (func $long (param i32) (result i32) (i32.add (i32.mul (local.get 0) (i32.const 3)) (i32.const 4)))
  (func $short (result i32) (i32.const 7))
  (func $other (param i32) (result i32) (i32.add (i32.mul (local.get 0) (i32.const 3)) (i32.const 5)))
  (func $main (export "main") (result i32)
    (call $told (call $short))
    (i32.add (call $long (i32.const 1)) (call_indirect (param i32) (result i32) (i32.const 2) (i32.const 3)))))`;

const root = mkdtempSync(join(tmpdir(), "functions-"));
after(() => rmSync(root, { recursive: true }));

function assembled({ named }) {
  binaryen.setDebugInfo(named);
  const module = binaryen.parseText(TEXT);
  try {
    return Buffer.from(module.emitBinary());
  } finally {
    module.dispose();
    binaryen.setDebugInfo(false);
  }
}

describe("the functions of a module", () => {
  it("are listed with their lengths and names, imports apart", () => {
    const { functions, data } = functionSizes(assembled({ named: true }));
    assert.deepEqual(functions.map(({ name }) => name), ["long", "short", "other", "main"]);
    const [long, short, other] = functions.map(({ octets }) => octets);
    assert.ok(long === other && short < long);
    assert.ok(data > "twelve octets".length);
  });

  it("belong to the module of ours that their name has, or to the first of all", () => {
    assert.equal(groupOf("<alloc[0123456789abcdef]::vec::Vec<leptos_pkce[0123456789abcdef]::protocol::json::Value>>::push"), "leptos_pkce::protocol::json");
    assert.equal(groupOf("<core[0123456789abcdef]::fmt::Formatter>::pad"), "core");
    assert.equal(groupOf("main"), "main");
  });

  it("do in another order what they did", () => {
    const path = join(root, "ordered.wasm");
    writeFileSync(path, assembled({ named: false }));
    orderFunctions(path);
    for (const octets of [assembled({ named: false }), readFileSync(path)]) {
      const heard = [];
      const { exports } = new WebAssembly.Instance(new WebAssembly.Module(octets), { m: { told: (number) => heard.push(number) } });
      // 1 · 3 + 4, and 2 · 3 + 5 by way of the table.
      assert.equal(exports.main(), 18);
      assert.deepEqual(heard, [7]);
    }
    // The smallest first.
    const [first, ...rest] = functionSizes(readFileSync(path)).functions.map(({ octets }) => octets);
    assert.ok(rest.every((octets) => octets > first));
  });
});

describe("an order in which like follows like", () => {
  it("begins with the smallest, and has each once", () => {
    const features = ["abcd", "xy", "abce", "xyz"].map((letters) => new Set(letters));
    assert.deepEqual(likeAfterLike(features), [1, 3, 0, 2]);
    assert.deepEqual(likeAfterLike([new Set(), new Set(), new Set()]), [0, 1, 2]);
    assert.deepEqual(likeAfterLike([]), []);
  });
});
