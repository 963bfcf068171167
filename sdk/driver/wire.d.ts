// Generated from sdk/core/src/wire by `cargo xtask types`; do not edit.

/** A stable name of what went wrong: docs/errors.md lists them. */
export type ErrorCode =
  | "access_denied"
  | "login_required"
  | "interaction_required"
  | "consent_required"
  | "account_selection_required"
  | "provider_error"
  | "invalid_grant"
  | "invalid_token"
  | "issuer_unreachable"
  | "metadata_invalid"
  | "issuer_mismatch"
  | "keys_invalid"
  | "state_unknown"
  | "attempt_expired"
  | "response_invalid"
  | "response_issuer_missing"
  | "response_issuer_mismatch"
  | "token_response_invalid"
  | "token_malformed"
  | "algorithm_not_allowed"
  | "key_not_found"
  | "signature_invalid"
  | "id_token_missing"
  | "claim_invalid"
  | "iss_invalid"
  | "aud_invalid"
  | "azp_invalid"
  | "exp_invalid"
  | "iat_invalid"
  | "nonce_invalid"
  | "acr_invalid"
  | "auth_time_invalid"
  | "at_hash_invalid"
  | "refreshed_token_invalid"
  | "user_info_invalid"
  | "user_info_sub_mismatch"
  | "security_event_invalid"
  | "logout_token_invalid"
  | "popup_blocked"
  | "popup_timeout"
  | "cancelled"
  | "storage_unavailable"
  | "crypto_unavailable"
  | "algorithm_unsupported"
  | "clock_differs"
  | "clock_wrong"
  | "redirect_loop"
  | "not_signed_in"
  | "token_unavailable"
  | "sign_out_unsupported"
  | "return_to_refused"
  | "config_invalid"
  | "request_invalid"
  | "superseded"
  | "wasm_unavailable"
  | "browser_required"
;

/** A refusal as it leaves the machine. */
export interface WireError {
  code: ErrorCode;
  blame: "provider" | "application" | "environment";
  subject?: string;
  expected?: string;
  found?: string;
}

/** What a step is about. */
export type Fact =
  /** The application wishes something. Each command is completed exactly once. */
  | {
      kind: "command";
      /** The caller's number for it; not used before. */
      id: number;
      /** What is wished. */
      command: Command;
    }
  /** What became of an effect. Each effect is answered exactly once, unless it was cancelled. */
  | {
      kind: "answer";
      /** The number that the order carried. */
      effect: number;
      /** What came of it. */
      answer: Answer;
    }
  /** Something that nobody asked for. */
  | {
      kind: "signal";
      /** What happened. */
      signal: Signal;
    }
;

/** A wish of the application. */
export type Command =
  /** The first command of every page: find out whether there is a session. */
  | {
      kind: "resume";
      /** The address that the provider sent the browser back to, if the page was loaded by it. */
      callback?: string;
      /** Path, query and fragment of the page, to come back to after an automatic redirect. */
      here: string;
      /** Whether this page may look for a session by a redirect of its own. */
      on_load: OnLoad;
    }
  /** Lead the person to the provider to sign in. */
  | {
      kind: "sign_in";
      /** Where: in this page's place if absent. */
      mode?: Mode;
      /** Where to come back to: a path of this origin. */
      return_to: string;
      /** `prompt` (OIDC Core 3.1.2.1). */
      prompt?: string;
      /** `login_hint` (OIDC Core 3.1.2.1). */
      login_hint?: string;
      /** `acr_values`, separated by spaces (OIDC Core 3.1.2.1); the answer must reach one. */
      acr_values?: string;
      /** `max_age` in seconds (OIDC Core 3.1.2.1). */
      max_age?: number;
      /** `ui_locales`, separated by spaces (OIDC Core 3.1.2.1). */
      ui_locales?: string;
    }
  /** Ask the provider whether the session still stands. */
  | {
      kind: "check_session";
    }
  /** Start the session's own lifetime anew, if the provider says that the session still stands. */
  | {
      kind: "extend";
    }
  /** An access token that is good for a while. */
  | {
      kind: "get_token";
      /** Seconds that the token must still be good for; 30 if absent. */
      min_ttl?: number;
      /** The origin that the token will be sent to: one that is not allowed gets none. */
      origin?: string;
      /** A token that a resource refused as `invalid_token`: not this one again. */
      refused?: string;
      /** The resource that the token is for (RFC 8707, 2); those of the session's own if absent. */
      resource?: string;
      /** What of the granted scope it is for, separated by spaces (RFC 6749, 6); all if absent. */
      scope?: string;
    }
  /** Tell how the machine fares: answered at once, also while the start is under way. */
  | {
      kind: "diagnose";
    }
  /** End the session. */
  | {
      kind: "sign_out";
      /** Everywhere, or here only. */
      scope: Scope;
    }
