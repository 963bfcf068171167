/**
 * Watching the provider's hidden frame (Session Management 1.0). Only where the provider has no session
 * events: the npm face loads this when it is needed.
 *
 * A frame whose cookie the browser keeps from it sees nobody signed in. Some then say `error`, others
 * `changed`. So it has to show first that it can tell right from wrong: the true words must be
 * `unchanged`, and false ones `changed`. One that cannot is not asked again.
 */

/** @import { PartMaker, Reply } from "./part.d.ts" */

import { failed } from "./loop.js";

/** How often it is asked while the page is seen. */
const SEEN_MS = 2_000;

/** How often while it is not: another tab of the app may be. */
const HIDDEN_MS = 10_000;

/** How long it may take to load and to show that it can tell. */
const PROOF_MS = 10_000;

/** @type {PartMaker} */
export const watch = (emit) => watchWith(SEEN_MS, PROOF_MS)(emit);

/**
 * @param {number} seenMs
 * @param {number} proofMs
 * @returns {PartMaker}
 */
export const watchWith = (seenMs, proofMs) => (emit) => ({
  effects: {
    watch_session: (id, { url, words }, { signal }) =>
      new Promise((resolve) => {
        // A `javascript:` address would run in this page. Cancelled while this file was loaded, nobody
        // would take the frame away.
        if (signal.aborted || !/^https?:/.test(url)) throw url;
        const frame = document.createElement("iframe");
        const { origin } = new URL(url);
        /** @type {number} */
        let timer;
        /** @type {"true" | "false" | "watched"} */
        let step = "true";

        /** @param {Reply} reply */
        const end = (reply) => {
          clearTimeout(timer);
          removeEventListener("message", hear);
          document.removeEventListener("visibilitychange", ask);
          frame.remove();
          resolve(reply);
        };
        const ask = () => {
          if (step === "watched") {
            clearTimeout(timer);
            timer = setTimeout(ask, document.hidden ? HIDDEN_MS : seenMs);
          }
          frame.contentWindow?.postMessage(step === "false" ? falsified(words) : words, origin);
        };
        /** @param {MessageEvent} message */
        const hear = ({ source, origin: from, data }) => {
          if (source !== frame.contentWindow || from !== origin) return;
          if (step === "true" && data === "unchanged") {
            step = "false";
            ask();
          } else if (step === "false" && data === "changed") {
            step = "watched";
            document.addEventListener("visibilitychange", ask);
            ask();
            // It sees its cookie here. Last: whoever hears it may cancel this.
            emit({ kind: "signal", signal: { kind: "chunk", effect: id } });
          } else if (step !== "watched") {
            end(failed("unavailable"));
          } else if (data !== "unchanged") {
            // `error` too: what it saw is gone. That makes us ask the provider once, and no more.
            end({ kind: "done" });
          }
        };

        timer = setTimeout(() => end(failed("timeout")), proofMs);
        signal.onabort = () => end(failed("unavailable"));
        addEventListener("message", hear);
        frame.onload = ask;
        frame.hidden = true;
        frame.referrerPolicy = "no-referrer";
        // It has no business with this page, its windows or its address.
        frame.setAttribute("sandbox", "allow-scripts allow-same-origin");
        frame.src = url;
        document.documentElement.append(frame);
      }),
  },
});

/**
 * The same words with another first letter of the `session_state`.
 *
 * @param {string} words
 */
const falsified = (words) =>
  words.replace(/[^ ](?=[^ ]*$)/, (letter) => (letter === "A" ? "B" : "A"));
