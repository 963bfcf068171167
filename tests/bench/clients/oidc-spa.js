import { createOidc, oidcEarlyInit } from "oidc-spa/core";

// What it takes by itself where provider and app share no parent domain. Every name here ends in
// .localhost, which it would take for one.
const sessionRestorationMethod = "full page redirect";
const { shouldLoadApp } = oidcEarlyInit({ BASE_URL: "/", sessionRestorationMethod });

export async function open({ issuer, clientId }, show) {
  if (!shouldLoadApp) return {};
  const oidc = await createOidc({ issuerUri: issuer, clientId, scopes: ["profile", "email"] });
  show(oidc.isUserLoggedIn ? "authenticated" : "anonymous");
  return {
    signIn: () => oidc.login(),
    signOut: () => oidc.logout({ redirectTo: "home" }),
    getToken: async () => (await oidc.getTokens()).accessToken,
  };
}
