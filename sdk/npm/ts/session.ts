/** The session as the machine says it, in the words of the face. */

import type * as wire from "../../driver/wire.d.ts";
import { refusalOf } from "./errors.js";
import type { Session } from "./types.js";

/** Absent members stay absent, so that `"user" in session` means what it says. */
export function sessionOf<C>({ claims, error, warning, ...rest }: wire.Session): Session<C> {
  const session: Record<string, unknown> = {};
  for (const [name, value] of Object.entries({
    ...rest,
    ...(claims && { user: claims }),
    ...(error && { error: refusalOf(error) }),
    ...(warning && { warning: refusalOf(warning) }),
  })) {
    session[name.replace(/_(.)/g, (_, letter: string) => letter.toUpperCase())] = value;
  }
  return session as unknown as Session<C>;
}
