/** One app at one provider: the machine behind functions, a session and its listeners. */

import { takeArrival } from "../../driver/arrival.js";
import { openDoor } from "../../driver/door.js";
import type { keeper } from "../../driver/keep.js";
import type { Door } from "../../driver/part.d.ts";
import type { Command, Outcome } from "../../driver/wire.d.ts";
import { join, openVault, type Send, tokenOf } from "./commands.js";
import { configOf, refuseMisshapen } from "./config.js";
import { errorOf, type GatepassError } from "./errors.js";
import { fetchWith } from "./fetch.js";
import { openMachine, type Source } from "./load.js";
import { sessionOf } from "./session.js";
import type { Client, Options, Session } from "./types.js";

export function makeClient<C>(options: Options, source: Source): Client<C> {
  refuseMisshapen(options);
  let session: Session<C> = { status: "restoring" };
  const listeners = new Set<() => void>();
  const door: Door = {};
  let keeping: Promise<ReturnType<typeof keeper> | undefined> | undefined;
  const change = (next: Session<C>) => {
    session = next;
    // First: the page may take away what is kept when it draws this.
    tellKeeper();
    for (const listener of [...listeners]) listener();
  };

  const tellKeeper = () => door.hear?.(session.status, session.subject, session.cause?.ending);
  const openKeeper = async () => {
    try {
      const { keeper } = await import("../../driver/keep.js");
      const keep = keeper(`${options.issuer}#${options.clientId}`, door);
      tellKeeper();
      return keep;
    } catch {
      // It could not be fetched: the next form asks for it again. Nobody is kept from signing in.
      keeping = undefined;
    }
  };

  const send = typeof document === "undefined" ? refuse : begin(options, source, door, change);
  const tell = async (command: Command) => void (await send(command));

  return {
    get state() {
      return session;
    },
    subscribe(listener) {
      const entry = () => {
        try {
          listener(session);
        } catch (error) {
          // For the page's error reporting; no other listener shall suffer from it.
          queueMicrotask(() => {
            throw error;
          });
        }
      };
      listeners.add(entry);
      entry();
      return () => void listeners.delete(entry);
    },
    signIn: async ({
      mode = "redirect",
      signal,
      returnTo,
      prompt,
      loginHint,
      acrValues,
      maxAge,
      uiLocales,
    } = {}) => {
      // Now, in the click itself.
      const shut = mode === "redirect" ? null : openDoor(door, signal);
      const command: Command = {
        kind: "sign_in",
        mode: shut || mode === "popup" ? "popup" : "redirect",
        return_to: returnTo ?? here(),
        prompt,
        login_hint: loginHint,
        acr_values: acrValues?.join(" "),
        max_age: maxAge,
        ui_locales: uiLocales?.join(" "),
      };
      await tell(command).finally(shut);
    },
    signOut: ({ scope = "global" } = {}) => tell({ kind: "sign_out", scope }),
    getToken: async ({ minTtl, resource, scope } = {}) =>
      // Without an origin to judge, a token comes or the command fails.
      tokenOf(await send({ kind: "get_token", min_ttl: minTtl, resource, scope })) as string,
    fetch: fetchWith(send),
    check: () => tell({ kind: "check_session" }),
    sessionExpiresIn: () => {
      const { expiresAt, clockOffset = 0 } = session;
      return expiresAt === undefined
        ? null
        : Math.max(0, Math.ceil(expiresAt - clockOffset - Date.now() / 1000));
    },
    extend: () => tell({ kind: "extend" }),
    keep: (name, what) => {
      // Now: what is typed while the rest is fetched is the person's.
      const begun = "elements" in what ? Array.from(what.elements, stateOf) : [what.read()];
      const kept = (keeping ??= openKeeper()).then((keep) => keep?.(name, what, begun));
      return () => void kept.then((stop) => stop?.());
    },
    diagnose: async () => {
      // Also when the module is what fails; but on a server there is nothing to look at.
      const told = send({ kind: "diagnose" });
      // Looked at below; until then it is nobody's fault.
      told.catch(() => {});
      if (typeof document === "undefined") await told;
      const { diagnose } = await import("../../driver/diagnose.js");
      const answer = told.then((outcome) => (outcome as Told).diagnosis);
      return diagnose(answer, session.status, options.storage ?? "memory", door);
    },
  };
}

type Told = Extract<Outcome, { kind: "diagnosis" }>;

/** What a person can change in a field. */
const stateOf = (element: Element) => {
  const field = element as HTMLInputElement & { selectedIndex: number };
  return [field, field.value, field.checked, field.selectedIndex];
};

/** Path, query and fragment of the page; on a server, where the command is refused, anything. */
const here = () =>
  typeof location === "undefined" ? "/" : location.pathname + location.search + location.hash;

/** On a server: there is no page that could be left or remembered. */
const refuse: Send = async () => {
  throw await errorOf({ code: "browser_required", blame: "application" });
};

/** How long a window may take to close. */
const CLOSING_MS = 1000;

/** Begins in the background; commands wait for it. */
function begin<C>(
  options: Options,
  source: Source,
  door: Door,
  change: (session: Session<C>) => void,
): Send {
  // Now, not when the module is there: a router must find the address clean.
  const { place, ...arrival } = takeArrival(options.issuer, options.clientId);
  if (place) import("../../driver/place.js").then(({ comeBack }) => comeBack(place)).catch(() => {});

  // Fetched beside the module: the start waits for what it keeps. That it failed is seen then.
  if (options.storage && options.storage !== "memory") openVault().catch(() => {});

  let started: Promise<Send> | undefined;
  const asked = options.onLoad || "hint";
  let onLoad = asked === "check" ? "auto" : asked;
  const start = async () => {
    try {
      const step = await openMachine(source, configOf(options));
      const resume: Command = { kind: "resume", ...arrival, on_load: arrival.on_load ?? onLoad };
      return join(step, resume, door, (next) => change(sessionOf(next)));
    } catch (error) {
      // The next command tries again, and does what the person wants then: leaving the page for a
      // check of its own would lose the click.
      started = undefined;
      onLoad = "manual";
      const { code, blame, evidence } = error as GatepassError;
      change({ status: "anonymous", error: { code, blame, evidence } });
      throw error;
    }
  };
  // Not caught: that the client cannot work at all is for the page's error reporting too.
  // A window that has reported closes in a moment: what it fetched would be fetched in vain. Where it
  // stays, the app works in it.
  started = arrival.on_load
    ? new Promise((go) => setTimeout(go, CLOSING_MS)).then(start)
    : start();

  return async (command) => (await (started ??= start()))(command);
}
