//! Coming back from the provider: the callback, once.

use super::{
    Expect, Goal, Machine, departure::Departure, provider::REQUEST_TIMEOUT_MS, start::Climb,
    verification,
};
use crate::{
    attempt::{Attempt, SignInAttempt, Way, record_key, return_key},
    authorization::UntrustedResponse,
    error::{Blame, Code, Error},
    id_token::{Expected, UntrustedIdToken},
    metadata::Metadata,
    text::Text,
    token::{code_form, read_response},
    wire::{Answer, Area, Cause, Command, Effect, Ending, Failure, Noted, OnLoad, Status},
};
use alloc::boxed::Box;

/// A code on its way to become tokens.
pub(super) struct Redemption {
    pub(super) attempt: SignInAttempt,
    response: Box<UntrustedResponse>,
    /// Where it was sent in vain, and what came of it.
    failed: Option<(Text, Error)>,
}

impl Machine {
    /// Rung 2: the page was loaded by an answer of the provider.
    pub(super) fn handle_callback(&mut self, callback: &str) {
        // The page before this one may have told other tabs to wait.
        if let Some(climb) = self.start.climb() {
            climb.said_busy = true;
        }
        let response = UntrustedResponse::parse(callback);
        match response.state() {
            Ok(state) => {
                let key = record_key(state);
                self.load(Area::Tab, key, Expect::Attempt(Box::new(response)));
            }
            Err(error) => self.arrival_failed(error, Way::Click),
        }
    }

    pub(super) fn handle_attempt(&mut self, answer: &Answer, response: Box<UntrustedResponse>) {
        let Answer::Loaded { value } = answer else {
            return self.arrival_failed(Code::StorageUnavailable.into(), Way::Click);
        };
        let now = self.local_time();
        let record = value.as_ref().and_then(|text| Attempt::read(text, &self.config, now));
        let state = Text::from(response.state().unwrap_or_default());
        match record {
            // An old address, opened where somebody is signed in: what it once answered is no news.
            None if self.held.is_some() => self.arrived_in_vain(),
            None => self.arrival_failed(Code::StateUnknown.into(), Way::Click),
            // A repeat of the callback: no error, the ladder finds what became of the first.
            Some((Attempt::Used, _)) => self.arrived_in_vain(),
            Some((Attempt::SignOut, _)) => {
                self.erase(Area::Tab, record_key(&state));
                self.erase(Area::Tab, return_key(&state));
                // The provider has confirmed what the page before this one began.
                self.cause = Some(Cause { ending: Ending::SignedOut, at: now.0 });
                self.changed = true;
                self.arrived_in_vain();
            }
            Some((Attempt::SignIn(attempt), expired)) => {
                // Single use, from now on: whatever goes wrong below, the code is not sent twice.
                let used = Attempt::Used.write(&self.config, now);
                let effect = Effect::Save { area: Area::Tab, key: record_key(&state), value: used };
                self.effect(effect, Expect::Nothing);
                // Somebody has signed out while the page left by itself. (Who does so while it arrives
                // signs out of what it brings.)
                let is_sign_out = |(_, command): &_| matches!(command, Command::SignOut { .. });
                if attempt.way == Way::Redirect
                    && self.memory.as_ref().is_some_and(|memory| memory.stopped)
                    && !self.queued.iter().any(is_sign_out)
                {
                    return self.arrived_in_vain();
                }
                if expired {
                    let way = attempt.way;
                    return self.arrival_failed(Code::AttemptExpired.into(), way);
                }
                // Another tab has brought this very attempt to its end.
                let handled = self
                    .held
                    .as_ref()
                    .is_some_and(|held| held.id_token.nonce() == Some(&attempt.nonce.0));
                if handled {
                    return self.arrived_in_vain();
                }
                let redemption = Redemption { attempt, response, failed: None };
                self.with_metadata(Goal::Redeem(Box::new(redemption)), false);
            }
        }
    }

    /// Whether a code is being redeemed, or what came for it is being verified.
    pub(super) fn is_arriving(&self) -> bool {
        self.waiting.iter().any(|(_, expect)| matches!(expect, Expect::Tokens(_)))
            || self.goals.iter().any(|goal| matches!(goal, Goal::Redeem(_)))
            || self.is_verifying(&|purpose| matches!(purpose, verification::Purpose::SignIn(..)))
    }

    /// OIDC Core 3.1.3: the code for tokens.
    pub(super) fn redeem(&mut self, metadata: &Metadata, redemption: Box<Redemption>) {
        let Redemption { attempt, response, failed } = &*redemption;
        let endpoint = metadata.token_endpoint.clone();
        // A code is not sent twice to one place.
        if let Some((tried, error)) = failed
            && *tried == endpoint
        {
            return self.arrival_failed(error.clone(), attempt.way);
        }
        match response.code(&self.config.issuer, metadata.promises_iss) {
            Ok(code) => {
                let redirect_uri = self.redirect_uri(attempt.way);
                let form = code_form(&self.config, &redirect_uri, &code, &attempt.code_verifier);
                let expect = Expect::Tokens(redemption);
                self.post(endpoint, form, REQUEST_TIMEOUT_MS, expect);
            }
            Err(error) => self.arrival_failed(error, attempt.way),
        }
    }

