// A browser behind ChromeDriver, for what Playwright switches off: the back/forward cache.
//
// Only what one person does in a few windows; each function is one command of WebDriver (W3C).

import { spawn } from "node:child_process";
import { createServer } from "node:net";
import { until } from "./until.mjs";

const { CHROMEDRIVER = "/usr/bin/chromedriver", CHROMIUM = process.env.CHROME_BIN ?? "/usr/bin/chromium" } = process.env;

const ELEMENT = "element-6066-11e4-a52e-4f735466cecf";

/** Starts driver and browser; nothing but this machine can be reached. */
export async function startWebDriver() {
  const port = await freePort();
  const driver = spawn(CHROMEDRIVER, [`--port=${port}`], { stdio: "ignore" });
  const ended = new Promise((resolve) => driver.once("exit", resolve));
  const ask = async (method, path, body) => {
    const response = await fetch(`http://127.0.0.1:${port}${path}`, {
      method, headers: { "Content-Type": "application/json" }, body: body && JSON.stringify(body),
    });
    const { value } = await response.json();
    if (!response.ok) throw new Error(`${method} ${path}: ${value.error}: ${value.message}`);
    return value;
  };
  const end = async () => {
    driver.kill();
    await ended;
  };
  try {
    await until("ChromeDriver is there", async () => (await ask("GET", "/status").catch(() => undefined))?.ready);
    const args = [
      "--headless=new", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run", "--disable-background-networking",
      "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE localhost, EXCLUDE 127.0.0.1",
      ...(process.getuid?.() === 0 ? ["--no-sandbox"] : []),
    ];
    const alwaysMatch = { browserName: "chrome", "goog:chromeOptions": { binary: CHROMIUM, args } };
    const { sessionId } = await ask("POST", "/session", { capabilities: { alwaysMatch } });
    const command = (method, path, body = method === "POST" ? {} : undefined) => ask(method, `/session/${sessionId}${path}`, body);
    const find = async (xpath) => {
      const found = await until(`there is ${xpath}`, async () => {
        const [first] = await command("POST", "/elements", { using: "xpath", value: xpath });
        return first?.[ELEMENT];
      });
      return found;
    };
    return {
      open: (url) => command("POST", "/url", { url }),
      url: () => command("GET", "/url"),
      back: () => command("POST", "/back"),
      run: (script, ...args) => command("POST", "/execute/sync", { script, args }),
      /** Runs a script in this window before each page's own. */
      beforeEachPage: (source) => command("POST", "/goog/cdp/execute", { cmd: "Page.addScriptToEvaluateOnNewDocument", params: { source } }),
      window: () => command("GET", "/window"),
      newWindow: async () => (await command("POST", "/window/new", { type: "tab" })).handle,
      /** Closes every window but the first. */
      closeOthers: async () => {
        const [first, ...others] = await command("GET", "/window/handles");
        for (const handle of others) {
          await command("POST", "/window", { handle });
          await command("DELETE", "/window");
        }
        await command("POST", "/window", { handle: first });
      },
      goTo: (handle) => command("POST", "/window", { handle }),
      /** Presses the button of this name. */
      press: async (name) => command("POST", `/element/${await find(`//button[normalize-space()=${JSON.stringify(name)}]`)}/click`),
      /** Writes into the field of this id. */
      fill: async (id, text) => command("POST", `/element/${await find(`//*[@id=${JSON.stringify(id)}]`)}/value`, { text }),
      /** Resolves once the page says this. */
      says: (words) => until(`the page says ${words}`, async () => (await command("POST", "/execute/sync", {
        script: "return document.body?.innerText ?? ''", args: [],
      })).includes(words)),
      close: async () => {
        await command("DELETE", "").catch(() => {});
        await end();
      },
    };
  } catch (error) {
    await end();
    throw error;
  }
}

function freePort() {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once("error", reject);
    server.listen(0, "127.0.0.1", () => {
      const { port } = server.address();
      server.close(() => resolve(port));
    });
  });
}
