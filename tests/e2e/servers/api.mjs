// A small protected resource: photos, for whoever brings an access token of the development authorization server.
//
// Opaque tokens are looked up in the authorization server (same process), JWT ones are verified as RFC 9068 §4 says.
// Refusals are those of RFC 6750 §3, with the header exposed so that a page can read why.

import { createLocalJWKSet, errors, jwtVerify } from "jose";
import { PHOTOS } from "./authorization_server.mjs";
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
 *
 * @param {object} options
 * @param {Awaited<ReturnType<import("./authorization_server.mjs").startAuthorizationServer>>} options.authorizationServer
 * @param {string[]} options.origins who gets CORS headers
 * @param {number} [options.port]
 * @param {"localhost" | "127.0.0.1"} [options.host]
 */
export async function startApi({ authorizationServer, origins, port = 0, host = "localhost" }) {
  const keys = createLocalJWKSet(authorizationServer.jwks);
  const elsewhere = await startBystander({ host });

  const server = await listen(
    async (request, response, entry) => {
      allowOrigin(request, response, origins, ["WWW-Authenticate"]);
      if (request.method === "OPTIONS") return reply(response, 204);

      const [scheme, token] = (request.headers.authorization ?? "").split(" ");
      // RFC 6750 §3.1: a request without any authentication is told nothing but the scheme.
      if (scheme.toLowerCase() !== "bearer" || !token) return refuse(response, 401);

      const access = await accessOf(token, authorizationServer, keys);
      if (!access) return refuse(response, 401, "invalid_token", "the access token is unknown, expired or revoked");

      const scope = request.method === "GET" || request.method === "HEAD" ? "photos:read" : "photos:write";
      if (!access.scopes.includes(scope)) {
        return refuse(response, 403, "insufficient_scope", `this needs the scope ${scope}`, scope);
      }

      const { path, query } = entry;
      if (path === "/photos") return photos(request, response, access);
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
  return found && { user: found.accountId, client: found.clientId, scopes: (found.scope ?? "").split(" ") };
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
