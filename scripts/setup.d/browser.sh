# Chromium and ChromeDriver, for the tests. Paths differ from machine to machine, so what was found goes into two
# generated files: .tools/env-browser (read by env.sh) and webdriver.json (read by wasm-bindgen's test runner).

ensure_browser() {
  local chromium chromedriver
  if ! find_browser; then
    have apt-get ||
      fail "Chromium or ChromeDriver is missing: install both in the same version and put them on PATH, then run this again."
    ensure_packages "$DEBIAN_BROWSER"
    find_browser || fail "Chromium or ChromeDriver is still missing: install both in the same version, then run this again."
  fi
  # The same engine without the rest of a browser: half the time for what need not be seen in both.
  local headless_shell
  have chromium-headless-shell || ! have apt-get || ! may_be_root || apt_get install chromium-headless-shell >/dev/null 2>&1 || true
  headless_shell=$(first_command "${CHROMIUM_HEADLESS_SHELL:-}" chromium-headless-shell) || headless_shell=$chromium
  say "chromium" "$chromium and $chromedriver run the tests"

  write .tools/env-browser <<END
# Written by scripts/setup: the browser that the tests found.
export CHROMIUM=$chromium
export CHROMEDRIVER=$chromedriver
export CHROMIUM_HEADLESS_SHELL=$headless_shell
END
  # A browser's sandbox refuses to run as root, as test machines often do.
  local sandbox=""
  [ "$(id -u)" -ne 0 ] || sandbox='"--no-sandbox", '
  write webdriver.json <<END
{
  "goog:chromeOptions": {
    "binary": "$chromium",
    "args": [
      "--headless=new", $sandbox"--disable-gpu", "--no-first-run", "--disable-background-networking",
      "--disable-component-update", "--disable-sync", "--disable-quic", "--disable-dev-shm-usage"
    ]
  }
}
END
}

# Sets the caller's `chromium` and `chromedriver`. CHROMIUM and CHROMEDRIVER in the environment go first.
find_browser() {
  chromium=$(first_command "${CHROMIUM:-}" chromium chromium-browser google-chrome) &&
    chromedriver=$(first_command "${CHROMEDRIVER:-}" chromedriver chromium.chromedriver)
}

first_command() {
  local name
  for name in "$@"; do
    [ -n "$name" ] && command -v "$name" && return
  done
  return 1
}
