// As keycloak-js watches a session: it asks the provider's frame every five seconds (its
// `checkLoginIframeInterval`) and forgets the session when that says "changed". Its frame is Keycloak's
// own; here it is that of Session Management 1.0, which answers the same question.
import { UserManager } from "oidc-client-ts";

const INTERVAL_MS = 5000;

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
  const frame = document.createElement("iframe");
  frame.hidden = true;
  frame.src = `${issuer}/check_session`;
  addEventListener("message", (event) => {
    if (event.source !== frame.contentWindow || event.data !== "changed" || !user) return;
    user = undefined;
    show("anonymous");
  });
  document.body.append(frame);
  setInterval(() => {
    if (user) frame.contentWindow.postMessage(`${clientId} ${user.session_state}`, issuer);
  }, INTERVAL_MS);
  show(user && !user.expired ? "authenticated" : "anonymous");
  return {
    signIn: () => manager.signinRedirect(),
    signOut: async () => {
      user = undefined;
      await manager.signoutRedirect();
    },
  };
}
