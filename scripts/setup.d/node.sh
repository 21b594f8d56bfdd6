# Node runs the last step of the release build, the development server and the end-to-end tests.

ensure_node() {
  have node || fail "Node is missing: install Node $NODE_LEAST or newer, then run this again."
  local version
  version=$(node -p process.versions.node)
  printf '%s\n' "$NODE_LEAST" "$version" | sort -C -V ||
    fail "Node $version is too old: install Node $NODE_LEAST or newer, then run this again."
  say "node" "$version runs the release build's last step, the development server and the end-to-end tests"
}

# The lock file's checksum, left in node_modules, tells whether `npm ci` has anything to do.
ensure_npm_packages() {
  local stamp=node_modules/.lock-checksum checksum
  checksum=$(cksum <package-lock.json)
  if [ -f "$stamp" ] && [ "$(cat "$stamp")" = "$checksum" ]; then
    say "npm packages" "match package-lock.json (wasm-opt, test servers, browser control)"
    return
  fi
  have npm || fail "npm is missing: install it (it usually comes with Node), then run this again."
  say "npm packages" "installing what package-lock.json names: wasm-opt, test servers, browser control"
  logged npm npm ci --ignore-scripts --no-progress ||
    fail "npm could not install the packages: check the network or npm's registry setting, then run this again."
  echo "$checksum" >"$stamp"
}
