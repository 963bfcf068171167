//! The store in memory: gone with the process.

use std::sync::{Mutex, MutexGuard, PoisonError};

use super::bounded::Bounded;
use super::sessions::Sessions;
use super::{
    Code, EndedSession, Grant, Leave, Left, Parked, Redemption, Rotation, SsoSession, Store,
    StoreFull, Times,
};
use crate::clock::UnixTime;
use crate::config;
use crate::secret::Digest;

/// How much a [`MemoryStore`] keeps at most.
#[derive(Clone, Copy, Debug)]
pub(super) struct Limits {
    pub(super) parked: usize,
    pub(super) sessions: usize,
    pub(super) grants: usize,
    pub(super) codes: usize,
    pub(super) ended: usize,
}

impl Limits {
    /// For so many sessions: what is remembered besides grows with them, beyond some.
    fn of_sessions(sessions: usize) -> Self {
        Self {
            parked: 3_000,
            sessions,
            grants: sessions.saturating_mul(3).max(50_000),
            codes: 20_000,
            ended: sessions.max(20_000),
        }
    }
}

/// A bounded store in memory.
pub struct MemoryStore {
    limits: Limits,
    state: Mutex<State>,
}

struct State {
    parked: Bounded<Digest, (UnixTime, Parked)>,
    sessions: Sessions,
    grants: Bounded<String, Grant>,
    codes: Bounded<Digest, KeptCode>,
    ended: Bounded<(String, String), EndedSession>,
}

enum KeptCode {
    Fresh(Box<Code>),
    Used { grant: String },
}

impl MemoryStore {
    /// An empty store for as many sessions as the configuration's default says.
    pub fn new() -> Self {
        Self::keeping(config::Limits::default().sessions)
    }

    /// An empty store for so many sessions.
    pub fn keeping(sessions: usize) -> Self {
        Self::with(Limits::of_sessions(sessions))
    }

    pub(super) fn with(limits: Limits) -> Self {
        let state = State {
            parked: Bounded::new(limits.parked),
            sessions: Sessions::default(),
            grants: Bounded::new(limits.grants),
            codes: Bounded::new(limits.codes),
            ended: Bounded::new(limits.ended),
        };
        Self { limits, state: Mutex::new(state) }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // No operation can panic half way, so a poisoned lock guards whole records.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Default for MemoryStore {
    fn default() -> Self {
        Self::new()
    }
}

impl State {
    fn remember_ended(&mut self, session: &SsoSession, at: UnixTime) {
        for (client_id, sid) in &session.joined {
            let ended = EndedSession {
                client_id: client_id.clone(),
                sid: sid.clone(),
                user: session.user.clone(),
                at,
            };
            self.ended.insert((client_id.clone(), sid.clone()), ended);
        }
    }
}

impl Store for MemoryStore {
    fn park(&self, id: Digest, parked: Parked, expires: UnixTime) {
        self.state().parked.insert(id, (expires, parked));
    }

    fn parked(&self, id: &Digest, now: UnixTime) -> Option<Parked> {
        let state = self.state();
        let (expires, parked) = state.parked.get(id)?;
        (now < *expires).then(|| parked.clone())
    }

    fn repark(&self, id: &Digest, parked: Parked) {
        if let Some(kept) = self.state().parked.get_mut(id) {
            kept.1 = parked;
        }
    }

    fn unpark(&self, id: &Digest, now: UnixTime) -> Option<Parked> {
        let (expires, parked) = self.state().parked.remove(id)?;
        (now < expires).then_some(parked)
    }

    fn insert_session(&self, session: SsoSession) -> Result<(), StoreFull> {
        let mut state = self.state();
        if state.sessions.len() >= self.limits.sessions {
            return Err(StoreFull);
        }
        state.sessions.insert(session);
        Ok(())
    }

    fn session(&self, id: &str) -> Option<SsoSession> {
        self.state().sessions.by_id(id).cloned()
    }

    fn session_by_cookie(&self, cookie: &Digest) -> Option<SsoSession> {
        self.state().sessions.by_cookie(cookie).cloned()
    }

    fn session_by_silent_cookie(&self, cookie: &Digest) -> Option<SsoSession> {
        self.state().sessions.by_silent_cookie(cookie).cloned()
    }

    fn sessions(&self) -> Vec<SsoSession> {
        self.state().sessions.oldest_first().cloned().collect()
    }

    fn session_ids(&self, wanted: &dyn Fn(&SsoSession) -> bool) -> Vec<String> {
        let state = self.state();
        let found = state.sessions.oldest_first().filter(|session| wanted(session));
        found.map(|session| session.id.clone()).collect()
    }

