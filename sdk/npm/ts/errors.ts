/** The one error of the package. */

import type { WireError } from "../../driver/wire.d.ts";
import type { Blame, ErrorCode, Evidence, Refusal } from "./types.js";

/** What was refused, and what to do about it. */
export class GatepassError extends Error implements Refusal {
  override readonly name = "GatepassError";
  /** A stable name. */
  readonly code: ErrorCode;
  /** Who has to act. */
  readonly blame: Blame;
  /** What was expected and what came, if the code alone does not tell. Never holds a secret. */
  readonly evidence?: Evidence;
  /** What to change, in one sentence; empty if the sentence itself could not be loaded. */
  readonly fix: string;
  /** Where the documentation tells more. */
  readonly docs: string;

  /** @internal Errors are made by the package only. */
  constructor({ code, blame, evidence }: Refusal, fix: string, cause?: unknown) {
    const found = evidence && (evidence.found || "nothing");
    super(evidence ? `${code}: ${evidence.subject}: expected ${evidence.expected}, found ${found}` : code, {
      cause,
    });
    this.code = code;
    this.blame = blame;
    this.evidence = evidence;
    this.fix = fix;
    this.docs = DOCS + code;
  }
}

/** What a code means, and what to do about it: for showing the error of a session. */
export async function explain(code: ErrorCode): Promise<{ meaning: string; fix: string }> {
  // Its own chunk: as many bytes as the rest of the face, needed when something fails.
  const [meaning, fix] = (await import("./explanations.js")).explanations[code];
  return { meaning, fix };
}

/** The error for a refusal, with its words if they can be loaded. */
export async function errorOf(refusal: Refusal, cause?: unknown): Promise<GatepassError> {
  const words = await explain(refusal.code).catch(() => undefined);
  return new GatepassError(refusal, words?.fix ?? "", cause);
}

/** A refusal of the machine, in the shape of the face. */
export function refusalOf({ code, blame, ...evidence }: WireError): Refusal {
  return { code, blame, ...(evidence.subject && { evidence: evidence as Evidence }) };
}

const DOCS = "https://github.com/gatepass/gatepass/blob/main/docs/errors.md#";
