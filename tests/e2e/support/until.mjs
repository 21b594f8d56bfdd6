// Waiting for something to become true, for what no locator can wait for: a server's log, say.

import { setTimeout as sleep } from "node:timers/promises";

/**
 * Asks again and again, and resolves with the first answer that is truthy.
 *
 * @template T
 * @param {string} what for the message, e.g. "the token request arrived"
 * @param {() => T | Promise<T>} question
 * @param {number} [patience] milliseconds
 * @returns {Promise<T>}
 */
export async function until(what, question, patience = 10_000) {
  const end = Date.now() + patience;
  for (;;) {
    const answer = await question();
    if (answer) return answer;
    if (Date.now() > end) throw new Error(`Waited ${patience} ms in vain until ${what}.`);
    await sleep(10);
  }
}
