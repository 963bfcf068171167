// npm's oidc-provider, unmodified, as the peer that idp-dev is compared with: one public client,
// codes with PKCE, its own store in memory, no password hash, no consent page.
//
// node oidc-provider.mjs ALG CLIENT_ID REDIRECT_URI: listens on a free port, says "ready issuer=...".
//
// A person signs in by one POST to the interaction's address. There is no page to be fetched first,
// which spares it a request that idp-dev has to answer.

import { generateKeyPair } from "node:crypto";
import { createServer } from "node:http";
import { promisify } from "node:util";
import Provider from "oidc-provider";

import { loadExistingGrant } from "../peers/no-consent.mjs";

const [alg, clientId, redirectUri] = process.argv.slice(2);

const person = { username: "richard", password: "password" };
const claims = { name: "Richard Hendricks", email: "richard@piedpiper.example" };

async function signingKey() {
  const make = promisify(generateKeyPair);
  const { privateKey } =
    alg === "ES256"
      ? await make("ec", { namedCurve: "P-256" })
      : await make("rsa", { modulusLength: 2048 });
  return { ...privateKey.export({ format: "jwk" }), alg, use: "sig", kid: "bench" };
}

const configuration = async () => ({
  clients: [
    {
      client_id: clientId,
      redirect_uris: [redirectUri],
      grant_types: ["authorization_code", "refresh_token"],
      response_types: ["code"],
      token_endpoint_auth_method: "none",
      id_token_signed_response_alg: alg,
    },
  ],
  jwks: { keys: [await signingKey()] },
  cookies: { keys: ["bench"] },
  claims: { openid: ["sub"], profile: ["name"], email: ["email"] },
  conformIdTokenClaims: false,
  findAccount: (_context, accountId) => ({ accountId, claims: () => ({ sub: accountId, ...claims }) }),
  features: { devInteractions: { enabled: false } },
  interactions: { url: (_context, interaction) => `/interaction/${interaction.uid}` },
  pkce: { required: () => true },
  loadExistingGrant,
});

async function form(request) {
  const chunks = [];
  for await (const chunk of request) chunks.push(chunk);
  return new URLSearchParams(Buffer.concat(chunks).toString());
}

const server = createServer();
server.listen(0, "127.0.0.1", async () => {
  const issuer = `http://localhost:${server.address().port}`;
  const provider = new Provider(issuer, await configuration());
  const answer = provider.callback();
  server.on("request", async (request, response) => {
    if (!request.url.startsWith("/interaction/")) return answer(request, response);
    try {
      const typed = await form(request);
      const isRight =
        typed.get("username") === person.username && typed.get("password") === person.password;
      const login = { accountId: person.username };
      const result = isRight ? { login } : { error: "access_denied" };
      await provider.interactionFinished(request, response, result);
    } catch (error) {
      response.writeHead(500).end(String(error));
    }
  });
  console.log(`ready issuer=${issuer}`);
});
