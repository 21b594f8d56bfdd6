// A real authorization server for development and the end-to-end tests: the certified npm package oidc-provider,
// with login and consent pages of our own, state in memory, and nothing that leaves this machine.
//
// Clients: `workbench` gets opaque access tokens, `workbench-jwt` gets JWT ones (RFC 9068). Both are public, must use
// PKCE (RFC 7636) and may use the redirect URIs that the caller names. Users: alice and bob, with any password.

import { createHash, generateKeyPairSync, randomBytes } from "node:crypto";
import { setTimeout as sleep } from "node:timers/promises";
import { allowOrigin, listen, read, reply } from "./loopback.mjs";
import { createStore } from "./store.mjs";
import { consentPage, loginPage, page, text } from "./pages.mjs";

/** The resource that JWT access tokens are for (RFC 8707); the API checks it as their audience. */
export const PHOTOS = "urn:leptos-pkce:photos";

// oidc-provider uses it; Node has it since 22.1, and late in 20.
URL.parse ??= (url, base) => (URL.canParse(url, base) ? new URL(url, base) : null);

/** Ways of signing in, the usual one first. */
export const ACR_VALUES = ["urn:development:password", "urn:development:otp"];

const PHOTO_SCOPES = ["photos:read", "photos:write"];
const USERS = {
  alice: { name: "Alice Example", email: "alice@example.com" },
  bob: { name: "Bob Example", email: "bob@example.com" },
};

/**
 * @param {object} options
 * @param {string[]} options.redirectUris for both clients
 * @param {string[]} [options.postLogoutRedirectUris]
 * @param {string[]} [options.origins] who gets CORS headers; by default the origins of the redirect URIs
 * @param {number} [options.port]
 * @param {"localhost" | "127.0.0.1"} [options.host] the host name in the issuer
 * @param {string} [options.issuerPath] e.g. `/tenant`: an issuer with a path
 * @param {number} [options.accessTokenLifetime] seconds
 * @param {boolean} [options.rotation] each refresh token is good for one renewal, and a second one with it ends the whole
 *   family (RFC 9700 §4.14.2); each sign-in begins a family of its own
 * @param {(configuration: object) => void} [options.configure] changes oidc-provider's configuration in place
 */
