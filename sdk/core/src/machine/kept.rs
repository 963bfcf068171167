//! The session as it is kept in the browser's storage (docs/adr/0010), and recalled from there.
//!
//! ```text
//!   ladder ──> mark ──> record ──> verification ──> held ──┬─ known to stand a moment ago ──> ladder
//!      ^         │         │            │                  └─ asked about ── Restoring ────> ladder
//!      └─────────┴─────────┴────────────┘ nothing, or nothing that can be believed
//! ```
//! A tab's storage is copied with the tab, and a tab that slept has an old copy: its refresh token has
//! been used since, and using it again looks like theft and ends the session for all. So whoever makes
//! a version of the session writes its name down for the whole origin, before the record: no other
//! version is recalled.

use super::{
    Expect, Machine,
    refresh::{TAKEOVER_MS, Waiter},
    start::Recall,
    stream::CONFIRMED_MS,
};
use crate::{
    config::StorageKind,
    tabs::{Message, Version},
    time::{difference, sum},
    token::Target,
    wire::{Answer, Area, Effect, Noted, Status},
};

/// How long a start waits for storage: a browser's database that hangs must not keep a page from
/// starting.
const RECALL_TIMEOUT_MS: u32 = 2_000;

impl Machine {
    /// Where a session is kept.
    fn kept_area(&self) -> Option<Area> {
        match self.config.storage? {
            StorageKind::Memory => None,
            StorageKind::Session => Some(Area::Tab),
            StorageKind::Local => Some(Area::Origin),
        }
    }

    /// Keeps what is held now.
    pub(super) fn keep_session(&mut self) {
        let (Some(area), Some(held)) = (self.kept_area(), &self.held) else { return };
        let is_own = held.version.tab == self.tab;
        if is_own {
            // The provider has just answered.
            self.mark_kept(self.now.wall_ms);
        }
        // What all tabs share is written by the one that made it.
        if (is_own || area == Area::Tab)
            && let Some(message) = self.shared_session(false)
        {
            self.cancel_expected(&|expect| matches!(expect, Expect::KeptSaved));
            let key = self.shared_key("kept");
            let effect = Effect::SaveSealed { area, key, value: message.write() };
            self.effect(effect, Expect::KeptSaved);
        }
    }

    /// Writes down which version is the one to recall, and when it was last known to stand.
    fn mark_kept(&mut self, at_ms: i64) {
        if let Some(held) = &self.held {
            let mark = Message::Renew {
                version: held.version.clone(),
                at_ms,
                target: Target::default(),
                extends: false,
            };
            self.save(Area::Origin, self.shared_key("mark"), mark.write());
        }
    }

    /// The page is left or sleeps: if the stream is open, the session stood when it was last heard. It
    /// is open in the tab that leads, and that has the latest version.
    pub(super) fn mark_as_heard(&mut self) {
        if let (Some(_), Some(at_ms)) = (self.kept_area(), self.heard_wall_ms()) {
            self.mark_kept(at_ms);
        }
    }

    /// The session is over. (Whatever the option says now: it may have said something else before.)
    pub(super) fn erase_kept(&mut self, area: Area) {
        // What is being written would come after this.
        self.cancel_expected(&|expect| matches!(expect, Expect::KeptSaved));
        self.erase(area, self.shared_key("kept"));
    }

    /// Another tab says that the session is over, and has erased what was kept; but what this tab has
    /// written may have come after that.
    pub(super) fn erase_own_kept(&mut self) {
        if self.held.as_ref().is_some_and(|held| held.version.tab == self.tab) {
            self.erase_kept(Area::Origin);
        }
    }

    /// Looks for what was kept.
    pub(super) fn recall(&mut self) {
        // A page that comes back with a session looks all the same: its token may be used up.
        let has_failed = self.held.is_none() && self.is_noted(Noted::Recall);
        if self.kept_area().is_some() && !has_failed {
            self.load(Area::Origin, self.shared_key("mark"), Expect::KeptMark);
        } else {
            self.recalled_in_vain();
        }
    }

    pub(super) fn handle_kept_mark(&mut self, answer: &Answer) {
        if let Answer::Loaded { value: Some(text) } = answer
            && let Some(Message::Renew { version, at_ms, .. }) = self.read_message(text)
            && let Some(area) = self.kept_area()
        {
            let key = self.shared_key("kept");
            let effect = Effect::LoadSealed { area, key, timeout_ms: RECALL_TIMEOUT_MS };
            self.effect(effect, Expect::Kept(version, at_ms));
        } else {
            self.recalled_in_vain();
        }
    }

    pub(super) fn handle_kept(&mut self, answer: &Answer, version: &Version, at_ms: i64) {
        if matches!(answer, Answer::Failed { .. }) {
            self.note(Noted::Recall);
        }
        if let Answer::Loaded { value: Some(text) } = answer
            && let Some(Message::Session(mut shared)) = self.read_message(text)
            && shared.version == *version
        {
            let now = sum(self.now.wall_ms, shared.clock_offset_ms).div_euclid(1000);
            // Nothing could be asked with it, or fetched.
            let is_used_up = shared.tokens.refresh_token.is_none()
                && shared.tokens.expires_at.is_some_and(|time| time.0 <= now);
            if self.ended >= shared.began {
                self.erase_kept(Area::Tab);
                self.erase_kept(Area::Origin);
            } else if self.is_news(&shared) && !is_used_up && !self.leaving {
                shared.kept_ms = Some(at_ms);
                return self.handle_shared_session(shared);
            }
        }
        self.recalled_in_vain();
    }

    /// There is nothing to recall: the ladder goes on, or a page that came back with what it has.
    pub(super) fn recalled_in_vain(&mut self) {
        if let Some(climb) = self.start.climb()
            && climb.recall == Recall::Reading
        {
            climb.recall = Recall::Over;
            self.ladder();
        } else if self.held.is_some() {
            self.lead_or_wait();
            self.refresh_unsent(TAKEOVER_MS);
            self.look();
        }
    }

    /// What was kept is held: shown at once if the provider has said a moment ago that it stands, else
    /// as soon as it says so now.
    pub(super) fn recalled(&mut self, at_ms: i64) {
        let age_ms = difference(self.now.wall_ms, at_ms);
        // A time in the future is of a clock that was set back since.
        let is_recent = (0..CONFIRMED_MS).contains(&age_ms);
        if let Some(climb) = self.start.climb() {
            climb.recall = if is_recent { Recall::Over } else { Recall::Confirming };
        }
        // Its lifetime may be over.
        if self.held.is_none() {
            return;
        }
        if is_recent {
            self.share_session();
            return self.remember_session();
        }
        self.set_status(Status::Restoring);
        if self.has_expired() {
            self.refresh(Waiter::Check(None));
        } else {
            // No more than that: the answer of a refresh is lost with the page if it is loaded anew once
            // more, and the token is used up.
            self.check(None);
        }
    }

    /// Whether it is being asked if what was kept still stands.
    pub(super) fn is_confirming(&mut self) -> bool {
        self.start.climb().is_some_and(|climb| climb.recall == Recall::Confirming)
    }

    /// The provider has answered, or cannot be reached, or another tab has a newer session.
    pub(super) fn finish_recall(&mut self) {
        if self.status != Status::Restoring && self.is_confirming() {
            if let Some(climb) = self.start.climb() {
                climb.recall = Recall::Over;
            }
            if self.status == Status::Authenticated {
                self.remember_session();
            }
            self.ladder();
        }
    }
}
