#!/usr/bin/env node
// Changes the code that checks input in one place at a time, and sees whether a test minds.
//
// `node scripts/mutants.mjs` goes through everything that .cargo/mutants.toml names, for hours, and writes docs/mutants.md;
// with files it goes through these alone and writes nothing. `--resume` goes on where a run was interrupted. Which
// survivors are known, and why, stands in mutants.d/survivors.mjs.

import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { LEAST, judge, percent, report } from "./mutants.d/report.mjs";
import { SURVIVORS } from "./mutants.d/survivors.mjs";

const OUTPUT = "target/mutants";
const OUTCOMES = `${OUTPUT}/mutants.out/outcomes.json`;
const NOTICED = `${OUTPUT}/noticed.json`;

process.chdir(new URL("..", import.meta.url).pathname);
mkdirSync(OUTPUT, { recursive: true });
const resumes = process.argv.includes("--resume");
const files = process.argv.slice(2).filter((argument) => argument !== "--resume");

/** What a run, whole or interrupted, has left behind; what was noticed then is not tried again. */
const left = (file) => (existsSync(file) ? JSON.parse(readFileSync(file, "utf8")).outcomes : []);
const earlier = resumes ? [...left(NOTICED), ...left(OUTCOMES)].filter(({ summary }) => summary !== "MissedMutant") : [];
writeFileSync(NOTICED, JSON.stringify({ outcomes: earlier }));

const options = ["mutants", "--output", OUTPUT, "--colors", "never", "--no-shuffle", "--gitignore", "true"];
// By the mutants' names: --file would add to the configured files.
if (files.length) options.push("--re", `^(${files.map((file) => file.replaceAll(".", "\\.")).join("|")}):`);
if (resumes) options.push("--iterate");
const { status } = spawnSync("cargo", options, {
  stdio: "inherit",
  // The properties try fewer values: there are a thousand runs.
  env: { ...process.env, PROPTEST_CASES: process.env.PROPTEST_CASES ?? "24" },
});
// 2: some survived; 3: some took too long. Anything else but 0 is no run.
if (![0, 2, 3].includes(status) || !existsSync(OUTCOMES)) process.exit(status || 1);

const byName = new Map([...earlier, ...left(OUTCOMES)].map((outcome) => [outcome.scenario?.Mutant?.name, outcome]));
const outcomes = [...byName.values()];

const whole = files.length === 0;
const reasons = Object.fromEntries(
  Object.entries(SURVIVORS).filter(([name]) => whole || files.some((file) => name.startsWith(`${file}: `))),
);
const judged = judge({ outcomes }, reasons);
if (whole) writeFileSync("docs/mutants.md", report(judged, new Date().toISOString().slice(0, 10)));

console.log(`\n${percent(judged.score)} of ${judged.total.caught + judged.total.missed} mutants were noticed.`);
for (const { place, name } of judged.unknown) console.log(`survived, and mutants.d/survivors.mjs has no reason: ${place}: ${name}`);
for (const name of judged.late) console.log(`noticed by now: take it off mutants.d/survivors.mjs: ${name}`);
if (judged.score < LEAST || judged.unknown.length || judged.late.length) process.exit(1);
