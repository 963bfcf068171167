/** `gatepass/initiated`: for the one page of an app that somebody else may begin a sign-in at. */

import { initiatedSignIn as read } from "../../driver/initiated.js";

/** What a third party asks for: options of `signIn`. */
export interface InitiatedSignIn {
  /** Where to go after it: a path of this origin. */
  returnTo: string;
  /** Who the person probably is. */
  loginHint?: string;
}

/**
 * Reads the address of the page that is registered as `initiate_login_uri` (OIDC Core 4):
 *
 *     const asked = initiatedSignIn(location.href, issuer);
 *     if (asked) await auth.signIn(asked);
 *
 * `undefined` if the address names no issuer, or another one than the app's. A `target_link_uri` of
 * another origin is not followed, for anybody may write such an address.
 */
export const initiatedSignIn = (address: string, issuer: string): InitiatedSignIn | undefined =>
  read(address, issuer);
