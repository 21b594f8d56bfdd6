// The three ports of `make serve`. Run as a program, says which of them are taken and fails if any is.

import { createServer } from "node:net";
import { pathToFileURL } from "node:url";

/** What listens where; the environment variable chooses another port. */
export const SERVICES = [
  { name: "workbench", variable: "PORT", port: 8080 },
  { name: "authorization server", variable: "AS_PORT", port: 9080 },
  { name: "API", variable: "API_PORT", port: 9081 },
].map((service) => ({ ...service, standard: service.port, port: Number(process.env[service.variable] ?? service.port) }));

/** What is wrong with the ports, a sentence each. */
export async function problems() {
  const found = [];
  for (const { name, variable, port } of SERVICES) {
    if (!Number.isInteger(port) || port < 1 || port > 65535) {
      found.push(`${variable}="${process.env[variable]}" is not a port: give the ${name} a number from 1 to 65535.`);
    } else if (SERVICES.some((other) => other.name !== name && other.port === port)) {
      found.push(`Port ${port} is wanted twice: give the ${name} another one with ${variable}.`);
    } else if (await isTaken(port)) {
      found.push(`Port ${port}, for the ${name}, is taken: stop what uses it, or choose another with ${variable}=${port + 10} make serve.`);
    }
  }
  return found;
}

async function isTaken(port) {
  const results = await Promise.all(["127.0.0.1", "::1"].map((host) => listenError(port, host)));
  // EACCES is a port below 1024; no address for ::1 only means a machine without IPv6.
  return results.some((code) => code === "EADDRINUSE" || code === "EACCES");
}

function listenError(port, host) {
  return new Promise((resolve) => {
    const server = createServer()
      .once("error", ({ code }) => resolve(code))
      .listen({ port, host, exclusive: true }, () => server.close(() => resolve(undefined)));
  });
}

if (import.meta.url === pathToFileURL(process.argv[1]).href) {
  const found = await problems();
  for (const sentence of found) console.error(sentence);
  process.exitCode = found.length ? 1 : 0;
}
