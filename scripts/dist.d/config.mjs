// A deployment's own config.json: baked in with CONFIG=, and the servers that it lets the page talk to.

// A browser navigates to these; no script may fetch them, and the policy need not allow it (RFC 9700 §2.6).
const NAVIGATED = new Set(["authorization_endpoint", "end_session_endpoint"]);

/**
 * @param {string} source the file's text
 * @param {string} name what to call it
 * @returns {{ servers: string[], hasSandbox: boolean, warnings: string[] }} `servers` are the origins for connect-src
 * @throws {Error} a sentence
 */
export function readConfig(source, name) {
  refuseSecret(source, name);
  let config;
  try {
    config = JSON.parse(source);
  } catch (error) {
    throw new Error(`${name} is not JSON (${error.message}): correct it; config.schema.json describes what belongs there.`);
  }
  if (!Array.isArray(config?.authorization_servers)) {
    throw new Error(`${name} has no list "authorization_servers": add one; config.schema.json describes what belongs there.`);
  }

  // The app checks every member and explains what is wrong; here, what is no address is just not one.
  const servers = config.authorization_servers.flatMap((server) => [
    server?.issuer,
    ...Object.entries(server?.metadata ?? {}).filter(([member]) => !NAVIGATED.has(member)).map(([, value]) => value),
    ...[server?.resources ?? []].flat().map((resource) => resource?.url),
  ]);
  const warnings = config.authorization_servers
    .filter((server) => originOf(server?.issuer).length && !server.metadata?.token_endpoint)
    .map(({ issuer }) => `${issuer} names its endpoints by discovery. Any on another origin would be blocked: list those in "metadata" in ${name}.`);
  const names = config.authorization_servers.map((server) => server?.issuer);
  const hasSandbox = names.length === 0 || names.some((name) => /^sandbox\/$|^https?:.*\/sandbox\/$/.test(name));
  return { servers: [...new Set(servers.flatMap(originOf))].sort(), hasSandbox, warnings };
}

/** A public client has none (RFC 6749 §2.1): what a browser knows, everybody knows. */
export function refuseSecret(source, name) {
  // client_secret_basic and its like are names of authentication methods, and may stand in metadata.
  if (/client_secret(?!_)/.test(source)) {
    throw new Error(`${name} mentions client_secret: remove it, and register a public client; whatever is in a browser is no secret.`);
  }
}

function originOf(value) {
  const url = typeof value === "string" && /^https?:/.test(value) && URL.canParse(value) ? new URL(value) : undefined;
  return url ? [url.origin] : [];
}