export async function startAuthorizationServer({
  redirectUris,
  postLogoutRedirectUris = [],
  origins = [...new Set(redirectUris.map((uri) => new URL(uri).origin))],
  port = 0,
  host = "localhost",
  issuerPath = "",
  accessTokenLifetime = 300,
  rotation = false,
  configure = () => {},
}) {
  // The issuer holds the port, which is known only once the server listens; until then there is nothing to ask.
  let answer = (_request, response) => reply(response, 503);
  const server = await listen((request, response) => answer(request, response), { port, host });
  const issuer = server.origin + issuerPath;
  const jwks = developmentKeys();
  /** What outlives the protocol's own object: a server that was restarted still knows everybody. */
  const store = createStore();
  /** Requests to the token endpoint and what came of them, without any token. */
  const tokenLog = [];

  const configuration = {
    adapter: store.adapter,
    acrValues: ACR_VALUES,
    jwks: { keys: jwks.map((key) => key.private) },
    clients: ["workbench", "workbench-jwt"].map((client_id) => ({
      client_id,
      token_endpoint_auth_method: "none",
      grant_types: ["authorization_code", "refresh_token"],
      response_types: ["code"],
      redirect_uris: redirectUris,
      post_logout_redirect_uris: postLogoutRedirectUris,
      id_token_signed_response_alg: client_id === "workbench" ? "RS256" : "ES256",
    })),
    scopes: ["openid", "offline_access", "profile", "email", ...PHOTO_SCOPES],
    claims: { openid: ["sub"], profile: ["name"], email: ["email"], acr: null, auth_time: null },
    // What an API may ask for (RFC 9470): in which way the person signed in, and when.
    extraTokenClaims: (context) => {
      const { AuthorizationCode: code } = context.oidc.entities;
      return code && { acr: code.acr, auth_time: code.authTime };
    },
    responseTypes: ["code"],
    clientAuthMethods: ["none"],
    pkce: { required: () => true },
    clientBasedCORS: (_context, origin) => origins.includes(origin),
    // An expired token must be refused when the test says it has expired, not 15 seconds later.
    clockTolerance: 0,
    cookies: { keys: [randomBytes(32).toString("hex")] },
    ttl: {
      AccessToken: accessTokenLifetime,
      AuthorizationCode: 60,
      Grant: 24 * 3600,
      IdToken: 3600,
      Interaction: 3600,
      RefreshToken: 24 * 3600,
      Session: 24 * 3600,
    },
    features: {
      devInteractions: { enabled: false },
      revocation: {
        enabled: true,
        allowedPolicy: (_context, client, token) => token.clientId === client.clientId,
      },
      rpInitiatedLogout: { enabled: true, logoutSource, postLogoutSuccessSource },
      resourceIndicators: {
        enabled: true,
        defaultResource: (_context, client) => (client.clientId === "workbench-jwt" ? PHOTOS : undefined),
        // Without this, asking for `openid` as well would yield an opaque token for userinfo alone.
        useGrantedResource: () => true,
        getResourceServerInfo: () => ({
          scope: PHOTO_SCOPES.join(" "),
          audience: PHOTOS,
          accessTokenTTL: accessTokenLifetime,
          accessTokenFormat: "jwt",
          jwt: { sign: { alg: "ES256" } },
        }),
      },
    },
    interactions: { url: (_context, interaction) => `${issuerPath}/interaction/${interaction.uid}` },
    findAccount: (_context, sub) => USERS[sub] && { accountId: sub, claims: () => ({ sub, ...USERS[sub] }) },
    renderError,
    ...(rotation && families(store)),
  };
  configure(configuration);

  const { Provider, interactionPolicy } = await quietly(() => import("oidc-provider"));
  configuration.interactions.policy = policyOf(interactionPolicy);
  const start = () =>
    quietly(async () => {
      const made = new Provider(issuer, configuration);
      made.use(noteTokenRequests(tokenLog));
      return made;
    });
  let provider = await start();
  let protocol = provider.callback();

  answer = async (request, response) => {
    // RFC 8414 §3.1 puts its well-known segment before the issuer's path, everything else comes after it.
    if (issuerPath && request.url === `/.well-known/oauth-authorization-server${issuerPath}`) {
      request.url = "/.well-known/oauth-authorization-server";
    } else if (request.url.startsWith(`${issuerPath}/`)) {
      request.url = request.url.slice(issuerPath.length);
    } else {
      allowOrigin(request, response, origins);
      return reply(response, 404, "text/plain", "Not found.\n");
    }
    request.originalUrl = issuerPath + request.url; // from which oidc-provider learns where it is mounted
    if (request.url.startsWith("/interaction/")) return interact(provider, store, request, response);
    return protocol(request, response);
  };

  return {
    ...server,
    issuer,
    tokenLog,
    /** The public keys, for those who verify JWT access tokens. */
    jwks: { keys: jwks.map((key) => key.public) },
    get provider() {
      return provider;
    },
    /** New keys in the place of the old ones; the server begins anew, and knows nobody any more. */
    rotateKeys: async () => {
      const keys = developmentKeys(`-${randomBytes(3).toString("hex")}`);
      configuration.jwks = { keys: keys.map((key) => key.private) };
      store.clear();
      provider = await start();
      protocol = provider.callback();
    },
    /** Away for a while, then there again, on the same port and with everything that it knew. */
    restart: async (milliseconds = 0) => {
      await server.close();
      await sleep(milliseconds);
      provider = await start();
      protocol = provider.callback();
      await server.reopen();
    },
    /** Takes back every token. What people allowed stays, and so do their sessions here. */
    revokeTokens: () => store.forget("AccessToken", "RefreshToken", "Grant"),
    /** Takes back access tokens alone, as if they had expired early. */
    revokeAccessTokens: () => store.forget("AccessToken"),
    /** Signs everybody out, here. */
    endSessions: () => store.forget("Session"),
    /** The token's record (`accountId`, `scope`, `exp`, …), or undefined if it is unknown, expired or revoked. */
    findAccessToken: (value) => provider.AccessToken.find(value),
  };
}

