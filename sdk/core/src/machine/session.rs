//! The session that is held, and what the tabs tell each other about it.

use super::{Expect, Machine, Timer, start::BUSY_MS, verification};
use crate::{
    attempt::Way,
    error::Code,
    event_token::{Kind, VerifiedEventToken},
    id_token::{Expected, UntrustedIdToken, VerifiedIdToken},
    secret::Secret,
    tabs::{Message, SharedSession, Version},
    text::Text,
    time::difference,
    token::Tokens,
    wire::{Answer, Area, Cause, Command, Effect, Ending, Status},
};
use alloc::boxed::Box;

/// How many event tokens are remembered so that each is accepted once.
const REMEMBERED_EVENT_TOKENS: usize = 32;

/// How far in the future a version may be: machines' clocks are set back, by years if need be.
const FARTHEST_MS: i64 = 1 << 41;

/// A session: somebody is signed in here.
#[derive(Clone)]
pub(super) struct Held {
    pub(super) id_token: VerifiedIdToken,
    pub(super) tokens: Tokens,
    /// The key set that the ID token was verified by: the provider may take that key away, and
    /// tabs that open later verify the token anew.
    pub(super) keys: Text,
    pub(super) version: Version,
    /// The version of the sign-in that it came from: refreshing does not change it.
    pub(super) began: Version,
    /// When it began, by the provider's clock.
    pub(super) started_at: i64,
    /// What the provider's frame is asked about; absent once it has said what it can.
    pub(super) session_state: Option<Text>,
    /// From when its own lifetime counts: its beginning, or when it was extended last.
    pub(super) extended_at: i64,
}

impl Machine {
    pub(super) fn broadcast(&mut self, message: &Message) {
        let channel = self.config.shared_name();
        let effect = Effect::Broadcast { channel, text: message.write() };
        self.effect(effect, Expect::Nothing);
    }

    /// When the latest version was made of which this tab knows, also by its pages before.
    pub(super) fn latest_ms(&self) -> i64 {
        let held = self.held.as_ref().map_or(0, |held| held.version.at_ms);
        let remembered = self.memory.as_ref().map_or(0, |memory| memory.latest_ms);
        held.max(self.ended.at_ms).max(remembered)
    }

    /// The key set that is known now, as it came.
    pub(super) fn keys_text(&self) -> Text {
        self.keys.as_ref().map(|dated| dated.keys.text().into()).unwrap_or_default()
    }

    pub(super) fn next_version(&self) -> Version {
        // Never behind what is known, even if the clock was set back: a sign-in that looked older
        // than the one before it would lose against that in all tabs.
        let at_ms = self.now.wall_ms.max(self.latest_ms() + 1);
        Version { at_ms, tab: self.tab.clone() }
    }

    /// Takes a verified session over, new or in place of an older one.
    pub(super) fn hold(&mut self, session: Box<Held>) {
        let other_user = self
            .held
            .as_ref()
            .is_some_and(|held| held.id_token.subject() != session.id_token.subject());
        self.cause = other_user.then(|| Cause { ending: Ending::UserChanged, at: self.time().0 });
        let other_state =
            self.held.as_ref().is_some_and(|held| held.session_state != session.session_state);
        if other_user || other_state {
            // The stream is of the old user's grant; and a frame is asked about what is over.
            self.close_stream();
        }
        if other_user {
            self.erase_forms();
        }
        if self.held.as_ref().is_none_or(|held| held.began != session.began) {
            self.user_info.begin_anew();
            self.is_unsure = false;
            self.owes_confirm = false;
        }
        // Of another tab, or a sign-in: what it was listened for.
        self.is_deaf &= session.version.tab == self.tab
            && self.held.as_ref().is_some_and(|held| held.began == session.began);
        let had_one = self.held.is_some();
        self.renewed_ms = self.now.monotonic_ms;
        self.held = Some(session);
        self.unfinished = Secret::default();
        self.forget_unfinished();
        self.status = Status::Authenticated;
        self.error = None;
        self.changed = true;
        self.clear_timer(Timer::Reach);
        self.over = None;
        self.set_lifetime_timer();
        self.set_expiry_timer();
        if self.is_over() {
            // Another tab may be extending it.
            if had_one { self.handle_lifetime() } else { self.end(Ending::Lifetime) }
        }
        if self.held.is_some() {
            self.lead_or_wait();
        }
    }

    /// Keeps a sign that this browser had a session, and opens the way for automatic checks again.
    pub(super) fn remember_session(&mut self) {
        if let Some(memory) = &mut self.memory {
            memory.reached();
        }
        self.save_memory();
        self.forget_failures();
        self.save_hint();
    }

