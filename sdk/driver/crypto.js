/** Hashes and signatures by WebCrypto. */

/** @import { Part, PartMaker } from "./part.d.ts" */

import { failed } from "./loop.js";

/** @returns {Part} */
export function webCrypto() {
  /**
   * The key that was used last, with what it was made of: one refresh mostly takes that of the one
   * before.
   *
   * @type {{ from?: string, key?: any }}
   */
  let last = {};
  return {
    effects: {
      async digest(_, { algorithm, text }) {
        const hash = await crypto.subtle.digest(algorithm, utf8(text));
        return { kind: "digest", value: encode(new Uint8Array(hash)) };
      },

      async verify_signature(_, { algorithm, key, input, signature }) {
        const { subtle } = crypto;
        const parameters = algorithmOf(algorithm);
        // Plain http beyond this machine has no WebCrypto.
        if (!subtle) return failed("unavailable");
        if (!parameters) return failed("unsupported");
        // Only what makes the key: WebCrypto would refuse a `use`, `key_ops` or `alg` that it does
        // not expect, and whether those fit is for the machine to judge.
        const { kty, n, e, crv, x, y } = /** @type {JsonWebKey} */ (key);
        const jwk = { kty, n, e, crv, x, y };
        try {
          const from = algorithm + JSON.stringify(jwk);
          if (last.from !== from)
            last = { from, key: await subtle.importKey("jwk", jwk, parameters, false, ["verify"]) };
          const valid = await subtle.verify(parameters, last.key, decode(signature), utf8(input));
          return { kind: "verdict", valid };
        } catch (error) {
          // That the browser has not this algorithm says nothing about the key or the signature.
          const missing = /** @type {Error} */ (error).name === "NotSupportedError";
          return failed(missing ? "unsupported" : "bad_key");
        }
      },
    },
  };
}

/**
 * WebCrypto, and what it has no answer for (a page by plain http, an algorithm that this browser
 * lacks) by the part that `load` brings.
 *
 * @param {() => Promise<Part>} load called when it is needed, and each time it is
 * @returns {PartMaker}
 */
export const cryptoWith = (load) => () => {
  const { effects } = webCrypto();
  /** @param {"digest" | "verify_signature"} kind */
  const asked = (kind) => async (/** @type {[number, any, AbortController]} */ ...given) => {
    const reply = await Promise.resolve(effects?.[kind]?.(...given)).catch(() => failed("unavailable"));
    if (!reply || !("reason" in reply) || reply.reason === "bad_key") return reply;
    const other = await load().catch(() => undefined);
    return other?.effects?.[kind]?.(...given) ?? reply;
  };
  return { effects: { digest: asked("digest"), verify_signature: asked("verify_signature") } };
};

/** @param {string} text */
const utf8 = (text) => new TextEncoder().encode(text);

/** @param {Uint8Array} bytes */
const encode = (bytes) =>
  btoa(String.fromCharCode(...bytes)).replace(/\+/g, "-").replace(/\//g, "_").replace(/=/g, "");

/** @param {string} text base64url; the machine has checked its form */
const decode = (text) => {
  const binary = atob(text.replace(/-/g, "+").replace(/_/g, "/"));
  const bytes = new Uint8Array(binary.length);
  // Not `Uint8Array.from`: a signature took as long as its verification.
  for (let at = 0; at < bytes.length; at++) bytes[at] = binary.charCodeAt(at);
  return bytes;
};

/**
 * JOSE's name of an algorithm (RFC 7518 3.1, RFC 8037 3.1, RFC 9864 2.2) in WebCrypto's words. Members that an
 * algorithm does not have are not looked at.
 *
 * @param {string} name
 */
const algorithmOf = (name) => {
  if (name === "EdDSA" || name === "Ed25519") return { name: "Ed25519" };
  const [, family, bits] = /^([REP]S)(256|384|512)$/.exec(name) ?? [];
  return (
    family && {
      name: NAMES[family],
      hash: "SHA-" + bits,
      namedCurve: "P-" + (bits === "512" ? 521 : bits),
      saltLength: +bits / 8,
    }
  );
};

/** @type {Record<string, string>} */
const NAMES = { RS: "RSASSA-PKCS1-v1_5", PS: "RSA-PSS", ES: "ECDSA" };