;

/** What a page may do at its start when no tab of its origin has a session. */
export type OnLoad =
  /** As `auto` on a hint that this browser had a session here before, else as `manual`. */
  | "hint"
  /** Ask the provider by one redirect that shows no page (`prompt=none`). */
  | "auto"
  /** Never redirect: ask the provider in a hidden frame. A browser that keeps the provider's cookie from frames makes that tell nothing, and then it is as `manual`. */
  | "probe"
  /** Ask nothing before the person clicks. */
  | "manual"
;

/** Where a person signs in. */
export type Mode =
  /** In this page's place: it is left, and comes back with the answer. */
  | "redirect"
  /** In a window that the face has opened: this page stays, and the command is over when the window has answered. */
  | "popup"
;

/** How far a sign-out reaches. */
export type Scope =
  /** The provider's session and all apps that hold it. */
  | "global"
  /** This app in this browser. */
  | "local"
;

/** What came of an effect. */
export type Answer =
  /** `fetch`, `open_stream`: the response's head. A fetch's body comes beside it as bytes; a stream's follows as `chunk`. */
  | {
      kind: "response";
      /** The head. */
      response: Response;
    }
  /** Any effect: it could not be carried out. */
  | {
      kind: "failed";
      /** Why. */
      reason: Failure;
    }
  /** `load`, `load_sealed`: what is stored. */
  | {
      kind: "loaded";
      /** Absent if there is nothing under the key. */
      value?: string;
    }
  /** `digest`: the hash. */
  | {
      kind: "digest";
      /** In base64url. */
      value: string;
    }
  /** `verify_signature`: whether the signature is right. */
  | {
      kind: "verdict";
      /** True if it is. */
      valid: boolean;
    }
  /** `open_frame`, `open_popup`: what the app's page was loaded with there. */
  | {
      kind: "framed";
      /** Its query. */
      query: string;
    }
  /** `take_lock`: it is held now. */
  | {
      kind: "granted";
    }
  /** `save`, `save_sealed`, `erase`, `broadcast`, `drop_lock`, `navigate`: carried out. `watch_session`: the session changed. */
  | {
      kind: "done";
    }
;

/** The head of an HTTP response, as far as a script may read it. */
export interface Response {
  /** Status code. */
  status: number;
  /** The `Date` header as milliseconds since the Unix epoch. */
  date_ms?: number;
  /** `Content-Type` without parameters, in lower case. */
  content_type?: string;
  /** `Retry-After` in seconds. */
  retry_after?: number;
  /** `WWW-Authenticate` as it came. */
  www_authenticate?: string;
}

/** Why an effect was not carried out. */
export type Failure =
  /** No connection, a refused one, or an answer that CORS hides. */
  | "network"
  /** Nothing came in time. */
  | "timeout"
  /** The answer was a redirect; it was not followed. */
  | "redirected"
  /** The body is longer than the limit. */
  | "too_large"
  /** The browser lacks or blocks what the effect needs. */
  | "unavailable"
  /** `take_lock` with `if_free`: somebody else holds it. */
  | "held"
  /** `verify_signature`: the key cannot be used. */
  | "bad_key"
  /** `verify_signature`: the browser has WebCrypto, but not this algorithm. */
  | "unsupported"
  /** `open_popup`: the application gave it up. `open_frame`: it was not opened, for what that needs could not be loaded. */
  | "cancelled"
;

/** Something that nobody asked for. */
export type Signal =
  /** The time of the last `wake_at` has come. */
  | {
      kind: "wake";
    }
  /** The page became visible. */
  | {
      kind: "shown";
    }
  /** The page was hidden. */
  | {
      kind: "hidden";
    }
  /** The browser says that the network is back. */
  | {
      kind: "online";
    }
  /** The page is left or frozen: locks and streams must be let go. */
  | {
      kind: "leave";
    }
  /** The page came back from the back/forward cache, or was thawed. */
  | {
      kind: "return";
    }
  /** Another tab of this origin says something. */
  | {
      kind: "message";
      /** Its words. */
      text: string;
    }
  /** Bytes of a stream, given beside it. */
  | {
      kind: "chunk";
      /** The effect that opened the stream. */
      effect: number;
    }
  /** A stream's end, expected or not. */
  | {
      kind: "ended";
      /** The effect that opened the stream. */
      effect: number;
    }
  /** A lock was taken away. */
  | {
      kind: "lost";
      /** The effect that took the lock. */
      effect: number;
    }
