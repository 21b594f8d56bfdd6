// Eight tabs of one person on a bad network, for minutes: each calls the API by its page, again and again, while tabs are
// reloaded, duplicated and closed, requests are lost and late, the browser is offline now and then, and the server is
// restarted. What is asked is whether the person notices.

import { setTimeout as sleep } from "node:timers/promises";
import { digest } from "../servers/authorization_server.mjs";
import { launch } from "./chromium.mjs";
import { randomFrom } from "./random.mjs";
import { duplicate, quietRequests } from "./sessions.mjs";
import { atServer } from "./soak_grounds.mjs";

const TABS = 8;

/** How long a page may take to put right by itself what it shows, before it counts as shown: a round trip, mostly. */
const PATIENCE = 10_000;

/** How long a run may take to end. */
const TO_END = 60_000;

/** How long what the test did to the network may still be felt: an answer that had just left, a navigation that failed. */
const AFTERMATH = 1500;

/**
 * @param {object} options
 * @param {"shared" | "session"} options.token_storage
 * @param {number} options.seconds
 * @param {number} options.seed
 * @param {(line: string) => void} [options.print]
 * @param {typeof atServer} [options.where] one of the grounds
 */
export async function soak({ token_storage, seconds, seed, print = () => {}, where = atServer }) {
  const random = randomFrom(seed);
  const ground = await where(token_storage);
  const browser = await launch(false);
  try {
    return await new Soak({ token_storage, seconds, random, ground, print }).run(await browser.newContext());
  } finally {
    await browser.close();
    await ground.close();
  }
}

/** What a run must not show; sentences. `perMinute`: how many calls there must be at least. */
export function objections({ name, seconds, calls, failures, lost, presentedTwice }, perMinute) {
  const least = Math.floor((perMinute * seconds) / 60);
  return [
    calls < least && `${calls} API calls, fewer than ${least}`,
    ...failures.map((text) => `the person had to see: ${text}`),
    ...lost.map((text) => `a session was lost: ${text}`),
    ...presentedTwice.map((token) => `the refresh token ${token} was presented twice, and no answer was lost`),
  ]
    .filter(Boolean)
    .map((sentence) => `${name}: ${sentence}`);
}

/** A run in a few lines. */
export function summary(report) {
  const { name, seconds, calls, retried, pressedAgain, failures, lost, presentedTwice, answersLost, closedDuring, quiet, done, renewalsDone } = report;
  return [
    `${name}: ${seconds} s, ${calls} API calls, ${renewalsDone} renewals`,
    `  ${failures.length} failures seen, ${lost.length} sessions lost, ${presentedTwice.length} refresh tokens presented twice`,
    `  apart: ${answersLost} answers lost after a rotation, ${closedDuring} tabs gone during one; ${quiet} round trips without a form`,
    `  apart: ${retried} calls made once more because the network was away, ${pressedAgain} because the press did not arrive`,
    `  done to them: ${Object.entries(done).map(([what, count]) => `${count} ${what}`).join(", ")}`,
  ].join("\n");
}

class Soak {
  constructor({ token_storage, seconds, random, ground, print }) {
    Object.assign(this, { token_storage, seconds, random, ground, stage: ground.stage, print });
    this.tabs = [];
    this.count = 0;
    this.calls = 0;
    this.retried = 0;
    this.pressedAgain = 0;
    this.failures = [];
    this.lost = [];
    this.done = { reloads: 0, duplicates: 0, "closed tabs": 0 };
    /** When the network was away: { from, to }. */
    this.troubles = [];
    /** What is being done apart from the tabs: { what, since } of each. */
    this.doing = {};
  }

  async run(context) {
    this.context = context;
    context.setDefaultTimeout(PATIENCE);
    await this.ground.enter?.(context);
    const first = await context.newPage();
    await this.ground.signIn(first);
    this.adopt(first);
    while (this.tabs.length < TABS) await this.openAnother();

    this.began = Date.now();
    this.end = this.began + this.seconds * 1000;
    await Promise.race([this.everything(), this.deadline()]);
    if (this.error) throw this.error;
    return this.report();
  }

