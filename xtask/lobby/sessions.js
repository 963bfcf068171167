// The three sessions, and the table of what a visit does when one of them is over (F4, F11, C1).
// The provider's is what the provider says; an app's is what the app says, or not known.

import { $, byTest, clock, element, remedy, set, stretch } from "./dom.js";
import {
  APPS,
  NAMES,
  advanceClock,
  demo,
  endSessions,
  originOf,
  readState,
  resetProvider,
  runProvider,
} from "./demo.js";
import { CAUSES, personOf, reports, tell } from "./reports.js";
import { forget, seen } from "./seen.js";

/** What the lobby's server says: the provider's clock and sessions. */
let state;
/** How many milliseconds the provider's clock is ahead of this machine's. */
let ahead = 0;
let isUp = false;
let asked;

/** So long is the app's own session when a person wants to see it end. */
const SHORT = 60;

/** The time on the provider's clock, in milliseconds, now or so long ago. */
export const providerNow = (age = 0) =>
  state?.clock?.frozen ? state.clock.now_ms : Date.now() - age + ahead;

export const isStopped = () => state?.provider === "stopped";

export function setUp(up) {
  isUp = up;
  refresh();
}

/** Asks the lobby's server anew; many wishes in a moment are one. */
export function refresh() {
  draw();
  asked ??= setTimeout(read, 60);
}

/** One question at a time, so that an old answer never replaces a newer one. */
let reading = Promise.resolve();

function read() {
  asked = undefined;
  reading = reading.then(async () => {
    const answer = await readState();
    // It is moved by seconds; what is less is the time that the answer took.
    if (answer?.clock) ahead = Math.round((answer.clock.now_ms - Date.now()) / 1000) * 1000;
    state = answer;
    draw();
  });
  return reading;
}

// ------------------------------------------------------------------ the cards

const STATES = {
  restoring: "Finding out whether there is a session.",
  anonymous: "Nobody is signed in here.",
  expired: "The session has run out.",
  offline: "The provider cannot be reached.",
};

export function draw() {
  drawProvider();
  for (const app of APPS) drawApp(app);
  drawTable();
  drawStopButton();
}

/** The provider's session of this browser, as its control API tells it. */
function ssoSession() {
  const all = state?.sessions ?? [];
  return all.find((session) => session.id === seen.sso?.id) ?? all.at(-1);
}

function drawProvider() {
  if (isStopped()) {
    return card("idp", "away", "offline", "It is stopped, and what it kept in memory is gone.", [
      ["What ends it", "Nothing is left to end."],
    ]);
  }
  if (!isUp) return card("idp", "unknown", "", "The provider does not answer.", []);
  const session = ssoSession();
  if (!session && !seen.sso) {
    return card("idp", "none", "", "Nobody is signed in at the provider.", [
      ["Begins", "with a password at its sign-in page"],
    ]);
  }
  const user = session?.user ?? seen.sso?.user ?? "Somebody";
  const joined = session ? session.clients.map((one) => one.client_id) : [...seen.sso.apps];
  const order = (app) => APPS.indexOf(app);
  const apps = joined
    .sort((a, b) => order(a) - order(b))
    .map((app) => NAMES[app] ?? app)
    .join(" and ");
  const now = providerNow() / 1000;
  const rows = [["Age", stretch(now - (session?.started ?? seen.sso.at / 1000))]];
  if (session) {
    rows.push(
      ["Without a visit", `ends in ${stretch(session.idle_end - now)}`],
      ["In any case", `ends in ${stretch(session.absolute_end - now)}`],
    );
  } else {
    rows.push(["Limits", "not known"]);
  }
  rows.push(["What ends it", "a sign-out at any app, another person's sign-in, its limits"]);
  card("idp", "open", "open", `${user} is signed in${apps ? `, seen by ${apps}` : ""}.`, rows);
}

function drawApp(app) {
  const report = reports[app];
  if (!report) return card(app, "not known", "", "It reports when you open it from here.", []);
  if (report.window?.closed) {
    return card(app, "closed", "", "Its tab was closed, and its session with it.", []);
  }
  const { session } = report;
  const isHeld = session.status === "authenticated" || (session.status === "offline" && session.subject);
  // Whatever a page says that is there again, it says later. (In some browsers the last that it says when
  // it is left is that nothing is known of the next one; others let it say nothing.)
  const awaySince = seen.flows[app]?.awaySince;
  if (awaySince && (session.status === "restoring" || (!isHeld && report.heard < awaySince))) {
    return card(app, "at the provider", "", "Its tab shows a page of the provider now.", []);
  }
  if (!isHeld) {
    const why = CAUSES[session.cause?.ending] ?? STATES[session.status] ?? "";
    const rows = session.cause?.at ? [["Ended at", clock(session.cause.at * 1000)]] : [];
    return card(app, session.status, session.status, why, rows);
  }
  const now = providerNow() / 1000;
  const rows = [];
  if (session.started_at) rows.push(["Age", stretch(now - session.started_at)]);
  rows.push(
    ["Without a visit", "no limit of its own"],
    ["In any case", session.expires_at ? `ends in ${stretch(session.expires_at - now)}` : "no limit of its own"],
    ["What ends it", "a sign-out here or anywhere, the provider's word, its limit"],
  );
  const away = session.status === "offline" ? " The provider is away; nobody is signed out for that." : "";
  card(app, session.status, session.status, `${personOf(session)} is signed in.${away}`, rows);
}

