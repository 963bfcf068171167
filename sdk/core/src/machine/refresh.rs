//! Access tokens that are good for a while: given out, refreshed one at a time, across all tabs.

use super::{Expect, Goal, Machine, Timer, leader::Lead, verification};
use crate::{
    error::{Code, Error},
    id_token::{Expected, UntrustedIdToken},
    secret::Secret,
    tabs::{Message, SharedSession, Version},
    text::Text,
    time::{Seconds, UnixTime, difference},
    token::{Tokens, read_response, refresh_form},
    wire::{Answer, Ending, Outcome, Status},
};
use alloc::vec::Vec;

/// Seconds that a token must still be good for, if the caller does not say.
const MIN_TTL: i64 = 30;

/// How long the leader may be silent after `renew`: longer than each request that it may have to
/// make. It says so when it makes another.
pub(super) const RENEW_MS: i64 = 12_000;

/// How late a leader may hear `renew`, so that its own request is over before it loses its place.
const PATIENCE_MS: i64 = RENEW_MS - super::provider::REQUEST_TIMEOUT_MS as i64;

/// How long a tab that has just taken the lead waits before it refreshes: another one may take it
/// at the same moment, for browsers let the timers of hidden tabs go off together.
const TAKEOVER_MS: i64 = 300;

/// A refresh under way, and who waits for it.
#[derive(Default)]
pub(super) struct Refresh {
    /// The request is this tab's own.
    sent: bool,
    /// When it was made up, on the page's own clock.
    begun_ms: i64,
    waiters: Vec<Waiter>,
}

/// Who waits for fresh tokens.
pub(super) enum Waiter {
    Token(u32),
    Check(Option<u32>),
    Stream,
    /// Another tab.
    Tab,
}

impl Machine {
    pub(super) fn handle_get_token(
        &mut self,
        id: u32,
        min_ttl: Option<i64>,
        origin: Option<&str>,
        refused: Option<&Secret>,
    ) {
        if origin.is_some_and(|origin| !self.may_receive_token(origin)) {
            let outcome = Outcome::Token { access_token: None, expires_at: None };
            return self.complete(Some(id), outcome);
        }
        let Some(held) = &self.held else {
            return self.complete_failed(Some(id), Code::NotSignedIn.into());
        };
        let needed_until = self.time().plus(Seconds(min_ttl.unwrap_or(MIN_TTL)));
        let tokens = &held.tokens;
        let is_good = refused != Some(&tokens.access_token)
            && tokens.expires_at.is_none_or(|time| time > needed_until);
        if is_good {
            self.give_token(id);
        } else {
            self.refresh(Waiter::Token(id));
        }
    }

    /// The page's own origin and those that the application lists; nobody else gets a token.
    fn may_receive_token(&self, origin: &str) -> bool {
        let listed = self.config.token_origins.as_deref().unwrap_or_default();
        origin == self.config.origin || listed.iter().any(|known| known == origin)
    }

    fn give_token(&mut self, id: u32) {
        let Some(held) = &self.held else { return };
        let outcome = Outcome::Token {
            access_token: Some(held.tokens.access_token.clone()),
            expires_at: held.tokens.expires_at.map(|UnixTime(seconds)| seconds),
        };
        self.complete(Some(id), outcome);
    }

    /// Gets fresh tokens for `waiter`: joins a refresh under way, or asks the leader, or is it.
    pub(super) fn refresh(&mut self, waiter: Waiter) {
        let Some(held) = &self.held else { return };
        if held.tokens.refresh_token.is_none() {
            return self.cannot_refresh(&waiter);
        }
        self.refresh.waiters.push(waiter);
        // Somebody has been asked already, or this tab leads in a moment.
        if self.has_timer(Timer::Renew) {
            return;
        }
        if self.is_leading() {
            self.refresh_as_leader();
        } else if !self.refresh.sent {
            self.ask_leader();
        }
    }

    fn ask_leader(&mut self) {
        let Some(held) = &self.held else { return };
        let version = held.version.clone();
        self.broadcast(&Message::Renew { version, at_ms: self.now.wall_ms });
        self.set_timer(Timer::Renew, RENEW_MS);
    }

    /// The leader has said that it has the very session whose tokens are waited for here: it has
    /// taken the place of one that hung, and has not been asked yet, or it heard too late. It needs
    /// its time; what any other tab says gives nobody more.
    pub(super) fn ask_again(&mut self, shared: &SharedSession) {
        let waits = self.has_timer(Timer::Renew) && !self.is_leading();
        if shared.leads && waits && self.is_held(&shared.version) {
            self.ask_leader();
        }
    }

