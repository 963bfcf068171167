/**
 * Exclusive locks where the browser has no Web Locks: in a page by plain http beyond this machine. A
 * lease in `localStorage` says whose the lock is, and who waits for it asks on a channel whether its
 * owner still lives. Few pages need it: the npm face loads it when one does.
 *
 * While nobody waits, nothing is written and no timer runs. Two tabs that write a lease at the same
 * moment, in two processes, may both see their own at first: so it counts when it still stands a moment
 * later, and whoever loses it after that hears `lost`.
 */

/** @import { PartMaker } from "./part.d.ts" */

import { failed } from "./loop.js";

/** Much longer than it takes until all processes of a browser see what one has stored. */
const SETTLE_MS = 100;

/** How often those who wait ask whether the owner still lives. */
const ASK_MS = 10_000;

/**
 * How long an owner may say nothing before it counts as dead: longer than any request that it may
 * have under way.
 */
const PATIENCE_MS = 12_000;

/** @type {PartMaker} */
export const lease = (emit) => (navigator.locks ? {} : leaseWith(PATIENCE_MS)(emit));

/**
 * @param {number} patienceMs
 * @returns {PartMaker}
 */
export const leaseWith = (patienceMs) => (emit) => {
  /** How to let a lease go. @type {Map<number, () => void>} */
  const held = new Map();

  return {
    effects: {
      async take_lock(id, { name, if_free, steal }, { signal }) {
        const key = `${name}#lease`;
        const me = String(crypto.getRandomValues(new Uint32Array(2)));
        const store = localStorage;
        /** @param {string | null} owner */
        const is = (owner) => store.getItem(key) === owner;

        const channel = new BroadcastChannel(key);
        /** @param {string} word */
        const say = (word) => channel.postMessage(word);
        /** What is done with a word of the others. @type {(word?: string) => void} */
        let hear = () => {};
        channel.onmessage = ({ data }) => hear(data);

        let over = false;
        const end = () => {
          if (over) return;
          over = true;
          held.delete(id);
          if (is(me)) {
            store.removeItem(key);
            say("free");
          }
          channel.close();
          hear();
        };
        signal.onabort = end;

        /**
         * The first of `words` that is said within a time, if one is.
         *
         * @param {number} ms
         * @param {string[]} words
         * @returns {Promise<string | void>}
         */
        const within = (ms, ...words) =>
          new Promise((resolve) => {
            const timer = setTimeout(resolve, ms);
            hear = (word = "") => {
              if (!over && !words.includes(word)) return;
              clearTimeout(timer);
              resolve(word);
            };
          });

        /** Until it is let go, or lost. @returns {Promise<void>} */
        const hold = () =>
          new Promise((resolve) => {
            held.set(id, end);
            hear = (word) => {
              if (over) return resolve();
              // Its storage may have been cleared.
              if (word === "ask" && is(null)) store.setItem(key, me);
              if (word === "ask" && is(me)) say("alive");
              // By one that was as fast, steals it, or believes that this page is dead.
              if (word === "taken") {
                // A page that hung meanwhile sees it at once, and must before it does anything else.
                lose();
                setTimeout(lose, SETTLE_MS);
              }
            };
            // To whoever asked in the moment before.
            say("alive");
            emit({ kind: "answer", effect: id, answer: { kind: "granted" } });
          });
        const lose = () => {
          if (over || is(me)) return;
          emit({ kind: "signal", signal: { kind: "lost", effect: id } });
          end();
        };

        try {
          for (let taken = steal; !over; ) {
            if (taken || is(null)) {
              taken = false;
              store.setItem(key, me);
              say("taken");
              await within(SETTLE_MS);
              if (!over && is(me)) return await hold();
            } else if (if_free) {
              return failed("held");
            } else {
              say("ask");
              let heard = await within(patienceMs, "alive", "free");
              taken = !heard;
              // One of those who wait asks for all of them.
              while (heard === "alive") heard = await within(ASK_MS, "alive", "free");
            }
          }
        } finally {
          end();
        }
      },

      drop_lock(_, { lock }) {
        held.get(lock)?.();
        return { kind: "done" };
      },
    },
  };
};
