// Angular and rxjs are left out of the bundle: an Angular app has them anyway. Angular's own build
// would drop some more of the library than a bundler without it can.
import { inject } from "@angular/core";
import { OidcSecurityService, provideAuth } from "angular-auth-oidc-client";

/** For the application's providers. */
export const providers = ({ issuer, clientId }) =>
  provideAuth({
    config: {
      authority: issuer,
      clientId,
      redirectUrl: location.origin,
      postLogoutRedirectUri: location.origin,
      responseType: "code",
      scope: "openid profile email",
    },
  });

/** In an injection context. */
export function open(_config, show) {
  const service = inject(OidcSecurityService);
  // The answer in the address is handled by this call.
  service.checkAuth().subscribe(({ isAuthenticated }) => {
    show(isAuthenticated ? "authenticated" : "anonymous");
  });
  return {
    signIn: () => service.authorize(),
    signOut: () => service.logoff().subscribe(),
    getToken: () => service.getAccessToken(),
  };
}
