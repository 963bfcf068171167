// Ours, with the session kept: `session`.
import { createClient } from "gatepass";
import { face } from "./gatepass-face.js";

export const open = face(createClient, { storage: "session" });
