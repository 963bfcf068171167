import { UserManager } from "oidc-client-ts";

export async function open({ issuer, clientId }, show) {
  const here = `${location.origin}/`;
  const manager = new UserManager({
    authority: issuer,
    client_id: clientId,
    redirect_uri: here,
    post_logout_redirect_uri: here,
    scope: "openid profile email",
  });
  const answer = new URLSearchParams(location.search);
  let user;
  if (answer.has("state") && (answer.has("code") || answer.has("error"))) {
    user = await manager.signinRedirectCallback();
    history.replaceState(null, "", here);
  } else {
    user = await manager.getUser();
  }
  show(user && !user.expired ? "authenticated" : "anonymous");
  return {
    signIn: () => manager.signinRedirect(),
    signOut: () => manager.signoutRedirect(),
    getToken: async () => (await manager.getUser())?.access_token,
  };
}
