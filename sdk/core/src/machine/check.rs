//! The session check: one request without cookies, by UserInfo (OIDC Core 5.3).

use super::{Expect, Machine, Timer, refresh::Waiter, stream::bearer};
use crate::{
    error::{Code, Error},
    tabs::Version,
    text::Text,
    user_info::{UntrustedUserInfo, VerifiedUserInfo},
    wire::{Answer, Failure, Outcome, Response, Status},
};

/// How long after the front channel has made a page ask it may not do so again.
const TOLD_PAUSE_MS: i64 = 10_000;

/// What `UserInfo` was asked.
pub(super) struct Question {
    /// For whom.
    pub(super) waiter: Waiter,
    /// Of which session.
    began: Version,
    /// With the token of this version of it.
    version: Version,
    /// What was known of the endpoint then ([`super::user_info::UserInfoEndpoint::asks`]).
    asked: u32,
}

impl Machine {
    /// Front-Channel Logout 1.0, 3: the app's own page, framed by the provider, names the session that
    /// is over. Anybody can frame that page: it makes this one ask, not too often, and ends nothing.
    pub(super) fn handle_front_channel(&mut self, session_id: &str) {
        let held = self.held.as_ref();
        let is_ours = held.is_some_and(|held| held.id_token.session_id() == Some(session_id));
        let now_ms = self.now.monotonic_ms;
        let is_early = self.told_at_ms.is_some_and(|at| now_ms - at < TOLD_PAUSE_MS);
        if is_ours && self.is_leading() && !is_early {
            self.told_at_ms = Some(now_ms);
            self.look_again();
        }
    }

    /// Asks the provider whether the session still stands, for a command or for ourselves.
    pub(super) fn check(&mut self, command: Option<u32>) {
        if self.held.is_some() {
            self.check_for(Waiter::Check(command));
        } else {
            // Nothing to check, but whether the provider is there again can be found out.
            self.handle_attention();
            self.complete(command, Outcome::Done {});
        }
    }

    pub(super) fn check_for(&mut self, waiter: Waiter) {
        self.with_metadata(super::Goal::Check(waiter), false);
    }

    /// Something about the session has changed, or seems to have. A refresh says whether it still
    /// stands where UserInfo asks only about the token, and brings what is new. Where the provider is
    /// away meanwhile, it is what the next check asks for.
    pub(super) fn look_again(&mut self) {
        self.owes_look = true;
        self.check(None);
    }

    /// Whether the provider is being asked if the session stands. (That it is asked of one before says
    /// nothing about this one.)
    pub(super) fn is_being_checked(&self) -> bool {
        let is_check = |waiter: &Waiter| matches!(waiter, Waiter::Check(_));
        let began = self.held.as_ref().map(|held| &held.began);
        let is_question = |asked: &Question| is_check(&asked.waiter) && began == Some(&asked.began);
        self.is_refreshing_for(&is_check)
            || self
                .waiting
                .iter()
                .any(|(_, expect)| matches!(expect, Expect::UserInfo(asked) if is_question(asked)))
            || self
                .goals
                .iter()
                .any(|goal| matches!(goal, super::Goal::Check(waiter) if is_check(waiter)))
    }

    /// Whether the provider can tell if the session stands. Where it cannot, nothing is waited for.
    pub(super) fn can_be_asked_about(&self) -> bool {
        self.may_refresh() || self.may_ask_user_info()
    }

    /// Whether there is a refresh token.
    pub(super) fn may_refresh(&self) -> bool {
        self.held.as_ref().is_some_and(|held| held.tokens.refresh_token.is_some())
    }

    fn is_user_info_useless(&self) -> bool {
        self.user_info.is_useless(self.now.monotonic_ms)
    }

    /// Whether there is a UserInfo endpoint, as far as is known, and it is worth asking.
    pub(super) fn may_ask_user_info(&self) -> bool {
        let metadata = self.metadata.as_ref();
        metadata.is_none_or(|metadata| metadata.userinfo_endpoint.is_some())
            && !self.is_user_info_useless()
    }

    /// UserInfo is asked where there is one; a refresh tells as much where there is none, and more.
    pub(super) fn send_check(&mut self, userinfo_endpoint: Option<Text>, waiter: Waiter) {
        match (&self.held, userinfo_endpoint.filter(|_| !self.is_user_info_useless())) {
            (Some(held), Some(url)) if !self.owes_look || held.tokens.refresh_token.is_none() => {
                let authorization = bearer(&held.tokens.access_token);
                let timeout_ms = super::provider::REQUEST_TIMEOUT_MS;
                let question = Question {
                    waiter,
                    began: held.began.clone(),
                    version: held.version.clone(),
                    asked: self.user_info.asks(),
                };
                let expect = Expect::UserInfo(question);
                // Other tabs may think that it is over, and wait.
                if waiter.extends() {
                    self.say_refreshing();
                }
                self.fetch(url, Some(authorization), timeout_ms, expect);
            }
            // Nobody can be asked, which says nothing about the session.
            (Some(held), None) if held.tokens.refresh_token.is_none() => {
                self.session_stands();
                self.complete_failed(waiter.command(), Code::TokenUnavailable.into());
            }
            (Some(_), _) => self.refresh(waiter),
            (None, _) => self.gets_none(waiter),
        }
    }

    /// Whether a page that slept still waits for what the tabs wrote down for it, or tell it: there may
    /// be another session.
    pub(super) fn is_hearing_tabs(&self) -> bool {
        self.has_timer(Timer::Word)
            || self.is_adopting()
            || self.waiting.iter().any(|(_, expect)| {
                matches!(expect, Expect::LastEnd | Expect::KeptMark | Expect::Kept(..))
            })
    }

