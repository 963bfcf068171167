/** `gatepass/inline`: the module lies in the script, a third larger; nothing else is fetched. */

import base64 from "../wasm/inline.js";
import { makeClient } from "./client.js";
import { compile, type Sources } from "./load.js";
import type { Claims, Client, Options } from "./types.js";

export { explain, GatepassError } from "./errors.js";
export type * from "./types.js";

/** As `createClient` of `gatepass`. */
export const createClient = <C = Claims>(options: Options): Client<C> =>
  makeClient(options, inlined);

const inlined: Sources = {
  client: (imports) => compile(bytes(base64), imports),
  verifier: async (imports) => compile(bytes((await import("../wasm/verifier.js")).default), imports),
};

const bytes = (text: string) => Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