/** Shows the page that the authorization request waits for, or takes the answer that its form sent. */
async function interact(provider, store, request, response) {
  let interaction;
  try {
    interaction = await provider.interactionDetails(request, response);
  } catch {
    const title = "This sign-in is no longer waiting";
    return html(response, 400, page(title, "<p>Go back to the application and sign in again.</p>"));
  }

  const { prompt, params, session } = interaction;
  if (request.method === "POST") {
    const form = new URLSearchParams((await read(request)).toString());
    return provider.interactionFinished(request, response, await decide(provider, store, interaction, form), {
      mergeWithLastSubmission: prompt.name === "consent",
    });
  }

  const clientId = params.client_id;
  if (prompt.name === "login") return html(response, 200, loginPage({ clientId }));
  const scopes = requestedScopes(prompt, params);
  return html(response, 200, consentPage({ clientId, user: session.accountId, scopes }));
}

/** What oidc-provider is told about the person's decision. */
async function decide(provider, store, { prompt, params, session, grantId }, form) {
  switch (form.get("choice")) {
    case "login":
      if (!USERS[form.get("user")]) return refusal("the user name is neither alice nor bob");
      // Who asks for a level gets it: the pages are a stand-in for a second factor.
      return { login: { accountId: form.get("user"), acr: params.acr_values?.split(" ")[0] ?? ACR_VALUES[0] } };
    case "allow":
      return { consent: { grantId: await grant(provider, store, { prompt, params, session, grantId }) } };
    case "deny":
      return refusal("the person denied the request");
    default:
      return refusal("the person cancelled the sign-in");
  }
}

function refusal(description) {
  return { error: "access_denied", error_description: description };
}

/** Records the consent: exactly what was missing, in addition to what was granted before. */
async function grant(provider, store, { prompt: { details }, params, session, grantId }) {
  const grant = grantId
    ? await provider.Grant.find(grantId)
    : new provider.Grant({ accountId: session.accountId, clientId: params.client_id });
  if (details.missingOIDCScope) grant.addOIDCScope(details.missingOIDCScope.join(" "));
  for (const [resource, scopes] of Object.entries(details.missingResourceScopes ?? {})) {
    grant.addResourceScope(resource, scopes.join(" "));
  }
  store.allow(grant);
  return grant.save();
}

/**
 * Rotation with families. oidc-provider has one grant for each person and client, so that a refresh token used twice would
 * end every tab's sign-in; and it drops `offline_access` where nobody is asked, so that whoever came back by
 * `prompt=none` would have no refresh token any more. Here each sign-in gets a grant of its own, with what the person
 * allowed before, `offline_access` included.
 */
function families(store) {
  return {
    rotateRefreshToken: true,
    issueRefreshToken: ({ oidc }, client) =>
      client.grantTypeAllowed("refresh_token") && oidc.entities.Grant.getOIDCScope().split(" ").includes("offline_access"),
    // They are bound to a session's latest grant, which is another one's here.
    expiresWithSession: () => false,
    async loadExistingGrant({ oidc, query }) {
      const { Grant } = oidc.provider;
      const allowedNow = oidc.result?.consent?.grantId;
      if (allowedNow) return Grant.find(allowedNow);
      const { accountId } = oidc.session;
      const { clientId } = oidc.client;
      const allowed = store.allowed({ accountId, clientId });
      if (!allowed) return undefined;
      const grant = new Grant({ accountId, clientId, ...allowed });
      const asked = query.scope ?? oidc.params.scope ?? "";
      if (grant.openid && !asked.includes("offline_access")) grant.openid.scope = without(grant.openid.scope, "offline_access");
      await grant.save();
      return grant;
    },
  };
}

const without = (scope, token) => scope.split(" ").filter((other) => other !== token).join(" ");

