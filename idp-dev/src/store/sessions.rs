//! The sessions in memory, found by their id and by each of their cookies: thousands of people may
//! be signed in while a benchmark or a load test runs.

use std::collections::{BTreeMap, HashMap};

use super::SsoSession;
use crate::secret::Digest;

/// All sessions that live.
#[derive(Default)]
pub(super) struct Sessions {
    /// By a running number, so that the oldest comes first.
    all: BTreeMap<u64, SsoSession>,
    next: u64,
    by_id: HashMap<String, u64>,
    by_cookie: HashMap<Digest, u64>,
    by_silent_cookie: HashMap<Digest, u64>,
}

impl Sessions {
    pub(super) fn len(&self) -> usize {
        self.all.len()
    }

    pub(super) fn insert(&mut self, session: SsoSession) {
        let number = self.next;
        self.next += 1;
        self.by_id.insert(session.id.clone(), number);
        self.put(number, session);
    }

    pub(super) fn by_id(&self, id: &str) -> Option<&SsoSession> {
        self.all.get(self.by_id.get(id)?)
    }

    pub(super) fn by_cookie(&self, cookie: &Digest) -> Option<&SsoSession> {
        self.all.get(self.by_cookie.get(cookie)?)
    }

    pub(super) fn by_silent_cookie(&self, cookie: &Digest) -> Option<&SsoSession> {
        self.all.get(self.by_silent_cookie.get(cookie)?)
    }

    /// The oldest first.
    pub(super) fn oldest_first(&self) -> impl Iterator<Item = &SsoSession> {
        self.all.values()
    }

    /// Changes a session, whose id stays, and gives it as it is now.
    pub(super) fn update(
        &mut self,
        id: &str,
        change: &mut dyn FnMut(&mut SsoSession),
    ) -> Option<&SsoSession> {
        let number = *self.by_id.get(id)?;
        let mut session = self.take(number)?;
        change(&mut session);
        Some(self.put(number, session))
    }

    pub(super) fn remove(&mut self, id: &str) -> Option<SsoSession> {
        let number = self.by_id.remove(id)?;
        self.take(number)
    }

    pub(super) fn clear(&mut self) {
        let next = self.next;
        *self = Self { next, ..Self::default() };
    }

    /// Takes a session out, and its cookies with it.
    fn take(&mut self, number: u64) -> Option<SsoSession> {
        let session = self.all.remove(&number)?;
        self.by_cookie.remove(&session.cookie);
        self.by_silent_cookie.remove(&session.silent_cookie);
        Some(session)
    }

    fn put(&mut self, number: u64, session: SsoSession) -> &SsoSession {
        self.by_cookie.insert(session.cookie, number);
        self.by_silent_cookie.insert(session.silent_cookie, number);
        self.all.entry(number).insert_entry(session).into_mut()
    }
}
