//! Verification: key, signature, the rules after it, and the hash of the access token.

use super::{Expect, Goal, Machine, Timer, session::Held};
use crate::{
    attempt::Way,
    base64url,
    error::{Blame, Code, Error, Result},
    event_token::{Judgement, Kind, UntrustedEventToken},
    id_token::{UnboundIdToken, UntrustedIdToken},
    jwk::{KeySet, not_found},
    jws::UntrustedJws,
    learnt::DatedKeys,
    secret::Secret,
    tabs::{SharedSession, Version},
    text::Text,
    time::UnixTime,
    token::{Target, Tokens, revocation_form},
    wire::{Answer, Came, Cause, Effect, Ending, Failure, Noted, Outcome, Raw},
};
use alloc::boxed::Box;

/// A token on its way from untrusted to verified.
pub(super) struct Verification {
    subject: Subject,
    /// The key that it was judged by last.
    judged_by: Option<Raw>,
    /// The key set was fetched for this token already.
    refetched: bool,
    /// It was judged by the key that it came with.
    by_shared_key: bool,
}

// Allowed, not expected: by the size of pointers the lint fires on some targets only.
#[allow(clippy::large_enum_variant, reason = "one at a time, and boxed from the start")]
enum Subject {
    IdToken { token: UntrustedIdToken, tokens: Tokens, purpose: Purpose },
    EventToken(UntrustedEventToken),
}

/// What an ID token came for.
pub(super) enum Purpose {
    /// It answers a sign-in.
    /// The person who was signed in before is named, and the `session_state` that came with it.
    SignIn(Way, Option<Text>, Option<Text>),
    /// It came with refreshed tokens, for the session of this version.
    Refresh(Version),
    /// Another tab shared its session.
    Adopt(Box<SharedSession>),
}

/// An ID token whose access token is still to be compared with it.
pub(super) struct HashCheck {
    token: UnboundIdToken,
    tokens: Tokens,
    purpose: Purpose,
}

impl Verification {
    pub(super) fn id_token(token: UntrustedIdToken, tokens: Tokens, purpose: Purpose) -> Box<Self> {
        Self::of(Subject::IdToken { token, tokens, purpose })
    }

    pub(super) fn event_token(token: UntrustedEventToken) -> Box<Self> {
        Self::of(Subject::EventToken(token))
    }

    fn of(subject: Subject) -> Box<Self> {
        Box::new(Self { subject, judged_by: None, refetched: false, by_shared_key: false })
    }

    /// A key that came with a shared session, where the page knows none itself: believed as far as
    /// whoever speaks on the channel is believed at all.
    fn shared_key(&self) -> Option<Raw> {
        match &self.subject {
            Subject::IdToken { token, purpose: Purpose::Adopt(shared), .. } => {
                KeySet::read(shared.keys.as_bytes()).ok()?.choose(&token.jws).ok()
            }
            _ => None,
        }
    }

    /// Whether this page asked for it, by a code or a refresh token that counts once: so nobody can
    /// make it come more often, and what came beside it is lost if it cannot be verified.
    fn is_asked_for(&self) -> bool {
        self.purpose().is_some_and(|purpose| !matches!(purpose, Purpose::Adopt(_)))
    }

    const fn purpose(&self) -> Option<&Purpose> {
        match &self.subject {
            Subject::IdToken { purpose, .. } => Some(purpose),
            Subject::EventToken(_) => None,
        }
    }

    const fn jws(&self) -> &UntrustedJws {
        match &self.subject {
            Subject::IdToken { token, .. } => &token.jws,
            Subject::EventToken(token) => &token.jws,
        }
    }
}

impl Machine {
    /// Whether a session that another tab told, or that was kept, is being verified.
    pub(super) fn is_adopting(&self) -> bool {
        self.is_verifying(&|purpose| matches!(purpose, Purpose::Adopt(_)))
    }

    /// Whether an ID token that came for such a purpose is being verified.
    pub(super) fn is_verifying(&self, is_meant: &dyn Fn(&Purpose) -> bool) -> bool {
        let is_for = |verification: &Verification| verification.purpose().is_some_and(is_meant);
        let expected = self.waiting.iter().any(|(_, expect)| match expect {
            Expect::Signature(verification) => is_for(verification),
            Expect::AccessTokenHash(check) => is_meant(&check.purpose),
            _ => false,
        });
        let waits = |goal: &Goal| matches!(goal, Goal::Keys(Some(it)) if is_for(it));
        expected
            || self.goals.iter().any(waits)
            || self.awaiting_keys.iter().flatten().any(|verification| is_for(verification))
    }

