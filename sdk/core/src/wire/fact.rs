//! Facts: what the machine is told.

use super::macros::{record, union, words};
use crate::{secret::Secret, text::Text};

union! {
    /// What a step is about.
    pub enum Fact (Read) {
        /// The application wishes something. Each command is completed exactly once.
        Command = "command" {
            /// The caller's number for it; not used before.
            id: u32 = "id",
            /// What is wished.
            command: Command = "command",
        }
        /// What became of an effect. Each effect is answered exactly once, unless it was cancelled.
        Answer = "answer" {
            /// The number that the order carried.
            effect: u32 = "effect",
            /// What came of it.
            answer: Answer = "answer",
        }
        /// Something that nobody asked for.
        Signal = "signal" {
            /// What happened.
            signal: Signal = "signal",
        }
    }
}

union! {
    /// A wish of the application.
    pub enum Command (Read, Write) {
        /// The first command of every page: find out whether there is a session.
        Resume = "resume" {
            /// The address that the provider sent the browser back to, if the page was loaded by it.
            callback: Option<Text> = "callback",
            /// Path, query and fragment of the page, to come back to after an automatic redirect.
            here: Text = "here",
            /// Whether this page may look for a session by a redirect of its own.
            on_load: OnLoad = "on_load",
        }
        /// Lead the person to the provider to sign in.
        SignIn = "sign_in" {
            /// Where: in this page's place if absent.
            mode: Option<Mode> = "mode",
            /// Where to come back to: a path of this origin.
            return_to: Text = "return_to",
            /// `prompt` (OIDC Core 3.1.2.1).
            prompt: Option<Text> = "prompt",
            /// `login_hint` (OIDC Core 3.1.2.1).
            login_hint: Option<Text> = "login_hint",
            /// `acr_values`, separated by spaces (OIDC Core 3.1.2.1); the answer must reach one.
            acr_values: Option<Text> = "acr_values",
            /// `max_age` in seconds (OIDC Core 3.1.2.1).
            max_age: Option<i64> = "max_age",
            /// `ui_locales`, separated by spaces (OIDC Core 3.1.2.1).
            ui_locales: Option<Text> = "ui_locales",
        }
        /// Ask the provider whether the session still stands.
        CheckSession = "check_session" {}
        /// Start the session's own lifetime anew, if the provider says that the session still stands.
        Extend = "extend" {}
        /// An access token that is good for a while.
        GetToken = "get_token" {
            /// Seconds that the token must still be good for; 30 if absent.
            min_ttl: Option<i64> = "min_ttl",
            /// The origin that the token will be sent to: one that is not allowed gets none.
            origin: Option<Text> = "origin",
            /// A token that a resource refused as `invalid_token`: not this one again.
            refused: Option<Secret> = "refused",
            /// The resource that the token is for (RFC 8707, 2); those of the session's own if absent.
            resource: Option<Text> = "resource",
            /// What of the granted scope it is for, separated by spaces (RFC 6749, 6); all if absent.
            scope: Option<Text> = "scope",
        }
        /// Tell how the machine fares: answered at once, also while the start is under way.
        Diagnose = "diagnose" {}
        /// End the session.
        SignOut = "sign_out" {
            /// Everywhere, or here only.
            scope: Scope = "scope",
        }
    }
}

words! {
    /// What a page may do at its start when no tab of its origin has a session.
    pub enum OnLoad (Read, Write) {
        /// As `auto` on a hint that this browser had a session here before, else as `manual`.
        Hint = "hint",
        /// Ask the provider by one redirect that shows no page (`prompt=none`).
        Auto = "auto",
        /// Never redirect: ask the provider in a hidden frame. A browser that keeps the provider's
        /// cookie from frames makes that tell nothing, and then it is as `manual`.
        Probe = "probe",
        /// Ask nothing before the person clicks.
        Manual = "manual",
    }
}

words! {
    /// Where a person signs in.
    pub enum Mode (Read, Write) {
        /// In this page's place: it is left, and comes back with the answer.
        Redirect = "redirect",
        /// In a window that the face has opened: this page stays, and the command is over when the
        /// window has answered.
        Popup = "popup",
    }
}

