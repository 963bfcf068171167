// Ours, npm's jose and the signature alone: the same ID token in the same page.
//
// Ours is measured by its public face: refreshes that bring an ID token, less as many that bring
// none. So it is the whole path, from JSON to the last rule and `at_hash`, and nothing else.
import { createClient } from "gatepass/inline";
import { createLocalJWKSet, jwtVerify } from "jose";
import { face } from "./gatepass-face.js";

let auth;
/** The answer of the sign-in, which every refresh gets again. */
let signedIn;
/** What the token endpoint says instead of being asked. */
let instead;

const ask = fetch;
window.fetch = async (url, options) => {
  const isToken = options?.method === "POST";
  if (isToken && instead) {
    return new Response(instead, { headers: { "content-type": "application/json" } });
  }
  const response = await ask(url, options);
  if (isToken) signedIn = await response.clone().json();
  return response;
};

export function open(config, show) {
  window.measure = (batches, size) => measure(config, batches, size);
  return face((options) => (auth = createClient(options)))(config, show);
}

async function measure({ issuer, clientId: audience }, batches, size) {
  const { id_token: token, ...rest } = signedIn;
  const metadata = await (await ask(`${issuer}/.well-known/openid-configuration`)).json();
  const keys = await (await ask(metadata.jwks_uri)).json();
  const { alg, kid } = JSON.parse(text(token.split(".")[0]));

  const withToken = JSON.stringify(signedIn);
  const without = JSON.stringify(rest);
  const refresh = () => auth.getToken({ minTtl: 1e6 });

  // A page that comes back verifies one token, so that its key is imported for it, as ours is.
  const joseBy = (keySet) => jwtVerify(token, keySet(), { algorithms: [alg], audience, issuer });
  const keySet = createLocalJWKSet(keys);

  const { kty, n, e, crv, x, y } = keys.keys.find((key) => key.kid === kid);
  const parameters =
    alg === "RS256"
      ? { name: "RSASSA-PKCS1-v1_5", hash: "SHA-256" }
      : { name: "ECDSA", hash: "SHA-256", namedCurve: "P-256" };
  const jwk = { kty, n, e, crv, x, y };
  const key = await crypto.subtle.importKey("jwk", jwk, parameters, false, ["verify"]);
  const signature = bytes(token.split(".")[2]);
  const input = new TextEncoder().encode(token.slice(0, token.lastIndexOf(".")));
  const alone = async () => {
    const good = await crypto.subtle.verify(parameters, key, signature, input);
    if (!good) throw new Error("the signature is wrong");
  };

  const took = { gatepass: [], jose: [], joseKept: [], alone: [] };
  // The first batch warms everything up and is not counted.
  for (let batch = 0; batch <= batches; batch++) {
    instead = withToken;
    const whole = await time(refresh, size);
    instead = without;
    const values = {
      gatepass: whole - (await time(refresh, size)),
      jose: await time(() => joseBy(() => createLocalJWKSet(keys)), size),
      joseKept: await time(() => joseBy(() => keySet), size),
      alone: await time(alone, size),
    };
    if (batch > 0) for (const name in took) took[name].push(values[name]);
  }
  return took;
}

/** Microseconds for each of `size` runs, one after the other. */
async function time(run, size) {
  const began = performance.now();
  for (let done = 0; done < size; done++) await run();
  return ((performance.now() - began) * 1000) / size;
}

const text = (part) => atob(part.replace(/-/g, "+").replace(/_/g, "/"));
const bytes = (part) => Uint8Array.from(text(part), (c) => c.charCodeAt(0));
