//! The session of the app, as subscribers see it.

use super::{
    Raw,
    macros::{record, words},
};
use crate::{error::Error, text::Text};
use alloc::{string::String, vec::Vec};

record! {
    /// The session of the app. It holds no token.
    pub struct Session (Write) {
        /// In one word.
        status: Status = "status",
        /// Who: `sub`, if a session is held.
        subject: Option<Text> = "subject",
        /// The verified claims of the ID token.
        claims: Option<Raw> = "claims",
        /// The checks that the ID token passed, with the values compared.
        checks: Option<Vec<Check>> = "checks",
        /// When this app's session began, in Unix seconds by the provider's clock.
        started_at: Option<i64> = "started_at",
        /// When this app's session ends by itself unless it is extended, in Unix seconds by the
        /// provider's clock; absent if it does not.
        expires_at: Option<i64> = "expires_at",
        /// When the access token expires, in Unix seconds.
        token_expires_at: Option<i64> = "token_expires_at",
        /// Why there is no session any more, or why the user changed.
        cause: Option<Cause> = "cause",
        /// What went wrong last, if it still matters.
        error: Option<Error> = "error",
        /// What should be put right although it keeps nobody from anything: this machine's clock
        /// differs from the provider's by more than tokens may (`clock_differs`; the provider's is
        /// followed), or by so much that it is not followed (`clock_wrong`).
        warning: Option<Error> = "warning",
        /// How many seconds the provider's clock is ahead of this machine's, if that is more than two.
        clock_offset: Option<i64> = "clock_offset",
    }
}

words! {
    /// The session in one word.
    pub enum Status (Write) {
        /// Not known yet.
        Restoring = "restoring",
        /// Nobody is signed in here.
        Anonymous = "anonymous",
        /// Somebody is signed in here.
        Authenticated = "authenticated",
        /// The provider cannot be reached; the session, if one is held, is kept.
        Offline = "offline",
        /// Somebody was signed in here, and the session has run out.
        Expired = "expired",
    }
}

record! {
    /// One rule of a specification, and the values that were compared.
    pub struct Check (Write) {
        /// Specification, section and number.
        rule: String = "rule",
        /// The claim or header.
        name: String = "name",
        /// What it had to be.
        expected: String = "expected",
        /// What it was.
        found: String = "found",
    }
}

record! {
    /// Why a session ended.
    pub struct Cause (Write) {
        /// What happened.
        ending: Ending = "ending",
        /// When, in Unix seconds by the provider's clock.
        at: i64 = "at",
    }
}

words! {
    /// What ends a session: these, and nothing else.
    pub enum Ending (Read, Write) {
        /// The person signed out at this app, everywhere.
        SignedOut = "signed_out",
        /// The person left only this app.
        SignedOutHere = "signed_out_here",
        /// The provider said that its session ended: a verified logout token.
        LogoutToken = "logout_token",
        /// A check found that the provider knows of no session.
        LoginRequired = "login_required",
        /// The provider refused to refresh.
        InvalidGrant = "invalid_grant",
        /// The provider refused the access token, and there is no refresh token.
        InvalidToken = "invalid_token",
        /// This app's own lifetime is over.
        Lifetime = "lifetime",
        /// Somebody else signed in.
        UserChanged = "user_changed",
    }
}
