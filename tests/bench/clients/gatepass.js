// Ours, wasm by URL: it is fetched beside the script.
import { createClient } from "gatepass";
import { face } from "./gatepass-face.js";

export const open = face(createClient);
