//! The start of a page: the ladder that finds out whether there is a session.
//!
//! 1. Another tab has a session, or is about to have one.
//! 2. The page was loaded by a callback.
//! 3. A session was kept in storage.
//! 4. A `prompt=none` in a hidden frame, where one is likely to see the provider's cookie.
//! 5. One top-level `prompt=none`, if the page may.
//! 6. Anonymous; then perhaps a `prompt=none` in a hidden frame, which nobody waits for.
//!
//! What failed is not tried again until a session was reached (`rungs.rs`).

use super::{Expect, Machine, Timer, departure::broken, leader::Lead, refresh::RENEW_MS};
use crate::{
    address::{Site, site},
    attempt::Way,
    authorization::UntrustedResponse,
    error::{Code, Error},
    memory::{Memory, Permission},
    tabs::Message,
    text::Text,
    wire::{Answer, Area, Cause, Effect, Ending, Failure, Noted, OnLoad, Outcome, Status},
};
use alloc::vec::Vec;

/// How long the other tabs may take to answer `hello`.
const HELLO_MS: i64 = 300;

/// How long to wait for a tab that says it is about to have a session.
pub(super) const BUSY_MS: i64 = 15_000;

/// How long a hidden frame may take that nobody waits for, with what it needs to be opened.
const FRAME_TIMEOUT_MS: u32 = 10_000;

/// The same while the start waits for it.
const START_FRAME_TIMEOUT_MS: u32 = 5_000;

/// Where the start is.
pub(super) enum Start {
    /// No `resume` has come yet.
    Ahead,
    /// The ladder is being climbed.
    Climbing(Climb),
    /// It is known whether there is a session.
    Over,
}

/// What the ladder has to know on the way.
#[derive(Default)]
pub(super) struct Climb {
    commands: Vec<u32>,
    here: Text,
    pub(super) on_load: OnLoad,
    /// The provider's answer, until it is handled.
    callback: Option<Text>,
    /// It is being handled: the start is over when that is.
    pub(super) is_arriving: bool,
    /// The same for what was kept in storage.
    pub(super) recall: Recall,
    frame: Frame,
    /// Its `state`.
    state: Option<Text>,
    /// The page was loaded by an answer that brought no session: no redirect on top of it. Or it
    /// was left and came back. Or somebody has clicked: what they asked for would be lost.
    pub(super) may_not_redirect: bool,
    /// It is listened for what another tab works at.
    awaits_extension: bool,
    /// Another tab has been told to wait for us.
    pub(super) said_busy: bool,
}

/// How far the look into storage is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) enum Recall {
    #[default]
    Ahead,
    /// What was kept is read and verified.
    Reading,
    /// It is held, and the provider is asked whether it still stands.
    Confirming,
    Over,
}

/// Whether a frame was asked while the start waited.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
enum Frame {
    #[default]
    Ahead,
    Asking,
    /// It has brought an answer.
    Answered,
    /// It could not be asked.
    Unasked,
    Over,
}

impl Climb {
    /// Whether a frame is waited for.
    const fn is_asking(&self) -> bool {
        matches!(self.frame, Frame::Asking | Frame::Answered)
    }
}

impl Start {
    pub(super) const fn is_over(&self) -> bool {
        matches!(self, Self::Over)
    }

    pub(super) const fn climb(&mut self) -> Option<&mut Climb> {
        match self {
            Self::Climbing(climb) => Some(climb),
            _ => None,
        }
    }
}

impl Machine {
    pub(super) fn handle_resume(
        &mut self,
        id: u32,
        callback: Option<Text>,
        here: Text,
        on_load: OnLoad,
    ) {
        match &mut self.start {
            // The same answer for a repeated call.
            Start::Climbing(climb) => climb.commands.push(id),
            Start::Over => self.complete(Some(id), Outcome::Done {}),
            Start::Ahead => {
                self.tab = self.entropy.token(9);
                let state = callback.as_deref().and_then(|callback| {
                    UntrustedResponse::parse(callback).state().ok().map(Into::into)
                });
                // What looks like an answer, and was left in the address because nothing shows that it
                // is ours, may be one whose record the browser lost: a redirect would bring another.
                let may_not_redirect = UntrustedResponse::parse(&here).is_answer();
                let climb = Climb {
                    commands: Vec::from([id]),
                    here,
                    on_load,
                    callback,
                    state,
                    may_not_redirect,
                    ..Climb::default()
                };
                self.start = Start::Climbing(climb);
                self.changed = true;
                // From the first broadcast on, this page hears the others.
                self.broadcast(&Message::Hello);
                let key = self.shared_key("memory");
                self.load(Area::Tab, key, Expect::Memory);
                let key = self.shared_key("learnt");
                self.load(Area::Tab, key, Expect::Learnt);
                self.load_last_end();
                self.load_rungs();
                let effect = Effect::TakeLock {
                    name: self.config.shared_name(),
                    if_free: true,
                    steal: false,
                };
                self.effect(effect, Expect::StartLock);
            }
        }
    }

