/** The one timer that the machine has. */

/** @import { Emit, Part } from "./part.d.ts" */

/**
 * @param {Emit} emit
 * @returns {Part}
 */
export function timer(emit) {
  /** @type {number} */
  let handle;
  /** @type {number} */
  let due;

  const arm = () => {
    // Longer delays than 2^31 - 1 ms overflow to none; browsers may fire a millisecond early.
    handle = setTimeout(fire, Math.min(Math.ceil(due - performance.now()), 2 ** 31 - 1));
  };
  const fire = () => {
    if (performance.now() < due) arm();
    else emit({ kind: "signal", signal: { kind: "wake" } });
  };
  const close = () => clearTimeout(handle);

  return {
    wakeAt(monotonicMs) {
      close();
      due = monotonicMs;
      arm();
    },
    close,
  };
}
