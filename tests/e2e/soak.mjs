// `make soak`: see support/soak.mjs.
//
// Environment: MINUTES for each of the two ways to keep tokens, STORAGE for one of them alone (shared or session); SEED to
// draw as an earlier run did; WHERE=sandbox for the sandbox.

import { randomInt } from "node:crypto";
import { objections, soak, summary } from "./support/soak.mjs";
import { atServer, onSandbox } from "./support/soak_grounds.mjs";

const { MINUTES, SEED, STORAGE, WHERE } = process.env;
const where = WHERE === "sandbox" ? onSandbox : atServer;
const seconds = Number(MINUTES || 3) * 60;
const seed = Number(SEED || randomInt(2 ** 32));

console.log(`SEED=${seed}`);
const found = [];
for (const token_storage of (STORAGE || "shared session").split(" ")) {
  const report = await soak({ token_storage, seconds, seed, where, print: console.log });
  console.log(`\n${summary(report)}\n`);
  found.push(...objections(report, 1000 / 3));
}
for (const sentence of found) console.error(sentence);
process.exitCode = found.length ? 1 : 0;
