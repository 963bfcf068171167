// Another library's client at our provider, in Node. It says one line, hears one line, and so on:
// says the address to sign in at, hears the callback, says what it has learned; then the same with
// `prompt=none`; then the address to sign out at, and hears where that led.
import dns from "node:dns";
import { createInterface } from "node:readline";
import * as client from "openid-client";

// Browsers map names below `localhost` themselves; the system's resolver may not.
const lookup = dns.lookup;
dns.lookup = (name, options, done) =>
  lookup(name.endsWith(".localhost") ? "127.0.0.1" : name, options, done);

const [issuer, redirectUri] = process.argv.slice(2);
const lines = createInterface({ input: process.stdin })[Symbol.asyncIterator]();
const say = (what) => console.log(typeof what === "string" ? what : JSON.stringify(what));

const config = await client.discovery(
  new URL(issuer),
  "openid-client",
  undefined,
  client.None(),
  { execute: [client.allowInsecureRequests] },
);
const verifier = client.randomPKCECodeVerifier();
const checks = {
  pkceCodeVerifier: verifier,
  expectedState: client.randomState(),
  expectedNonce: client.randomNonce(),
  maxAge: 3600,
  idTokenExpected: true,
};
const parameters = {
  redirect_uri: redirectUri,
  scope: "openid profile email",
  code_challenge: await client.calculatePKCECodeChallenge(verifier),
  code_challenge_method: "S256",
  state: checks.expectedState,
  nonce: checks.expectedNonce,
  max_age: String(checks.maxAge),
};
say(client.buildAuthorizationUrl(config, parameters).href);

const callback = new URL((await lines.next()).value);
const tokens = await client.authorizationCodeGrant(config, callback, checks);
const claims = tokens.claims();
const info = await client.fetchUserInfo(config, tokens.access_token, claims.sub);
const renewed = await client.refreshTokenGrant(config, tokens.refresh_token);
const again = await client.authorizationCodeGrant(config, callback, checks).then(
  () => "accepted",
  (error) => error.error,
);
say({
  claims,
  info,
  rotated: renewed.refresh_token !== tokens.refresh_token,
  renewedSubject: renewed.claims().sub,
  secondRedemption: again,
});

say(client.buildAuthorizationUrl(config, { ...parameters, prompt: "none" }).href);
const silently = new URL((await lines.next()).value);
const silent = await client.authorizationCodeGrant(config, silently, checks);
say({ subject: silent.claims().sub });

const state = client.randomState();
const leave = {
  id_token_hint: silent.id_token,
  post_logout_redirect_uri: redirectUri,
  state,
};
say(client.buildEndSessionUrl(config, leave).href);
const back = new URL((await lines.next()).value);
say({ signedOut: back.searchParams.get("state") === state });
process.exit(0);
