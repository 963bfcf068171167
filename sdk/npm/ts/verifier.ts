/** The portable verifier: loaded once for a page, when WebCrypto has no answer. */

import type { Part } from "../../driver/part.d.ts";
import { portable } from "../../driver/verifier.js";
import * as glue from "../wasm/verifier_bg.js";
import type { Source } from "./load.js";

/** The verifier as a part of the driver. Rejects if the module cannot be had; the next call tries again. */
export async function openVerifier(source: Source): Promise<Part> {
  try {
    await (loading ??= source({ "./verifier_bg.js": glue }).then(begin));
  } catch (error) {
    loading = undefined;
    throw error;
  }
  return portable(glue);
}

function begin({ exports }: WebAssembly.Instance) {
  glue.__wbg_set_wasm(exports);
  (exports["__wbindgen_start"] as () => void)();
}

let loading: Promise<void> | undefined;