    /// Finds the key and asks for the signature's verdict. An unknown key makes the set be fetched
    /// anew, once (OIDC Core 10.1.1: providers rotate). Keys that are not fresh are used, and fetched
    /// anew meanwhile.
    pub(super) fn verify(&mut self, verification: Box<Verification>) {
        match self.key_for(&verification) {
            Ok(key) => {
                self.judge(verification, key);
                let now = self.local_time();
                let is_stale = self.keys.as_ref().is_some_and(|dated| !dated.is_recent(now));
                if is_stale && self.may_fetch_keys() {
                    self.with_metadata(Goal::Keys(None), false);
                }
            }
            Err(_) if self.may_look_again(&verification) => self.fetch_keys_for(verification),
            Err(error) => {
                // That the set could not be had a moment ago is why there is no key.
                let error = self.keys_error.clone().unwrap_or(error);
                self.verification_failed(&verification, error);
            }
        }
    }

    fn judge(&mut self, mut verification: Box<Verification>, key: Raw) {
        verification.judged_by = Some(key.clone());
        let jws = verification.jws();
        let effect = Effect::VerifySignature {
            algorithm: jws.algorithm.name,
            key,
            input: Secret(jws.input.clone()),
            signature: jws.signature.clone(),
        };
        self.effect(effect, Expect::Signature(verification));
    }

    /// The key that a token is judged by, as far as keys are known.
    fn key_for(&self, verification: &Verification) -> Result<Raw> {
        let now = self.local_time();
        let jws = verification.jws();
        let usable = self.keys.as_ref().filter(|dated| dated.is_usable(now));
        let known = usable.map_or_else(|| Err(not_found(jws)), |dated| dated.keys.choose(jws));
        known.or_else(|error| verification.shared_key().ok_or(error))
    }

    /// Whether the provider is asked for its keys because none that is known verifies a token, by
    /// name or by signature: once for each token.
    fn may_look_again(&self, verification: &Verification) -> bool {
        !verification.refetched
            && (verification.is_asked_for()
                || self.awaiting_keys.is_some()
                || self.may_fetch_keys())
    }

    fn fetch_keys_for(&mut self, mut verification: Box<Verification>) {
        verification.refetched = true;
        if matches!(verification.subject, Subject::IdToken { purpose: Purpose::Refresh(_), .. }) {
            self.say_refreshing();
        }
        self.with_metadata(Goal::Keys(Some(verification)), false);
    }

    pub(super) fn handle_signature(
        &mut self,
        answer: &Answer,
        mut verification: Box<Verification>,
    ) {
        // A key may have been replaced under its name: the provider is asked before its token is
        // blamed, and if it has said something else meanwhile, that counts.
        let is_wrong = matches!(
            answer,
            Answer::Verdict { valid: false } | Answer::Failed { reason: Failure::BadKey }
        );
        if is_wrong && !verification.by_shared_key {
            let key = self.key_for(&verification).ok();
            if key.is_some() && key != verification.judged_by {
                return self.verify(verification);
            }
            if self.may_look_again(&verification) {
                return self.fetch_keys_for(verification);
            }
            // A session outlives the key that its token was verified by, under whose name there may
            // be another one now.
            let shared = verification.shared_key();
            if let Some(key) = shared.filter(|key| verification.judged_by.as_ref() != Some(key)) {
                verification.by_shared_key = true;
                return self.judge(verification, key);
            }
        }
        let valid = match answer {
            Answer::Verdict { valid } => *valid,
            Answer::Failed { reason: Failure::BadKey } => {
                let error = Error::new(Code::KeysInvalid, "jwks_uri", "a usable key", "another");
                return self.verification_failed(&verification, error);
            }
            Answer::Failed { reason: Failure::Unsupported } => {
                let name = verification.jws().algorithm.name;
                let expected = "an algorithm that this browser has";
                let error = Error::new(Code::AlgorithmUnsupported, "alg", expected, name);
                return self.verification_failed(&verification, error);
            }
            _ => return self.verification_failed(&verification, Code::CryptoUnavailable.into()),
        };
        match verification.subject {
            Subject::IdToken { token, tokens, purpose } => {
                if valid && !matches!(purpose, Purpose::Adopt(_)) {
                    self.observe_issue(token.issued_at());
                }
                // `exp` limits when a token may be accepted. The session that it began lasts longer,
                // and a tab that opens later shares it.
                let accepted_at = match &purpose {
                    Purpose::Adopt(shared) => UnixTime(shared.accepted_at),
                    _ => self.time(),
                };
                match token.finish(valid, accepted_at, &self.config) {
                    Ok(token) => self.check_hash(Box::new(HashCheck { token, tokens, purpose })),
                    Err(error) => self.id_token_failed(&purpose, error),
                }
            }
            Subject::EventToken(token) => {
                let kind = token.kind;
                let now = self.time();
                // The session may have changed while the key set was fetched.
                let Some(held) = &self.held else { return };
                match token.finish(valid, now, &self.config, &held.id_token) {
                    Ok(Judgement::Genuine(token)) => self.told_by_provider(token),
                    Ok(Judgement::Untimely(Kind::Logout)) => self.check(None),
                    // What it told is in the tokens that are newer; one of the future is none.
                    Ok(Judgement::Untimely(Kind::Change)) => {}
                    Err(error) => self.event_token_failed(kind, error),
                }
            }
        }
    }

