/** A sign-in that somebody else begins, by leading the person to an address of the app (OIDC Core 4). */

/**
 * What the page's address asks for, if it is such a one.
 *
 * @param {string} address
 * @param {string} issuer the app's own provider
 * @returns {{ returnTo: string, loginHint?: string } | undefined}
 */
export function initiatedSignIn(address, issuer) {
  const { origin, pathname, searchParams } = new URL(address);
  /** @param {string} name */
  const only = (name) => {
    const values = searchParams.getAll(name);
    return values.length === 1 ? values[0] : undefined;
  };
  // An answer of the provider names it too (RFC 9207).
  if (only("iss") !== issuer || searchParams.has("state")) return;
  let returnTo = "/";
  try {
    const target = new URL(only("target_link_uri") ?? "");
    // Anybody may write such an address: it leads nowhere else ("the RP MUST verify the value"), and
    // not here, where it would begin again. Two slashes would begin a host.
    if (target.origin === origin && target.pathname !== pathname && !target.pathname.startsWith("//"))
      returnTo = target.pathname + target.search + target.hash;
  } catch {
    // None, or no address: the app's first page.
  }
  return { returnTo, loginHint: only("login_hint") };
}
