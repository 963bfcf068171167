/** The window of a sign-in that has one of its own. */

/** @import { Door } from "./part.d.ts" */

/**
 * Opens it: in the click itself, before anything is awaited, or a browser blocks it.
 *
 * @param {Door} door
 * @param {AbortSignal} [given_up] by which the app gives the sign-in up
 * @returns {(() => void) | null | undefined} closes it, if it is open and did not do so itself; nothing if it was blocked
 */
export function openDoor(door, given_up) {
  door.opened?.close();
  const opened = globalThis.open?.("", "", "popup,width=480,height=720");
  // Nobody there needs this page, which it could lead elsewhere.
  if (opened) opened.opener = null;
  Object.assign(door, { opened, given_up });
  // A page with Cross-Origin-Opener-Policy has cut it off: then it is left to itself.
  return opened && (() => opened.close());
}
