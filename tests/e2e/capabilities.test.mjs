// What a browser may lack, or keep from a page, of what sessions rest on.

import assert from "node:assert/strict";
import { describe } from "node:test";
import { heading } from "./support/person.mjs";
import { setting } from "./support/scenario.mjs";

const scenario = setting();

describe("a browser that lacks something", () => {
  for (const [what, take, words] of [
    ["Web Locks", () => delete Navigator.prototype.locks, "There are no Web Locks here"],
    ["BroadcastChannel", () => delete globalThis.BroadcastChannel, "Tabs cannot talk here"],
    ["WebCrypto, as on a page over http", () => delete Crypto.prototype.subtle, "There is no WebCrypto"],
    [
      "sessionStorage",
      () => Object.defineProperty(globalThis, "sessionStorage", { get: () => { throw new DOMException("no", "SecurityError"); } }),
      "sessionStorage is blocked",
    ],
  ]) {
    scenario(`says so on the first page, in plain words: ${what} (WEB-16)`, async ({ page, stage, context }) => {
      await context.addInitScript(take);
      await page.goto(stage.url());
      await heading(page, "Sign in").waitFor();
      await page.getByText(words).waitFor();
    });
  }

  scenario("has nothing said about it where nothing is missing (WEB-16)", async ({ page, stage }) => {
    await page.goto(stage.url());
    await heading(page, "Sign in").waitFor();
    for (const words of ["There are no Web Locks", "Tabs cannot talk", "There is no WebCrypto", "is blocked"]) {
      assert.equal(await page.getByText(words).count(), 0);
    }
  });
});
