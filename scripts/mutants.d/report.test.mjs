// What a run comes to, by runs that nobody made.

import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { judge, merge, report } from "./report.mjs";

const outcome = (name, summary) => ({ scenario: { Mutant: { file: name.split(":")[0], name } }, summary });
const run = (...outcomes) => ({ outcomes: [{ scenario: "Baseline", summary: "Success" }, ...outcomes] });

describe("a run of mutants", () => {
  it("is judged by those that could be built; one that loops was noticed", () => {
    const { score, total } = judge(
      run(
        outcome("a.rs:1:2: replace f with g", "CaughtMutant"),
        outcome("a.rs:2:2: replace f with g", "Timeout"),
        outcome("b.rs:3:2: replace f with g", "MissedMutant"),
        outcome("b.rs:4:2: replace f with g", "Unviable"),
      ),
      {},
    );
    assert.deepEqual(total, { caught: 2, missed: 1, unviable: 1 });
    assert.equal(score.toFixed(1), "66.7");
  });

  it("names survivors without a reason, and reasons without a survivor, wherever the line is now", () => {
    const reasons = { "a.rs: replace > with >= in f": "both are the same", "a.rs: replace g": "gone" };
    const { unknown, late } = judge(
      run(outcome("a.rs:9:9: replace > with >= in f", "MissedMutant"), outcome("a.rs:8:8: delete ! in f", "MissedMutant")),
      reasons,
    );
    assert.deepEqual(unknown.map(({ place, name }) => [place, name]), [["a.rs:8", "a.rs: delete ! in f"]]);
    assert.deepEqual(late, ["a.rs: replace g"]);
  });

  it("goes on where others stopped: the last word on a mutant counts", () => {
    const [f, g, h] = ["a.rs:1:1: replace f", "a.rs:2:1: replace g", "a.rs:3:1: replace h"];
    const first = [outcome(f, "CaughtMutant"), outcome(g, "MissedMutant"), outcome(h, "MissedMutant")];
    const merged = merge(first, [outcome(g, "CaughtMutant")]);
    assert.deepEqual(judge({ outcomes: merged }, {}).total, { caught: 2, missed: 1, unviable: 0 });
  });

  it("is written down with its date, per file, with each reason", () => {
    const text = report(judge(run(outcome("a.rs:9:9: delete ! in f", "MissedMutant")), { "a.rs: delete ! in f": "why" }), "2026-01-02");
    assert.match(text, /^\*\*0\.0 %\*\* of 1 mutants/m);
    assert.match(text, /\| `a\.rs` \| 1 \| 0 \| 1 \| 0\.0 % \| 2026-01-02 \|/);
    assert.match(text, /- `a\.rs: delete ! in f`: why/);
  });

  it("leaves the rows and the survivors of other files as they were", () => {
    const reasons = { "a.rs: delete ! in f": "why", "b.rs: delete ! in g": "so" };
    const judged = (...outcomes) => judge(run(...outcomes), reasons);
    const first = report(judged(outcome("a.rs:9:9: delete ! in f", "MissedMutant"), outcome("b.rs:1:1: delete ! in g", "MissedMutant")), "2026-01-02");
    const second = report(judged(outcome("b.rs:1:1: delete ! in g", "CaughtMutant")), "2026-01-03", first);
    assert.match(second, /^\*\*50\.0 %\*\* of 2 mutants/m);
    assert.match(second, /\| `a\.rs` \| 1 \| 0 \| 1 \| 0\.0 % \| 2026-01-02 \|/);
    assert.match(second, /\| `b\.rs` \| 1 \| 1 \| 0 \| 100\.0 % \| 2026-01-03 \|/);
    assert.match(second, /- `a\.rs: delete ! in f`: why/);
    assert.doesNotMatch(second, /delete ! in g/);
  });
});
