// What the provider's timeline shows about the sign-on session that stands now, and about the flows
// that led to it. Everything that is ticked off or said about the provider comes from here.

/** Replaced when the provider begins anew. */
export let seen = nothing();

function nothing() {
  return {
    /** The last sign-in by password. */
    login: null,
    /** The sign-on session: when it began, whose it is, which apps joined. */
    sso: null,
    /** What each client's flow has shown so far. */
    flows: {},
    /** Clients that were answered without a page. */
    silent: {},
    /** Who asked for the last sign-out. */
    ender: null,
    /** The last wrong password, and the last account that an app does not want. */
    failed: null,
    refused: null,
    /** The app that was left alone. */
    left: null,
  };
}

export function forget() {
  seen = nothing();
}

/** Begins to watch anew; the sign-on session that stands goes on. */
export function startAgain() {
  seen = { ...nothing(), sso: seen.sso };
}

/**
 * Takes a step of the provider or a deed of an app. What happened before this page was opened tells
 * how things stand, but a wrong password of yesterday is no stop of today's tour.
 */
export function notice(step, isLive) {
  const client = step.client_id;
  const flow = client ? (seen.flows[client] ??= {}) : {};
  switch (step.step) {
    case "authorize.received":
      seen.flows[client] = {};
      break;
    case "authorize.login_page":
      flow.page = true;
      flow.awaySince = performance.now();
      break;
    case "authorize.refused":
      flow.awaySince = performance.now();
      break;
    case "authorize.error":
      flow.awaySince = 0;
      break;
    case "session.reused":
      flow.reused = true;
      break;
    case "code.issued":
      flow.awaySince = 0;
      if (flow.reused && !flow.page) seen.silent[client] = step;
      break;
    case "login.failed":
      if (isLive) seen.failed = step;
      break;
    case "login.succeeded":
      seen.login = step;
      break;
    case "authorize.not_assigned":
      flow.awaySince = performance.now();
      if (isLive) seen.refused = step;
      break;
    case "session.started":
      seen.sso = { id: step.received?.session, at: step.at, user: step.user, apps: new Set() };
      break;
    case "session.joined":
      seen.sso?.apps.add(client);
      break;
    case "end_session.received":
      seen.ender = { client };
      break;
    case "app.ended":
      if (step.received?.ending === "signed_out_here") seen.left = client;
      break;
    case "session.ended":
      // An administrator's or the clock's doing is no sign-out at an app.
      if (step.received?.cause !== "rp_initiated") seen.ender = null;
      seen.sso = null;
      seen.login = null;
      seen.silent = {};
      break;
  }
}
