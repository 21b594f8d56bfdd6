// The server's metadata: where it is found, what of it is believed, and that nothing waits for it after the redirect.

import assert from "node:assert/strict";
import { describe } from "node:test";
import { beginSignIn, isSignedIn, readApi, readFault, signIn, signInButton, withheldAnswer } from "./support/person.mjs";
import { ANOTHER_ORIGIN, setting } from "./support/scenario.mjs";
import { until } from "./support/until.mjs";
import { BLOCKED_BY_CORS, LOAD_FAILED } from "./support/visitor.mjs";

const scenario = setting({ familiar: true, faults: true, needs: ANOTHER_ORIGIN });

const OIDC = "/.well-known/openid-configuration";
const OAUTH = "/.well-known/oauth-authorization-server";

/** The fault server's metadata as that of the issuer at `path`, with other members. */
function metadataOf(fault, path = "", members = {}) {
  return {
    issuer: fault.origin + path,
    authorization_endpoint: `${fault.origin}/authorize`,
    token_endpoint: `${fault.origin}/token`,
    code_challenge_methods_supported: ["S256"],
    ...members,
  };
}

/** The configuration of a client of the issuer at `path` of the fault server, which signs nothing: plain OAuth. */
const clientOf = (path = "") => ({ fault }) => ({ issuer: fault.origin + path, metadata: undefined, scope: "photos:read" });

/** Has the fault server let everybody in, with the code "canary" for the token "canary". */
function letIn(fault) {
  fault.authorize = (query) => `${query.get("redirect_uri")}?code=canary&state=${query.get("state")}`;
  Object.assign(fault, { mode: "reply", reply: { body: { access_token: "canary", token_type: "Bearer" } } });
}

/** What a server was asked for, in order. What the page asked when it opened it may ask again on a click, if it got nothing. */
const paths = ({ log }) => [...new Set(log.filter(({ method }) => method !== "OPTIONS").map(({ path }) => path))];

