// What the browser verifies, at a certified authorization server: signatures by every algorithm that it offers, keys that
// change, user info, pushed requests, bound tokens, and an API that wants more.

import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { after, describe } from "node:test";
import { ACR_VALUES, startAuthorizationServer } from "./servers/authorization_server.mjs";
import { TOP } from "./support/dist.mjs";
import { allow, apiResponse, heading, isSignedIn, logIn, navigationTo, readApi, readFault, sendRequest, signIn, signInButton, signOutButton } from "./support/person.mjs";
import { A_SERVERS_LOG, ANOTHER_ORIGIN, setting } from "./support/scenario.mjs";
import { until } from "./support/until.mjs";

const idToken = (page) => page.getByRole("region", { name: "ID token" });
const person = (page) => page.getByRole("region", { name: "Who is signed in" });

/** The server's client signs, asks or binds in another way. */
const everyClient = (members) => (configuration) => configuration.clients.forEach((client) => Object.assign(client, members));

describe("ID tokens", () => {
  for (const algorithm of ["RS256", "PS256", "ES256", "EdDSA"]) {
    const authorizationServer = { configure: everyClient({ id_token_signed_response_alg: algorithm }) };
    const scenario = setting({ familiar: true, needs: ANOTHER_ORIGIN, authorizationServer });

    scenario(`IDT-11, JOSE-1: verifies ${algorithm}, and shows each of its checks`, async ({ page, stage }) => {
      await page.goto(stage.url());
      await signInButton(page).click();
      await isSignedIn(page);
      const checks = await idToken(page).getByRole("listitem").allInnerTexts();
      assert.equal(checks.length, 17);
      assert.ok(checks.every((check) => !/ failed\./.test(check)), checks.join("\n"));
      const found = (title) => checks.find((check) => check.startsWith(title));
      assert.match(found("Signature"), /passed\./);
      assert.match(found("Algorithm"), new RegExp(`found ${algorithm}\\.`));
      assert.match(found("Issuer"), /OpenID Connect Core §3\.1\.3\.7 \(2\)/);
      assert.match(await person(page).innerText(), /sub\s+alice/);
    });
  }
});

describe("keys", () => {
  const scenario = setting({ familiar: true, needs: A_SERVERS_LOG });
  const asked = ({ authorizationServer: { log } }) => log.filter(({ path, method }) => path === "/jwks" && method === "GET");

  scenario("are asked for once, and not again for the next sign-in of the tab", async ({ page, stage }) => {
    await page.goto(stage.url());
    await signInButton(page).click();
    await isSignedIn(page);
    assert.equal(asked(stage).length, 1);
    await navigationTo(page, "Sign in").click();
    await signInButton(page).click();
    await isSignedIn(page);
    assert.equal(asked(stage).length, 1);
  });

  scenario("JOSE-13: that changed just before the ID token was signed are asked for once more", { stranger: true }, async ({ page, stage }) => {
    await page.goto(stage.url());
    await until("the page has the keys", () => asked(stage).length === 1);
    await stage.authorizationServer.rotateKeys();
    await signInButton(page).click();
    await logIn(page);
    await allow(page);
    await isSignedIn(page);
    assert.equal(asked(stage).length, 2);
    assert.match(await idToken(page).innerText(), /Signature passed\./);
  });
});

describe("user info", () => {
  const scenario = setting({ familiar: true, needs: ANOTHER_ORIGIN });

  scenario("RS-4: is asked for by a click, and shown beside the ID token's claims", async ({ page, stage }) => {
    await page.goto(stage.url());
    await signInButton(page).click();
    await isSignedIn(page);
    assert.doesNotMatch(await person(page).innerText(), /Alice Example/);
    await person(page).getByRole("button", { name: "Ask for user info" }).click();
    await person(page).getByText("Alice Example").waitFor();
    // It survives a reload as the session does.
    await page.reload();
    await person(page).getByText("Alice Example").waitFor();
  });
});

describe("signed user info", () => {
  const authorizationServer = {
    configure: (configuration) => {
      configuration.features.jwtUserinfo = { enabled: true };
      everyClient({ userinfo_signed_response_alg: "ES256" })(configuration);
    },
  };
  const scenario = setting({ familiar: true, needs: ANOTHER_ORIGIN, authorizationServer });

  scenario("RS-5: is verified and shown", async ({ page, stage }) => {
    await page.goto(stage.url());
    await signInButton(page).click();
    await isSignedIn(page);
    await person(page).getByRole("button", { name: "Ask for user info" }).click();
    await person(page).getByText("Alice Example").waitFor();
    const answer = stage.authorizationServer.log.findLast(({ path, method }) => path === "/me" && method === "GET");
    assert.match(answer.headers.accept, /application\/jwt/);
  });
});

