// Back, where the browser kept the page as it was: the back/forward cache.

import assert from "node:assert/strict";
import { after, afterEach, before, describe, it } from "node:test";
import { setTimeout as sleep } from "node:timers/promises";
import { startStage } from "./support/stage.mjs";
import { until } from "./support/until.mjs";
import { startWebDriver } from "./support/webdriver.mjs";
import { ON_SANDBOX } from "./support/scenario.mjs";

const skip = ON_SANDBOX && "needs a server at another origin";

/** Has the page note how it is shown from now on, and what it then says at once. */
const NOTE = `
  globalThis.shown = [];
  addEventListener("pageshow", ({ persisted }) => {
    shown.push({ persisted, text: document.body.innerText });
    setTimeout(() => shown.push({ persisted, text: document.body.innerText }));
  });`;

describe("Back", { skip }, () => {
  let stage, driver;
  before(async () => {
    [stage, driver] = await Promise.all([startStage(), startWebDriver()]);
  });
  after(() => Promise.all([driver?.close(), stage?.close()]));
  afterEach(() => driver.closeOthers());

  /** Signs in in the window that is open; the server may know the person already. */
  async function signIn() {
    await driver.open(stage.url());
    await driver.press("Sign in");
    await until("the server has answered", async () => {
      const url = await driver.url();
      return url.includes("/interaction/") || url === stage.url("session");
    });
    if ((await driver.url()) !== stage.url("session")) {
      await driver.fill("user", "alice");
      await driver.press("Continue");
      await driver.press("Allow");
    }
    await driver.says("Sign out here");
    assert.ok((await driver.run("return document.body.innerText")).includes("alice"), "the page shows whose session it is");
  }

  /** Goes back, to the page that the browser kept. */
  async function backToKeptPage() {
    await driver.back();
    const shown = await until("the page is shown again", async () => {
      const shown = await driver.run("return globalThis.shown");
      return shown?.length ? shown : undefined;
    });
    assert.equal(shown[0].persisted, true, "pageshow.persisted: it is the page that was kept");
  }

  async function showsNobody() {
    await driver.says("Nobody is signed in.");
    assert.ok(!(await driver.run("return document.body.innerText")).includes("alice"));
  }

  /** Times are kept in whole seconds: who signs out in the second of a sign-in did so before it. */
  const nextSecond = () => sleep(1000 - (Date.now() % 1000));

  /** Leaves the session's page for another site, and signs out in another window; `script` runs there before each page. */
  async function leaveAndSignOutElsewhere(storage, script) {
    stage.configure(stage.client({ token_storage: storage }));
    const first = await driver.newWindow();
    await driver.goTo(first);
    await signIn();
    await driver.run(NOTE);
    await driver.open(`${stage.api.elsewhere.origin}/`);

    await driver.goTo(await driver.newWindow());
    if (script) await driver.beforeEachPage(script);
    await signIn();
    await nextSecond();
    await driver.press("Sign out here");
    await driver.says("Nobody is signed in.");
    await driver.goTo(first);
  }

  for (const storage of ["memory", "session", "shared"]) {
    it(`shows nothing of a session that was signed out elsewhere, where tokens are in ${storage} storage (OUT-10, F15)`, async () => {
      // A message to a page that is kept makes Chromium drop the page; so nobody sends one.
      await leaveAndSignOutElsewhere(storage, "delete globalThis.BroadcastChannel;");
      await backToKeptPage();
      await showsNobody();
    });

    it(`shows nothing of it either where the message reached the page, with tokens in ${storage} storage (OUT-10, F15)`, async () => {
      await leaveAndSignOutElsewhere(storage);
      await driver.back();
      await showsNobody();
    });
  }

  it("shows the session that goes on", async () => {
    stage.configure(stage.client({ token_storage: "session" }));
    await driver.goTo(await driver.newWindow());
    await signIn();
    await driver.run(NOTE);
    await driver.open(`${stage.api.elsewhere.origin}/`);
    await backToKeptPage();
    await driver.says("Sign out here");
  });
});
