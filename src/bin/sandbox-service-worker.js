// The sandbox's Service Worker: answers what is below sandbox/, and the sandbox's documents by RFC 8414 and RFC 9728.
// Everything else, the callback above all, goes to the network as if there were no worker (WEB-11).
//
// Listeners are added while this script runs, as browsers demand; the program behind them (sandbox_worker.rs) may come
// later. The build puts hashes into the two names, so another build is another script, which browsers notice.
"use strict";

const GLUE = "sandbox_worker.js";
const MODULE = "sandbox_worker_bg.wasm";

const BASE = new URL("./", location.href);
const SANDBOX = `${BASE.pathname}sandbox/`;
const METADATA = `/.well-known/oauth-authorization-server${SANDBOX.slice(0, -1)}`;
const RESOURCES = `/.well-known/oauth-protected-resource${SANDBOX}`;

// Several sites may share an origin, so the name of what is kept there holds the path. The lock has it too: a worker of
// another build may still be at work.
const NAME = `leptos-pkce ${SANDBOX}`;

// How long the module has to arrive, in milliseconds.
const PATIENCE = 15_000;

importScripts(GLUE);

let program;
let isForgotten = false;

// A panic ends the program without an answer; whoever waits for one is told, and so is whoever comes later.
const ended = new Promise((_, reject) => {
  for (const kind of ["error", "unhandledrejection"]) {
    addEventListener(kind, ({ error, reason }) => {
      if (/\bwasm\b/.test((error ?? reason)?.stack)) reject(new Error("an internal error ended it"));
    });
  }
});
ended.catch(() => {});

addEventListener("install", (event) => {
  skipWaiting();
  // A new build whose module does not arrive must not take the place of one that works. Without one, "start" will say it.
  event.waitUntil(registration.active ? keepModule() : keepModule().catch(() => {}));
});

addEventListener("activate", (event) => event.waitUntil(dropOldModules()));

addEventListener("fetch", (event) => {
  const { origin, pathname } = new URL(event.request.url);
  const isOurs = pathname.startsWith(SANDBOX) || pathname === METADATA || pathname.startsWith(RESOURCES);
  if (origin === BASE.origin && isOurs) event.respondWith(respond(event.request));
});

// Pages say "start" or "forget", and are told true when it is done, or false.
addEventListener("message", (event) => {
  const order = { __proto__: null, start, forget }[event.data];
  const tell = (isDone) => event.source.postMessage(isDone);
  if (order) event.waitUntil(order().then(() => tell(true), () => tell(false)));
});

function start() {
  return oneAtATime(async () => {
    await keepModule();
    isForgotten = false;
    await Promise.race([loaded(), ended]);
    await claim();
  });
}

function forget() {
  return oneAtATime(async () => {
    await Promise.all([caches.delete(NAME), deleteDatabase()]);
    // Whoever is on one of its pages would send their answer to the host.
    for (const client of await clients.matchAll({ type: "window" })) {
      if (client.url.startsWith(BASE.origin + SANDBOX)) await client.navigate(BASE.href).catch(() => {});
    }
    await registration.unregister();
    // Pages that have not been reloaded since go on asking this worker.
    isForgotten = true;
  });
}

/** Nothing that is meant for the sandbox is handed on to the site's host: it may be a code, or a token. */
async function respond(request) {
  try {
    const { response, delay, fault } = await oneAtATime(async () => {
      if (isForgotten || !(await loaded())) throw "it was forgotten";
      return Promise.race([answerRequest(request, BASE.href, NAME), ended]);
    });
    if (delay) await sleep(delay);
    if (fault === "lost") return Response.error();
    return fault === "endless" ? new Response(endless(), response) : response;
  } catch (error) {
    const words = `The sandbox cannot answer: ${error?.message ?? error}. Go to the site's sign-in page and start it there, or forget it and start it anew.`;
    return new Response(words, { status: 503, headers: { "cache-control": "no-store", "content-type": "text/plain;charset=utf-8" } });
  }
}

/** Takes the open pages over, as soon as this worker is the active one: a page may speak to it while it is installed. */
async function claim() {
  for (const end = Date.now() + PATIENCE; ; await sleep(20)) {
    try {
      return await clients.claim();
    } catch (error) {
      if (Date.now() > end) throw error;
    }
  }
}

const sleep = (milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds));
const oneAtATime = (task) => navigator.locks.request(NAME, task);

/** Resolves with whether there is a program, once it runs. */
function loaded() {
  program ??= load();
  // The next request may have better luck.
  program.then((isThere) => isThere || (program = undefined), () => (program = undefined));
  return program;
}

async function load() {
  const module = await caches.match(MODULE, { cacheName: NAME });
  if (!module) return false;
  try {
    await wasm_bindgen({ module_or_path: module });
  } catch (error) {
    // It is none: hosts answer for files that are not there with a page. The next start asks for it again.
    await (await caches.open(NAME)).delete(MODULE);
    throw error;
  }
  return true;
}

/** Past the browser's own cache: an answer that says "not there" may be kept in it. */
async function keepModule() {
  const cache = await caches.open(NAME);
  const isKept = await cache.match(MODULE);
  if (!isKept) await cache.add(new Request(MODULE, { cache: "reload", signal: AbortSignal.timeout(PATIENCE) }));
}

async function dropOldModules() {
  const cache = await caches.open(NAME);
  const kept = new URL(MODULE, BASE).href;
  for (const { url } of await cache.keys()) if (url !== kept) await cache.delete(url);
}

function deleteDatabase() {
  return new Promise((resolve, reject) => {
    const request = indexedDB.deleteDatabase(NAME);
    request.onsuccess = resolve;
    request.onerror = reject;
  });
}

/** A body without an end: blanks, as fast as they are read. */
function endless() {
  const blanks = new TextEncoder().encode(" ".repeat(4096));
  return new ReadableStream({ pull: (stream) => stream.enqueue(blanks) });
}