describe("pushed authorization requests", () => {
  const authorizationServer = {
    configure: (configuration) => {
      configuration.features.pushedAuthorizationRequests = { enabled: true, requirePushedAuthorizationRequests: true };
    },
  };
  const scenario = setting({ familiar: true, needs: A_SERVERS_LOG, authorizationServer });

  scenario("AUT-11: are made where the server requires them, and nothing but a name goes into the address", async ({ page, stage }) => {
    await page.goto(stage.url());
    await signInButton(page).click();
    await isSignedIn(page);
    const [request] = stage.authorizationRequests;
    assert.deepEqual(Object.keys(request.parameters).sort(), ["client_id", "request_uri"]);
    const pushed = stage.authorizationServer.log.find(({ path, method }) => path === "/request" && method === "POST");
    const parameters = Object.fromEntries(new URLSearchParams(pushed.body));
    assert.equal(parameters.code_challenge_method, "S256");
    assert.ok(parameters.state && parameters.nonce);
    // A form post without further headers: nothing was asked beforehand.
    assert.ok(!stage.authorizationServer.log.some(({ path, method }) => path === "/request" && method === "OPTIONS"));
  });

  scenario("are shown before they are used, with how long the server keeps them", async ({ page, stage }) => {
    await page.goto(stage.url());
    await page.getByRole("button", { name: "Show the request" }).click();
    const request = page.getByRole("region", { name: "Authorization request" });
    assert.match(await request.innerText(), /request_uri/);
    assert.match(await request.innerText(), /The server has the request already, and keeps it for a minute or so/);
    await request.getByRole("link", { name: "Follow the link" }).click();
    await isSignedIn(page);
  });

  scenario(
    "AUT-11: that are refused send nobody anywhere, and the page says why",
    { client: () => ({ extra_parameters: { prompt: "none", login_hint: "" }, redirect_uri: undefined, client_id: "nobody" }), allow: [/40[01]/] },
    async ({ page, stage }) => {
      await page.goto(stage.url());
      await signInButton(page).click();
      const { code, text } = await readFault(page);
      assert.equal(code, "push.refused");
      assert.match(text, /invalid_client/);
      assert.equal(stage.authorizationRequests.length, 0);
    },
  );
});

describe("bound tokens", () => {
  const authorizationServer = {
    configure: (configuration) => {
      configuration.features.dPoP = { enabled: true, nonceSecret: Buffer.alloc(32, 7), requireNonce: () => true };
      everyClient({ dpop_bound_access_tokens: true })(configuration);
    },
  };
  const scenario = setting({ familiar: false, needs: A_SERVERS_LOG, authorizationServer, api: { nonces: true }, client: () => ({ dpop: true }) });

  scenario("DP-2, DP-3, DP-4, DP-6: are asked for, used with a proof each, and nonces are taken as they come", { allow: [/status of 40[01]/] }, async ({ page, stage }) => {
    await signIn(page, stage);
    assert.match(await page.getByRole("region", { name: "Access token" }).innerText(), /DPoP: it is of use only together/);
    const [request] = stage.authorizationRequests;
    assert.match(request.parameters.dpop_jkt, /^[\w-]{43}$/);
    // The first one has no nonce and is refused before the code is looked at; the second one has it.
    const posts = stage.authorizationServer.log.filter(({ path, method }) => path === "/token" && method === "POST");
    assert.deepEqual(posts.map(({ status }) => status), [400, 200]);
    assert.notEqual(posts[0].headers.dpop, posts[1].headers.dpop);

    const { status, body } = await readApi(page);
    assert.deepEqual([status, JSON.parse(body).photos.length], ["Status 200", 12]);
    await sendRequest(page);
    const calls = stage.apiRequests;
    assert.deepEqual(calls.map(({ status }) => status), [401, 200, 200]);
    assert.ok(calls.every(({ headers }) => headers.authorization.startsWith("DPoP ") && headers.dpop));
    assert.equal(new Set(calls.map(({ headers }) => headers.dpop)).size, 3);
  });

  scenario("DP-5, DP-7: survive a reload, and signing out deletes the key", { allow: [/status of 40[01]/] }, async ({ page, stage }) => {
    await signIn(page, stage);
    await page.reload();
    await isSignedIn(page);
    const { status } = await readApi(page);
    assert.equal(status, "Status 200");
    const keys = () =>
      page.evaluate(async () => {
        const open = indexedDB.open("leptos-pkce");
        await new Promise((resolve) => (open.onsuccess = resolve));
        const store = open.result.transaction("values").objectStore("values");
        const [names, values] = [store.getAllKeys(), store.getAll()];
        await new Promise((resolve) => (values.onsuccess = resolve));
        const exported = await Promise.all(
          values.result.map(({ privateKey }) => crypto.subtle.exportKey("jwk", privateKey).then(() => "exported", ({ name }) => name)),
        );
        open.result.close();
        return { names: names.result, exported };
      });
    const { names, exported } = await keys();
    assert.deepEqual([names.length, exported], [1, ["InvalidAccessError"]]);
    await page.getByRole("button", { name: "Sign out", exact: true }).click();
    await until("the key is gone", async () => (await keys()).names.length === 0);
  });
});