    /// They had their time: what has come of it is shown.
    pub(super) fn finish_hearing(&mut self) {
        self.is_deaf &= self.is_hearing_tabs();
    }

    pub(super) fn handle_user_info(&mut self, answer: &Answer, bytes: &[u8], question: &Question) {
        let Question { waiter, began, version, asked } = question;
        let (waiter, asked) = (*waiter, *asked);
        // The session may be over, or another one of another user: nothing is said about that.
        let Some(held) = self.held.as_ref().filter(|held| held.began == *began) else {
            return self.gets_none(waiter);
        };
        let read = match answer {
            Answer::Response { response } => {
                if response.status == 429 {
                    self.user_info.rests(self.now.monotonic_ms, response.retry_after);
                    return self.check_put_off(waiter, response, bytes);
                }
                if response.status == 401 {
                    let is_early = held.tokens.refresh_token.is_some()
                        && held.tokens.expires_at.is_none_or(|at| at > self.time());
                    // The refused token is not the one that is held now: another tab has refreshed
                    // meanwhile.
                    if held.version != *version {
                        self.user_info.answers();
                        return self.check_for(waiter);
                    }
                    if is_early {
                        self.user_info.refuses(self.now.monotonic_ms, version.at_ms);
                    } else {
                        self.user_info.answers();
                    }
                    return self.refresh(waiter);
                }
                if is_refusal(response.status) {
                    if self.evades(waiter, asked) {
                        self.check_for(waiter);
                    }
                    return;
                }
                UntrustedUserInfo::read(response, bytes)
            }
            other => {
                let is_lost =
                    matches!(other, Answer::Failed { reason: Failure::Network | Failure::Timeout });
                if is_lost && self.user_info.fails(self.now.monotonic_ms, asked) {
                    return self.check_for(waiter);
                }
                let code = Code::UserInfoInvalid;
                Err(super::provider::failure(other, code, "userinfo_endpoint"))
            }
        };
        match read.and_then(|info| info.verify(&held.id_token)) {
            Ok(info) => {
                self.user_info.accepts();
                let error = self.error.as_ref();
                self.error_passes |= error.is_some_and(|it| it.code == Code::UserInfoInvalid);
                self.session_confirmed(&info);
                if matches!(waiter, Waiter::Extend(..)) {
                    self.extend_by_check();
                }
                self.complete(waiter.command(), Outcome::Done {});
                let is_seen = !self.hidden && self.is_held(version);
                let may_be_sure = self.is_told() || !self.may_refresh();
                if core::mem::take(&mut self.is_unsure) && is_seen && !may_be_sure {
                    self.make_sure();
                }
            }
            Err(error) if error.code == Code::UserInfoInvalid => {
                // It is shown to whoever asked; whether the session stands others can say.
                if self.evades(waiter, asked) {
                    self.set_error(Some(error.clone()));
                    self.complete_failed(waiter.command(), error);
                    self.check_for(Waiter::Check(None));
                }
            }
            Err(error) => self.check_failed(waiter.command(), error),
        }
    }

    /// UserInfo was asked too often, which says nothing about the session: whether it stands is asked by a
    /// refresh where that is due, else when there is the next reason to ask.
    fn check_put_off(&mut self, waiter: Waiter, response: &Response, bytes: &[u8]) {
        if self.may_refresh() && (self.is_settled() || self.status == Status::Restoring) {
            return self.refresh(waiter);
        }
        self.session_stands();
        if let Err(error) = UntrustedUserInfo::read(response, bytes) {
            self.complete_failed(waiter.command(), error);
        }
    }

    /// UserInfo has not spoken of the session; true if it never does. Else somebody on the way may have
    /// answered: it is asked once more when the provider has answered elsewhere.
    fn evades(&mut self, waiter: Waiter, asked: u32) -> bool {
        let is_sure = self.user_info.evades(self.now.monotonic_ms, asked);
        if !is_sure {
            if waiter.extends() {
                self.say_refreshing();
            }
            self.with_metadata(super::Goal::Check(waiter), true);
        }
        is_sure
    }

    /// UserInfo knows the person: the session stands.
    fn session_confirmed(&mut self, _: &VerifiedUserInfo) {
        self.session_stands();
    }

    /// The provider says that the session stands.
    pub(super) fn session_stands(&mut self) {
        self.has_stood = true;
        if matches!(self.status, Status::Offline | Status::Restoring) {
            self.set_status(Status::Authenticated);
            self.set_error(None);
            // A tab that was opened while this one was away has found nobody.
            self.share_session();
        }
        self.drop_passing_error();
    }

    /// The check brought no answer that could end the session, so it does not.
    pub(super) fn check_failed(&mut self, command: Option<u32>, error: Error) {
        if self.held.is_some() {
            self.user_info.forgive();
            let unreachable = error.code == Code::IssuerUnreachable;
            if unreachable || self.status == Status::Restoring {
                self.set_status(Status::Offline);
            }
            self.set_passing_error(error.clone());
        }
        self.complete_failed(command, error);
    }
}

/// Whether the endpoint does not speak of the session at all: there is none, or it is not for tokens like
/// this one. A provider in trouble answers by 408, 429 or 5xx, and may know better later.
const fn is_refusal(status: u32) -> bool {
    !matches!(status, 200 | 401 | 408 | 429 | 500 | 502..)
}
