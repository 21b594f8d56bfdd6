#!/usr/bin/env node
// Changes the code that checks input in one place at a time, and sees whether a test minds.
//
// `node scripts/mutants.mjs` goes through everything that .cargo/mutants.toml names, for an hour or more, and writes
// docs/mutants.md; with files it goes through these alone and writes their rows. `--resume` tries only what no run before has
// noticed: it goes on after an interruption, or after tests were written. Which survivors are known, and why, stands in
// mutants.d/survivors.mjs.

import { spawnSync } from "node:child_process";
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { availableParallelism } from "node:os";
import { LEAST, judge, merge, percent, report } from "./mutants.d/report.mjs";
import { SURVIVORS } from "./mutants.d/survivors.mjs";

// The scenarios notice nearly everything, so the unit tests are built for what these missed, and for nothing else; last for
// a build without the features, which has tests of its own.
const PASSES = [["--test", "protocol"], ["--lib"], ["--lib", "--no-default-features"]];

// A mutant may loop, and fill the memory while it does: so much processor time (s) and so much memory (KiB) are plenty.
const BOUNDED = ["sh", "-c", 'ulimit -t 20; ulimit -v 4000000 2>/dev/null; exec "$0" "$@"'];

const OUTPUT = "target/mutants";
const OUTCOMES = `${OUTPUT}/mutants.out/outcomes.json`;
const NOTICED = `${OUTPUT}/noticed.json`;

process.chdir(new URL("..", import.meta.url).pathname);
mkdirSync(OUTPUT, { recursive: true });
const resumes = process.argv.includes("--resume");
const files = process.argv.slice(2).filter((argument) => argument !== "--resume");
// By the mutants' names: --file would add to the configured files.
const chosen = files.length ? ["--re", `^(${files.map((file) => file.replaceAll(".", "\\.")).join("|")}):`] : [];

const read = (file) => (existsSync(file) ? JSON.parse(readFileSync(file, "utf8")).outcomes : []);
const kept = resumes ? merge(read(NOTICED), read(OUTCOMES)) : [];
let outcomes = kept;
for (const [index, tests] of PASSES.entries()) {
  // What was noticed is kept apart: cargo-mutants does not try it again, and does not report it again either.
  writeFileSync(NOTICED, JSON.stringify({ outcomes: outcomes.filter(({ summary }) => summary !== "MissedMutant") }));
  rmSync(OUTCOMES, { force: true });
  const options = ["--output", OUTPUT, "--colors", "never", "--no-shuffle", "--gitignore", "true", ...chosen];
  options.push("--jobs", String(Math.min(4, availableParallelism())));
  const forCargo = [...tests, `--config=target."cfg(unix)".runner=${JSON.stringify(BOUNDED)}`];
  options.push(...forCargo.map((argument) => `--cargo-arg=${argument}`));
  if (resumes || index > 0) options.push("--iterate");
  const { status } = spawnSync("cargo", ["mutants", ...options], {
    stdio: "inherit",
    // The properties try fewer values, and do not look for a smaller one that fails too: there are a thousand runs.
    env: { PROPTEST_CASES: "8", PROPTEST_MAX_SHRINK_ITERS: "0", ...process.env },
  });
  // 2: some survived; 3: some took too long. Anything else but 0 is no run.
  if (![0, 2, 3].includes(status)) process.exit(status || 1);
  outcomes = merge(outcomes, read(OUTCOMES));
  if (!outcomes.some(({ summary }) => summary === "MissedMutant")) break;
}

// A change of the code leaves outcomes of mutants that are no longer.
const listed = spawnSync("cargo", ["mutants", "--list", "--colors", "never", ...chosen], { encoding: "utf8" }).stdout.split("\n");
const names = new Set(listed);
// A name may match that is another file's: cargo-mutants filters some kinds of mutants by less than their whole name.
const isChosen = (mutant) => names.has(mutant?.name) && (!files.length || files.includes(mutant.file));
const judged = judge(
  { outcomes: outcomes.filter(({ scenario }) => isChosen(scenario?.Mutant)) },
  Object.fromEntries(
    Object.entries(SURVIVORS).filter(([name]) => !files.length || files.some((file) => name.startsWith(`${file}: `))),
  ),
);
const earlier = files.length ? readFileSync("docs/mutants.md", "utf8") : "";
writeFileSync("docs/mutants.md", report(judged, new Date().toISOString().slice(0, 10), earlier));

console.log(`\n${percent(judged.score)} of ${judged.total.caught + judged.total.missed} mutants were noticed.`);
for (const { place, name } of judged.unknown) console.log(`survived, and mutants.d/survivors.mjs has no reason: ${place}: ${name}`);
for (const name of judged.late) console.log(`noticed by now: take it off mutants.d/survivors.mjs: ${name}`);
if (judged.score < LEAST || judged.unknown.length || judged.late.length) process.exit(1);
