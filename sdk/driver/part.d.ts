// What the driver's parts and its loop agree on.

import type { Answer, Effect, Fact, OnLoad } from "./wire.d.ts";

/** Puts a fact into the loop's queue; `bytes` is a body or a chunk. */
export type Emit = (fact: Fact, bytes?: Uint8Array) => void;

/** What an effect came to: an answer, with the body's bytes if it has one. */
export type Reply = Answer & { bytes?: Uint8Array };

/**
 * Carries out effects of one kind.
 *
 * What it returns is the answer, and the effect is over. A lasting effect (a stream, a lock) emits
 * its answer and its signals itself and returns nothing when it is over. Whatever it throws is
 * answered as `failed`, `unavailable`. `abort` is aborted when the effect is cancelled: nothing
 * that is emitted afterwards is heard.
 */
export type Perform<E> = (
  id: number,
  effect: E,
  abort: AbortController,
) => Reply | void | Promise<Reply | void>;

/** One web API: the effects it carries out and the signals it emits. */
export interface Part {
  effects?: { [K in Effect["kind"]]?: Perform<Extract<Effect, { kind: K }>> };
  /** Emit `wake` at this point of `performance.now()`; replaces the last. */
  wakeAt?: (monotonicMs: number) => void;
  /** Let go of everything that the page would otherwise keep. */
  close?: () => void;
}

/** Makes a part that emits its signals by `emit`. */
export type PartMaker = (emit: Emit) => Part;

/** The portable verifier's module (`sdk/verifier/src/module.rs`): texts are UTF-8. */
export interface Verifier {
  /** 1 right, 0 wrong, 2 unusable key, 3 unknown algorithm. */
  verify: (algorithm: Uint8Array, key: Uint8Array, input: Uint8Array, signature: Uint8Array) => number;
  /** The hash; empty if it is unknown. */
  digest: (algorithm: Uint8Array, bytes: Uint8Array) => Uint8Array;
}

/** The machine's door as text: a fact as JSON in, a JSON array of orders out. */
export type Step = (
  wallMs: number,
  monotonicMs: number,
  entropy: Uint8Array,
  fact: string,
  bytes: Uint8Array,
) => string;

/** The loop between a machine and the browser. */
export interface Loop {
  /** Queues a fact: a command of the application. */
  tell: Emit;
  /** Cancels every effect, closes every part and hears nothing any more. */
  close: () => void;
}

/** What a client's lazily loaded files and its first ones tell each other: the window of a sign-in while it is open, and what is kept. */
export interface Door {
  opened?: Window | null;
  /** Aborted when the app gives the sign-in up. */
  given_up?: AbortSignal;
  /** Puts away what the page wants kept: the page is left when that is done. */
  leaving?: () => Promise<unknown>;
  /** Hears of each change of the session before the page does. */
  hear?: (status: string, subject?: string, ending?: string) => unknown;
}

/** How a page began: what it adds to `resume`. */
export interface Arrival {
  /** The address that the provider sent the browser back to. */
  callback?: string;
  /** In a window that has only to report, nothing begins. */
  on_load?: OnLoad;
  /** Path, query and fragment of the page, without the provider's answer. */
  here: string;
  /** How far it was scrolled when it was left, if it comes back to the same address. */
  place?: [x: number, y: number];
}