    fn update_session(
        &self,
        id: &str,
        change: &mut dyn FnMut(&mut SsoSession),
    ) -> Option<SsoSession> {
        self.state().sessions.update(id, change).cloned()
    }

    fn end_session(&self, id: &str, at: UnixTime) -> Option<SsoSession> {
        let mut state = self.state();
        let session = state.sessions.remove(id)?;
        state.remember_ended(&session, at);
        Some(session)
    }

    fn leave_session(&self, id: &str, leave: &Leave<'_>) -> Option<Left> {
        let mut state = self.state();
        let (mut left, mut is_empty) = (None, false);
        state.sessions.update(id, &mut |session| {
            session.cookie = leave.cookie;
            session.silent_cookie = leave.silent_cookie;
            session.has_browser = false;
            let mut gone = session.clone();
            gone.joined.retain(|client_id, _| (leave.whose)(client_id));
            session.joined.retain(|client_id, _| !(leave.whose)(client_id));
            is_empty = session.joined.is_empty();
            left = Some(gone);
        });
        let left = left?;
        state.remember_ended(&left, leave.at);
        if !is_empty {
            return Some(Left::GoesOn(left));
        }
        state.sessions.remove(id);
        Some(Left::Ended(left))
    }

    fn ended_session(&self, client_id: &str, sid: &str) -> Option<EndedSession> {
        self.state().ended.get(&(client_id.to_owned(), sid.to_owned())).cloned()
    }

    fn insert_grant(&self, grant: Grant, now: UnixTime) {
        let mut state = self.state();
        if state.grants.is_full() {
            state.grants.retain(|kept| now < kept.expires && !kept.is_revoked);
        }
        state.grants.insert(grant.id.clone(), grant);
    }

    fn grant(&self, id: &str) -> Option<Grant> {
        self.state().grants.get(&id.to_owned()).cloned()
    }

    fn revoke_grant(&self, id: &str) -> Option<Grant> {
        let mut state = self.state();
        let grant = state.grants.get_mut(&id.to_owned())?;
        if grant.is_revoked {
            return None;
        }
        grant.is_revoked = true;
        Some(grant.clone())
    }

    fn revoke_grants_of_session(&self, session: &str, whose: &dyn Fn(&str) -> bool) -> Vec<Grant> {
        let mut revoked = Vec::new();
        for grant in self.state().grants.values_mut() {
            // Back-Channel Logout 1.0, 2.7: what was given with offline_access lives on.
            let is_meant = grant.session == session && whose(&grant.client_id);
            if is_meant && !grant.is_offline && !grant.is_revoked {
                grant.is_revoked = true;
                revoked.push(grant.clone());
            }
        }
        revoked
    }

    fn rotate(&self, grant: &str, serial: u32, times: Times) -> Rotation {
        let Times { now, grace, expires } = times;
        let mut state = self.state();
        let Some(grant) = state.grants.get_mut(&grant.to_owned()) else { return Rotation::Gone };
        if grant.is_revoked || grant.expires <= now {
            return Rotation::Gone;
        }
        if !grant.takes(serial, grace, now) {
            return Rotation::Reused;
        }
        // Whoever asks again for an answer that was lost gets the token that was in it.
        if serial == grant.refresh_serial {
            grant.refresh_serial += 1;
            grant.rotated_at = Some(now);
        }
        grant.expires = expires;
        Rotation::Rotated(Box::new(grant.clone()))
    }

    fn insert_code(&self, digest: Digest, code: Code) {
        self.state().codes.insert(digest, KeptCode::Fresh(Box::new(code)));
    }

    fn is_code_fresh(&self, digest: &Digest, now: UnixTime) -> bool {
        match self.state().codes.get(digest) {
            Some(KeptCode::Fresh(code)) => now < code.expires,
            Some(KeptCode::Used { .. }) | None => false,
        }
    }

    fn redeem_code(&self, digest: &Digest) -> Redemption {
        let mut state = self.state();
        let Some(kept) = state.codes.get_mut(digest) else { return Redemption::Unknown };
        match kept {
            KeptCode::Used { grant } => Redemption::Replayed(grant.clone()),
            KeptCode::Fresh(code) => {
                let used = KeptCode::Used { grant: code.grant.clone() };
                match std::mem::replace(kept, used) {
                    KeptCode::Fresh(code) => Redemption::First(code),
                    KeptCode::Used { grant } => Redemption::Replayed(grant),
                }
            }
        }
    }

    fn clear(&self) {
        let mut state = self.state();
        state.parked.clear();
        state.sessions.clear();
        state.grants.clear();
        state.codes.clear();
        state.ended.clear();
    }
}