;

/** What a step wants done, in this order. */
export type Order =
  /** Carry this out and answer once. */
  | {
      kind: "effect";
      /** Its number. */
      id: number;
      /** What to do. */
      effect: Effect;
    }
  /** Stop an effect: no answer and no signal of it is wanted any more. A lock is let go, a stream closed. */
  | {
      kind: "cancel";
      /** Its number. */
      effect: number;
    }
  /** Signal `wake` at this point of the monotonic clock; replaces the last. */
  | {
      kind: "wake_at";
      /** Milliseconds. */
      monotonic_ms: number;
    }
  /** A command is over. */
  | {
      kind: "completed";
      /** The command's number. */
      command: number;
      /** What came of it. */
      outcome: Outcome;
    }
  /** The session changed: tell the subscribers. */
  | {
      kind: "session";
      /** All of it. */
      session: Session;
    }
;

/** One thing that a browser can do. */
export type Effect =
  /** A request without cookies. A redirect is not followed: it is answered as `failed`. */
  | {
      kind: "fetch";
      /** `GET` or `POST`. */
      method: string;
      /** Where. */
      url: string;
      /** `Authorization`, if any. */
      authorization?: string;
      /** A body in `application/x-www-form-urlencoded`, if any. */
      form?: string;
      /** How many bytes of the answer to read at most. */
      limit: number;
      /** When to give up, in milliseconds. */
      timeout_ms: number;
    }
  /** A hash of a text, answered by `digest`. */
  | {
      kind: "digest";
      /** As WebCrypto names it: `SHA-256`, `SHA-384`, `SHA-512`. */
      algorithm: string;
      /** The text, in ASCII. */
      text: string;
    }
  /** Check a JSON Web Signature, answered by `verdict`. */
  | {
      kind: "verify_signature";
      /** As JOSE names it: RS, PS and ES of 256, 384 and 512, or `EdDSA` or `Ed25519`, which are one. */
      algorithm: string;
      /** The public key as a JSON Web Key. */
      key: Record<string, unknown>;
      /** The signing input, in ASCII. */
      input: string;
      /** The signature, in base64url. */
      signature: string;
    }
  /** Read what is stored, answered by `loaded`. */
  | {
      kind: "load";
      /** Where. */
      area: Area;
      /** Under which key. */
      key: string;
    }
  /** Store a text. */
  | {
      kind: "save";
      /** Where. */
      area: Area;
      /** Under which key. */
      key: string;
      /** The text. */
      value: string;
    }
  /** Forget what is stored. */
  | {
      kind: "erase";
      /** Where. */
      area: Area;
      /** Under which key. */
      key: string;
    }
  /** Read what `save_sealed` stored, answered by `loaded`; what cannot be opened any more is `failed`. */
  | {
      kind: "load_sealed";
      /** Where. */
      area: Area;
      /** Under which key. */
      key: string;
      /** When to give up, in milliseconds. */
      timeout_ms: number;
    }
  /** Store a text, encrypted under a key of this origin that leaves the browser by no script. `erase` forgets it. Nothing is stored once this is cancelled. */
  | {
      kind: "save_sealed";
      /** Where. */
      area: Area;
      /** Under which key. */
      key: string;
      /** The text. */
      value: string;
    }
  /** Leave the page. */
  | {
      kind: "navigate";
      /** Where to. */
      url: string;
      /** What is posted there, in `application/x-www-form-urlencoded`; without it the address is followed. */
      form?: string;
      /** Whether the page's entry in the history is replaced: Back must not lead to a page that redirects by itself. */
      replace: boolean;
    }
  /** Load an address in a hidden frame until the app's silent page reports, answered by `framed`. */
  | {
      kind: "open_frame";
      /** Where. */
      url: string;
      /** When to give up, in milliseconds. */
      timeout_ms: number;
    }
  /** Load an address in the window that the face opened at the click, until the app's page there reports, answered by `framed`. Whether the window seems to be closed says nothing: a provider with Cross-Origin-Opener-Policy makes every open one seem so. */
  | {
      kind: "open_popup";
      /** Where. */
      url: string;
      /** What the window calls the channel by which it reports, after `gatepass:1:`. */
      state: string;
      /** When to give up, in milliseconds. */
      timeout_ms: number;
    }
  /** Tell the other tabs of this origin. From the first one on, `message` signals what they say. */
  | {
      kind: "broadcast";
      /** The channel's name. */
      channel: string;
      /** The words. */
      text: string;
    }
  /** Ask for an exclusive lock among the tabs of this origin; answered when it is held. */
  | {
      kind: "take_lock";
      /** The lock's name. */
      name: string;
      /** Answer `held` at once instead of waiting. */
      if_free: boolean;
      /** Take it away from whoever holds it. */
      steal: boolean;
    }
  /** Let a held lock go. */
  | {
      kind: "drop_lock";
      /** The effect that took it. */
      lock: number;
    }
  /** A GET whose body is signalled as it comes. */
  | {
      kind: "open_stream";
      /** Where. */
      url: string;
      /** `Authorization`. */
      authorization: string;
      /** When to give up waiting for the head, in milliseconds. */
      timeout_ms: number;
    }
  /** Ask the provider's hidden frame again and again whether its session changed (Session Management 1.0, 3.1). Answered by `done` when it says so, after it has shown that it can see the session; by `failed` when it cannot. */
  | {
      kind: "watch_session";
      /** The frame's address. */
      url: string;
      /** The client id, a space and the `session_state`. */
      words: string;
    }
