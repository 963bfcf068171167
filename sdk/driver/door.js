/** The window of a sign-in that has one of its own. */

/** @import { Door } from "./part.d.ts" */

/**
 * Opens it: in the click itself, before anything is awaited, or a browser blocks it.
 *
 * @param {Door} door
 * @param {AbortSignal} [given_up] by which the app gives the sign-in up
 * @returns {boolean} whether there is one
 */
export function openDoor(door, given_up) {
  closeDoor(door);
  door.opened = globalThis.open?.("", "", "popup,width=480,height=720");
  door.given_up = given_up;
  return !!door.opened;
}

/**
 * Closes it, if it did not do so itself. A page with Cross-Origin-Opener-Policy in it has cut it
 * off: then it seems closed, and is left to itself.
 *
 * @param {Door} door
 */
export function closeDoor(door) {
  door.opened?.close();
  door.opened = null;
}