    pub(super) fn handle_memory(&mut self, answer: &Answer) {
        if let Answer::Loaded { value } = answer {
            let mut memory = value.as_deref().map_or_else(Memory::default, Memory::read);
            if !self.is_likely(memory.latest_ms) {
                memory.latest_ms = 0;
            }
            let unfinished_at = memory.unfinished_at;
            self.memory = Some(memory);
            // The page before this one has said so, and so does this one until it is done. An answer
            // may be of that.
            let is_quiet = self.held.is_none() && self.cause.is_none();
            let is_answer = |climb: &mut Climb| climb.callback.is_some();
            if unfinished_at != 0 && is_quiet && !self.start.climb().is_some_and(is_answer) {
                self.cause = Some(Cause { ending: Ending::SignedOut, at: unfinished_at });
                self.set_error(Some(Code::IssuerUnreachable.into()));
            }
        }
    }

    /// Whoever holds the lock has a session or is about to have one.
    pub(super) fn handle_start_lock(&mut self, effect: u32, answer: &Answer) {
        let lead = match answer {
            Answer::Granted {} => Lead::Holding(effect),
            Answer::Failed { reason: Failure::Held } => Lead::No,
            _ => Lead::Alone,
        };
        // A session that was adopted meanwhile has made this tab ask for the lock already.
        if let Lead::Asking(asked) = self.lead {
            if lead != Lead::No {
                self.cancel(asked);
                self.lead = lead;
                self.open_stream();
            }
        } else {
            self.lead = lead;
        }
        self.ask_other_tabs();
    }

    /// Rung 1: the tabs were greeted at the start; only if one of them can have a session is there
    /// anything to wait for. A callback waits too: it may have been handled by a tab that this one
    /// is a duplicate of, and a code that is sent twice ends both sessions.
    pub(super) fn ask_other_tabs(&mut self) {
        if matches!(self.lead, Lead::No) && self.held.is_none() {
            self.broadcast(&Message::Hello);
            self.set_timer(Timer::Hello, HELLO_MS);
        } else {
            self.ladder();
        }
    }

    /// A tab is about to have a session: that is worth waiting for, but with a callback of our own
    /// only if it is the same one.
    pub(super) fn handle_busy(&mut self, state: Option<&str>) {
        let Some(climb) = self.start.climb() else { return };
        let other = climb.callback.is_some() && climb.state.as_deref() != state;
        self.listen_for(if other { 0 } else { BUSY_MS });
    }

    /// A tab works at the session that it has. What a page that begins would find in storage may be over,
    /// and is about not to be; with a callback of its own it has no need of it.
    pub(super) fn handle_refreshing_elsewhere(&mut self) {
        if self.start.climb().is_some_and(|climb| climb.callback.is_none()) {
            self.listen_for(RENEW_MS);
            if let Some(climb) = self.start.climb() {
                climb.awaits_extension = true;
            }
        }
    }

    /// It has come to nothing.
    pub(super) fn hear_no_extension(&mut self) {
        if self.start.climb().is_some_and(|climb| climb.awaits_extension) {
            self.listen_for(HELLO_MS);
        }
    }

    /// Gives the other tabs another while, if they are listened to at all.
    pub(super) fn listen_for(&mut self, span_ms: i64) {
        if let (true, Some(climb)) = (self.has_timer(Timer::Hello), self.start.climb()) {
            climb.awaits_extension = false;
            self.set_timer(Timer::Hello, span_ms);
        }
    }

    pub(super) fn handle_idle(&mut self) {
        self.listen_for(0);
    }

    /// A session that was shared could not be believed: another tab may still say something.
    pub(super) fn keep_listening(&mut self) {
        self.listen_for(HELLO_MS);
    }

