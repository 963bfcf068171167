//! Leaving for the provider to sign in: metadata, challenge, attempt saved, gone.

use super::{Expect, Goal, Machine, Timer};
use crate::{
    address::stays_here,
    attempt::{Attempt, SignInAttempt, Way, record_key, return_key},
    authorization::{self, Wishes},
    error::{Code, Error},
    memory::Memory,
    secret::Secret,
    text::Text,
    time::difference,
    wire::{Answer, Area, Effect, Mode, Outcome, Status},
};
use alloc::boxed::Box;

/// The shortest verifier (RFC 7636, 4.1): a shorter one would mean that entropy had run out.
const SHORTEST_VERIFIER: usize = 43;

/// How long a person may take in a window of its own.
const POPUP_TIMEOUT_MS: u32 = 600_000;

/// How the `state` of a sign-in in a window of its own begins: by that the app's page there knows
/// that it has only to report (`driver/arrival.js`).
const POPUP: &str = "gatepass-popup-";

/// How long a navigation may take to begin, in milliseconds.
const LEAVING_MS: i64 = 10_000;

/// How long after a navigation was ordered another click is taken for a second one of the same.
const SECOND_CLICK_MS: i64 = 1_000;

/// A sign-in on its way out.
pub(super) struct Departure {
    /// The command to complete; `None` for an automatic one.
    command: Option<u32>,
    return_to: Text,
    wishes: Wishes,
    pub(super) state: Text,
    pub(super) attempt: SignInAttempt,
}

impl Machine {
    pub(super) fn handle_sign_in(
        &mut self,
        id: u32,
        mode: Option<Mode>,
        return_to: Text,
        wishes: Wishes,
    ) {
        if self.is_gone() {
            return self.complete_failed(Some(id), Code::Superseded.into());
        }
        // First: a face has only one window, and whatever comes of this click has taken it.
        self.latest_click = id;
        self.close_popup();
        if !stays_here(&return_to) {
            let expected = "a path of this origin";
            let error = Error::new(Code::ReturnToRefused, "returnTo", expected, &return_to);
            return self.complete_failed(Some(id), error);
        }
        let way = if mode == Some(Mode::Popup) { Way::Popup(id) } else { Way::Click };
        let now = self.local_time();
        match &mut self.memory {
            Some(memory) if way == Way::Click && memory.is_asked_too_often(now) => {
                let error = broken("signIn", memory);
                self.set_error(Some(error.clone()));
                return self.complete_failed(Some(id), error);
            }
            Some(memory) => memory.reset(),
            // The click fails before it leaves: state and verifier would be lost on the way. A page
            // that stays keeps them.
            None if way == Way::Click => {
                self.set_error(Some(Code::StorageUnavailable.into()));
                return self.complete_failed(Some(id), Code::StorageUnavailable.into());
            }
            None => {}
        }
        self.save_memory();
        self.supersede_departures();
        self.prepare(Some(id), way, return_to, wishes);
    }

    /// Rung 5: one `prompt=none`, nobody clicked.
    pub(super) fn begin_automatic_departure(&mut self, here: Text) {
        let return_to = if stays_here(&here) { here } else { "/".into() };
        let wishes = Wishes { prompt: Some("none".into()), ..Wishes::default() };
        self.prepare(None, Way::Redirect, return_to, wishes);
    }

    /// A `prompt=none` in a hidden frame: nobody clicked, and the page stays.
    pub(super) fn probe(&mut self) {
        if self.held.is_none() && !self.leaving {
            self.ended_before_probe = self.ended.clone();
            let wishes = Wishes { prompt: Some("none".into()), ..Wishes::default() };
            self.prepare(None, Way::Frame, Text::default(), wishes);
        }
    }

    /// A later click takes the place of a window that has not answered: the person may have closed
    /// it, which nobody can know.
    pub(super) fn close_popup(&mut self) {
        let open = self.waiting.iter().find_map(|(effect, expect)| match expect {
            Expect::Frame(departure) if departure.attempt.way != Way::Frame => {
                Some((*effect, departure.command))
            }
            _ => None,
        });
        if let Some((effect, command)) = open {
            self.cancel(effect);
            self.complete_failed(command, Code::Superseded.into());
        }
    }

