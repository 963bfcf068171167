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
  let last = 0;
  let source;

  function take(event) {
    const told = JSON.parse(event.data);
    // A list that is told again after a broken connection.
    if (known.get(told.seq) === told.at) return;
    // Numbers only rise in one process.
    if (told.seq <= last) {
      known = new Map();
      restarted();
    }
    last = told.seq;
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
