/** The wasm module: loaded once for a page, with one machine for each client. */

import type { Step } from "../../driver/part.d.ts";
import type { Config, WireError } from "../../driver/wire.d.ts";
import * as glue from "../wasm/gatepass_bg.js";
import { errorOf, refusalOf, type GatepassError } from "./errors.js";

/** Makes an instance of the module from wherever it lies. */
export type Source = (imports: WebAssembly.Imports) => Promise<WebAssembly.Instance>;

/**
 * Makes a machine; loads the module first if no client has done so.
 *
 * Rejects with `config_invalid`, or with `wasm_unavailable`, after which the next call tries again.
 */
export async function openMachine(source: Source, config: Config): Promise<Step> {
  try {
    await (loading ??= source({ "./gatepass_bg.js": glue }).then(begin));
  } catch (error) {
    loading = undefined;
    throw error;
  }
  const opened = glue.open(encoder.encode(JSON.stringify(config)));
  const machine = JSON.parse(decoder.decode(opened)) as number | WireError;
  if (typeof machine !== "number") throw await errorOf(refusalOf(machine));
  return (wallMs, monotonicMs, entropy, fact, bytes) =>
    decoder.decode(glue.step(machine, wallMs, monotonicMs, entropy, encoder.encode(fact), bytes));
}

/** Why the module is not there: what was expected of the page or its server, and what came. */
export function wasmUnavailable(
  expected: string,
  found: string,
  cause?: unknown,
): Promise<GatepassError> {
  const evidence = { subject: "gatepass_bg.wasm", expected, found };
  return errorOf({ code: "wasm_unavailable", blame: "application", evidence }, cause);
}

/** Compiles the module's bytes: where a Content-Security-Policy says no. */
export async function compile(
  bytes: BufferSource,
  imports: WebAssembly.Imports,
): Promise<WebAssembly.Instance> {
  try {
    return (await WebAssembly.instantiate(bytes, imports)).instance;
  } catch (error) {
    throw await wasmUnavailable("script-src 'wasm-unsafe-eval'", String(error), error);
  }
}

function begin({ exports }: WebAssembly.Instance) {
  glue.__wbg_set_wasm(exports);
  (exports["__wbindgen_start"] as () => void)();
}

let loading: Promise<void> | undefined;
const encoder = new TextEncoder();
const decoder = new TextDecoder();
