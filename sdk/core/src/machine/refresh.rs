//! Access tokens that are good for a while: given out, refreshed one at a time, across all tabs.

use super::{Expect, Goal, Machine, Timer, leader::Lead, verification};
use crate::{
    error::{Code, Error},
    id_token::{Expected, UntrustedIdToken},
    secret::Secret,
    tabs::{Message, SharedSession, Version},
    text::Text,
    time::{Seconds, UnixTime, difference},
    token::{Target, Tokens, read_response, refresh_form},
    wire::{Answer, Command, Ending, Outcome, Status},
};
use alloc::vec::Vec;

/// Seconds that a token must still be good for, if the caller does not say.
pub(super) const MIN_TTL: i64 = 30;

/// How long the leader may be silent after `renew`: longer than each request that it may have to
/// make. It says so when it makes another.
pub(super) const RENEW_MS: i64 = 12_000;

/// How late a leader may hear `renew`, so that its own request is over before it loses its place.
const PATIENCE_MS: i64 = RENEW_MS - super::provider::REQUEST_TIMEOUT_MS as i64;

/// How long a tab that has just taken the lead waits before it refreshes: another one may take it
/// at the same moment, for browsers let the timers of hidden tabs go off together.
pub(super) const TAKEOVER_MS: i64 = 300;

/// Within what time tabs without locks send what all of them may wait for.
const APART_MS: i64 = 500;

/// How long a page that nothing has reached for a while waits before it refreshes: if it hung, that
/// it was replaced is among what reaches it now.
const WAKING_MS: i64 = 20;

/// A refresh under way, and who waits for it.
#[derive(Default)]
pub(super) struct Refresh {
    /// The request is this tab's own.
    sent: bool,
    /// When it was made up, on the page's own clock.
    begun_ms: i64,
    /// When something reached the page last after nothing had for long, on the same clock.
    woken_ms: i64,
    /// What it is for.
    target: Target,
    waiters: Vec<Waiting>,
}

/// Somebody waits.
struct Waiting {
    who: Waiter,
    target: Target,
    /// The token that is not good enough.
    stale: Option<Secret>,
}

/// Who waits for fresh tokens.
#[derive(Clone, Copy)]
pub(super) enum Waiter {
    Token(u32),
    Check(Option<u32>),
    /// Whoever wants the session's lifetime to begin anew, here or in another tab, and when it began
    /// before.
    Extend(Option<u32>, i64),
    Stream,
    /// Another tab.
    Tab,
}

impl Waiter {
    /// The command that waits for it.
    pub(super) const fn command(self) -> Option<u32> {
        match self {
            Self::Token(id) => Some(id),
            Self::Check(command) | Self::Extend(command, _) => command,
            Self::Stream | Self::Tab => None,
        }
    }

    pub(super) const fn extends(self) -> bool {
        matches!(self, Self::Extend(..))
    }
}

impl Machine {
    pub(super) fn handle_get_token(
        &mut self,
        id: u32,
        min_ttl: Option<i64>,
        origin: Option<&str>,
        refused: Option<&Secret>,
        target: Target,
    ) {
        if origin.is_some_and(|origin| !self.may_receive_token(origin)) {
            let outcome = Outcome::Token { access_token: None, expires_at: None };
            return self.complete(Some(id), outcome);
        }
        let Some(held) = &self.held else {
            return self.complete_failed(Some(id), Code::NotSignedIn.into());
        };
        let needed_until = self.time().plus(Seconds(min_ttl.unwrap_or(MIN_TTL)));
        let is_good = held.tokens.find(&target).is_some_and(|(token, expires_at)| {
            refused != Some(token) && expires_at.is_none_or(|time| time > needed_until)
        });
        if is_good {
            self.give_token(id, &target);
        } else {
            self.refresh_for(Waiter::Token(id), target);
        }
    }

    /// The page's own origin and those that the application lists; nobody else gets a token.
    fn may_receive_token(&self, origin: &str) -> bool {
        let listed = self.config.token_origins.as_deref().unwrap_or_default();
        origin == self.config.origin || listed.iter().any(|known| known == origin)
    }

    fn give_token(&mut self, id: u32, target: &Target) {
        if self.withholds_tokens() {
            let Target { resource, scope } = target.clone();
            let (resource, scope) = (Some(resource), Some(scope));
            let again =
                Command::GetToken { min_ttl: None, origin: None, refused: None, resource, scope };
            return self.queued.push((id, again));
        }
        let found = self.held.as_ref().and_then(|held| held.tokens.find(target));
        let Some((token, expires_at)) = found else { return };
        let outcome = Outcome::Token {
            access_token: Some(token.clone()),
            expires_at: expires_at.map(|UnixTime(seconds)| seconds),
        };
        self.complete(Some(id), outcome);
    }

