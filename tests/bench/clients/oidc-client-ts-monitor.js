// oidc-client-ts as it watches the provider's session: by a frame that it asks every two seconds, its
// own default.
import { UserManager } from "oidc-client-ts";

export async function open({ issuer, clientId }, show) {
  const here = `${location.origin}/`;
  const manager = new UserManager({
    authority: issuer,
    client_id: clientId,
    redirect_uri: here,
    silent_redirect_uri: `${here}silent`,
    post_logout_redirect_uri: here,
    scope: "openid profile email",
    monitorSession: true,
  });
  manager.events.addUserSignedOut(() => show("anonymous"));
  const answer = new URLSearchParams(location.search);
  let user;
  if (answer.has("state") && (answer.has("code") || answer.has("error"))) {
    // What a frame was answered goes to the page that has it.
    if (parent !== window) return void (await manager.signinSilentCallback());
    user = await manager.signinRedirectCallback();
    history.replaceState(null, "", here);
  } else {
    user = await manager.getUser();
  }
  show(user && !user.expired ? "authenticated" : "anonymous");
  return {
    signIn: () => manager.signinRedirect(),
    signOut: () => manager.signoutRedirect(),
  };
}
