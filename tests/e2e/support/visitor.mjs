// A person at a browser, and a witness beside them: whatever a page should never do without the person noticing is
// noted here, and ends the test if the test did not say that it would happen.

/** What Chromium itself prints when a request fails, as it must where a test makes it fail. */
export const LOAD_FAILED = /^error: Failed to load resource: /;

/** What Chromium prints when an answer, or a redirect, may not be read by the page. */
export const BLOCKED_BY_CORS = /^error: Access to fetch at .* has been blocked by CORS policy/;

/** Trunk writes integrity attributes that Chromium does not read; start.js checks the same values. */
const ALWAYS = [/^warning: The `integrity` attribute is currently ignored for preload destinations/];

/**
 * @param {import("playwright-core").BrowserContext} context
 * @param {object} options
 * @param {string[]} options.origins the only ones that may be asked for anything
 * @param {RegExp[]} [options.allow] incidents that belong to this test
 */
export async function watch(context, { origins, allow = [] }) {
  /** What happened and should not have; each a line that begins with its kind. */
  const incidents = [];
  /** Everything that any page printed. */
  const printed = [];
  /** Every request that left a page, navigations included. */
  const requests = [];

  context.on("console", (message) => {
    const line = `${message.type()}: ${message.text()}`;
    printed.push(line);
    if (["error", "warning", "assert"].includes(message.type())) incidents.push(`${line} (${message.location().url})`);
  });
  context.on("weberror", (error) => incidents.push(`uncaught: ${error.error()}`));
  context.on("request", (request) => {
    const url = request.url();
    requests.push({ url, method: request.method(), isNavigation: request.isNavigationRequest() });
    if (/^https?:/.test(url) && !origins.includes(new URL(url).origin)) incidents.push(`stranger: ${url}`);
  });
  await context.exposeBinding("noteViolation", (_source, text) => incidents.push(`violation: ${text}`));
  await context.addInitScript(() => {
    addEventListener("securitypolicyviolation", ({ effectiveDirective, blockedURI, sourceFile, sample }) => {
      globalThis.noteViolation(`${effectiveDirective} blocked ${blockedURI} (${sourceFile} ${sample})`);
    });
  });

  return {
    incidents,
    printed,
    requests,

    /** Throws if anything happened that the test did not announce. */
    testify: async () => {
      // One round trip, so that what a page was about to report has been reported.
      await Promise.all(context.pages().map((page) => page.evaluate(() => 0).catch(() => {})));
      const expected = [...ALWAYS, ...allow];
      const unexpected = incidents.filter((incident) => !expected.some((pattern) => pattern.test(incident)));
      if (unexpected.length) throw new Error(`The page did what no test expects:\n  ${unexpected.join("\n  ")}`);
    },
  };
}
