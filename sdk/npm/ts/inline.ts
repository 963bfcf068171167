/** `gatepass/inline`: the module lies in the script, a third larger; nothing else is fetched. */

import base64 from "../wasm/inline.js";
import { makeClient } from "./client.js";
import { compile, type Source } from "./load.js";
import type { Claims, Client, Options } from "./types.js";

export { explain, GatepassError } from "./errors.js";
export type * from "./types.js";

/** As `createClient` of `gatepass`. */
export const createClient = <C = Claims>(options: Options): Client<C> =>
  makeClient(options, inlined);

const inlined: Source = (imports) =>
  compile(Uint8Array.from(atob(base64), (letter) => letter.charCodeAt(0)), imports);