/** What a token may be called in a log. */
export const digest = (token) => createHash("sha256").update(token).digest("base64url").slice(0, 12);

/**
 * Notes each token request before it is looked at, and then what came of it: `tokens`, or the error's code. Refresh tokens
 * are noted by their digests.
 */
function noteTokenRequests(tokenLog) {
  return async (context, next) => {
    if (context.method !== "POST" || context.path !== "/token") return next();
    const entry = { at: Date.now(), grantType: undefined, presented: undefined, issued: undefined, outcome: null };
    tokenLog.push(entry);
    try {
      await next();
    } finally {
      const { grant_type, refresh_token } = context.oidc?.params ?? {};
      const { refresh_token: issued, error } = context.body ?? {};
      entry.grantType = grant_type;
      if (refresh_token) entry.presented = digest(refresh_token);
      if (issued) entry.issued = digest(issued);
      entry.outcome = error ?? (context.status === 200 ? "tokens" : String(context.status));
    }
    return undefined;
  };
}

/** What the consent page lists: what is new, or everything asked for where consent is demanded again. */
function requestedScopes({ details }, params) {
  const missing = [...(details.missingOIDCScope ?? []), ...Object.values(details.missingResourceScopes ?? {}).flat()];
  return missing.length ? [...new Set(missing)] : (params.scope ?? "").split(" ").filter(Boolean);
}

function html(response, status, body) {
  reply(response, status, "text/html; charset=utf-8", body, { "Cache-Control": "no-store" });
}

function logoutSource(context, form) {
  context.body = page(
    "Sign out of the development server?",
    `${form}
<button class="primary" type="submit" form="op.logoutForm" value="yes" name="logout">Sign out</button>
<button type="submit" form="op.logoutForm">Stay signed in</button>`,
  );
}

function postLogoutSuccessSource(context) {
  context.body = page("Signed out of the development server", "<p>You can close this page.</p>");
}

/** An error that may not be sent back to the client, e.g. a redirect URI that is not registered. */
function renderError(context, out) {
  context.type = "html";
  context.body = page(
    "The authorization server refused the request",
    Object.entries(out)
      .map(([name, value]) => `<p><code>${text(name)}</code>: ${text(value)}</p>`)
      .join("\n"),
  );
}

/** The usual reasons to ask for a login, and one more: the person has not signed in in the way that is asked for. */
function policyOf({ base, Check }) {
  const policy = base();
  const isUnmet = ({ oidc }) => {
    const asked = oidc.params.acr_values?.split(" ") ?? [];
    return asked.length > 0 && !asked.includes(oidc.session.acr);
  };
  policy.get("login").checks.add(new Check("acr_unmet", "another way of signing in is asked for", isUnmet));
  return policy;
}

/** One key for each way to sign, new at every start. */
function developmentKeys(suffix = "") {
  return [
    { alg: "RS256", pair: generateKeyPairSync("rsa", { modulusLength: 2048 }) },
    { alg: "ES256", pair: generateKeyPairSync("ec", { namedCurve: "P-256" }) },
    { alg: "PS256", pair: generateKeyPairSync("rsa", { modulusLength: 2048 }) },
    { alg: "EdDSA", pair: generateKeyPairSync("ed25519") },
  ].map(({ alg, pair }) => {
    const common = { alg, use: "sig", kid: `development-${alg.toLowerCase()}${suffix}` };
    return {
      private: { ...pair.privateKey.export({ format: "jwk" }), ...common },
      public: { ...pair.publicKey.export({ format: "jwk" }), ...common },
    };
  });
}

/**
 * oidc-provider warns on start that its in-memory store and Node 20 are not for production. We know; and the first
 * lines of `make authorization-server` are for the address to open.
 */
async function quietly(start) {
  const { info, warn } = console;
  const unlessNotice = (print) => (first, ...rest) => {
    if (!/oidc-provider (NOTICE|WARNING)/.test(first)) print(first, ...rest);
  };
  console.info = unlessNotice(info);
  console.warn = unlessNotice(warn);
  try {
    return await start();
  } finally {
    Object.assign(console, { info, warn });
  }
}
