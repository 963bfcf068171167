/** What the tabs of an origin say to each other, by BroadcastChannel. */

/** @import { Emit, Part } from "./part.d.ts" */

/**
 * @param {Emit} emit
 * @returns {Part}
 */
export function channel(emit) {
  /** @type {Record<string, BroadcastChannel>} */
  const channels = {};

  /** @param {string} name */
  const open = (name) => {
    const opened = new BroadcastChannel(name);
    opened.onmessage = ({ data: text }) => {
      if (typeof text === "string") emit({ kind: "signal", signal: { kind: "message", text } });
    };
    return opened;
  };

  return {
    effects: {
      broadcast(_, { channel: name, text }) {
        (channels[name] ??= open(name)).postMessage(text);
        return { kind: "done" };
      },
    },
    close() {
      for (const opened of Object.values(channels)) opened.close();
    },
  };
}
