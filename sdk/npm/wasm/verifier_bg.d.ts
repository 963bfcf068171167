// What wasm-bindgen makes of ../../verifier/src/module.rs.

import type { Verifier } from "../../driver/part.d.ts";

export const verify: Verifier["verify"];
export const digest: Verifier["digest"];

/** Gives the glue the instance that it calls. */
export function __wbg_set_wasm(exports: WebAssembly.Exports): void;

/** All that the module imports. */
export function __wbindgen_init_externref_table(): void;
