/** What happens to the page: it is hidden and shown, left and returned to, and comes online. */

/** @import { Signal } from "./wire.d.ts" */
/** @import { Emit, Part } from "./part.d.ts" */

/**
 * @param {Emit} emit
 * @returns {Part}
 */
export function page(emit) {
  const abort = new AbortController();

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
        if (kind) emit({ kind: "signal", signal: /** @type {Signal} */ ({ kind }) });
      },
      abort,
    );

  on(document, "visibilitychange", () => (document.hidden ? "hidden" : "shown"));
  // No word of the window's focus: where a page listens to it, WebKitGTK 2.50 hangs for a minute now and
  // then, in its WebAssembly.
  on(window, "online", () => "online");
  // A held lock or an open request keeps a page out of the back/forward cache.
  on(window, "pagehide", () => "leave");
  on(document, "freeze", () => "leave");
  // The first showing of a page is not a return.
  on(window, "pageshow", (shown) => /** @type {PageTransitionEvent} */ (shown).persisted && "return");
  on(document, "resume", () => "return");

  // Opened in the background: nobody looks at it yet.
  if (document.hidden) emit({ kind: "signal", signal: { kind: "hidden" } });

  return { close: () => abort.abort() };
}
