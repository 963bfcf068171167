//! The session's own lifetime (`sessionLifetime`), and how whoever stays starts it anew.
//!
//! It counts from the sign-in or from the last `extend`, in all tabs of the origin: a part of the
//! session that they share. An app that extends whenever the person does something has an idle limit;
//! one that never does has an absolute one.

use super::{Goal, Machine, Timer, refresh::Waiter};
use crate::{
    error::Code,
    tabs::Message,
    time::{difference, sum},
    wire::{Ending, Status},
};

/// How late the end of a lifetime may be noticed by a page that did not sleep, in seconds.
const LATE: i64 = 2;

/// How long the other tabs may take to say that the session was extended.
const ASKING_MS: i64 = 300;

/// How often it is looked whether an extension that was begun in time is still under way.
const STEP_MS: i64 = 1_000;

/// How long it may take in all: a leader that hangs is replaced, and then a token and the keys are
/// fetched, or `UserInfo` twice and the metadata in between. Whoever begins one after the other gets no
/// more by it.
const LONGEST_MS: i64 = 40_000;

/// The lifetime is over as far as this page knows: the other tabs are asked, or whoever has said in time
/// that they stay is waited for.
pub(super) struct Over {
    /// Since when, on the page's own clock.
    since_ms: i64,
    has_asked_again: bool,
}

impl Machine {
    /// When the lifetime is over, in Unix seconds by the provider's clock.
    pub(super) fn ends_at(&self) -> Option<i64> {
        Some(sum(self.held.as_ref()?.extended_at, self.config.session_lifetime?))
    }

    pub(super) fn is_over(&self) -> bool {
        self.ends_at().is_some_and(|end| end <= self.time().0)
    }

    pub(super) fn set_lifetime_timer(&mut self) {
        // While the others are asked, or the provider, that answer is what the timer waits for.
        let waits = self.over.is_some() && self.has_timer(Timer::Lifetime);
        if let (Some(end), false) = (self.ends_at(), waits) {
            let left = difference(end, self.time().0);
            self.set_timer(Timer::Lifetime, left.clamp(0, i64::MAX / 1000) * 1000);
        }
    }

    pub(super) fn handle_lifetime(&mut self) {
        let Some(end) = self.ends_at() else { return };
        let late = difference(self.time().0, end);
        // Whoever has said in time that they stay is not put out by a slow answer, nor by a wrong one.
        let is_extending = self.is_extending();
        // Nor a page that has not read yet what others have written down, or verified what they say.
        let is_hearing = self.is_hearing_tabs();
        let is_awaking = self.is_first_after_silence();
        if late < 0 {
            // Timers run on the monotonic clock; the provider's may have been set back since.
            let has_asked = self.over.take().is_some();
            self.set_lifetime_timer();
            if has_asked {
                self.check(None);
            }
        } else if self.leaving {
            // It does not listen: another tab may have extended the session. If it stays, it asks.
            self.set_status(Status::Restoring);
            self.set_timer(Timer::Lifetime, STEP_MS);
        } else if let Some(over) = &mut self.over {
            // A page that hung hears only now what the others have said. Once: the timers of a hidden
            // page all go off as late as that.
            let was_deaf = is_awaking && !over.has_asked_again;
            over.has_asked_again |= was_deaf;
            if was_deaf {
                self.broadcast(&Message::Hello);
                self.set_timer(Timer::Lifetime, ASKING_MS);
            } else if !(is_extending || is_hearing) || !self.wait_for_extension(STEP_MS) {
                self.end(Ending::Lifetime);
            }
        } else if late > LATE || is_extending || !self.is_leading() || self.withholds_tokens() {
            // A page that slept, or was being left, may not have heard that another tab has extended the
            // session, and one that does not lead may go by an old notion of the time. It asks before it
            // ends it for all, and shows nothing meanwhile.
            self.set_status(Status::Restoring);
            self.over = Some(Over { since_ms: self.now.monotonic_ms, has_asked_again: false });
            self.broadcast(&Message::Hello);
            self.wait_for_extension(ASKING_MS);
        } else {
            self.end(Ending::Lifetime);
        }
    }

    /// Gives an extension so much time, as far as there is any left; whether there is.
    pub(super) fn wait_for_extension(&mut self, span_ms: i64) -> bool {
        let Some(over) = &self.over else { return false };
        let left_ms = difference(sum(over.since_ms, LONGEST_MS), self.now.monotonic_ms);
        if left_ms > 0 {
            self.set_timer(Timer::Lifetime, span_ms.min(left_ms));
        }
        left_ms > 0
    }

    /// A refresh proves that the provider's session lives; without one, `UserInfo` knows the person.
    pub(super) fn handle_extend(&mut self, id: u32) {
        let Some(held) = &self.held else {
            return self.complete_failed(Some(id), Code::NotSignedIn.into());
        };
        let waiter = Waiter::Extend(Some(id), held.extended_at);
        if held.tokens.refresh_token.is_some() {
            self.refresh(waiter);
        } else {
            self.with_metadata(Goal::Check(waiter), false);
        }
    }

    /// The provider has just said that the session stands, and somebody wants to stay.
    pub(super) fn extend(&mut self) {
        let now = self.time().0;
        if let Some(held) = &mut self.held {
            // Later in any case: that is what whoever waits for it sees.
            held.extended_at = now.max(held.extended_at + 1);
            self.changed |= self.config.session_lifetime.is_some();
        }
        // Nobody else has to be asked any more.
        if self.over.take().is_some() {
            self.set_status(Status::Authenticated);
        }
        self.set_lifetime_timer();
    }

    /// The same where no refresh makes a new version of the session.
    pub(super) fn extend_by_check(&mut self) {
        self.extend();
        let version = self.next_version();
        if let Some(held) = &mut self.held {
            held.version = version;
        }
        self.keep_session();
        self.share_session();
    }
}