function card(name, word, look, what, rows) {
  const found = $(`session-${name}`);
  const badge = found.querySelector(".state");
  set(badge, word);
  badge.dataset.state = look;
  set(found.querySelector(".what"), what);
  const terms = found.querySelector("dl");
  if (terms.children.length !== rows.length) {
    terms.replaceChildren(
      ...rows.map(() => {
        const pair = element("div");
        pair.append(element("dt"), element("dd"));
        return pair;
      }),
    );
  }
  rows.forEach(([term, text], at) => {
    const [dt, dd] = terms.children[at].children;
    set(dt, term);
    set(dd, text);
  });
}

// ------------------------------------------------------------------ the table

const table = $("visits");
const theApp = () => table.querySelector("input:checked").value;

/** Whether an app's session stands: true, false, or not known. */
function appStands(app) {
  const report = reports[app];
  if (!report || report.window?.closed || report.session.status === "restoring") return undefined;
  const { status, subject } = report.session;
  return status === "authenticated" || (status === "offline" && Boolean(subject));
}

/** Whether the provider's session stands. A stopped provider kept it in memory only. */
function ssoStands() {
  if (isStopped()) return false;
  if (!isUp) return undefined;
  return Boolean(state?.sessions ? ssoSession() : seen.sso);
}

function drawTable() {
  const app = theApp();
  const [own, sso] = [appStands(app), ssoStands()];
  const isKnown = own !== undefined && sso !== undefined;
  const now = `${own ? "valid" : "expired"}-${sso ? "valid" : "expired"}`;
  for (const row of table.querySelectorAll("[data-row]")) {
    if (isKnown && row.dataset.row === now) row.setAttribute("aria-current", "true");
    else row.removeAttribute("aria-current");
  }
  const name = NAMES[app];
  set(
    $("visits-now"),
    isKnown ? "" : `Which row holds is not known: ${own === undefined ? `${name} is not open` : "the provider does not answer"}.`,
  );
  const report = reports[app]?.session;
  const isShort = Boolean(own && report?.expires_at);
  set(byTest("f11-sign-in"), own ? `Open ${name}` : `Sign in at ${name}`);
  set(byTest("f11-app-over"), isShort ? "Let its time run out" : `Give it ${SHORT} seconds`);
  const canControl = Boolean(state?.clock);
  byTest("f11-app-over").disabled = isShort && !canControl;
  byTest("f11-sso-over").disabled = !canControl || !sso;
  byTest("f11-sso-end").disabled = !canControl || !sso;
  byTest("f11-stop").disabled = !/^(running|stopped)$/.test(state?.provider ?? "");
  byTest("start-over").disabled = !canControl;
}

const openApp = (app, lifetime) =>
  window.open(`${originOf(app)}/?session_lifetime=${lifetime}`, `gatepass-${app}`);

/** Opens the app with a limit of its own, then lets the provider's clock pass it: the app follows
 * that clock, and its session ends by its own limit, nothing else. */
async function endAppSession() {
  const app = theApp();
  const report = reports[app]?.session;
  if (!(appStands(app) && report?.expires_at)) return void openApp(app, SHORT);
  await moveClockTo(report.expires_at);
}

/** Moves the clock to where the provider's session ends for want of a visit. */
async function endSsoByTime() {
  // Each sign of life moves the end: one that came since the last look would keep the session.
  await read();
  const session = ssoSession();
  if (session) await moveClockTo(Math.min(session.idle_end, session.absolute_end));
}

let told = () => {};

/** Moves the clock to a second past a moment: the ends that are told are rounded down. */
async function moveClockTo(end) {
  const seconds = Math.max(1, Math.ceil(end - providerNow() / 1000) + 1);
  told("lobby.clock_moved", { by: stretch(seconds) });
  await advanceClock(seconds);
  // No app can know before the provider's next answer: they are asked to look.
  tell("look");
}

async function toggleProvider() {
  const run = isStopped();
  told(run ? "lobby.provider_started" : "lobby.provider_stopped", {});
  await runProvider(run);
  if (run) forget();
  // An app with nothing to ask would notice at its next attempt to listen, some seconds later.
  else tell("look");
}

function drawStopButton() {
  const button = byTest("provider-stop");
  const words = isStopped() ? "Start the provider" : "Stop the provider";
  set(button, words);
  set(byTest("f11-stop"), words);
  button.disabled = byTest("f11-stop").disabled;
  $("provider-elsewhere").hidden = state?.provider !== "elsewhere";
}

/** Ties the buttons; `tellStep` puts what this page does into the picture, `started` hears when the
 * provider runs again. */
export function begin({ tellStep, started }) {
  told = tellStep;
  const on = (id, act) =>
    byTest(id).addEventListener("click", async () => {
      try {
        remedy("control");
        await act();
      } catch (error) {
        remedy("control", "That was refused", `${error.message}.`);
      }
      refresh();
    });
  on("f11-sign-in", () => openApp(theApp(), "none"));
  on("f11-app-over", endAppSession);
  on("f11-sso-over", endSsoByTime);
  on("f11-sso-end", async () => {
    told("lobby.sessions_ended", {});
    await endSessions();
  });
  const toggle = async () => {
    await toggleProvider();
    if (!isStopped()) started();
  };
  on("f11-stop", toggle);
  on("provider-stop", toggle);
  on("start-over", async () => {
    told("lobby.reset", {});
    await resetProvider();
    tell("look");
  });
  for (const choice of table.querySelectorAll("input")) choice.addEventListener("change", draw);
  if (!demo) return;
  refresh();
  setInterval(draw, 1000);
  setInterval(refresh, 10_000);
}
