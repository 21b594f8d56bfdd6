// The Content-Security-Policy and the other headers of a deployment, computed from what was built.

import { createHash } from "node:crypto";

/** As one build serves every deployment, the shipped page may ask any https server, and servers on this machine. */
export const ANY_SERVER = ["https:", "http://localhost:*", "http://127.0.0.1:*"];

/**
 * @param {object} page as `inspectPage` describes it
 * @param {string[]} servers sources for connect-src besides the site itself
 * @param {{ hasWorker?: boolean }} [site] whether a worker of the site may be registered
 * @returns {string} without frame-ancestors: this is the part that a meta element can say
 */
export function contentSecurityPolicy({ inlineScripts, dataImages, manifest }, servers, { hasWorker = false } = {}) {
  const hashes = inlineScripts.map((text) => `'sha256-${createHash("sha256").update(text).digest("base64")}'`);
  return serialize({
    "default-src": ["'none'"],
    // WebAssembly needs a permission of its own; eval stays forbidden.
    "script-src": ["'self'", "'wasm-unsafe-eval'", ...hashes],
    "style-src": ["'self'"],
    "img-src": ["'self'", ...(dataImages ? ["data:"] : [])],
    "connect-src": ["'self'", ...servers],
    ...(manifest && { "manifest-src": ["'self'"] }),
    // Without it, script-src would admit workers.
    "worker-src": [hasWorker ? "'self'" : "'none'"],
    "form-action": ["'self'"],
    "base-uri": ["'none'"],
    "object-src": ["'none'"],
  });
}

/** The meta element for hosts that let nobody set headers. */
export function policyElement(policy) {
  return `\n<meta http-equiv="Content-Security-Policy" content="${policy.replaceAll('"', "&quot;")}">`;
}

/**
 * The `_headers` file that Netlify and Cloudflare Pages read; for other hosts, the list to copy from.
 *
 * @param {string} policy
 * @param {string} publicUrl
 * @param {string[]} files every file of the site
 */
export function headersFile(policy, publicUrl, files) {
  const rules = new Map([
    [
      `${publicUrl}*`,
      {
        "Content-Security-Policy": `${policy}; frame-ancestors 'none'`,
        "Strict-Transport-Security": "max-age=31536000",
        "X-Content-Type-Options": "nosniff",
        "Referrer-Policy": "no-referrer",
        "Cross-Origin-Opener-Policy": "same-origin",
        "Cross-Origin-Resource-Policy": "same-origin",
        "Permissions-Policy": PERMISSIONS.map((feature) => `${feature}=()`).join(", "),
      },
    ],
    // Hosts join the headers of all rules that match, so no two of these name the same path.
    ...files.flatMap((file) => addresses(publicUrl, file).map((path) => [path, { "Cache-Control": cacheControl(file) }])),
  ]);
  const paragraphs = [...rules].map(([path, headers]) =>
    [path, ...Object.entries(headers).map(([name, value]) => `  ${name}: ${value}`)].join("\n"),
  );
  return `# Headers for ${publicUrl}, in the format of Netlify and Cloudflare Pages; it belongs into the root of the site.\n\n${paragraphs.join("\n\n")}\n`;
}

// What this page never asks for, so that nothing injected into it can either.
const PERMISSIONS = [
  "accelerometer", "camera", "display-capture", "geolocation", "gyroscope", "magnetometer", "microphone", "midi",
  "payment", "usb",
];

/** Trunk puts a hash of the content into the names of what may be kept for ever. */
function cacheControl(file) {
  return /-[0-9a-f]{12,16}(_bg)?\.\w+$/.test(file) ? "public, max-age=31536000, immutable" : "no-cache";
}

/** A page answers under its name, and under the address that hosts make of it. */
function addresses(publicUrl, file) {
  if (file === "index.html") return [publicUrl, publicUrl + file];
  if (file.endsWith("/index.html")) return [publicUrl + file.slice(0, -"index.html".length), publicUrl + file];
  if (file.endsWith(".html")) return [publicUrl + file.slice(0, -".html".length), publicUrl + file];
  return [publicUrl + file];
}

function serialize(directives) {
  return Object.entries(directives)
    .map(([name, sources]) => [name, ...sources].join(" "))
    .join("; ");
}
