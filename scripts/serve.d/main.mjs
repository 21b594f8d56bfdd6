// `make serve`: the development servers and `trunk serve` side by side, as one program that ends as one.

import { spawn } from "node:child_process";
import { setTimeout as sleep } from "node:timers/promises";
import { SERVICES } from "./ports.mjs";

const [app, authorizationServer, api] = SERVICES;
const env = {
  ...process.env,
  ...Object.fromEntries(SERVICES.map(({ variable, port }) => [variable, String(port)])),
};

const children = [
  start("development servers", process.execPath, ["tests/e2e/servers/development.mjs"], "ignore"),
  start("trunk serve", "trunk", ["serve", "--port", String(app.port)], "inherit"),
];

for (const signal of ["SIGINT", "SIGTERM", "SIGHUP"]) process.on(signal, () => end(0));
// Whatever ends this program, e.g. a mistake in it: nothing stays behind.
process.on("exit", () => children.forEach((child) => signalGroup(child, "SIGKILL")));

await Promise.all(SERVICES.map(({ port }) => untilAnswers(port)));
announce();

/** Starts a program in a process group of its own, so that what it starts in turn (cargo, rustc) ends with it. */
function start(name, command, args, stdout) {
  const child = spawn(command, args, { env, detached: true, stdio: ["ignore", stdout, "inherit"] });
  child.on("error", (error) => end(1, `${name} could not be started (${error.message}).`));
  child.on("exit", (code, signal) => end(1, `${name} ended by itself (${signal ?? `exit code ${code}`}); its last lines above say why.`));
  return child;
}

let ending = false;

async function end(code, reason) {
  if (ending) return;
  ending = true;
  if (reason) console.error(`\n${reason}`);
  children.forEach((child) => signalGroup(child, "SIGTERM"));
  for (let waited = 0; waited < 3000 && children.some(isRunning); waited += 50) await sleep(50);
  process.exit(code);
}

function isRunning({ pid, exitCode, signalCode }) {
  return pid !== undefined && exitCode === null && signalCode === null;
}

function signalGroup({ pid }, signal) {
  if (pid === undefined) return;
  try {
    process.kill(-pid, signal);
  } catch {
    // The whole group has ended already.
  }
}

async function untilAnswers(port) {
  for (;;) {
    try {
      await fetch(`http://localhost:${port}/`);
      return;
    } catch {
      await sleep(200);
    }
  }
}

function announce() {
  const address = ({ port }, path = "/") => `http://localhost:${port}${path}`;
  console.log(`
  Open       ${address(app)}
  Sign in as alice or bob, with any password

  Authorization server  ${address(authorizationServer, "")}
  API                   ${address(api, "/photos")}

  Ctrl-C ends all three. For Trunk alone: . ./env.sh && trunk serve
`);
  const moved = [authorizationServer, api].filter(({ port, standard }) => port !== standard);
  if (moved.length) {
    console.log(`  config.json names the standard ports: change it to match ${moved.map(({ variable, port }) => `${variable}=${port}`).join(", ")}.\n`);
  }
}