    /// Another tab has reached one: what stopped this one is over too. (But for a click on "sign out" that
    /// waits. And what this one asks for, beside a session that is not enough for it, goes on to count.)
    pub(super) fn reached_elsewhere(&mut self) {
        let signs_out = |(_, command): &_| matches!(command, Command::SignOut { .. });
        if let Some(memory) = &mut self.memory
            && !self.queued.iter().any(signs_out)
        {
            memory.reset();
            self.save_memory();
        }
    }

    fn save_hint(&mut self) {
        let key = self.shared_key("hint");
        self.save(Area::Origin, key, Secret("1".into()));
    }

    pub(super) fn share_session(&mut self) {
        self.share(false);
    }

    /// Tells the session; if this is the leader's word, whoever waits for it asks again.
    pub(super) fn share(&mut self, leads: bool) {
        // A page that slept may hold one whose lifetime is over; whoever adopts it would end it for
        // all, also if it was extended meanwhile.
        if let (Some(message), false) = (self.shared_session(leads), self.is_over()) {
            self.broadcast(&message);
        }
    }

    /// What is held, with all that adopting needs.
    pub(super) fn shared_session(&self, leads: bool) -> Option<Message> {
        let held = self.held.as_ref()?;
        let session = SharedSession {
            version: held.version.clone(),
            began: held.began.clone(),
            id_token: held.id_token.raw().into(),
            tokens: held.tokens.clone(),
            started_at: held.started_at,
            session_state: held.session_state.clone(),
            extended_at: held.extended_at,
            accepted_at: held.id_token.accepted_at(),
            clock_offset_ms: self.clock_offset_ms,
            keys: held.keys.clone(),
            kept_ms: None,
            leads,
            is_told: self.was_heard(),
        };
        Some(Message::Session(Box::new(session)))
    }

    /// The session is over in all tabs of this origin. This, and nothing else, ends one.
    pub(super) fn end(&mut self, ending: Ending) {
        let Some(held) = &self.held else { return };
        let cause = Cause { ending, at: self.time().0 };
        let at = cause.at;
        let session_id = held.id_token.session_id().map(Into::into);
        // Who clicks wants to be signed out, also of a later sign-in in another tab, of which a page
        // that has just come back may not have heard yet.
        let is_click = matches!(ending, Ending::SignedOut | Ending::SignedOutHere);
        let began = if is_click { self.next_version() } else { held.began.clone() };
        self.mark_end(&began, &cause);
        // Before anybody hears of it: who has signed in again meanwhile puts it back. Of a token that
        // has merely expired the provider says the same as of one of a session that is over: the next
        // page asks whether somebody is signed in there.
        if ending != Ending::InvalidToken || !self.has_expired() {
            let key = self.shared_key("hint");
            self.erase(Area::Origin, key);
        }
        self.erase_kept(Area::Origin);
        // Before the lock is let go: whoever gets it next should not lead what is over.
        self.broadcast(&Message::Ended { began, session_id, cause });
        self.forget(ending, at);
    }

    /// Whether the access token is worth nothing any more by its own time.
    pub(super) fn has_expired(&self) -> bool {
        let expires_at = self.held.as_ref().and_then(|held| held.tokens.expires_at);
        expires_at.is_some_and(|at| at <= self.time())
    }

    /// Keeps the word of an end for pages that sleep now, less what is the session's own. Whoever
    /// hears of a later end than it knew writes that down again: somebody who had not heard of it may
    /// have marked an earlier one meanwhile.
    fn mark_end(&mut self, began: &Version, cause: &Cause) {
        if *began > self.ended {
            self.ended = began.clone();
            self.ended_by = Some(cause.clone());
            self.write_end();
        }
    }

    /// Writes the last end that this page knows of.
    fn write_end(&mut self) {
        if let Some(cause) = self.ended_by.clone() {
            let mark = Message::Ended { began: self.ended.clone(), session_id: None, cause };
            self.save(Area::Origin, self.shared_key("ended"), mark.write());
        }
    }

    /// The session is over in this tab.
    fn forget(&mut self, ending: Ending, at: i64) {
        if self.held.take().is_none() {
            return;
        }
        self.erase_kept(Area::Tab);
        self.erase_forms();
        // The provider still knows the person: whichever tab is reloaded next would sign them in again.
        if ending == Ending::SignedOutHere
            && let Some(memory) = &mut self.memory
            // A page after this one has signed in again.
            && memory.latest_ms <= self.ended.at_ms
        {
            memory.stopped = true;
            self.save_memory();
        }
        self.status = match ending {
            Ending::InvalidGrant | Ending::InvalidToken | Ending::Lifetime => Status::Expired,
            _ => Status::Anonymous,
        };
        self.cause = Some(Cause { ending, at });
        self.error = None;
        self.changed = true;
        self.over = None;
        self.owes_look = false;
        self.is_unsure = false;
        self.clear_timer(Timer::Lifetime);
        self.clear_timer(Timer::Reach);
        self.clear_timer(Timer::Expiry);
        self.clear_timer(Timer::Word);
        self.stop_leading();
        self.refresh_ended();
    }

