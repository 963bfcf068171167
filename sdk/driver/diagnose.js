/**
 * What this browser allows, tried at this moment, and what the client knows of itself, as one object.
 * Few pages ask: the npm face loads this when one does.
 *
 * Nothing that it tries stays behind, and nothing of it can throw: it is asked when things go wrong.
 */

/** @import { Allowed, Diagnosis, Known } from "./diagnosis.d.ts" */
/** @import { Door } from "./part.d.ts" */
/** @import { ErrorCode, Outcome, Status, StorageKind } from "./wire.d.ts" */
/** @typedef {Extract<Outcome, { kind: "diagnosis" }>["diagnosis"]} Told */

import { done } from "./vault.js";

/** How long any one thing may take: a database may hang, and a module may never come. */
const PATIENCE_MS = 2_000;

/**
 * @param {PromiseLike<Told> | Told} asked what the machine tells, or will
 * @param {Status} status the session in one word
 * @param {StorageKind} storage
 * @param {Door} door where the window of a sign-in stands
 * @returns {Promise<Diagnosis>}
 */
export async function diagnose(asked, status, storage, door) {
  /** @type {ErrorCode | undefined} */
  let error;
  const answer = Promise.resolve(asked).catch((refused) => {
    error = refused.code;
  });
  const [told, browser] = await Promise.all([within(answer), allowed()]);
  const client = told && known(told);
  const frameWorks = client?.came === "frame" || client?.noted.includes("sees");
  browser.frame = frameWorks ? "works" : "unknown";
  if ("opened" in door) browser.popup = door.opened ? "opened" : "blocked";
  return {
    version: VERSION,
    at: Math.floor(Date.now() / 1000),
    userAgent: navigator.userAgent,
    status,
    storage,
    browser,
    ...(client ? { client } : { error: error ?? "wasm_unavailable" }),
  };
}

/** A test holds it to the package's. */
const VERSION = "0.1.0";

/** What the numbers mean: the order is the machine's (`sdk/core/src/wire/diagnosis.rs`). */
const CAME = /** @type {const} */ (["no", "tab", "storage", "frame", "redirect", "click", "window"]);
const PARTS = /** @type {const} */ (["none", "waits", "leads", "alone"]);
const STREAM = /** @type {const} */ (["closed", "opening", "open", "retrying", "absent"]);
const NOTED = /** @type {const} */ (["recall", "frame", "redirect", "sees", "unseen"]);

/**
 * @param {Told} told
 * @returns {Known}
 */
const known = (told) => {
  const [came, part, stream, opened, stopped, heardMs, hasOffset, offsetMs, noted] =
    /** @type {number[]} */ (told);
  const errors = [];
  for (let at = 9; at < told.length; at += 2) {
    errors.push({ code: /** @type {ErrorCode} */ (told[at]), at: +told[at + 1] });
  }
  return {
    came: CAME[came],
    stopped: !!stopped,
    noted: NOTED.filter((_, at) => (noted >> at) & 1),
    part: PARTS[part],
    stream: {
      state: STREAM[stream],
      ...(heardMs && { confirmedAt: Math.floor(heardMs / 1000) }),
      reconnects: Math.max(0, opened - 1),
    },
    ...(hasOffset && { clockOffset: offsetMs / 1000 }),
    errors,
  };
};

/** @returns {Promise<Allowed>} */
const allowed = async () => {
  const [locks, channel, keyStorage, streams, ...checked] = await Promise.all([
    tried(hasLocks),
    tried(hasChannel),
    tried(keepsKeys),
    tried(hasStreams),
    ...ALGORITHMS.map((name) => tried(() => checks(name))),
  ]);
  return {
    secureContext: isSecureContext,
    webCrypto: !!globalThis.crypto?.subtle,
    algorithms: ALGORITHMS.filter((_, at) => checked[at]),
    locks,
    channel,
    sessionStorage: await tried(() => keeps(sessionStorage)),
    localStorage: await tried(() => keeps(localStorage)),
    keyStorage,
    streams,
    frame: "unknown",
    popup: "untried",
  };
};

/**
 * What a promise brings, if it does so in time.
 *
 * @template T
 * @param {Promise<T>} promise
 * @returns {Promise<T | undefined>}
 */
const within = (promise) =>
  Promise.race([promise, new Promise((resolve) => setTimeout(() => resolve(undefined), PATIENCE_MS))]);

/**
 * Whether something works: what throws, or takes too long, does not.
 *
 * @param {() => unknown} action
 */
const tried = async (action) => {
  try {
    return !!(await within(Promise.resolve(action())));
  } catch {
    return false;
  }
};

/** A name that nobody else uses. */
const fresh = () => `gatepass:probe:${crypto.getRandomValues(new Uint32Array(2)).join("")}`;

/** @param {Storage} area a blocked one throws when it is looked at, a full one when it is written */
const keeps = (area) => {
  const key = fresh();
  area.setItem(key, key);
  const kept = area.getItem(key) === key;
  area.removeItem(key);
  return kept;
};

const hasLocks = () => navigator.locks.request(fresh(), { ifAvailable: true }, (lock) => !!lock);

const hasChannel = () => {
  const name = fresh();
  const [from, to] = [new BroadcastChannel(name), new BroadcastChannel(name)];
  return within(
    new Promise((resolve) => {
      to.onmessage = () => resolve(true);
      from.postMessage("");
    }),
  ).finally(() => {
    from.close();
    to.close();
  });
};

const hasStreams = async () => {
  const reader = new Response("x").body?.getReader();
  return (await reader?.read())?.value?.length;
};

/** Some browsers have IndexedDB in private windows, but keep no keys in it. */
const keepsKeys = async () => {
  const name = fresh();
  const key = await crypto.subtle.generateKey({ name: "AES-GCM", length: 256 }, false, ["encrypt"]);
  const opening = indexedDB.open(name);
  opening.onupgradeneeded = () => opening.result.createObjectStore("keys");
  const database = await done(opening);
  try {
    const keys = database.transaction("keys", "readwrite").objectStore("keys");
    await done(keys.put(key, "key"));
    return (await done(keys.get("key"))) instanceof CryptoKey;
  } finally {
    database.close();
    indexedDB.deleteDatabase(name);
  }
};

/**
 * Whether WebCrypto checks signatures of an algorithm (RFC 7518 3.1, RFC 8037 3.1): whether it takes
 * a key for them.
 *
 * @param {string} name
 */
const checks = async (name) => {
  const { subtle } = crypto;
  if (name === "EdDSA") return subtle.generateKey({ name: "Ed25519" }, false, ["sign", "verify"]);
  const bits = name.slice(2);
  if (name.startsWith("ES")) {
    const curve = { name: "ECDSA", namedCurve: "P-" + (bits === "512" ? 521 : bits) };
    return subtle.generateKey(curve, false, ["sign", "verify"]);
  }
  // Making an RSA key takes long: this is the number of one that nobody has the other half of.
  const key = { kty: "RSA", n: "u".repeat(341) + "w", e: "AQAB" };
  const scheme = name.startsWith("PS") ? "RSA-PSS" : "RSASSA-PKCS1-v1_5";
  return subtle.importKey("jwk", key, { name: scheme, hash: "SHA-" + bits }, false, ["verify"]);
};

const ALGORITHMS = ["RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA"];