    /// Gets fresh tokens for `waiter`.
    pub(super) fn refresh(&mut self, waiter: Waiter) {
        self.refresh_for(waiter, Target::default());
    }

    /// Joins a refresh under way, or asks the leader, or is it.
    fn refresh_for(&mut self, who: Waiter, target: Target) {
        let Some(held) = &self.held else { return };
        if held.tokens.refresh_token.is_none() {
            return self.cannot_refresh(who);
        }
        let stale = held.tokens.find(&target).map(|(token, _)| token.clone());
        // Whoever extends again and again gives a leader that hangs no more time by it.
        let is_new = if who.extends() { !self.is_extending() } else { !self.waits_for(&target) };
        self.refresh.waiters.push(Waiting { who, target, stale });
        if self.is_leading() {
            // With the timer it leads in a moment.
            match (self.has_timer(Timer::Renew), self.lead == Lead::Alone) {
                (false, true) if !self.refresh.sent => self.refresh_soon(),
                (false, _) => self.refresh_as_leader(),
                (true, _) => {}
            }
        } else if !self.refresh.sent && (is_new || !self.has_timer(Timer::Renew)) {
            self.ask_leader();
        }
    }

    /// Notes how long nothing has reached this page, when something does.
    pub(super) fn note_silence(&mut self, before_ms: i64) {
        if difference(self.now.monotonic_ms, before_ms) >= PATIENCE_MS {
            self.refresh.woken_ms = self.now.monotonic_ms;
        }
    }

    /// Whether nothing has reached this page for a while before what reaches it now.
    pub(super) const fn is_first_after_silence(&self) -> bool {
        self.refresh.woken_ms == self.now.monotonic_ms
    }

    fn is_waking(&self) -> bool {
        matches!(self.lead, Lead::Holding(_))
            && difference(self.now.monotonic_ms, self.refresh.woken_ms) < WAKING_MS
    }

    /// Whether fresh tokens are waited for.
    pub(super) fn is_refreshing(&self) -> bool {
        !self.refresh.waiters.is_empty()
    }

    /// Whether the session's lifetime may begin anew in a moment.
    pub(super) fn is_extending(&self) -> bool {
        let checks = self.waiting.iter().filter_map(|(_, expect)| match expect {
            Expect::UserInfo(question) => Some(&question.waiter),
            _ => None,
        });
        let goals = self.goals.iter().filter_map(|goal| match goal {
            Goal::Check(waiter) => Some(waiter),
            _ => None,
        });
        let refreshes = self.refresh.waiters.iter().map(|waiting| &waiting.who);
        refreshes.chain(checks).chain(goals).any(|waiter| waiter.extends())
    }

    pub(super) fn is_refreshing_for(&self, is_meant: &dyn Fn(&Waiter) -> bool) -> bool {
        self.refresh.waiters.iter().any(|waiting| is_meant(&waiting.who))
    }

    fn waits_for(&self, target: &Target) -> bool {
        self.refresh.waiters.iter().any(|waiting| waiting.target == *target)
    }

    /// Asks for all that is waited for.
    fn ask_leader(&mut self) {
        let Some(version) = self.held.as_ref().map(|held| held.version.clone()) else { return };
        let mut targets: Vec<Target> = Vec::new();
        for waiting in &self.refresh.waiters {
            if !targets.contains(&waiting.target) {
                targets.push(waiting.target.clone());
            }
        }
        let at_ms = self.now.wall_ms;
        let extends = self.refresh.waiters.iter().any(|waiting| waiting.who.extends());
        for target in targets {
            let extends = extends && target.is_own();
            self.broadcast(&Message::Renew { version: version.clone(), at_ms, target, extends });
        }
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
        if self.held.is_none() {
            return self.handle_refreshing_elsewhere();
        }
        if self.is_held(version) && self.is_refreshing() && self.has_timer(Timer::Renew) {
            self.set_timer(Timer::Renew, RENEW_MS);
        }
        // What it works at may be the session's further life, of a version of it that has not come here.
        if self.held.as_ref().is_some_and(|held| held.version <= *version) {
            self.wait_for_extension(RENEW_MS);
        }
    }

    /// A further step of a refresh begins, which may take as long as a request. Said in any case: who
    /// waits may have asked for an earlier try that failed.
    pub(super) fn say_refreshing(&mut self) {
        if let Some(held) = &self.held {
            let version = held.version.clone();
            self.broadcast(&Message::Refreshing { version });
        }
    }

