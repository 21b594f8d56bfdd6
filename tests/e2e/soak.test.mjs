// A minute of `make soak`, at each of its grounds: eight tabs on a bad network, and nobody notices.

import assert from "node:assert/strict";
import { randomInt } from "node:crypto";
import { it } from "node:test";
import { ON_SANDBOX } from "./support/scenario.mjs";
import { objections, soak, summary } from "./support/soak.mjs";
import { atServer, onSandbox } from "./support/soak_grounds.mjs";

for (const token_storage of ["shared", "session"]) {
  it(
    `eight tabs with tokens in ${token_storage} storage get over a minute of a bad network (REF-2, REF-6, REF-7, A27, A28)`,
    { timeout: 180_000 },
    async (test) => {
      const seed = randomInt(2 ** 32);
      const lines = [`SEED=${seed}`];
      const where = ON_SANDBOX ? onSandbox : atServer;
      const report = await soak({ token_storage, seconds: 60, seed, where, print: (line) => lines.push(line) });
      test.diagnostic(summary(report));
      // Other tests run beside this one, so there are fewer calls than in `make soak`.
      assert.deepEqual(objections(report, 60), [], lines.join("\n"));
    },
  );
}