  async everything() {
    await Promise.all([this.ground.begin(this), this.mischief(), this.weather()]);
    await Promise.all(this.tabs.map(({ work }) => work));
    await Promise.all(this.leaving ?? []);
  }

  /** Says what is waited for, if that does not end. */
  async deadline() {
    await sleep(this.seconds * 1000 + TO_END, undefined, { ref: false });
    const of = (who, { what, since }) => `${who} ${what} since ${this.clock(since)} s`;
    const tabs = this.everyTab.filter(({ doing }) => doing).map(({ number, page, doing }) => of(`tab ${number}, at ${page.url()},`, doing));
    const rest = Object.entries(this.doing).map(([who, doing]) => of(who, doing));
    throw new Error(`The run does not end: ${[...tabs, ...rest].join("; ")}`);
  }

  get isOver() {
    return Date.now() >= this.end;
  }

  /** A time in seconds from the beginning. */
  clock(at = Date.now()) {
    return ((at - this.began) / 1000).toFixed(1);
  }

  log(tab, text) {
    this.print(`${this.clock().padStart(6)} s  tab ${tab?.number ?? "-"}  ${text}`);
  }

  // Tabs

  adopt(page, copyOf) {
    this.count += 1;
    const tab = { number: this.count, page, copyOf, openedAt: Date.now(), goneAt: [], presented: [], isClosing: false };
    page.on("request", (request) => {
      if (request.isNavigationRequest() && new URL(request.url()).searchParams.get("prompt") === "none") {
        this.log(tab, "asks for the session anew");
      }
      if (request.method() !== "POST") return;
      const token = new URLSearchParams(request.postData() ?? "").get("refresh_token");
      if (token) tab.presented.push({ token: digest(token), at: Date.now() });
    });
    page.on("requestfailed", (request) => {
      const { pathname } = new URL(request.url());
      if (!this.wasTroubled(Date.now())) this.log(tab, `${request.method()} ${pathname} fails: ${request.failure()?.errorText}`);
    });
    page.on("framenavigated", (frame) => {
      if (frame === page.mainFrame()) tab.goneAt.push(Date.now());
    });
    page.on("close", () => tab.goneAt.push(Date.now()));
    this.everyTab = [...(this.everyTab ?? []), tab];
    this.tabs.push(tab);
    tab.work = this.work(tab).catch((error) => {
      this.error ??= error;
      this.end = 0;
    });
    return tab;
  }

  async openAnother() {
    const from = this.tabs.filter(({ isClosing, page }) => !isClosing && page.url().startsWith(this.stage.url()));
    const isCopy = from.length > 0 && this.count > 3 && (this.token_storage === "session" || this.random() < 0.5);
    if (isCopy) {
      const { page, number } = from[Math.floor(this.random() * from.length)];
      this.done.duplicates += 1;
      return this.adopt(await duplicate(page, this.stage.url("api")), number);
    }
    const page = await this.context.newPage();
    if (this.token_storage === "session") {
      await this.ground.signInAgain(page);
    } else await page.goto(this.stage.url("api"));
    return this.adopt(page);
  }

  // What the person does in each tab

  async work(tab) {
    while (!this.began) await sleep(50);
    while (!this.isOver && !tab.isClosing) {
      try {
        await this.call(tab);
        tab.doing = undefined;
      } catch (error) {
        if (tab.isClosing || tab.page.isClosed()) return;
        if (!isInterruption(error)) throw error;
      }
      await sleep(50 + this.random() * 200);
    }
  }

