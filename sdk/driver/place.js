/** Scrolling back to where a page was. Few pages begin so: the npm face loads this when one does. */

/** How long the content may take that the page needs to be as long as it was. */
const PATIENCE_MS = 5_000;

/** What a person does to go elsewhere: from then on nothing moves by itself. */
const MOVES = ["wheel", "touchstart", "pointerdown", "keydown"];

/**
 * Scrolls there as soon as there is something to scroll to; to what the fragment names if the page was
 * at its top.
 *
 * @param {[x: number, y: number]} place
 */
export function comeBack([x, y]) {
  const abort = new AbortController();
  const due = performance.now() + PATIENCE_MS;
  for (const move of MOVES) addEventListener(move, () => abort.abort(), { passive: true, signal: abort.signal });
  const step = () => {
    if (abort.signal.aborted) return;
    if (isThere(x, y) || performance.now() > due) abort.abort();
    else requestAnimationFrame(step);
  };
  step();
}

/**
 * @param {number} x
 * @param {number} y
 */
const isThere = (x, y) => {
  const fragment = nameIn(location.hash);
  if (x || y) {
    scrollTo({ left: x, top: y, behavior: "instant" });
    return Math.abs(scrollX - x) <= 1 && Math.abs(scrollY - y) <= 1;
  }
  // Browsers look for it when a page is loaded, and then this one had another address.
  const named = fragment && document.getElementById(fragment);
  if (named) named.scrollIntoView({ behavior: "instant" });
  return !fragment || !!named;
};

/** @param {string} hash */
const nameIn = (hash) => {
  try {
    return decodeURIComponent(hash.slice(1));
  } catch {
    // Of the app's own kind.
    return "";
  }
};
