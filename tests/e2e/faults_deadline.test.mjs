// A token endpoint that never comes to an end. These two wait for the deadline in real time, side by side.

import assert from "node:assert/strict";
import { describe } from "node:test";
import { beginSignIn, isSignedOut, readFault } from "./support/person.mjs";
import { ANOTHER_ORIGIN, setting } from "./support/scenario.mjs";
import { until } from "./support/until.mjs";

const DEADLINE = 20_000;

describe("a token endpoint that never comes to an end", { concurrency: true }, () => {
  for (const [mode, what, status] of [
    ["slow", "sends no headers", null],
    ["drip", "sends a byte per second, headers first", 200],
  ]) {
    describe(`and ${what}`, () => {
      const scenario = setting({ familiar: true, faults: true, needs: ANOTHER_ORIGIN });

      scenario("is given up after twenty seconds, and sees the connection close (TOK-15)", async ({ page, stage }) => {
        stage.fault.mode = mode;
        await beginSignIn(page, stage);
        // Meanwhile the page says what it is doing, and can be stopped.
        await page.getByText("Sending the code and the code verifier to the token endpoint").waitFor();
        await page.getByRole("button", { name: "Cancel" }).waitFor();

        await page.getByRole("alert").waitFor({ timeout: DEADLINE + 10_000 });
        const { code, summary, side, panel } = await readFault(page);
        assert.equal(code, "token.timeout");
        assert.match(summary, /no complete answer within 20 s/);
        assert.equal(side, "the network");
        await panel.getByRole("button", { name: "Try again" }).waitFor();
        await isSignedOut(page);

        const [{ entry }, ...more] = stage.tokenRequests;
        assert.deepEqual(more, []);
        await until("the server saw the connection close", () => entry.closedByClientAt);
        assert.equal(entry.status, status);
        const waited = entry.closedByClientAt - entry.at;
        assert.ok(waited > DEADLINE - 1000 && waited < DEADLINE + 5000, `${waited} ms`);
      });
    });
  }
});
