// Calling an API with the token: where it may go, and that whatever comes back is shown as what it is.

import assert from "node:assert/strict";
import { describe } from "node:test";
import { apiResponse, heading, navigationTo, readFault, sendRequest, signIn, signInAgain, signOutButton } from "./support/person.mjs";
import { A_SERVERS_LOG, ANOTHER_ORIGIN, setting } from "./support/scenario.mjs";
import { until } from "./support/until.mjs";
import { BLOCKED_BY_CORS, LOAD_FAILED } from "./support/visitor.mjs";

const FAILED = [LOAD_FAILED, BLOCKED_BY_CORS];

const scenario = setting({ familiar: true });

const url = (page) => page.getByRole("combobox", { name: "URL" });
const method = (page) => page.getByRole("combobox", { name: "Method" });
const send = (page) => page.getByRole("button", { name: "Send", exact: true });

/** How many requests left the page; the words for an error are no matter of the token. */
const askedFor = ({ requests }) => requests.filter(({ url }) => !url.endsWith("/explanations.json")).length;

/** Signs in and goes to the API page. */
async function openApi(page, stage) {
  await signInAgain(page, stage);
  await navigationTo(page, "API").click();
  await heading(page, "API").waitFor();
}

describe("the access token", () => {
  scenario(
    "is sent to no place that is not configured: the page explains it, and nothing is sent (RS-2, A11)",
    { needs: ANOTHER_ORIGIN },
    async ({ page, stage, witness }) => {
      await openApi(page, stage);
      const { origin } = stage.api;
      const { port } = new URL(origin);
      const before = askedFor(witness);
      for (const place of [
        `${origin}/`,
        `${origin}/other`,
        `${origin}/photosynthesis`,
        `${origin}/photo`,
        `${origin}/Photos`,
        `${stage.api.elsewhere.origin}/photos`,
        `http://127.0.0.1:${port}/photos`,
        `http://localhost/photos`,
        `https://localhost:${port}/photos`,
        `${stage.authorizationServer.issuer}/token`,
        "https://api.example/photos",
        `http://localhost.evil.example:${port}/photos`,
      ]) {
        await url(page).fill(place);
        await send(page).click();
        await apiResponse(page).getByText(place, { exact: true }).waitFor();
        const { code, text } = await readFault(page, apiResponse(page));
        assert.equal(code, "resource.not_allowed", place);
        assert.match(text, /The access token is not sent there: the URL is none of the configured resources/);
        assert.ok(text.includes(`${origin}/photos`), "the places that it may go to are named");
      }
      assert.equal(askedFor(witness), before);
      assert.deepEqual(stage.api.log, []);
      assert.deepEqual(stage.api.elsewhere.log, []);
    },
  );

  scenario("is not sent to what is no plain URL (RS-2, A11)", async ({ page, stage, witness }) => {
    await openApi(page, stage);
    const { origin } = stage.api;
    const { host } = new URL(origin);
    const before = askedFor(witness);
    for (const place of [
      `http://user@${host}/photos`,
      `http://${host}@evil.example/photos`,
      `http://${host}.evil.example/photos`,
      `${origin}/photos/../other`,
      `${origin}/photos/%2e%2e/other`,
      `http:\\\\${host}\\photos`,
      `//${host}/photos`,
      `${origin}\\photos`,
      "/photos",
      "photos",
      "javascript:alert(1)",
      "",
    ]) {
      await url(page).fill(place);
      await send(page).click();
      const { code, summary } = await readFault(page, apiResponse(page));
      assert.equal(code, "resource.url", place);
      assert.match(summary, /This is no URL for a request/);
    }
    assert.equal(askedFor(witness), before);
    assert.deepEqual(stage.apiRequests, []);
  });

  scenario("goes below a configured place, with any query (RS-2)", { allow: FAILED }, async ({ page, stage }) => {
    await openApi(page, stage);
    for (const [path, status] of [["?x=1&y=%20", "Status 200"], ["/99", "Status 404"]]) {
      await url(page).fill(stage.photos + path);
      assert.equal((await sendRequest(page)).status, status);
    }
    assert.equal(stage.apiRequests[0].query, "x=1&y=%20");
    for (const { headers } of stage.apiRequests) assert.match(headers.authorization, /^Bearer \S+$/);
  });

  scenario("goes to the user info endpoint without further configuration", async ({ page, stage }) => {
    await openApi(page, stage);
    await url(page).fill(stage.userinfo);
    const { status, body } = await sendRequest(page);
    assert.equal(status, "Status 200");
    assert.match(JSON.parse(body).name, /^Alice /);
    assert.deepEqual(stage.apiRequests, []);
  });
});

