// The guided tour: seven things to try, in any order. Each is ticked off when the provider and the
// apps say that it happened, never by a click here.

import { $, byTest, clock, set } from "./dom.js";
import { APPS, NAMES, other } from "./demo.js";
import { personOf, reports } from "./reports.js";
import { seen, startAgain } from "./seen.js";

const KEY = "gatepass-lobby:tour";

const WAITING = {
  "sign-in": "Waiting for your sign-in.",
  "silent-sign-on": "Waiting for the second app.",
  "single-logout": "Waiting for a sign-out.",
  "leave-app": "Waiting for you to leave one app.",
  "forbidden-user": "Waiting for dinesh at Hooli.",
  "wrong-password": "Waiting for a wrong password.",
  "provider-down": "Waiting for an app without its provider.",
};

const STOPS = Object.keys(WAITING);
const outcomes = restore();
/** The stop that an address leads to, until another one is ticked off. */
let chosen = null;

// What has happened stays happened when this page is loaded again; a browser that keeps nothing
// only loses that.
function restore() {
  try {
    const kept = JSON.parse(sessionStorage.getItem(KEY) ?? "{}");
    return typeof kept === "object" && kept ? kept : {};
  } catch {
    return {};
  }
}

function keep() {
  try {
    sessionStorage.setItem(KEY, JSON.stringify(outcomes));
  } catch {
    // The ticks are then gone with the page; nothing else depends on them.
  }
}

/** Looks whether something has happened that is to be ticked off. */
export function judge() {
  const at = (app) => reports[app]?.session;
  const isIn = (app) => at(app)?.status === "authenticated";
  for (const app of APPS) {
    const session = at(app);
    const name = NAMES[app];
    if (isIn(app) && seen.login?.client_id === app) {
      done("sign-in", `Done: ${personOf(session)} signed in at ${clock(seen.login.at)}.`);
    }
    if (isIn(app) && seen.login && seen.silent[app] && seen.login.client_id !== app) {
      done("silent-sign-on", `Done: ${name} got its answer from the provider, and no page was shown.`);
    }
    if (session?.status === "anonymous" && session.cause?.ending === "logout_token") {
      if (seen.ender?.client === other(app)) {
        done("single-logout", `Done: you signed out at ${NAMES[other(app)]}, and ${name} was told.`);
      }
    }
    if (seen.left === app && seen.sso) {
      done("leave-app", `Done: ${name} has forgotten you, and the provider's session goes on.`);
    }
    if (session?.status === "offline" && session.subject) {
      done("provider-down", `Done: ${name} kept you signed in without its provider.`);
    }
  }
  if (seen.refused) {
    const { user, client_id: app } = seen.refused;
    done("forbidden-user", `Done: ${user} is known, but may not use ${NAMES[app] ?? app}.`);
  }
  if (seen.failed) {
    done("wrong-password", "Done: the provider refused it, and no session began.");
  }
}

function done(stop, words) {
  if (outcomes[stop]) return;
  const was = current();
  outcomes[stop] = words;
  keep();
  if (was === stop || chosen === stop) chosen = null;
  const title = titleOf(stop);
  draw();
  const next = current();
  announce(`${title}. ${words} ${next ? `Next: ${titleOf(next)}.` : "That was the tour."}`);
  // The button that starts the provider again must stay within reach.
  if (was !== current() && stop !== "provider-down") open(current());
}

const titleOf = (stop) => $(`tour-${stop}`).querySelector("h3").lastChild.textContent;

/** What was said while nobody could hear it: the person was in an app's tab. */
let unheard = [];

/** A screen reader reads what changes in the tab at hand, and in no other. */
function announce(words) {
  unheard.push(words);
  // Two ticks of one moment are one sentence after the other.
  if (document.visibilityState === "visible") setTimeout(sayUnheard);
}

function sayUnheard() {
  if (unheard.length) set($("announcer"), unheard.splice(0).join(" "));
}

// Not at once: the name of the tab is read first, and would be read over it.
document.addEventListener("visibilitychange", () => {
  if (document.visibilityState === "visible") setTimeout(sayUnheard, 500);
});

const current = () => chosen ?? STOPS.find((stop) => !outcomes[stop]) ?? null;

function draw() {
  const now = current();
  for (const stop of STOPS) {
    const item = $(`tour-${stop}`);
    const details = byTest(`tour-${stop}`);
    const isDone = String(Boolean(outcomes[stop]));
    for (const node of [item, details]) {
      node.dataset.done = isDone;
      node.dataset.now = String(stop === now);
    }
    if (stop === now) details.querySelector("summary").setAttribute("aria-current", "step");
    else details.querySelector("summary").removeAttribute("aria-current");
    set(item.querySelector(".outcome"), outcomes[stop] ?? WAITING[stop]);
    set(item.querySelector(".done-word"), outcomes[stop] ? "Done. " : "");
  }
  // The app that the stop at hand begins with has the one prominent button.
  const first = { "silent-sign-on": "hooli", "forbidden-user": "hooli" }[now] ?? "pied-piper";
  for (const app of APPS) byTest(`open-${app}`).classList.toggle("primary", now && app === first);
  $("again").hidden = !Object.keys(outcomes).length;
  byTest("tour-over").hidden = Boolean(now);
}

function open(stop) {
  if (stop) byTest(`tour-${stop}`).open = true;
}

/** `#tour=single-logout` leads to that stop. */
function goTo(hash) {
  const stop = /^#tour=([a-z-]+)$/.exec(hash)?.[1];
  if (!STOPS.includes(stop)) return;
  chosen = stop;
  draw();
  open(stop);
  const summary = byTest(`tour-${stop}`).querySelector("summary");
  summary.focus({ preventScroll: true });
  $(`tour-${stop}`).scrollIntoView({ block: "center" });
}

$("again").addEventListener("click", () => {
  for (const stop of STOPS) delete outcomes[stop];
  keep();
  chosen = null;
  startAgain();
  draw();
  open(STOPS[0]);
  // The button is gone now; its heading is the nearest place to go on from.
  byTest("open-pied-piper").focus();
});

/** Shows where the tour stands. */
export function begin() {
  draw();
  open(current());
  goTo(location.hash);
  addEventListener("hashchange", () => goTo(location.hash));
}