;

/** A storage of the browser. */
export type Area =
  /** `sessionStorage`: this tab. */
  | "tab"
  /** `localStorage`: this origin. */
  | "origin"
;

/** What came of a command. */
export type Outcome =
  /** It is done; the session tells the rest. */
  | {
      kind: "done";
    }
  /** The page is about to be left. */
  | {
      kind: "leaving";
    }
  /** An access token; absent if the origin may not have one. */
  | {
      kind: "token";
      /** The token. */
      access_token?: string;
      /** When it expires, in Unix seconds. */
      expires_at?: number;
    }
  /** How the machine fares. */
  | {
      kind: "diagnosis";
      /** All of it. */
      diagnosis: (number | string)[];
    }
  /** It was refused. */
  | {
      kind: "failed";
      /** Why. */
      error: WireError;
    }
;

/** The session of the app. It holds no token. */
export interface Session {
  /** In one word. */
  status: Status;
  /** Who: `sub`, if a session is held. */
  subject?: string;
  /** The verified claims of the ID token. */
  claims?: Record<string, unknown>;
  /** The checks that the ID token passed, with the values compared. */
  checks?: Check[];
  /** When this app's session began, in Unix seconds by the provider's clock. */
  started_at?: number;
  /** When this app's session ends by itself unless it is extended, in Unix seconds by the provider's clock; absent if it does not. */
  expires_at?: number;
  /** When the access token expires, in Unix seconds. */
  token_expires_at?: number;
  /** Why there is no session any more, or why the user changed. */
  cause?: Cause;
  /** What went wrong last, if it still matters. */
  error?: WireError;
  /** What should be put right although it keeps nobody from anything: this machine's clock differs from the provider's by more than tokens may (`clock_differs`; the provider's is followed), or by so much that it is not followed (`clock_wrong`). */
  warning?: WireError;
  /** How many seconds the provider's clock is ahead of this machine's, if that is more than two. */
  clock_offset?: number;
}

/** The session in one word. */
export type Status =
  /** Not known yet. */
  | "restoring"
  /** Nobody is signed in here. */
  | "anonymous"
  /** Somebody is signed in here. */
  | "authenticated"
  /** The provider cannot be reached; the session, if one is held, is kept. */
  | "offline"
  /** Somebody was signed in here, and the session has run out. */
  | "expired"
;

/** One rule of a specification, and the values that were compared. */
export interface Check {
  /** Specification, section and number. */
  rule: string;
  /** The claim or header. */
  name: string;
  /** What it had to be. */
  expected: string;
  /** What it was. */
  found: string;
}

/** Why a session ended. */
export interface Cause {
  /** What happened. */
  ending: Ending;
  /** When, in Unix seconds by the provider's clock. */
  at: number;
}