    pub(super) fn handle_tokens(
        &mut self,
        answer: &Answer,
        bytes: &[u8],
        mut redemption: Box<Redemption>,
    ) {
        let attempt = &redemption.attempt;
        let read = match answer {
            Answer::Response { response } => {
                let code = redemption.response.sent_code();
                read_response(response, bytes, self.time(), &[&code, &attempt.code_verifier])
            }
            other => {
                let code = Code::TokenResponseInvalid;
                Err(super::provider::failure(other, code, "token_endpoint"))
            }
        };
        // What was learnt before may have changed since: if the provider has moved, its new place is
        // asked.
        if let (Err(error), Some(metadata), true) =
            (&read, &self.metadata, self.metadata_is_kept && redemption.failed.is_none())
            && matches!(error.code, Code::IssuerUnreachable | Code::TokenResponseInvalid)
        {
            redemption.failed = Some((metadata.token_endpoint.clone(), error.clone()));
            return self.with_metadata(Goal::Redeem(redemption), true);
        }
        let begun = read.and_then(|response| {
            let id_token = response.id_token.ok_or(Code::IdTokenMissing)?;
            let expected = Expected::SignIn {
                nonce: attempt.nonce.0.clone(),
                acr_values: attempt.acr_values.clone(),
                max_age: attempt.max_age,
            };
            Ok((UntrustedIdToken::begin(&id_token, &self.config, expected)?, response.tokens))
        });
        match begun {
            Ok((token, tokens)) => {
                let state = redemption.response.session_state();
                let before = attempt.subject.clone();
                let purpose = verification::Purpose::SignIn(attempt.way, before, state);
                self.verify(verification::Verification::id_token(token, tokens, purpose));
            }
            Err(error) => self.arrival_failed(error, attempt.way),
        }
    }

    /// What the app's page was loaded with, in a frame of this page or in a window of its own.
    pub(super) fn handle_frame(&mut self, answer: &Answer, departure: Departure) {
        let way = departure.attempt.way;
        let code = match answer {
            Answer::Framed { query } => {
                let response = UntrustedResponse::parse(&query.0);
                if response.state().is_ok_and(|state| state == departure.state) {
                    let (attempt, response) = (departure.attempt, Box::new(response));
                    let redemption = Redemption { attempt, response, failed: None };
                    if way == Way::Frame {
                        self.frame_has_answered();
                    }
                    return self.with_metadata(Goal::Redeem(Box::new(redemption)), false);
                }
                Code::StateUnknown
            }
            Answer::Failed { reason: Failure::Timeout } => Code::PopupTimeout,
            Answer::Failed { reason: Failure::Cancelled } => Code::Cancelled,
            _ => Code::PopupBlocked,
        };
        if way == Way::Frame {
            // Nothing to tell: what a frame shows is no word of the provider.
            let error = code.into();
            self.note_failure(Noted::Frame, &error);
            self.frame_is_over(&error);
        } else {
            self.arrival_failed(code.into(), way);
        }
    }

    /// A frame has found out nothing. That nobody is signed in, as far as a frame can see, says
    /// nothing about anybody: the browser may have kept the provider's cookie from it. What the
    /// provider did wrong is told all the same.
    pub(super) fn frame_failed(&mut self, error: Error) {
        self.note_failure(Noted::Frame, &error);
        if error.code == Code::LoginRequired && !self.is_same_host() {
            // Cookies may have been blocked since one was seen; or it was another cookie.
            self.drop_word(Noted::Sees);
        }
        if error.code.blame() == Blame::Provider && self.held.is_none() {
            self.set_error(Some(error.clone()));
        }
        self.frame_is_over(&error);
    }

    /// The answer brings no session by itself: the ladder goes on.
    fn arrived_in_vain(&mut self) {
        if let Some(climb) = self.start.climb() {
            climb.is_arriving = false;
        }
        self.ask_other_tabs();
    }

    /// The callback brought no session. A session that another tab holds is left as it is, and
    /// adopted.
    pub(super) fn arrival_failed(&mut self, error: Error, way: Way) {
        match way {
            Way::Frame => return self.frame_failed(error),
            // The page is as it was before the click, and so is a session that it has.
            Way::Popup(command) => {
                self.set_error(Some(error.clone()));
                return self.complete_failed(Some(command), error);
            }
            Way::Click | Way::Redirect => {}
        }
        let automatic = way == Way::Redirect;
        if automatic {
            self.note_failure(Noted::Redirect, &error);
            // As the frame before it said.
            self.drop_word(Noted::Unseen);
        }
        let unreachable = error.code == Code::IssuerUnreachable;
        if let Some(memory) = &mut self.memory {
            memory.stopped |= automatic && !unreachable;
            memory.failure = error.code.as_str().into();
        }
        self.save_memory();
        if error.code == Code::LoginRequired {
            let key = self.shared_key("hint");
            self.erase(Area::Origin, key);
            // This browser had a session, so that the provider was asked: it is over.
            let had = |climb: &mut Climb| climb.on_load == OnLoad::Hint;
            if automatic && self.held.is_none() && self.start.climb().is_some_and(had) {
                let at = self.time().0;
                self.cause = Some(Cause { ending: Ending::LoginRequired, at });
                self.changed = true;
            }
            // What was kept is over too, by the best authority.
            self.erase_kept(Area::Tab);
            self.erase_kept(Area::Origin);
        }
        // That nobody is signed in is an answer, not a fault.
        let expected = automatic && error.code == Code::LoginRequired;
        self.set_error(if expected { None } else { Some(error) });
        if unreachable {
            self.set_status(Status::Offline);
        }
        if let Some(climb) = self.start.climb() {
            climb.may_not_redirect = true;
        }
        self.arrived_in_vain();
    }
}
