// A static host, as a content delivery network or GitHub Pages would be one: right media types, compressed files where
// the browser takes them, and the deployment's own `_headers` file.

import { readFile, stat } from "node:fs/promises";
import { extname, join, normalize } from "node:path";
import { listen, reply } from "./loopback.mjs";

const TYPES = {
  ".css": "text/css; charset=utf-8",
  ".html": "text/html; charset=utf-8",
  ".js": "text/javascript; charset=utf-8",
  ".json": "application/json",
  ".png": "image/png",
  ".svg": "image/svg+xml",
  ".txt": "text/plain; charset=utf-8",
  ".wasm": "application/wasm",
  ".webmanifest": "application/manifest+json",
};

const ENCODINGS = [
  { name: "br", extension: ".br" },
  { name: "gzip", extension: ".gz" },
];

/**
 * @param {object} options
 * @param {string} options.root a directory that `make dist` wrote
 * @param {number} [options.port]
 * @param {"localhost" | "127.0.0.1"} [options.host]
 * @param {string} [options.base] the path it is served under, with slashes at both ends
 * @param {boolean} [options.rewrites] true: unknown paths get index.html with 200 (Netlify, Cloudflare Pages);
 *   false: `/callback` finds callback.html or callback/index.html, other unknown paths 404.html (GitHub Pages)
 * @param {boolean} [options.headers] true: apply `_headers`; false: a host that lets nobody set headers
 * @param {Map<string, { status?: number, type?: string, body?: string | Buffer, headers?: object }>} [options.overrides]
 *   answers for single paths, without the base, e.g. `/config.json`; may be changed while the host runs
 */
export async function startStaticHost({
  root,
  port = 0,
  host = "localhost",
  base = "/",
  rewrites = true,
  headers = true,
  overrides = new Map(),
}) {
  const rules = headers ? parseHeaders(await readFile(join(root, "_headers"), "utf8")) : [];

  const server = await listen(
    async (request, response, entry) => {
      if (request.method !== "GET" && request.method !== "HEAD") return reply(response, 405);
      if (!entry.path.startsWith(base)) return reply(response, 404, "text/plain", "Outside of the site.\n");

      const path = `/${entry.path.slice(base.length)}`;
      const fromRules = headersFor(rules, entry.path);
      const override = overrides.get(path);
      if (override) {
        const { status = 200, type = typeOf(path), body = "", headers: own = {} } = override;
        return reply(response, status, type, body, { ...fromRules, ...own });
      }

      const found = await find(root, path, rewrites);
      if (!found) return reply(response, 404, "text/plain", "Not found.\n", fromRules);
      const { body, encoding } = await load(found.file, request.headers["accept-encoding"] ?? "");
      return reply(response, found.status, typeOf(found.file), request.method === "HEAD" ? "" : body, {
        ...fromRules,
        Vary: "Accept-Encoding",
        "Content-Length": body.length,
        ...(encoding && { "Content-Encoding": encoding }),
      });
    },
    { port, host },
  );

  return { ...server, base, url: server.origin + base, overrides };
}

/** The file for a path of the site, and the status it is sent with. */
async function find(root, path, rewrites) {
  let decoded;
  try {
    decoded = decodeURIComponent(path);
  } catch {
    return undefined;
  }
  // `normalize` folds `..`, and a path that begins with a slash cannot fold out of the root.
  const wanted = normalize(decoded);
  const candidates = wanted.endsWith("/")
    ? [`${wanted}index.html`]
    : [wanted, ...(rewrites ? [] : [`${wanted}.html`, `${wanted}/index.html`])];
  for (const candidate of candidates) {
    const file = join(root, candidate);
    if (await isFile(file)) return { file, status: 200 };
  }
  const fallback = rewrites ? { name: "index.html", status: 200 } : { name: "404.html", status: 404 };
  const file = join(root, fallback.name);
  return (await isFile(file)) ? { file, status: fallback.status } : undefined;
}

/** The file's bytes, compressed beforehand where the browser takes that. */
async function load(file, accepted) {
  const names = accepted.split(",").map((part) => part.split(";")[0].trim());
  for (const { name, extension } of ENCODINGS) {
    if (names.includes(name) && (await isFile(file + extension))) {
      return { body: await readFile(file + extension), encoding: name };
    }
  }
  return { body: await readFile(file) };
}

/**
 * The format of Netlify and Cloudflare Pages: a path pattern per paragraph, its headers indented below it.
 *
 * @returns {{ pattern: RegExp, headers: [string, string][] }[]}
 */
function parseHeaders(source) {
  const rules = [];
  for (const line of source.split("\n")) {
    if (!line.trim() || line.trimStart().startsWith("#")) continue;
    if (/^\s/.test(line)) {
      const [name, ...value] = line.trim().split(":");
      rules.at(-1).headers.push([name, value.join(":").trim()]);
    } else {
      const pattern = line.trim().split("*").map((part) => part.replace(/[.+?^${}()|[\]\\]/g, "\\$&"));
      rules.push({ pattern: new RegExp(`^${pattern.join(".*")}$`), headers: [] });
    }
  }
  return rules;
}

/** The headers of every rule that matches; a later rule wins. */
function headersFor(rules, path) {
  return Object.fromEntries(rules.filter(({ pattern }) => pattern.test(path)).flatMap(({ headers }) => headers));
}

function typeOf(file) {
  return TYPES[extname(file)] ?? "application/octet-stream";
}

async function isFile(path) {
  return (await stat(path).catch(() => undefined))?.isFile() ?? false;
}
