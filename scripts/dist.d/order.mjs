// Functions in an order in which like follows like: a compressor finds what it has seen in the neighbourhood sooner and says
// it in fewer bits. One to two percent of a module, which then does exactly what it did.

import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { FEATURES, run } from "./tools.mjs";

const FUNCTION = /^ \(func (\$[^\s()]+)/gm;
// Wherever a function is named: defined, exported, called, referred to; and the lists that fill the table.
const NAMED = /(\((?:func|call|return_call|ref\.func|start) )(\$[^\s()]+)/g;
const TABLE = /^ \(elem .*$/gm;

/** Puts the functions of a module in order, in place. Its imports, exports and table stay what they are. */
export function orderFunctions(path) {
  const text = run("wasm-dis", [path]);
  const starts = [...text.matchAll(FUNCTION)];
  const bodies = starts.map(({ index }, at) => text.slice(index, starts[at + 1]?.index));
  const names = new Map(likeAfterLike(bodies.map(runs)).map((at, place) => [starts[at][1], `$f${String(place).padStart(6, "0")}`]));
  const named = text
    .replace(NAMED, (_, before, name) => before + (names.get(name) ?? name))
    // The first name is that of the list.
    .replace(TABLE, (list) => list.replace(/(?<=\) .*)\$[^\s()]+/g, (name) => names.get(name) ?? name));
  const written = `${path}.wat`;
  writeFileSync(written, named);
  run("wasm-as", [...FEATURES, "--debuginfo", written, "--output", path]);
  rmSync(written);
  run("wasm-opt", [path, ...FEATURES, "--reorder-functions-by-name", "--strip-debug", "--output", path]);
  if (!WebAssembly.validate(readFileSync(path))) throw new Error("The module is none any more after its functions were ordered.");
}

// How many functions before one count in what it should be like, and by how much less each earlier one does: measured.
const MEMORY = 6;
const FADING = 0.3;

/**
 * An order of the indices: the smallest first, and then always the one that is most like the last few.
 *
 * @param {Set<string>[]} features what each has
 */
export function likeAfterLike(features) {
  const left = new Set(features.keys());
  const order = [];
  let next = features.reduce((least, { size }, at) => (size < features[least].size ? at : least), 0);
  while (left.size) {
    order.push(next);
    left.delete(next);
    const last = order.slice(-MEMORY).reverse();
    let most = -1;
    for (const at of left) {
      const likeness = last.reduce((sum, before, ago) => sum + FADING ** ago * jaccard(features[before], features[at]), 0);
      if (likeness > most) [most, next] = [likeness, at];
    }
  }
  return order;
}

/** What both have, as a share of what either has. */
function jaccard(a, b) {
  const [few, many] = a.size < b.size ? [a, b] : [b, a];
  let both = 0;
  for (const feature of few) both += many.has(feature);
  return both / (a.size + b.size - both + 1);
}

/** The instructions with their operands: each, each with the next, and each with the next two. */
function runs(body) {
  const lines = body.split("\n").slice(1).map((line) => line.trim().replace(/\)+$/, "")).filter(Boolean);
  return new Set([1, 2, 3].flatMap((length) => lines.slice(length - 1).map((_, at) => lines.slice(at, at + length).join("|"))));
}