    /// Answers a tab that asks who has a session.
    pub(super) fn handle_hello(&mut self) {
        let is_confirming = self.is_confirming();
        if self.held.is_some() && !is_confirming {
            // Whoever asks may be about to end what somebody has just said they want to keep.
            if self.is_extending() {
                self.say_refreshing();
            }
            self.share_session();
        } else if !matches!(self.lead, Lead::No)
            && let Some(climb) = self.start.climb()
        {
            climb.said_busy = true;
            let state = climb.state.clone();
            self.broadcast(&Message::Busy { state });
        }
    }

    /// The rungs after the other tabs were heard.
    pub(super) fn ladder(&mut self) {
        let Some(climb) = self.start.climb() else { return };
        // Whatever other tabs say meanwhile.
        if climb.is_arriving {
            return;
        }
        if let Some(callback) = climb.callback.take() {
            climb.is_arriving = true;
            return self.handle_callback(&callback);
        }
        match climb.recall {
            Recall::Confirming => return,
            Recall::Reading if self.held.is_none() => return,
            Recall::Ahead if self.held.is_none() => {
                climb.recall = Recall::Reading;
                return self.recall();
            }
            _ => {}
        }
        let Some(climb) = self.start.climb() else { return };
        if climb.is_asking() && self.held.is_none() {
            return;
        }
        let on_load = if climb.may_not_redirect { OnLoad::Manual } else { climb.on_load };
        match on_load {
            _ if self.held.is_some() => self.finish_start(),
            // With storage blocked the way back would be lost: nothing redirects by itself.
            _ if self.memory.is_none() => self.finish_start(),
            OnLoad::Manual => self.finish_start(),
            OnLoad::Auto => self.ask_provider(),
            OnLoad::Probe => {
                // Nobody waits for a frame. After a sign-out the person clicks.
                self.finish_start();
                if !self.is_stopped() && !self.is_noted(Noted::Frame) {
                    self.probe();
                }
            }
            OnLoad::Hint => {
                let key = self.shared_key("hint");
                self.load(Area::Origin, key, Expect::Hint);
            }
        }
    }

    /// Whether nothing is asked by itself until the person clicks.
    pub(super) fn is_stopped(&self) -> bool {
        self.memory.as_ref().is_none_or(|memory| memory.stopped)
    }

    pub(super) fn handle_hint(&mut self, answer: &Answer) {
        if matches!(answer, Answer::Loaded { value: Some(_) }) {
            self.ask_provider();
        } else {
            self.finish_start();
        }
    }

    /// The page is not left where a frame may do as well.
    fn ask_provider(&mut self) {
        let now = self.local_time();
        let permission = self.memory.as_ref().map(|memory| memory.permission(now));
        let has_failed = self.is_noted(Noted::Redirect);
        let may_frame = self.may_see_cookie() && !self.is_noted(Noted::Frame) && !self.leaving;
        match (permission, self.start.climb()) {
            // The hint was looked for twice.
            (_, Some(climb)) if climb.is_asking() => {}
            // Somebody has clicked while it was.
            (_, Some(climb)) if climb.may_not_redirect => self.finish_start(),
            (Some(Permission::Granted), Some(climb))
                if may_frame && climb.frame == Frame::Ahead =>
            {
                climb.frame = Frame::Asking;
                self.probe();
            }
            (Some(Permission::Granted), Some(climb)) if !has_failed => {
                let here = climb.here.clone();
                self.begin_automatic_departure(here);
            }
            (Some(permission @ (Permission::Broken | Permission::Stopped)), _) => {
                let is_told =
                    |memory: &&Memory| permission == Permission::Broken || memory.has_failed();
                let error = self.memory.as_ref().filter(is_told);
                let error = error.map(|memory| broken("automatic sign-in", memory));
                if error.is_some() {
                    self.set_error(error);
                }
                self.finish_start();
            }
            _ => self.finish_start(),
        }
    }

    /// Whether a frame is likely to see the provider's cookie: one has shown it in this browser, or
    /// the app says that it has the page for frames and the provider seems to be of its own site.
    fn may_see_cookie(&self) -> bool {
        self.is_noted(Noted::Sees)
            || (self.config.silent_redirect_uri.is_some()
                && site(&self.config.origin, &self.config.issuer) != Site::Other)
    }