describe("bound tokens where the browser keeps no keys", () => {
  const authorizationServer = {
    configure: (configuration) => {
      configuration.features.dPoP = { enabled: true };
      everyClient({ dpop_bound_access_tokens: true })(configuration);
    },
  };
  const scenario = setting({ needs: A_SERVERS_LOG, authorizationServer, client: () => ({ dpop: true }) });

  scenario("DP-5, DP-6: the key lives as long as the page, and no code is bound to it", async ({ page, context, stage }) => {
    await context.addInitScript(() => {
      for (const name of ["put", "add"]) {
        IDBObjectStore.prototype[name] = () => {
          throw new DOMException("The object can not be cloned.", "DataCloneError");
        };
      }
    });
    await signIn(page, stage);
    const [{ parameters }] = stage.authorizationRequests;
    assert.equal(parameters.dpop_jkt, undefined);
    assert.match(await page.getByRole("region", { name: "Access token" }).innerText(), /DPoP: it is of use only together/);
    const { status } = await readApi(page);
    assert.equal(status, "Status 200");
    const [{ headers }] = stage.apiRequests;
    assert.match(headers.authorization, /^DPoP /);
    assert.ok(headers.dpop);
  });
});

describe("bound tokens at an API that hides its nonce", () => {
  const authorizationServer = {
    configure: (configuration) => {
      configuration.features.dPoP = { enabled: true };
      everyClient({ dpop_bound_access_tokens: true })(configuration);
    },
  };
  const api = { nonces: true, expose: ["WWW-Authenticate"] };
  const scenario = setting({ needs: A_SERVERS_LOG, authorizationServer, api, client: () => ({ dpop: true }) });

  scenario("DP-8: end in a sentence, not in a loop", { allow: [/401/] }, async ({ page, stage }) => {
    await signIn(page, stage);
    await navigationTo(page, "API").click();
    await page.getByRole("button", { name: "Send", exact: true }).click();
    const { code, text } = await readFault(page);
    assert.equal(code, "resource.nonce_hidden");
    assert.match(text, /Access-Control-Expose-Headers/);
    assert.equal(stage.apiRequests.length, 1);
  });
});

describe("an API that wants more", () => {
  const scenario = setting({ needs: ANOTHER_ORIGIN, client: (stage) => ({ resources: [{ name: "API", url: stage.api.origin }] }) });

  scenario("RS-9, IDT-9: is satisfied by one click, and the person is back where they were", { allow: [/401/] }, async ({ page, stage }) => {
    await signIn(page, stage);
    await navigationTo(page, "API").click();
    await page.getByRole("textbox", { name: "URL" }).or(page.getByRole("combobox", { name: "URL" })).fill(`${stage.api.origin}/safe`);
    await page.getByRole("button", { name: "Send", exact: true }).click();
    await page.getByRole("heading", { name: /the person must have signed in in one of these ways/ }).waitFor();
    await page.getByRole("button", { name: "Sign in as the API demands" }).click();
    await logIn(page);
    await heading(page, "API").waitFor();
    const [, request] = stage.authorizationRequests;
    assert.deepEqual([request.parameters.acr_values, request.parameters.max_age], [ACR_VALUES[1], "300"]);
    await page.getByRole("textbox", { name: "URL" }).or(page.getByRole("combobox", { name: "URL" })).fill(`${stage.api.origin}/safe`);
    const { status, body } = await sendRequest(page);
    assert.deepEqual([status, JSON.parse(body).safe], ["Status 200", "open"]);
  });
});

