/** What happens to the page: it is hidden and shown, left and returned to, and comes online. */

/** @import { Signal } from "./wire.d.ts" */
/** @import { Emit, Part } from "./part.d.ts" */

/** For how long after the page's start, or the last word of it, its window's focus is no news. */
const QUIET_MS = 1_000;

/** A focus that comes back from a frame of the page, which somebody may use by turns with it, waits for that
 * long after the last word: between the two they may have been in another window. */
const FRAME_QUIET_MS = 30_000;

/** How long after its window's focus that is told. */
const ASIDE_MS = 100;

/**
 * @param {Emit} emit
 * @returns {Part}
 */
export function page(emit) {
  const abort = new AbortController();
  // By the clock of the day, for the page's own stands still while the machine sleeps.
  let told = Date.now();
  let isFromFrame = false;

  /** @param {Signal["kind"]} kind */
  const tell = (kind) => {
    told = Date.now();
    emit({ kind: "signal", signal: /** @type {Signal} */ ({ kind }) });
  };

  /**
   * @param {EventTarget} target
   * @param {string} event
   * @param {(event: Event) => Signal["kind"] | false} kindOf
   */
  const on = (target, event, kindOf) =>
    target.addEventListener(
      event,
      (happened) => {
        const kind = kindOf(happened);
        if (kind) tell(kind);
      },
      abort,
    );

  on(document, "visibilitychange", () => (document.hidden ? "hidden" : "shown"));
  // Of two windows side by side both are visible all the time. Told a moment later, unless something was
  // told meanwhile: where WebAssembly runs within this event WebKitGTK 2.50 hangs for minutes now and then.
  const onFocus = () => {
    const before = told;
    const ageMs = Math.abs(Date.now() - before);
    const waitMs = isFromFrame ? Math.max(ASIDE_MS, FRAME_QUIET_MS - ageMs) : ASIDE_MS;
    if (!isFromFrame && ageMs < QUIET_MS) return;
    setTimeout(() => told === before && !document.hidden && tell("shown"), waitMs);
  };
  // Only after the event the document knows to which of its frames the focus went.
  const onBlur = () =>
    setTimeout(() => {
      let active = document.activeElement;
      while (active?.shadowRoot) active = active.shadowRoot.activeElement;
      isFromFrame = !!active && "contentWindow" in active;
    });
  window.addEventListener("blur", onBlur, abort);
  window.addEventListener("focus", onFocus, abort);
  on(window, "online", () => "online");
  // A held lock or an open request keeps a page out of the back/forward cache.
  on(window, "pagehide", () => "leave");
  on(document, "freeze", () => "leave");
  // The first showing of a page is not a return.
  on(window, "pageshow", (shown) => /** @type {PageTransitionEvent} */ (shown).persisted && "return");
  on(document, "resume", () => "return");

  // Opened in the background: nobody looks at it yet.
  if (document.hidden) tell("hidden");

  return { close: () => abort.abort() };
}
