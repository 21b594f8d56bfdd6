# Command-line tools: the two of a WebAssembly build, and those that look for what the tests miss. One of the right version
# on PATH is used; otherwise it is built into .tools/bin, quickly rather than to run fast: they wait for the compiler most of
# the time.

ensure_tools() {
  check_wasm_bindgen_pin
  # Without --locked: the lock file published with it names a version that cannot be had any more.
  ensure_tool wasm-bindgen "$WASM_BINDGEN" "makes JavaScript and WebAssembly meet" wasm-bindgen-cli
  # Its optional features fetch tools and look for newer versions; the set-up has done the first and pinned the second.
  ensure_tool trunk "$TRUNK" "builds and serves the site" trunk --locked --no-default-features
  rm -rf .tools/build
}

# Finds inputs that break a parser; its engine is compiled with it.
ensure_fuzzer() {
  have c++ || ! have apt-get || ensure_packages "$DEBIAN_CXX"
  have c++ || fail "a C++ compiler is missing: install one and put it on PATH as c++, then run this again."
  ensure_tool cargo-fuzz "$CARGO_FUZZ" "looks for inputs that break a parser" cargo-fuzz --locked
  rm -rf .tools/build
}

# Changes the code and sees whether a test notices.
ensure_mutator() {
  ensure_tool cargo-mutants "$CARGO_MUTANTS" "looks for code that no test minds" cargo-mutants --locked
  rm -rf .tools/build
}

# ensure_tool COMMAND VERSION PURPOSE CRATE [OPTION…]
ensure_tool() {
  local command=$1 version=$2 purpose=$3 crate=$4 found
  shift 4
  found=$(version_line "$command" | cut -d' ' -f2) || true
  if [ "$found" = "$version" ]; then
    say "$command" "$version $purpose"
    return
  fi
  say "$command" "building $version, which $purpose (some minutes, once${found:+; $found on PATH does not fit})"
  logged "$crate" env \
    CARGO_TARGET_DIR=.tools/build CARGO_PROFILE_RELEASE_OPT_LEVEL=1 CARGO_PROFILE_RELEASE_LTO=off \
    CARGO_PROFILE_RELEASE_CODEGEN_UNITS=16 CARGO_PROFILE_RELEASE_DEBUG=false \
    cargo install --root .tools --force "$crate" --version "$version" "$@" ||
    fail "$crate $version could not be built: the lines above say why; if it is the network, a $command $version on PATH" \
      "is used instead."
}

# A command of cargo's may want to hear its own name first.
version_line() { "$1" --version 2>/dev/null || "$1" "${1#cargo-}" --version 2>/dev/null; }

# The tool refuses to work on what another version of the crate has produced, and says so late in the build.
check_wasm_bindgen_pin() {
  [ -f Cargo.lock ] || return 0
  local locked
  locked=$(sed -n '/^name = "wasm-bindgen"$/{n;s/^version = "\(.*\)"$/\1/p;}' Cargo.lock)
  [ -z "$locked" ] || [ "$locked" = "$WASM_BINDGEN" ] ||
    fail "Cargo.lock has wasm-bindgen $locked, but scripts/versions.sh pins $WASM_BINDGEN: make them the same."
}

# Trunk builds offline (it must not fetch tools), and so cargo does too: the crates are fetched beforehand.
ensure_crates() {
  local host
  host=$(rustc -vV | sed -n 's/^host: //p')
  logged crates cargo fetch --locked --target "$TARGET" --target "$host" ||
    fail "cargo could not fetch the crates that Cargo.lock names: check the network, then run this again."
  # What the standard library itself is made of; dist.d/library.mjs says what it is for.
  has_library_source && logged library-crates env RUSTC_BOOTSTRAP=1 CARGO_UNSTABLE_BUILD_STD=std,panic_abort \
    cargo fetch --locked --target "$TARGET" || true
  say "crates" "match Cargo.lock"
}
