// config.json: missing, mistaken, or asking for what cannot be. Nothing of a file with a problem is used, and each
// message says what is wrong where.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { describe, it } from "node:test";
import Ajv from "ajv/dist/2020.js";
import { TOP, app } from "./support/dist.mjs";
import { allow, beginSignIn, isSignedIn, logIn, readApi, readFault, signIn, signInAgain, signInButton } from "./support/person.mjs";
import { ANOTHER_ORIGIN, setting } from "./support/scenario.mjs";
import { LOAD_FAILED } from "./support/visitor.mjs";

const scenario = setting({ familiar: true });

const SECRET = "s3cr3t-canary";

/** Serves this text as config.json, and reads what the page says of it. */
async function readFaultOf(page, stage, answer) {
  stage.answer("/config.json", answer);
  await page.goto(stage.url());
  const fault = await readFault(page);
  assert.equal(await signInButton(page).count(), 0, "nothing of it is used");
  assert.deepEqual(stage.authorizationServer.log, [], "nobody was asked anything");
  return fault;
}

/** What the fault panel lists as things to check. */
const checks = (panel) => panel.getByRole("listitem").allInnerTexts();

describe("a config.json that is not there", () => {
  scenario("is said to be missing", { allow: [LOAD_FAILED] }, async ({ page, stage }) => {
    const { code, summary, side, text } = await readFaultOf(page, stage, { status: 404, type: "text/plain", body: "Not found.\n" });
    assert.equal(code, "configuration.missing");
    assert.equal(summary, "There is no config.json beside index.html (the host answered 404).");
    assert.equal(side, "this page's configuration");
    assert.match(text, /config\.schema\.json/);
  });

  scenario("is said to be a web page, where a host answers every path with one (F6)", async ({ page, stage }) => {
    const body = readFileSync(join(app(), "index.html"));
    const { code, summary, text } = await readFaultOf(page, stage, { type: "text/html; charset=utf-8", body });
    assert.equal(code, "configuration.html");
    assert.match(summary, /Instead of config\.json the host answered with an HTML page/);
    assert.match(text, /Hosts that rewrite every unknown path/);
  });

  scenario("is said to be a web page even where the host calls it JSON (F6)", async ({ page, stage }) => {
    const { code } = await readFaultOf(page, stage, { body: "\n<!doctype html><title>Not here</title>" });
    assert.equal(code, "configuration.html");
  });

  scenario("can be put there, and a press of \"Try again\" finds it", { allow: [LOAD_FAILED] }, async ({ page, stage }) => {
    const { panel } = await readFaultOf(page, stage, { status: 404 });
    stage.configure();
    await panel.getByRole("button", { name: "Try again" }).click();
    await signInButton(page).waitFor();
  });
});

describe("a config.json with mistakes", () => {
  scenario("is shown the line of what is no JSON", async ({ page, stage }) => {
    const { code, summary } = await readFaultOf(page, stage, { body: '{\n  "authorization_servers": [\n    { "issuer": }\n  ]\n}' });
    assert.equal(code, "configuration.not_json");
    assert.match(summary, /config\.json cannot be read: .*line 3/);
  });

  scenario("may not hold a client secret, which is not shown (CFG-1)", async ({ page, stage }) => {
    const { issuer } = stage.authorizationServer;
    const body = JSON.stringify({ authorization_servers: [{ issuer, client_id: "workbench", client_secret: SECRET }] });
    const { code, text, panel } = await readFaultOf(page, stage, { body });
    assert.equal(code, "configuration.invalid");
    const [problem, ...more] = await checks(panel);
    assert.deepEqual(more, []);
    assert.match(problem, /^authorization_servers\[0\]\.client_secret: expected no client secret: whatever a web page holds/);
    assert.ok(!text.includes(SECRET));
  });

  scenario("is told every problem at once, each with its place and what was expected", async ({ page, stage }) => {
    const { issuer } = stage.authorizationServer;
    const body = JSON.stringify({
      autorization_servers: [],
      authorization_servers: [
        { issuer, client_id: "workbench", colour: "red", scope: 17, token_storage: "local", redirect_uri: "/callback" },
        { client_id: "" },
        { issuer, client_id: "a", resources: [{ name: "No URL" }, { url: "https://user@api.example/" }], extra_parameters: { state: "x" } },
        { issuer, client_id: "b", metadata: { token_endpoint: "javascript:alert(1)", code_challenge_methods_supported: "S256" } },
        "a text",
      ],
    });
    const { code, summary, panel } = await readFaultOf(page, stage, { body });
    assert.equal(code, "configuration.invalid");
    const problems = await checks(panel);
    const at = (place) => problems.filter((problem) => problem.startsWith(`${place}: expected `));
    for (const place of [
      "autorization_servers",
      "authorization_servers[0].colour",
      "authorization_servers[0].scope",
      "authorization_servers[0].token_storage",
      "authorization_servers[0].redirect_uri",
      "authorization_servers[1].issuer",
      "authorization_servers[2].resources[0].url",
      "authorization_servers[2].resources[1].url",
      "authorization_servers[2].extra_parameters.state",
      "authorization_servers[3].metadata.token_endpoint",
      "authorization_servers[3].metadata.code_challenge_methods_supported",
      "authorization_servers[4]",
    ]) {
      assert.equal(at(place).length, 1, `${place} in\n${problems.join("\n")}`);
    }
    assert.match(at("authorization_servers[0].token_storage")[0], /expected "memory", "session" or "shared", found local/);
    assert.equal(summary, `The configuration has ${problems.length} problems; nothing of it is used until it is right.`);
  });

  scenario(
    "may name an issuer only by an https URL without query and fragment, or on this machine (CFG-2)",
    async ({ page, stage }) => {
      for (const issuer of ["http://as.example", "https://as.example/?tenant=a", "https://as.example/#a", "as.example", "javascript:alert(1)"]) {
        const body = JSON.stringify({ authorization_servers: [{ issuer, client_id: "workbench" }] });
        const { code, panel } = await readFaultOf(page, stage, { body });
        assert.equal(code, "configuration.invalid", issuer);
        const [problem] = await checks(panel);
        assert.ok(problem.startsWith("authorization_servers[0].issuer: expected an issuer URL"), problem);
        assert.ok(problem.includes(issuer), problem);
      }
    },
  );

  scenario("may not name one client twice (CFG-14)", async ({ page, stage }) => {
    const { issuer } = stage.authorizationServer;
    const body = JSON.stringify({ authorization_servers: [{ issuer, client_id: "a" }, { issuer, client_id: "a" }] });
    const { panel } = await readFaultOf(page, stage, { body });
    assert.match((await checks(panel))[0], /each issuer and client_id once/);
  });
});

