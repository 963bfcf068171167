/**
 * Hashes and signatures without WebCrypto, by a wasm module of its own. Few pages need it: it is
 * loaded when one does.
 */

/** @import { Part, Verifier } from "./part.d.ts" */

import { failed } from "./loop.js";

/**
 * @param {Verifier} module
 * @returns {Part}
 */
export function portable({ verify, digest }) {
  return {
    effects: {
      digest(_, { algorithm, text }) {
        const hash = digest(utf8(algorithm), utf8(text));
        return hash.length ? { kind: "digest", value: encode(hash) } : failed("unavailable");
      },

      verify_signature(_, { algorithm, key, input, signature }) {
        const jwk = utf8(JSON.stringify(key));
        const told = verify(utf8(algorithm), jwk, utf8(input), decode(signature));
        if (told > 1) return failed(told === 2 ? "bad_key" : "unsupported");
        return { kind: "verdict", valid: told === 1 };
      },
    },
  };
}

// As in crypto.js, from which they are not taken: what a later chunk shares with the first is a chunk
// of its own, which the first load would pay for.

/** @param {string} text */
const utf8 = (text) => new TextEncoder().encode(text);

/** @param {Uint8Array} bytes */
const encode = (bytes) =>
  btoa(String.fromCharCode(...bytes)).replace(/\+/g, "-").replace(/\//g, "_").replace(/=/g, "");

/** @param {string} text */
const decode = (text) =>
  Uint8Array.from(atob(text.replace(/-/g, "+").replace(/_/g, "/")), (c) => c.charCodeAt(0));