describe("an API", () => {
  const client = ({ api }) => ({ resources: [{ name: "Photos", url: `${api.origin}/photos` }, { name: "The rest", url: `${api.origin}/` }] });

  scenario(
    "that redirects is not followed, and the other place sees nothing (RS-3, A11)",
    { client, allow: FAILED, needs: ANOTHER_ORIGIN },
    async ({ page, stage }) => {
      await openApi(page, stage);
      await url(page).fill(`${stage.api.origin}/redirect`);
      await send(page).click();
      const { code, text, side } = await readFault(page, apiResponse(page));
      assert.equal(code, "resource.unreachable");
      assert.match(text, /does not redirect: a redirect would carry the token along, so it is not followed/);
      assert.equal(side, "the network");
      assert.deepEqual(stage.apiRequests.map(({ path, status }) => [path, status]), [["/redirect", 302]]);
      assert.deepEqual(stage.api.elsewhere.log, []);
    },
  );

  scenario(
    "has its answer shown, whatever its status, and nobody is signed out by it",
    { client, allow: FAILED, needs: ANOTHER_ORIGIN },
    async ({ page, stage }) => {
      await openApi(page, stage);
      const statuses = [204, 401, 403, 404, 418, 500, 503];
      for (const status of statuses) {
        await url(page).fill(`${stage.api.origin}/status/${status}`);
        await send(page).click();
        await apiResponse(page).getByText(`Status ${status}`, { exact: true }).waitFor();
        assert.equal(await apiResponse(page).getByRole("group", { name: "Body" }).innerText(), "");
        await signOutButton(page).waitFor();
      }
      assert.deepEqual(stage.apiRequests.map(({ status }) => status), statuses);
      assert.equal(stage.tokenRequests.length, 1);
    },
  );

  scenario(
    "that wants another scope says which, in what it lets the page see",
    { allow: FAILED },
    async ({ page, stage }) => {
      await openApi(page, stage);
      await method(page).selectOption("POST");
      await page.getByRole("textbox", { name: "Body" }).fill('{"title":"New"}');
      const { status, body } = await sendRequest(page);
      assert.equal(status, "Status 403");
      assert.equal(JSON.parse(body).error, "insufficient_scope");
      await page.getByText("Header fields that the browser lets this page see").click();
      await apiResponse(page).getByText(/www-authenticate: Bearer .*scope="photos:write"/).waitFor();
    },
  );

  scenario(
    "gets the method, the body and its type as they were typed",
    { stranger: true, client: () => ({ scope: "openid profile photos:read photos:write" }), needs: A_SERVERS_LOG },
    async ({ page, stage }) => {
      await signIn(page, stage);
      await navigationTo(page, "API").click();
      await method(page).selectOption("POST");
      await page.getByRole("textbox", { name: "Content-Type" }).fill("text/plain; charset=utf-8");
      await page.getByRole("textbox", { name: "Body" }).fill("<b>ünïcode</b>\n& more");
      const { status, body } = await sendRequest(page);
      assert.equal(status, "Status 201");
      assert.deepEqual(JSON.parse(body), { owner: "alice", received: "<b>ünïcode</b>\n& more", type: "text/plain; charset=utf-8" });
      const [{ headers }] = stage.apiRequests;
      assert.equal(headers.cookie, undefined);
    },
  );

  scenario("that is slow can be cancelled, and sees the connection close", { client, needs: ANOTHER_ORIGIN }, async ({ page, stage }) => {
    await openApi(page, stage);
    await url(page).fill(`${stage.api.origin}/slow`);
    await send(page).click();
    await page.getByText("Waiting for the API…").waitFor();
    assert.ok(await send(page).isDisabled());
    await until("the request has arrived", () => stage.apiRequests.length === 1);
    await page.getByRole("button", { name: "Cancel" }).click();
    const { code, summary, side } = await readFault(page, apiResponse(page));
    assert.equal(code, "resource.cancelled");
    assert.match(summary, /The request was cancelled/);
    assert.equal(side, "the person");
    await until("the server saw the connection close", () => stage.apiRequests[0].closedByClientAt);
    await url(page).fill(`${stage.api.origin}/photos`);
    assert.equal((await sendRequest(page)).status, "Status 200");
  });

  for (const [what, leave] of [
    ["signs out", (page) => signOutButton(page).click()],
    ["goes to another page", (page) => navigationTo(page, "Session").click()],
  ]) {
    scenario(`that is slow hears no more when the person ${what} (RS-13)`, { client, needs: ANOTHER_ORIGIN }, async ({ page, stage }) => {
      await openApi(page, stage);
      await url(page).fill(`${stage.api.origin}/slow`);
      await send(page).click();
      await until("the request has arrived", () => stage.apiRequests.length === 1);
      await leave(page);
      await until("the server saw the connection close", () => stage.apiRequests[0].closedByClientAt);
      assert.equal(await page.getByRole("alert").count(), 0);
    });
  }

  scenario("may answer with five megabytes, which are cut for the eye only", { client, needs: ANOTHER_ORIGIN }, async ({ page, stage }) => {
    await openApi(page, stage);
    await url(page).fill(`${stage.api.origin}/large?bytes=5000000`);
    const { status, body } = await sendRequest(page);
    assert.equal(status, "Status 200");
    assert.equal(body.length, 200_000);
    await page.getByText("5.0 MB").waitFor();
    await page.getByText("The first 200000 characters are shown.").waitFor();
  });

  scenario("may not answer with more than eight megabytes (F4)", { client, allow: FAILED, needs: ANOTHER_ORIGIN }, async ({ page, stage }) => {
    await openApi(page, stage);
    await url(page).fill(`${stage.api.origin}/large?bytes=9000000`);
    await send(page).click();
    const { code, summary } = await readFault(page, apiResponse(page));
    assert.equal(code, "resource.body_too_large");
    assert.match(summary, /longer than 8388608 octets/);
  });

  scenario(
    "that cannot be reached is told apart from a browser that is offline (F1)",
    { client, allow: FAILED },
    async ({ page, stage, context }) => {
      await openApi(page, stage);
      await context.setOffline(true);
      await send(page).click();
      const { code } = await readFault(page, apiResponse(page));
      assert.equal(code, "resource.offline");
      await context.setOffline(false);
      assert.equal((await sendRequest(page)).status, "Status 200");
    },
  );

  scenario("answers in words and marks that stay text (A10)", { client, needs: ANOTHER_ORIGIN }, async ({ page, stage }) => {
    await openApi(page, stage);
    await page.route(`${stage.api.origin}/photos`, (route) =>
      route.request().method() === "OPTIONS"
        ? route.continue()
        : route.fulfill({
            headers: { "Access-Control-Allow-Origin": stage.host.origin, "Content-Type": "text/html" },
            body: "<img src=x onerror=globalThis.pwned=1><script>globalThis.pwned=1</script>",
          }),
    );
    const { body } = await sendRequest(page);
    assert.equal(body, "<img src=x onerror=globalThis.pwned=1><script>globalThis.pwned=1</script>");
    assert.equal(await apiResponse(page).locator("img, script").count(), 0);
    assert.equal(await page.evaluate(() => globalThis.pwned), undefined);
  });
});
