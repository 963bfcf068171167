/** Signing in in a window of its own. Few apps do: the npm face loads this when it is needed. */

/** @import { Door, PartMaker, Reply } from "./part.d.ts" */

import { failed } from "./loop.js";

/**
 * @param {Door} door where the window stands that was opened at the click
 * @returns {PartMaker}
 */
export const popup = (door) => () => ({
  effects: {
    open_popup: (_, { url, state, timeout_ms }, { signal }) =>
      new Promise((resolve) => {
        const { opened, given_up } = door;
        // Given up while this file was loaded: the window is another sign-in's by now. And a
        // `javascript:` address would run in this page.
        if (!opened || signal.aborted || !/^https?:/.test(url)) return resolve(failed("unavailable"));
        const channel = new BroadcastChannel("gatepass:1:" + state);
        /** @param {Reply} reply */
        const end = (reply) => {
          clearTimeout(timer);
          given_up?.removeEventListener("abort", giveUp);
          channel.close();
          resolve(reply);
        };
        const timer = setTimeout(() => end(failed("timeout")), timeout_ms);
        signal.onabort = () => end(failed("timeout"));
        const giveUp = () => end(failed("cancelled"));
        if (given_up?.aborted) return giveUp();
        given_up?.addEventListener("abort", giveUp);
        // Only pages of this origin have the channel, and only the one that was given the state
        // knows its name.
        channel.onmessage = ({ data }) => {
          if (typeof data === "string") end({ kind: "framed", query: data });
        };
        opened.location.replace(url);
      }),
  },
});