  async call(tab) {
    const { page } = tab;
    const from = Date.now();
    tab.doing = { what: "gets ready", since: from };
    if (!(await this.isReady(tab))) return;
    tab.doing = { what: "sends", since: Date.now() };
    const { kind, text } = await this.press(tab);
    tab.doing = { what: "has an answer", since: Date.now() };
    if (tab.isClosing) return;
    if (kind === "status" && text === "Status 200") {
      this.calls += 1;
      return;
    }
    if (kind === "left") return;
    if (this.wasTroubled(from)) {
      this.retried += 1;
      if (!/offline/.test(text)) this.log(tab, `once more: ${text}`);
      await sleep(300);
      return;
    }
    // Whatever the page puts right by itself, by leaving for a moment, the person need not see.
    const gone = tab.goneAt.length;
    for (let waited = 0; waited < 3000; waited += 100) {
      await sleep(100);
      if (tab.isClosing || tab.goneAt.length > gone) return;
      if (kind === "signed out" && (await this.canSend(page))) return;
    }
    if (this.wasTroubled(from)) return;
    if (kind !== "signed out") {
      this.failures.push(`tab ${tab.number}, call at ${this.clock(from)} s: ${text}`);
      this.log(tab, `FAILURE ${this.failures.at(-1)}; ${this.lately(tab)}`);
    }
  }

  /** Presses "Send", and resolves with what the page then shows. */
  async press(tab, times = 1) {
    const { page } = tab;
    try {
      await page.evaluate(watchForOutcome, { patience: 35_000, toBePressed: 5000 });
      await page.getByRole("button", { name: "Send", exact: true }).click({ noWaitAfter: true });
      const outcome = await page.evaluate(() => globalThis.outcome);
      if (outcome?.kind === "not pressed" && times < 3) {
        this.pressedAgain += 1;
        this.log(tab, `presses again: ${outcome.text}`);
        return this.press(tab, times + 1);
      }
      // Another document knows of none.
      return outcome ?? { kind: "left" };
    } catch (error) {
      if (isInterruption(error)) return { kind: "left" };
      throw error;
    }
  }

  canSend(page) {
    return page.getByRole("button", { name: "Send", exact: true }).isVisible();
  }

  /** Whether the tab shows what a call takes; waits for it, and does what a person would who finds something else. */
  async isReady(tab) {
    const { page, stage = this.stage } = tab;
    if (await this.canSend(page)) return true;
    const from = Date.now();
    let isTold = false;
    while (Date.now() - from < PATIENCE) {
      if (tab.isClosing || this.isOver) return false;
      if (await this.canSend(page)) return true;
      if (page.url().startsWith("chrome-error:")) {
        if (!isTold) this.log(tab, "shows the browser's own page about the network");
        isTold = true;
        // The browser's own page about the network: people press "Reload".
        if (!this.isAway) await page.reload().catch(() => {});
      } else if (page.url() !== stage.url("api") && (await page.getByRole("button", { name: "Sign out", exact: true }).isVisible())) {
        await page.goto(stage.url("api"));
      }
      await sleep(100);
    }
    if (this.wasTroubled(from - PATIENCE)) {
      this.log(tab, `not ready, as the network was away: ${page.url()}`);
      this.retried += 1;
    } else {
      const shown = (await page.locator("main").innerText().catch(() => page.url())).slice(0, 200).replaceAll("\n", " ");
      this.lost.push(`tab ${tab.number} at ${new URL(page.url()).pathname}: ${shown}`);
      this.log(tab, `LOST ${shown}; ${this.lately(tab)}`);
    }
    await page.goto(stage.url("session"));
    await sleep(500);
    if (!(await page.getByRole("button", { name: "Sign out", exact: true }).isVisible())) {
      await this.ground.signInAgain(page);
    }
    await page.goto(stage.url("api"));
    return this.canSend(page);
  }

  // What is done to the tabs

