// Where everything is, as the lobby's own server says, and what it does for this page.

export const NAMES = { "pied-piper": "Pied Piper", hooli: "Hooli" };
export const APPS = Object.keys(NAMES);
export const other = (app) => (app === "hooli" ? "pied-piper" : "hooli");

/** Absent if this page is not served by the demo. */
export const demo = await read("/demo.json");

export const originOf = (app) => (app === "hooli" ? demo?.hooli : demo?.piedPiper);

/** Whether the provider runs, its clock and its sessions; absent if the server does not say. */
export const readState = () => read("/control/state");

/** Starts or stops the provider. */
export const runProvider = (run) => post("/control/provider", { run });

/** Moves the provider's clock forward by whole seconds. */
export const advanceClock = (advance) => post("/control/clock", { advance });

/** Ends every session at the provider, as an administrator does. */
export const endSessions = () => post("/control/end", {});

/** Ends every session and sets the clock back. */
export const resetProvider = () => post("/control/reset", {});

async function read(path) {
  try {
    const answer = await fetch(path, { cache: "no-store" });
    return answer.ok ? await answer.json() : undefined;
  } catch {
    return undefined;
  }
}

/** Throws with the server's own words when it refuses. */
async function post(path, body) {
  const answer = await fetch(path, {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(body),
  });
  if (answer.ok) return;
  const said = await answer.json().catch(() => ({}));
  throw new Error(said.error ?? `the lobby's server answered ${answer.status}`);
}
