// Loads and starts the WebAssembly module, and says in words what is wrong if that cannot be done.
// An external file, so that no policy needs to allow an inline module. Trunk puts the two links beside it.

const root = document.documentElement;
root.dataset.base = new URL(".", import.meta.url).pathname;

const module = document.querySelector("link[rel=modulepreload]");
const wasm = document.querySelector("link[rel=preload][href$='.wasm']");

try {
  if (typeof WebAssembly !== "object") throw say("boot-no-webassembly");
  const { default: start } = await import(module.href);
  const answer = await fetch(wasm.href, { integrity: wasm.integrity, credentials: "same-origin" });
  if (!answer.ok) throw new Error(`status ${answer.status}`);
  await start({ module_or_path: answer });
  document.getElementById("boot").remove();
} catch (error) {
  // Once the app has begun, the crash screen is its own affair.
  if (document.getElementById("app")?.childElementCount === 0) {
    if (error instanceof WebAssembly.CompileError && /content security policy|unsafe-eval/i.test(error.message)) say("boot-blocked");
    else if (!navigator.onLine) say("boot-offline");
    else say("boot-failed");
  }
}

/** Shows one of the notices that stand in index.html. */
function say(id) {
  document.getElementById("boot-loading")?.remove();
  if (!document.querySelector("#boot > :not([hidden])")) document.getElementById(id).hidden = false;
  return new Error(id);
}
