/** The public types of the package, apart from its error. */

import type { Diagnosis } from "../../driver/diagnosis.d.ts";
import type { Check, Ending, ErrorCode, OnLoad, Scope, Status, StorageKind } from "../../driver/wire.d.ts";

export type { Allowed, Diagnosis, Known, StreamHealth } from "../../driver/diagnosis.d.ts";
export type { Came, Noted, Part, StreamState } from "../../driver/wire.d.ts";
export type { Check, Ending, ErrorCode, OnLoad, Scope, Status, StorageKind };

/** What the application says about itself and its provider. */
export interface Options {
  /** The issuer, exactly as its discovery document writes it. */
  issuer: string;
  /** The client id. */
  clientId: string;
  /** The registered redirect URI; the page's origin and `/` by default. No route is needed there. */
  redirectUri?: string;
  /** The registered post-logout redirect URI; the page's origin and `/` by default. */
  postLogoutRedirectUri?: string;
  /**
   * Where the package's `gatepass-silent.html` lies, for `onLoad: "probe"`: a registered redirect
   * URI of the page's origin; the origin and that name by default. Named, it also serves `auto` and
   * `hint`, which then need not leave the page where the provider is of the same site, and windows
   * (`mode: "popup"`), which then need not begin the app.
   */
  silentRedirectUri?: string;
  /** The scopes, separated by spaces; `openid profile email` by default. */
  scope?: string;
  /** What the page may do at its start when no tab has a session; `hint` by default. `check` is `auto`. */
  onLoad?: OnLoad | "check";
  /** Origins besides the page's own that {@link Client.fetch} sends the access token to. */
  tokenOrigins?: string[];
  /**
   * Where the session is kept over a reload: `memory` (nowhere), the default, `session` (this tab) or
   * `local` (this browser, also over a restart), encrypted. The README says what that stops.
   */
  storage?: StorageKind;
  /**
   * Where the app's own server tells that the session is over, for a provider that does back-channel
   * logout and no session events (docs/relay.md). It is sent the access token.
   */
  sessionEventsEndpoint?: string;
  /**
   * Seconds after which this app's session ends by itself, counted from the sign-in or from the last
   * {@link Client.extend}; never by default.
   */
  sessionLifetime?: number;
  /**
   * What the client is registered for (`id_token_signed_response_alg`): ID tokens and logout tokens
   * signed otherwise are refused. By default all of {@link SignatureAlgorithm}.
   */
  idTokenSignedResponseAlg?: SignatureAlgorithm | SignatureAlgorithm[];
  /**
   * How many seconds the clocks may differ when a token's times are checked, 0 to 300; 60 by default.
   */
  clockSkew?: number;
  /**
   * Allow an app and a provider on plain http beyond `localhost`: for closed test networks. Whoever
   * is between reads and changes everything.
   */
  dangerouslyAllowHttp?: boolean;
  /**
   * Follow the provider's clock however far it is from this machine's: for tests that set it. A
   * wrong clock is no longer noticed.
   */
  dangerouslyFollowProviderClock?: boolean;
}

/** How tokens may be signed. `none` and HMAC are never accepted; `EdDSA` and `Ed25519` are one algorithm by two names: list each that is registered. */
export type SignatureAlgorithm =
  | `${"RS" | "PS" | "ES"}${"256" | "384" | "512"}`
  | "EdDSA"
  | "Ed25519";

/** The verified claims of the ID token (OIDC Core 2 and 5.1). */
export interface Claims {
  /** Who, at this issuer. */
  sub: string;
  name?: string;
  given_name?: string;
  family_name?: string;
  preferred_username?: string;
  email?: string;
  email_verified?: boolean;
  picture?: string;
  /** When the person was authenticated, in Unix seconds. */
  auth_time?: number;
  /** The level reached. */
  acr?: string;
  /** How, by the names of RFC 8176. */
  amr?: string[];
  /** The session at the provider. */
  sid?: string;
  [claim: string]: unknown;
}

/** The session of the app: never changed, replaced by the next. It holds no token. */
export type Session<C = Claims> = Told &
  (
    | ({ status: "authenticated" } & Held<C>)
    | ({ status: Exclude<Status, "authenticated"> } & Partial<Held<C>>)
  );

/** What a session is while somebody is signed in; `offline` keeps it too. */
export interface Held<C = Claims> {
  /** The claims, verified. */
  user: C;
  /** The `sub` claim. */
  subject: string;
  /** The rules that the ID token passed, with the values compared. */
  checks: Check[];
  /** When this app's session began, in Unix seconds by the provider's clock. */
  startedAt: number;
  /**
   * When this app's session ends by itself unless it is extended, in Unix seconds by the provider's
   * clock; absent if it does not.
   */
  expiresAt?: number;
  /** When the access token expires, in Unix seconds. */
  tokenExpiresAt?: number;
}

/** What any session may tell. */
export interface Told {
  /** Why there is no session any more, or why the user changed. */
  cause?: Cause;
  /** What went wrong last, if it still matters. `explain(error.code)` has words for it. */
  error?: Refusal;
  /**
   * What should be put right although it keeps nobody from anything: this machine's clock differs
   * from the provider's (`clock_differs`, followed; `clock_wrong`, too far off to be followed).
   */
  warning?: Refusal;
  /** How many seconds the provider's clock is ahead of this machine's, if more than two. */
  clockOffset?: number;
}

/** Why a session ended. */
export interface Cause {
  /** What happened. */
  ending: Ending;
  /** When, in Unix seconds by the provider's clock. */
  at: number;
}

/** Who has to act. */
export type Blame = "provider" | "application" | "environment";

