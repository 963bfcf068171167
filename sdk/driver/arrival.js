/** The address that a page is loaded with. */

/** @import { Arrival } from "./part.d.ts" */

/**
 * Takes the provider's answer out of the address, if this tab asked for it: before a router reads
 * the address and before a later script could read the code.
 *
 * It never throws: with the storage blocked there is no record and thus no answer to take. The
 * second call in a page finds the address clean.
 *
 * @returns {Arrival}
 */
export function takeArrival() {
  let callback;
  try {
    const { href } = location;
    const state = new URLSearchParams(location.search).get("state");
    if (state && sessionStorage.getItem(KEY + "attempt:" + state) !== null) {
      callback = href;
      const path = sessionStorage.getItem(KEY + "return:" + state) ?? location.pathname;
      try {
        // With the origin in front no path can lead to another one: that would throw.
        history.replaceState(history.state, "", location.origin + path);
      } catch {
        history.replaceState(history.state, "", location.origin + location.pathname);
      }
    }
  } catch {
    // Blocked storage, or a browser that counts calls of `replaceState`.
  }
  const { pathname, search, hash } = location;
  return { callback, here: pathname + search + hash };
}

const KEY = "gatepass:1:";