    /// This tab leads from now on: what waits is sent as soon as nobody else can believe the same. Where
    /// there are no locks everybody does: whoever is first by chance says so, and the others wait for what
    /// comes of it.
    pub(super) fn refresh_soon(&mut self) {
        if !self.refresh.waiters.is_empty() {
            let is_alone = self.lead == Lead::Alone;
            let pause = if is_alone { self.entropy.below(APART_MS) } else { TAKEOVER_MS };
            self.set_timer(Timer::Renew, pause);
        }
    }

    /// Another tab leads now: whatever has not been sent is that one's to send.
    pub(super) fn refresh_elsewhere(&mut self) {
        if !self.refresh.waiters.is_empty() && !self.refresh.sent {
            self.ask_leader();
        }
    }

    /// Without a refresh token: a token that the provider refuses ends the session. That it has expired
    /// does not by itself, for the person may still be signed in.
    fn cannot_refresh(&mut self, waiter: Waiter) {
        match waiter {
            Waiter::Token(id) => {
                self.complete_failed(Some(id), Code::TokenUnavailable.into());
            }
            Waiter::Check(_) | Waiter::Extend(Some(_), _) | Waiter::Stream => {
                self.end(Ending::InvalidToken);
                self.gets_none(waiter);
            }
            Waiter::Tab | Waiter::Extend(None, _) => {}
        }
    }

    /// The session is over for somebody who waits.
    pub(super) fn gets_none(&mut self, waiter: Waiter) {
        match waiter {
            Waiter::Check(command) => self.complete(command, Outcome::Done {}),
            _ => self.complete_failed(waiter.command(), Code::NotSignedIn.into()),
        }
    }

    /// Sends what waits, if this tab leads now.
    pub(super) fn refresh_as_leader(&mut self) {
        // What came while the page is being left would be lost with it, and the token is used up.
        if self.leaving {
            return;
        }
        if let (Some(first), false) = (self.refresh.waiters.first(), self.refresh.sent) {
            if self.is_waking() {
                return self.set_timer(Timer::Renew, WAKING_MS);
            }
            self.refresh.target = first.target.clone();
            self.refresh.sent = true;
            self.clear_timer(Timer::Renew);
            self.refresh.begun_ms = self.now.monotonic_ms;
            self.with_metadata(Goal::Refresh, false);
        }
    }

    /// The page stays after all: what it did not send, or is asked for now, is sent in a while. It did
    /// not listen, and is told first what another tab has got meanwhile.
    pub(super) fn refresh_unsent(&mut self, pause_ms: i64) {
        if self.is_leading() && !self.refresh.sent {
            self.set_timer(Timer::Renew, pause_ms);
        }
    }

    /// Whether the request under way is for the session's own token.
    pub(super) fn is_refreshing_own(&self) -> bool {
        self.refresh.target.is_own()
    }

