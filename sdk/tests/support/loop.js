// Parts, steps and listeners that do what a test of the loop needs.

/** A part whose `load` does what its key says. */
export function scripted(emit) {
  const loaded = (value) => ({ kind: "loaded", value });
  const later = () => new Promise((resolve) => setTimeout(resolve));
  const chunk = (effect, byte) =>
    emit({ kind: "signal", signal: { kind: "chunk", effect } }, new Uint8Array([byte]));
  const does = {
    answer: () => loaded("answer"),
    promise: () => later().then(() => loaded("promise")),
    throw() {
      throw new Error("thrown");
    },
    "throw undefined"() {
      throw undefined;
    },
    reject: () => later().then(() => Promise.reject(new Error("rejected"))),
    async emit(id) {
      emit({ kind: "answer", effect: id, answer: loaded("emit") });
    },
    async signals(id) {
      chunk(id, 1);
      chunk(id, 2);
      await later();
      chunk(id, 3);
      emit({ kind: "signal", signal: { kind: "ended", effect: id } });
    },
    "until aborted": (_, { signal }) =>
      new Promise((_, reject) => {
        signal.onabort = () => {
          globalThis.abortedEffects = (globalThis.abortedEffects ?? 0) + 1;
          reject(signal.reason);
        };
      }),
  };
  return { effects: { load: (id, { key }, abort) => does[key](id, abort) } };
}

const fact = (id) => ({ kind: "command", id, command: { kind: "check_session" } });
const completed = { kind: "completed", command: 1, outcome: { kind: "done" } };
const session = { kind: "session", session: { status: "anonymous" } };

/** A step and a listener that tell the loop more. */
export function reentry(createLoop) {
  const log = [];
  const loop = createLoop(
    [],
    (_wall, _monotonic, _entropy, text) => {
      const { id } = JSON.parse(text);
      log.push(`begin ${id}`);
      if (id === 1) loop.tell(fact(2));
      log.push(`end ${id}`);
      return JSON.stringify(id === 2 ? [completed] : []);
    },
    () => loop.tell(fact(3)),
  );
  loop.tell(fact(1));
  // In the same task.
  log.push("told");
  return log;
}

/** A step that closes the loop, as a subscriber does that drops the last client. */
export function closedByAStep(createLoop) {
  const log = [];
  const part = () => ({ wakeAt: () => log.push("woken"), close: () => log.push("closed") });
  const loop = createLoop([part], () => {
    log.push("step");
    loop.tell(fact(2));
    loop.close();
    return JSON.stringify([{ kind: "wake_at", monotonic_ms: 1 }]);
  });
  loop.tell(fact(1));
  loop.tell(fact(3));
  return log;
}

/** What a face hears of. */
export function ordersHeard(createLoop) {
  const log = [];
  const orders = [
    { kind: "wake_at", monotonic_ms: 1 },
    completed,
    { kind: "cancel", effect: 1 },
    session,
  ];
  const loop = createLoop([], () => JSON.stringify(orders), ({ kind }) => log.push(kind));
  loop.tell(fact(1));
  return log;
}

/** A step that throws the first time. */
export async function brokenStep(createLoop) {
  const log = [];
  const reported = report(log);
  const loop = createLoop([], () => {
    log.push("step");
    if (log.length === 1) throw new Error("a defect");
    return "[]";
  });
  loop.tell(fact(1));
  loop.tell(fact(2));
  await reported;
  return log;
}

/** A listener that throws before other orders. */
export async function brokenListener(createLoop) {
  const log = [];
  const reported = report(log);
  const part = () => ({ wakeAt: () => log.push("woken") });
  const orders = JSON.stringify([session, { kind: "wake_at", monotonic_ms: 1 }]);
  const loop = createLoop([part], () => orders, (order) => {
    log.push(order.kind);
    throw new Error("a defect");
  });
  loop.tell(fact(1));
  await reported;
  return log;
}

/** Waits for the page's error reporting; the error is not shown to the test runner. */
function report(log) {
  return new Promise((resolve, reject) => {
    const caught = (event) => {
      event.preventDefault();
      event.stopImmediatePropagation();
      log.push("reported");
      resolve();
    };
    window.addEventListener("error", caught, { capture: true, once: true });
    setTimeout(() => reject(new Error("nothing was reported within ten seconds")), 10_000);
  });
}
