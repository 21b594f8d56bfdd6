// What a browser keeps of a visit, looked at from outside of the app.

/**
 * Everything that the browser keeps of the page's origin: both storages, cookies, databases, caches, and what the page
 * itself carries along (document, address, history, window name).
 */
export async function dump(page) {
  const kept = await page.evaluate(async () => ({
    session: { ...sessionStorage },
    local: { ...localStorage },
    databases: await indexedDB.databases(),
    caches: await caches.keys(),
    name: window.name,
    historyState: history.state,
    referrer: document.referrer,
    fields: [...document.querySelectorAll("input, textarea, select")].map(({ value }) => value),
    document: document.documentElement.outerHTML,
  }));
  return { ...kept, cookies: await page.context().cookies(), history: await historyOf(page) };
}

/** The addresses in the tab's history, oldest first. The page itself may not see them all. */
export async function historyOf(page) {
  const session = await page.context().newCDPSession(page);
  const { entries } = await session.send("Page.getNavigationHistory");
  await session.detach();
  return entries.map(({ url }) => url);
}

/** The names of what is in sessionStorage. */
export const storedNames = (page) => page.evaluate(() => Object.keys(sessionStorage).sort());

/** The names in sessionStorage of sign-ins that wait for their answers. */
export const pendingNames = async (page) => (await storedNames(page)).filter((name) => name.includes(" pending "));

/**
 * Reads, changes and writes back the records of one kind, as a script of the same origin could.
 *
 * @param {"pending" | "session" | "metadata"} kind
 * @param {(text: string) => string} change
 */
export async function poison(page, kind, change) {
  const records = await page.evaluate(() => Object.entries(sessionStorage));
  const poisoned = records.filter(([name]) => name.includes(` ${kind} `)).map(([name, text]) => [name, change(text)]);
  if (!poisoned.length) throw new Error(`There is no ${kind} record to poison.`);
  await page.evaluate((entries) => entries.forEach(([name, text]) => sessionStorage.setItem(name, text)), poisoned);
}

/** For `poison`: other values for some members of a record. */
export const withMembers = (members) => (text) => JSON.stringify({ ...JSON.parse(text), ...members });