    pub(super) fn handle_renew(
        &mut self,
        version: &Version,
        at_ms: i64,
        target: Target,
        extends: bool,
    ) {
        let Some(held) = &self.held else { return };
        // Nobody waits for a page that is being left.
        if !self.is_leading() || self.leaving {
            return;
        }
        // A leader that hung hears this late: its place has been taken, or will be before the
        // provider has answered. A refresh token that two tabs send looks like theft and ends the
        // session for all. If it still leads, whoever waits hears that, and asks again. Where the clock
        // was set back meanwhile nobody knows how late it is.
        let is_late = difference(self.now.wall_ms, at_ms).abs() >= PATIENCE_MS;
        if is_late || held.version != *version {
            // Of a newer one this tab has heard nothing yet: its own refresh token is used up.
            if held.version < *version {
                self.broadcast(&Message::Hello);
            }
            self.share(true);
        } else {
            let who = if extends { Waiter::Extend(None, held.extended_at) } else { Waiter::Tab };
            self.refresh_for(who, target);
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
        let form = refresh_form(&self.config, refresh_token, &self.refresh.target);
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
        let target = self.refresh.target.clone();
        let Some(held) = &mut self.held else { return };
        held.tokens.renew(target.clone(), tokens);
        held.version = version;
        self.renewed_ms = self.now.monotonic_ms;
        // Of other tokens nothing is shown.
        self.changed |= target.is_own();
        self.set_expiry_timer();
        let waiters = &self.refresh.waiters;
        if waiters.iter().any(|waiting| waiting.who.extends() && waiting.target == target) {
            self.extend();
        }
        // First: the token before this one is worth nothing any more, or looks like theft.
        self.keep_session();
        self.share_session();
        self.refresh_succeeded(Some(&target));
    }

    /// Whatever came of a request that is under way, nobody would use it.
    fn stop_refreshing(&mut self) {
        self.clear_timer(Timer::Renew);
        self.refresh.sent = false;
        self.cancel_expected(&|expect| matches!(expect, Expect::Refreshed(_)));
    }

    /// Fresh tokens are there, by this tab or another: those for `target`, if it is known for what.
    pub(super) fn refresh_succeeded(&mut self, target: Option<&Target>) {
        self.stop_refreshing();
        if target.is_some_and(Target::is_own) {
            self.owes_look = false;
            self.is_unsure = false;
            self.drop_passing_error();
        }
        if matches!(self.status, Status::Offline | Status::Restoring)
            && (self.start.is_over() || self.is_confirming())
        {
            self.set_status(Status::Authenticated);
            self.set_error(None);
        }
        for waiting in core::mem::take(&mut self.refresh.waiters) {
            let held = self.held.as_ref();
            let found = held.and_then(|held| held.tokens.find(&waiting.target));
            let is_new = found.is_some_and(|(token, _)| waiting.stale.as_ref() != Some(token));
            let is_done = match waiting.who {
                // Tokens that another tab had asked for prove nothing of this moment.
                Waiter::Extend(_, before) => held.is_some_and(|held| held.extended_at != before),
                _ => is_new || target == Some(&waiting.target),
            };
            if !is_done {
                self.refresh.waiters.push(waiting);
                continue;
            }
            match waiting.who {
                Waiter::Token(id) => self.give_token(id, &waiting.target),
                Waiter::Check(_) | Waiter::Extend(..) => {
                    self.complete(waiting.who.command(), Outcome::Done {});
                }
                Waiter::Stream => self.open_stream(),
                Waiter::Tab => {}
            }
        }
        self.refresh_next();
    }

    /// What is waited for still.
    fn refresh_next(&mut self) {
        // A sign-in may have replaced a session that had one.
        if self.held.as_ref().is_some_and(|held| held.tokens.refresh_token.is_none()) {
            for waiting in core::mem::take(&mut self.refresh.waiters) {
                self.complete_failed(waiting.who.command(), Code::TokenUnavailable.into());
            }
        }
        // After a request that took long, this tab may hear only in a moment that it was replaced.
        let is_late = difference(self.now.monotonic_ms, self.refresh.begun_ms) >= PATIENCE_MS;
        match (self.is_leading(), is_late) {
            (true, false) => self.refresh_as_leader(),
            (true, true) => self.refresh_soon(),
            (false, _) => self.refresh_elsewhere(),
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
        let target = core::mem::take(&mut self.refresh.target);
        self.refuse(&target, &error);
        self.refresh_next();
    }

    /// There are no fresh tokens for `target`, and if the provider is away for nothing else.
    fn refuse(&mut self, target: &Target, error: &Error) {
        let is_unreachable = error.code == Code::IssuerUnreachable;
        if is_unreachable {
            self.set_status(Status::Offline);
        }
        // That there is no token for something else says nothing about the session.
        if is_unreachable || target.is_own() {
            self.set_passing_error(error.clone());
        }
        for waiting in core::mem::take(&mut self.refresh.waiters) {
            if !is_unreachable && waiting.target != *target {
                self.refresh.waiters.push(waiting);
                continue;
            }
            match waiting.who {
                Waiter::Token(_) | Waiter::Extend(..) => {
                    self.complete_failed(waiting.who.command(), error.clone());
                }
                Waiter::Check(_) => {
                    self.check_failed(waiting.who.command(), error.clone());
                }
                Waiter::Stream => self.stream_not_refreshed(),
                Waiter::Tab => {
                    let found = error.evidence.as_ref().map_or("", |seen| &seen.found).into();
                    let (target, code) = (waiting.target, error.code.as_str().into());
                    self.broadcast(&Message::Refused { target, code, found });
                }
            }
        }
    }

    /// The leader has no fresh tokens for `target`: what was seen there is seen here.
    pub(super) fn handle_refused(&mut self, target: &Target, code: &str, found: &str) {
        if self.refresh.sent || !self.waits_for(target) {
            return;
        }
        let known = Code::ALL.iter().find(|known| known.as_str() == code);
        let code = known.copied().unwrap_or(Code::ProviderError);
        self.refuse(target, &Error::new(code, "error", "success", found));
        if self.refresh.waiters.is_empty() {
            self.clear_timer(Timer::Renew);
        }
    }

    /// The session ended: whoever waits for tokens gets none.
    pub(super) fn refresh_ended(&mut self) {
        self.stop_refreshing();
        for waiting in core::mem::take(&mut self.refresh.waiters) {
            self.gets_none(waiting.who);
        }
    }
}
