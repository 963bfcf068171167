/** The address that a page is loaded with. */

/** @import { Arrival } from "./part.d.ts" */

/**
 * Takes the provider's answer out of the address: before a router reads the address and before a
 * later script could read the code.
 *
 * An answer is an address whose `state` this tab asked for, or whose `iss` (RFC 9207) is the issuer:
 * that one is for the machine to refuse, but its code must not stay where people copy it from. Any
 * other address is the app's own, also with a `code` and a `state`, and the answer to another client of
 * this page stays where that one looks for it.
 *
 * An answer to a sign-in in a window of its own is told to the page that opened it, by the channel
 * that `state` names, and the window closes. `opener` would be lost where either side has
 * Cross-Origin-Opener-Policy.
 *
 * It never throws. The second call in a page finds the address clean.
 *
 * @param {string} issuer
 * @param {string} clientId
 * @returns {Arrival}
 */
export function takeArrival(issuer, clientId) {
  let callback, place;
  /** @type {"manual" | undefined} */
  let on_load;
  try {
    const { href, origin, pathname, search } = location;
    const query = new URLSearchParams(search);
    const state = query.get("state");
    const popup = state?.startsWith("gatepass-popup-");
    const known = state && stored("attempt:" + state);
    const ours = query.get("iss") === issuer && (query.has("code") || query.has("error"));
    if (popup || ((known || ours) && !isOfAnother("gatepass:1:" + issuer + "#" + clientId, known))) {
      if (popup) on_load = "manual";
      else callback = href;
      const path = stored("return:" + state) ?? pathname;
      const [at, x, y, kept] = placeKept();
      // Once: what lies there is the app's.
      keepPlace();
      if (at === path) place = /** @type {[number, number]} */ ([x, y]);
      try {
        // With the origin in front no path can lead to another one: that would throw.
        history.replaceState(place ? kept : history.state, "", origin + path);
      } catch {
        history.replaceState(history.state, "", origin + pathname);
      }
      if (popup) {
        new BroadcastChannel("gatepass:1:" + state).postMessage(search);
        close();
      }
    }
  } catch {
    // A browser that counts calls of `replaceState`, or has no channel.
  }
  return { callback, on_load, here: here(), place };
}

/**
 * Whether the record of a trip names another client than this one. What cannot be read names nobody.
 *
 * @param {string} name
 * @param {string | null | undefined} record
 */
const isOfAnother = (name, record) => {
  try {
    const { client } = JSON.parse(record || "{}");
    return typeof client === "string" && client !== name;
  } catch {
    return false;
  }
};

export const here = () => location.pathname + location.search + location.hash;

/**
 * Where the page before was: its address, how far it was scrolled, and if it was left for a sign-in its
 * entry's state.
 *
 * @returns {[path?: string, x?: any, y?: any, state?: unknown]}
 */
export const placeKept = () => {
  try {
    return JSON.parse(stored("place") ?? "[]");
  } catch {
    return [];
  }
};

/** @param {unknown[]} [place] nothing any more if absent */
export const keepPlace = (place) => {
  const key = "gatepass:1:place";
  try {
    sessionStorage.removeItem(key);
    if (place) sessionStorage.setItem(key, JSON.stringify(place));
  } catch {
    // Storage is blocked or full, or the state is no JSON: the page begins at its top.
  }
};

/** @param {string} key */
const stored = (key) => {
  try {
    return sessionStorage.getItem("gatepass:1:" + key);
  } catch {
    // Blocked: nothing was asked for by this tab.
  }
};