    fn check_hash(&mut self, check: Box<HashCheck>) {
        match check.token.hash() {
            Ok(None) => self.establish(*check, None),
            Ok(Some(algorithm)) => {
                let effect = Effect::Digest { algorithm, text: check.tokens.access_token.clone() };
                self.effect(effect, Expect::AccessTokenHash(check));
            }
            Err(error) => self.id_token_failed(&check.purpose, error),
        }
    }

    // Allowed, not expected: by the size of pointers the lint fires on some targets only.
    #[allow(clippy::boxed_local, reason = "it was boxed while it waited")]
    pub(super) fn handle_access_token_hash(&mut self, answer: &Answer, check: Box<HashCheck>) {
        let digest = match answer {
            Answer::Digest { value } => base64url::decode(value),
            _ => None,
        };
        match digest {
            Some(digest) => self.establish(*check, Some(&digest)),
            None => self.id_token_failed(&check.purpose, Code::CryptoUnavailable.into()),
        }
    }

    /// The last rules; if they are kept, the tokens are the session's.
    fn establish(&mut self, check: HashCheck, digest: Option<&[u8]>) {
        let HashCheck { token, tokens, purpose } = check;
        // The session that was refreshed is over, or another one.
        if matches!(&purpose, Purpose::Refresh(version) if !self.is_held(version)) {
            return;
        }
        let first = self.held.as_ref().map(|held| &held.id_token);
        let mut token = match token.bind(digest, first, self.config.skew()) {
            Ok(token) => token,
            Err(error) => return self.id_token_failed(&purpose, error),
        };
        match purpose {
            // Somebody signed in otherwise while the frame was asking. Or signed out, here or in
            // another tab: then only a click signs in again. Nobody will use these tokens.
            Purpose::SignIn(Way::Frame, ..)
                if self.held.is_some()
                    || self.leaving
                    || self.is_stopped()
                    || self.ended != self.ended_before_probe =>
            {
                let form = revocation_form(&self.config, &tokens);
                self.with_metadata(Goal::Revoke(form, None), false);
                self.stop_asking();
            }
            // Or the click was taken back by another one, or by a sign-out.
            Purpose::SignIn(Way::Popup(click), ..) if click != self.latest_click => {
                let form = revocation_form(&self.config, &tokens);
                self.with_metadata(Goal::Revoke(form, None), false);
                self.complete_failed(Some(click), Code::Superseded.into());
            }
            Purpose::SignIn(way, before, session_state) => {
                // A page that stayed may have heard of others meanwhile.
                let before = match way {
                    Way::Popup(_) => self.held.as_ref().map(|held| held.id_token.subject().into()),
                    _ => before,
                };
                let other_user = before.is_some_and(|before| *before != *token.subject());
                // The tokens of the person before are taken back, where they are still known.
                let old =
                    self.held.as_ref().filter(|held| held.id_token.subject() != token.subject());
                if let Some(form) = old.map(|held| revocation_form(&self.config, &held.tokens)) {
                    self.with_metadata(Goal::Revoke(form, None), false);
                }
                let version = self.next_version();
                let (began, started_at, keys) = (version.clone(), self.time().0, self.keys_text());
                let id_token = token;
                let extended_at = started_at;
                self.came = way.into();
                self.hold(Box::new(Held {
                    id_token,
                    tokens,
                    keys,
                    version,
                    began,
                    started_at,
                    session_state,
                    extended_at,
                }));
                if other_user {
                    self.erase_forms();
                    self.cause = Some(Cause { ending: Ending::UserChanged, at: self.time().0 });
                    self.changed = true;
                }
                self.keep_session();
                self.share_session();
                self.remember_session();
                if way == Way::Frame {
                    self.note(Noted::Sees);
                }
                // Whoever waited for tokens of the session before gets those of this one.
                self.refresh_succeeded(Some(&Target::default()));
                self.finish_start();
                if let Way::Popup(command) = way {
                    self.complete(Some(command), Outcome::Done {});
                }
            }
            Purpose::Adopt(shared) => {
                // Several tabs answer one `hello`: the first one counts.
                if !self.is_news(&shared) {
                    self.correct(&shared);
                    if shared.kept_ms.is_some() {
                        self.recalled_in_vain();
                    } else {
                        self.keep_listening();
                    }
                    return;
                }
                // Until the provider itself is asked, at the first use: whoever could add a key
                // here runs in this origin, and hears the tokens on this very channel.
                if self.keys.is_none() {
                    let keys = KeySet::read(shared.keys.as_bytes()).ok();
                    let now = self.local_time();
                    self.keys = keys.map(|keys| DatedKeys::undated(keys, now));
                }
                // Whoever does not lead asks the provider nothing, and may have measured it long ago.
                let is_older = shared.kept_ms.is_none() && !self.is_leading();
                if self.measured_offset_ms == 0 || is_older {
                    self.clock_offset_ms = shared.clock_offset_ms;
                    self.measured_offset_ms = shared.clock_offset_ms;
                }
                let is_another = self.held.as_ref().is_none_or(|held| held.began != shared.began);
                let is_told = shared.is_told;
                let SharedSession {
                    version,
                    began,
                    started_at,
                    session_state,
                    extended_at,
                    keys,
                    kept_ms,
                    ..
                } = *shared;
                let id_token = token;
                if self.held.is_none() {
                    self.came = if kept_ms.is_some() { Came::Storage } else { Came::Tab };
                }
                // Whoever had an older sign-in may have told of it, to a tab that has just begun and
                // hears of this one from nobody: so it tells of this one too.
                // A new version with the same other tokens has another one of its own.
                let is_own = self.held.as_ref().is_none_or(|h| h.tokens.others == tokens.others);
                let own = is_own.then(Target::default);
                let replaces = self.held.as_ref().is_some_and(|held| held.began != began);
                // What lay in storage is no other tab's word.
                let is_deaf = self.is_deaf && kept_ms.is_some();
                self.hold(Box::new(Held {
                    id_token,
                    tokens,
                    keys,
                    version,
                    began,
                    started_at,
                    session_state,
                    extended_at,
                }));
                if kept_ms.is_none() {
                    self.learn_whether_told(is_told);
                    if is_another {
                        self.reached_elsewhere();
                    }
                }
                self.is_deaf |= is_deaf;
                // A leader that did not know this version may have been asked for the next one.
                let leads = kept_ms.is_none() && self.is_leading();
                // Nobody has answered for the session before.
                if replaces && self.has_timer(Timer::Word) {
                    self.ask_for_word();
                }
                if replaces || leads {
                    self.share(leads);
                }
                self.refresh_succeeded(own.as_ref());
                match kept_ms {
                    Some(at_ms) => self.recalled(at_ms),
                    None => self.keep_session(),
                }
                self.ladder();
            }
            Purpose::Refresh(_) => {
                let keys = self.keys_text();
                let is_own = self.is_refreshing_own();
                let Some(held) = &mut self.held else { return };
                // `at_hash` is of the access token that it came with: of another one it would be wrong.
                if is_own && token.replaces(&held.id_token) {
                    held.keys = keys;
                    token.keep_checks_of(&held.id_token);
                    held.id_token = token;
                }
                self.use_refreshed(tokens);
            }
        }
    }

