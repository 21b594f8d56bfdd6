# Rust with a standard library for wasm32-unknown-unknown. Three ways, in this order:
#
# 1. the active toolchain has the target already;
# 2. `rustup target add`;
# 3. Debian's packages, see debian.sh: for machines where rustup is absent or cannot fetch anything.
#
# LEPTOS_PKCE_TOOLCHAIN decides otherwise: `rustup` (1 and 2 only), `debian` (3 only), `auto` (the default).
# What the third way needs in the environment is kept in .tools/env, which env.sh reads, and is used from then on;
# remove that file, or set the variable, to decide anew.

TARGET=wasm32-unknown-unknown

ensure_rust() {
  local choice=${LEPTOS_PKCE_TOOLCHAIN:-auto}
  case $choice in
    auto)
      use_stored_environment && return
      use_active_toolchain && return
      use_rustup && return
      use_debian
      ;;
    rustup)
      forget_stored_environment
      use_active_toolchain && return
      use_rustup || fail "rustup could not add $TARGET: check the network, or let LEPTOS_PKCE_TOOLCHAIN be auto."
      ;;
    debian)
      use_debian
      ;;
    *) fail "LEPTOS_PKCE_TOOLCHAIN is \"$choice\": set it to auto, rustup or debian." ;;
  esac
}

use_stored_environment() {
  [ -f .tools/env ] || return 1
  if (. .tools/env && target_works); then
    . .tools/env
    say "rust" "$(rust_version) builds for $TARGET (from Debian's packages, see .tools/env)"
  else
    forget_stored_environment
    return 1
  fi
}

use_active_toolchain() {
  target_works || return 1
  say "rust" "$(rust_version) builds for $TARGET"
}

use_rustup() {
  have rustup || return 1
  say "rust" "adding the target $TARGET with rustup"
  mkdir -p .tools/log
  if within 180 rustup target add "$TARGET" >.tools/log/rustup.log 2>&1 </dev/null && target_works; then return; fi
  say "rust" "rustup could not add it (see .tools/log/rustup.log)"
  return 1
}

# The source of the standard library, which the release build compiles for size. Nothing else needs it.
ensure_library_source() {
  has_library_source && return
  say "rust" "adding the standard library's source, which the release build compiles for size"
  have rustup && logged rust-src within 180 rustup component add rust-src </dev/null && has_library_source ||
    say "rust" "could not add it: the release build will be larger, everything else is the same"
}

has_library_source() { [ -f "$(rustc --print sysroot)/lib/rustlib/src/rust/library/Cargo.lock" ]; }

# Formatting and lints, which a minimal rustup profile lacks.
ensure_rust_components() {
  cargo fmt --version >/dev/null 2>&1 && cargo clippy --version >/dev/null 2>&1 && return
  say "rust" "adding rustfmt and clippy, which make test runs"
  have rustup && logged rustup-components within 180 rustup component add rustfmt clippy </dev/null ||
    fail "rustfmt or clippy is missing: install both for $(rust_version), then run this again."
}

# The honest test: compile and link something that needs the library.
target_works() {
  local linker=${CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_LINKER:-}
  have rustc && have cargo || return 1
  echo 'pub fn f() -> String { String::new() }' |
    rustc --target "$TARGET" --crate-type cdylib ${linker:+-Clinker=$linker} -o .tools/target-works.wasm - \
      >/dev/null 2>&1 && rm .tools/target-works.wasm
}

rust_version() { rustc --version | cut -d' ' -f2; }

forget_stored_environment() {
  rm -f .tools/env
  find .tools/bin -type l -delete 2>/dev/null || true
  # The caller's shell may have sourced env.sh while the file was there.
  [ "${RUSTUP_TOOLCHAIN:-}" != debian ] || unset RUSTUP_TOOLCHAIN
  [ "${CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_LINKER:-}" != "$DEBIAN_LINKER_COMMAND" ] ||
    unset CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_LINKER
}