words! {
    /// How far a sign-out reaches.
    pub enum Scope (Read, Write) {
        /// The provider's session and all apps that hold it.
        Global = "global",
        /// This app in this browser.
        Local = "local",
    }
}

union! {
    /// What came of an effect.
    pub enum Answer (Read) {
        /// `fetch`, `open_stream`: the response's head. A fetch's body comes beside it as bytes; a
        /// stream's follows as `chunk`.
        Response = "response" {
            /// The head.
            response: Response = "response",
        }
        /// Any effect: it could not be carried out.
        Failed = "failed" {
            /// Why.
            reason: Failure = "reason",
        }
        /// `load`, `load_sealed`: what is stored.
        Loaded = "loaded" {
            /// Absent if there is nothing under the key.
            value: Option<Text> = "value",
        }
        /// `digest`: the hash.
        Digest = "digest" {
            /// In base64url.
            value: Text = "value",
        }
        /// `verify_signature`: whether the signature is right.
        Verdict = "verdict" {
            /// True if it is.
            valid: bool = "valid",
        }
        /// `open_frame`, `open_popup`: what the app's page was loaded with there.
        Framed = "framed" {
            /// Its query.
            query: Secret = "query",
        }
        /// `take_lock`: it is held now.
        Granted = "granted" {}
        /// `save`, `save_sealed`, `erase`, `broadcast`, `drop_lock`, `navigate`: carried out.
        /// `watch_session`: the session changed.
        Done = "done" {}
    }
}

record! {
    /// The head of an HTTP response, as far as a script may read it.
    pub struct Response (Read) {
        /// Status code.
        status: u32 = "status",
        /// The `Date` header as milliseconds since the Unix epoch.
        date_ms: Option<i64> = "date_ms",
        /// `Content-Type` without parameters, in lower case.
        content_type: Option<Text> = "content_type",
        /// `Retry-After` in seconds.
        retry_after: Option<i64> = "retry_after",
        /// `WWW-Authenticate` as it came.
        www_authenticate: Option<Text> = "www_authenticate",
    }
}

words! {
    /// Why an effect was not carried out.
    pub enum Failure (Read) {
        /// No connection, a refused one, or an answer that CORS hides.
        Network = "network",
        /// Nothing came in time.
        Timeout = "timeout",
        /// The answer was a redirect; it was not followed.
        Redirected = "redirected",
        /// The body is longer than the limit.
        TooLarge = "too_large",
        /// The browser lacks or blocks what the effect needs.
        Unavailable = "unavailable",
        /// `take_lock` with `if_free`: somebody else holds it.
        Held = "held",
        /// `verify_signature`: the key cannot be used.
        BadKey = "bad_key",
        /// `verify_signature`: the browser has WebCrypto, but not this algorithm.
        Unsupported = "unsupported",
        /// `open_popup`: the application gave it up. `open_frame`: it was not opened, for what that needs
        /// could not be loaded.
        Cancelled = "cancelled",
    }
}

union! {
    /// Something that nobody asked for.
    pub enum Signal (Read) {
        /// The time of the last `wake_at` has come.
        Wake = "wake" {}
        /// The page became visible.
        Shown = "shown" {}
        /// The page was hidden.
        Hidden = "hidden" {}
        /// The browser says that the network is back.
        Online = "online" {}
        /// The page is left or frozen: locks and streams must be let go.
        Leave = "leave" {}
        /// The page came back from the back/forward cache, or was thawed.
        Return = "return" {}
        /// Another tab of this origin says something.
        Message = "message" {
            /// Its words.
            text: Text = "text",
        }
        /// Bytes of a stream, given beside it.
        Chunk = "chunk" {
            /// The effect that opened the stream.
            effect: u32 = "effect",
        }
        /// A stream's end, expected or not.
        Ended = "ended" {
            /// The effect that opened the stream.
            effect: u32 = "effect",
        }
        /// A lock was taken away.
        Lost = "lost" {
            /// The effect that took the lock.
            effect: u32 = "effect",
        }
    }
}
