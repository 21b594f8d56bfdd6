// What a person does and reads, in the words that are on the pages.

import { until } from "./until.mjs";

/** The heading of a page of the workbench. */
export const heading = (page, name) => page.getByRole("heading", { level: 1, name, exact: true });

export const signInButton = (page) => page.getByRole("button", { name: "Sign in", exact: true });

export const signOutButton = (page) => page.getByRole("button", { name: "Sign out", exact: true });

/** A link of the navigation. */
export const navigationTo = (page, name) =>
  page.getByRole("navigation", { name: "Pages" }).getByRole("link", { name, exact: true });

export const apiResponse = (page) => page.getByRole("region", { name: "API response" });

/** Opens the workbench and presses "Sign in". */
export async function beginSignIn(page, stage) {
  await page.goto(stage.url());
  await signInButton(page).click();
}

/** What a login page asks: for a name, or, at the sandbox, which of its people one is. */
export const loginField = (page, user = "alice") =>
  page.getByRole("textbox", { name: "User name" }).or(page.getByRole("radio", { name: user }));

/** Fills in the authorization server's login page. */
export async function logIn(page, user = "alice") {
  const field = loginField(page, user);
  if ((await field.getAttribute("type")) === "radio") {
    await field.check();
  } else {
    await field.fill(user);
    await page.getByRole("textbox", { name: "Password" }).fill("any");
  }
  await page.getByRole("button", { name: "Continue" }).click();
}

export const allow = (page) => page.getByRole("button", { name: "Allow", exact: true }).click();

/** From the workbench to the session page, by way of the authorization server. */
export async function signIn(page, stage, user) {
  await beginSignIn(page, stage);
  await logIn(page, user);
  await allow(page);
  await isSignedIn(page);
}

/** From the workbench to the session page, where the authorization server knows the person already. */
export async function signInAgain(page, stage) {
  await beginSignIn(page, stage);
  await isSignedIn(page);
}

/** Resolves once the session page shows a session. */
export async function isSignedIn(page) {
  await heading(page, "Session").waitFor();
  await signOutButton(page).waitFor();
}

/** Resolves once the page says that nobody is signed in. */
export async function isSignedOut(page) {
  await page.getByText("Signed out", { exact: true }).waitFor();
}

/** Goes to the API page, sends the request that stands there, and resolves with the answer as it is shown. */
export async function readApi(page, send = sendRequest) {
  await navigationTo(page, "API").click();
  await heading(page, "API").waitFor();
  return send(page);
}

/** Presses "Send" and resolves with what the page then shows: `{ status, body }`. */
export async function sendRequest(page) {
  await page.getByRole("button", { name: "Send", exact: true }).click();
  const response = apiResponse(page);
  const status = await response.getByText(/^Status \d+$/).innerText();
  return { status, body: await response.getByRole("group", { name: "Body" }).innerText() };
}

/** The same, and once more where the page had to leave for a new token first, as it may on a slow machine. */
export async function sendRequestPatiently(page) {
  const leaving = page.waitForEvent("framenavigated", { predicate: (frame) => frame === page.mainFrame() });
  const answer = sendRequest(page);
  const first = await Promise.race([answer, leaving.then(() => undefined, () => answer)]);
  answer.catch(() => {});
  return first ?? sendRequest(page);
}

/** Has the session page show the access token, and resolves with it. */
export async function revealToken(page) {
  const section = page.getByRole("region", { name: "Access token" });
  await section.getByRole("button", { name: "Show the access token" }).click();
  const token = await section.getByRole("code").first().innerText();
  await section.getByRole("button", { name: "Hide the access token" }).click();
  return token;
}

/** Says in the place of the explanations that they are on their way. */
export const fetchingExplanations = (panel) => panel.getByText("Fetching the explanations…");

/** Says in the place of the rest of the program that it is on its way; what explains anything is part of that. */
export const fetchingRest = (panel) => panel.getByText("Loading the rest of the workbench…");

/** Reads the fault panel as a person does, who waits until it says all that it will. */
export async function readFault(page, within = page) {
  const panel = within.getByRole("alert");
  await panel.waitFor();
  await fetchingRest(panel).waitFor({ state: "detached" });
  await fetchingExplanations(panel).waitFor({ state: "detached" });
  const summary = await panel.getByRole("heading", { level: 2 }).innerText();
  const text = await panel.innerText();
  const code = /Error code: (\S+)/.exec(text)?.[1];
  const side = /On the side of: (.*)/.exec(text)?.[1];
  return { panel, summary, code, side, text };
}

/**
 * Leaves the authorization server with its answer, without the workbench getting it: the callback's address answers
 * with "204 No Content" once, on which a browser stays where it is.
 *
 * @returns {Promise<URL>} the address with the answer, for the test to change, to keep, or to visit
 */
export async function interceptAnswer(stage, leave) {
  const { host } = stage;
  stage.answer("/callback", { status: 204 });
  const before = host.log.length;
  await leave();
  const entry = await until("the answer left the authorization server", () =>
    host.log.slice(before).find(({ path, query }) => path === `${host.base}callback` && query),
  );
  stage.answer("/callback");
  return new URL(`${host.origin}${entry.path}?${entry.query}`);
}

/** Signs in up to the point where the answer is on its way, and keeps it back; for people the server knows. */
export function withheldAnswer(page, stage) {
  return interceptAnswer(stage, () => beginSignIn(page, stage));
}

/** The address `url` with other parameters: a value sets one, null takes it away, an array makes it appear so often. */
export function changed(url, parameters) {
  const other = new URL(url);
  for (const [name, value] of Object.entries(parameters)) {
    other.searchParams.delete(name);
    for (const one of [value].flat()) if (one !== null) other.searchParams.append(name, one);
  }
  return other.href;
}
