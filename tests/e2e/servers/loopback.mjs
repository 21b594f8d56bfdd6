// What every server in this directory shares: it listens on loopback and remembers what it was asked.
//
// The log is how a fault test proves that its fault happened, so an entry is complete (raw query, raw body, headers)
// and is written when the request arrives, before anything can go wrong with the answer.

import { createServer } from "node:http";

/**
 * @typedef {object} LogEntry
 * @property {number} at milliseconds since the Unix epoch
 * @property {string} method
 * @property {string} path without the query
 * @property {string} query raw, without `?`; empty if there was none
 * @property {import("node:http").IncomingHttpHeaders} headers
 * @property {string} body raw text; grows until the request has arrived completely
 * @property {string | undefined} origin the Origin header
 * @property {string | undefined} referer the Referer header
 * @property {number | null} status null until the answer's headers have left
 * @property {number} bytesSent headers and body handed to the connection so far
 * @property {number | null} closedByClientAt when the client hung up before the answer was complete
 * @property {number | null} cutByServerAt when the server hung up on purpose
 */

/**
 * Starts a server on 127.0.0.1; `host` is only the name its origin is known by.
 *
 * @param {(request: import("node:http").IncomingMessage, response: import("node:http").ServerResponse, entry: LogEntry) => unknown} handler
 * @param {{ port?: number, host?: "localhost" | "127.0.0.1" }} [options] port 0 takes any free one
 * @returns {Promise<{ origin: string, log: LogEntry[], close: () => Promise<void>, reopen: () => Promise<void> }>} once it
 *   was closed, `reopen` has it listen on the same port again
 */
export async function listen(handler, { port = 0, host = "localhost" } = {}) {
  /** @type {LogEntry[]} */
  const log = [];

  const server = createServer(async (request, response) => {
    const entry = record(request, response);
    log.push(entry);
    try {
      await handler(request, response, entry);
    } catch (error) {
      // A client that hangs up is a test's business; anything else is a mistake in the server.
      if (response.destroyed) return;
      console.error(error);
      if (response.headersSent) response.destroy();
      else reply(response, 500, "text/plain", "The test server failed; its console says why.\n");
    }
  });

  const open = (wanted) =>
    new Promise((resolve, reject) => {
      server.once("error", reject);
      server.listen(wanted, "127.0.0.1", resolve);
    });
  await open(port);
  const { port: ours } = server.address();

  return {
    origin: `http://${host}:${ours}`,
    log,
    reopen: () => open(ours),
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

/**
 * A server of another origin that nothing should ever reach: it answers everybody, so that only the client's own
 * refusal keeps its log empty.
 */
export function startBystander(options) {
  return listen((request, response) => {
    allowOrigin(request, response);
    if (request.method === "OPTIONS") return reply(response, 204);
    return reply(response, 200, "application/json", '{"you":"should not be here"}');
  }, options);
}

/** Answers and ends. */
export function reply(response, status, type, body = "", headers = {}) {
  response.writeHead(status, { ...(type && { "Content-Type": type }), ...headers });
  response.end(body);
}

/** The whole request body. */
export async function read(request) {
  const chunks = [];
  for await (const chunk of request) chunks.push(chunk);
  return Buffer.concat(chunks);
}

/**
 * CORS for whoever asks, or only for `origins`. Without credentials, as the client sends none.
 *
 * @param {string[]} [origins]
 * @param {string[]} [expose] response headers that the page may read
 */
export function allowOrigin(request, response, origins, expose = []) {
  const { origin } = request.headers;
  response.setHeader("Vary", "Origin");
  if (!origin || (origins && !origins.includes(origin))) return;
  response.setHeader("Access-Control-Allow-Origin", origin);
  if (expose.length) response.setHeader("Access-Control-Expose-Headers", expose.join(", "));
  if (request.method === "OPTIONS") {
    response.setHeader("Access-Control-Allow-Methods", "GET, HEAD, POST, PUT, PATCH, DELETE");
    response.setHeader("Access-Control-Allow-Headers", "Authorization, Content-Type, DPoP");
  }
}

/** @returns {LogEntry} */
function record(request, response) {
  const [path, query = ""] = splitOnce(request.url, "?");
  const { socket } = request;
  const sentBefore = socket.bytesWritten;
  const received = [];
  let sent; // frozen at the end: a kept-alive connection goes on counting for the next request

  const entry = {
    at: Date.now(),
    method: request.method,
    path,
    query,
    headers: request.headers,
    get body() {
      return Buffer.concat(received).toString();
    },
    origin: request.headers.origin,
    referer: request.headers.referer,
    status: null,
    get bytesSent() {
      return sent ?? socket.bytesWritten - sentBefore;
    },
    closedByClientAt: null,
    cutByServerAt: null,
  };

  // The body is read by whoever answers (oidc-provider insists on the untouched stream), so it is noted on its way in.
  const { push } = request;
  request.push = (chunk, ...rest) => {
    if (chunk) received.push(chunk);
    return push.call(request, chunk, ...rest);
  };

  const { writeHead } = response;
  response.writeHead = (status, ...rest) => {
    entry.status = status;
    return writeHead.call(response, status, ...rest);
  };

  response.once("close", () => {
    sent = socket.bytesWritten - sentBefore;
    if (!response.writableFinished && !entry.cutByServerAt) entry.closedByClientAt = Date.now();
  });
  return entry;
}

function splitOnce(text, separator) {
  const at = text.indexOf(separator);
  return at < 0 ? [text] : [text.slice(0, at), text.slice(at + separator.length)];
}
