// Where a soak takes place: at a real server behind a bad network, or on the sandbox, which misbehaves by itself.
//
// Each ground is { name, stage, begin, hurdles, signIn, signInAgain, sendings, arrivals, close }: what fails while the tabs are
// at work, what interrupts all of them, and what became of each refresh token.

import { setTimeout as sleep } from "node:timers/promises";
import { digest } from "../servers/authorization_server.mjs";
import { allow, beginSignIn, isSignedIn, signIn, signInAgain } from "./person.mjs";
import { endWorker, startSandboxStage } from "./sandbox_stage.mjs";
import { lasting, renewals } from "./sessions.mjs";
import { startStage } from "./stage.mjs";

/** A certified server that rotates refresh tokens, ends a session for one that comes twice, and is restarted once. */
export async function atServer(token_storage) {
  const stage = await startStage(lasting({ token_storage, restore: true }));
  const { fault } = stage;
  return {
    name: "",
    stage,

    begin(soak) {
      Object.assign(fault, {
        mode: "drawn",
        pause: 1500,
        odds: { swallowed: 0.03, lost: 0.03, delayed: 0.1 },
        random: soak.random,
        // Codes are another matter: a sign-in whose answer is lost is for the person to repeat.
        isDrawn: (form) => form.get("grant_type") === "refresh_token",
      });
    },

    /** The one that comes once, and the one that comes again and again. */
    hurdles: (soak) => ({
      once: ["the server is restarted", "restarts", () => stage.authorizationServer.restart(3000)],
      often: [
        "offline",
        "times offline",
        async () => {
          await soak.context.setOffline(true);
          await sleep(1000 + soak.random() * 4000);
          await soak.context.setOffline(false);
        },
      ],
    }),

    signIn: (page) => signIn(page, stage),

    /** A tab of its own, where the server knows the person. */
    async signInAgain(page) {
      await beginSignIn(page, stage);
      await allow(page);
      await isSignedIn(page);
    },

    /** The requests that carried a refresh token, whether or not they reached the server. */
    sendings: (token) =>
      fault.tokenRequests
        .filter(({ body }) => carried(body) === token)
        .map(({ at, fate, status, cutByServerAt, closedByClientAt }) => ({
          at, isLost: fate === "lost" || Boolean(cutByServerAt), isLeft: Boolean(closedByClientAt),
          words: `${fate} ${status ?? (cutByServerAt ? "cut" : closedByClientAt ? "left" : "-")}`,
        })),

    /** The refresh tokens that reached the server: { presented, at, outcome }. */
    arrivals: () => renewals(stage),

    close: () => stage.close(),
  };
}

/** The sandbox, which has the same rules. It loses requests and answers by its switches, and its worker is ended. */
export async function onSandbox(token_storage) {
  const members = { scope: "openid offline_access photos:read", token_storage, restore: true };
  const stage = await startSandboxStage({ client: () => members });
  const carriers = () => stage.tokenRequests.filter(({ parameters }) => parameters.refresh_token).map(({ entry }) => entry);
  let operator;
  const misbehave = (...on) =>
    operator.evaluate((on) => fetch("/sandbox/switches", { method: "PUT", body: JSON.stringify({ on }) }), ["token-lifetime-short", ...on]);
  return {
    name: "on the sandbox: ",
    stage,

    async enter(context) {
      stage.reset();
      stage.observe(context);
      await stage.introduce(context);
      stage.answer("/operator.html", { body: "<!doctype html><title>Operator</title>" });
      operator = await context.newPage();
      await operator.goto(stage.url("operator.html"));
      await misbehave();
    },

    begin(soak) {
      const { random } = soak;
      const act = async () => {
        while (!soak.isOver) {
          await sleep(500 + random() * 1000);
          const lot = random();
          await misbehave(...(lot < 0.05 ? ["refresh-request-lost"] : lot < 0.1 ? ["refresh-answer-lost"] : []));
        }
        await misbehave();
      };
      return act();
    },

    hurdles: (soak) => {
      // Of a worker that is being started the browser does not always say that it has ended.
      const endSoon = () => Promise.race([endWorker(soak.context, operator), sleep(5000)]);
      const end = ["the worker is ended", "times the worker was ended", endSoon];
      return { once: end, often: end };
    },

    signIn: (page) => signInAgain(page, stage),

    signInAgain: (page) => signInAgain(page, stage),

    sendings: (token) =>
      carriers().filter(({ body }) => carried(body) === token).map(({ at, status, failure }) => ({
        at, isLost: Boolean(failure), isLeft: status === undefined && !failure, words: failure ?? status ?? "no answer",
      })),

    arrivals: () =>
      carriers().map(({ at, body, status }) => ({ presented: carried(body), at, outcome: status === 200 ? "tokens" : "none" })),

    close: () => stage.close(),
  };
}

/** The digest of the refresh token in a form. */
function carried(form) {
  const token = new URLSearchParams(form).get("refresh_token");
  return token && digest(token);
}
