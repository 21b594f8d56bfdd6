// An authorization server that does what no certified one will: it loses answers, redirects, drips and never ends.
//
// The test sets `mode`, runs its flow, and then reads the log: what arrived, how many bytes went out, who hung up.

import { request as httpRequest } from "node:http";
import { setTimeout as sleep } from "node:timers/promises";
import { allowOrigin, listen, read, reply, startBystander } from "./loopback.mjs";
import { page, text } from "./pages.mjs";

/** What the token endpoint, `POST /token`, does with a request; one function per mode. */
const TOKEN_MODES = {
  /** Passes the request on, and the answer back; hangs up if there is nobody to pass it on to. */
  async forward(fault, request, response, entry) {
    const answer = await passOn(fault, request, entry).catch(() => undefined);
    if (!answer) return hangUp(response, entry);
    // On a connection that was used before, Chromium sends what got no answer a second time by itself.
    response.writeHead(answer.statusCode, { ...answer.headers, connection: "close" });
    answer.pipe(response);
    return undefined;
  },

  /** Passes the request on when the test calls `release`. */
  async held(fault, request, response, entry) {
    await new Promise((resolve) => fault.waiting.push(resolve));
    return TOKEN_MODES.forward(fault, request, response, entry);
  },

  /** Passes the request on, which takes full effect, and the answer back when the test calls `release`. */
  async withheld(fault, request, response, entry) {
    const answer = await passOn(fault, request, entry).catch(() => undefined);
    if (!answer) return hangUp(response, entry);
    const body = await read(answer);
    await new Promise((resolve) => fault.waiting.push(resolve));
    response.writeHead(answer.statusCode, { ...answer.headers, connection: "close" });
    response.end(body);
    return undefined;
  },

  /** Passes the request on after `pause`. */
  async delayed(fault, request, response, entry) {
    await sleep(fault.pause);
    return TOKEN_MODES.forward(fault, request, response, entry);
  },

  /** The request is lost on its way: nobody but this log has seen it. */
  async swallowed(_fault, request, response, entry) {
    if (!request.readableEnded) await read(request);
    hangUp(response, entry);
  },

  /** The request takes full effect (the code is spent), but not one byte of the answer arrives. */
  async lost(fault, request, response, entry) {
    const answer = await passOn(fault, request, entry).catch(() => undefined);
    if (answer) await read(answer);
    hangUp(response, entry);
  },

  /** One of the others by lot, as often as `odds` says; the entry in the log tells as `fate` which one it was. */
  async drawn(fault, request, response, entry) {
    await read(request);
    if (!fault.isDrawn(new URLSearchParams(entry.body))) return TOKEN_MODES.forward(fault, request, response, entry);
    let lot = fault.random();
    const fate = Object.entries(fault.odds).find(([, odds]) => (lot -= odds) < 0)?.[0] ?? "forward";
    entry.fate = fate;
    return TOKEN_MODES[fate](fault, request, response, entry);
  },

  /** A 307 re-sends the body, code and verifier included, to where it points. */
  redirect: (fault, _request, response) =>
    reply(response, 307, "", "", { Location: `${fault.elsewhere.origin}/token` }),

  /** A 302 turns the POST into a GET. */
  redirect302: (fault, _request, response) =>
    reply(response, 302, "", "", { Location: `${fault.elsewhere.origin}/token` }),

  /** Not even headers. */
  slow: () => {},

  /** Headers at once, then a byte of white space per second: valid JSON so far, and nothing is ever idle. */
  async drip(_fault, _request, response) {
    response.writeHead(200, { "Content-Type": "application/json" });
    while (!response.destroyed) {
      response.write(" ");
      await sleep(1000);
    }
  },

  /** As many bytes as the client takes. */
  async endless(fault, _request, response) {
    response.writeHead(200, { "Content-Type": "application/json" });
    response.write('{"access_token":"');
    const chunk = "x".repeat(fault.pace.bytes);
    while (!response.destroyed) {
      if (!response.write(chunk)) await drained(response);
      if (fault.pace.milliseconds) await sleep(fault.pace.milliseconds);
    }
  },

  /** What a captive portal or a single-page host says in place of the endpoint. */
  html: (_fault, _request, response) =>
    reply(response, 200, "text/html; charset=utf-8", page("Welcome to the hotel", "<p>Please accept our terms.</p>")),

  /** JSON by its label, but not even UTF-8. */
  garbage: (_fault, _request, response) =>
    reply(response, 200, "application/json", Buffer.from([0x7b, 0x22, 0xff, 0xfe, 0x00, 0xc3, 0x28, 0x22])),

  /** Whatever the test put into `reply`. */
  reply: (fault, _request, response) => {
    const { status = 200, headers = { "Content-Type": "application/json" }, body = "" } = fault.reply;
    reply(response, status, "", typeof body === "string" || Buffer.isBuffer(body) ? body : JSON.stringify(body), headers);
  },
};