    /// What was half filled in, and put away by an earlier page of this tab (`driver/keep.js`): what
    /// nobody's session stood behind then names nobody. Whatever ended the session, somebody else may
    /// sit there next.
    pub(super) fn erase_forms(&mut self) {
        self.erase(Area::Tab, self.shared_key("forms"));
    }

    /// An event token passed every check. It counts once. That something changed is all that is taken
    /// from it: the tokens say what holds (docs/session-events.md, 4.4).
    pub(super) fn told_by_provider(&mut self, token: VerifiedEventToken) {
        if self.accepted_event_tokens.contains(&token.token_id) {
            return;
        }
        if self.accepted_event_tokens.len() == REMEMBERED_EVENT_TOKENS {
            self.accepted_event_tokens.remove(0);
        }
        self.accepted_event_tokens.push(token.token_id);
        match token.kind {
            Kind::Logout => self.end(Ending::LogoutToken),
            Kind::Change => self.look_again(),
        }
    }

    pub(super) fn handle_message(&mut self, text: &str) {
        match self.read_message(text) {
            // Any script of this origin can speak here: what makes no sense is no news.
            None => {}
            Some(Message::Hello) => self.handle_hello(),
            Some(Message::Busy { state }) => self.handle_busy(state.as_deref()),
            Some(Message::Idle) => self.handle_idle(),
            Some(Message::Renew { version, at_ms, target, extends }) => {
                self.handle_renew(&version, at_ms, target, extends);
            }
            Some(Message::Refused { target, code, found }) => {
                self.handle_refused(&target, &code, &found);
            }
            Some(Message::Refreshing { version }) => self.wait_longer(&version),
            Some(Message::Check { session_id }) => self.handle_front_channel(&session_id),
            Some(Message::Heard { began, at_ms, is_seen }) => {
                self.handle_heard(began, at_ms, is_seen);
            }
            Some(Message::Session(shared)) => self.handle_shared_session(shared),
            Some(Message::Ended { began, session_id, cause }) => {
                self.handle_ended(began, session_id.as_deref(), &cause);
            }
        }
    }

    pub(super) fn read_message(&self, text: &str) -> Option<Message> {
        Message::read(text).filter(|message| self.is_likely(message.latest_ms()))
    }

    /// Whether a version may be of this time. Each new one is above all that are known: above the
    /// greatest number that is read exactly there would be none.
    pub(super) fn is_likely(&self, at_ms: i64) -> bool {
        difference(at_ms, self.now.wall_ms) < FARTHEST_MS
    }

    pub(super) fn handle_shared_session(&mut self, shared: Box<SharedSession>) {
        if self.leaving {
            return;
        }
        if !self.is_news(&shared) {
            self.correct(&shared);
            return self.ask_again(&shared);
        }
        // An ID token may be older than the access token that it is shared with: a provider need not
        // issue one with every refresh.
        let expected = Expected::Adopted { is_older: shared.version != shared.began };
        let is_kept = shared.kept_ms.is_some();
        if let Ok(token) = UntrustedIdToken::begin(&shared.id_token, &self.config, expected) {
            self.listen_for(BUSY_MS);
            let tokens = shared.tokens.clone();
            let purpose = verification::Purpose::Adopt(shared);
            self.verify(verification::Verification::id_token(token, tokens, purpose));
        } else if is_kept {
            self.recalled_in_vain();
        }
    }

    /// Whether a shared session is newer than what is held, and not one that is over: it may have
    /// been refreshed and announced while another tab signed out.
    pub(super) fn is_news(&self, shared: &SharedSession) -> bool {
        // The sign-in first: an old session that was refreshed since is no newer for that.
        let newer = |held: &Held| (&held.began, &held.version) < (&shared.began, &shared.version);
        self.held.as_deref().is_none_or(newer) && self.ended < shared.began
    }

    /// Whoever tells of an older sign-in has not heard of this one: a page that comes back from the
    /// browser's cache asks when those who know may still be looking at it themselves.
    pub(super) fn correct(&mut self, shared: &SharedSession) {
        if self.held.as_ref().is_some_and(|held| shared.began < held.began) {
            self.share_session();
        }
    }

