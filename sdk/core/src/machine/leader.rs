//! Which tab of an origin leads: only it refreshes and holds the event stream.

use super::{
    Expect, Machine, Timer,
    refresh::{RENEW_MS, TAKEOVER_MS},
};
use crate::wire::{Answer, Effect, Failure};

/// This tab's part.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Lead {
    /// It does not lead, and has not asked to.
    No,
    /// It waits for the lock (the effect's number).
    Asking(u32),
    /// It holds the lock (the effect's number).
    Holding(u32),
    /// The browser has no locks: every tab acts for itself.
    Alone,
}

impl Machine {
    pub(super) const fn is_leading(&self) -> bool {
        matches!(self.lead, Lead::Holding(_) | Lead::Alone)
    }

    /// A session is held: lead it, or wait for the tab that leads to go.
    pub(super) fn lead_or_wait(&mut self) {
        if self.away || self.leaving {
            return;
        }
        match self.lead {
            Lead::No => self.take_lock(false),
            Lead::Asking(_) => {}
            Lead::Holding(_) | Lead::Alone => self.open_stream(),
        }
    }

    fn take_lock(&mut self, steal: bool) {
        let name = self.config.shared_name();
        let effect = Effect::TakeLock { name, if_free: false, steal };
        let id = self.effect(effect, Expect::Lock);
        self.lead = Lead::Asking(id);
    }

    pub(super) fn handle_lock(&mut self, effect: u32, answer: &Answer) {
        self.lead = match answer {
            Answer::Granted {} => Lead::Holding(effect),
            Answer::Failed { reason: Failure::Unavailable } => Lead::Alone,
            _ => Lead::No,
        };
        if self.is_leading() {
            // A tab that asked while the lead changed hands may have heard nobody.
            self.share(true);
            self.open_stream();
            self.refresh_soon();
            // No other tab leads that could say a word. (Where something is shown, what the stream says
            // is waited for.)
            if self.is_deaf && self.has_timer(Timer::Word) {
                self.clear_timer(Timer::Word);
                // What the one that led said last may be on its way.
                self.refresh_unsent(TAKEOVER_MS);
                self.handle_no_word();
            }
        }
    }

    /// Another tab took the lock away because this one seemed to hang.
    pub(super) fn handle_lock_lost(&mut self, effect: u32) {
        if self.lead == Lead::Holding(effect) {
            self.lead = Lead::No;
            self.close_stream();
            if self.held.is_some() {
                self.lead_or_wait();
                self.refresh_elsewhere();
            }
        }
    }

    /// The leader did not answer `renew`: it hangs. Its place is taken. Or it was, and nobody else
    /// has taken it too.
    pub(super) fn replace_leader(&mut self) {
        if self.is_leading() {
            return self.refresh_as_leader();
        }
        // It may have waited without anybody who wants anything.
        if !self.is_refreshing() {
            return;
        }
        // A page that sleeps or is being left waits on: it could not lead.
        if self.away || self.leaving {
            return self.set_timer(Timer::Renew, RENEW_MS);
        }
        if let Lead::Asking(effect) = self.lead {
            self.cancel(effect);
        }
        if self.held.is_some() {
            self.take_lock(true);
        }
    }

    /// Lets lock and stream go: a held lock or an open fetch keeps a page out of the back/forward
    /// cache.
    pub(super) fn stop_leading(&mut self) {
        self.close_stream();
        match core::mem::replace(&mut self.lead, Lead::No) {
            Lead::No => {}
            Lead::Asking(effect) => self.cancel(effect),
            Lead::Holding(lock) => {
                self.effect(Effect::DropLock { lock }, Expect::Nothing);
            }
            Lead::Alone => self.lead = Lead::Alone,
        }
    }
}
