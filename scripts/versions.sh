# Every version that the set-up installs or insists on. The npm packages (wasm-opt among them) are in package.json.

# oidc-provider, the development server, needs crypto.hash.
NODE_LEAST=20.12

# The command-line tool must be of exactly the version that Cargo.lock has of the crate; the set-up checks that it is.
WASM_BINDGEN=0.2.130
TRUNK=0.21.14
CARGO_FUZZ=0.13.2
CARGO_MUTANTS=27.1.0

# Debian's compiler with its library source, and a linker for wasm32: for machines where rustup cannot fetch a target.
DEBIAN_RUST="rustc-web cargo-web rust-web-src rust-web-clippy rustfmt-web"
DEBIAN_LINKER=lld-22
DEBIAN_LINKER_COMMAND=wasm-ld-22

# Fonts, because a text without any has no width, and tests measure layouts.
DEBIAN_BROWSER="chromium chromium-driver chromium-headless-shell fonts-dejavu-core"

# The fuzzer's engine is C++.
DEBIAN_CXX="g++"