describe("the well-known address of the metadata", () => {
  for (const [what, issuerPath, found, asked] of [
    ["of OpenID Connect is asked first", "", OIDC, [OIDC]],
    ["of RFC 8414 is asked where that of OpenID Connect gives 404", "", OAUTH, [OIDC, OAUTH]],
    ["of OpenID Connect comes after the issuer's path", "/tenant/a", `/tenant/a${OIDC}`, [`/tenant/a${OIDC}`]],
    ["of RFC 8414 comes before the issuer's path", "/tenant/a", `${OAUTH}/tenant/a`, [`/tenant/a${OIDC}`, `${OAUTH}/tenant/a`]],
    ["is made without the issuer's trailing slash", "/tenant/", `/tenant${OIDC}`, [`/tenant${OIDC}`]],
    ["of RFC 8414 is made without it, too", "/tenant/", `${OAUTH}/tenant`, [`/tenant${OIDC}`, `${OAUTH}/tenant`]],
  ]) {
    scenario(`${what} (CFG-8)`, { client: clientOf(issuerPath), allow: [LOAD_FAILED] }, async ({ page, stage }) => {
      const { fault } = stage;
      fault.documents = { [found]: { body: metadataOf(fault, issuerPath) } };
      letIn(fault);
      await beginSignIn(page, stage);
      await isSignedIn(page);
      assert.deepEqual(paths(fault), [...asked, "/authorize", "/token"]);
    });
  }

  scenario(
    "of RFC 8414 is asked where that of OpenID Connect is a web page (F6)",
    { client: clientOf() },
    async ({ page, stage }) => {
      const { fault } = stage;
      fault.documents = { [OIDC]: { type: "text/html", body: "<p>Welcome" }, [OAUTH]: { body: metadataOf(fault) } };
      letIn(fault);
      await beginSignIn(page, stage);
      await isSignedIn(page);
      assert.deepEqual(paths(fault), [OIDC, OAUTH, "/authorize", "/token"]);
    },
  );

  scenario(
    "that gives nothing is shown, with what came instead",
    { client: clientOf(), allow: [LOAD_FAILED] },
    async ({ page, stage }) => {
      const { fault } = stage;
      fault.documents = { [OIDC]: { status: 500, body: "{}" }, [OAUTH]: { type: "text/html", body: "<p>Welcome" } };
      await beginSignIn(page, stage);
      const { code, text } = await readFault(page);
      assert.equal(code, "metadata.unavailable");
      assert.ok(text.includes(`${fault.origin}${OIDC} gave: status 500`));
      assert.ok(text.includes(`${fault.origin}${OAUTH} gave: no JSON object (text/html)`));
      assert.ok(!paths(fault).includes("/authorize"));
    },
  );

  scenario(
    "that the page may not read (CORS) is told with what helps: endpoints in config.json",
    { client: clientOf(), allow: [LOAD_FAILED, BLOCKED_BY_CORS] },
    async ({ page, stage }) => {
      const { fault } = stage;
      Object.assign(fault, { cors: false, documents: { [OIDC]: { body: metadataOf(fault) } } });
      await beginSignIn(page, stage);
      const { code, text, side } = await readFault(page);
      assert.equal(code, "metadata.unavailable");
      assert.match(text, /works if authorization_endpoint and token_endpoint \(and jwks_uri, for the scope openid\) stand under metadata in config\.json/);
      assert.equal(side, "the network");
      assert.deepEqual(paths(fault), [OIDC, OAUTH]);

      const { authorization_endpoint, token_endpoint } = metadataOf(fault);
      stage.configure(stage.client({ ...clientOf()(stage), metadata: { authorization_endpoint, token_endpoint } }));
      letIn(fault);
      fault.cors = true;
      fault.documents = {};
      await beginSignIn(page, stage);
      await isSignedIn(page);
    },
  );

  scenario(
    "is not followed to where it redirects (CFG-13)",
    { client: clientOf(), allow: [LOAD_FAILED, BLOCKED_BY_CORS] },
    async ({ page, stage }) => {
      // The API's path /redirect needs a token; the token endpoint's redirects are the fault server's only ones, so the
      // static host plays the issuer that moves.
      stage.answer(OIDC, { status: 302, headers: { Location: `${stage.api.elsewhere.origin}/` } });
      stage.answer(OAUTH, { status: 307, headers: { Location: `${stage.api.elsewhere.origin}/` } });
      stage.configure(stage.client({ issuer: stage.host.origin, metadata: undefined }));
      await beginSignIn(page, stage);
      assert.equal((await readFault(page)).code, "metadata.unavailable");
      assert.deepEqual(stage.api.elsewhere.log, []);
      const asked = stage.host.log.filter(({ path }) => path.startsWith("/.well-known/"));
      assert.deepEqual(new Set(asked.map(({ status }) => status)), new Set([302, 307]));
    },
  );

  scenario(
    "is not read further than one megabyte (CFG-13, F4)",
    { client: clientOf(), allow: [LOAD_FAILED] },
    async ({ page, stage }) => {
      const { fault } = stage;
      fault.documents = { [OIDC]: { body: metadataOf(fault, "", { padding: "x".repeat(1024 * 1024) }) } };
      await beginSignIn(page, stage);
      const { code, text } = await readFault(page);
      assert.equal(code, "metadata.unavailable");
      assert.match(text, /openid-configuration gave: the answer is longer than 1048576 octets/);
      assert.ok(!paths(fault).includes("/authorize"));
    },
  );

  scenario(
    "may be asked in vain for a while, and the person can cancel",
    { client: clientOf() },
    async ({ page, stage, context }) => {
      let letGo;
      const held = new Promise((resolve) => (letGo = resolve));
      await context.route(`${stage.fault.origin}${OIDC}`, async (route) => {
        await held;
        await route.abort().catch(() => {});
      });
      await beginSignIn(page, stage);
      await page.getByRole("button", { name: "Cancel" }).click();
      await page.getByRole("button", { name: "Cancel" }).waitFor({ state: "detached" });
      assert.ok(await signInButton(page).isEnabled());
      assert.equal(await page.getByRole("alert").count(), 0);
      assert.ok(!paths(stage.fault).includes("/authorize"));
      letGo();
    },
  );
});

