// A small protected resource: photos, for whoever brings an access token of the development authorization server.
//
// Opaque tokens are looked up in the authorization server (same process), JWT ones are verified as RFC 9068 §4 says.
// Refusals are those of RFC 6750 §3, with the header exposed so that a page can read why.

import { createHash, randomBytes } from "node:crypto";
import { calculateJwkThumbprint, createLocalJWKSet, EmbeddedJWK, errors, jwtVerify } from "jose";
import { ACR_VALUES, PHOTOS } from "./authorization_server.mjs";
import { allowOrigin, listen, read, reply, startBystander } from "./loopback.mjs";

const PHOTO_TITLES = [
  "Harbour at six", "Two herons", "Rain on the tram", "Grandmother's loom", "Salt flats", "The last kiosk",
  "Fog, then sun", "A borrowed bicycle", "Night market", "Paper boats", "Larch in October", "Window seat",
];

/**
 * Starts the API. `/photos` is what the workbench shows; the other paths misbehave in one way each, for the tests:
 *
 * - `GET /redirect`: 302 to another origin, whose log is `elsewhere.log` and must stay empty
 * - `GET /large?bytes=N`: N bytes of JSON
 * - `GET /slow`: never answers
 * - `GET /status/NNN`: an empty answer with that status
 * - `GET /safe`: only for people who signed in with a second factor, at most five minutes ago (RFC 9470)
 *
 * @param {object} options
 * @param {Awaited<ReturnType<import("./authorization_server.mjs").startAuthorizationServer>>} options.authorizationServer
 * @param {string[]} options.origins who gets CORS headers
 * @param {number} [options.port]
 * @param {"localhost" | "127.0.0.1"} [options.host]
 * @param {boolean} [options.nonces] DPoP proofs must have a nonce of this server (RFC 9449 §9)
 * @param {string[]} [options.expose] response headers that pages may read
 */
export async function startApi({
  authorizationServer,
  origins,
  port = 0,
  host = "localhost",
  nonces = false,
  expose = ["WWW-Authenticate", "DPoP-Nonce"],
}) {
  const nonce = nonces ? randomBytes(16).toString("base64url") : undefined;
  const keys = createLocalJWKSet(authorizationServer.jwks);
  const elsewhere = await startBystander({ host });

  const server = await listen(
    async (request, response, entry) => {
      allowOrigin(request, response, origins, expose);
      if (request.method === "OPTIONS") return reply(response, 204);

      // RFC 9728 §3.1: what the API says about itself.
      if (entry.path === "/.well-known/oauth-protected-resource/photos") {
        return json(response, 200, {
          resource: `${server.origin}/photos`,
          resource_name: "Photos",
          authorization_servers: [authorizationServer.issuer],
          scopes_supported: ["photos:read"],
          bearer_methods_supported: ["header"],
        });
      }

      const [scheme, token] = (request.headers.authorization ?? "").split(" ");
      // RFC 6750 §3.1: a request without any authentication is told nothing but the scheme.
      const isBound = scheme.toLowerCase() === "dpop";
      if ((!isBound && scheme.toLowerCase() !== "bearer") || !token) return refuse(response, 401);

      const access = await accessOf(token, authorizationServer, keys);
      if (!access) return refuse(response, 401, "invalid_token", "the access token is unknown, expired or revoked");
      // RFC 9449 §7.2: a bound token is no bearer token.
      if (isBound !== Boolean(access.jkt)) return refuse(response, 401, "invalid_token", "the token is of another kind");
      if (isBound) {
        const error = await proofError(request, entry, server.origin, token, access.jkt, nonce);
        if (error) {
          const challenge = { "WWW-Authenticate": `DPoP error="${error}", algs="ES256"`, ...(nonce && { "DPoP-Nonce": nonce }) };
          return json(response, 401, { error }, challenge);
        }
      }

      const scope = request.method === "GET" || request.method === "HEAD" ? "photos:read" : "photos:write";
      if (!access.scopes.includes(scope)) {
        return refuse(response, 403, "insufficient_scope", `this needs the scope ${scope}`, scope);
      }

      const { path, query } = entry;
      if (path === "/photos") return photos(request, response, access);
      if (path === "/safe") return safe(response, access);
      if (path === "/redirect") return reply(response, 302, "", "", { Location: `${elsewhere.origin}/photos` });
      if (path === "/large") return large(response, Number(new URLSearchParams(query).get("bytes") ?? 5_000_000));
      if (path === "/slow") return undefined;
      const status = /^\/status\/([2-5]\d\d)$/.exec(path);
      if (status) return reply(response, Number(status[1]));
      return json(response, 404, { error: "not_found" });
    },
    { port, host },
  );

  return {
    ...server,
    elsewhere,
    close: async () => {
      await server.close();
      await elsewhere.close();
    },
  };
}

