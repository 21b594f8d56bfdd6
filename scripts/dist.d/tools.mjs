// How the tools for WebAssembly are called.

import { execFileSync } from "node:child_process";

/** What Rust's target has by default: what else these tools know, a browser may not. */
export const FEATURES = [
  "--mvp-features",
  ..."bulk-memory bulk-memory-opt multivalue mutable-globals nontrapping-float-to-int reference-types sign-ext"
    .split(" ")
    .map((feature) => `--enable-${feature}`),
];

/** Runs one; returns what it prints. */
export const run = (command, args) => execFileSync(command, args, { encoding: "utf8", maxBuffer: 2 ** 30, stdio: ["ignore", "pipe", "inherit"] });
