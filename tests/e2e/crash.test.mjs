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

scenario(
  "shows nothing but the crash screen after a panic, and a reload goes on (OPS-1, OPS-4, F31)",
  { allow: PANIC },
  async ({ page, stage, witness }) => {
    await signInAgain(page, stage);
    const token = await revealToken(page);
    await breakDocument(page);
    await navigationTo(page, "API").click();
    await crashScreen(page).waitFor();

    assert.equal(await signOutButton(page).count(), 0);
    assert.equal(await page.getByRole("navigation").count(), 0);
    assert.ok(!(await page.evaluate(() => document.documentElement.outerHTML)).includes(token));
    assert.ok(witness.printed.some((line) => /^error: panic at \S+:\d+$/.test(line)), "the console names the source line, and only that");
    assert.ok(!witness.printed.join("\n").includes(token));

    await page.getByRole("link", { name: "Reload the page" }).click();
    await heading(page, "API").waitFor();
    await signOutButton(page).waitFor();
    assert.equal(await crashScreen(page).count(), 0);
  },
);
