// Debian's Chromium, started so that nothing but this machine can be reached.

import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { chromium } from "playwright-core";

// The set-up writes both into .tools/env-browser, which env.sh reads. The shell is the same engine without the rest of a
// browser, and takes half the time.
const { CHROMIUM = process.env.CHROME_BIN ?? "/usr/bin/chromium", CHROMIUM_HEADLESS_SHELL = CHROMIUM } = process.env;

const options = {
  executablePath: CHROMIUM,
  headless: true,
  // A browser's sandbox refuses to run as root, as test machines often do.
  chromiumSandbox: process.getuid?.() !== 0,
  args: [
    "--disable-gpu",
    "--disable-background-networking",
    "--no-first-run",
    "--disable-component-update",
    "--disable-sync",
    "--disable-quic",
    "--disable-dev-shm-usage",
  ],
};

/** No name leads anywhere but to this machine. */
const resolving = (names = []) =>
  `--host-resolver-rules=${[...names.map((name) => `MAP ${name} 127.0.0.1`), "MAP * ~NOTFOUND", "EXCLUDE localhost", "EXCLUDE 127.0.0.1"].join(", ")}`;

/**
 * A browser; tests take contexts from it.
 *
 * @param {boolean} isWhole the browser that people use, rather than its engine alone
 */
export function launch(isWhole) {
  return chromium.launch({
    ...options,
    executablePath: isWhole ? CHROMIUM : CHROMIUM_HEADLESS_SHELL,
    args: [...options.args, resolving()],
  });
}

/**
 * A browser with a profile of its own, for settings that a context cannot make.
 *
 * @param {object} preferences what the profile's `Preferences` file says, e.g. that cookies are blocked
 * @param {string[]} [names] further host names of this machine
 */
export async function launchWithPreferences(preferences, names = []) {
  const profile = await mkdtemp(join(tmpdir(), "leptos-pkce-profile-"));
  await mkdir(join(profile, "Default"));
  await writeFile(join(profile, "Default/Preferences"), JSON.stringify(preferences));
  const context = await chromium.launchPersistentContext(profile, { ...options, args: [...options.args, resolving(names)] });
  return {
    context,
    close: async () => {
      await context.close();
      await rm(profile, { recursive: true, force: true });
    },
  };
}