// These leave the body unread and CORS to the real server, whose answer is passed on or thrown away.
const PASSES_ON = new Set(["forward", "held", "withheld", "delayed", "swallowed", "lost", "drawn"]);

/**
 * @param {object} [options]
 * @param {string} [options.forwardTo] URL of the real token endpoint, for the modes that pass requests on
 * @param {number} [options.port]
 * @param {"localhost" | "127.0.0.1"} [options.host]
 */
export async function startFaultServer({ forwardTo, port = 0, host = "localhost" } = {}) {
  const fault = {
    /** @type {keyof typeof TOKEN_MODES} */
    mode: "forward",
    forwardTo,
    /** Should a page be able to read what the fault server itself answers? */
    cors: true,
    /** For the modes `held` and `withheld`: the requests or answers that wait, and what lets them go on. */
    waiting: [],
    release: () => fault.waiting.splice(0).forEach((goOn) => goOn()),
    /** For the mode `delayed`, in milliseconds. */
    pause: 1000,
    /** For the mode `drawn`: mode → how often, of 1; what is left is `forward`. Seeded, it draws the same every time. */
    odds: {},
    random: Math.random,
    /** Whether a request, as its form, is drawn for at all; the others are passed on. */
    isDrawn: (_form) => true,
    /** For the mode `reply`; a `body` that is neither text nor bytes is sent as JSON. */
    reply: {},
    /** For the mode `endless`: a chunk, and the pause after it. */
    pace: { bytes: 16 * 1024, milliseconds: 0 },
    /** Metadata and whatever else is fetched with GET: path → { status, type, body }. */
    documents: {},
    /** Where `GET /authorize` sends the browser (a URL); null shows a page instead. */
    authorize: (_query) => null,
    /** The origin that redirects lead to. Its log must stay empty. */
    elsewhere: await startBystander({ host }),
    /** The requests to the token endpoint alone, preflights not counted. */
    get tokenRequests() {
      return fault.log.filter(({ method, path }) => method === "POST" && path === "/token");
    },
  };

  const server = await listen(
    async (request, response, entry) => {
      if (request.method === "POST" && entry.path === "/token") {
        if (!PASSES_ON.has(fault.mode)) {
          if (fault.cors) allowOrigin(request, response);
          await read(request);
        }
        return TOKEN_MODES[fault.mode](fault, request, response, entry);
      }
      if (request.method === "GET" && entry.path === "/authorize") return authorize(fault, entry, response);

      if (fault.cors) allowOrigin(request, response);
      if (request.method === "OPTIONS") return reply(response, 204);
      const document = fault.documents[entry.path];
      if (!document) return reply(response, 404, "text/plain", "Not found.\n");
      const { status = 200, type = "application/json", body = "" } = document;
      return reply(response, status, type, typeof body === "string" ? body : JSON.stringify(body));
    },
    { port, host },
  );

  return Object.assign(fault, {
    origin: server.origin,
    log: server.log,
    close: async () => {
      await server.close();
      await fault.elsewhere.close();
    },
  });
}

/** Sends the request to the real token endpoint as it came, and resolves with the answer's stream. */
async function passOn(fault, request, entry) {
  if (!request.readableEnded) await read(request);
  const { body } = entry;
  const { host: _host, connection: _connection, ...headers } = request.headers;
  return new Promise((resolve, reject) => {
    const onward = httpRequest(fault.forwardTo, { method: "POST", headers, agent: false }, resolve);
    onward.on("error", reject);
    onward.end(body);
  });
}

/** The connection ends without an answer. */
function hangUp(response, entry) {
  entry.cutByServerAt ??= Date.now();
  response.destroy();
}

function authorize(fault, { query }, response) {
  const location = fault.authorize(new URLSearchParams(query));
  if (location) return reply(response, 302, "", "", { Location: location });
  const parameters = [...new URLSearchParams(query)]
    .map(([name, value]) => `<li><code>${text(name)}=${text(value)}</code></li>`)
    .join("\n");
  return reply(response, 200, "text/html; charset=utf-8", page("Authorization endpoint", `<ul>\n${parameters}\n</ul>`));
}

function drained(response) {
  return new Promise((resolve) => {
    const settle = () => {
      response.off("drain", settle).off("close", settle);
      resolve();
    };
    response.on("drain", settle).on("close", settle);
  });
}
