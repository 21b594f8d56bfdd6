// The report that is committed, held to its score, to the files that are changed, and to the survivors that have a reason.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { describe, it } from "node:test";
import { LEAST } from "./report.mjs";
import { SURVIVORS } from "./survivors.mjs";

const read = (path) => readFileSync(new URL(`../../${path}`, import.meta.url), "utf8");

describe("docs/mutants.md", () => {
  const report = read("docs/mutants.md");

  it("OPS-8: says that tests noticed enough of what was changed in every file that checks input", () => {
    assert.doesNotMatch(report, /Not run yet/);
    const [, score, mutants] = /\*\*(\d+\.\d) %\*\* of (\d+) mutants were noticed/.exec(report) ?? [];
    assert.ok(Number(score) >= LEAST, `${score} % of ${mutants}`);
    const rows = [...report.matchAll(/^\| `(.+?)` \| (\d+) \| (\d+) \| (\d+) \|/gm)].map(([, file, ...counts]) => [file, ...counts.map(Number)]);
    const files = [...read(".cargo/mutants.toml").matchAll(/^ {4}"(.+\.rs)",$/gm)].map(([, file]) => file);
    assert.ok(files.length > 0);
    assert.deepEqual(rows.map(([file]) => file).sort(), files.sort());
    // The score is that of the rows.
    const sum = (index) => rows.reduce((total, row) => total + row[index], 0);
    assert.equal(sum(1), Number(mutants));
    assert.equal(sum(2) + sum(3), sum(1));
    assert.equal(((100 * sum(2)) / sum(1)).toFixed(1), score);
  });

  it("OPS-8: names the survivors, each with the reason why no test should mind it", () => {
    const [, list = ""] = report.split("## Survivors\n");
    const survivors = [...list.matchAll(/^- `(.+?)`: (.+)$/gm)].map(([, name, reason]) => [name, reason]);
    // Names have no lines, so two mutants may share one, and its reason.
    assert.deepEqual([...new Map(survivors)].sort(), Object.entries(SURVIVORS).sort());
    assert.equal(survivors.length, [...report.matchAll(/^\| `.+` \|.*\| (\d+) \| [\d.]+ % \| \S+ \|$/gm)].reduce((all, [, some]) => all + Number(some), 0));
  });
});
