// The release build compiles the standard library too: for size, and without the text of panics. That is a fifth of
// what a sign-in loads. Both are still unstable in Rust, so RUSTC_BOOTSTRAP admits them, for this build alone; a panic
// then ends the program at once, and src/start.js shows the crash screen. Nothing in the code depends on it: without
// the library's source (`rustup component add rust-src`) the build is an ordinary one, and larger.

import { execFileSync } from "node:child_process";
import { existsSync } from "node:fs";
import { join } from "node:path";

// What LLVM weighs when it copies code into its callers, or moves it, for a module that is sent compressed: measured, each
// on its own. A compiler that no longer knows one of them says so.
const WEIGHTS = [
  "inline-threshold=10",
  "inline-call-penalty=35",
  "enable-load-pre=false",
  "disable-licm-promotion",
  "disable-lsr",
  "jump-threading-across-loop-headers",
  // A value is moved by one instruction, not by one for every eight of its octets.
  "max-store-memcpy=1",
  "max-store-memmove=1",
  "max-store-memset=1",
];

/**
 * Environment variables for cargo. Functions that compile to the same code stay apart until `shrink`, which goes by their
 * names, has taken out those that nobody calls.
 */
export const smallLibrary = {
  RUSTC_BOOTSTRAP: "1",
  CARGO_UNSTABLE_BUILD_STD: "std,panic_abort",
  CARGO_UNSTABLE_BUILD_STD_FEATURES: "optimize_for_size",
  CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_RUSTFLAGS: [
    "-Zunstable-options -Cpanic=immediate-abort -Zlocation-detail=none -Zfmt-debug=none -Zmerge-functions=disabled",
    // JavaScript keeps the values that the module holds, in a list of its own: less code than a table of the module's.
    "-Ctarget-feature=-reference-types",
    ...WEIGHTS.map((weight) => `-Cllvm-args=-${weight}`),
  ].join(" "),
};

/** Is the source of the standard library there? */
export function librarySource() {
  const sysroot = execFileSync("rustc", ["--print", "sysroot"], { encoding: "utf8" }).trim();
  if (existsSync(join(sysroot, "lib/rustlib/src/rust/library/Cargo.lock"))) return true;
  console.warn("warning: the standard library's source is not installed, so the build will be a fifth larger than it need be.");
  return false;
}
