/** What is kept in `sessionStorage` and `localStorage`. A blocked storage throws: `unavailable`. */

/** @import { Area } from "./wire.d.ts" */
/** @import { Part } from "./part.d.ts" */

/** @returns {Part} */
export function storage() {
  return {
    effects: {
      load: (_, { area, key }) => ({ kind: "loaded", value: of(area).getItem(key) ?? undefined }),
      save(_, { area, key, value }) {
        of(area).setItem(key, value);
        return { kind: "done" };
      },
      erase(_, { area, key }) {
        of(area).removeItem(key);
        return { kind: "done" };
      },
    },
  };
}

/** @param {Area} area */
const of = (area) => (area === "tab" ? sessionStorage : localStorage);