/** What was refused, and who has to act. */
export interface Refusal {
  /** A stable name; docs/errors.md lists them. */
  code: ErrorCode;
  /** Who has to act. */
  blame: Blame;
  /** What was expected and what came, if the code alone does not tell. Never holds a secret. */
  evidence?: Evidence;
}

/** What was looked at, what it had to be, and what it was. */
export interface Evidence {
  /** The claim, parameter, member or option. */
  subject: string;
  /** What it had to be. */
  expected: string;
  /** What it was; empty if absent. */
  found: string;
}

/** How to sign in. */
export interface SignInOptions {
  /**
   * Where: `redirect`, the default, in this page's place; `popup` in a window of its own, while the
   * page stays; `popup-or-redirect` in a window if the browser opens one. Call in the click itself,
   * before anything is awaited: browsers block windows that come later.
   *
   * The window ends at `redirectUri`, whose page must make the client: that reports and closes it.
   */
  mode?: "redirect" | "popup" | "popup-or-redirect";
  /**
   * Gives a sign-in in a window up, which is closed then, with the code `cancelled`. That a person
   * has closed the window cannot be known, so a page that waits should offer this.
   */
  signal?: AbortSignal;
  /** Where to come back to: a path of this origin; by default where the page is now. */
  returnTo?: string;
  /** `prompt` (OIDC Core 3.1.2.1), such as `login` or `select_account`. */
  prompt?: string;
  /** Who the person probably is. */
  loginHint?: string;
  /** Levels of authentication, one of which must be reached. */
  acrValues?: string[];
  /** How many seconds ago the person may have been authenticated at most. */
  maxAge?: number;
  /** Languages of the provider's pages, best first. */
  uiLocales?: string[];
}

/** How to sign out. */
export interface SignOutOptions {
  /** `global`, the default: at the provider and all apps of its session. `local`: here only. */
  scope?: Scope;
}

/** Which token is wanted. */
export interface TokenOptions {
  /** How many seconds it must still be good for; 30 by default. */
  minTtl?: number;
  /**
   * The API that it is for, as the provider knows it (RFC 8707): another token than the session's own,
   * kept and refreshed beside it.
   */
  resource?: string;
  /** Less than was granted at the sign-in, separated by spaces: likewise a token of its own. */
  scope?: string;
}

/** A state that no form holds, as text. */
export interface KeptState {
  /** What it is now; `undefined` if there is nothing to keep. */
  read: () => string | undefined;
  /** Takes what it was. */
  restore: (text: string) => void;
}

/** One app at one provider. Its functions need no `this`. */
export interface Client<C = Claims> {
  /** The session now: the same object until something changes. */
  readonly state: Session<C>;
  /** Calls `listener` at once and after every change, until the returned function is called. */
  readonly subscribe: (listener: (session: Session<C>) => void) => () => void;
  /**
   * Leads the person to the provider to sign in. Settles when the page is about to be left, or when
   * a window of its own has brought a session; rejects with a `GatepassError` if neither comes.
   */
  readonly signIn: (options?: SignInOptions) => Promise<void>;
  /**
   * Ends the session here at once, and then, unless the scope is `local`, everywhere by leaving for
   * the provider. If that fails the person is signed out here all the same, and nothing leaves the page
   * later by itself: call it again, on a click on "finish signing out", when the provider is back.
   */
  readonly signOut: (options?: SignOutOptions) => Promise<void>;
  /**
   * An access token that is good for a while, refreshed if need be. Do not keep it. One for a
   * `resource` or a `scope` needs a refresh token; `provider_error` says that the provider gives none.
   */
  readonly getToken: (options?: TokenOptions) => Promise<string>;
  /**
   * `fetch` with the access token as `Authorization: Bearer`, if the request goes to the page's own
   * origin or one of `tokenOrigins`. When the token is refused as `invalid_token` it is refreshed
   * and the request repeated once, except with a body that can be read only once (a stream, the
   * body of a `Request`): the caller gets the 401 then.
   */
  readonly fetch: (input: RequestInfo | URL, init?: RequestInit) => Promise<Response>;
  /** Asks the provider whether the session still stands; {@link Client.state} has the answer. */
  readonly check: () => Promise<void>;
  /**
   * Whole seconds until this app's session ends by itself, for a countdown; `null` if nobody is signed
   * in or no `sessionLifetime` is set. Nobody is asked: it is {@link Held.expiresAt} by the provider's
   * clock.
   */
  readonly sessionExpiresIn: () => number | null;
  /**
   * The person stays: asks the provider whether its session still lives (by a refresh; without a refresh
   * token by UserInfo) and then starts `sessionLifetime` anew, in all tabs of the origin. Rejects if it
   * does not answer (`issuer_unreachable`: nothing is extended, nothing ends), and with `not_signed_in`
   * if the session is over.
   */
  readonly extend: () => Promise<void>;
  /**
   * Keeps what is half filled in, should the page be left to sign in, and puts it back when the person
   * comes back to this page: once, within an hour, for the same person. `name` is its own in the page.
   * A form's fields are filled in with `input` and `change` events; passwords, one-time codes, card
   * numbers, files and hidden fields are never kept. It lies in the tab meanwhile, encrypted, and a
   * sign-out erases it. Call what is returned when the form is gone.
   */
  readonly keep: (name: string, what: HTMLFormElement | KeptState) => () => void;
  /**
   * How the client fares and what this browser allows, as one object to look at or to send to
   * whoever helps. No secret is in it, and nothing that names the person. Also answers when the
   * client's own module could not be loaded, and rejects on a server only.
   */
  readonly diagnose: () => Promise<Diagnosis>;
}