describe("a configuration that is in order", () => {
  scenario("needs an issuer and a client ID, and keeps tokens in memory if it says nothing else", async ({ page, stage }) => {
    stage.configure({ issuer: stage.authorizationServer.issuer, client_id: "workbench", scope: "openid profile photos:read" });
    await signInAgain(page, stage);
    await page.getByText("In this page's memory: a reload means signed out.").waitFor();
    assert.equal(stage.authorizationRequests[0].parameters.redirect_uri, stage.url("callback"));
  });

  scenario("may name no server, which means the sandbox", { stranger: true }, async ({ page, stage }) => {
    stage.answer("/config.json", { body: '{ "authorization_servers": [] }' });
    await page.goto(stage.url());
    const card = page.getByRole("region", { name: "Sandbox", exact: true });
    await card.getByText(stage.url("sandbox/"), { exact: true }).waitFor();
    await signIn(page, stage);
  });

  scenario("may name the sandbox beside others, by a path below the site's base", { stranger: true }, async ({ page, stage }) => {
    stage.configure(stage.client({ name: "First" }), {
      name: "Practice", issuer: "sandbox/", client_id: "minimal", scope: "photos:read", resources: [{ url: "sandbox/api/photos" }],
    });
    await page.goto(stage.url());
    await signInButton(page.getByRole("region", { name: "Practice", exact: true })).click();
    await logIn(page);
    await allow(page);
    await isSignedIn(page);
    assert.equal((await readApi(page)).status, "Status 200");
    await page.getByText(stage.url("sandbox/api/photos"), { exact: false }).first().waitFor();
  });

  scenario(
    "may name the sandbox beside others: forgetting it leaves their sessions alone",
    { needs: ANOTHER_ORIGIN },
    async ({ page, stage }) => {
      stage.configure(stage.client({ name: "First" }), { name: "Practice", issuer: "sandbox/", client_id: "workbench", token_storage: "session" });
      const card = (name) => page.getByRole("region", { name, exact: true });
      await page.goto(stage.url());
      await signInButton(card("Practice")).click();
      await logIn(page);
      await allow(page);
      await isSignedIn(page);
      await page.goto(stage.url());
      await signInButton(card("First")).click();
      await isSignedIn(page);
      await page.goto(stage.url());
      await card("Practice").getByRole("button", { name: "Forget the sandbox" }).click();
      await page.getByText("It is started when you sign in").waitFor();
      const picker = page.getByRole("combobox", { name: "Authorization server" });
      await picker.selectOption({ label: "Practice" });
      await page.getByText("Signed out", { exact: true }).waitFor();
      await picker.selectOption({ label: "First" });
      await page.getByText(/^Signed in · /).waitFor();
    },
  );

  scenario(
    "with a redirect URI of another origin is refused before anybody leaves, with both values (CFG-4)",
    { client: () => ({ redirect_uri: "https://app.example/callback" }) },
    async ({ page, stage }) => {
      await beginSignIn(page, stage);
      const { code, summary, text, side } = await readFault(page);
      assert.equal(code, "request.redirect_uri_origin");
      assert.match(summary, /on another origin than this page/);
      assert.match(text, /Redirect URI\s+https:\/\/app\.example\/callback/);
      assert.match(text, new RegExp(`Origin of this page\\s+${stage.host.origin}`));
      assert.equal(side, "this page's configuration");
      assert.equal(stage.authorizationRequests.length, 0);
    },
  );

  scenario(
    "may not have a parameter of the request twice, in the endpoint's own query (AUT-1, A45)",
    { client: ({ authorizationEndpoint }) => ({ metadata: { authorization_endpoint: `${authorizationEndpoint}?client_id=other` } }) },
    async ({ page, stage }) => {
      await beginSignIn(page, stage);
      const { code, summary } = await readFault(page);
      assert.equal(code, "request.parameter_twice");
      assert.match(summary, /The parameter client_id would be sent twice/);
      assert.equal(stage.authorizationRequests.length, 0);
    },
  );

  // The server revokes no JWT, and says so with status 400.
  const unrevoked = [/^error: Failed to load resource.*\/token\/revocation/];

  scenario("may name several clients, each with a session of its own (CFG-14)", { allow: unrevoked }, async ({ page, stage }) => {
    stage.configure(stage.client({ name: "First" }), stage.client({ name: "Second", client_id: stage.otherClientId, scope: "photos:read" }));
    const card = (name) => page.getByRole("region", { name, exact: true });
    await page.goto(stage.url());
    await signInButton(card("First")).click();
    await isSignedIn(page);
    await page.goto(stage.url());
    await signInButton(card("Second")).click();
    await page.getByRole("button", { name: "Allow" }).click();
    await isSignedIn(page);

    const picker = page.getByRole("combobox", { name: "Authorization server" });
    for (const [name, clientId] of [["First", "workbench"], ["Second", stage.otherClientId]]) {
      await picker.selectOption({ label: name });
      const details = page.getByRole("region", { name: "Access token" });
      await details.getByText(clientId, { exact: true }).waitFor();
    }
    await page.getByRole("button", { name: "Sign out", exact: true }).click();
    await page.getByText("Nobody is signed in.").waitFor();
    await picker.selectOption({ label: "First" });
    await page.getByText(/^Signed in · /).waitFor();
  });
});

