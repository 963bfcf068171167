//! When the session is asked about although nobody has said so: the page is seen again, the network is
//! back, the machine slept, or the token is about to expire. The stream spares all tabs that, as long as
//! it speaks to the one that leads.
//!
//! ```text
//!   seen again, online ──┐              ┌─ the stream was heard ──────────────> nothing is asked
//!   token nearly over ───┴─> confirm ───┼─ this tab leads ────────────────────> check
//!                                       └─ it does not ─> `heard` ─ no word ──> check
//!   slept ────────────────────────────────────────────────────────────────────> check
//! ```

use super::{
    Machine, Timer,
    refresh::{MIN_TTL, Waiter},
    stream::CONFIRMED_MS,
};
use crate::{
    tabs::{Message, Version},
    time::{Now, difference},
    wire::Status,
};

/// How far the clock of the day may go apart from the page's own between two things that reach it.
const ASLEEP_MS: i64 = 5_000;

/// How late a timer of a page that is looked at goes off only after a sleep in which the page's own
/// clock went on: browsers throttle those of hidden pages, and a dialog may stand for a while.
const LATE_MS: i64 = 60_000;

/// How long the tab that leads may take to say that the stream was heard.
const WORD_MS: i64 = 100;

/// How old tokens are before a page that nothing tells of the session's end makes sure by a refresh.
const SETTLED_MS: i64 = 60_000;

/// The shortest pause before tokens of a short life are looked at.
const SHORTEST_PAUSE_MS: i64 = 10_000;

/// How long after that they are looked at again, where nothing has come of it.
const PAUSE_MS: i64 = 30_000;

impl Machine {
    /// The machine under this page slept, or its clock was set. The page's own clock stands still while
    /// many machines sleep and says nothing of how long ago anything was heard: what is shown may be of
    /// a session that ended long ago. And the difference to the provider's clock is another one now.
    pub(super) fn notice_sleep(&mut self, before: Now) {
        let wall_ms = difference(self.now.wall_ms, before.wall_ms);
        let own_ms = difference(self.now.monotonic_ms, before.monotonic_ms);
        let apart_ms = difference(wall_ms, own_ms).saturating_abs();
        let due_ms = self.wake_at.unwrap_or(self.now.monotonic_ms);
        let is_late = !self.hidden && difference(self.now.monotonic_ms, due_ms) >= LATE_MS;
        if self.held.is_some() && !self.away && (apart_ms >= ASLEEP_MS || is_late) {
            self.forget_heard();
            self.clear_timer(Timer::Word);
            self.set_lifetime_timer();
            if self.status == Status::Authenticated && self.can_be_asked_about() {
                self.set_status(Status::Restoring);
            }
            // A lifetime that is over has its own way to ask.
            if self.is_over() {
                // What was asked before the sleep is asked anew.
                self.over = None;
                self.handle_lifetime();
            } else {
                self.look();
            }
        }
    }

    /// Makes sure that the session stands, unless the stream has just said so. Where another sign-in is
    /// about to take its place the provider may have ended it for that one: only if that fails it is asked.
    pub(super) fn confirm(&mut self) {
        if self.is_confirmed() || self.has_timer(Timer::Word) {
            return;
        }
        if self.is_arriving() {
            self.owes_confirm = true;
        } else if self.is_leading() {
            self.confirm_by_check();
        } else {
            self.ask_for_word();
        }
    }

    /// Nothing has come that took the session's place; or it is still to come.
    pub(super) fn finish_arrival(&mut self) {
        if core::mem::take(&mut self.owes_confirm) {
            self.confirm();
        }
    }

    /// Asks the tab that leads whether the stream was heard.
    pub(super) fn ask_for_word(&mut self) {
        if let Some(held) = &self.held {
            let began = held.began.clone();
            let is_seen = !self.hidden;
            self.broadcast(&Message::Heard { began, at_ms: None, is_seen });
            self.set_timer(Timer::Word, WORD_MS);
            self.has_stood = false;
        }
    }

    /// It had its time. Meanwhile this tab may have taken its place, and opened the stream, or the
    /// provider may have answered.
    pub(super) fn handle_no_word(&mut self) {
        if self.is_confirmed() {
            return;
        }
        if self.is_arriving() {
            self.owes_confirm = true;
        } else if !self.has_stood {
            self.confirm_by_check();
        } else if self.is_doubtful() {
            self.make_sure();
        }
    }

