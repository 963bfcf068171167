/** Leaving the page. */

/** @import { Part } from "./part.d.ts" */

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
