import { createAuth0Client } from "@auth0/auth0-spa-js";

export async function open({ issuer, clientId }, show) {
  const client = await createAuth0Client({
    domain: issuer,
    clientId,
    authorizationParams: { redirect_uri: `${location.origin}/` },
  });
  const answer = new URLSearchParams(location.search);
  if (answer.has("state") && (answer.has("code") || answer.has("error"))) {
    await client.handleRedirectCallback();
    history.replaceState(null, "", "/");
  }
  show((await client.isAuthenticated()) ? "authenticated" : "anonymous");
  return {
    signIn: () => client.loginWithRedirect(),
    signOut: () => client.logout({ logoutParams: { returnTo: location.origin } }),
    getToken: () => client.getTokenSilently(),
  };
}