describe("metadata", () => {
  /** Tries to sign in with such metadata; nobody may be sent anywhere. */
  async function signInVainly(page, stage, members) {
    const { fault } = stage;
    fault.documents = { [OIDC]: { body: metadataOf(fault, "", members) } };
    letIn(fault);
    await beginSignIn(page, stage);
    const panel = await readFault(page);
    assert.equal(page.url(), stage.url());
    assert.deepEqual(paths(fault), [OIDC], "neither the authorization endpoint nor the token endpoint was asked");
    return panel;
  }

  scenario(
    "of another issuer ends everything before anybody is sent there (CFG-7, A6)",
    { client: clientOf() },
    async ({ page, stage }) => {
      const { code, summary, text } = await signInVainly(page, stage, { issuer: `${stage.fault.origin}/INVALID` });
      assert.equal(code, "metadata.issuer_mismatch");
      assert.match(summary, /that of another issuer, so nothing of it is used/);
      assert.match(text, new RegExp(`Issuer in the metadata\\s+${stage.fault.origin}/INVALID`));
    },
  );

  scenario(
    "of an issuer that differs by a slash is that of another one (CFG-7)",
    { client: clientOf() },
    async ({ page, stage }) => {
      const { code } = await signInVainly(page, stage, { issuer: `${stage.fault.origin}/` });
      assert.equal(code, "metadata.issuer_mismatch");
    },
  );

  const WRONG = [
    ["authorization_endpoint", "javascript:globalThis.pwned=1"],
    ["authorization_endpoint", "data:text/html,x"],
    ["authorization_endpoint", "http://as.example/authorize"],
    ["token_endpoint", "http://as.example/token"],
    ["token_endpoint", "https://user:password@as.example/token"],
    ["token_endpoint", ["https://as.example/token"]],
    ["userinfo_endpoint", "ftp://as.example/"],
    ["code_challenge_methods_supported", "S256"],
  ];

  scenario(
    "with a wrong member is refused before anybody is sent anywhere (CFG-3, CFG-11)",
    { client: clientOf() },
    async ({ page, stage, witness }) => {
      for (const [name, value] of WRONG) {
        const { code, summary } = await signInVainly(page, stage, { [name]: value });
        assert.equal(code, "metadata.invalid_member", `${name} ${value}`);
        assert.ok(summary.includes(`${name} should be`), summary);
      }
      assert.equal(await page.evaluate(() => globalThis.pwned), undefined);
      assert.ok(!witness.requests.some(({ url }) => url.includes("as.example")));
    },
  );

  scenario("without a token endpoint says what is missing", { client: clientOf() }, async ({ page, stage }) => {
    const { code, summary } = await signInVainly(page, stage, { token_endpoint: undefined });
    assert.equal(code, "metadata.missing_member");
    assert.match(summary, /has no token_endpoint/);
  });

  scenario("that lists PKCE methods without S256 is refused (CFG-10, A4)", { client: clientOf() }, async ({ page, stage }) => {
    const { code, summary, text } = await signInVainly(page, stage, { code_challenge_methods_supported: ["plain"] });
    assert.equal(code, "metadata.pkce_unsupported");
    assert.match(summary, /does not support PKCE with S256/);
    assert.match(text, /Methods it lists\s+plain/);
  });

  scenario(
    "that lists no PKCE methods is accepted, S256 is sent, and the page says so (CFG-10)",
    { client: clientOf() },
    async ({ page, stage }) => {
      const { fault } = stage;
      fault.documents = { [OIDC]: { body: metadataOf(fault, "", { code_challenge_methods_supported: undefined }) } };
      letIn(fault);
      await page.goto(stage.url());
      await page.getByText("PKCE not announced; S256 is sent all the same").waitFor();
      await signInButton(page).click();
      await isSignedIn(page);
      const { query } = fault.log.find(({ path }) => path === "/authorize");
      assert.equal(new URLSearchParams(query).get("code_challenge_method"), "S256");
    },
  );

  scenario("may lack what is optional, and hold what nobody knows (CFG-11)", { client: clientOf() }, async ({ page, stage }) => {
    const { fault } = stage;
    fault.documents = { [OIDC]: { body: metadataOf(fault, "", { unheard_of: { nested: [1, null] }, frontchannel_logout_supported: "yes" }) } };
    letIn(fault);
    await beginSignIn(page, stage);
    await isSignedIn(page);
  });

  scenario(
    "is overridden member by member by the configuration, which is checked the same way (CFG-9)",
    { client: ({ fault }) => ({ ...clientOf()({ fault }), metadata: { token_endpoint: `${fault.origin}/token` } }) },
    async ({ page, stage }) => {
      const { fault } = stage;
      fault.documents = { [OIDC]: { body: metadataOf(fault, "", { token_endpoint: "https://wrong.example/token" }) } };
      letIn(fault);
      await beginSignIn(page, stage);
      await isSignedIn(page);
      assert.equal(stage.tokenRequests.length, 1);
    },
  );

  scenario(
    "may stand in the configuration altogether, and then nothing is asked for (CFG-9)",
    {
      client: ({ fault: { origin } }) => ({
        issuer: undefined,
        scope: "photos:read",
        metadata: { authorization_endpoint: `${origin}/authorize`, token_endpoint: `${origin}/token` },
      }),
    },
    async ({ page, stage }) => {
      letIn(stage.fault);
      await beginSignIn(page, stage);
      await isSignedIn(page);
      assert.deepEqual(paths(stage.fault), ["/authorize", "/token"]);
    },
  );
});

