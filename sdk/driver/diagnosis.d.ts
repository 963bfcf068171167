// What `diagnose` tells: the same object in both faces.

import type { Came, ErrorCode, Noted, Part, Status, StorageKind, StreamState } from "./wire.d.ts";

/**
 * How a client fares in this browser. It may be copied into a report: it holds no token, no code and
 * nothing that names the person.
 */
export interface Diagnosis {
  /** The version of the package. */
  version: string;
  /** When it was made, in Unix seconds by this machine's clock. */
  at: number;
  /** What the browser says it is. */
  userAgent: string;
  /** The session in one word. */
  status: Status;
  /** Where the app wants its session kept. */
  storage: StorageKind;
  /** What this browser allows here, each tried just now. */
  browser: Allowed;
  /** What the client knows of itself; absent if its WebAssembly did not answer. */
  client?: Known;
  /** Why it did not. */
  error?: ErrorCode;
}

/** What a browser allows at one origin. */
export interface Allowed {
  /** Https, or this machine: without it there is no WebCrypto and there are no Web Locks. */
  secureContext: boolean;
  /** WebCrypto. */
  webCrypto: boolean;
  /** The signature algorithms that WebCrypto checks here, by JOSE's names. */
  algorithms: string[];
  /** Web Locks: which tab leads. */
  locks: boolean;
  /** BroadcastChannel: what the tabs tell each other. */
  channel: boolean;
  /** Something written to `sessionStorage` was read again: without it no redirect finds back. */
  sessionStorage: boolean;
  /** The same for `localStorage`. */
  localStorage: boolean;
  /** IndexedDB holds a key that no script can read: what `storage` needs. */
  keyStorage: boolean;
  /** A response can be read while it comes: what session events need. */
  streams: boolean;
  /**
   * Whether a hidden frame sees the provider's cookie: `works` if one brought this page's session, or
   * has seen it before in this browser, else it is not known.
   */
  frame: "works" | "unknown";
  /** What became of the last window that this page opened to sign in. */
  popup: "untried" | "opened" | "blocked";
}

/** What a client knows of itself. */
export interface Known {
  /** How the session came to this page: which rung of the start, or a click. */
  came: Came;
  /** Nothing is asked by itself until the person clicks: after a sign-out, or a refusal. */
  stopped: boolean;
  /**
   * What this browser has shown of the ways to a session: what has failed is not tried again until one
   * was reached.
   */
  noted: Noted[];
  /** This tab's part among the tabs of its origin. */
  part: Part;
  /** Session events. */
  stream: StreamHealth;
  /** How many seconds the provider's clock is ahead; absent while it has not said its time. */
  clockOffset?: number;
  /** What was refused last in this page, ten at most, the latest at the end. */
  errors: { code: ErrorCode; at: number }[];
}

/** How the event stream of this tab fares. */
export interface StreamHealth {
  /** Where it stands. */
  state: StreamState;
  /** When it last said that the session stands, in Unix seconds by this machine's clock. */
  confirmedAt?: number;
  /** How often it was opened again in this page. */
  reconnects: number;
}
