/** Commands to the machine, and what comes of them. */

import { channel } from "../../driver/channel.js";
import { cryptoWith } from "../../driver/crypto.js";
import { http } from "../../driver/http.js";
import { locks } from "../../driver/locks.js";
import { createLoop, failed } from "../../driver/loop.js";
import { navigationWith } from "../../driver/navigation.js";
import { page } from "../../driver/page.js";
import type { Door, Part, PartMaker, Step } from "../../driver/part.d.ts";
import { storage } from "../../driver/storage.js";
import { stream } from "../../driver/stream.js";
import { timer } from "../../driver/timer.js";
import type { Command, Outcome, Session } from "../../driver/wire.d.ts";
import { errorOf, refusalOf } from "./errors.js";

/** Loaded when it is needed. */
const frame: PartMaker = () => ({
  effects: {
    open_frame: async (id, asked, context) => {
      // The start may be waiting: loading counts as well.
      const until = performance.now() + asked.timeout_ms;
      const late = new Promise<undefined>((resolve) => setTimeout(resolve, asked.timeout_ms));
      const loaded = import("../../driver/frame.js").catch(() => undefined);
      const part = (await Promise.race([loaded, late]))?.frame();
      // That says nothing about frames.
      if (!part) return failed("cancelled");
      const timeout_ms = until - performance.now();
      return part.effects?.open_frame?.(id, { ...asked, timeout_ms }, context);
    },
  },
});

/** Likewise, for providers that have a frame and no stream. */
const watch: PartMaker = (emit) => ({
  effects: {
    watch_session: async (...given) =>
      (await import("../../driver/watch.js")).watch(emit).effects?.watch_session?.(...given),
  },
});

/** Likewise, for apps that keep their session. */
const vault: PartMaker = () => ({
  effects: {
    load_sealed: async (...given) => (await openVault()).load_sealed?.(...given),
    save_sealed: async (...given) => (await openVault()).save_sealed?.(...given),
  },
});
export const openVault = async () => (await import("../../driver/vault.js")).vault().effects ?? {};

/** Likewise what stands in for Web Locks, once for a client. */
const leases: PartMaker = (emit) => {
  if (navigator.locks) return {};
  let part: Promise<Part["effects"]> | undefined;
  const open = async () =>
    (part ??= import("../../driver/lease.js").then(({ lease }) => lease(emit).effects));
  return {
    effects: {
      take_lock: async (...given) => (await open())?.take_lock?.(...given),
      drop_lock: async (...given) => (await open())?.drop_lock?.(...given),
    },
  };
};

/** Likewise, with the window that the click opened. */
const popupOf = (door: Door): PartMaker => (emit) => ({
  effects: {
    open_popup: async (...given) =>
      (await import("../../driver/popup.js")).popup(door)(emit).effects?.open_popup?.(...given),
  },
});

/** Likewise what stands in for WebCrypto. */
const crypto = cryptoWith(async () => (await import("./verifier.js")).openVerifier());

/** Sends a command to the machine; rejects with what the machine refuses. */
export type Send = (command: Command) => Promise<Outcome>;

/** Joins a machine to the page, begins with `resume`, and hears of every change of the session. */
export function join(
  step: Step,
  resume: Command,
  door: Door,
  onSession: (session: Session) => void,
): Send {
  const pending = new Map<number, (outcome: Outcome) => void>();
  let last = 0;

  const settle = (id: number, outcome: Outcome) => {
    pending.get(id)?.(outcome);
    pending.delete(id);
  };
  // A command that the machine cannot take would otherwise never be over.
  const refuse = (id: number) =>
    settle(id, { kind: "failed", error: { code: "request_invalid", blame: "application" } });

  const { tell } = createLoop(
    [
      http,
      stream,
      crypto,
      storage,
      vault,
      // Before `page`: what that tells when the page is left changes how far it is scrolled.
      navigationWith(door),
      frame,
      watch,
      popupOf(door),
      channel,
      locks,
      leases,
      timer,
      page,
    ],
    (wallMs, monotonicMs, entropy, fact, bytes) => {
      try {
        const orders = step(wallMs, monotonicMs, entropy, fact, bytes);
        if (orders) return orders;
      } catch (error) {
        // A trap, after which no step gets in: nothing that is pending will be completed.
        for (const id of pending.keys()) refuse(id);
        throw error;
      }
      refuse((JSON.parse(fact) as { id: number }).id);
      return "[]";
    },
    (order) => {
      if (order.kind === "completed") settle(order.command, order.outcome);
      if (order.kind === "session") onSession(order.session);
    },
  );
  // Nobody waits for its outcome: the first change of the session tells it.
  tell({ kind: "command", id: last, command: resume });

  return async (command) => {
    const id = ++last;
    const outcome = await new Promise<Outcome>((resolve) => {
      pending.set(id, resolve);
      tell({ kind: "command", id, command });
    });
    if (outcome.kind === "failed") throw await errorOf(refusalOf(outcome.error));
    return outcome;
  };
}

/** The access token that a `get_token` brought; none if the origin may not have one. */
export function tokenOf(outcome: Outcome): string | undefined {
  return outcome.kind === "token" ? outcome.access_token : undefined;
}