/** Who a valid token speaks for, and its scopes; undefined for any other token. */
async function accessOf(token, authorizationServer, keys) {
  if (token.split(".").length === 3) {
    try {
      const { payload } = await jwtVerify(token, keys, {
        issuer: authorizationServer.issuer,
        audience: PHOTOS,
        typ: "at+jwt",
        requiredClaims: ["exp", "sub", "client_id"],
      });
      return { user: payload.sub, client: payload.client_id, scopes: (payload.scope ?? "").split(" ") };
    } catch (error) {
      if (error instanceof errors.JOSEError) return undefined;
      throw error;
    }
  }
  const found = await authorizationServer.findAccessToken(token);
  const { acr, auth_time: authTime } = found?.extra ?? {};
  return found && { user: found.accountId, client: found.clientId, scopes: (found.scope ?? "").split(" "), jkt: found.jkt, acr, authTime };
}

/** Why the proof of a request is refused (RFC 9449 §4.3, §7.1); undefined if it is in order. */
async function proofError(request, { path }, origin, token, jkt, nonce) {
  try {
    const { payload, protectedHeader } = await jwtVerify(request.headers.dpop ?? "", EmbeddedJWK, {
      typ: "dpop+jwt",
      algorithms: ["ES256"],
      maxTokenAge: 60,
      requiredClaims: ["jti", "htm", "htu", "ath"],
    });
    const ath = createHash("sha256").update(token).digest("base64url");
    const isRight = payload.htm === request.method && payload.htu === origin + path && payload.ath === ath;
    if (!isRight || (await calculateJwkThumbprint(protectedHeader.jwk)) !== jkt) return "invalid_dpop_proof";
    return nonce && payload.nonce !== nonce ? "use_dpop_nonce" : undefined;
  } catch {
    return "invalid_dpop_proof";
  }
}

function safe(response, { user, acr, authTime }) {
  const [, otp] = ACR_VALUES;
  if (acr === otp && Date.now() / 1000 - authTime < 300) return json(response, 200, { owner: user, safe: "open" });
  const challenge = `Bearer error="insufficient_user_authentication", error_description="a second factor is needed", acr_values="${otp}", max_age=300`;
  return json(response, 401, { error: "insufficient_user_authentication" }, { "WWW-Authenticate": challenge });
}

async function photos(request, response, { user, client, scopes }) {
  if (request.method === "POST") {
    const received = (await read(request)).toString();
    return json(response, 201, { owner: user, received, type: request.headers["content-type"] ?? null });
  }
  if (request.method !== "GET") return reply(response, 405, "", "", { Allow: "GET, POST" });
  return json(response, 200, {
    owner: user,
    client_id: client,
    scope: scopes.join(" "),
    photos: PHOTO_TITLES.map((title, index) => ({ id: index + 1, title, taken: `2025-${String(index + 1).padStart(2, "0")}-14` })),
  });
}

/** A JSON string of exactly `bytes` bytes, quotes included. */
function large(response, bytes) {
  reply(response, 200, "application/json", `"${"x".repeat(Math.max(0, bytes - 2))}"`);
}

function refuse(response, status, error, description, scope) {
  const attributes = Object.entries({ realm: "photos", error, error_description: description, scope })
    .filter(([, value]) => value)
    .map(([name, value]) => `${name}="${value}"`);
  json(response, status, { error, error_description: description }, { "WWW-Authenticate": `Bearer ${attributes.join(", ")}` });
}

function json(response, status, value, headers = {}) {
  reply(response, status, "application/json", JSON.stringify(value), { "Cache-Control": "no-store", ...headers });
}
