// What each step is in the picture: from whom to whom, in how many words.

import { NAMES } from "./demo.js";
import { CAUSES } from "./reports.js";

export const LANES = { you: "You", idp: "Provider", ...NAMES };

/** The demo's own API, which asks the provider whether a token is still good. */
const API = "demo-api";

/** The lane of a client: its app's, or one of its own that appears with it. */
const laneOf = (client) => client ?? "app";

export const laneName = (lane) =>
  LANES[lane] ?? (/api/.test(lane) ? "API" : lane === "app" ? "An app" : lane);

const request = (label) => (step) => ({ from: laneOf(step.client_id), to: "idp", label });
const answer = (label) => (step) => ({ from: "idp", to: laneOf(step.client_id), label, answer: true });
const page = (label) => () => ({ from: "idp", to: "you", label, answer: true });
const person = (label) => () => ({ from: "you", to: "idp", label });
const thought = (label) => () => ({ from: "idp", to: "idp", label });
const visit = (label) => (step) => ({ from: "you", to: laneOf(step.client_id), label });
const own = (label) => (step) => ({
  from: laneOf(step.client_id),
  to: laneOf(step.client_id),
  label,
});

const said = (step, name) => step.received?.[name];

/** The provider's steps (idp-dev), then the apps' own, then this page's. */
const STEPS = {
  "authorize.received": (step) =>
    request(said(step, "prompt") === "none" ? "authorize, prompt=none" : "authorize (PKCE)")(step),
  "authorize.refused": page("error page"),
  "authorize.login_page": page("sign-in page"),
  "login.submitted": person("name and password"),
  "login.failed": page("wrong password"),
  "login.succeeded": thought("password is right"),
  "session.started": thought("its session begins"),
  "session.reused": thought("knows you: no page"),
  "session.joined": (step) => thought(`${laneName(laneOf(step.client_id))} joins`)(),
  "authorize.not_assigned": page("no access with this account"),
  "authorize.cancelled": person("cancel"),
  "authorize.error": (step) => answer(said(step, "error") ?? "error")(step),
  "code.issued": answer("code"),
  "token.received": (step) =>
    request(said(step, "grant_type") === "refresh_token" ? "refresh token" : "code for tokens")(step),
  "token.refused": (step) => answer(said(step, "error") ?? "refused")(step),
  "token.issued": answer("tokens"),
  "token.refreshed": answer("fresh tokens"),
  "token.replayed": thought("used token: alarm"),
  "revocation.received": request("revoke this token"),
  "revocation.refused": answer("refused"),
  "revocation.unneeded": answer("it was over"),
  "token.revoked": thought("the token is void"),
  "introspection.received": () => ({ from: API, to: "idp", label: "is it still good?" }),
  "introspection.refused": () => ({ from: "idp", to: API, label: "refused", answer: true }),
  "introspection.answered": (step) => ({
    from: "idp",
    to: API,
    label: said(step, "active") ? "active" : "not active",
    answer: true,
  }),
  "grants.revoked": thought("its tokens are void"),
  "userinfo.served": answer("who you are"),
  "userinfo.refused": answer("refused"),
  "stream.opened": request("listens for the sign-out"),
  "stream.refused": answer("may not listen"),
  "stream.closed": answer("stream ends"),
  "end_session.received": request("end session"),
  "end_session.refused": page("error page"),
  "end_session.confirm_page": page("sign out?"),
  "session.ended": thought("its session is over"),
  "session.left": thought("this browser is out of it"),
  "logout_token.sent": answer("logout token"),
  "backchannel.delivered": answer("its server is told"),
  "backchannel.retried": answer("its server does not answer yet"),
  "backchannel.failed": answer("its server is not told"),
  "frontchannel.page": page("the apps' sign-out pages"),
  "security_event.sent": answer("something changed"),
  "end_session.returned": answer("back to the app"),
  "scenario.broke": (step) => answer(LIES[said(step, "outcome")] ?? "a lie")(step),
  "scenario.asked": (step) => visit("use what you have")(step),
  "scenario.accepted": own("has believed it"),
  "scenario.refused": own("has refused it"),

  "app.opened": visit("opens the app"),
  "app.sign_in_asked": visit("Sign in"),
  "app.sign_out_asked": visit("Sign out"),
  "app.leave_asked": visit("Leave only this app"),
  "app.verified": own("ID token verified"),
  "app.adopted": own("from another tab"),
  "app.ended": own("forgets its session"),
  "app.offline": own("provider is away"),
  "app.back": own("provider is back"),
  "app.refused": (step) => own(`gets ${said(step, "error") ?? "an error"}`)(step),
  "app.api_called": (step) => ({
    from: laneOf(step.client_id),
    to: API,
    label: said(step, "answer") ? `calls: ${said(step, "answer")}` : "calls with its token",
  }),

  "lobby.provider_stopped": person("stops the provider"),
  "lobby.provider_started": person("starts the provider"),
  "lobby.clock_moved": (step) => person(`moves its clock ${said(step, "by")}`)(),
  "lobby.sessions_ended": person("ends its sessions"),
  "lobby.reset": person("resets it"),
};

