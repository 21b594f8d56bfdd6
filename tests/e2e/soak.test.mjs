// A minute of `make soak`: eight tabs on a bad network, and nobody notices.

import assert from "node:assert/strict";
import { randomInt } from "node:crypto";
import { it } from "node:test";
import { ON_SANDBOX } from "./support/scenario.mjs";
import { ROTATION } from "./support/sessions.mjs";
import { objections, soak, summary } from "./support/soak.mjs";

for (const token_storage of process.env.LEPTOS_PKCE_SOAK ? ["shared", "session"] : ["shared"]) {
  it(
    `eight tabs with tokens in ${token_storage} storage get over a minute of a bad network (REF-2, REF-6, REF-7, A27, A28)`,
    { timeout: 180_000, skip: ON_SANDBOX && `needs ${ROTATION}` },
    async (test) => {
      const seed = randomInt(2 ** 32);
      const lines = [`SEED=${seed}`];
      const report = await soak({ token_storage, seconds: 60, seed, print: (line) => lines.push(line) });
      test.diagnostic(summary(report));
      // Other tests run beside this one, so there are fewer calls than in `make soak`.
      assert.deepEqual(objections(report, 60), [], lines.join("\n"));
    },
  );
}
