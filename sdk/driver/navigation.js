/** Leaving the page. */

/** @import { Part } from "./part.d.ts" */

/** @returns {Part} */
export function navigation() {
  return {
    effects: {
      navigate(_, { url, replace }) {
        // A `javascript:` address would run in this page.
        if (!/^https?:/.test(url)) throw url;
        if (replace) location.replace(url);
        else location.assign(url);
        return { kind: "done" };
      },
    },
  };
}
