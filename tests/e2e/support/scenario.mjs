// One test: a fresh browser context on a fresh stage, and the witness's word at its end.

import { mkdirSync } from "node:fs";
import { join } from "node:path";
import { after, before, it } from "node:test";
import { launch, launchWithPreferences } from "./chromium.mjs";
import { TOP } from "./dist.mjs";
import { signIn } from "./person.mjs";
import { startSandboxStage } from "./sandbox_stage.mjs";
import { startStage } from "./stage.mjs";
import { watch } from "./visitor.mjs";

/** Pictures, of failures and of the pages; ignored by git. */
export const ARTIFACTS = join(TOP, "test-artifacts");

const PATIENCE = 10_000;

/** Is the server that people sign in at the sandbox of the site itself? `make test-e2e` runs the suite both ways. */
export const ON_SANDBOX = process.env.LEPTOS_PKCE_SERVER === "sandbox";

let browser; // of this file
after(async () => (await browser)?.close());

/** What the sandbox cannot have. */
export const ANOTHER_ORIGIN = "a server at another origin";
export const A_SERVERS_LOG = "a server's log";

/**
 * Starts a stage for the tests of one file, or of one `describe`, and returns the function that declares them.
 *
 * @param {Parameters<typeof startStage>[0] & { familiar?: boolean, needs?: string, sandbox?: boolean, whole?: boolean }} [options]
 *   `familiar`: the authorization server knows alice and what she allows, and sends her back at once; saves the forms where
 *   they are not what is tested. `needs`: what the sandbox cannot have. `sandbox`: whatever the suite runs on, these scenes
 *   are set on the sandbox. `whole`: in the browser that people use, rather than in its engine alone
 */
export function setting({ familiar = false, needs: settingNeeds, sandbox = ON_SANDBOX, whole = false, ...stageOptions } = {}) {
  let stage, cookies;
  before(async () => {
    if (settingNeeds && sandbox) return;
    browser ??= launch(whole && !ON_SANDBOX); // once is enough
    [stage] = await Promise.all([sandbox ? startSandboxStage(stageOptions) : startStage(stageOptions), browser]);
    if (familiar && !sandbox) cookies = await introduce(stage);
  });
  after(() => stage?.close());

  /**
   * @param {string} title a sentence, with the requirements it proves
   * @param {object} options
   * @param {RegExp[]} [options.allow] incidents that belong to the test
   * @param {(stage: object) => string[] | Promise<string[]>} [options.origins] servers of the test's own that the pages may ask
   * @param {(stage: object) => object} [options.client] members of the configuration, over the setting's own
   * @param {boolean} [options.stranger] in a familiar setting: somebody whom the authorization server does not know
   * @param {object} [options.context] for Playwright's `newContext`
   * @param {object} [options.preferences] of a browser started for this test alone
   * @param {string[]} [options.names] further host names of this machine, in a browser started for this test alone
   * @param {string} [options.needs] what the sandbox cannot have: not run there
   * @param {number} [options.timeout] milliseconds, for what takes its time
   * @param {(scene: object) => Promise<void>} play
   */
  return function scenario(title, options, play) {
    if (!play) [options, play] = [{}, options];
    const needs = sandbox && (options.needs ?? settingNeeds);
    it(title, { timeout: options.timeout ?? 60_000, skip: needs && `needs ${needs}` }, async () => {
      const { context, close } = await visit(options);
      try {
        context.setDefaultTimeout(PATIENCE);
        if (cookies && !options.stranger) await context.addCookies(cookies);
        stage.reset();
        if (sandbox && familiar && !options.stranger) await stage.introduce(context);
        stage.reset();
        if (options.client) stage.configure(stage.client(options.client(stage)));
        await perform(context, stage, title, options, play);
      } finally {
        await close();
      }
    });
  };
}

/** Signs alice in once; the authorization server's cookies remain. */
async function introduce(stage) {
  const context = await (await browser).newContext();
  const page = await context.newPage();
  await signIn(page, stage);
  const cookies = await context.cookies();
  await context.close();
  return cookies;
}

async function visit({ context: contextOptions, preferences, names }) {
  if (preferences || names) return launchWithPreferences(preferences ?? {}, names);
  const context = await (await browser).newContext(contextOptions);
  return { context, close: () => context.close() };
}

async function perform(context, stage, title, { allow, origins = () => [] }, play) {
  stage.observe?.(context);
  const witness = await watch(context, { origins: [...stage.origins, ...(await origins(stage))], allow });
  const page = await context.newPage();
  try {
    await play({ stage, context, page, witness });
    await witness.testify();
    stage.testify?.();
  } catch (error) {
    throw new Error(await lastWords(page, title, witness), { cause: error });
  }
}

/** What the page showed when the test failed. */
async function lastWords(page, title, witness) {
  try {
    mkdirSync(ARTIFACTS, { recursive: true });
    const picture = join(ARTIFACTS, `failed ${title.replace(/[^\w -]+/g, " ").trim().slice(0, 100)}.png`);
    await page.screenshot({ path: picture, timeout: 3000 });
    const words = await page.locator("body").innerText({ timeout: 1000 });
    const noted = witness.incidents.map((incident) => `\n! ${incident}`).join("");
    return `At ${page.url()} the page said:\n\n${words}\n${noted}\n\n(picture: ${picture})`;
  } catch {
    return "The page was gone when the test failed.";
  }
}