  async mischief() {
    while (!this.isOver) {
      await sleep(600 + this.random() * 800);
      if (this.isAway) continue;
      const tab = this.tabs[Math.floor(this.random() * this.tabs.length)];
      const lot = this.random();
      this.doing.mischief = { what: `does ${lot.toFixed(2)} to tab ${tab.number}`, since: Date.now() };
      try {
        if (lot < 0.5) {
          this.done.reloads += 1;
          await tab.page.reload({ waitUntil: "commit" });
        } else if (lot < 0.8) {
          this.done["closed tabs"] += 1;
          tab.isClosing = true;
          this.tabs = this.tabs.filter((other) => other !== tab);
          await tab.page.close();
          this.leaving = [...(this.leaving ?? []), tab.work];
          await this.openAnother();
        }
      } catch (error) {
        if (!isInterruption(error)) throw error;
      }
      while (this.tabs.length < TABS && !this.isOver && !this.isAway) await this.openAnother().catch(() => sleep(200));
    }
  }

  async weather() {
    const { once, often } = this.ground.hurdles(this);
    const onceAt = this.began + (this.end - this.began) * 0.6;
    let isOnceDone = false;
    while (!this.isOver) {
      await sleep(6000 + this.random() * 8000);
      if (this.isOver) return;
      const isOnce = !isOnceDone && Date.now() > onceAt;
      isOnceDone ||= isOnce;
      const [what, plural, happen] = isOnce ? once : often;
      this.done[plural] = (this.done[plural] ?? 0) + 1;
      await this.away(what, happen);
    }
  }

  async away(what, during) {
    this.log(undefined, what);
    const trouble = { from: Date.now(), to: Infinity };
    this.troubles.push(trouble);
    this.isAway = true;
    this.doing.weather = { what, since: Date.now() };
    await during();
    trouble.to = Date.now() + AFTERMATH;
    this.isAway = false;
  }

  /** Whether the network was away at any time since `from`. */
  wasTroubled(from, to = Date.now()) {
    return this.troubles.some((trouble) => trouble.from <= to && trouble.to >= from);
  }

  /** What became of the tab's last renewals, for who reads the log. */
  lately({ presented }) {
    const fates = presented.slice(-3).map(({ token, at }) => {
      const what = this.ground.sendings(token).map(({ words }) => words);
      return `${this.clock(at)} s ${token} (${what.join(", ")})`;
    });
    return `lately ${fates.join("; ") || "no renewal"}`;
  }

  // What came of it

  report() {
    const { answersLost, closedDuring, presentedTwice } = this.presentations();
    const quiet = quietRequests(this.stage).length;
    const { token_storage, seconds, calls, retried, pressedAgain, failures, lost, done } = this;
    const name = `${this.ground.name}${token_storage}`;
    const renewalsDone = this.ground.arrivals().filter(({ outcome }) => outcome === "tokens").length;
    return { name, seconds, calls, retried, pressedAgain, failures, lost, presentedTwice, answersLost, closedDuring, quiet, done, renewalsDone };
  }

  /**
   * Refresh tokens that arrived at the server more than once: after an answer that was lost on its way, after a tab that
   * was gone before it could keep the answer, or for no such reason.
   */
  presentations() {
    const arrivals = new Map();
    for (const { presented, at } of this.ground.arrivals()) arrivals.set(presented, [...(arrivals.get(presented) ?? []), at]);
    const found = { answersLost: 0, closedDuring: 0, presentedTwice: [] };
    for (const [token, [first, second, ...more]] of arrivals) {
      if (!second) continue;
      // What became of the first answer on its way back.
      const { at, isLost, isLeft, words } = this.ground.sendings(token).findLast((entry) => entry.at <= first);
      const senders = this.everyTab.filter(({ presented }) => presented.some((one) => one.token === token));
      // A moment more, as events of several processes arrive here in no certain order.
      const isSenderGone = senders.some(({ goneAt }) => goneAt.some((gone) => gone >= at - 500 && gone <= second));
      if (isLost || this.wasTroubled(at, Math.min(second, at + 5000))) found.answersLost += 1;
      else if (isLeft || isSenderGone) found.closedDuring += 1;
      else {
        found.presentedTwice.push(`${token} at ${this.clock(first)} s (${words}) and ${this.clock(second)} s: ${this.story(token)}`);
      }
      if (more.length > 0) found.presentedTwice.push(`${token} (${more.length + 2} times): ${this.story(token)}`);
    }
    return found;
  }

