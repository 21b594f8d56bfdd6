// The servers behind `make serve`: an authorization server to sign in at, and an API to call with the token.
//
// Environment: PORT (where Trunk serves the workbench), AS_PORT, API_PORT.

import { startApi } from "./api.mjs";
import { startAuthorizationServer } from "./authorization_server.mjs";

const { PORT = "8080", AS_PORT = "9080", API_PORT = "9081" } = process.env;
const origins = [`http://localhost:${PORT}`, `http://127.0.0.1:${PORT}`];

const authorizationServer = await startAuthorizationServer({
  port: Number(AS_PORT),
  redirectUris: origins.map((origin) => `${origin}/callback`),
  postLogoutRedirectUris: origins.map((origin) => `${origin}/`),
});
const api = await startApi({ port: Number(API_PORT), authorizationServer, origins });

console.log(`Authorization server  ${authorizationServer.issuer}  (users alice and bob, any password)`);
console.log(`API                   ${api.origin}/photos`);

for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) {
  process.on(signal, async () => {
    await Promise.all([authorizationServer.close(), api.close()]);
    process.exit(0);
  });
}
