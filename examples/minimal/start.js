// Starts the WebAssembly module from an external file, so that a strict policy needs to allow no inline one.
document.documentElement.dataset.base = new URL(".", import.meta.url).pathname;
const { default: start } = await import(document.querySelector("link[rel=modulepreload]").href);
const wasm = document.querySelector("link[rel=preload][href$='.wasm']");
await start({ module_or_path: fetch(wasm.href, { integrity: wasm.integrity, credentials: "same-origin" }) });