describe("two servers in one page", () => {
  let other;
  const scenario = setting({ needs: ANOTHER_ORIGIN });
  const origins = async (stage) => {
    // By another name of this machine: cookies are kept by name, whatever the port.
    other ??= await startAuthorizationServer({ redirectUris: [stage.url("callback")], host: "127.0.0.1" });
    return [other.origin];
  };
  after(() => other?.close());

  const SERVERS = [["Development server", "alice", (stage) => stage.authorizationServer], ["Other server", "bob", () => other]];
  const choose = (page, name) => page.getByRole("combobox", { name: "Authorization server" }).selectOption({ label: name });

  /** Alice at the first, bob at the second. */
  async function signInAtBoth(page, stage, look = () => {}) {
    stage.configure(
      stage.client({ resources: [{ name: "API", url: stage.api.origin }] }),
      stage.client({ name: "Other server", issuer: other.issuer, resources: [] }),
    );
    for (const [name, user] of SERVERS) {
      await page.goto(stage.url());
      await page.getByRole("region", { name }).getByRole("button", { name: "Sign in", exact: true }).click();
      await logIn(page, user);
      await allow(page);
      await isSignedIn(page);
      await look(name);
    }
  }

  scenario("CFG-15, A5: each with a session of its own, verified by its own keys", { origins }, async ({ page, stage }) => {
    const look = async (name) => {
      const [, user, server] = SERVERS.find(([known]) => known === name);
      assert.match(await idToken(page).innerText(), new RegExp(`Issuer \\(iss\\) passed\\. .*\\s+Expected ${server(stage).issuer}`));
      assert.match(await person(page).innerText(), new RegExp(`sub\\s+${user}`));
    };
    await signInAtBoth(page, stage, look);
    // Both are there at once, whichever is looked at.
    for (const [name, user] of SERVERS) {
      await choose(page, name);
      await person(page).getByText(user, { exact: true }).first().waitFor();
      await idToken(page).getByText(/^(Verified here|It was verified)/).waitFor();
    }
    // The end of one is not the end of the other.
    await signOutButton(page).click();
    await page.getByText("Nobody is signed in.").waitFor();
    await choose(page, "Development server");
    await person(page).getByText("alice", { exact: true }).first().waitFor();
  });

  scenario("CFG-15, RS-9: what an API demands is asked of the server whose token it got", { origins, allow: [/401/] }, async ({ page, stage }) => {
    await signInAtBoth(page, stage);
    await choose(page, "Development server");
    await navigationTo(page, "API").click();
    await page.getByLabel("URL", { exact: true }).fill(`${stage.api.origin}/safe`);
    await page.getByRole("button", { name: "Send", exact: true }).click();
    const demanded = page.getByRole("button", { name: "Sign in as the API demands" });
    await demanded.waitFor();

    // Meanwhile somebody looks at the other server.
    const visits = other.log.length;
    await choose(page, "Other server");
    await apiResponse(page).getByText("This call was made with the token of Development server.").waitFor();
    await demanded.click();
    await logIn(page);
    await heading(page, "API").waitFor();
    const { parameters } = stage.authorizationRequests.at(-1);
    assert.deepEqual([parameters.acr_values, parameters.max_age], [ACR_VALUES[1], "300"]);
    assert.deepEqual(other.log.slice(visits).filter(({ path }) => path.endsWith("/auth")), []);
    // Which of two sessions is looked at after a sign-in depends on whether config.json came before the tokens.
    await choose(page, "Development server");
    await page.getByLabel("URL", { exact: true }).fill(`${stage.api.origin}/safe`);
    assert.equal((await sendRequest(page)).status, "Status 200");
  });
});

