//! Orders: what the machine wants done.

use super::{
    Raw,
    diagnosis::Diagnosis,
    macros::{union, words},
    session::Session,
};
use crate::{error::Error, secret::Secret, text::Text};
use alloc::boxed::Box;

union! {
    /// What a step wants done, in this order.
    pub enum Order (Write) {
        /// Carry this out and answer once.
        Effect = "effect" {
            /// Its number.
            id: u32 = "id",
            /// What to do.
            effect: Effect = "effect",
        }
        /// Stop an effect: no answer and no signal of it is wanted any more. A lock is let go, a
        /// stream closed.
        Cancel = "cancel" {
            /// Its number.
            effect: u32 = "effect",
        }
        /// Signal `wake` at this point of the monotonic clock; replaces the last.
        WakeAt = "wake_at" {
            /// Milliseconds.
            monotonic_ms: i64 = "monotonic_ms",
        }
        /// A command is over.
        Completed = "completed" {
            /// The command's number.
            command: u32 = "command",
            /// What came of it.
            outcome: Outcome = "outcome",
        }
        /// The session changed: tell the subscribers.
        Session = "session" {
            /// All of it.
            session: Box<Session> = "session",
        }
    }
}

union! {
    /// What came of a command.
    pub enum Outcome (Write) {
        /// It is done; the session tells the rest.
        Done = "done" {}
        /// The page is about to be left.
        Leaving = "leaving" {}
        /// An access token; absent if the origin may not have one.
        Token = "token" {
            /// The token.
            access_token: Option<Secret> = "access_token",
            /// When it expires, in Unix seconds.
            expires_at: Option<i64> = "expires_at",
        }
        /// How the machine fares.
        Diagnosis = "diagnosis" {
            /// All of it.
            diagnosis: Box<Diagnosis> = "diagnosis",
        }
        /// It was refused.
        Failed = "failed" {
            /// Why.
            error: Error = "error",
        }
    }
}

union! {
    /// One thing that a browser can do.
    pub enum Effect (Write) {
        /// A request without cookies. A redirect is not followed: it is answered as `failed`.
        Fetch = "fetch" {
            /// `GET` or `POST`.
            method: &'static str = "method",
            /// Where.
            url: Text = "url",
            /// `Authorization`, if any.
            authorization: Option<Secret> = "authorization",
            /// A body in `application/x-www-form-urlencoded`, if any.
            form: Option<Secret> = "form",
            /// How many bytes of the answer to read at most.
            limit: u32 = "limit",
            /// When to give up, in milliseconds.
            timeout_ms: u32 = "timeout_ms",
        }
        /// A hash of a text, answered by `digest`.
        Digest = "digest" {
            /// As WebCrypto names it: `SHA-256`, `SHA-384`, `SHA-512`.
            algorithm: &'static str = "algorithm",
            /// The text, in ASCII.
            text: Secret = "text",
        }
        /// Check a JSON Web Signature, answered by `verdict`.
        VerifySignature = "verify_signature" {
            /// As JOSE names it: RS, PS and ES of 256, 384 and 512, or `EdDSA` or `Ed25519`, which are one.
            algorithm: &'static str = "algorithm",
            /// The public key as a JSON Web Key.
            key: Raw = "key",
            /// The signing input, in ASCII.
            input: Secret = "input",
            /// The signature, in base64url.
            signature: Text = "signature",
        }
        /// Read what is stored, answered by `loaded`.
        Load = "load" {
            /// Where.
            area: Area = "area",
            /// Under which key.
            key: Text = "key",
        }
        /// Store a text.
        Save = "save" {
            /// Where.
            area: Area = "area",
            /// Under which key.
            key: Text = "key",
            /// The text.
            value: Secret = "value",
        }
        /// Forget what is stored.
        Erase = "erase" {
            /// Where.
            area: Area = "area",
            /// Under which key.
            key: Text = "key",
        }
        /// Read what `save_sealed` stored, answered by `loaded`; what cannot be opened any more is
        /// `failed`.
        LoadSealed = "load_sealed" {
            /// Where.
            area: Area = "area",
            /// Under which key.
            key: Text = "key",
            /// When to give up, in milliseconds.
            timeout_ms: u32 = "timeout_ms",
        }
        /// Store a text, encrypted under a key of this origin that leaves the browser by no script.
        /// `erase` forgets it. Nothing is stored once this is cancelled.
        SaveSealed = "save_sealed" {
            /// Where.
            area: Area = "area",
            /// Under which key.
            key: Text = "key",
            /// The text.
            value: Secret = "value",
        }
        /// Leave the page.
        Navigate = "navigate" {
            /// Where to.
            url: Secret = "url",
            /// What is posted there, in `application/x-www-form-urlencoded`; without it the address
            /// is followed.
            form: Option<Secret> = "form",
            /// Whether the page's entry in the history is replaced: Back must not lead to a page
            /// that redirects by itself.
            replace: bool = "replace",
        }
        /// Load an address in a hidden frame until the app's silent page reports, answered by `framed`.
        OpenFrame = "open_frame" {
            /// Where.
            url: Secret = "url",
            /// When to give up, in milliseconds.
            timeout_ms: u32 = "timeout_ms",
        }
        /// Load an address in the window that the face opened at the click, until the app's page
        /// there reports, answered by `framed`. Whether the window seems to be closed says nothing:
        /// a provider with Cross-Origin-Opener-Policy makes every open one seem so.
        OpenPopup = "open_popup" {
            /// Where.
            url: Secret = "url",
            /// What the window calls the channel by which it reports, after `gatepass:1:`.
            state: Text = "state",
            /// When to give up, in milliseconds.
            timeout_ms: u32 = "timeout_ms",
        }
        /// Tell the other tabs of this origin. From the first one on, `message` signals what they say.
        Broadcast = "broadcast" {
            /// The channel's name.
            channel: Text = "channel",
            /// The words.
            text: Secret = "text",
        }
        /// Ask for an exclusive lock among the tabs of this origin; answered when it is held.
        TakeLock = "take_lock" {
            /// The lock's name.
            name: Text = "name",
            /// Answer `held` at once instead of waiting.
            if_free: bool = "if_free",
            /// Take it away from whoever holds it.
            steal: bool = "steal",
        }
        /// Let a held lock go.
        DropLock = "drop_lock" {
            /// The effect that took it.
            lock: u32 = "lock",
        }
        /// A GET whose body is signalled as it comes.
        OpenStream = "open_stream" {
            /// Where.
            url: Text = "url",
            /// `Authorization`.
            authorization: Secret = "authorization",
            /// When to give up waiting for the head, in milliseconds.
            timeout_ms: u32 = "timeout_ms",
        }
        /// Ask the provider's hidden frame again and again whether its session changed (Session
        /// Management 1.0, 3.1). Answered by `done` when it says so, after it has shown that it can
        /// see the session; by `failed` when it cannot.
        WatchSession = "watch_session" {
            /// The frame's address.
            url: Text = "url",
            /// The client id, a space and the `session_state`.
            words: Secret = "words",
        }
    }
}

words! {
    /// A storage of the browser.
    pub enum Area (Write) {
        /// `sessionStorage`: this tab.
        Tab = "tab",
        /// `localStorage`: this origin.
        Origin = "origin",
    }
}
