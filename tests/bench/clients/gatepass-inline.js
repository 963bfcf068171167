// Ours, wasm inside the script.
import { createClient } from "gatepass/inline";
import { face } from "./gatepass-face.js";

export const open = face(createClient);
