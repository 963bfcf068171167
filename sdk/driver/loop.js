/**
 * The queue between the machine and the browser.
 *
 * `tell` and `emit` only queue; the queue drains in the same task; `step` is never re-entered, so
 * a subscriber may call the client, and a part may answer while orders are being carried out.
 * In a page that is rendered in advance it drains when the page is shown: what is not told has no effect.
 */

/** @import { Failure, Order } from "./wire.d.ts" */
/** @import { Emit, Loop, PartMaker, Reply, Step } from "./part.d.ts" */

/**
 * Drives a machine with the browser's parts.
 *
 * @param {PartMaker[]} makers the parts; an effect that none of them knows is `unavailable`
 * @param {Step} step the machine
 * @param {(order: Order) => void} [onOrder] hears of `completed` and `session`
 * @returns {Loop}
 */
export function createLoop(makers, step, onOrder) {
  /** @type {Parameters<Emit>[]} */
  const queue = [];
  /** Effects that are neither over nor cancelled. @type {Map<number, AbortController>} */
  const live = new Map();
  // A page that is rendered in advance asks nobody until somebody looks at it.
  let busy = /** @type {{ prerendering?: boolean }} */ (document).prerendering;
  let closed = false;

  /** @type {Emit} */
  const emit = (...entry) => {
    queue.push(entry);
    drain();
  };

  const drain = () => {
    if (busy || closed) return;
    busy = true;
    for (let next; !closed && (next = queue.shift()); ) guard(() => handle(.../** @type {Parameters<Emit>} */ (next)));
    busy = false;
  };

  /** @type {Emit} */
  const handle = (fact, bytes = new Uint8Array()) => {
    // A cancelled effect can still be on its way here.
    const { effect } = /** @type {{ effect?: number }} */ ("signal" in fact ? fact.signal : fact);
    if (effect !== undefined && !live.has(effect)) return;
    const orders = step(
      Date.now(),
      Math.floor(performance.now()),
      crypto.getRandomValues(new Uint8Array(128)),
      encode(fact),
      bytes,
    );
    for (const order of JSON.parse(orders)) if (!closed) guard(() => obey(order));
  };

  /** @param {Order} order */
  const obey = (order) => {
    if (order.kind === "effect") {
      perform(order.id, order.effect);
    } else if (order.kind === "cancel") {
      cancel(order.effect);
    } else if (order.kind === "wake_at") {
      for (const part of parts) part.wakeAt?.(order.monotonic_ms);
    } else {
      onOrder?.(order);
    }
  };

  /**
   * @param {number} id
   * @param {any} effect of a kind that belongs to the handler it is given to
   */
  const perform = (id, effect) => {
    const abort = new AbortController();
    live.set(id, abort);
    // In an async function, what a handler throws at once is a rejection too: whatever comes of an
    // effect comes in a later microtask, when the queue is empty.
    const run = async () => /** @type {any} */ (effects)[effect.kind](id, effect, abort);
    run()
      .catch(() => failed("unavailable"))
      .then((/** @type {Reply | void} */ reply) => {
        if (reply) {
          const { bytes, ...answer } = reply;
          emit({ kind: "answer", effect: id, answer }, bytes);
        }
        live.delete(id);
      });
  };

  /** @param {number} id */
  const cancel = (id) => {
    const abort = live.get(id);
    live.delete(id);
    abort?.abort();
  };

  const shown = () => {
    busy = false;
    drain();
  };
  if (busy) document.addEventListener("prerenderingchange", shown, { once: true });

  const parts = makers.map((make) => make(emit));
  const effects = Object.assign({}, ...parts.map((part) => part.effects));

  return {
    tell: emit,
    close() {
      // What is still queued is never told: a step may be what closes the loop.
      closed = true;
      for (const id of live.keys()) cancel(id);
      for (const part of parts) part.close?.();
    },
  };
}

/**
 * An answer that says why not.
 *
 * @param {Failure} reason
 * @returns {Reply}
 */
export function failed(reason) {
  return { kind: "failed", reason };
}

/**
 * Runs `action`; an exception of it is a defect, which the page's error reporting shall see and
 * nothing else shall suffer from.
 *
 * @param {() => void} action
 */
const guard = (action) => {
  try {
    action();
  } catch (error) {
    queueMicrotask(() => {
      throw error;
    });
  }
};

/**
 * JSON that the machine can read. It refuses lone surrogates, which a stored text may hold, and a
 * fact that it cannot read would never be answered.
 *
 * @param {unknown} fact
 */
const encode = (fact) =>
  JSON.stringify(fact).replace(/\\(ud[89a-f]..|.)/g, (escape) => (escape[2] ? "\ufffd" : escape));