    /// Whatever waits for the provider's document to leave for it is not left for any more: a later
    /// click has taken its place. (Both would leave at once, and one step has entropy for one.)
    fn supersede_departures(&mut self) {
        for goal in core::mem::take(&mut self.goals) {
            match goal {
                Goal::Depart(earlier) => {
                    self.complete_failed(earlier.command, Code::Superseded.into());
                }
                other => self.goals.push(other),
            }
        }
    }

    /// What nobody has clicked for is not asked any more: a frame that has brought no answer yet, or
    /// a redirect that has not been ordered. Whether there was one.
    pub(super) fn cancel_departures(&mut self, way: Way) -> bool {
        let before = self.goals.len() + self.waiting.len();
        self.goals.retain(|goal| !matches!(goal, Goal::Depart(asked) if asked.attempt.way == way));
        self.cancel_expected(&|expect| match expect {
            Expect::KeysToKeep(asked)
            | Expect::Challenge(asked)
            | Expect::AttemptSaved(asked, _)
            | Expect::Frame(asked) => asked.attempt.way == way,
            _ => false,
        });
        self.goals.len() + self.waiting.len() < before
    }

    fn prepare(&mut self, command: Option<u32>, way: Way, return_to: Text, wishes: Wishes) {
        let attempt = SignInAttempt {
            way,
            subject: self.held.as_ref().map(|held| held.id_token.subject().into()),
            acr_values: wishes.acr_values.clone(),
            max_age: wishes.max_age,
            ..SignInAttempt::default()
        };
        let departure = Departure { command, return_to, wishes, state: Text::default(), attempt };
        // A frame at a provider that is away would keep the start waiting.
        let must_answer = way != Way::Frame || !self.start.is_over();
        self.with_metadata(Goal::Depart(Box::new(departure)), must_answer);
    }

    /// The provider has answered just now: it can be left for.
    pub(super) fn depart(&mut self, mut departure: Box<Departure>) {
        let state = self.entropy.token(32);
        departure.state = match departure.attempt.way {
            Way::Popup(_) => Text::concat(&[POPUP, &state]),
            _ => state,
        };
        departure.attempt.nonce = Secret(self.entropy.token(32));
        let verifier = Secret(self.entropy.token(32));
        if verifier.0.len() < SHORTEST_VERIFIER || self.leaving {
            return self.departure_failed(&departure, Code::Superseded.into());
        }
        departure.attempt.code_verifier = verifier.clone();
        // RFC 7636, 4.2.
        let effect = Effect::Digest { algorithm: "SHA-256", text: verifier };
        self.effect(effect, Expect::Challenge(departure));
    }

    pub(super) fn handle_challenge(&mut self, answer: &Answer, departure: Box<Departure>) {
        let (Answer::Digest { value: challenge }, Some(metadata)) = (answer, &self.metadata) else {
            return self.departure_failed(&departure, Code::CryptoUnavailable.into());
        };
        let url = authorization::request(
            &self.config,
            metadata,
            &departure.wishes,
            &self.redirect_uri(departure.attempt.way),
            &departure.state,
            &departure.attempt.nonce.0,
            challenge,
        );
        let state = departure.state.clone();
        let effect = match departure.attempt.way {
            Way::Frame => Effect::OpenFrame { url, timeout_ms: self.frame_timeout_ms() },
            Way::Popup(click) if click != self.latest_click => {
                return self.complete_failed(departure.command, Code::Superseded.into());
            }
            Way::Popup(_) => Effect::OpenPopup { url, state, timeout_ms: POPUP_TIMEOUT_MS },
            Way::Click | Way::Redirect => return self.leave_to(departure, url),
        };
        self.effect(effect, Expect::Frame(departure));
    }

    /// The page dies in a redirect: what must survive is saved first.
    fn leave_to(&mut self, departure: Box<Departure>, url: Secret) {
        let record =
            Attempt::SignIn(departure.attempt.clone()).write(&self.config, self.local_time());
        self.keep_learnt();
        let now = self.local_time();
        if let (Way::Click, false, Some(memory)) =
            (departure.attempt.way, self.has_departed, &mut self.memory)
        {
            memory.left_when_asked(now);
            self.has_departed = true;
        }
        let (state, return_to) = (departure.state.clone(), departure.return_to.clone());
        self.save_attempt(&state, return_to, record, Expect::AttemptSaved(departure, url));
    }

    /// Where the answer of a sign-in comes to.
    pub(super) fn redirect_uri(&self, way: Way) -> Text {
        match (way, &self.config.silent_redirect_uri) {
            // A window that ends there need not begin the app.
            (Way::Frame | Way::Popup(_), Some(uri)) => uri.clone(),
            (Way::Frame, None) => Text::concat(&[&self.config.origin, "/gatepass-silent.html"]),
            _ => self.config.redirect_uri.clone(),
        }
    }

