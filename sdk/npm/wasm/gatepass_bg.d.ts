// What wasm-bindgen makes of ../src/lib.rs, as far as load.ts uses it.

export function open(config: Uint8Array): Uint8Array;
export function step(
  machine: number,
  wallMs: number,
  monotonicMs: number,
  entropy: Uint8Array,
  fact: Uint8Array,
  bytes: Uint8Array,
): Uint8Array;

/** Gives the glue the instance that it calls. */
export function __wbg_set_wasm(exports: WebAssembly.Exports): void;
