/**
 * What is kept in `sessionStorage` and `localStorage` encrypted: AES-GCM under a key that no script
 * can read, in IndexedDB. Few pages need it: the npm face loads it when an app keeps its session.
 *
 * A script of this origin can have it opened, as this file does; whoever copies what is stored, and
 * not the key beside it, has nothing. Whatever fails (no IndexedDB, a key that it cannot hold or that
 * is gone, a full storage, garbled bytes) is `unavailable`.
 */

/** @import { Area } from "./wire.d.ts" */
/** @import { Part } from "./part.d.ts" */

import { failed } from "./loop.js";

/** @returns {Part} */
export function vault() {
  return {
    effects: {
      load_sealed: (_, { area, key: name, timeout_ms }) =>
        // A database may hang, and a start waits for this.
        Promise.race([
          open(area, name),
          new Promise((resolve) => setTimeout(() => resolve(failed("timeout")), timeout_ms)),
        ]),

      async save_sealed(_, { area, key: name, value }, { signal }) {
        const iv = crypto.getRandomValues(new Uint8Array(12));
        const key = await keyOf(name, true);
        const sealed = await crypto.subtle.encrypt(algorithm(iv, name), key, new TextEncoder().encode(value));
        const bytes = [...iv, ...new Uint8Array(sealed)];
        // What was cancelled meanwhile is over, and erased.
        if (signal.aborted) return;
        of(area).setItem(name, btoa(bytes.map((byte) => String.fromCharCode(byte)).join("")));
        return { kind: "done" };
      },
    },
  };
}

/**
 * @param {Area} area
 * @param {string} name
 * @returns {Promise<import("./part.d.ts").Reply>}
 */
const open = async (area, name) => {
  const sealed = of(area).getItem(name);
  if (!sealed) return { kind: "loaded" };
  const bytes = Uint8Array.from(atob(sealed), (c) => c.charCodeAt(0));
  const key = await keyOf(name, false);
  const text = await crypto.subtle.decrypt(algorithm(bytes.subarray(0, 12), name), key, bytes.subarray(12));
  return { kind: "loaded", value: new TextDecoder().decode(text) };
};

/**
 * The name is authenticated too: what is kept under one is not opened under another.
 *
 * @param {Uint8Array<ArrayBuffer>} iv
 * @param {string} name
 */
const algorithm = (iv, name) => ({ name: "AES-GCM", iv, additionalData: new TextEncoder().encode(name) });

/**
 * The key for what is kept under a name; `undefined`, which nothing can be opened with, if there is
 * none. Asked for each time: it may have been cleared under the page.
 *
 * @param {string} name
 * @param {boolean} make whether to make one
 * @returns {Promise<CryptoKey>}
 */
const keyOf = async (name, make) => {
  // Made before it is known whether it is needed: a transaction does not wait for it.
  const fresh = make && (await crypto.subtle.generateKey({ name: "AES-GCM", length: 256 }, false, ["encrypt", "decrypt"]));
  return withKeys(make ? "readwrite" : "readonly", async (keys) => {
    const known = await done(keys.get(name));
    // In the same transaction: another tab may be making one too.
    if (!known && fresh) await done(keys.put(fresh, name));
    return known ?? fresh;
  });
};

/**
 * Does something with all keys, in one transaction.
 *
 * @template T
 * @param {IDBTransactionMode} mode
 * @param {(keys: IDBObjectStore) => Promise<T>} use
 * @returns {Promise<T>}
 */
export const withKeys = async (mode, use) => {
  const opening = indexedDB.open("gatepass:1");
  opening.onupgradeneeded = () => opening.result.createObjectStore("keys");
  const database = await done(opening);
  try {
    return await use(database.transaction("keys", mode).objectStore("keys"));
  } finally {
    // An open database may keep a page out of the back/forward cache.
    database.close();
  }
};

/**
 * @template T
 * @param {IDBRequest<T>} request
 * @returns {Promise<T>}
 */
export const done = (request) =>
  new Promise((resolve, reject) => {
    request.onsuccess = () => resolve(request.result);
    request.onerror = () => reject(request.error);
  });

/** @param {Area} area */
const of = (area) => (area === "tab" ? sessionStorage : localStorage);