    /// Another tab asks whether the stream was heard, or says when.
    pub(super) fn handle_heard(&mut self, began: Version, at_ms: Option<i64>, is_seen: bool) {
        if self.held.as_ref().is_none_or(|held| held.began != began) {
            return;
        }
        match at_ms {
            None if !self.is_leading() => {}
            None if self.is_confirmed() => {
                let at_ms = self.heard_wall_ms();
                self.broadcast(&Message::Heard { began, at_ms, is_seen });
            }
            // Whoever asks cannot know that nothing tells this tab either. What it sent while it is being
            // left would be answered to nobody.
            None if is_seen && self.is_refresh_due() && !self.leaving => self.make_sure(),
            // A page that hung may hear it long after it was said.
            Some(at_ms) if !self.is_leading() => {
                let age_ms = difference(self.now.wall_ms, at_ms);
                if (0..CONFIRMED_MS).contains(&age_ms) {
                    self.heard_by_leader(age_ms);
                    self.clear_timer(Timer::Word);
                }
            }
            _ => {}
        }
    }

    /// `UserInfo` may judge the token alone: where neither a stream nor a frame tells of the session's
    /// end, a refresh makes sure. A tab that does not lead cannot know what tells the one that does.
    fn is_refresh_due(&self) -> bool {
        let is_settled = self.is_leading() && !self.has_tokens_since(SETTLED_MS);
        let has_paused =
            self.made_sure_ms.is_none_or(|at| difference(self.now.monotonic_ms, at) >= PAUSE_MS);
        !self.is_told() && self.may_refresh() && has_paused && (is_settled || self.is_nearly_over())
    }

    /// Refreshes only to make sure. Where that fails although UserInfo answers, it is not tried again at
    /// once: each try would look like a provider that has come back and gone again.
    pub(super) fn make_sure(&mut self) {
        self.made_sure_ms = Some(self.now.monotonic_ms);
        self.refresh(Waiter::Check(None));
    }

    /// Whether the tokens are at most so old. The clock of the day may have been set back since.
    /// Whether the tokens are old enough for another look by a refresh.
    pub(super) fn is_settled(&self) -> bool {
        self.is_nearly_over() || !self.has_tokens_since(SETTLED_MS)
    }

    fn has_tokens_since(&self, age_ms: i64) -> bool {
        let at_ms = self.held.as_ref().map_or(0, |held| held.version.at_ms);
        difference(self.now.wall_ms, at_ms) < age_ms
            && difference(self.now.monotonic_ms, self.renewed_ms) < age_ms
    }

    fn is_nearly_over(&self) -> bool {
        let expires_at = self.held.as_ref().and_then(|held| held.tokens.expires_at);
        expires_at.is_some_and(|at| difference(at.0, self.time().0) <= MIN_TTL)
    }

    /// Nobody has heard the stream a moment ago: the provider is asked.
    fn confirm_by_check(&mut self) {
        if self.held.is_none() {
            return;
        }
        if self.is_being_checked() {
            self.is_unsure |= self.is_doubtful();
        } else if !self.is_clear() {
            // It may have ended while nobody listened. Where nobody ever does, what is shown stays: a
            // page that went blank each time that it is looked at would lose what is half filled in.
            if self.was_heard() && self.status == Status::Authenticated && self.can_be_asked_about()
            {
                self.set_status(Status::Restoring);
            }
            self.look();
        }
        if self.is_leading() {
            self.open_stream();
        }
    }

    /// Whether the tokens say enough: a look may follow the other within a second, and where only a
    /// refresh can answer, it has. Nor is one sent for a page that nobody looks at.
    fn is_clear(&self) -> bool {
        let enough_ms = if self.was_heard() { CONFIRMED_MS } else { SETTLED_MS };
        self.status == Status::Authenticated
            && !self.may_ask_user_info()
            && (self.hidden || (!self.is_nearly_over() && self.has_tokens_since(enough_ms)))
    }

    /// Asks whether the session stands, as thoroughly as there is reason to.
    pub(super) fn look(&mut self) {
        self.is_unsure |= self.is_doubtful();
        self.check(None);
    }

    /// Whether more than `UserInfo` is needed to be sure. Nothing is made sure of for a page that nobody
    /// looks at.
    fn is_doubtful(&self) -> bool {
        !self.hidden && self.is_refresh_due()
    }

    /// The same with tokens that are about to expire, where nothing else tells of the session's end. A
    /// page that nobody looks at keeps no provider's session alive by this.
    pub(super) fn set_expiry_timer(&mut self) {
        self.clear_timer(Timer::Expiry);
        if let Some(held) = &self.held
            && held.tokens.refresh_token.is_some()
            && let Some(at) = held.tokens.expires_at
        {
            let left = difference(at.0 - MIN_TTL, self.time().0).clamp(0, i64::MAX / 1000) * 1000;
            self.set_timer(Timer::Expiry, left.max(SHORTEST_PAUSE_MS));
        }
    }

    pub(super) fn handle_expiry(&mut self) {
        if self.hidden || self.away || self.was_heard() {
            return;
        }
        if !self.is_told() {
            self.confirm();
        }
        self.set_timer(Timer::Expiry, PAUSE_MS);
    }
}
