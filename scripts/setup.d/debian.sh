# The Debian way to a wasm32 target: the distribution's compiler, and a standard library built from its source.

use_debian() {
  have dpkg-query && have apt-get ||
    fail "no Rust here can build for $TARGET: install Rust with rustup (see rust-lang.org), then run" \
      "\"rustup target add $TARGET\" and this again."
  say "rust" "using Debian's packages: $DEBIAN_RUST $DEBIAN_LINKER"
  ensure_packages "$DEBIAN_RUST $DEBIAN_LINKER"
  store_debian_environment
  . .tools/env
  target_works || build_standard_library
  target_works || fail "Debian's Rust cannot build for $TARGET: see .tools/log/standard-library.log."
  say "rust" "$(rust_version) builds for $TARGET (from Debian's packages, see .tools/env)"
}

# With rustup, the packaged compiler becomes one of its toolchains; without it, links in .tools/bin lead to it.
store_debian_environment() {
  if have rustup; then
    rustup run debian rustc --version >/dev/null 2>&1 || logged rustup-link rustup toolchain link debian /usr ||
      fail "rustup could not link Debian's compiler: see the lines above."
  else
    mkdir -p .tools/bin
    local command
    for command in rustc rustdoc cargo cargo-clippy clippy-driver cargo-fmt rustfmt; do
      ln -sf "/usr/bin/$command" ".tools/bin/$command"
    done
  fi
  write .tools/env <<END
# Written by scripts/setup: this project builds with the Rust of Debian's packages.
export RUSTUP_TOOLCHAIN=debian
export CARGO_TARGET_WASM32_UNKNOWN_UNKNOWN_LINKER=$DEBIAN_LINKER_COMMAND
END
}

# Builds std as a dependency of an empty crate and puts it where the compiler looks, so that from then on the target is
# an ordinary one. RUSTC_BOOTSTRAP admits the unstable flag; nothing that is built later needs it.
build_standard_library() {
  say "rust" "building the standard library for $TARGET (a minute or two, once)"
  may_be_root || fail "root is needed once, to put the library beside the compiler: run this as root, or after \"sudo true\"."
  local crate=.tools/standard-library libraries
  libraries=$(/usr/bin/rustc --print target-libdir --target "$TARGET")
  rm -rf "$crate"
  mkdir -p "$crate"
  printf '[package]\nname = "empty"\nversion = "0.0.0"\nedition = "2021"\n[lib]\npath = "lib.rs"\n[workspace]\n' >"$crate/Cargo.toml"
  echo '#![no_std]' >"$crate/lib.rs"
  logged standard-library env \
    RUSTC_BOOTSTRAP=1 RUSTC=/usr/bin/rustc CARGO_TARGET_DIR="$crate/target" \
    RUSTFLAGS="-Zforce-unstable-if-unmarked -Cembed-bitcode=yes" \
    /usr/bin/cargo build --release --manifest-path "$crate/Cargo.toml" --target "$TARGET" \
    -Z build-std=std,panic_abort,panic_unwind,test,proc_macro ||
    fail "the standard library could not be built: the lines above say why; its dependencies come from cargo's registry."
  # An older compiler's library would be found first and refused.
  as_root rm -rf "$libraries"
  as_root mkdir -p "$libraries"
  find "$crate/target/$TARGET/release/deps" -name '*.rlib' ! -name 'libempty-*' |
    while read -r library; do as_root cp "$library" "$libraries/"; done
  rm -rf "$crate"
}

# ensure_packages "NAME…": installs what is missing.
ensure_packages() {
  local missing="" package
  for package in $1; do
    dpkg-query -W -f '${Status}' "$package" 2>/dev/null | grep -q 'ok installed' || missing="$missing $package"
  done
  [ -n "$missing" ] || return 0
  may_be_root || fail "root is needed once: have root run \"apt-get install --no-install-recommends$missing\", then run this again."
  say "apt" "installing$missing"
  # The package lists of a fresh machine are empty or old: fetch them when the first attempt fails.
  apt_get install $missing >/dev/null 2>&1 ||
    { logged apt-update apt_get update && logged apt-install apt_get install $missing; } ||
    fail "apt could not install$missing: the lines above say why (network, sources, or another apt at work)."
}

apt_get() {
  as_root env DEBIAN_FRONTEND=noninteractive \
    apt-get -q -y -o DPkg::Lock::Timeout=120 "$1" --no-install-recommends "${@:2}" </dev/null
}

may_be_root() { [ "$(id -u)" -eq 0 ] || { have sudo && sudo -n true 2>/dev/null; }; }

as_root() {
  if [ "$(id -u)" -eq 0 ]; then "$@"; else sudo -n "$@"; fi
}
