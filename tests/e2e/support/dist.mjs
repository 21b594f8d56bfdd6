// The built sites that the suite runs against. `make test-e2e` builds them; the environment may name others.

import { existsSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";

/** The top of the checkout. */
export const TOP = dirname(dirname(dirname(dirname(fileURLToPath(import.meta.url)))));

const { LEPTOS_PKCE_DIST = join(TOP, "dist") } = process.env;

/** The workbench for `/`. */
export const app = () => built(LEPTOS_PKCE_DIST, "make dist");

/** examples/minimal for `/`. */
export const minimal = () => built(process.env.LEPTOS_PKCE_DIST_MINIMAL ?? `${LEPTOS_PKCE_DIST}-minimal`, "make dist");

/** The path that the third build is for. */
export const SUB_PATH = "/sub/path/";

/** The workbench for SUB_PATH. */
export const subPath = () =>
  built(process.env.LEPTOS_PKCE_DIST_SUB ?? `${LEPTOS_PKCE_DIST}-sub`, `make dist ONLY=app DIST=dist-sub PUBLIC_URL=${SUB_PATH}`);

function built(directory, command) {
  const root = resolve(directory);
  if (existsSync(join(root, "index.html"))) return root;
  throw new Error(`${root} holds no built site: run \`${command}\` first, or \`make test-e2e\`, which does.`);
}
