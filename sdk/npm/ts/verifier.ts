/** The portable verifier: loaded once for a page, when WebCrypto has no answer. */

import type { Part } from "../../driver/part.d.ts";
import { portable } from "../../driver/verifier.js";
// By name: the bundler's helper for a module as a value, which the client's glue needs too, would
// become a file of its own on the first load.
import {
  __wbg_set_wasm,
  __wbindgen_init_externref_table,
  digest,
  verify,
} from "../wasm/verifier_bg.js";

/**
 * The verifier as a part of the driver. Rejects if its module cannot be had; the next call tries
 * again.
 *
 * A file of its own for both entries: few pages need it, and in a script it would be a weight that
 * all would carry.
 */
export async function openVerifier(): Promise<Part> {
  try {
    await (loading ??= open());
  } catch (error) {
    loading = undefined;
    throw error;
  }
  return portable({ verify, digest });
}

async function open() {
  // Written like this, bundlers find the file and put its final address here.
  const response = await fetch(new URL("../wasm/verifier_bg.wasm", import.meta.url));
  const imports = { "./verifier_bg.js": { __wbindgen_init_externref_table } };
  // What is no module, a page in its place for example, does not compile.
  const { instance } = await WebAssembly.instantiate(await response.arrayBuffer(), imports);
  __wbg_set_wasm(instance.exports);
  (instance.exports["__wbindgen_start"] as () => void)();
}

let loading: Promise<void> | undefined;