describe("a server that hands people on to another (mix-up)", () => {
  scenario("does not get the other's code (CB-6, CB-7, CFG-15, A5)", async ({ page, stage }) => {
    const { fault, authorizationServer } = stage;
    // It announces iss: one that does not may not share a redirect URI in the first place.
    const announcing = { authorization_response_iss_parameter_supported: true };
    fault.documents = { [OIDC]: { body: metadataOf(fault, "", announcing) } };
    // The person asks the evil server, which sends them to the honest one with the very same request.
    fault.authorize = (query) => `${authorizationServer.issuer}/auth?${query}`;
    stage.configure(stage.client({ name: "Honest" }), stage.client({ ...clientOf()(stage), name: "Evil" }));
    await page.goto(stage.url());
    await signInButton(page.getByRole("region", { name: "Evil", exact: true })).click();

    const { code, text } = await readFault(page);
    assert.equal(stage.authorizationRequests.length, 1, "the honest server answered");
    assert.equal(code, "callback.issuer_mismatch");
    assert.match(text, new RegExp(`Issuer expected\\s+${fault.origin}\\s`));
    assert.match(text, new RegExp(`Issuer received\\s+${authorizationServer.issuer}\\s`));
    assert.equal(stage.tokenRequests.length, 0);
    assert.ok(!authorizationServer.log.some(({ path }) => path === "/token"));
  });

  scenario("is not asked at all where its answers could be the other's (CFG-15, A5)", async ({ page, stage }) => {
    const { fault } = stage;
    fault.documents = { [OIDC]: { body: metadataOf(fault) } };
    letIn(fault);
    stage.configure(stage.client({ name: "Honest" }), stage.client({ ...clientOf()(stage), name: "Evil" }));
    await page.goto(stage.url());
    await signInButton(page.getByRole("region", { name: "Evil", exact: true })).click();
    const { code, text } = await readFault(page);
    assert.equal(code, "request.shared_redirect_uri");
    assert.match(text, /its own redirect_uri/);
    assert.ok(!paths(fault).includes("/authorize"));
  });

  scenario("does not get the other's code at a redirect URI of its own either (CFG-15, A5)", async ({ page, stage }) => {
    const { fault, authorizationServer } = stage;
    fault.documents = { [OIDC]: { body: metadataOf(fault) } };
    // The honest server knows its own redirect URI only, so the evil one must put that in.
    fault.authorize = (query) => {
      const request = new URLSearchParams(query);
      request.set("redirect_uri", stage.url("callback"));
      return `${authorizationServer.issuer}/auth?${request}`;
    };
    const evil = { ...clientOf()(stage), name: "Evil", redirect_uri: stage.url("callback/evil") };
    stage.configure(stage.client({ name: "Honest" }), stage.client(evil));
    await page.goto(stage.url());
    await signInButton(page.getByRole("region", { name: "Evil", exact: true })).click();
    const { code } = await readFault(page);
    assert.equal(stage.authorizationRequests.length, 1, "the honest server answered");
    assert.equal(code, "callback.wrong_redirect_uri");
    assert.equal(stage.tokenRequests.length, 0);
    assert.ok(!authorizationServer.log.some(({ path }) => path === "/token"));
  });
});

describe("a real server whose issuer has a path", () => {
  const onThatStage = setting({ authorizationServer: { issuerPath: "/tenant/a" }, needs: ANOTHER_ORIGIN });

  onThatStage("signs people in, and its tokens open the API (CFG-8)", async ({ page, stage }) => {
    await signIn(page, stage);
    assert.equal((await readApi(page)).status, "Status 200");
    assert.equal(stage.authorizationRequests.length, 1);
  });
});

describe("after the redirect", () => {
  scenario("the code is sent before config.json has arrived, and without asking for metadata", async ({ page, stage, context }) => {
    const answer = await withheldAnswer(page, stage);
    let deliver;
    const delivered = new Promise((resolve) => (deliver = resolve));
    await context.route(stage.url("config.json"), async (route) => {
      await delivered;
      await route.continue();
    });
    const asked = () => stage.authorizationServer.log.filter(({ path }) => path.includes("/.well-known/")).length;
    const before = asked();
    await page.goto(answer.href);
    await until("the code was sent and accepted", () => stage.tokenRequests[0]?.entry.status === 200);
    assert.equal(asked(), before);
    deliver();
    await isSignedIn(page);
    assert.equal((await readApi(page)).status, "Status 200");
    assert.equal(asked(), before, "the metadata of this tab was used again");
  });

  scenario(
    "metadata is taken from this tab's storage when the next sign-in begins",
    { stranger: true },
    async ({ page, stage }) => {
      const asked = () => stage.authorizationServer.log.filter(({ path }) => path.includes("/.well-known/")).length;
      await signIn(page, stage);
      await page.goto(stage.url());
      await page.getByText("PKCE with S256 announced").waitFor();
      await signInButton(page).click();
      await isSignedIn(page);
      assert.equal(asked(), 1);
    },
  );
});