/** What ends a session: these, and nothing else. */
export type Ending =
  /** The person signed out at this app, everywhere. */
  | "signed_out"
  /** The person left only this app. */
  | "signed_out_here"
  /** The provider said that its session ended: a verified logout token. */
  | "logout_token"
  /** A check found that the provider knows of no session. */
  | "login_required"
  /** The provider refused to refresh. */
  | "invalid_grant"
  /** The provider refused the access token, and there is no refresh token. */
  | "invalid_token"
  /** This app's own lifetime is over. */
  | "lifetime"
  /** Somebody else signed in. */
  | "user_changed"
;

/** How a session came to a page. */
export type Came =
  /** There was none. */
  | "no"
  /** From another tab. */
  | "tab"
  /** From this browser's storage. */
  | "storage"
  /** From the provider, asked in a hidden frame. */
  | "frame"
  /** From the provider, asked by a redirect that nobody clicked for. */
  | "redirect"
  /** By a click. */
  | "click"
  /** By a click, in a window of its own. */
  | "window"
;

/** What a browser has shown of the ways to a session, at this origin and for this client. What has failed is not tried again until a session was reached. */
export type Noted =
  /** Failed: what was kept in storage could not be read. */
  | "recall"
  /** Failed: a hidden frame brought nothing, or what is no answer. */
  | "frame"
  /** Failed: a redirect brought what is no answer. */
  | "redirect"
  /** A hidden frame has seen the provider's cookie. */
  | "sees"
  /** A hidden frame has found nobody, and a redirect has been asked whether that is so. */
  | "unseen"
;

/** A tab's part among the tabs of its origin. */
export type Part =
  /** It has no session to lead, or another tab holds the lock and it has not asked yet. */
  | "none"
  /** Another tab leads; this one waits for its place. */
  | "waits"
  /** It leads: only it refreshes and holds the stream. */
  | "leads"
  /** The browser has no locks: every tab acts for itself. */
  | "alone"
;

/** Where the event stream of a tab stands. */
export type StreamState =
  /** There is none: nobody is signed in, or another tab has it. */
  | "closed"
  /** It is being opened. */
  | "opening"
  /** It is open. */
  | "open"
  /** It failed, and is tried again later. */
  | "retrying"
  /** The provider offers none to this client. */
  | "absent"
;

/** Where a session is kept (docs/adr/0010). */
export type StorageKind =
  /** Nowhere: a page that is loaded anew asks the other tabs, then the provider. */
  | "memory"
  /** In the tab (`sessionStorage`), encrypted. */
  | "session"
  /** In the browser (`localStorage`), encrypted, also over a restart. */
  | "local"
;

/** What the application says about itself and its provider. A face fills in what the page knows. */
export interface Config {
  /** The issuer, exactly as its discovery document writes it. */
  issuer: string;
  /** The client id. */
  client_id: string;
  /** The registered redirect URI. */
  redirect_uri: string;
  /** The registered post-logout redirect URI. */
  post_logout_redirect_uri: string;
  /** The registered redirect URI of frames and windows, where `gatepass-silent.html` lies. If absent, it is the origin and that name for frames, and `redirect_uri` for windows. */
  silent_redirect_uri?: string;
  /** The page's own origin. */
  origin: string;
  /** The scopes asked for; `openid profile email` if absent. */
  scope?: string;
  /** Origins besides the page's own that may get the access token. */
  token_origins?: string[];
  /** Where the session is kept over a reload; `memory` if absent. */
  storage?: StorageKind;
  /** Where the app's own server says that a session is over (docs/relay.md), for a provider that offers no session events. */
  session_events_endpoint?: string;
  /** Seconds after which this app's session ends by itself, counted from the sign-in or from the last time that it was extended. */
  session_lifetime?: number;
  /** The algorithms that the client is registered for (`id_token_signed_response_alg`), separated by spaces; if absent all that there are: RS, PS and ES of 256, 384 and 512, EdDSA, and Ed25519, which is its name in full. */
  id_token_signed_response_alg?: string;
  /** How many seconds the clocks may differ when a token's times are checked, 0 to 300; 60 if absent. */
  clock_skew?: number;
  /** Allow addresses of plain http beyond this machine: whoever is between may read and change everything. */
  dangerously_allow_http?: boolean;
  /** Follow the provider's clock however far it is from this machine's: for demos and tests whose provider has a clock that can be set. A wrong clock is no longer noticed. */
  dangerously_follow_provider_clock?: boolean;
}