describe("config.schema.json", () => {
  const read = (directory, name) => JSON.parse(readFileSync(join(directory, name), "utf8"));
  const validate = () => new Ajv({ allErrors: true }).compile(read(TOP, "config.schema.json"));
  const one = (members) => ({ authorization_servers: [{ issuer: "https://as.example", client_id: "spa", ...members }] });
  const good = {
    name: "Example", issuer: "https://as.example", client_id: "spa", scope: "photos:read", redirect_uri: "https://app.example/callback",
    post_logout_redirect_uri: "https://app.example/",
    metadata: { authorization_endpoint: "https://as.example/authorize", token_endpoint: "https://as.example/token" },
    extra_parameters: { audience: "https://api.example" }, token_storage: "memory",
    resources: [{ name: "Photos", url: "https://api.example/photos" }],
  };

  it("describes the config.json that is shipped, and both are in the build", () => {
    const check = validate();
    assert.ok(check(read(TOP, "config.json")), JSON.stringify(check.errors));
    assert.ok(check(read(app(), "config.json")), JSON.stringify(check.errors));
    assert.deepEqual(read(app(), "config.schema.json"), read(TOP, "config.schema.json"));
  });

  it("accepts every member that there is, and as few as there must be", () => {
    const check = validate();
    assert.ok(check(one(good)), JSON.stringify(check.errors));
    assert.ok(check(one({})), JSON.stringify(check.errors));
    const { metadata } = good;
    assert.ok(check({ authorization_servers: [{ client_id: "spa", metadata }] }), JSON.stringify(check.errors));
    assert.ok(check({ authorization_servers: [] }), JSON.stringify(check.errors));
    const sandbox = { issuer: "sandbox/", resources: [{ url: "sandbox/api/photos" }] };
    assert.ok(check(one(sandbox)), JSON.stringify(check.errors));
  });

  for (const [what, document] of [
    ["a client secret (CFG-1)", one({ client_secret: SECRET })],
    ["an unknown member", one({ colour: "red" })],
    ["an unknown member beside the servers", { ...one({}), theme: "dark" }],
    ["a list in place of a text", one({ scope: ["photos:read"] })],
    ["a number for a client ID", one({ client_id: 17 })],
    ["no client ID", { authorization_servers: [{ issuer: "https://as.example" }] }],
    ["neither issuer nor metadata", { authorization_servers: [{ client_id: "spa" }] }],
    [
      "half of the metadata that stands in for an issuer",
      { authorization_servers: [{ client_id: "spa", metadata: { token_endpoint: "https://as.example/token" } }] },
    ],
    ["another storage", one({ token_storage: "local" })],
    ["a script for an endpoint (CFG-3)", one({ metadata: { authorization_endpoint: "javascript:alert(1)" } })],
    ["an issuer without its scheme", one({ issuer: "as.example/tenant" })],
    ["an issuer with a query (CFG-2)", one({ issuer: "https://as.example/?a" })],
    ["a redirect URI with a fragment (CFG-4)", one({ redirect_uri: "https://app.example/#callback" })],
    ["a parameter that the app sets itself (A45)", one({ extra_parameters: { code_challenge: "plain" } })],
    ["a resource without URL", one({ resources: [{ name: "Photos" }] })],
    ["a list in place of everything", []],
  ]) {
    it(`refuses ${what}`, () => assert.equal(validate()(document), false));
  }
});
