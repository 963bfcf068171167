/** The options of the application, and what the page adds to them. */

import type { Config } from "../../driver/wire.d.ts";
import { GatepassError } from "./errors.js";
import type { Options } from "./types.js";

/**
 * Throws `config_invalid` where no page could make sense of the options. The machine checks all of
 * them, but it is loaded later: its refusal becomes the session's error.
 */
export function refuseMisshapen(options: Options): void {
  for (const [subject, shape, expected] of SHAPES) {
    const found = String(options[subject] ?? "");
    if (!shape.test(found)) {
      const evidence = { subject, expected, found };
      throw new GatepassError({ code: "config_invalid", blame: "application", evidence }, FIX);
    }
  }
}

/** What the machine is made of. */
export function configOf(options: Options): Config {
  const { origin } = location;
  const home = origin + "/";
  return {
    issuer: options.issuer,
    client_id: options.clientId,
    redirect_uri: options.redirectUri ?? home,
    post_logout_redirect_uri: options.postLogoutRedirectUri ?? home,
    silent_redirect_uri: options.silentRedirectUri,
    origin,
    scope: options.scope,
    token_origins: options.tokenOrigins,
    storage: options.storage,
    session_events_endpoint: options.sessionEventsEndpoint,
    session_lifetime: options.sessionLifetime,
    id_token_signed_response_alg: options.idTokenSignedResponseAlg && [options.idTokenSignedResponseAlg].flat().join(" "),
    clock_skew: options.clockSkew,
    dangerously_allow_http: options.dangerouslyAllowHttp,
    dangerously_follow_provider_clock: options.dangerouslyFollowProviderClock,
  };
}

const SHAPES = [
  ["issuer", /^https?:\/\/[^?#]+$/, "an https address without query"],
  ["clientId", /./, "a client id"],
  // It is no part of the configuration that the machine checks.
  ["onLoad", /^(hint|auto|check|probe|manual)?$/, "hint, auto, check, probe or manual"],
] as const;

/** The words of the table, here because a constructor cannot wait for them. */
const FIX = "Compare the option that the evidence names with the documentation.";