/** A scenario, by what a correct client makes of it. */
const LIES = { reject: "a lie", accept: "odd, but right", recover: "an accident" };

/** Steps of which the provider's own sentence is a part only. */
const EXPLAINED = {
  "scenario.broke": (step) => {
    const rule = said(step, "rule");
    const caught = !rule || rule === "none" ? "Nothing has to catch it." : `What has to catch it: ${rule}.`;
    return `The provider was told to do this (${said(step, "scenario")}): ${step.detail} ${caught}`;
  },
  "scenario.accepted": (step) => `${step.detail}: whoever did that has believed ${said(step, "scenario")}.`,
  "scenario.refused": (step) => {
    const code = said(step, "code");
    return `${step.detail}: ${said(step, "scenario")} was refused${code ? ` (${code})` : ""}.`;
  },
};

/** What is said of a step of which the provider does not tell. */
const SENTENCES = {
  "app.opened": (name) => `You open ${name}.`,
  "app.sign_in_asked": (name) => `You ask ${name} to sign you in.`,
  "app.sign_out_asked": (name) => `You ask ${name} to sign you out everywhere.`,
  "app.leave_asked": (name) => `You ask ${name} to forget you, and nobody else.`,
  "app.verified": (name) => `${name} has checked the ID token; its own session begins.`,
  "app.adopted": (name) => `Another tab of ${name} had the session, and this one verified it again.`,
  "app.ended": (name, step) =>
    `${name} forgets its session. ${CAUSES[said(step, "ending")] ?? ""}`.trim(),
  "app.offline": (name) => `${name} cannot reach the provider, and signs nobody out for that.`,
  "app.back": (name) => `${name} reaches the provider again; its session stands.`,
  "app.refused": (name, step) =>
    said(step, "error") === "login_required"
      ? `${name} learns that nobody is signed in.`
      : `${name} gets an error in place of a session.`,
  "app.api_called": (name) => `${name} calls the API with its access token.`,
  "lobby.provider_stopped": () => "You stop the provider; what it kept in memory is gone.",
  "lobby.provider_started": () => "You start the provider; it remembers nobody.",
  "lobby.clock_moved": () => "You move the provider's clock forward.",
  "lobby.sessions_ended": () => "You end the provider's sessions, as an administrator would.",
  "lobby.reset": () => "You end every session and set the provider's clock right.",
};

/** Where an app's deed is specified. */
const SECTIONS = {
  "app.verified": "OIDC Core 3.1.3.7",
  "app.refused": "OIDC Core 3.1.2.6",
};

/** Steps that went another way than the one who asked had hoped. */
const BAD = new Set([
  "authorize.refused",
  "authorize.not_assigned",
  "login.failed",
  "token.refused",
  "token.replayed",
  "revocation.refused",
  "introspection.refused",
  "userinfo.refused",
  "stream.refused",
  "end_session.refused",
  "app.offline",
  "backchannel.failed",
  "scenario.accepted",
]);

/** A step as the picture, the list and the details show it. */
export function entryOf(step) {
  const place = STEPS[step.step]?.(step) ?? unknown(step);
  const name = laneName(laneOf(step.client_id));
  const isRefused = step.step === "app.refused" && said(step, "error") !== "login_required";
  const isLie = step.step === "scenario.broke" && said(step, "outcome") === "reject";
  return {
    ...place,
    step: step.step,
    client: step.client_id ?? null,
    user: step.user ?? null,
    at: step.at,
    text: EXPLAINED[step.step]?.(step) ?? step.detail ?? SENTENCES[step.step]?.(name, step) ?? step.step,
    spec: step.spec ?? SECTIONS[step.step] ?? "",
    check: step.check ?? null,
    received: Object.entries(step.received ?? {}),
    isBad: BAD.has(step.step) || isRefused || isLie,
    source: step,
  };
}

/** A step of a newer provider: its name says whether it came in or went out. */
function unknown(step) {
  const label = step.step.replace(/[._]/g, " ");
  return /\.(received|submitted)$/.test(step.step) ? request(label)(step) : answer(label)(step);
}
