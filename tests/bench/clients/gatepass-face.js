/** What every file here offers: `open({ issuer, clientId }, show)`, told by `show(status)`. */
export const face =
  (createClient, options = {}) =>
  ({ issuer, clientId }, show) => {
    // The answer in the address is handled by the client itself.
    const auth = createClient({ issuer, clientId, ...options });
    auth.subscribe((session) => show(session.status));
    return {
      signIn: () => auth.signIn(),
      signOut: () => auth.signOut(),
      getToken: () => auth.getToken(),
      fetch: auth.fetch,
    };
  };
