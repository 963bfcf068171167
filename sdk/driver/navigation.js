/** Leaving the page. */

/** @import { Door, Part, PartMaker } from "./part.d.ts" */

import { here, placeKept } from "./arrival.js";

/** @returns {Part} */
export function navigation() {
  return {
    effects: {
      navigate(_, { url, form, replace }) {
        // A `javascript:` address would run in this page.
        if (!/^https?:/.test(url)) throw url;
        if (form) post(url, form);
        else if (replace) location.replace(url);
        else location.assign(url);
        return { kind: "done" };
      },
    },
  };
}

/**
 * The same, once what the page wants kept is put away (`keep.js`). Where the page was, it writes down
 * itself: the scroll position and the entry's state, for the page that comes back to this address.
 *
 * @param {Door} door
 * @returns {PartMaker}
 */
export const navigationWith = (door) => () => {
  const leave = navigation().effects?.navigate;
  const abort = new AbortController();
  let asks = false;
  addEventListener("pagehide", () => asks || savePlace(scrollX, scrollY), abort);
  return {
    effects: {
      async navigate(...given) {
        await door.leaving?.();
        if (given[1].replace) {
          // Nobody clicked: this page shows nothing yet, and the one before it knew where it was.
          const [path, x, y] = placeKept();
          asks = true;
          if (path === here()) savePlace(x, y);
          else savePlace(0, 0);
        }
        return leave?.(...given);
      },
    },
    close: () => abort.abort(),
  };
};

/**
 * @param {number} x
 * @param {number} y
 */
const savePlace = (x, y) => {
  try {
    sessionStorage.setItem("gatepass:1:place", JSON.stringify([here(), x, y, history.state]));
  } catch {
    // Storage is blocked or full, or the state is no JSON: the page begins at its top.
  }
};

/**
 * @param {string} action
 * @param {string} form
 */
const post = (action, form) => {
  const element = Object.assign(document.createElement("form"), { action, method: "post", hidden: true });
  for (const [name, value] of new URLSearchParams(form)) {
    element.append(Object.assign(document.createElement("input"), { name, value }));
  }
  document.documentElement.append(element);
  element.submit();
  // A page that is not left after all looks as it did.
  element.remove();
};
