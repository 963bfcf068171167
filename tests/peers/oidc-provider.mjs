// npm's oidc-provider, unmodified, as the provider of our packed client. It wants Node 22.
//
// node oidc-provider.mjs CERTIFICATE CLIENT_ID HOME [CLIENT_ID HOME ...]: listens on a free port, by https
// with the directory of a certificate, or by http where that is empty, says its issuer, and from then on
// one line for each thing that matters: what tokens were given for, and each end of a session.

import { generateKeyPair } from "node:crypto";
import { readFileSync } from "node:fs";
import http from "node:http";
import https from "node:https";
import { promisify } from "node:util";
import Provider from "oidc-provider";

import { loadExistingGrant } from "./no-consent.mjs";

const [certificate, ...named] = process.argv.slice(2);
const homes = new Map();
while (named.length > 0) homes.set(named.shift(), named.shift());
const say = (line) => process.stdout.write(`${line}\n`);

// The address of the question whether to sign out has an ID token in it.
const page = (title, body) =>
  `<!doctype html><html lang="en"><meta charset="utf-8"><meta name="referrer" content="no-referrer"><title>${title}</title><h1>${title}</h1>${body}`;

async function configuration() {
  const pair = await promisify(generateKeyPair)("rsa", { modulusLength: 2048 });
  const key = { ...pair.privateKey.export({ format: "jwk" }), alg: "RS256", use: "sig", kid: "peer" };
  return {
    clients: Array.from(homes, ([clientId, home]) => ({
      client_id: clientId,
      redirect_uris: [home],
      post_logout_redirect_uris: [home],
      grant_types: ["authorization_code", "refresh_token"],
      response_types: ["code"],
      token_endpoint_auth_method: "none",
    })),
    jwks: { keys: [key] },
    // Over http, browsers drop what says SameSite=None, its default.
    cookies: { keys: ["peer"], long: { sameSite: "lax", httpOnly: true, overwrite: true } },
    claims: { openid: ["sub", "sid"], profile: ["name"], email: ["email"] },
    // The ID token has what the scopes allow, as that of idp-dev has.
    conformIdTokenClaims: false,
    routes: { userinfo: "/userinfo" },
    clientBasedCORS: (_context, origin, client) => origin === new URL(homes.get(client.clientId)).origin,
    // So short that a client which looks at `expires_in` refreshes before each use.
    ttl: { AccessToken: 20, IdToken: 300, Grant: 3600, Session: 3600, Interaction: 300, RefreshToken: 3600 },
    issueRefreshToken: () => true,
    rotateRefreshToken: true,
    findAccount: (_context, accountId) => ({
      accountId,
      claims: () => ({ sub: accountId, name: "Richard Hendricks", email: "richard@piedpiper.example" }),
    }),
    features: {
      devInteractions: { enabled: false },
      revocation: { enabled: true },
      rpInitiatedLogout: {
        logoutSource(context, form) {
          const button = `<button form="op.logoutForm" name="logout" value="yes" data-testid="submit">Sign out</button>`;
          context.body = page("Sign out?", form + button);
        },
      },
    },
    interactions: { url: (_context, interaction) => `/interaction/${interaction.uid}` },
    pkce: { required: () => true },
    loadExistingGrant,
  };
}

const form = page(
  "Sign in",
  `<form method="post"><button data-testid="submit">Sign in as Richard</button></form>`,
);

const read = (name) => readFileSync(`${certificate}/${name}`);
const server = certificate
  ? https.createServer({ cert: read("cert.pem"), key: read("key.pem") })
  : http.createServer();
server.listen(0, "127.0.0.1", async () => {
  // A site of its own, as every provider is.
  const issuer = `${certificate ? "https" : "http"}://peer.localhost:${server.address().port}`;
  const provider = new Provider(issuer, await configuration());
  provider.on("grant.success", (context) => say(`token ${context.oidc.params.grant_type}`));
  provider.on("authorization.success", (context) => {
    say(`authorized ${context.oidc.params.prompt ?? "by a person"}`);
  });
  provider.on("end_session.success", () => say("session ended"));
  const answer = provider.callback();
  server.on("request", async (request, response) => {
    if (!request.url.startsWith("/interaction/")) return answer(request, response);
    if (request.method !== "POST") return response.writeHead(200, { "content-type": "text/html" }).end(form);
    try {
      await provider.interactionFinished(request, response, { login: { accountId: "richard" } });
    } catch (error) {
      response.writeHead(500).end(String(error));
    }
  });
  say(issuer);
});
