// A person without a mouse: everything can be reached and pressed, the focus is seen, and it goes where the page goes.

import assert from "node:assert/strict";
import { apiResponse, heading, isSignedIn, loginField, navigationTo, signInAgain, signInButton } from "./support/person.mjs";
import { setting } from "./support/scenario.mjs";

const scenario = setting({ familiar: true });

/** What has the focus: its role or element, its words, and whether the focus can be seen. */
const focused = (page) =>
  page.evaluate(() => {
    const element = document.activeElement;
    const { outlineStyle, outlineWidth } = getComputedStyle(element);
    return {
      element: element.localName,
      words: (element.getAttribute("aria-label") ?? element.textContent).trim(),
      isVisible: outlineStyle !== "none" && parseFloat(outlineWidth) > 0,
    };
  });

/** Presses Tab until something with these words has the focus; every stop on the way must be visible. */
async function tabTo(page, words) {
  for (let presses = 0; presses < 40; presses += 1) {
    await page.keyboard.press("Tab");
    const stop = await focused(page);
    assert.ok(stop.isVisible || stop.element === "body", `the focus on <${stop.element}> “${stop.words}” cannot be seen`);
    if (stop.words === words) return;
  }
  assert.fail(`Tab does not lead to “${words}”.`);
}

scenario("signs in, calls the API and signs out with the keyboard alone", { stranger: true }, async ({ page, stage }) => {
  await page.goto(stage.url());
  await signInButton(page).waitFor();
  await tabTo(page, "Sign in"); // in the navigation
  await tabTo(page, "Sign in");
  await page.keyboard.press("Enter");

  await loginField(page).waitFor();
  // The field has the focus; at the sandbox it is alice already.
  if (await page.getByRole("textbox").count()) {
    await page.keyboard.type("alice");
    await page.keyboard.press("Tab");
    await page.keyboard.type("any");
  }
  await page.keyboard.press("Enter");
  await page.getByRole("button", { name: "Allow" }).waitFor();
  await tabTo(page, "Allow");
  await page.keyboard.press("Enter");

  await isSignedIn(page);
  assert.equal((await focused(page)).words, "Session");
  await tabTo(page, "Call an API with it");
  await page.keyboard.press("Enter");
  await heading(page, "API").waitFor();
  assert.equal((await focused(page)).words, "API");
  await tabTo(page, "Send");
  await page.keyboard.press("Space");
  await apiResponse(page).getByText("Status 200").waitFor();

  await page.keyboard.press("Shift+Tab");
  await page.reload();
  await heading(page, "API").waitFor();
  await tabTo(page, "Sign out");
  await page.keyboard.press("Enter");
  await page.getByText("Nobody is signed in").waitFor();
});

for (const path of ["", "callback?state=wrong"]) {
  // WCAG 2.2, 2.4.11: the navigation stays at the lower edge of a phone.
  const context = { viewport: { width: 360, height: 640 } };
  scenario(`hides no focus behind the navigation of a phone, at /${path}`, { context }, async ({ page, stage }) => {
    await page.goto(stage.url(path));
    await page.getByRole("button").first().waitFor();
    const seen = new Set();
    for (let presses = 0; presses < 30; presses += 1) {
      await page.keyboard.press("Tab");
      const { words, isCovered } = await page.evaluate(() => {
        const element = document.activeElement;
        const { left, top, width, height } = element.getBoundingClientRect();
        const front = document.elementFromPoint(left + width / 2, top + height / 2);
        return { words: element.textContent.trim().slice(0, 40), isCovered: element !== document.body && !element.contains(front) };
      });
      assert.ok(!isCovered, `“${words}” has the focus and is covered`);
      seen.add(words);
    }
    assert.ok(seen.size > 5);
  });
}

scenario("moves the focus to the heading when the page changes, and leaves it alone when it opens", async ({ page, stage }) => {
  await page.goto(stage.url());
  await signInButton(page).waitFor();
  assert.equal((await focused(page)).element, "body");
  for (const name of ["Session", "API", "Sign in"]) {
    await navigationTo(page, name).click();
    await heading(page, name).waitFor();
    assert.deepEqual([(await focused(page)).element, (await focused(page)).words], ["h1", name]);
    assert.equal(await page.title(), `${name} · leptos-pkce workbench`);
  }
  await page.goBack();
  await heading(page, "API").waitFor();
  assert.equal((await focused(page)).words, "API");
});

scenario("moves the focus to the session when the sign-in is complete", async ({ page, stage }) => {
  await signInAgain(page, stage);
  assert.deepEqual([(await focused(page)).element, (await focused(page)).words], ["h1", "Session"]);
});

scenario("lets a person skip the navigation", async ({ page, stage }) => {
  await page.goto(stage.url());
  await signInButton(page).waitFor();
  await page.keyboard.press("Tab");
  assert.equal((await focused(page)).words, "Skip to the page");
  await page.keyboard.press("Enter");
  assert.equal((await focused(page)).element, "main");
  await page.keyboard.press("Tab");
  assert.notEqual((await focused(page)).words, "Sign in", "the navigation was skipped");
});

scenario("says what happens to those who cannot see it", async ({ page, stage }) => {
  await signInAgain(page, stage);
  await navigationTo(page, "API").click();
  assert.equal(await apiResponse(page).getAttribute("aria-live"), "polite");
  await page.goto(stage.url("callback?state=wrong"));
  await page.getByRole("alert").waitFor();
  assert.equal(await navigationTo(page, "Sign in").getAttribute("aria-current"), null);
  await navigationTo(page, "Session").click();
  await heading(page, "Session").waitFor();
  assert.equal(await navigationTo(page, "Session").getAttribute("aria-current"), "page");
});

scenario("shows a secret on demand, by keyboard, and says which state the button is in", async ({ page, stage }) => {
  await signInAgain(page, stage);
  const button = page.getByRole("button", { name: /the access token$/ });
  assert.equal(await button.getAttribute("aria-pressed"), "false");
  await button.focus();
  await page.keyboard.press("Enter");
  assert.equal(await button.getAttribute("aria-pressed"), "true");
  await page.keyboard.press("Space");
  assert.equal(await button.getAttribute("aria-pressed"), "false");
});
