// What the apps say of themselves: their sessions, and what they did. Only the two origins that
// this page opens are believed, and none of them sends a token.

import { APPS, originOf } from "./demo.js";

/** What each app said last: its session and its window. */
export const reports = {};

/** Hears the apps: `session` after each report, `deed` for each thing that an app did. */
export function listen({ session, deed }) {
  addEventListener("message", (event) => {
    const app = APPS.find((name) => event.origin === originOf(name));
    if (!app) return;
    if (event.data?.gatepass === "session") {
      reports[app] = { session: event.data, window: event.source, heard: performance.now() };
      session(app);
    } else if (event.data?.gatepass === "step" && DEEDS.has(event.data.step)) {
      const facts = Array.isArray(event.data.facts) ? event.data.facts : [];
      const said = facts.map((pair) => [String(pair[0]), String(pair[1])]);
      deed(app, event.data.step, said, ageOf(event.data.at));
    }
  });
  // A person who comes back to this page sees what is so now.
  document.addEventListener("visibilitychange", () => {
    if (document.visibilityState === "visible") tell("hello");
  });
}

/** A message waits while this page or that one is busy; longer than this, its time is no time. */
const LONGEST_MS = 5000;

/** How many milliseconds ago something was, by the app's word: it runs on this machine. */
function ageOf(at) {
  const age = Date.now() - at;
  return age > 0 && age < LONGEST_MS ? age : 0;
}

/** Speaks to each app that has reported. */
export function tell(word) {
  for (const [app, report] of Object.entries(reports)) {
    report.window?.postMessage({ gatepass: word }, originOf(app));
  }
}

/** Everything that an app may claim to have done. */
const DEEDS = new Set([
  "app.opened",
  "app.sign_in_asked",
  "app.sign_out_asked",
  "app.leave_asked",
  "app.verified",
  "app.adopted",
  "app.ended",
  "app.offline",
  "app.back",
  "app.refused",
  "app.api_called",
]);

export const CAUSES = {
  signed_out: "You signed out here, everywhere.",
  signed_out_here: "You left only this app.",
  logout_token: "The provider told it that its session is over.",
  login_required: "The provider knows of no session any more.",
  invalid_grant: "The provider would not renew the session.",
  invalid_token: "The provider no longer accepts its token.",
  lifetime: "The app's own time limit was reached.",
  user_changed: "Somebody else signed in.",
};

export const personOf = (session) => session.name ?? session.subject ?? "somebody";
