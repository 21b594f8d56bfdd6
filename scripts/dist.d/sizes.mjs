// Compressed copies beside the originals, the table of bytes, and the budgets.

import { readFileSync, writeFileSync } from "node:fs";
import { extname, join } from "node:path";
import { brotliCompressSync, constants, gzipSync } from "node:zlib";

// What distances brotli has short codes for, and how much it looks at together: measured for modules like ours.
const FOR_MODULES = {
  [constants.BROTLI_PARAM_LGBLOCK]: 16,
  [constants.BROTLI_PARAM_NPOSTFIX]: 1,
  [constants.BROTLI_PARAM_NDIRECT]: 8,
};

const COMPRESSIBLE = new Set([".css", ".html", ".js", ".json", ".svg", ".txt", ".wasm"]);

/**
 * Writes `.br` and `.gz` files.
 *
 * @returns {{ file: string, bytes: number, gzip: number, brotli: number }[]}
 */
export function compress(root, files) {
  return files.map((file) => {
    const content = readFileSync(join(root, file));
    if (!COMPRESSIBLE.has(extname(file))) return { file, bytes: content.length, gzip: content.length, brotli: content.length };
    const gzip = gzipSync(content, { level: 9 });
    const brotli = brotliCompressSync(content, {
      params: {
        [constants.BROTLI_PARAM_QUALITY]: 11,
        [constants.BROTLI_PARAM_SIZE_HINT]: content.length,
        ...(extname(file) === ".wasm" && FOR_MODULES),
      },
    });
    writeFileSync(join(root, `${file}.gz`), gzip);
    writeFileSync(join(root, `${file}.br`), brotli);
    return { file, bytes: content.length, gzip: gzip.length, brotli: brotli.length };
  });
}

/**
 * Prints the table; `loaded` names what one sign-in loads, which `budget` (kilobytes of brotli) is for.
 *
 * @throws {Error} a sentence, if the budget is exceeded
 */
export function report(sizes, loaded, { title, budget }) {
  const total = sizes
    .filter(({ file }) => loaded.has(file))
    .reduce((sum, { bytes, gzip, brotli }) => ({ bytes: sum.bytes + bytes, gzip: sum.gzip + gzip, brotli: sum.brotli + brotli }), {
      bytes: 0,
      gzip: 0,
      brotli: 0,
    });
  const rows = [
    [title, "bytes", "gzip", "brotli"],
    ...sizes.map(({ file, bytes, gzip, brotli }) => [`${loaded.has(file) ? "*" : " "} ${file}`, bytes, gzip, brotli]),
    ["* what one sign-in loads", total.bytes, total.gzip, total.brotli],
  ];
  const width = Math.max(...rows.map(([name]) => name.length));
  console.log();
  for (const [name, ...numbers] of rows) {
    console.log(name.padEnd(width), ...numbers.map((number) => number.toLocaleString("en").padStart(10)));
  }
  const kilobytes = total.brotli / 1000;
  console.log(`${title}: ${kilobytes.toFixed(1)} KB${budget < Infinity ? ` of ${budget} KB` : ""} (brotli)`);
  if (kilobytes > budget) throw new Error(`${title} has grown past its budget of ${budget} KB: find what has grown (make sizes).`);
}
