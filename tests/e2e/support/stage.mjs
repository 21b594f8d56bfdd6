// Everything that a sign-in needs besides a browser: the built site on a static host, an authorization server, an API,
// and for those who ask a fault server in front of the token endpoint.

import { startApi } from "../servers/api.mjs";
import { startAuthorizationServer } from "../servers/authorization_server.mjs";
import { startFaultServer } from "../servers/fault_server.mjs";
import { startStaticHost } from "../servers/static_host.mjs";
import * as dist from "./dist.mjs";

/**
 * @param {object} [options]
 * @param {object} [options.host] for `startStaticHost`
 * @param {object} [options.authorizationServer] for `startAuthorizationServer`
 * @param {object} [options.api] for `startApi`
 * @param {boolean} [options.faults] put the fault server in front of the token endpoint
 * @param {(stage: Stage) => object} [options.client] members of the client's configuration, over the usual ones
 */
export async function startStage({
  host: hostOptions = {},
  authorizationServer: serverOptions = {},
  api: apiOptions = {},
  faults = false,
  client = () => ({}),
} = {}) {
  const host = await started(startStaticHost({ root: dist.app(), ...hostOptions }));
  const authorizationServer = await started(startAuthorizationServer({
    // How static hosts may spell the callback's address.
    redirectUris: ["callback", "callback/", "callback.html"].map((name) => host.url + name),
    postLogoutRedirectUris: [host.url],
    ...serverOptions,
  }));
  const api = await started(startApi({ authorizationServer, origins: [host.origin], ...apiOptions }));
  const fault = faults ? await startFaultServer({ forwardTo: `${authorizationServer.issuer}/token` }) : undefined;
  const servers = [host, authorizationServer, api, api.elsewhere, ...(fault ? [fault, fault.elsewhere] : [])];

  const stage = {
    host,
    authorizationServer,
    api,
    fault,

    /** The only origins that a page has any business with; where redirects lead to is not among them. */
    origins: [host, authorizationServer, api, ...(fault ? [fault] : [])].map(({ origin }) => origin),

    /** The API's resource, and the user info endpoint. */
    photos: `${api.origin}/photos`,
    userinfo: `${authorizationServer.issuer}/me`,
    authorizationEndpoint: `${authorizationServer.issuer}/auth`,
    otherClientId: "workbench-jwt",
    photosOfAlice: 12,

    /** The heading that answers a form which was used already. */
    spentForm: "This sign-in is no longer waiting",

    /** The address of a page or file of the site. */
    url: (path = "") => host.url + path,

    /** One client's configuration, with `members` over the usual ones. */
    client: (members = {}) => ({
      name: "Development server",
      issuer: authorizationServer.issuer,
      client_id: "workbench",
      scope: "openid profile photos:read",
      token_storage: "session",
      resources: [{ name: "Photos", url: `${api.origin}/photos` }],
      ...(fault && { metadata: { token_endpoint: `${fault.origin}/token` } }),
      ...client(stage),
      ...members,
    }),

    /** Serves a config.json with one client, or with the given ones. */
    configure: (...clients) => {
      const authorization_servers = clients.length ? clients : [stage.client()];
      stage.answer("/config.json", { body: JSON.stringify({ authorization_servers }) });
    },

    /** Has the static host answer one path, without the site's base, in another way; undefined restores it. */
    answer: (path, answer) => {
      if (answer) host.overrides.set(path, answer);
      else host.overrides.delete(path);
    },

    /** The log entries of all servers whose pages and documents count as ours. */
    get logs() {
      return servers.flatMap(({ log }) => log);
    },

    /** Arrivals at the authorization endpoint, each as its parameters with the log entry and its manner beside them. */
    get authorizationRequests() {
      const path = `${new URL(authorizationServer.issuer).pathname.replace(/\/$/, "")}/auth`;
      return authorizationServer.log.filter((entry) => entry.method === "GET" && entry.path === path).map(withQuery);
    },

    /** Form posts to the token endpoint that the configuration names, each as its parameters and the log entry. */
    get tokenRequests() {
      const { log } = fault ?? authorizationServer;
      return log.filter(({ method, path }) => method === "POST" && path.endsWith("/token")).map(withForm);
    },

    /** Requests to the API, preflights not counted. */
    get apiRequests() {
      return api.log.filter(({ method }) => method !== "OPTIONS");
    },

    /** As if it had just been started: nothing logged, the usual configuration, no fault. */
    reset: () => {
      for (const { log } of servers) log.length = 0;
      authorizationServer.tokenLog.length = 0;
      host.overrides.clear();
      stage.configure();
      if (fault) {
        fault.release();
        Object.assign(fault, { mode: "forward", cors: true, reply: {}, documents: {}, authorize: () => null });
      }
    },

    close: async () => {
      await Promise.all([host, authorizationServer, api, fault].map((server) => server?.close()));
    },
  };
  stage.configure();
  return stage;
}

/** Says what a port that is taken means. */
async function started(server) {
  try {
    return await server;
  } catch (error) {
    if (error.code !== "EADDRINUSE") throw error;
    throw new Error(`Port ${error.port} is taken, perhaps by \`make authorization-server\`: end what listens there, then run this again.`, { cause: error });
  }
}

function withQuery(entry) {
  const isNavigation = entry.headers["sec-fetch-mode"] === "navigate" && entry.headers["sec-fetch-dest"] === "document";
  return { entry, isNavigation, parameters: Object.fromEntries(new URLSearchParams(entry.query)) };
}

function withForm(entry) {
  return { entry, parameters: Object.fromEntries(new URLSearchParams(entry.body)) };
}
