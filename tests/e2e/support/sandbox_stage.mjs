// The stage with the sandbox on it: the built site on a static host, and nothing else.
//
// What servers log elsewhere is seen here from the browser's side: each request to the sandbox, and who answered it.

import { startStaticHost } from "../servers/static_host.mjs";
import * as dist from "./dist.mjs";

/**
 * @param {object} [options]
 * @param {object} [options.host] for `startStaticHost`
 * @param {(stage: object) => object} [options.client] members of the client's configuration, over the usual ones
 */
export async function startSandboxStage({ host: hostOptions = {}, client = () => ({}) } = {}) {
  const host = await startStaticHost({ root: dist.app(), ...hostOptions });
  const issuer = `${host.url}sandbox/`;
  const photos = `${issuer}api/photos`;
  /** Requests of the pages to the sandbox, as a server would note them. */
  const log = [];
  /** Answers to them, with who gave them. */
  const answers = [];
  const isForSandbox = (url) => url.startsWith(issuer) || url === `${host.origin}/.well-known/oauth-authorization-server${host.base}sandbox`;
  const at = (url) => log.filter((entry) => `${host.origin}${entry.path}` === url);

  const stage = {
    host,
    authorizationServer: { issuer, origin: host.origin, log },
    api: { origin: host.origin, log },
    /** Answers to them, with whether the Service Worker gave them. */
    answers,
    photos,
    userinfo: `${issuer}userinfo`,
    authorizationEndpoint: `${issuer}authorize`,
    otherClientId: "minimal",
    photosOfAlice: 3,
    spentForm: "This is not possible",
    origins: [host.origin],
    url: (path = "") => host.url + path,
    client: (members = {}) => ({
      name: "Sandbox",
      issuer: "sandbox/",
      client_id: "workbench",
      scope: "openid profile photos:read",
      token_storage: "session",
      resources: [{ name: "Photos", url: "sandbox/api/photos" }],
      ...client(stage),
      ...members,
    }),

    /** With no clients: the shipped config.json, whose list is empty. */
    configure: (...clients) => {
      if (clients.length) stage.answer("/config.json", { body: JSON.stringify({ authorization_servers: clients }) });
      else stage.answer("/config.json");
    },

    answer: (path, answer) => {
      if (answer) host.overrides.set(path, answer);
      else host.overrides.delete(path);
    },

    /** What the host was asked, and what the sandbox was. */
    get logs() {
      return [...host.log, ...log];
    },

    get authorizationRequests() {
      return at(`${issuer}authorize`).map(({ isNavigation, ...entry }) => ({
        entry, isNavigation, parameters: Object.fromEntries(new URLSearchParams(entry.query)),
      }));
    },
    get tokenRequests() {
      return at(`${issuer}token`).map((entry) => ({ entry, parameters: Object.fromEntries(new URLSearchParams(entry.body)) }));
    },
    get apiRequests() {
      return log.filter(({ path }) => `${host.origin}${path}`.startsWith(photos));
    },

    reset: () => {
      for (const list of [host.log, log, answers]) list.length = 0;
      host.overrides.clear();
      if (Object.keys(client(stage)).length) stage.configure(stage.client());
    },

    /** Notes what the pages of a browser context ask the sandbox. */
    observe: (context) => {
      const entries = new WeakMap();
      context.on("request", (request) => {
        const { origin, pathname: path, search } = new URL(request.url());
        if (!isForSandbox(`${origin}${path}`)) return;
        // The browser names an empty referrer where it sends none.
        const headers = Object.fromEntries(Object.entries(request.headers()).filter(([, value]) => value));
        const entry = {
          at: Date.now(), method: request.method(), path, query: search.slice(1), headers, body: request.postData() ?? "",
          origin: headers.origin, referer: headers.referer, isNavigation: request.isNavigationRequest(),
        };
        log.push(entry);
        entries.set(request, entry);
      });
      context.on("requestfailed", (request) => Object.assign(entries.get(request) ?? {}, { failure: request.failure()?.errorText }));
      context.on("response", (response) => {
        const { origin, pathname: path } = new URL(response.url());
        Object.assign(entries.get(response.request()) ?? {}, { status: response.status() });
        if (isForSandbox(`${origin}${path}`)) answers.push({ path, isFromServiceWorker: response.fromServiceWorker() });
      });
    },

    /** Throws if anything that was meant for the sandbox was answered, or even seen, by anybody but the Service Worker. */
    testify: () => {
      const strangers = answers.filter(({ isFromServiceWorker }) => !isFromServiceWorker).map(({ path }) => path);
      const leaked = host.log.filter(({ path }) => isForSandbox(`${host.origin}${path}`)).map(({ path }) => path);
      if (strangers.length || leaked.length) throw new Error(`Not answered by the Service Worker: ${[...strangers, ...leaked]}`);
    },

    /**
     * Has the sandbox know alice, and what she allows, in this browser context; there are no cookies to carry. From a
     * page without the app, which therefore comes as on a first visit.
     */
    introduce: async (context) => {
      stage.answer("/introduction.html", { body: "<!doctype html><title>Introduction</title>" });
      const page = await context.newPage();
      await page.goto(stage.url("introduction.html"));
      await page.evaluate(introduceAlice, { base: host.base, redirectUri: stage.url("callback"), scope: `${stage.client().scope} offline_access` });
      await page.close();
      stage.answer("/introduction.html");
    },

    close: () => host.close(),
  };
  return stage;
}

/** Ends the worker, as browsers do when it is idle. */
export async function endWorker(context, page) {
  const session = await context.newCDPSession(page);
  await session.send("ServiceWorker.enable");
  await session.send("ServiceWorker.stopAllWorkers");
  await session.detach();
}

/** Starts the worker as the app does, and fills in the sandbox's forms. Runs in a page. */
async function introduceAlice({ base, redirectUri, scope }) {
  await navigator.serviceWorker.register(`${base}sandbox-service-worker.js`, { scope: base });
  const { active } = await navigator.serviceWorker.ready;
  const started = new Promise((resolve) => (navigator.serviceWorker.onmessage = resolve));
  const claimed = new Promise((resolve) => (navigator.serviceWorker.oncontrollerchange = resolve));
  active.postMessage("start");
  await Promise.all([started, claimed]);

  const parameters = {
    client_id: "workbench", redirect_uri: redirectUri, response_type: "code", scope, code_challenge: "x".repeat(43), code_challenge_method: "S256",
  };
  let page = await (await fetch(`${base}sandbox/authorize?${new URLSearchParams(parameters)}`)).text();
  for (const [form, answer] of [["login", { username: "alice" }], ["consent", { allow: "1" }]]) {
    const form_value = new DOMParser().parseFromString(page, "text/html").querySelector("[name=form_value]").value;
    const body = new URLSearchParams({ form_value, ...answer });
    page = await (await fetch(`${base}sandbox/${form}`, { method: "POST", body, redirect: "manual" })).text();
  }
}
