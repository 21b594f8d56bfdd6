// The explanations of errors: a file that is loaded with the first thing that has to be explained. Before it has come, and
// without it, the page still says what happened.

import assert from "node:assert/strict";
import { describe } from "node:test";
import { apiResponse, fetchingExplanations, heading, navigationTo, readApi, readFault, signInAgain } from "./support/person.mjs";
import { ANOTHER_ORIGIN, setting } from "./support/scenario.mjs";
import { until } from "./support/until.mjs";
import { LOAD_FAILED } from "./support/visitor.mjs";

const scenario = setting({ familiar: true });

const FILE = "explanations.json";

/** An answer that nobody asked for. */
const FORGED = "callback?error=access_denied&state=wrong";

const OWN_WORDS = "No sign-in of this tab is waiting for this response.";
const EXPLAINED = /^An answer says “access_denied”, but no sign-in of this tab is waiting for one/;
const MISSING = /The explanations could not be loaded/;

const panel = (page) => page.getByRole("alert");
const summary = (page) => panel(page).getByRole("heading", { level: 2 }).innerText();
const asked = (witness, stage) => witness.requests.filter(({ url }) => url === stage.url(FILE)).length;

/** Keeps the file back; the function that comes back lets it go. */
async function hold(context) {
  let release;
  const released = new Promise((resolve) => (release = resolve));
  await context.route(`**/${FILE}`, async (route) => {
    await released;
    await route.continue();
  });
  return release;
}

describe("before the explanations have come", () => {
  scenario("an error is told in its own words, with code, side and values", async ({ page, stage, context, witness }) => {
    const release = await hold(context);
    await page.goto(stage.url(FORGED));
    await fetchingExplanations(panel(page)).waitFor();
    assert.equal(await summary(page), OWN_WORDS);
    const text = await panel(page).innerText();
    assert.match(text, /Error code: callback\.unknown_state/);
    assert.match(text, /On the side of: the person/);
    assert.ok(text.includes(stage.host.origin), "the values involved");
    // Whoever has reached a button by then is left there.
    const copy = panel(page).getByRole("button", { name: "Copy report" });
    await copy.focus();

    release();
    const fault = await readFault(page);
    assert.match(fault.summary, EXPLAINED);
    assert.match(fault.text, /Sign in again from this tab\./);
    assert.equal(fault.code, "callback.unknown_state");
    assert.ok(await copy.evaluate((button) => button === document.activeElement));
    assert.equal(asked(witness, stage), 1);
  });

  scenario(
    "a report says what is there: first the error's own words, then the explanation",
    { context: { permissions: ["clipboard-read", "clipboard-write"] } },
    async ({ page, stage, context }) => {
      const report = async () => {
        await panel(page).getByRole("button", { name: "Copy report" }).click();
        await panel(page).getByText("Copied", { exact: true }).waitFor();
        return page.evaluate(() => navigator.clipboard.readText());
      };
      const release = await hold(context);
      await page.goto(stage.url(FORGED));
      await fetchingExplanations(panel(page)).waitFor();
      const early = await report();
      assert.ok(early.startsWith(`**${OWN_WORDS}**`), early);
      assert.ok(!early.includes("To check"), early);
      release();
      const fault = await readFault(page);
      const late = await report();
      assert.ok(late.startsWith(`**${fault.summary}**`), late);
      assert.match(late, /To check:\n\n1\. Sign in again from this tab\./);
    },
  );

  scenario("a refusal of an API is told, and can be acted on", { needs: ANOTHER_ORIGIN, allow: [LOAD_FAILED] }, async ({ page, stage, context }) => {
    stage.configure(stage.client({ resources: [{ name: "API", url: stage.api.origin }] }));
    await signInAgain(page, stage);
    const release = await hold(context);
    await navigationTo(page, "API").click();
    await page.getByRole("combobox", { name: "URL" }).fill(`${stage.api.origin}/safe`);
    await page.getByRole("button", { name: "Send", exact: true }).click();
    const denial = apiResponse(page).getByRole("region", { name: "Why the API said no" });
    await denial.getByRole("heading", { name: "The API says no.", exact: true }).waitFor();
    await denial.getByRole("button", { name: "Sign in as the API demands" }).waitFor();
    release();
    await denial.getByRole("heading", { name: /^The token is good, but for this the person must have signed in/ }).waitFor();
    await denial.getByText("This was read from WWW-Authenticate").waitFor();
  });
});

