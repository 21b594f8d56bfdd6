// The release build compiles the standard library too: for size, and without the text of panics. That is a fifth of
// what a sign-in loads. Both are still unstable in Rust, so RUSTC_BOOTSTRAP admits them, for this build alone; a panic
// then ends the program at once, and src/start.js shows the crash screen. Nothing in the code depends on it: without
// the library's source (`rustup component add rust-src`) the build is an ordinary one, and larger.

import { execFileSync } from "node:child_process";
import { createHash } from "node:crypto";
import { existsSync, mkdirSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";

// What LLVM weighs when it copies code into its callers, or moves it, for a module that is sent compressed: measured, each
// on its own. A compiler that no longer knows one of them says so.
const WEIGHTS = [
  "inline-threshold=10",
  "inline-call-penalty=25",
  "enable-load-pre=false",
  "disable-licm-promotion",
  "disable-lsr",
  "jump-threading-across-loop-headers",
  // A value is moved by one instruction, not by one for every eight of its octets.
  "max-store-memcpy=1",
  "max-store-memmove=1",
  "max-store-memset=1",
];

// A dependency of Leptos brings classes for streams to each page. They serve its server functions, which a site of static
// files cannot have; exported, they and all that they use would stay.
const NEVER_CALLED = "*intounderlying*";

/**
 * Environment variables for cargo. Functions that compile to the same code stay apart until `shrink` has taken out those
 * that nobody calls.
 *
 * The weights count where everything is put together, which is where the program itself is compiled, and do harm before. To
 * cargo a program's flags are its packages' flags, so the compiler is called by a script that adds them; and the linker by
 * one that leaves exports out.
 *
 * @param {string} directory where these scripts may stand
 */
export function smallLibrary(directory) {
  const flags = WEIGHTS.map((weight) => `-Cllvm-args=-${weight}`).join(" ");
  return {
    RUSTC_BOOTSTRAP: "1",
    RUSTC_WORKSPACE_WRAPPER: script(directory, "rustc", `case " $* " in *" --crate-type bin "*) set -- "$@" ${flags} ;; esac\nexec "$@"`),
    CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_LINKER: script(directory, "wasm-ld", withoutExports(bundledLinker())),
    CARGO_UNSTABLE_BUILD_STD: "std,panic_abort",
    CARGO_UNSTABLE_BUILD_STD_FEATURES: "optimize_for_size",
    CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_RUSTFLAGS: [
      "-Zunstable-options -Cpanic=immediate-abort -Zlocation-detail=none -Zfmt-debug=none -Zmerge-functions=disabled",
      // JavaScript keeps the values that the module holds, in a list of its own: less code than a table of the module's.
      "-Ctarget-feature=-reference-types",
    ].join(" "),
  };
}

/** Writes an executable script below a name of what it says: cargo builds anew where the name has changed. */
function script(directory, name, body) {
  const place = join(directory, `${name}-${createHash("sha256").update(body).digest("hex").slice(0, 16)}`);
  mkdirSync(place, { recursive: true });
  // The compiler goes by the name of its linker.
  const path = join(place, name);
  // Another build may be calling it.
  if (!existsSync(path)) {
    const written = `${path}-${process.pid}`;
    writeFileSync(written, `#!/bin/sh\n${body}\n`, { mode: 0o755 });
    renameSync(written, path);
  }
  return path;
}

/** The body of a script that calls the linker, and takes each `--export NAME` of the kind out. */
function withoutExports(linker) {
  return `left=$#
while [ $left -gt 0 ]; do
  argument=$1; shift; left=$((left - 1))
  if [ "$argument" = --export ]; then
    name=$1; shift; left=$((left - 1))
    case $name in ${NEVER_CALLED}) ;; *) set -- "$@" --export "$name" ;; esac
  else
    set -- "$@" "$argument"
  fi
done
exec '${linker.replaceAll("'", `'\\''`)}' "$@"`;
}

/** The linker that comes with Rust, if it does. */
function bundledLinker() {
  const [, host] = /^host: (.*)$/m.exec(execFileSync("rustc", ["-vV"], { encoding: "utf8" })) ?? [];
  const path = join(sysroot(), "lib/rustlib", host ?? "", "bin/rust-lld");
  return existsSync(path) ? path : undefined;
}

const sysroot = () => execFileSync("rustc", ["--print", "sysroot"], { encoding: "utf8" }).trim();

/** Are the source of the standard library and the linker there, without which the build is an ordinary one? */
export function hasSmallLibrary() {
  if (existsSync(join(sysroot(), "lib/rustlib/src/rust/library/Cargo.lock")) && bundledLinker()) return true;
  console.warn("warning: Rust's library source or its own linker is not installed, so the build will be a fifth larger than it need be.");
  return false;
}
