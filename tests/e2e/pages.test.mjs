// Every page as it is: in light and dark, on a desk and on a phone. axe finds nothing, nothing sticks out, and a picture
// of each is left in test-artifacts/pages.

import assert from "node:assert/strict";
import { mkdirSync, readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import {
  apiResponse, beginSignIn, fetchingExplanations, fetchingRest, heading, logIn, loginField, navigationTo, readApi, signIn, signInAgain, signInButton,
} from "./support/person.mjs";
import { PANIC, breakDocument, mendDocument } from "./support/sabotage.mjs";
import { ARTIFACTS, ON_SANDBOX, setting } from "./support/scenario.mjs";
import { LOAD_FAILED } from "./support/visitor.mjs";

const AXE = readFileSync(createRequire(import.meta.url).resolve("axe-core/axe.min.js"), "utf8");
const PICTURES = join(ARTIFACTS, "pages");
mkdirSync(PICTURES, { recursive: true });

const scenario = setting({ familiar: !ON_SANDBOX });

/** Something went wrong, and the page has said all that it will about it. */
const alert = async (page) => {
  await page.getByRole("alert").waitFor();
  await fetchingRest(page).waitFor({ state: "detached" });
  await fetchingExplanations(page).waitFor({ state: "detached" });
};

/** How to come to each page, and what to wait for there. */
const OF_THE_WORKBENCH = {
  "sign-in": async (page, stage) => {
    await page.goto(stage.url());
    await page.getByText("PKCE with S256 announced").waitFor();
  },
  "sign-in with the request": async (page, stage) => {
    await page.goto(stage.url());
    await page.getByRole("button", { name: "Show the request" }).click();
    await page.getByRole("link", { name: "Follow the link" }).waitFor();
  },
  "sign-in with several servers": async (page, stage) => {
    stage.configure(stage.client({ name: "First" }), stage.client({ name: "Second", client_id: stage.otherClientId }));
    await page.goto(stage.url());
    await page.getByRole("combobox", { name: "Authorization server" }).waitFor();
  },
  "sign-in with a fault": async (page, stage) => {
    stage.configure(stage.client({ redirect_uri: "https://app.example/callback" }));
    await beginSignIn(page, stage);
    await alert(page);
  },
  "sign-in with a wrong configuration": async (page, stage) => {
    stage.answer("/config.json", { body: '{ "authorization_servers": [{ "client_secret": "x", "colour": 1 }] }' });
    await page.goto(stage.url());
    await alert(page);
  },
  "callback without an answer": async (page, stage) => {
    await page.goto(stage.url("callback"));
    await page.getByText("There is no answer here to complete").waitFor();
  },
  "callback with a fault": async (page, stage) => {
    await page.goto(stage.url("callback?error=access_denied&state=wrong"));
    await alert(page);
  },
  "callback with a fault that is not explained yet": async (page, stage, context) => {
    // It never will be: the page is closed before.
    await context.route("**/explanations.json", () => {});
    await page.goto(stage.url("callback?error=access_denied&state=wrong"));
    await fetchingExplanations(page).waitFor();
  },
  "callback with a fault that cannot be explained": async (page, stage) => {
    stage.answer("/explanations.json", { status: 404 });
    await page.goto(stage.url("callback?error=access_denied&state=wrong"));
    await page.getByText("The explanations could not be loaded").waitFor();
  },
  "callback with a fault without the rest": async (page, stage, context) => {
    await context.route("**/workbench-rest-*", (route) => route.abort());
    await page.goto(stage.url("callback?error=access_denied&state=wrong"));
    await page.getByRole("alert").getByText("could not be loaded").waitFor();
  },
  session: signInAgain,
  "session of nobody": async (page, stage) => {
    await page.goto(stage.url("session"));
    await page.getByText("Nobody is signed in.").waitFor();
  },
  api: async (page, stage) => {
    await signInAgain(page, stage);
    await readApi(page);
  },
  "api without the rest": async (page, stage, context) => {
    await context.route("**/workbench-rest-*", (route) => route.abort());
    await page.goto(stage.url("api"));
    await page.getByRole("button", { name: "Load it again" }).waitFor();
  },
  "api with a fault": async (page, stage) => {
    await signInAgain(page, stage);
    await navigationTo(page, "API").click();
    await page.getByRole("combobox", { name: "Method" }).selectOption("POST");
    await page.getByRole("combobox", { name: "URL" }).fill("https://api.example/");
    await page.getByRole("button", { name: "Send", exact: true }).click();
    await apiResponse(page).getByRole("alert").waitFor();
  },
  "sign-in from an API": async (page, stage) => {
    await page.goto(stage.url());
    await page.getByText("Start from an API").click();
    await page.getByRole("textbox", { name: "URL of the API" }).fill(stage.photos);
    await page.getByRole("button", { name: "Find its authorization server" }).click();
    await page.getByRole("button", { name: "Add this server" }).click();
    await alert(page);
  },
  "api that demands another sign-in": async (page, stage) => {
    stage.configure(stage.client({ resources: [{ name: "API", url: stage.api.origin }] }));
    await signInAgain(page, stage);
    await navigationTo(page, "API").click();
    await page.getByRole("combobox", { name: "URL" }).fill(`${stage.api.origin}/safe`);
    await page.getByRole("button", { name: "Send", exact: true }).click();
    await page.getByRole("button", { name: "Sign in as the API demands" }).waitFor();
  },
  "not found": async (page, stage) => {
    await page.goto(stage.url("nothing"));
    await heading(page, "Page not found").waitFor();
  },
  "could not start": async (page, stage, context) => {
    await context.route("**/*.wasm", (route) => route.abort());
    await page.goto(stage.url());
    await heading(page, "The workbench could not be loaded").waitFor();
  },
  crashed: async (page, stage) => {
    await page.goto(stage.url());
    await signInButton(page).waitFor();
    await breakDocument(page);
    // What is on its way from the server may have changed the page already, and ended it.
    await navigationTo(page, "API").click({ timeout: 2000 }).catch(() => {});
    await heading(page, "The workbench has stopped").waitFor();
    await mendDocument(page);
  },
};

/** The pages that differ when the server is the sandbox, and its own. */
const OF_THE_SANDBOX = {
  "sandbox asleep": async (page, stage) => {
    await page.goto(stage.url());
    await page.getByText("It is started when you sign in").waitFor();
  },
  "sandbox awake": async (page, stage) => {
    await signIn(page, stage);
    await navigationTo(page, "Sign in").click();
    await page.getByRole("button", { name: "Forget the sandbox" }).waitFor();
  },
  "sandbox blocked": async (page, stage) => {
    await page.addInitScript(() => {
      ServiceWorkerContainer.prototype.register = () => Promise.reject(new DOMException("no", "SecurityError"));
    });
    await beginSignIn(page, stage);
    await alert(page);
  },
  "sandbox login": async (page, stage) => {
    await beginSignIn(page, stage);
    await loginField(page).waitFor();
  },
  "sandbox consent": async (page, stage) => {
    await beginSignIn(page, stage);
    await logIn(page);
    await page.getByRole("button", { name: "Allow" }).waitFor();
  },
  "sandbox with three faults in an ID token": async (page, stage) => {
    await page.goto(stage.url());
    await signIn(page, stage);
    await page.evaluate(() => fetch("/sandbox/switches", { method: "PUT", body: JSON.stringify({ on: ["id-token-three-faults"] }) }));
    await navigationTo(page, "Sign in").click();
    await page.getByRole("button", { name: "Sign in", exact: true }).click();
    await alert(page);
  },
  "sandbox refusal": async (page, stage) => {
    await signIn(page, stage);
    await page.goto(stage.url("sandbox/authorize?client_id=nobody"));
    await heading(page, stage.spentForm).waitFor();
  },
  "sandbox without such a page": async (page, stage) => {
    await signIn(page, stage);
    await page.goto(stage.url("sandbox/nothing"));
    await heading(page, "Nothing is here").waitFor();
  },
};

const STATIONS = ON_SANDBOX ? OF_THE_SANDBOX : OF_THE_WORKBENCH;

const EXPECTED = [LOAD_FAILED, ...PANIC];

/** A picture of the whole page. The window is made as high as the page, so that what sticks to its edge is there. */
async function takePicture(page, name) {
  const { width, height } = page.viewportSize();
  const whole = await page.evaluate(() => document.documentElement.scrollHeight);
  await page.setViewportSize({ width, height: Math.max(whole, height) });
  await page.screenshot({ path: join(PICTURES, `${name}.png`) });
  await page.setViewportSize({ width, height });
}

for (const [name, go] of Object.entries(STATIONS)) {
  scenario(
    `is in order in light and dark, on a desk and on a phone: ${name}`,
    { allow: EXPECTED },
    async ({ page, stage, context }) => {
      await go(page, stage, context);
      await page.evaluate(AXE);
      for (const [width, height] of [[1280, 800], [360, 740]]) {
        await page.setViewportSize({ width, height });
        for (const colorScheme of ["light", "dark"]) {
          await page.emulateMedia({ colorScheme });
          const { violations, passes } = await page.evaluate(() => globalThis.axe.run(document, { resultTypes: ["violations", "passes"] }));
          const findings = violations.map(({ id, help, nodes }) => `${id}: ${help}: ${nodes.map(({ target }) => target).join(", ")}`);
          assert.deepEqual(findings, [], `${colorScheme}, ${width} px`);
          assert.ok(passes.length > 5, "axe has looked at something");
          await takePicture(page, `${name} ${colorScheme} ${width}`);
        }
        const overflow = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
        assert.ok(overflow <= 0, `${overflow} px stick out at ${width} px`);
      }
    },
  );
}
