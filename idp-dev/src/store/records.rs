//! What the provider remembers.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::sync::Arc;

use crate::authorization_request::AuthorizationRequest;
use crate::clock::{Seconds, UnixTime};
use crate::end_session_request::EndSessionRequest;
use crate::params::Params;
use crate::secret::{Digest, Secret};

/// One person signed in at the provider in one browser: the SSO session.
#[derive(Clone, Debug)]
pub struct SsoSession {
    /// Names the session to the control API. No secret, and never shown to clients.
    pub id: String,
    /// Digest of the cookie that holds the session; changes with each sign-in.
    pub cookie: Digest,
    /// Digest of the cookie that names the session in frames, for `prompt=none` only; changes
    /// with the other one and says nothing about it.
    pub silent_cookie: Digest,
    /// What frames of ours compare (Session Management 1.0); scripts may read it, and it opens
    /// nothing.
    pub browser_state: String,
    /// Does a browser hold it still? Not one that goes on for apps that another app has left.
    pub has_browser: bool,
    /// The username.
    pub user: String,
    /// Does the browser keep the cookies when it is restarted (F12)?
    pub is_kept: bool,
    /// When the session began.
    pub started: UnixTime,
    /// When the person last proved who they are (`auth_time`).
    pub auth_time: UnixTime,
    /// The last sign of life: an authorization request or a refresh.
    pub last_seen: UnixTime,
    /// The level reached (`acr`).
    pub acr: Cow<'static, str>,
    /// The methods used (`amr`, RFC 8176).
    pub amr: Vec<&'static str>,
    /// The clients that joined, by client id, each with a `sid` of its own: two clients cannot
    /// tell from it that they share a session.
    pub joined: BTreeMap<String, String>,
}

/// What one client was given in one session: the family of a refresh token.
#[derive(Clone, Debug)]
pub struct Grant {
    /// Names the grant inside tokens; no secret.
    pub id: String,
    /// Whose grant it is.
    pub client_id: String,
    /// The session that it was given in.
    pub session: String,
    /// The client's name for that session.
    pub sid: String,
    /// The username.
    pub user: String,
    /// Granted scopes.
    pub scopes: Vec<String>,
    /// `auth_time` as it was when the grant was given; refreshed ID tokens repeat it
    /// (OIDC Core 12.2).
    pub auth_time: UnixTime,
    /// Level of the sign-in.
    pub acr: Cow<'static, str>,
    /// Methods of the sign-in.
    pub amr: Vec<&'static str>,
    /// Does it outlive the session (`offline_access`)?
    pub is_offline: bool,
    /// Which refresh token is the current one: 0 before the code is redeemed, then counting up.
    pub refresh_serial: u32,
    /// When the one before it became the past.
    pub rotated_at: Option<UnixTime>,
    /// When it ends by itself.
    pub expires: UnixTime,
    /// Set once, never cleared.
    pub is_revoked: bool,
}

impl Grant {
    /// May refresh token number `serial` be used now (RFC 9700, 4.14.2)? The current one may; and for as
    /// long as `grace` the one before it, for the answer to that may have been lost.
    pub fn takes(&self, serial: u32, grace: Seconds, now: UnixTime) -> bool {
        let is_graced = || {
            serial.checked_add(1) == Some(self.refresh_serial)
                && self.rotated_at.is_some_and(|at| at <= now && now < at.plus(grace))
        };
        serial == self.refresh_serial || is_graced()
    }
}

/// An authorization code, kept under its digest.
#[derive(Clone, Debug)]
pub struct Code {
    /// The grant that redeeming it brings to life, and that a replay revokes.
    pub grant: String,
    /// The client it was given to.
    pub client_id: String,
    /// The redirect URI it was sent to.
    pub redirect_uri: String,
    /// PKCE S256 challenge.
    pub code_challenge: String,
    /// To repeat in the ID token.
    pub nonce: Option<String>,
    /// At most 60 seconds after it was given.
    pub expires: UnixTime,
}

/// What presenting a code brought.
#[derive(Clone, Debug)]
pub enum Redemption {
    /// The first time: nobody else gets this answer for the same code.
    First(Box<Code>),
    /// Presented before: the grant it belongs to.
    Replayed(String),
    /// Never heard of.
    Unknown,
}

/// What presenting a refresh token brought.
#[derive(Clone, Debug)]
pub enum Rotation {
    /// It was the current one; the grant now counts one further.
    Rotated(Box<Grant>),
    /// It was the current one once: somebody has a copy.
    Reused,
    /// The grant is gone or revoked.
    Gone,
}

/// A request that waits for the person, kept under the digest of the opaque id in the URL.
#[derive(Clone, Debug)]
pub enum Parked {
    /// An authorization request that came by POST and waits for our own GET.
    Authorize(Params),
    /// An authorization request that waits for a sign-in.
    SignIn(Box<SignIn>),
    /// A sign-in that was answered a moment ago, for a form that is sent twice.
    Answered(Box<Answered>),
    /// A sign-out that waits for its continuation or for a confirmation.
    EndSession(Box<EndSessionRequest>),
}

/// A sign-in page that is open somewhere.
#[derive(Clone, Debug)]
pub struct SignIn {
    /// What the client asked for.
    pub request: Arc<AuthorizationRequest>,
    /// Digest of the pre-session cookie of the browser that opened the page.
    pub browser: Digest,
    /// What to show again after a failed attempt.
    pub username: String,
    /// What went wrong in the last attempt.
    pub problem: Option<SignInProblem>,
}

/// What came of a sign-in page that was answered.
#[derive(Clone, Debug)]
pub struct Answered {
    /// The page as it was.
    pub sign_in: SignIn,
    /// The session that answered.
    pub session: String,
    /// Whose session it is.
    pub user: String,
    /// Where the browser was sent, with the code in it.
    pub location: Secret,
    /// Digest of that code.
    pub code: Digest,
}

/// Why a sign-in page is shown again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SignInProblem {
    /// Username or password is wrong; the page does not say which.
    WrongCredentials,
    /// The client asked for another person by `id_token_hint`.
    OtherPersonExpected,
    /// The password is right, and the account is disabled (D1).
    Disabled,
}

/// Who leaves a session that goes on, and when.
pub struct Leave<'a> {
    /// Is it this client?
    pub whose: &'a dyn Fn(&str) -> bool,
    /// The session's new cookies, which nobody has.
    pub cookie: Digest,
    /// The same for frames.
    pub silent_cookie: Digest,
    /// When.
    pub at: UnixTime,
}

/// What leaving made of a session; with the clients that left.
#[derive(Clone, Debug)]
pub enum Left {
    /// It goes on for the others.
    GoesOn(SsoSession),
    /// It had no others, and has ended.
    Ended(SsoSession),
}

/// A session that is over, by the `sid` of one client: enough to tell late streams.
#[derive(Clone, Debug)]
pub struct EndedSession {
    /// The client whose `sid` it was.
    pub client_id: String,
    /// The client's name for the session.
    pub sid: String,
    /// The user's `sub`.
    pub user: String,
    /// When it ended.
    pub at: UnixTime,
}
