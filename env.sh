# Puts this project's tools on PATH: `. ./env.sh`, from the top of the checkout, in bash or any POSIX shell.
# Afterwards plain `trunk serve`, `cargo test --target wasm32-unknown-unknown` and `wasm-opt` work.

if [ -d "$PWD/.tools" ]; then
  case ":$PATH:" in
    *":$PWD/.tools/bin:"*) ;;
    *) export PATH="$PWD/.tools/bin:$PWD/node_modules/.bin:$PATH" ;;
  esac
  # Which Rust and which browser were found on this machine.
  if [ -f .tools/env ]; then . ./.tools/env; fi
  if [ -f .tools/env-browser ]; then . ./.tools/env-browser; fi
else
  echo "env.sh: nothing is set up here; run scripts/setup serve or build, in the top directory of the checkout." >&2
fi
