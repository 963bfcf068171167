// Ours, whose `fetch` may show its token to the provider: what ten tabs ask at once.
import { createClient } from "gatepass";
import { face } from "./gatepass-face.js";

export const open = (config, show) =>
  face(createClient, { tokenOrigins: [config.issuer] })(config, show);