    pub(super) fn verification_failed(&mut self, verification: &Verification, error: Error) {
        match &verification.subject {
            Subject::IdToken { purpose, .. } => self.id_token_failed(purpose, error),
            Subject::EventToken(token) => self.event_token_failed(token.kind, error),
        }
    }

    /// Nothing is done for a token that breaks a rule, but the app can see that one came. What
    /// rule it was is evidence: whoever sees `signature_invalid` thinks of the sign-in.
    pub(super) fn event_token_failed(&mut self, kind: Kind, error: Error) {
        // A relay knows people and no sessions: it tells all browsers of a person what one did.
        let of_another = error.evidence.as_ref().is_some_and(|it| &*it.subject == "sid");
        if of_another && self.is_relayed() {
            return;
        }
        let forged = error.code.blame() == Blame::Provider;
        let code = if forged { kind.code() } else { error.code };
        let error = if error.evidence.is_some() {
            error.with_code(code)
        } else {
            Error::new(code, "event token", "one that keeps the rules", error.code.as_str())
        };
        self.set_error(Some(error));
    }

    fn id_token_failed(&mut self, purpose: &Purpose, error: Error) {
        // With a clock that is far off, times say nothing about the token.
        let is_timely =
            matches!(error.code, Code::ExpInvalid | Code::IatInvalid | Code::AuthTimeInvalid);
        let error = if is_timely && self.is_clock_wrong() {
            error.with_code(Code::ClockWrong)
        } else {
            error
        };
        match purpose {
            Purpose::SignIn(way, ..) => self.arrival_failed(error, *way),
            Purpose::Refresh(version) if !self.is_held(version) => {}
            Purpose::Refresh(_) => self.refresh_failed(error),
            // Whoever shared it may be anybody on this origin: as if nothing had been said.
            Purpose::Adopt(shared) if shared.kept_ms.is_some() => self.recalled_in_vain(),
            Purpose::Adopt(_) => self.keep_listening(),
        }
    }
}
