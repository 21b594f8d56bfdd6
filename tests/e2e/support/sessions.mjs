// Sessions that last: their server, what it was asked to keep them alive, and what several tabs of a person do.

import { digest } from "../servers/authorization_server.mjs";
import { until } from "./until.mjs";

/** What the sandbox cannot have. */
export const ROTATION = "a server that gives short-lived tokens and rotates refresh tokens";

/** How long an access token lives here. It is renewed a quarter before its end. */
export const LIFETIME = 5;

/**
 * Options of a setting: tokens that live five seconds, refresh tokens that are good for one renewal, and a network to the
 * token endpoint that does as it is told.
 *
 * @param {object} [members] of the client's configuration, over those for a session that lasts
 */
export const lasting = (members = {}) => ({
  needs: ROTATION,
  faults: true,
  authorizationServer: { rotation: true, accessTokenLifetime: LIFETIME },
  client: (stage) => ({
    scope: "openid offline_access photos:read",
    // Without it this server gives no refresh token (OpenID Connect Core §11).
    extra_parameters: { prompt: "consent" },
    token_storage: "session",
    post_logout_redirect_uri: stage.url(),
    ...members,
  }),
});

/** The renewals that arrived at the server, each with the digest of what it `presented` and its `outcome`. */
export const renewals = ({ authorizationServer }) =>
  authorizationServer.tokenLog.filter(({ grantType }) => grantType === "refresh_token");

/** Digests of the refresh tokens that arrived more than once. */
export function presentedTwice(stage) {
  const digests = renewals(stage).map(({ presented }) => presented);
  return [...new Set(digests.filter((presented, index) => digests.indexOf(presented) !== index))];
}

/** Resolves once the server has given new tokens `count` times. */
export const renewed = (stage, count, patience = 20_000) =>
  until(
    `the session was renewed ${count} times`,
    () => renewals(stage).filter(({ outcome }) => outcome === "tokens").length >= count,
    patience,
  );

/** The authorization requests that asked to show nothing. */
export const quietRequests = (stage) => stage.authorizationRequests.filter(({ parameters }) => parameters.prompt === "none");

/** Digests of the refresh tokens that a page presents from now on. */
export function presentedBy(page) {
  const presented = [];
  page.on("request", (request) => {
    if (request.method() !== "POST") return;
    const token = new URLSearchParams(request.postData() ?? "").get("refresh_token");
    if (token) presented.push(digest(token));
  });
  return presented;
}

/** Opens a copy of the tab, as "Duplicate" in a tab's menu does: the browser copies what is in sessionStorage. */
export async function duplicate(page, url = page.url()) {
  const [copy] = await Promise.all([
    page.context().waitForEvent("page"),
    page.evaluate((url) => void globalThis.open(url), url),
  ]);
  return copy;
}

/** Notes every error message that any page of the context shows, however shortly. */
export async function watchAlerts(context) {
  const alerts = [];
  await context.exposeBinding("noteAlert", (_source, text) => alerts.push(text));
  await context.addInitScript(() => {
    const note = (node) => {
      if (node.nodeType !== Node.ELEMENT_NODE) return;
      const found = node.matches('[role="alert"]') ? [node] : node.querySelectorAll('[role="alert"]');
      // The page holds one back, for when its program ends.
      for (const alert of [...found].filter((alert) => alert.checkVisibility())) globalThis.noteAlert(alert.textContent.slice(0, 3000));
    };
    new MutationObserver((changes) => changes.forEach(({ addedNodes }) => addedNodes.forEach(note))).observe(document, {
      childList: true,
      subtree: true,
    });
  });
  return alerts;
}

/** What every tab of the origin says to the others from now on; from a page of its own. */
export async function overhear(context, stage) {
  stage.answer("/listener.html", { body: "<!doctype html><title>Listener</title>" });
  const listener = await context.newPage();
  await listener.goto(stage.url("listener.html"));
  await listener.evaluate(() => {
    globalThis.heard = [];
    globalThis.channel = new BroadcastChannel("leptos-pkce");
    globalThis.channel.onmessage = ({ data }) => globalThis.heard.push(data);
  });
  return { page: listener, heard: () => listener.evaluate(() => globalThis.heard) };
}

/**
 * What lies in the origin's databases: store → records, each flattened to the texts in it. Octets are read as Latin-1, so
 * that a token would be found in them; of a key nothing is seen but whether it may be taken out.
 */
export function databases(page) {
  return page.evaluate(async () => {
    const settled = (request) =>
      new Promise((resolve, reject) => Object.assign(request, { onsuccess: () => resolve(request.result), onerror: () => reject(request.error) }));
    const flat = (value) => {
      if (value instanceof CryptoKey) return `key, extractable: ${value.extractable}`;
      if (value instanceof ArrayBuffer) return flat(new Uint8Array(value));
      if (ArrayBuffer.isView(value)) return Array.from(value, (octet) => String.fromCharCode(octet)).join("");
      if (typeof value === "object" && value) return Object.fromEntries(Object.entries(value).map(([name, inner]) => [name, flat(inner)]));
      return value;
    };
    const found = {};
    for (const { name } of await indexedDB.databases()) {
      const database = await settled(indexedDB.open(name));
      for (const store of database.objectStoreNames) {
        const records = database.transaction(store).objectStore(store);
        const [names, values] = await Promise.all([settled(records.getAllKeys()), settled(records.getAll())]);
        found[`${name}/${store}`] = Object.fromEntries(names.map((key, index) => [String(key), flat(values[index])]));
      }
      database.close();
    }
    return found;
  });
}

/** Every token that went over the wire so far: refresh tokens to the token endpoint, access tokens to the API. */
export function tokensSeen(stage) {
  const refresh = stage.tokenRequests.map(({ parameters }) => parameters.refresh_token).filter(Boolean);
  const access = stage.apiRequests.map(({ headers }) => headers.authorization?.split(" ")[1]).filter(Boolean);
  return { refresh: [...new Set(refresh)], access: [...new Set(access)] };
}

/** What a browser keeps of `text` where it is stored in the clear, or only encoded. */
export const encodingsOf = (text) => [
  text,
  Buffer.from(text).toString("base64").replace(/=+$/, ""),
  Buffer.from(text).toString("hex"),
];
