// What the tests put in the place of the browser's own functions, and how it is all put back.
(() => {
  if (globalThis.lab) return;
  const address = location.pathname + location.search + location.hash;
  const storage = sessionStorage;
  const own = { fetch: globalThis.fetch, setTimeout: globalThis.setTimeout, now: Date.now };
  const undo = [];

  // Redefines a property of an object, for the length of one test.
  const redefine = (object, name, property) => {
    const before = Object.getOwnPropertyDescriptor(object, name);
    Object.defineProperty(object, name, { configurable: true, ...property });
    undo.unshift(() => (before ? Object.defineProperty(object, name, before) : delete object[name]));
  };

  // fetch: the first route whose text is part of the URL answers; without one the connection is refused.
  let routes = [];
  let requests = [];
  const aborted = (signal) =>
    new Promise((_, reject) => {
      const abort = () => reject(new DOMException("aborted", "AbortError"));
      if (signal.aborted) abort();
      signal.addEventListener("abort", abort);
    });
  const stream = (signal, chunk, after) => {
    let pulled = 0;
    return new ReadableStream({
      start(controller) {
        signal.addEventListener("abort", () => controller.error(new DOMException("aborted", "AbortError")));
      },
      pull(controller) {
        pulled += 1;
        if (after !== undefined && pulled > after) return controller.error(new TypeError("network error"));
        if (chunk === 0) return new Promise(() => {});
        lab.streamed += chunk;
        controller.enqueue(new Uint8Array(chunk).fill(32));
      },
    });
  };
  const fetch = async (request) => {
    const sent = { request, body: undefined };
    requests.push(sent);
    sent.body = await request.clone().text();
    const route = routes.find((known) => request.url.includes(known.url));
    const json = { headers: { "content-type": "application/json" } };
    switch (route?.how) {
      case "answer":
        return new Response(route.body, { status: route.status, headers: { "content-type": route.type } });
      case "hold":
        return Promise.race([route.held, aborted(request.signal)]);
      case "endless":
        return new Response(stream(request.signal, 16384), json);
      case "break":
        return new Response(stream(request.signal, 100, 2), json);
      case "silent":
        return new Response(stream(request.signal, 0, Infinity), json);
      default:
        throw new TypeError("Failed to fetch");
    }
  };

  globalThis.lab = {
    streamed: 0,
    // Everything as it was: before a test, because one that failed cleaned nothing up, and after it.
    reset() {
      while (undo.length) undo.shift()();
      globalThis.fetch = fetch;
      globalThis.setTimeout = own.setTimeout;
      Date.now = own.now;
      routes = [];
      requests = [];
      lab.streamed = 0;
      lab.left = [];
      lab.errors = 0;
      delete globalThis.takeAuthorizationResponse;
      document.documentElement.removeAttribute("data-base");
      document.querySelectorAll(".mounted").forEach((node) => node.remove());
      storage.clear();
      history.replaceState(null, "", address);
    },
    close() {
      lab.reset();
      globalThis.fetch = own.fetch;
    },
    sleep: (ms) => new Promise((resolve) => own.setTimeout.call(globalThis, resolve, ms)),
    answer(url, status, type, body) {
      routes.unshift({ url, how: "answer", status, type, body });
    },
    // Answers when `release` is called.
    hold(url) {
      const route = { url, how: "hold" };
      route.held = new Promise((resolve) => (route.release = resolve));
      routes.unshift(route);
    },
    release(url, status, type, body) {
      const route = routes.find((known) => known.url === url && known.how === "hold");
      route.release(new Response(body, { status, headers: { "content-type": type } }));
    },
    stream(url, how) {
      routes.unshift({ url, how });
    },
    requests: () =>
      JSON.stringify(
        requests.map(({ request, body }) => ({
          ...Object.fromEntries(
            ["url", "method", "redirect", "credentials", "cache", "referrerPolicy"].map((name) => [name, request[name]]),
          ),
          aborted: request.signal.aborted,
          headers: Object.fromEntries(request.headers),
          body,
        })),
      ),
    // What the page's first script does.
    arrive(search, hash) {
      let held = { search, hash, pathname: "/callback" };
      globalThis.takeAuthorizationResponse = () => {
        const taken = held;
        held = undefined;
        return taken;
      };
    },
    stored: () => JSON.stringify(Object.fromEntries(Object.entries(storage))),
    block() {
      const get = () => {
        throw new DOMException("The document is not allowed to use storage.", "SecurityError");
      };
      redefine(globalThis, "sessionStorage", { get });
    },
    absent() {
      redefine(globalThis, "sessionStorage", { get: () => null });
    },
    fill() {
      for (let size = 1 << 22, count = 0; size >= 1; size >>= 1) {
        try {
          for (;;) storage.setItem(`filler ${count++}`, "x".repeat(size));
        } catch {
          // Half of it may still fit.
        }
      }
    },
    // Storage that forgets what is put into it.
    forgetful() {
      redefine(Storage.prototype, "setItem", { value() {}, writable: true });
    },
    offline() {
      redefine(navigator, "onLine", { get: () => false });
    },
    insecure() {
      redefine(globalThis, "isSecureContext", { get: () => false });
    },
    clipboard(works) {
      const writeText = (text) => {
        lab.copied = text;
        return works ? Promise.resolve() : Promise.reject(new DOMException("no", "NotAllowedError"));
      };
      redefine(navigator, "clipboard", { get: () => ({ writeText }) });
    },
    // Deadlines pass at once; what they were is in `delays`.
    hurry() {
      lab.delays = [];
      globalThis.setTimeout = (callback, delay, ...rest) => {
        lab.delays.push(delay);
        return own.setTimeout.call(globalThis, callback, delay >= 10_000 ? 1 : delay, ...rest);
      };
    },
    later(seconds) {
      Date.now = () => own.now() + seconds * 1000;
    },
  };

  // Nothing leaves the page: where it wanted to go is written down, with what was stored by then.
  navigation.addEventListener("navigate", (event) => {
    if (event.destination.sameDocument || event.hashChange) return;
    lab.left.push({ url: event.destination.url, stored: lab.stored() });
    event.preventDefault();
  });
  globalThis.addEventListener("error", () => (lab.errors += 1));
  globalThis.addEventListener("unhandledrejection", () => (lab.errors += 1));
})();