    /// The leader works at it. Whoever has just taken its place waits too: two requests with one
    /// refresh token look like theft.
    pub(super) fn wait_longer(&mut self, version: &Version) {
        if self.has_timer(Timer::Renew) && self.is_held(version) {
            self.set_timer(Timer::Renew, RENEW_MS);
        }
    }

    /// A further step of a refresh begins, which may take as long as a request.
    pub(super) fn say_refreshing(&mut self) {
        if let Some(held) = &self.held
            && self.refresh.waiters.iter().any(|waiter| matches!(waiter, Waiter::Tab))
        {
            let version = held.version.clone();
            self.broadcast(&Message::Refreshing { version });
        }
    }

    /// This tab leads from now on: what waits is sent as soon as nobody else can believe the same.
    pub(super) fn refresh_soon(&mut self) {
        if !self.refresh.waiters.is_empty() {
            let alone = matches!(self.lead, Lead::Alone);
            self.set_timer(Timer::Renew, if alone { 0 } else { TAKEOVER_MS });
        }
    }

    /// Another tab leads now: whatever has not been sent is that one's to send.
    pub(super) fn refresh_elsewhere(&mut self) {
        if !self.refresh.waiters.is_empty() && !self.refresh.sent {
            self.ask_leader();
        }
    }

    /// Without a refresh token: a token that the provider refuses ends the session; one that has
    /// merely expired does not, for the person may still be signed in.
    fn cannot_refresh(&mut self, waiter: &Waiter) {
        match waiter {
            Waiter::Token(id) => {
                self.complete_failed(Some(*id), Code::TokenUnavailable.into());
            }
            Waiter::Check(command) => {
                self.end(Ending::InvalidToken);
                self.complete(*command, Outcome::Done {});
            }
            Waiter::Stream => self.end(Ending::InvalidToken),
            Waiter::Tab => {}
        }
    }

    /// Sends what waits, if this tab leads now.
    pub(super) fn refresh_as_leader(&mut self) {
        if !self.refresh.waiters.is_empty() && !self.refresh.sent {
            self.clear_timer(Timer::Renew);
            self.refresh.sent = true;
            self.refresh.begun_ms = self.now.monotonic_ms;
            self.with_metadata(Goal::Refresh, false);
        }
    }

    pub(super) fn handle_renew(&mut self, version: &Version, at_ms: i64) {
        let Some(held) = &self.held else { return };
        if !self.is_leading() {
            return;
        }
        // A leader that hung hears this late: its place has been taken, or will be before the
        // provider has answered. A refresh token that two tabs send looks like theft and ends the
        // session for all. If it still leads, whoever waits hears that, and asks again.
        let is_late = difference(self.now.wall_ms, at_ms) >= PATIENCE_MS;
        if is_late || held.version != *version {
            // Of a newer one this tab has heard nothing yet: its own refresh token is used up.
            if held.version < *version {
                self.broadcast(&Message::Hello);
            }
            self.share(true);
        } else {
            self.refresh(Waiter::Tab);
        }
    }

    pub(super) fn send_refresh(&mut self, token_endpoint: Text) {
        // Another tab's tokens came while this waited for the metadata; or they did, were asked for
        // anew, and this goal waited twice. A refresh token that is sent twice looks like theft.
        let is_sent = self.waiting.iter().any(|(_, expect)| matches!(expect, Expect::Refreshed(_)));
        if is_sent || !self.refresh.sent {
            return;
        }
        // Another tab took the lead while this waited: it sends. A page that hung may hear only in a
        // moment that it was replaced.
        let is_late = difference(self.now.monotonic_ms, self.refresh.begun_ms) >= PATIENCE_MS;
        if is_late || !self.is_leading() {
            self.refresh.sent = false;
            return if self.is_leading() { self.refresh_soon() } else { self.refresh_elsewhere() };
        }
        let Some(held) = &self.held else { return };
        let Some(refresh_token) = &held.tokens.refresh_token else { return };
        let version = held.version.clone();
        let form = refresh_form(&self.config, refresh_token);
        self.say_refreshing();
        let timeout_ms = super::provider::REQUEST_TIMEOUT_MS;
        self.post(token_endpoint, form, timeout_ms, Expect::Refreshed(version));
    }

