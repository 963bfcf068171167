/** Leaving the page. */

/** @import { Door, Part, PartMaker } from "./part.d.ts" */

import { here, keepPlace, placeKept } from "./arrival.js";

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
 * itself, for the page that comes back to this address: how far it was scrolled, at every end, for a page
 * that is loaded anew may ask by itself; and for a sign-in its entry's state too, which is the app's and
 * may be anything. After a sign-out nobody comes back to anything.
 *
 * @param {Door} door
 * @returns {PartMaker}
 */
export const navigationWith = (door) => () => {
  const leave = navigation().effects?.navigate;
  const abort = new AbortController();
  addEventListener("pagehide", savePlace, abort);
  return {
    effects: {
      async navigate(...given) {
        await door.leaving?.();
        trip = given[1];
        return leave?.(...given);
      },
    },
    close: () => abort.abort(),
  };
};

/** Where the page was led last, by whichever of its clients. @type {{ url?: string, replace?: boolean }} */
let trip = {};

const savePlace = () => {
  const { url, replace } = trip;
  // RFC 6749, 3.1.1: what a request to sign in has.
  const signsIn = url && /[?&]response_type=/.test(url);
  let [path, x, y] = replace ? placeKept() : [here(), scrollX, scrollY];
  // Nobody clicked: this page shows nothing yet, and the one before it knew where it was.
  if (path !== here()) x = y = 0;
  keepPlace(signsIn || !url ? [here(), x, y, signsIn && history.state] : undefined);
  // Back may lead here, and a person elsewhere from here.
  setTimeout(() => (trip = {}));
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
