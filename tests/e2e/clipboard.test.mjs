// What can be copied, for an administrator or a bug report.

import assert from "node:assert/strict";
import { changed, readFault, signInButton, withheldAnswer } from "./support/person.mjs";
import { setting } from "./support/scenario.mjs";

const scenario = setting({ familiar: true });
const context = { permissions: ["clipboard-read", "clipboard-write"] };

const copied = (page) => page.evaluate(() => navigator.clipboard.readText());

scenario(
  "copies a report of an error, with its code and without any secret (OPS-1, OPS-2)",
  { context },
  async ({ page, stage }) => {
    const answer = await withheldAnswer(page, stage);
    await page.goto(changed(answer, { iss: "https://evil.example/`injected`" }));
    const { panel, summary } = await readFault(page);
    await panel.getByRole("button", { name: "Copy report" }).click();
    await panel.getByText("Copied", { exact: true }).waitFor();

    const report = await copied(page);
    assert.ok(report.startsWith(`**${summary}**`));
    assert.match(report, /- Code: `callback\.issuer_mismatch`\n/);
    assert.match(report, /- Side: authorization-server\n/);
    assert.ok(report.includes(`- Redirect URI sent: \`${stage.url("callback")}\``));
    assert.match(report, /`https:\/\/evil\.example\/'injected'`/, "what came from outside stays inside its code span");
    for (const name of ["code", "state"]) assert.ok(!report.includes(answer.searchParams.get(name)), name);
  },
);

scenario("copies the redirect URI exactly as it is sent (CFG-4)", { context }, async ({ page, stage }) => {
  await page.goto(stage.url());
  await page.getByRole("button", { name: "Copy the redirect URI" }).click();
  await page.getByText("Copied", { exact: true }).waitFor();
  assert.equal(await copied(page), stage.url("callback"));
});

scenario("copies an authorization request that works when it is pasted into this tab", { context }, async ({ page, stage }) => {
  await page.goto(stage.url());
  await page.getByRole("button", { name: "Show the request" }).click();
  await page.getByRole("button", { name: "Copy the link" }).click();
  await page.getByText("Copied", { exact: true }).waitFor();
  await page.goto(await copied(page));
  await page.getByRole("heading", { level: 1, name: "Session" }).waitFor();
  assert.equal(stage.tokenRequests.length, 1);
});

scenario("says so if the browser does not let it copy", async ({ page, stage }) => {
  await page.addInitScript(() => {
    Clipboard.prototype.writeText = () => Promise.reject(new DOMException("no", "NotAllowedError"));
  });
  await page.goto(stage.url());
  await signInButton(page).waitFor();
  await page.getByRole("button", { name: "Copy the redirect URI" }).click();
  await page.getByText("Not copied: the browser does not allow it here").waitFor();
});
