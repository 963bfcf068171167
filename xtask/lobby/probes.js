// What may be wrong with this browser or this machine, and what to do about it.

import { remedy } from "./dom.js";
import { demo } from "./demo.js";

/** Whether anything answers there: the answer itself may stay unread. */
async function answers(url) {
  try {
    await fetch(url, { mode: "no-cors", cache: "no-store", signal: AbortSignal.timeout(5000) });
    return true;
  } catch {
    return false;
  }
}

export async function probe() {
  if (!demo) {
    return remedy(
      "demo",
      "The demo is not running",
      "This page does not know where the apps are. Start them with: cargo xtask demo",
    );
  }
  const [piedPiper, hooli, provider] = await Promise.all([
    answers(`${demo.piedPiper}/config.json`),
    answers(`${demo.hooli}/config.json`),
    answers(`${demo.issuer}/health`),
  ]);
  if (!piedPiper && !hooli && !provider) {
    // This page came from the same program, so it is running: the names are what is missing.
    remedy(
      "names",
      "This browser does not find the demo's addresses",
      "Names that end in .localhost should lead to this machine. Safari does that from " +
        "macOS 26 on; on an older system use Chrome, Edge or Firefox. A proxy or a VPN that " +
        "answers for these names has the same effect: switch it off for .localhost.",
    );
  } else if (!provider) {
    remedy(
      "provider",
      "The identity provider does not answer",
      "Look at the terminal where the demo runs: it says why the provider stopped. Start it " +
        "again with: cargo xtask demo",
    );
  }
  if (!keepsCookie("")) {
    remedy(
      "cookies",
      "This browser keeps no cookies here",
      "The provider remembers you by a cookie of its own. Allow cookies for localhost and " +
        "the sites below it, or leave private browsing, and load this page again.",
    );
  } else if (!keepsCookie("; Secure")) {
    remedy(
      "cookies",
      "This browser keeps no secure cookies without https",
      "The provider's cookie is marked Secure. Chrome, Edge and Firefox keep such cookies on " +
        "localhost; Safari does not. Use one of those for this demo.",
    );
  }
}

function keepsCookie(attributes) {
  const name = `gatepass-probe-${Math.random().toString(36).slice(2)}`;
  document.cookie = `${name}=1; SameSite=Lax; Max-Age=30${attributes}`;
  const isKept = document.cookie.includes(`${name}=1`);
  document.cookie = `${name}=; SameSite=Lax; Max-Age=0${attributes}`;
  return isKept;
}
