/** Streams: a GET whose body is handed over as it comes. */

/** @import { Emit, Part } from "./part.d.ts" */

import { request } from "./http.js";

/**
 * @param {Emit} emit
 * @returns {Part}
 */
export function stream(emit) {
  return {
    effects: {
      async open_stream(id, effect, abort) {
        /** @type {Response | undefined} */
        let opened;
        const reply = await request(effect, abort, (head, response) => {
          opened = response;
          emit({ kind: "answer", effect: id, answer: head });
        });
        // Only the head is waited for with a time limit.
        if (!opened) return reply;
        try {
          const reader = opened.body?.getReader();
          for (let chunk; (chunk = (await reader?.read())?.value); ) {
            emit({ kind: "signal", signal: { kind: "chunk", effect: id } }, chunk);
          }
        } catch {
          // A lost connection ends a stream as its server does.
        }
        emit({ kind: "signal", signal: { kind: "ended", effect: id } });
      },
    },
  };
}
