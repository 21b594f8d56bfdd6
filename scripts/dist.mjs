#!/usr/bin/env node
// The release build: Trunk, then what Trunk does not do. See `make dist`.
//
//   --public-url /sub/path/   where the site will live (default /)
//   --config FILE             bake this config.json in, and let the page talk to its servers only
//   --dist DIRECTORY          where the app goes (default dist); the example goes to DIRECTORY-minimal
//   --only app|minimal        one of the two
//
// Everything happens in a directory below target; the result replaces DIRECTORY when the page has passed every check.
// The budget comes last, so that a site that has grown too large fails the build but can still be looked at.

import { spawnSync } from "node:child_process";
import { cpSync, existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join, relative, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { minify } from "terser";
import { readConfig, refuseSecret } from "./dist.d/config.mjs";
import { inspectPage } from "./dist.d/inspect.mjs";
import { hasSmallLibrary, smallLibrary } from "./dist.d/library.mjs";
import { ANY_SERVER, contentSecurityPolicy, headersFile, policyElement } from "./dist.d/policy.mjs";
import { minifyScripts, namesInPage, namesInWorker, shrink } from "./dist.d/shrink.mjs";
import { compress, report } from "./dist.d/sizes.mjs";
import { joinStyles } from "./dist.d/styles.mjs";

const TOP = dirname(dirname(fileURLToPath(import.meta.url)));

/** What nobody needs who signs in: it is fetched later. src/workbench/later/mod.rs has the other side of this. */
const REST = { isLater: /\bworkbench::later::/, doors: ["api_page", "fault_panel", "from_api", "prepared_request", "session"].map((name) => `workbench::later::${name}`) };

/** `budget`: kilobytes (1000 bytes) of brotli, for everything that one sign-in loads. A build over it fails. */
const SITES = {
  app: { title: "workbench", binary: "workbench", source: TOP, suffix: "", budget: 136, rest: REST, hasConfig: true, worker: {
    title: "sandbox", binary: "sandbox_worker", script: "sandbox-service-worker.js", budget: 150,
  } },
  minimal: {
    title: "examples/minimal",
    binary: "minimal",
    source: join(TOP, "examples/minimal"),
    suffix: "-minimal",
    budget: 70,
    hasConfig: false,
  },
};

try {
  const options = readOptions();
  for (const name of options.sites) await build(SITES[name], options);
} catch (error) {
  console.error(`\ndist: ${error.message}`);
  process.exitCode = 1;
}

function readOptions() {
  const { values } = parseArgs({
    options: {
      "public-url": { type: "string", default: "/" },
      config: { type: "string", default: "" },
      dist: { type: "string", default: "dist" },
      only: { type: "string", default: "" },
    },
  });
  const publicUrl = values["public-url"];
  if (!/^\/([\w.~-]+\/)*$/.test(publicUrl)) {
    throw new Error(`PUBLIC_URL is "${publicUrl}": it must be a path with a slash at both ends, such as /sub/path/.`);
  }
  if (values.only && !(values.only in SITES)) throw new Error(`ONLY is "${values.only}": say app or minimal, or leave it out.`);
  return {
    publicUrl,
    deployment: values.config ? loadDeployment(values.config) : undefined,
    dist: resolve(values.dist),
    sites: values.only ? [values.only] : Object.keys(SITES),
  };
}

/** The config.json to bake in, and the servers that it names; read first, so that what is wrong with it is said at once. */
function loadDeployment(file) {
  if (!existsSync(file)) throw new Error(`${file} does not exist: CONFIG names the config.json to bake in.`);
  const source = readFileSync(file, "utf8");
  const { warnings, ...deployment } = readConfig(source, file);
  for (const warning of warnings) console.warn(`warning: ${warning}`);
  return { source, ...deployment };
}

async function build(site, { publicUrl, deployment, dist }) {
  const destination = dist + site.suffix;
  refuseForeignDirectory(destination);
  mkdirSync(join(TOP, "target"), { recursive: true });
  const root = mkdtempSync(join(TOP, "target/site-"));
  try {
    const isSmall = hasSmallLibrary();
    runTrunk(site, root, publicUrl, isSmall ? smallLibrary(join(TOP, "target")) : {});
    const servers = site.hasConfig ? installConfig(root, deployment) : ANY_SERVER;
    await shrinkFile(root, "index.html", namesInPage, site.binary, site.rest);
    const hasWorker = Boolean(site.worker) && (deployment?.hasSandbox ?? true);
    if (hasWorker) await finishWorker(root, site.worker);
    else for (const file of list(root).filter(isOfWorker)) rmSync(join(root, file));
    const policy = await finishPage(root, publicUrl, servers, { hasWorker });
    const files = list(root);
    writeFileSync(join(root, "_headers"), headersFile(policy, publicUrl, files));
    const sizes = compress(root, files);

    rmSync(destination, { recursive: true, force: true });
    cpSync(root, destination, { recursive: true });
    console.log(`\n${site.title}: ${relative(process.cwd(), destination) || "."} is ready for ${publicUrl}`);
    const within = (budgeted) => (isSmall ? budgeted : { ...budgeted, budget: Infinity });
    report(sizes.filter(({ file }) => !isOfWorker(file)), new Set(files.filter(isLoadedBySignIn)), within(site));
    if (hasWorker) report(sizes.filter(({ file }) => isOfWorker(file)), new Set(files), within(site.worker));
  } finally {
    rmSync(root, { recursive: true, force: true });
  }
}

/** The copies of the page, the schema, the icon, what explains errors and the rest are loaded by nobody who signs in, or not in its way. */
function isLoadedBySignIn(file) {
  return (/\.(css|js|wasm)$/.test(file) && !/-rest-/.test(file)) || file === "index.html" || file === "config.json";
}

function runTrunk({ source }, root, publicUrl, environment) {
  const args = ["build", "--release", "--locked", "--offline", "--public-url", publicUrl, "--dist", root];
  const env = { ...process.env, ...environment };
  const { error, status } = spawnSync("trunk", args, { cwd: source, env, stdio: ["ignore", "inherit", "inherit"] });
  if (error) throw new Error("trunk could not be started: run `make dist`, or `scripts/setup build` and `. ./env.sh` first.");
  if (status !== 0) throw new Error("trunk could not build the site: the lines above say why.");
}

/** Makes sure of config.json, or puts the deployment's own in its place; returns the sources that the page may connect to. */
function installConfig(root, deployment) {
  for (const name of ["config.json", "config.schema.json", "explanations.json"]) {
    if (!existsSync(join(root, name))) throw new Error(`${name} is not in the build: index.html must have Trunk copy it.`);
  }
  const installed = join(root, "config.json");
  if (deployment) {
    writeFileSync(installed, deployment.source);
    return deployment.servers;
  }
  refuseSecret(readFileSync(installed, "utf8"), "config.json");
  return ANY_SERVER;
}

/** The worker is loaded by nobody who signs in elsewhere. */
function isOfWorker(file) {
  return file.startsWith("sandbox");
}

/** Shrinks the script and the module that a file of the site names. */
async function shrinkFile(root, name, namesIn, binary, rest) {
  const file = join(root, name);
  const text = readFileSync(file, "utf8");
  // Trunk keeps what wasm-bindgen gave it, before it was optimised and minified.
  const bound = join(process.env.CARGO_TARGET_DIR ?? join(TOP, "target"), `wasm-bindgen/release/${binary}`);
  writeFileSync(file, await shrink(root, text, namesIn(text), bound, rest));
}

async function finishWorker(root, { script, binary }) {
  await shrinkFile(root, script, namesInWorker, binary);
  const file = join(root, script);
  writeFileSync(file, (await minify(readFileSync(file, "utf8"), { ecma: 2022 })).code);
}

/** Checks the page, writes the policy into it, and puts copies where hosts without rewrites look; returns the policy. */
async function finishPage(root, publicUrl, servers, site) {
  // What chose the hash is of no use in the page.
  const built = readFileSync(join(root, "index.html"), "utf8").replaceAll(/ data-integrity=("?)\w+\1/g, "");
  const html = await minifyScripts(root, joinStyles(built, root, publicUrl));
  const page = inspectPage(html, root, publicUrl);
  const policy = contentSecurityPolicy(page, servers, site);
  const finished = html.slice(0, page.policyOffset) + policyElement(policy) + html.slice(page.policyOffset);
  mkdirSync(join(root, "callback"));
  for (const name of ["index.html", "callback.html", "callback/index.html", "404.html"]) {
    writeFileSync(join(root, name), finished);
  }
  return policy;
}

/** Replacing a directory deletes what is in it, so it must be empty, be the usual place, or hold what a build left behind. */
function refuseForeignDirectory(destination) {
  if (`${TOP}/`.startsWith(`${destination}/`)) throw new Error(`${destination} holds this project: name another directory with DIST.`);
  if (!existsSync(destination) || destination === join(TOP, "dist") || destination === join(TOP, "dist-minimal")) return;
  const names = readdirSync(destination);
  if (names.length && !(names.includes("_headers") && names.includes("callback.html"))) {
    throw new Error(`${destination} holds something else than a site: name another directory with DIST, or empty this one.`);
  }
}

/** Every file below `root`, as paths with slashes. */
function list(root) {
  return readdirSync(root, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => relative(root, join(entry.parentPath ?? entry.path, entry.name)).replaceAll("\\", "/"))
    .sort();
}
