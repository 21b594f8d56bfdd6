// Loads and starts the WebAssembly module, and says in words what is wrong if that cannot be done.
// An external file, so that no policy needs to allow an inline module. Trunk puts the two links beside it.

// The last resort (security.md OPS-4): whatever ends the WebAssembly program, a panic or an exception that passed through
// it, ends the app for good, so that it cannot do anything by halves. What it was is shown by the browser's console only.
for (const kind of ["error", "unhandledrejection"]) {
  addEventListener(kind, (event) => {
    const error = event.error ?? event.reason;
    if (/\bwasm\b/.test(error?.stack)) crash();
  });
}

const root = document.documentElement;
root.dataset.base = new URL(".", import.meta.url).pathname;

// What a sign-in does not need is in a file of its own, where the build has made one: the program asks for it when it is wanted.
const { rest, restIntegrity } = root.dataset;
let begin;
const program = new Promise((resolve) => (begin = resolve));
if (rest) {
  let cache = "default";
  globalThis.loadRest = async () => {
    const options = { integrity: restIntegrity, credentials: "same-origin", cache, signal: AbortSignal.timeout(30_000) };
    // Whatever came in vain may have been kept, for a name with a hash for ever: the next time it is not what is wanted.
    cache = "reload";
    const answer = await fetch(rest, options);
    if (!answer.ok) throw new Error(`status ${answer.status}`);
    await WebAssembly.instantiate(await answer.arrayBuffer(), { first: await program });
  };
}

const module = document.querySelector("link[rel=modulepreload]");
const wasm = document.querySelector("link[rel=preload][href$='.wasm']");

try {
  if (typeof WebAssembly !== "object") throw say("boot-no-webassembly");
  const { default: start } = await import(module.href);
  const answer = await fetch(wasm.href, { integrity: wasm.integrity, credentials: "same-origin" });
  if (!answer.ok) throw new Error(`status ${answer.status}`);
  begin(await start({ module_or_path: answer }));
  document.getElementById("boot").remove();
} catch (error) {
  // Once the app has begun, the crash screen is its own affair.
  if (document.getElementById("app")?.childElementCount === 0) {
    if (globalThis.WebAssembly && error instanceof WebAssembly.CompileError && /content security policy|unsafe-eval/i.test(error.message)) say("boot-blocked");
    else if (!navigator.onLine) say("boot-offline");
    else say("boot-failed");
  }
}

/** Puts the crash screen that stands in index.html in the app's place. */
function crash() {
  for (const id of ["app", "boot"]) document.getElementById(id)?.remove();
  document.getElementById("crash").hidden = false;
}

/** Shows one of the notices that stand in index.html. */
function say(id) {
  document.getElementById("boot-loading")?.remove();
  if (!document.querySelector("#boot > :not([hidden])")) document.getElementById(id).hidden = false;
  return new Error(id);
}
