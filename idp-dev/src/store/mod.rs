//! Where the provider keeps what it remembers.

mod bounded;
mod memory;
mod records;
mod sessions;
#[cfg(test)]
mod tests;

use std::fmt;

use crate::clock::{Seconds, UnixTime};
use crate::secret::Digest;

pub use memory::MemoryStore;
pub use records::{
    Answered, Code, EndedSession, Grant, Leave, Left, Parked, Redemption, Rotation, SignIn,
    SignInProblem, SsoSession,
};

/// Everything that outlives one request. Each operation is atomic: of two callers who redeem one
/// code or rotate one refresh token at the same moment, exactly one succeeds.
///
/// Operations are synchronous, because memory and a local file answer in microseconds. Every
/// implementation is bounded: it forgets the oldest or refuses, and never grows without limit.
///
/// Not covered: a store shared by several processes, which also needs shared keys and a way to
/// carry events between them.
pub trait Store: Send + Sync + 'static {
    /// Keeps a request that waits for the person, until `expires`. Forgets the oldest when full.
    fn park(&self, id: Digest, parked: Parked, expires: UnixTime);
    /// The request kept under `id`, if it has not expired.
    fn parked(&self, id: &Digest, now: UnixTime) -> Option<Parked>;
    /// Replaces the request kept under `id`, if it is still there.
    fn repark(&self, id: &Digest, parked: Parked);
    /// Takes the request kept under `id` away: of two callers one gets it.
    fn unpark(&self, id: &Digest, now: UnixTime) -> Option<Parked>;

    /// Keeps a new session.
    ///
    /// # Errors
    /// When there are too many: forgetting one would sign somebody out.
    fn insert_session(&self, session: SsoSession) -> Result<(), StoreFull>;
    /// The session of that id.
    fn session(&self, id: &str) -> Option<SsoSession>;
    /// The session held by the cookie with that digest.
    fn session_by_cookie(&self, cookie: &Digest) -> Option<SsoSession>;
    /// The session named by the silent cookie with that digest.
    fn session_by_silent_cookie(&self, cookie: &Digest) -> Option<SsoSession>;
    /// All sessions, oldest first.
    fn sessions(&self) -> Vec<SsoSession>;
    /// The ids of the sessions that `wanted` picks, oldest first.
    fn session_ids(&self, wanted: &dyn Fn(&SsoSession) -> bool) -> Vec<String>;
    /// Changes a session that still lives and gives it back as it is now.
    fn update_session(
        &self,
        id: &str,
        change: &mut dyn FnMut(&mut SsoSession),
    ) -> Option<SsoSession>;
    /// Removes a session and remembers its `sid`s as ended: of two callers one gets it.
    fn end_session(&self, id: &str, at: UnixTime) -> Option<SsoSession>;
    /// Takes clients out of a session that goes on without the browser: its cookies become these,
    /// which nobody has. Gives the session with the clients that were in it and are not any more,
    /// and remembers their `sid`s as ended. One that nobody is left in ends. `None` if it has
    /// ended before.
    fn leave_session(&self, id: &str, leave: &Leave<'_>) -> Option<Left>;
    /// The ended session that `client_id` knew as `sid`.
    fn ended_session(&self, client_id: &str, sid: &str) -> Option<EndedSession>;

    /// Keeps a new grant. When full, forgets expired ones first, then the oldest.
    fn insert_grant(&self, grant: Grant, now: UnixTime);
    /// The grant of that id, revoked or not.
    fn grant(&self, id: &str) -> Option<Grant>;
    /// Marks a grant as revoked; gives it back if it was not revoked before.
    fn revoke_grant(&self, id: &str) -> Option<Grant>;
    /// Revokes what was given in a session to the clients that `whose` picks, except what may
    /// outlive it; gives back the revoked.
    fn revoke_grants_of_session(&self, session: &str, whose: &dyn Fn(&str) -> bool) -> Vec<Grant>;
    /// Makes refresh token number `serial` the past, if it may be used, and the next one current.
    fn rotate(&self, grant: &str, serial: u32, times: Times) -> Rotation;

    /// Keeps a new code under its digest.
    fn insert_code(&self, digest: Digest, code: Code);
    /// Is the code kept, and was it never presented?
    fn is_code_fresh(&self, digest: &Digest, now: UnixTime) -> bool;
    /// Takes a code for the one time that it may be taken.
    fn redeem_code(&self, digest: &Digest) -> Redemption;

    /// Forgets everything.
    fn clear(&self);
}

/// When a refresh token is used.
#[derive(Clone, Copy, Debug)]
pub struct Times {
    /// Now.
    pub now: UnixTime,
    /// How long the one before the current may still be used.
    pub grace: Seconds,
    /// When the grant ends by itself from now on.
    pub expires: UnixTime,
}

/// There are too many sessions.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct StoreFull;

impl fmt::Display for StoreFull {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the store keeps as many sessions as it may")
    }
}

impl std::error::Error for StoreFull {}
