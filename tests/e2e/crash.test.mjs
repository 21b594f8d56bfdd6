// The last resort: a panic in WebAssembly ends the app, and the page says so instead of going on by halves.

import assert from "node:assert/strict";
import { heading, navigationTo, revealToken, signInAgain, signInButton, signOutButton } from "./support/person.mjs";
import { PANIC, breakDocument } from "./support/sabotage.mjs";
import { setting } from "./support/scenario.mjs";

const scenario = setting({ familiar: true });

const crashScreen = (page) => page.getByRole("heading", { name: "The workbench has stopped" });

scenario("shows the crash screen only after a crash (OPS-4)", async ({ page, stage }) => {
  await page.goto(stage.url());
  await signInButton(page).waitFor();
  assert.equal(await crashScreen(page).count(), 0);
  assert.equal(await page.getByRole("main").count(), 1);
  assert.doesNotMatch(await page.locator("body").innerText(), /has stopped|could not be loaded|switched off/);
});

for (const [what, parts] of [["a panic", "tree"], ["an exception that passes through it", "factory"]]) {
  scenario(
    `shows nothing but the crash screen after ${what}, and a reload goes on (OPS-1, OPS-4, F31)`,
    { allow: PANIC },
    async ({ page, stage, witness }) => {
      await signInAgain(page, stage);
      const token = await revealToken(page);
      await breakDocument(page, parts);
      await navigationTo(page, "API").click();
      await crashScreen(page).waitFor();

      assert.equal(await signOutButton(page).count(), 0);
      assert.equal(await page.getByRole("navigation").count(), 0);
      assert.ok(!(await page.evaluate(() => document.documentElement.outerHTML)).includes(token));
      assert.ok(witness.incidents.some((incident) => PANIC.some((pattern) => pattern.test(incident))), "the console says so, too");
      assert.ok(!(witness.incidents + witness.printed).includes(token));

      await page.getByRole("link", { name: "Reload the page" }).click();
      await heading(page, "API").waitFor();
      await signOutButton(page).waitFor();
      assert.equal(await crashScreen(page).count(), 0);
    },
  );
}