    /// Whether the session is still the one of `version`: what was asked for another one, perhaps
    /// of another user, must not touch it.
    pub(super) fn is_held(&self, version: &Version) -> bool {
        self.held.as_ref().is_some_and(|held| held.version == *version)
    }

    pub(super) fn handle_refreshed(&mut self, answer: &Answer, bytes: &[u8], version: Version) {
        if !self.is_held(&version) {
            return;
        }
        let read = match answer {
            Answer::Response { response } => {
                let held = self.held.as_ref();
                let sent = held.and_then(|held| held.tokens.refresh_token.as_ref());
                read_response(response, bytes, self.time(), sent.as_slice())
            }
            other => {
                let code = Code::TokenResponseInvalid;
                Err(super::provider::failure(other, code, "token_endpoint"))
            }
        };
        let begun = read.and_then(|response| {
            let token = match &response.id_token {
                Some(raw) => Some(UntrustedIdToken::begin(raw, &self.config, Expected::Refreshed)?),
                None => None,
            };
            Ok((token, response.tokens))
        });
        match begun {
            Ok((Some(token), tokens)) => {
                let purpose = verification::Purpose::Refresh(version);
                self.verify(verification::Verification::id_token(token, tokens, purpose));
            }
            Ok((None, tokens)) => self.use_refreshed(tokens),
            Err(error) => self.refresh_failed(error),
        }
    }

    /// The refreshed tokens are the session's now, in all tabs.
    pub(super) fn use_refreshed(&mut self, tokens: Tokens) {
        let version = self.next_version();
        let Some(held) = &mut self.held else { return };
        // RFC 6749, 6: without a new refresh token the old one stays good.
        let refresh_token = tokens.refresh_token.or(held.tokens.refresh_token.take());
        held.tokens = Tokens { refresh_token, ..tokens };
        held.version = version;
        self.changed = true;
        // First: the token before this one is worth nothing any more, or looks like theft.
        self.keep_session();
        self.share_session();
        self.refresh_succeeded();
    }

    /// Whatever came of a request that is under way, nobody would use it.
    fn stop_refreshing(&mut self) {
        self.clear_timer(Timer::Renew);
        self.refresh.sent = false;
        self.cancel_expected(|expect| matches!(expect, Expect::Refreshed(_)));
    }

    /// Fresh tokens are there, by this tab or another.
    pub(super) fn refresh_succeeded(&mut self) {
        self.stop_refreshing();
        if matches!(self.status, Status::Offline | Status::Restoring)
            && (self.start.is_over() || self.is_confirming())
        {
            self.set_status(Status::Authenticated);
            self.set_error(None);
        }
        for waiter in core::mem::take(&mut self.refresh.waiters) {
            match waiter {
                Waiter::Token(id) => self.give_token(id),
                Waiter::Check(command) => self.complete(command, Outcome::Done {}),
                Waiter::Stream => self.open_stream(),
                Waiter::Tab => {}
            }
        }
    }

    /// `invalid_grant` ends the session. Nothing else does: a provider in trouble, a network that is
    /// away and an answer that breaks a rule leave it as it was.
    pub(super) fn refresh_failed(&mut self, error: Error) {
        // The session ended meanwhile, and with it what waited; or another tab's tokens came, and
        // what waits now waits for something else.
        if self.held.is_none() || !self.refresh.sent {
            return;
        }
        self.stop_refreshing();
        if error.code == Code::InvalidGrant {
            return self.end(Ending::InvalidGrant);
        }
        if error.code == Code::IssuerUnreachable {
            self.set_status(Status::Offline);
        }
        self.set_error(Some(error.clone()));
        for waiter in core::mem::take(&mut self.refresh.waiters) {
            match waiter {
                Waiter::Token(id) => self.complete_failed(Some(id), error.clone()),
                Waiter::Check(command) => self.check_failed(command, error.clone()),
                Waiter::Stream => self.stream_not_refreshed(),
                Waiter::Tab => {}
            }
        }
    }

    /// The session ended: whoever waits for tokens gets none.
    pub(super) fn refresh_ended(&mut self) {
        self.stop_refreshing();
        for waiter in core::mem::take(&mut self.refresh.waiters) {
            match waiter {
                Waiter::Token(id) => self.complete_failed(Some(id), Code::NotSignedIn.into()),
                Waiter::Check(command) => self.complete(command, Outcome::Done {}),
                Waiter::Stream | Waiter::Tab => {}
            }
        }
    }
}
