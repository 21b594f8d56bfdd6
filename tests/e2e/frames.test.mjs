// The app in somebody else's page: a header forbids it, and where a host sends none, the app itself signs nobody in there.

import assert from "node:assert/strict";
import { after, before, describe } from "node:test";
import { listen, reply } from "./servers/loopback.mjs";
import { readFault, signInButton, signInAgain, signOutButton, withheldAnswer } from "./support/person.mjs";
import { ANOTHER_ORIGIN, setting } from "./support/scenario.mjs";
import { pendingNames } from "./support/storage.mjs";

// A server of its own: a page that the test itself fulfils comes from nowhere, and Chromium lets none of those reach this
// machine, in a frame or otherwise.
let foreign;
before(async () => {
  const page = (url) => `<!doctype html><title>Clickjacking</title><iframe width="800" height="600" src="${url.replaceAll("&", "&amp;")}"></iframe>`;
  foreign = await listen((_request, response, { query }) =>
    reply(response, 200, "text/html", page(new URLSearchParams(query).get("url"))),
  );
});
after(() => foreign.close());

const origins = () => [foreign.origin];

/** Opens a page of another site that shows an address of ours in a frame; resolves with the frame. */
async function embed(page, url) {
  await page.goto(`${foreign.origin}/?url=${encodeURIComponent(url)}`);
  const [, victim] = page.frames();
  await victim.waitForLoadState();
  return victim;
}

describe("a host that sends the deployment's headers", () => {
  const scenario = setting({ familiar: true, needs: ANOTHER_ORIGIN });

  for (const path of ["", "callback", "session"]) {
    scenario(`lets nobody frame /${path} (WEB-12, CB-18, A29)`, { origins, allow: [/^error: /] }, async ({ page, stage, witness }) => {
      const victim = await embed(page, stage.url(path));
      assert.match(victim.url(), /^chrome-error:/);
      assert.equal(await signInButton(victim).count(), 0);
      assert.ok(witness.incidents.some((incident) => incident.includes("frame-ancestors")), "and for that reason");
    });
  }
});

describe("a host that sends no headers", () => {
  const scenario = setting({ familiar: true, host: { headers: false }, needs: ANOTHER_ORIGIN });

  scenario("shows the app in a frame, where nobody can sign in (WEB-12, A29)", { origins }, async ({ page, stage }) => {
    const victim = await embed(page, stage.url());
    await signInButton(victim).click();
    const { code, side } = await readFault(victim);
    assert.equal(code, "request.framed");
    assert.ok(side);
    assert.equal(stage.authorizationRequests.length, 0);
    assert.deepEqual(await pendingNames(victim), []);
  });

  scenario("lets no answer in through a frame: the code is not sent, and is still good outside of it (CB-18, A29)", { origins }, async ({ page, stage, context }) => {
    const answer = await withheldAnswer(page, stage);
    const other = await context.newPage();
    const victim = await embed(other, answer.href);
    const { code } = await readFault(victim);
    assert.equal(code, "callback.framed");
    assert.equal(stage.tokenRequests.length, 0);
    assert.equal(new URL(victim.url()).search, "");

    await page.goto(answer.href);
    await signOutButton(page).waitFor();
    assert.equal(stage.tokenRequests.length, 1);
  });

  scenario("signs nobody in by itself in a frame, where a session was lost (CB-18, CB-17)", { origins, client: () => ({ token_storage: "memory", restore: true }) }, async ({ page, stage }) => {
    await signInAgain(page, stage);
    const victim = await embed(page, stage.url("session"));
    await victim.getByText("Signed out", { exact: true }).waitFor();
    assert.equal(stage.authorizationRequests.length, 1);
  });
});
