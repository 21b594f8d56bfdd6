// What happens before the app runs, and when it never does: the address bar is scrubbed all the same, and the page says
// in words what is wrong.

import assert from "node:assert/strict";
import { readdirSync } from "node:fs";
import { isSignedIn, signInButton, withheldAnswer } from "./support/person.mjs";
import { app } from "./support/dist.mjs";
import { setting } from "./support/scenario.mjs";
import { historyOf } from "./support/storage.mjs";
import { until } from "./support/until.mjs";
import { LOAD_FAILED } from "./support/visitor.mjs";

const scenario = setting({ familiar: true });

const RESPONSE = "callback?code=canary-code&state=canary-state#error=canary-error";

/** The app's module. */
const wasm = () => `/${readdirSync(app()).find((name) => /^workbench-[0-9a-f]+_bg\.wasm$/.test(name))}`;

/** Opens the callback with an answer, and resolves with what a person reads there. */
async function readNotice(page, stage, path = RESPONSE) {
  await page.goto(stage.url(path));
  await page.getByRole("heading", { level: 1 }).waitFor();
  assert.equal(page.url(), stage.url(path.replace(/[?#].*/, "")));
  for (const url of await historyOf(page)) assert.ok(!url.includes("canary"));
  assert.ok(!(await page.evaluate(() => document.documentElement.outerHTML)).includes("canary"));
  assert.ok(!stage.logs.some(({ referer }) => referer));
  const notices = await page.getByRole("heading", { level: 1 }).allInnerTexts();
  assert.equal(notices.length, 1, "one notice, and only one");
  return { heading: notices[0], text: await page.getByRole("main").innerText() };
}

scenario("scrubs the address bar before it has asked for anything else (CB-10)", async ({ page, stage, context }) => {
  // Scripts of the test run before those of the page; this one sees what the first request for a file sees.
  const seen = [];
  await context.route(/\.(js|css|wasm)$/, async (route) => {
    seen.push(page.url());
    await route.continue();
  });
  await page.goto(stage.url(RESPONSE));
  await page.getByRole("alert").waitFor();
  assert.ok(seen.length > 3);
  // The preload scanner may be faster than any script; nothing that it sends says where it comes from (WEB-8).
  assert.ok(!stage.logs.some(({ referer }) => referer));
  assert.equal(page.url(), stage.url("callback"));
});

scenario("leaves a query alone that is no answer", async ({ page, stage }) => {
  await page.goto(stage.url("?codec=h264#statement"));
  await signInButton(page).waitFor();
  assert.equal(page.url(), stage.url("?codec=h264#statement"));
});

scenario(
  "says that a file did not arrive if the WebAssembly module is not there, and has scrubbed the address bar (F30, CB-10)",
  { allow: [LOAD_FAILED, /integrity/] },
  async ({ page, stage }) => {
    stage.answer(wasm(), { status: 404, type: "text/plain", body: "Not found.\n" });
    const { heading, text } = await readNotice(page, stage);
    assert.equal(heading, "The workbench could not be loaded");
    assert.match(text, /One of its files did not arrive/);
    assert.match(text, /nothing was sent: start again after the reload/);
    assert.equal(stage.tokenRequests.length, 0);
  },
);

scenario(
  "says so if the WebAssembly module is not the one that was built (WEB-13, A36)",
  { allow: [LOAD_FAILED, /integrity/] },
  async ({ page, stage, witness }) => {
    stage.answer(wasm(), { body: Buffer.from("0061736d01000000", "hex") });
    const { text } = await readNotice(page, stage);
    assert.match(text, /is not the one that was built \(its integrity does not match\)/);
    assert.ok(witness.printed.some((line) => /integrity/.test(line)), "the browser refused it");
  },
);

scenario(
  "says so if one of the scripts is not the one that was built (WEB-13, A36)",
  { allow: [LOAD_FAILED, /integrity/] },
  async ({ page, stage }) => {
    const name = `/${readdirSync(app()).find((name) => /^workbench-[0-9a-f]+\.js$/.test(name))}`;
    stage.answer(name, { body: "globalThis.pwned = 1; export default () => {};" });
    const { text } = await readNotice(page, stage);
    assert.match(text, /its integrity does not match/);
    assert.equal(await page.evaluate(() => globalThis.pwned), undefined);
  },
);

scenario(
  "says that a policy is in the way where the host's policy forbids WebAssembly (F30)",
  { allow: [/^violation: script-src blocked wasm-eval/, /^error: .*Content Security Policy/] },
  async ({ page, stage }) => {
    const answer = await fetch(stage.url());
    const policy = answer.headers.get("content-security-policy");
    const strict = policy.replace(" 'wasm-unsafe-eval'", "");
    assert.notEqual(strict, policy);
    stage.answer("/callback", { type: "text/html; charset=utf-8", body: await answer.text(), headers: { "Content-Security-Policy": strict } });
    const { heading, text } = await readNotice(page, stage);
    assert.equal(heading, "A policy blocked the workbench");
    assert.match(text, /script-src needs 'self' 'wasm-unsafe-eval'/);
  },
);

scenario(
  "says that the browser is offline, if the connection ends while the page loads (F30)",
  { allow: [LOAD_FAILED] },
  async ({ page, stage, context }) => {
    const arrived = [];
    context.on("requestfinished", (request) => arrived.push(request.url()));
    await context.route(`**${wasm()}`, async (route) => {
      await until("both scripts have arrived", () => arrived.filter((url) => url.endsWith(".js")).length === 2);
      await context.setOffline(true);
      await route.abort("internetdisconnected");
    });
    const { heading, text } = await readNotice(page, stage);
    assert.equal(heading, "The workbench could not be loaded");
    assert.match(text, /The browser says that it is offline/);
  },
);

scenario(
  "says that a browser without WebAssembly cannot run it (F30)",
  async ({ page, stage }) => {
    await page.addInitScript(() => delete globalThis.WebAssembly);
    const { heading, text } = await readNotice(page, stage);
    assert.equal(heading, "This browser has no WebAssembly");
    assert.match(text, /nothing was sent and nothing is lost/);
  },
);

scenario(
  "says what to do if not even the start script arrives, and has scrubbed the address bar (F30, CB-10)",
  { allow: [LOAD_FAILED] },
  async ({ page, stage }) => {
    const name = `/${readdirSync(app()).find((name) => /^start-[0-9a-f]+\.js$/.test(name))}`;
    stage.answer(name, { status: 404, type: "text/plain", body: "Not found.\n" });
    await page.goto(stage.url(RESPONSE));
    await page.getByText("If this stays, its files did not arrive: check the connection, then reload the page.").waitFor();
    assert.equal(page.url(), stage.url("callback"));
  },
);

scenario(
  "asks for a new sign-in after a reload of a page that could not start (F30)",
  { allow: [LOAD_FAILED] },
  async ({ page, stage, context }) => {
    const answer = await withheldAnswer(page, stage);
    await context.route(`**${wasm()}`, (route) => route.abort());
    await page.goto(answer.href);
    await page.getByRole("heading", { name: "The workbench could not be loaded" }).waitFor();
    await context.unroute(`**${wasm()}`);
    await page.reload();
    await page.getByText("There is no answer here to complete").waitFor();
    assert.equal(stage.tokenRequests.length, 0);
    await page.getByRole("link", { name: "Go to the sign-in page" }).click();
    await signInButton(page).click();
    await isSignedIn(page);
  },
);

scenario(
  "says that JavaScript is switched off, where it is",
  { context: { javaScriptEnabled: false }, stranger: true },
  async ({ page, stage }) => {
    await page.goto(stage.url());
    await page.locator("h1:visible").waitFor();
    assert.deepEqual(await page.locator("h1:visible").allInnerTexts(), ["JavaScript is switched off"]);
    assert.match(await page.locator("noscript").innerText(), /needs JavaScript and WebAssembly/);
    assert.equal(await page.getByText("Loading the workbench").isVisible(), false);
  },
);
