// `make authorization-server`: an authorization server to sign in at, and an API to call with the token.
//
// Environment: AS_PORT, API_PORT; PORT, where the app is served that signs in.

import { startApi } from "./api.mjs";
import { startAuthorizationServer } from "./authorization_server.mjs";

const [port, asPort, apiPort] = [["PORT", 8080], ["AS_PORT", 9080], ["API_PORT", 9081]].map(readPort);
const origins = [`http://localhost:${port}`, `http://127.0.0.1:${port}`];

const authorizationServer = await startAuthorizationServer({
  port: asPort,
  redirectUris: origins.map((origin) => `${origin}/callback`),
  postLogoutRedirectUris: origins.map((origin) => `${origin}/`),
}).catch((error) => refuse(error, "AS_PORT", asPort));
const api = await startApi({ port: apiPort, authorizationServer, origins }).catch((error) => refuse(error, "API_PORT", apiPort));

const config = {
  authorization_servers: [
    {
      name: "Development server",
      issuer: authorizationServer.issuer,
      client_id: "workbench",
      scope: "openid profile photos:read",
      token_storage: "session",
      resources: [{ name: "Photos", url: `${api.origin}/photos` }],
    },
  ],
};
console.log(`
  Authorization server  ${authorizationServer.issuer}   sign in as alice or bob, with any password
  API                   ${api.origin}/photos
  For apps at           ${origins.join(" and ")}

  The workbench signs in here with this config.json:

${JSON.stringify(config, null, 2)}

  Ctrl-C ends both.
`);

for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) {
  process.on(signal, async () => {
    await Promise.all([authorizationServer.close(), api.close()]);
    process.exit(0);
  });
}

function readPort([variable, standard]) {
  const port = Number(process.env[variable] ?? standard);
  if (Number.isInteger(port) && port > 0 && port < 65536) return port;
  return stop(`${variable}="${process.env[variable]}" is not a port: choose a number from 1 to 65535.`);
}

function refuse(error, variable, port) {
  if (error.code === "EADDRINUSE" || error.code === "EACCES") {
    stop(`Port ${port} is not to be had: stop what uses it, or choose another with ${variable}=${port + 10}.`);
  }
  throw error;
}

function stop(sentence) {
  console.error(sentence);
  process.exit(1);
}