describe("from an API's address", () => {
  const scenario = setting({ needs: ANOTHER_ORIGIN });

  scenario("to a sign-in at its authorization server: only a client ID is asked for", { allow: [/elsewhere/] }, async ({ page, stage }) => {
    stage.configure(stage.client({ name: "Elsewhere", issuer: `${stage.authorizationServer.issuer}/elsewhere` }));
    await page.goto(stage.url());
    await page.getByText("Start from an API").click();
    await page.getByRole("textbox", { name: "URL of the API" }).fill(stage.photos);
    await page.getByRole("button", { name: "Find its authorization server" }).click();
    const form = page.getByRole("form", { name: `Server ${stage.authorizationServer.issuer}` });
    assert.equal(await form.getByRole("textbox", { name: "Scope" }).inputValue(), "photos:read");
    assert.equal(await form.getByRole("textbox", { name: "Redirect URI" }).inputValue(), stage.url("callback"));
    await form.getByRole("button", { name: "Add this server" }).click();
    assert.match((await readFault(page, form)).text, /client identifier/);
    await form.getByRole("textbox", { name: "Client ID" }).fill("workbench");
    await form.getByRole("button", { name: "Add this server" }).click();

    await page.getByRole("region", { name: "localhost" }).getByRole("button", { name: "Sign in", exact: true }).click();
    await logIn(page);
    await allow(page);
    await isSignedIn(page);
    const [request] = stage.authorizationRequests;
    assert.equal(request.parameters.resource, stage.photos);
    const { status } = await readApi(page);
    assert.equal(status, "Status 200");
    // It is there until the tab ends, and it is nobody's configuration.
    await page.reload();
    await isSignedIn(page).catch(() => {});
    await navigationTo(page, "Sign in").click();
    await page.getByRole("region", { name: "localhost" }).waitFor();
  });

  scenario("that says nothing about itself, to a sentence", { allow: [/status of 40[14]/] }, async ({ page, stage }) => {
    await page.goto(stage.url());
    await page.getByText("Start from an API").click();
    await page.getByRole("textbox", { name: "URL of the API" }).fill(`${stage.api.origin}/silent`);
    await page.getByRole("button", { name: "Find its authorization server" }).click();
    const { code, text } = await readFault(page);
    assert.equal(code, "resource_metadata.unavailable");
    assert.match(text, /look up its authorization server in its documentation/);
    // Asked without a token, at its well-known place and then itself.
    assert.deepEqual(stage.apiRequests.map(({ path, headers }) => [path, headers.authorization]), [
      ["/.well-known/oauth-protected-resource/silent", undefined],
      ["/silent", undefined],
    ]);
  });
});

describe("known servers", () => {
  const scenario = setting({ needs: ANOTHER_ORIGIN });
  // The page looks for their metadata, in vain: no other machine can be asked here.
  const ask = { allow: [/^stranger: https:/, /ERR_/] };
  const ROWS = {
    "login.microsoftonline.com/common/v2.0": ["entra-common-issuer", "entra-client-type"],
    "login.microsoftonline.com/organizations/v2.0": ["entra-organizations-issuer", "entra-client-type"],
    "login.microsoftonline.com/consumers/v2.0": ["entra-consumers-issuer", "entra-client-type"],
    "accounts.google.com": ["google-client-secret", "google-sign-out"],
    "github.com": ["github-cors"],
    "appleid.apple.com": ["apple-form-post"],
    "example.eu.auth0.com/": ["auth0-trailing-slash", "auth0-sign-out"],
    "example.okta.com": ["okta-trusted-origins"],
    "id.example/realms/main": ["keycloak-web-origins"],
    "cognito-idp.eu-central-1.amazonaws.com/eu-central-1_pool": ["cognito-sign-out"],
  };

  scenario("are shown with what is known about them, and where it is known from: each row of the list", ask, async ({ page, stage }) => {
    const list = readFileSync(join(TOP, "src/protocol/quirks.rs"), "utf8");
    const rows = new Map([...list.matchAll(/id: "(.+)",[^]*?source: "(.+)",/g)].map(([, id, source]) => [id, source]));
    assert.deepEqual([...new Set(Object.values(ROWS).flat())].sort(), [...rows.keys()].sort());

    stage.configure(...Object.keys(ROWS).map((name) => stage.client({ name, issuer: `https://${name}` })), stage.client());
    await page.goto(stage.url());
    for (const [name, ids] of Object.entries(ROWS)) {
      const notes = page.getByRole("region", { name, exact: true }).locator("[data-quirk]");
      await notes.first().waitFor();
      assert.deepEqual(await notes.evaluateAll((notes) => notes.map((note) => note.dataset.quirk)), ids, name);
      for (const note of await notes.all()) {
        assert.match(await note.innerText(), /^Known about this server: .{20,}\. Source$/);
        const link = note.getByRole("link", { name: "Source" });
        assert.equal(await link.getAttribute("href"), rows.get(await note.getAttribute("data-quirk")));
      }
    }
    assert.match(await page.locator("[data-quirk=google-client-secret]").innerText(), /wants a client secret/);
    assert.equal(await page.getByRole("region", { name: "Development server" }).locator("[data-quirk]").count(), 0);
  });
});
