#!/usr/bin/env node
// What the bytes of the last `make dist` are, function by function: `node scripts/sizes.mjs [workbench|minimal|sandbox_worker]`.
//
// The module is optimised as for the site, but keeps its names. Octets here are those of the module, not of what is sent:
// brotli makes less than half of them, and next to nothing of what is there twice. So a number here says where to look, and
// `make dist` whether it was worth it.

import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { functionSizes, groupOf } from "./dist.d/functions.mjs";
import { optimisedWithNames } from "./dist.d/shrink.mjs";

const MOST = 60;
const binary = process.argv[2] ?? "workbench";
const target = process.env.CARGO_TARGET_DIR ?? new URL("../target", import.meta.url).pathname;
const bound = join(target, `wasm-bindgen/release/${binary}`);
if (!existsSync(`${bound}_bg.wasm`)) {
  console.error(`There is no ${bound}_bg.wasm: run make dist first, and name workbench, minimal or sandbox_worker.`);
  process.exit(1);
}

const root = mkdtempSync(join(tmpdir(), "sizes-"));
try {
  const { functions, data } = functionSizes(optimisedWithNames(bound, join(root, "named.wasm")));
  const code = functions.reduce((total, { octets }) => total + octets, 0);
  console.log(`${functions.length} functions of ${code} octets, and ${data} octets of data.\n`);
  const sums = new Map();
  for (const { name, octets } of functions) sums.set(groupOf(name), (sums.get(groupOf(name)) ?? 0) + octets);
  const groups = [...sums].map(([name, octets]) => ({ name, octets }));
  for (const list of [groups, functions]) {
    for (const { name, octets } of list.sort((a, b) => b.octets - a.octets).slice(0, MOST)) {
      console.log(String(octets).padStart(8), name.slice(0, 160));
    }
    console.log();
  }
} finally {
  rmSync(root, { recursive: true });
}
