// Another library's client at our provider, with its own defaults wherever it has some.
import { UserManager, WebStorageStateStore } from "oidc-client-ts";

const find = (id) => document.querySelector(`[data-testid="${id}"]`);
const here = location.origin + location.pathname;
// The test leaves the issuer in the tab; a redirect keeps it.
const query = new URLSearchParams(location.search);
if (query.has("issuer")) sessionStorage.setItem("issuer", query.get("issuer"));

const manager = new UserManager({
  authority: sessionStorage.getItem("issuer"),
  client_id: "oidc-client-ts",
  redirect_uri: here,
  post_logout_redirect_uri: here,
  scope: "openid profile email",
  loadUserInfo: true,
  userStore: new WebStorageStateStore({ store: sessionStorage }),
});

function show(user) {
  find("status").textContent = user && !user.expired ? "authenticated" : "anonymous";
  // Tokens stay out of the page.
  find("profile").textContent = user
    ? JSON.stringify({ ...user.profile, renewable: Boolean(user.refresh_token) })
    : "";
}

async function attempt(step) {
  try {
    await step();
  } catch (error) {
    find("error").textContent = `${error.name}: ${error.message}`;
    find("status").textContent = "failed";
  }
}

find("sign-in").onclick = () => attempt(() => manager.signinRedirect());
find("renew").onclick = () =>
  attempt(async () => {
    find("status").textContent = "renewing";
    show(await manager.signinSilent());
  });
// In the whole page: a frame sees no cookie where third-party cookies are blocked.
find("silent").onclick = () => attempt(() => manager.signinRedirect({ prompt: "none" }));
find("sign-out").onclick = () => attempt(() => manager.signoutRedirect());

await attempt(async () => {
  if (query.has("state") && (query.has("code") || query.has("error"))) {
    const user = await manager.signinRedirectCallback();
    history.replaceState(null, "", here);
    show(user);
  } else if (query.has("state")) {
    await manager.signoutRedirectCallback();
    history.replaceState(null, "", here);
    show(await manager.getUser());
  } else {
    show(await manager.getUser());
  }
});
