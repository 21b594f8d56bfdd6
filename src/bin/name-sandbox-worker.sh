#!/bin/sh
# Run by Trunk after each build (Trunk.toml). Trunk gives a worker's files no hash; here they get one, and the Service
# Worker's script, which must keep its own name, names them by it: so browsers notice a new build.

set -eu
cd "$TRUNK_STAGING_DIR"
script=sandbox-service-worker.js
[ -f "$script" ] || exit 0

hash_of() { { sha256sum "$1" 2>/dev/null || shasum -a 256 "$1"; } | cut -c1-16; }

# name_by_hash OLD BEFORE AFTER: OLD becomes BEFORE, its hash, AFTER; the script follows.
name_by_hash() {
  new=$2$(hash_of "$1")$3
  mv "$1" "$new"
  sed "s/\"$1\"/\"$new\"/" "$script" >"$script.new"
  mv "$script.new" "$script"
}

name_by_hash sandbox_worker.js sandbox_worker- .js
name_by_hash sandbox_worker_bg.wasm sandbox_worker- _bg.wasm
