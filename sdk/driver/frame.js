/** Asking the provider in a hidden frame. Few apps do: the npm face loads this when it is needed. */

/** @import { Part, Reply } from "./part.d.ts" */

import { failed } from "./loop.js";

/** @returns {Part} */
export function frame() {
  return {
    effects: {
      open_frame: (_, { url, timeout_ms }, { signal }) =>
        new Promise((resolve) => {
          // A `javascript:` address would run in this page. Cancelled while this file was loaded, nobody
          // wants to know any more.
          if (signal.aborted || !/^https?:/.test(url)) throw url;
          const opened = document.createElement("iframe");
          /** @param {Reply} reply */
          const end = (reply) => {
            clearTimeout(timer);
            removeEventListener("message", hear);
            opened.remove();
            resolve(reply);
          };
          /** @param {MessageEvent} message */
          const hear = ({ source, origin, data }) => {
            const isOurs = source === opened.contentWindow && origin === location.origin;
            if (isOurs && typeof data === "string") end({ kind: "framed", query: data });
          };
          const timer = setTimeout(() => end(failed("timeout")), timeout_ms);
          signal.onabort = () => end(failed("timeout"));
          addEventListener("message", hear);
          opened.hidden = true;
          opened.referrerPolicy = "no-referrer";
          opened.src = url;
          document.documentElement.append(opened);
        }),
    },
  };
}