    fn handle_ended(&mut self, began: Version, session_id: Option<&str>, cause: &Cause) {
        // The end of a later sign-in, which has another `sid`, is the end of what it had replaced.
        let ours = self.held.as_ref().is_some_and(|held| {
            began > held.began || (began == held.began && session_id == held.id_token.session_id())
        });
        if began < self.ended {
            // Whoever says so may have marked it over the later one.
            self.load_last_end();
        }
        if ours || self.held.is_none() {
            self.mark_end(&began, cause);
            // What a frame finds out now would undo what somebody has just done; who signs in in a
            // window of its own has asked for it.
            self.interrupt_frame();
            self.cancel_departures(Way::Frame);
            self.hear_no_extension();
        }
        if ours {
            // A tab that has just begun may have heard of the session from this one, and of its end
            // from nobody: whoever had a session says once that it is over.
            let (session_id, cause) = (session_id.map(Into::into), cause.clone());
            let (ending, at) = (cause.ending, cause.at);
            self.erase_own_kept();
            self.broadcast(&Message::Ended { began, session_id, cause });
            self.forget(ending, at);
        } else if self.held.is_some() {
            // Whoever signed out there has not heard of this session, and took its hint away.
            self.save_hint();
        }
    }

    /// Somebody looks at the page.
    pub(super) fn handle_shown(&mut self) {
        if core::mem::take(&mut self.hidden) {
            self.set_expiry_timer();
        }
        self.handle_attention();
    }

    /// The page is seen again, or the network is back: whatever waits for that is done now.
    pub(super) fn handle_attention(&mut self) {
        if self.status == Status::Offline {
            self.begin_to_reach();
        }
        if self.held.is_some() {
            self.confirm();
            return;
        }
        // A session of another tab may have been told when it could not be verified.
        if self.start.is_over() {
            self.broadcast(&Message::Hello);
        }
        if self.status == Status::Offline {
            self.with_metadata(super::Goal::Reach, true);
        }
    }

    /// The page came back from the back/forward cache or was thawed: what it shows may be of a
    /// session that ended long ago, so nothing is shown before a check.
    pub(super) fn handle_return(&mut self) {
        self.away = false;
        self.leaving = false;
        self.over = None;
        // A click of before is not followed now: the person has gone elsewhere since.
        for (id, command) in core::mem::take(&mut self.queued) {
            if matches!(command, Command::SignIn { .. }) {
                self.complete_failed(Some(id), Code::Superseded.into());
            } else {
                self.queued.push((id, command));
            }
        }
        // Pages after this one have written down more than it knows.
        let key = self.shared_key("memory");
        self.load(Area::Tab, key, Expect::Memory);
        self.finish_interrupted_start();
        // What the tabs said meanwhile was not heard: there may be a session, or a newer one.
        self.broadcast(&Message::Hello);
        self.load_last_end();
        if self.held.is_some() {
            self.set_status(Status::Restoring);
            self.changed &= !self.is_masked;
            self.publish();
            self.is_deaf = true;
            // Whoever leads now has not been asked yet, and does not hang for that.
            if !self.is_leading() {
                self.refresh_elsewhere();
            }
            self.ask_for_word();
            // It may have slept while another page refreshed, and closed: the token that it has may be
            // used up, and is not used before that is known.
            self.recall();
        }
    }

    /// What the tabs said last about the end of a session, for pages that did not hear it.
    pub(super) fn load_last_end(&mut self) {
        self.load(Area::Origin, self.shared_key("ended"), Expect::LastEnd);
    }

    /// A sign-in that began later still stands.
    pub(super) fn handle_last_end(&mut self, answer: &Answer) {
        if let Answer::Loaded { value: Some(text) } = answer
            && let Some(Message::Ended { began, cause, .. }) = self.read_message(text)
        {
            let ours = self.held.as_ref().is_some_and(|held| held.began <= began);
            if began < self.ended {
                self.write_end();
            } else {
                self.ended = began;
                self.ended_by = Some(cause.clone());
            }
            if ours {
                self.forget(cause.ending, cause.at);
            }
        }
    }

    pub(super) fn handle_leave(&mut self) {
        self.away = true;
        // What it had on its way gets its tokens still: only what is shown changes.
        self.left_ms = self.now.wall_ms;
        self.changed |= self.held.is_some() && self.status != Status::Restoring;
        self.publish();
        self.mark_as_heard();
        self.stop_leading();
        // The lock that a start asked for may be granted to a page that sleeps already: nobody else
        // could lead until it wakes.
        self.cancel_expected(&|expect| matches!(expect, Expect::StartLock));
    }
}