    /// The frame that the start waited for has brought no session.
    pub(super) fn frame_is_over(&mut self, error: &Error) {
        let Some(climb) = self.start.climb() else { return };
        if !climb.is_asking() {
            return;
        }
        climb.frame = if error.code == Code::Cancelled { Frame::Unasked } else { Frame::Over };
        let is_answer = match error.code {
            // The provider is away for a redirect too.
            Code::IssuerUnreachable => true,
            // Only what is surely of the same site sees its cookie surely.
            Code::LoginRequired => self.is_same_host(),
            _ => false,
        };
        if is_answer {
            self.arrival_failed(error.clone(), Way::Redirect);
        } else {
            self.ladder();
        }
    }

    /// Whether a frame at the provider is of the app's own host, and so gets the cookie there that a
    /// redirect gets. The issuer's name does not say so: its endpoints may be elsewhere.
    pub(super) fn is_same_host(&self) -> bool {
        self.metadata.as_ref().is_some_and(|metadata| {
            site(&self.config.origin, &metadata.authorization_endpoint) == Site::Same
        })
    }

    /// Somebody has clicked before the start is over: the page is not left by itself, or not to where
    /// it was about to go, and what a frame may find out is not waited for.
    pub(super) fn stay_for_click(&mut self) {
        if let Some(climb) = self.start.climb() {
            climb.may_not_redirect = true;
        }
        // A navigation that was ordered goes on until what was clicked for orders another one.
        self.overtakes = self.leaving && !self.away;
        if self.overtakes {
            self.leaving = false;
            // What the tabs said meanwhile was not listened to.
            self.broadcast(&Message::Hello);
        }
        if (self.cancel_departures(Way::Redirect) || self.overtakes)
            && !self.has_timer(Timer::Hello)
        {
            self.ladder();
        }
        self.overtakes = false;
        self.interrupt_frame();
    }

    /// The page leaves by itself: what the redirect tells is about the frame too, if one was asked.
    pub(super) fn note_whether_unseen(&mut self) {
        if self.start.climb().is_some_and(|climb| climb.frame == Frame::Over) {
            self.note(Noted::Unseen);
        } else {
            self.drop_word(Noted::Unseen);
        }
    }

    /// What a frame may find out is not waited for. A code that it has brought already is redeemed
    /// first.
    pub(super) fn interrupt_frame(&mut self) {
        if self.start.climb().is_some_and(|climb| climb.frame == Frame::Asking) {
            self.cancel_departures(Way::Frame);
            self.stop_asking();
        }
    }

    /// The start goes on without what a frame has brought, or may bring, and the page stays.
    pub(super) fn stop_asking(&mut self) {
        if let Some(climb) = self.start.climb() {
            climb.frame = Frame::Over;
            climb.may_not_redirect = true;
            self.ladder();
        }
    }

    /// The frame that the start waits for has brought an answer.
    pub(super) const fn frame_has_answered(&mut self) {
        if let Some(climb) = self.start.climb()
            && matches!(climb.frame, Frame::Asking)
        {
            climb.frame = Frame::Answered;
        }
    }

    /// How long a hidden frame may take to come back.
    pub(super) const fn frame_timeout_ms(&self) -> u32 {
        if self.start.is_over() { FRAME_TIMEOUT_MS } else { START_FRAME_TIMEOUT_MS }
    }

    /// The commands that wait for the start, when the page is about to be left instead.
    pub(super) fn complete_start_as_leaving(&mut self) {
        if let Some(climb) = self.start.climb() {
            for command in core::mem::take(&mut climb.commands) {
                self.complete(Some(command), Outcome::Leaving {});
            }
        }
    }

    /// It is known now whether there is a session.
    pub(super) fn finish_start(&mut self) {
        self.clear_timer(Timer::Hello);
        if let Start::Climbing(climb) = core::mem::replace(&mut self.start, Start::Over) {
            if self.held.is_none() {
                if self.status == Status::Restoring {
                    self.set_status(Status::Anonymous);
                }
                self.stop_leading();
            }
            // A session that nobody could ask about is none to share.
            if climb.said_busy && self.status != Status::Authenticated {
                self.broadcast(&Message::Idle);
            }
            for command in climb.commands {
                self.complete(Some(command), Outcome::Done {});
            }
            for (id, command) in core::mem::take(&mut self.queued) {
                self.handle_command(id, command);
            }
        }
    }

    /// The same for a page that comes back although it had been left: Back leads here when the
    /// browser kept the page.
    pub(super) fn finish_interrupted_start(&mut self) {
        if let Some(climb) = self.start.climb() {
            climb.may_not_redirect = true;
            self.ask_other_tabs();
        }
    }
}
