/** What happens to the page: it is hidden and shown, left and returned to, and comes online. */

/** @import { Signal } from "./wire.d.ts" */
/** @import { Emit, Part } from "./part.d.ts" */

/** For how long after the page's start, or the last word of it, its window's focus is no news. */
const QUIET_MS = 1_000;

/** The same of a focus that comes back from a frame of the page, which somebody may use by turns with it. */
const FRAME_QUIET_MS = 30_000;

/** How long after its window's focus that is told. */
const ASIDE_MS = 100;

/**
 * @param {Emit} emit
 * @returns {Part}
 */
export function page(emit) {
  const abort = new AbortController();
  let told = performance.now();
  let quietMs = QUIET_MS;

  /** @param {Signal["kind"]} kind */
  const tell = (kind) => {
    told = performance.now();
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
  // Of two windows side by side both are visible all the time. Told a moment later: where WebAssembly runs
  // within this event WebKitGTK 2.50 hangs for minutes now and then.
  const turnTo = () => {
    const isNews = performance.now() - told >= quietMs;
    if (isNews && !document.hidden) tell("shown");
  };
  const leftFor = () => {
    quietMs = document.activeElement instanceof HTMLIFrameElement ? FRAME_QUIET_MS : QUIET_MS;
  };
  window.addEventListener("blur", () => setTimeout(leftFor), abort);
  window.addEventListener("focus", () => setTimeout(turnTo, ASIDE_MS), abort);
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
