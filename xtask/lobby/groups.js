// Which steps belong together, and what they prove, in one sentence each.

import { NAMES } from "./demo.js";

/** Kinds of groups: a title and a sentence of at most 95 characters (three lines on a phone). */
export const KINDS = {
  visit: ["A visit", "The app looks whether somebody is signed in."],
  "sign-in": [
    "First sign-in",
    "The provider asks for the password; the app gets a code, then tokens, never the password.",
  ],
  silent: [
    "Silent sign-on",
    "The provider knows the person already: no page is shown and no password is asked.",
  ],
  nobody: [
    "Nobody is signed in",
    "Asked without a page (prompt=none), the provider says that it knows of no session.",
  ],
  failed: [
    "Failed sign-in",
    "A wrong password: the provider says so, begins no session, and the app hears nothing.",
  ],
  refused: [
    "Refused user",
    "The person is known, but may not use this app; what they have elsewhere goes on.",
  ],
  cancelled: ["Cancelled sign-in", "The person went back, and the app is told access_denied."],
  logout: [
    "Single logout",
    "The app forgets first; the provider ends its session and tells every other app at once.",
  ],
  leave: [
    "Leave only this app",
    "The app forgets its own session; neither the provider nor the other app is told.",
  ],
  ended: [
    "Ended by the provider",
    "No app asked for it: the provider's session is over, and each app is told at once.",
  ],
  expired: ["The app's session ends", "The app's own session is over; the provider's may go on."],
  renewal: ["Renewal", "A fresh access token for the refresh token, without the person."],
  away: ["The provider is away", "It cannot be reached, and nobody is signed out for that."],
  clock: ["The clock is moved", "The provider's time jumps; what has run out by then ends now."],
  other: ["Besides", "Steps that belong to no flow that began here."],
};

/** Sorts entries into groups as they come; `renamed` hears when a group turns out to be another. */
export class Grouper {
  #open = new Map();
  #last = null;
  #ending = null;
  #count = 0;
  #renamed;

  constructor(renamed) {
    this.#renamed = renamed;
  }

  /** The group of the next entry. */
  place(entry) {
    const group = this.#find(entry) ?? this.#open.get(entry.client) ?? this.#any(entry.client);
    this.#last = group;
    return group;
  }

  #find({ step, client, source }) {
    const mine = this.#open.get(client);
    const ending = source.received?.ending;
    switch (step) {
      case "app.opened":
      case "app.sign_in_asked":
        return this.#begin(client, "visit");
      case "authorize.received": {
        const group = mine?.kind === "visit" && !mine.hasAsked ? mine : this.#begin(client, "visit");
        group.hasAsked = true;
        return group;
      }
      case "authorize.login_page":
        return this.#rename(mine, "sign-in");
      case "session.reused":
        return this.#rename(mine, "silent");
      case "authorize.error":
        return source.received?.error === "login_required" ? this.#rename(mine, "nobody") : mine;
      case "authorize.not_assigned":
        return this.#rename(mine, "refused");
      case "authorize.cancelled":
        return this.#rename(mine, "cancelled");
      case "login.submitted":
        return mine?.kind === "failed" ? this.#begin(client, "sign-in") : mine;
      case "login.failed":
        return this.#rename(mine, "failed");
      case "app.leave_asked":
        return this.#begin(client, "leave");
      case "app.sign_out_asked":
        return (this.#ending = this.#begin(client, "logout"));
      case "end_session.received":
        if (mine?.kind === "logout" && !mine.hasAsked) mine.hasAsked = true;
        else (this.#ending = this.#begin(client, "logout")).hasAsked = true;
        return this.#ending;
      case "session.ended":
        if (source.received?.cause === "rp_initiated" && this.#ending?.kind === "logout") {
          return this.#ending;
        }
        if (/^(clock|ended)$/.test(this.#last?.kind)) return (this.#ending = this.#last);
        return (this.#ending = this.#begin(null, "ended"));
      case "session.left":
      case "logout_token.sent":
      case "backchannel.delivered":
      case "backchannel.retried":
      case "backchannel.failed":
      case "frontchannel.page":
      case "grants.revoked":
      case "end_session.returned":
        return this.#ending ?? undefined;
      // An app that signs out hangs up by itself, and that may be heard first.
      case "stream.closed":
        return this.#last === this.#ending ? this.#ending : mine;
      case "app.ended":
        if (ending === "logout_token") return this.#ending ?? undefined;
        if (ending === "signed_out" && mine?.kind === "logout") return mine;
        if (ending === "signed_out_here" && mine?.kind === "leave") return mine;
        return this.#begin(client, "expired");
      case "token.received":
        if (source.received?.grant_type !== "refresh_token") return mine;
        return this.#begin(client, "renewal");
      case "app.offline":
        return this.#last?.kind === "away" ? this.#last : this.#begin(client, "away");
      case "lobby.provider_stopped":
        return this.#begin(null, "away");
      case "lobby.provider_started":
        return this.#last?.kind === "away" ? this.#last : this.#begin(null, "away");
      case "lobby.clock_moved":
        return this.#begin(null, "clock");
      case "lobby.sessions_ended":
      case "lobby.reset":
        return (this.#ending = this.#begin(null, "ended"));
      default:
        return undefined;
    }
  }

  /** A step without a client belongs to what goes on; one of an unknown flow stands for itself. */
  #any(client) {
    return client === null && this.#last ? this.#last : this.#begin(client, "other");
  }

  #begin(client, kind) {
    const group = { id: ++this.#count, client, kind, hasAsked: false };
    if (client !== null) this.#open.set(client, group);
    return group;
  }

  #rename(group, kind) {
    if (group && group.kind !== kind) {
      group.kind = kind;
      this.#renamed(group);
    }
    return group;
  }
}

export function titleOf(group) {
  const name = NAMES[group.client];
  const [title] = KINDS[group.kind];
  return name && group.kind !== "expired" ? `${title}, ${name}` : title;
}

export const sentenceOf = (group) => KINDS[group.kind][1];
