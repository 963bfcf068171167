// Another library's client at our provider, in Node. It says one line, hears one line, and so on:
// says the address to sign in at, hears the callback, says what it has learned.
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
const address = client.buildAuthorizationUrl(config, {
  redirect_uri: redirectUri,
  scope: "openid profile email",
  code_challenge: await client.calculatePKCECodeChallenge(verifier),
  code_challenge_method: "S256",
  state: checks.expectedState,
  nonce: checks.expectedNonce,
  max_age: String(checks.maxAge),
});
say(address.href);

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
  endSession: client.buildEndSessionUrl(config, { id_token_hint: tokens.id_token }).origin,
});
process.exit(0);