describe("without the explanations", () => {
  for (const [why, answer] of [
    ["are missing", { status: 404, type: "text/plain", body: "Not found.\n" }],
    ["are a web page in truth", { type: "text/html", body: "<!doctype html><title>Not here</title>" }],
    ["are cut short", { body: '{ "errors": { "callback.unknown_state": {' }],
  ]) {
    scenario(`because they ${why}, an error is told all the same`, { allow: [LOAD_FAILED] }, async ({ page, stage, witness }) => {
      stage.answer(`/${FILE}`, answer);
      await page.goto(stage.url(FORGED));
      await page.getByText(MISSING).waitFor();
      const fault = await readFault(page);
      assert.equal(fault.summary, OWN_WORDS);
      assert.equal(fault.code, "callback.unknown_state");
      assert.match(fault.text, MISSING);
      assert.match(fault.text, /upload explanations\.json/);
      // Once more, perhaps: the configuration has the fault shown anew.
      assert.ok(asked(witness, stage) <= 2, "it is not asked for again and again");
      const printed = witness.incidents.filter((incident) => incident.includes(FILE));
      assert.equal(printed.length, answer.status ? asked(witness, stage) : 0, "what the browser itself says, and no more");
    });
  }

  scenario("every problem of a configuration is listed", { allow: [LOAD_FAILED] }, async ({ page, stage }) => {
    stage.answer(`/${FILE}`, { status: 404 });
    stage.answer("/config.json", { body: '{ "authorization_servers": [{ "colour": 1 }] }' });
    await page.goto(stage.url());
    const { text } = await readFault(page);
    assert.match(text, /authorization_servers\[0\]\.colour/);
    assert.match(text, MISSING);
  });

  scenario("they are asked for again with the next fault", { allow: [LOAD_FAILED] }, async ({ page, stage }) => {
    stage.answer(`/${FILE}`, { status: 404 });
    await page.goto(stage.url(FORGED));
    assert.match((await readFault(page)).text, MISSING);
    stage.answer(`/${FILE}`);
    await navigationTo(page, "Sign in").click();
    await heading(page, "Sign in").waitFor();
    await page.goBack();
    assert.match((await readFault(page)).summary, EXPLAINED);
  });

  scenario(
    "because the browser is offline, an error is told, and explained when it is online again",
    { allow: [LOAD_FAILED], needs: ANOTHER_ORIGIN },
    async ({ page, stage, context, witness }) => {
      await signInAgain(page, stage);
      await navigationTo(page, "API").click();
      await context.setOffline(true);
      await page.getByRole("button", { name: "Send", exact: true }).click();
      const { code, summary, text } = await readFault(page, apiResponse(page));
      assert.equal(code, "resource.offline");
      assert.equal(summary, "No answer from the API: the browser is offline.");
      assert.match(text, MISSING);
      await context.setOffline(false);
      await apiResponse(page).getByText("Connect to the network, then try again.").waitFor();
      assert.match((await readFault(page, apiResponse(page))).summary, /^No usable answer came from the API/);
      assert.equal(asked(witness, stage), 2);
    },
  );
});

scenario("the explanations are not loaded by a sign-in without a fault", async ({ page, stage, witness }) => {
  await signInAgain(page, stage);
  await readApi(page);
  await navigationTo(page, "Sign in").click();
  await heading(page, "Sign in").waitFor();
  assert.equal(asked(witness, stage), 0);
});

scenario("the explanations are loaded once, without cookies, for however many faults", async ({ page, stage, witness }) => {
  await page.goto(stage.url(FORGED));
  await readFault(page);
  await navigationTo(page, "Sign in").click();
  await page.goBack();
  await readFault(page);
  assert.equal(asked(witness, stage), 1);
  const entry = await until("the host was asked", () => stage.host.log.find(({ path }) => path.endsWith(`/${FILE}`)));
  assert.equal(entry.headers.cookie, undefined);
  assert.equal(entry.headers.referer, undefined);
});
