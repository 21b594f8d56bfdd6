// The witness itself: a test is worth no more than what would have made it fail.

import assert from "node:assert/strict";
import { setting } from "./support/scenario.mjs";
import { signInButton } from "./support/person.mjs";
import { until } from "./support/until.mjs";
import { watch } from "./support/visitor.mjs";

const scenario = setting();

const MISBEHAVIOUR = [
  ["a violation of the policy", () => document.body.setAttribute("style", "color: red"), /violation: style-src-attr blocked inline/],
  ["an error on the console", () => console.error("something is wrong"), /error: something is wrong/],
  ["a warning on the console", () => console.warn("something is odd"), /warning: something is odd/],
  ["an uncaught error", () => void setTimeout(() => { throw new Error("nobody caught this"); }), /uncaught: Error: nobody caught this/],
  ["an unhandled rejection", () => void Promise.reject(new Error("nobody awaited this")), /uncaught: Error: nobody awaited this/],
  ["a request to a stranger", () => void fetch("https://stranger.example/").catch(() => {}), /stranger: https:\/\/stranger\.example\//],
];

scenario("notes whatever a page should not do, and ends a test that did not expect it", async ({ stage, context }) => {
  const other = await context.browser().newContext();
  try {
    const witness = await watch(other, { origins: stage.origins });
    const page = await other.newPage();
    await page.goto(stage.url());
    await signInButton(page).waitFor();
    await witness.testify();
    for (const [what, misbehave, noted] of MISBEHAVIOUR) {
      await page.evaluate(misbehave);
      await until(`${what} was noted`, () => witness.incidents.some((incident) => noted.test(incident)));
      await assert.rejects(witness.testify(), noted);
    }
  } finally {
    await other.close();
  }
});
