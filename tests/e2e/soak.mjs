// `make soak`: see support/soak.mjs.
//
// Environment: MINUTES for each of the two ways to keep tokens; SEED to draw as an earlier run did.

import { randomInt } from "node:crypto";
import { objections, soak, summary } from "./support/soak.mjs";

const { MINUTES = "3", SEED = String(randomInt(2 ** 32)), STORAGE = "shared session" } = process.env;
const seconds = Number(MINUTES) * 60;
const seed = Number(SEED);

console.log(`SEED=${seed}`);
const found = [];
for (const token_storage of STORAGE.split(" ")) {
  const report = await soak({ token_storage, seconds, seed, print: console.log });
  console.log(`\n${summary(report)}\n`);
  found.push(...objections(report));
}
for (const sentence of found) console.error(sentence);
process.exitCode = found.length ? 1 : 0;
