/** `gatepass`: the module is a file of its own, which the bundler puts beside the script. */

import { makeClient } from "./client.js";
import { compile, wasmUnavailable, type Source } from "./load.js";
import type { Claims, Client, Options } from "./types.js";

export { explain, GatepassError } from "./errors.js";
export type * from "./types.js";

/**
 * Makes the client of one app at one provider, and begins to find out whether there is a session.
 *
 * Call it once, before a router reads the address: a provider's answer is taken out of it here.
 * Throws for options of the wrong shape only. On a server it does nothing, and the status stays
 * `restoring`.
 */
export const createClient = <C = Claims>(options: Options): Client<C> =>
  makeClient(options, fetched);

const fetched: Source = async (imports) => {
  let response: Response;
  try {
    // Written like this, bundlers find the file and put its final address here.
    response = await fetch(new URL("../wasm/gatepass_bg.wasm", import.meta.url));
  } catch (error) {
    throw await wasmUnavailable("a response, allowed by connect-src", String(error), error);
  }
  const type = response.headers.get("content-type") ?? "no content-type";
  if (!response.ok) throw await wasmUnavailable("status 200", `status ${response.status}`);
  // A page instead of the file, as servers of single-page apps answer for what they do not have.
  if (type.startsWith("text/html")) throw await wasmUnavailable("application/wasm", type);
  // Not streamed: at this size that gains nothing, and it would fail for any other type of content.
  return compile(await response.arrayBuffer(), imports);
};