    /// Stores a record and, beside it, where the person comes back to.
    pub(super) fn save_attempt(
        &mut self,
        state: &str,
        return_to: Text,
        record: Secret,
        expect: Expect,
    ) {
        if let Some(oldest) = self.memory.as_mut().and_then(|memory| memory.left(state)) {
            self.erase(Area::Tab, record_key(&oldest));
            self.erase(Area::Tab, return_key(&oldest));
        }
        self.save_memory();
        self.save(Area::Tab, return_key(state), Secret(return_to));
        let effect = Effect::Save { area: Area::Tab, key: record_key(state), value: record };
        self.effect(effect, expect);
    }

    pub(super) fn handle_attempt_saved(
        &mut self,
        answer: &Answer,
        departure: &Departure,
        url: Secret,
    ) {
        if !matches!(answer, Answer::Done {}) {
            return self.departure_failed(departure, Code::StorageUnavailable.into());
        }
        // Another command was faster.
        if self.leaving {
            return self.departure_failed(departure, Code::Superseded.into());
        }
        let is_automatic = departure.attempt.way == Way::Redirect;
        if is_automatic {
            match self.start.climb().map(|climb| climb.may_not_redirect) {
                // Another tab shared its session meanwhile.
                None => return,
                // The page was left and came back, and listens to the others.
                Some(true) => {
                    if !self.has_timer(Timer::Hello) {
                        self.ladder();
                    }
                    return;
                }
                Some(false) => {}
            }
            let now = self.local_time();
            if let Some(memory) = &mut self.memory {
                memory.redirected(now);
            }
            self.save_memory();
            self.note_whether_unseen();
            self.complete_start_as_leaving();
        }
        self.complete(departure.command, Outcome::Leaving {});
        self.navigate(url, None, is_automatic);
    }

    /// Leaves the page. An automatic redirect takes the page's place in the history, so that Back
    /// does not lead to a page that redirects again.
    pub(super) fn navigate(&mut self, url: Secret, form: Option<Secret>, replace: bool) {
        self.leaving = true;
        self.set_timer(Timer::Leaving, LEAVING_MS);
        self.effect(Effect::Navigate { url, form, replace }, Expect::Nothing);
    }

    /// Whether the page is as good as left. Who clicks a while later sees it still: the navigation
    /// was stopped, or is so slow that another one may take its place.
    pub(super) fn is_gone(&mut self) -> bool {
        if !self.has_just_left() {
            // It may be under way still: what a page that is gone refreshed would be lost.
            self.stay(LEAVING_MS);
        }
        self.leaving
    }

    /// Whether a navigation was ordered a moment ago.
    pub(super) fn has_just_left(&self) -> bool {
        let due = self.timers.iter().find(|(timer, _)| *timer == Timer::Leaving);
        let left = due.map_or(0, |(_, due)| difference(*due, self.now.monotonic_ms));
        self.leaving && left > LEAVING_MS - SECOND_CLICK_MS
    }

    /// The page was not left after all: the person stopped it, or what came was no page. What had
    /// been put off goes on, and nothing redirects again.
    pub(super) fn stay(&mut self, pause_ms: i64) {
        if self.leaving && !self.away {
            self.leaving = false;
            self.over = None;
            self.finish_interrupted_start();
            // What the tabs said meanwhile was not listened to.
            self.broadcast(&crate::tabs::Message::Hello);
            if self.held.is_some() {
                self.lead_or_wait();
                self.refresh_unsent(pause_ms);
            }
        }
    }

    pub(super) fn departure_failed(&mut self, departure: &Departure, error: Error) {
        if departure.attempt.way == Way::Frame {
            self.frame_failed(error);
        } else if departure.attempt.way == Way::Redirect {
            if self.start.is_over() {
                return;
            }
            if error.code == Code::IssuerUnreachable {
                self.set_status(Status::Offline);
            }
            self.set_error(Some(error));
            self.finish_start();
        } else {
            self.set_error(Some(error.clone()));
            self.complete_failed(departure.command, error);
        }
    }
}

/// What the breaker has stopped, and why.
pub(super) fn broken(subject: &str, memory: &Memory) -> Error {
    Error::new(Code::RedirectLoop, subject, "a session", memory.why_broken())
}
