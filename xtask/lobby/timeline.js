// The provider's timeline, step by step: each step once, also after a broken connection.

import { demo } from "./demo.js";

/** The provider keeps thousands of steps; who comes late sees the last of them. */
const MAX_KNOWN = 4000;

/**
 * Follows the timeline. `step` gets each new step, `restarted` is called before the first step of
 * another process of the provider, `link` gets "open" and "lost".
 */
export function follow({ step, restarted, link }) {
  let known = new Map();
  let source;

  function take(event) {
    const told = JSON.parse(event.data);
    const before = known.get(told.seq);
    // A list that is told again after a broken connection.
    if (before === told.at) return;
    // Numbers never repeat in one process.
    if (before !== undefined || told.seq < Math.max(0, ...lastOf(known))) {
      known = new Map();
      restarted();
    }
    known.set(told.seq, told.at);
    if (known.size > MAX_KNOWN) known.delete(known.keys().next().value);
    step(told);
  }

  function connect() {
    source?.close();
    source = new EventSource(`${demo.issuer}/timeline`);
    source.addEventListener("open", () => link("open"));
    source.addEventListener("step", take);
    source.addEventListener("error", () => {
      link("lost");
      // The browser tries again by itself, except after an answer that was no stream.
      if (source.readyState === EventSource.CLOSED) setTimeout(connect, 3000);
    });
  }

  connect();
  return { reconnect: connect };
}

const lastOf = (known) => (known.size ? [[...known.keys()].at(-1)] : []);
