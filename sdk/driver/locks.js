/** Exclusive locks among the tabs of an origin, by Web Locks. */

/** @import { Emit, Part } from "./part.d.ts" */

import { failed } from "./loop.js";

/**
 * @param {Emit} emit
 * @returns {Part}
 */
export function locks(emit) {
  /** How to let a held lock go. @type {Map<number, () => void>} */
  const held = new Map();

  return {
    effects: {
      async take_lock(id, { name, if_free, steal }, { signal }) {
        try {
          return await navigator.locks.request(
            name,
            // The three exclude each other.
            steal ? { steal } : if_free ? { ifAvailable: true } : { signal },
            (lock) => {
              if (!lock) return failed("held");
              if (signal.aborted) return;
              // It is held until this promise resolves.
              return /** @type {Promise<void>} */ (
                new Promise((release) => {
                  held.set(id, release);
                  signal.onabort = () => release();
                  emit({ kind: "answer", effect: id, answer: { kind: "granted" } });
                })
              );
            },
          );
        } catch (error) {
          if (!held.has(id)) throw error;
          emit({ kind: "signal", signal: { kind: "lost", effect: id } });
        } finally {
          held.delete(id);
        }
      },

      drop_lock(_, { lock }) {
        held.get(lock)?.();
        return { kind: "done" };
      },
    },
  };
}