  /** What is known of a refresh token, in the order of time. */
  story(token) {
    const senders = this.everyTab.filter(({ presented }) => presented.some((one) => one.token === token));
    const events = [
      ...senders.flatMap(({ number, presented }) =>
        presented.filter((one) => one.token === token).map(({ at }) => ({ at, what: `sent by tab ${number}` })),
      ),
      ...senders.flatMap(({ number, goneAt }) => goneAt.map((at) => ({ at, what: `tab ${number} goes` }))),
      ...senders.map(({ number, openedAt, copyOf }) => ({ at: openedAt, what: `tab ${number} opens${copyOf ? `, a copy of tab ${copyOf}` : ""}` })),
      ...this.ground.arrivals().filter(({ presented }) => presented === token).map(({ at, outcome }) => ({ at, what: `arrives: ${outcome}` })),
      ...this.ground.sendings(token).map(({ at, words }) => ({ at, what: words })),
    ];
    return events.sort((a, b) => a.at - b.at).map(({ at, what }) => `${this.clock(at)} s ${what}`).join("; ");
  }
}

/** Notes in the page what it shows next in answer to a call: `{ kind, text }`. */
function watchForOutcome({ patience, toBePressed }) {
  const before = new Set(document.querySelectorAll(".status, [role=alert]"));
  const look = () => {
    const shown = [...document.querySelectorAll("[aria-label='API response'] .status, [role=alert]")].find((node) => !before.has(node));
    if (shown?.matches("[role=alert]")) {
      return { kind: "alert", text: `${shown.querySelector("h2")?.innerText} ${/Error code: \S+/.exec(shown.innerText)}` };
    }
    if (shown) return { kind: "status", text: shown.querySelector("strong").innerText };
    const isSignedOut = document.querySelector("main")?.innerText.includes("Nobody is signed in");
    return isSignedOut ? { kind: "signed out", text: "Nobody is signed in" } : undefined;
  };
  globalThis.outcome = new Promise((resolve) => {
    const end = (outcome) => {
      observer.disconnect();
      clearTimeout(timer);
      clearTimeout(early);
      listening.abort();
      resolve(outcome);
    };
    const observer = new MutationObserver(() => {
      const outcome = look();
      if (outcome) end(outcome);
    });
    observer.observe(document.body, { childList: true, subtree: true, characterData: true });
    // A press may be lost on its way from the test to the page: then people press again.
    const events = [];
    const listening = new AbortController();
    const { signal } = listening;
    const note = ({ type, target }) => events.push(`${type} at ${target.localName ?? "the document"}`);
    for (const type of ["pointerdown", "pointerup", "click", "submit"]) document.addEventListener(type, note, { capture: true, signal });
    const isPressed = () => events.some((event) => event.startsWith("submit"));
    const words = () => document.querySelector("main")?.innerText.slice(-200).replaceAll("\n", " ");
    const early = setTimeout(() => isPressed() || end({ kind: "not pressed", text: `seen: ${events.join(", ")}` }), toBePressed);
    const timer = setTimeout(() => end({ kind: "nothing", text: `no answer: ${words()}` }), patience);
  });
}

/** Whether the page was reloaded, closed or left meanwhile. */
function isInterruption({ message }) {
  return /Execution context was destroyed|Target (page|closed)|has been closed|navigat|interrupted|ERR_ABORTED|ERR_|Timeout|detached|Frame was detached|crashed/i.test(message);
}
