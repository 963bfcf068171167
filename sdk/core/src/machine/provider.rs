//! The provider's documents: fetched when a goal needs them, and the clock that comes with them.

use super::{Expect, Goal, Machine, Timer};
use crate::{
    error::{Code, Error, Result},
    jwk::KeySet,
    learnt::{self, DatedKeys},
    metadata::{Metadata, address},
    secret::Secret,
    text::Text,
    time::{difference, sum},
    wire::{Answer, Area, Effect, Failure, Outcome, Status},
};
use alloc::{boxed::Box, sync::Arc};

/// How long to wait before a click is answered by "the provider cannot be reached".
const REACH_TIMEOUT_MS: u32 = 5_000;

/// How long other requests may take.
pub(super) const REQUEST_TIMEOUT_MS: u32 = 10_000;

/// How long a page that is about to be left waits for keys that it could do without.
const KEYS_TO_KEEP_TIMEOUT_MS: u32 = 2_000;

/// The longest document that is read, in bytes.
pub(super) const LONGEST_DOCUMENT: u32 = 256 * 1024;

/// The least time between two fetches of the key set, so that tokens with unknown keys cannot make
/// us flood the provider.
const KEYS_PAUSE_MS: i64 = 30_000;

/// The largest difference of the clocks that is followed.
const LARGEST_OFFSET_MS: i64 = 15 * 60_000;

/// The difference below which the clocks agree: `Date` has whole seconds, and answers take time.
const SMALLEST_OFFSET_MS: i64 = 2_000;

impl Machine {
    /// Pursues `goal` as soon as the metadata is known; with `fresh`, as soon as the provider has
    /// answered anew: before the page is left for it, so that nobody ends on a browser's error page.
    pub(super) fn with_metadata(&mut self, goal: Goal, fresh: bool) {
        let leaves = matches!(goal, Goal::Depart(_) | Goal::EndSession(_));
        // Once: what else is clicked for in this step finds no entropy.
        let has_answered = leaves && core::mem::take(&mut self.overtakes);
        match goal {
            // Nor are keys asked for then.
            Goal::Depart(departure) if has_answered => return self.depart(departure),
            goal if self.metadata.is_some() && (!fresh || has_answered) => {
                return self.pursue(goal);
            }
            goal => self.goals.push(goal),
        }
        let is_asked = |(_, expect): &(u32, Expect)| matches!(expect, Expect::Metadata);
        if !self.waiting.iter().any(is_asked) {
            let url = address(&self.config.issuer);
            self.fetch(url, None, REACH_TIMEOUT_MS, Expect::Metadata);
        }
    }

    /// A GET without cookies.
    pub(super) fn fetch(
        &mut self,
        url: Text,
        authorization: Option<Secret>,
        timeout_ms: u32,
        expect: Expect,
    ) {
        let effect = Effect::Fetch {
            method: "GET",
            url,
            authorization,
            form: None,
            limit: LONGEST_DOCUMENT,
            timeout_ms,
        };
        self.effect(effect, expect);
    }

    /// A POST of a form without cookies.
    pub(super) fn post(&mut self, url: Text, form: Secret, timeout_ms: u32, expect: Expect) {
        let effect = Effect::Fetch {
            method: "POST",
            url,
            authorization: None,
            form: Some(form),
            limit: LONGEST_DOCUMENT,
            timeout_ms,
        };
        self.effect(effect, expect);
    }

    pub(super) fn handle_metadata(&mut self, answer: &Answer, bytes: &[u8]) {
        let read = document(answer, Code::MetadataInvalid, "discovery document")
            .and_then(|_| Metadata::read(bytes, &self.config));
        let goals = core::mem::take(&mut self.goals);
        match read {
            Ok(metadata) => {
                self.metadata = Some(Arc::new(metadata));
                self.metadata_is_kept = false;
                for goal in goals {
                    self.pursue(goal);
                }
            }
            Err(error) => {
                for goal in goals {
                    self.abandon(goal, error.clone());
                }
            }
        }
    }

    fn pursue(&mut self, goal: Goal) {
        let Some(metadata) = self.metadata.clone() else { return };
        match goal {
            Goal::Depart(departure) => {
                let now = self.local_time();
                if self.keys.as_ref().is_some_and(|keys| keys.is_recent(now)) {
                    self.depart(departure);
                } else {
                    let (url, expect) = (metadata.jwks_uri.clone(), Expect::KeysToKeep(departure));
                    self.fetch(url, None, KEYS_TO_KEEP_TIMEOUT_MS, expect);
                }
            }
            Goal::Redeem(redemption) => self.redeem(&metadata, redemption),
            Goal::Keys(verification) => {
                // One fetch serves all that wait for it.
                let is_first = self.awaiting_keys.is_none();
                self.awaiting_keys.get_or_insert_default().extend(verification);
                if is_first {
                    self.keys_tried_at_ms = Some(self.now.monotonic_ms);
                    self.fetch(metadata.jwks_uri.clone(), None, REQUEST_TIMEOUT_MS, Expect::Keys);
                }
            }
            Goal::Refresh => self.send_refresh(metadata.token_endpoint.clone()),
            Goal::Check(waiter) => self.send_check(metadata.userinfo_endpoint.clone(), waiter),
            Goal::Stream => {
                let relay = self.config.session_events_endpoint.as_ref();
                let url = relay.or(metadata.session_events_endpoint.as_ref());
                self.send_open_stream(url.cloned(), metadata.check_session_iframe.clone());
            }
            Goal::Revoke(form, command) => match &metadata.revocation_endpoint {
                Some(url) => {
                    let expect = Expect::Revoked(command);
                    self.post(url.clone(), form, super::sign_out::REVOCATION_TIMEOUT_MS, expect);
                }
                None => self.complete(command, Outcome::Done {}),
            },
            Goal::EndSession(sign_out) => self.save_sign_out(sign_out),
            Goal::Reach => self.reached(),
        }
    }

    /// The metadata could not be had: what each flow does without it.
    fn abandon(&mut self, goal: Goal, error: Error) {
        match goal {
            Goal::Depart(departure) => self.departure_failed(&departure, error),
            Goal::Redeem(redemption) => self.arrival_failed(error, redemption.attempt.way),
            Goal::Keys(Some(verification)) => self.verification_failed(&verification, error),
            Goal::Keys(None) => {}
            Goal::Refresh => self.refresh_failed(error),
            Goal::Check(waiter) => self.check_failed(waiter.command(), error),
            Goal::Stream => self.stream_unreachable(error),
            Goal::Revoke(_, command) => self.complete(command, Outcome::Done {}),
            Goal::EndSession(sign_out) => self.sign_out_failed(&sign_out, error),
            // The next try is due already.
            Goal::Reach => {}
        }
    }

    /// Whether the key set may be fetched again already. Fetches that failed count too: a provider
    /// in trouble needs no more of them.
    pub(super) fn may_fetch_keys(&self) -> bool {
        self.keys_tried_at_ms.is_none_or(|at| self.now.monotonic_ms - at >= KEYS_PAUSE_MS)
    }

    pub(super) fn handle_keys(&mut self, answer: &Answer, bytes: &[u8]) {
        self.keys_error = self.learn_keys(answer, bytes).err();
        for verification in self.awaiting_keys.take().unwrap_or_default() {
            match &self.keys_error {
                None => self.verify(verification),
                Some(error) => self.verification_failed(&verification, error.clone()),
            }
        }
    }

    fn learn_keys(&mut self, answer: &Answer, bytes: &[u8]) -> Result<()> {
        document(answer, Code::KeysInvalid, "key set")?;
        let keys = KeySet::read(bytes)?;
        self.keys = Some(DatedKeys { keys, fetched_at: self.local_time() });
        Ok(())
    }

    /// The keys are known before the page is left, or are looked for when they are needed.
    pub(super) fn handle_keys_to_keep(
        &mut self,
        answer: &Answer,
        bytes: &[u8],
        departure: Box<super::departure::Departure>,
    ) {
        self.keys_tried_at_ms = Some(self.now.monotonic_ms);
        self.keys_error = self.learn_keys(answer, bytes).err();
        self.depart(departure);
    }

    /// Keeps what is known of the provider for the page that comes back.
    pub(super) fn keep_learnt(&mut self) {
        if let Some(metadata) = &self.metadata {
            let now = self.local_time();
            let record = learnt::write(metadata, &self.config.issuer, self.keys.as_ref(), now);
            let key = self.shared_key("learnt");
            self.save(Area::Tab, key, Secret(record.into()));
        }
    }

    pub(super) fn handle_learnt(&mut self, answer: &Answer) {
        let now = self.local_time();
        if let Answer::Loaded { value: Some(text) } = answer
            && self.metadata.is_none()
            && let Some((metadata, keys)) = learnt::read_record(text, &self.config, now)
        {
            self.metadata = Some(Arc::new(metadata));
            self.metadata_is_kept = true;
            self.keys = keys;
        }
    }

    /// The provider cannot be reached, or the network may be back since: it is tried again soon, and
    /// then less often.
    pub(super) fn begin_to_reach(&mut self) {
        self.reach_failures = 0;
        self.try_to_reach();
    }

    fn try_to_reach(&mut self) {
        let pause = self.pause(self.reach_failures);
        self.reach_failures += 1;
        self.set_timer(Timer::Reach, pause);
    }

    /// Another try, which ends nothing but by an answer: a check of what is held, else a look whether
    /// the provider is there, without a redirect.
    pub(super) fn reach(&mut self) {
        if self.status != Status::Offline {
            return;
        }
        self.try_to_reach();
        let is_asking = self.is_refreshing()
            || self.waiting.iter().any(|(_, expect)| matches!(expect, Expect::UserInfo(..)))
            || self.goals.iter().any(|goal| matches!(goal, Goal::Check(_) | Goal::Reach));
        let has_failed = self.user_info.has_failed();
        if self.held.is_some() && (is_asking || self.stream_will_tell()) {
            return;
        }
        if self.held.is_none() || has_failed {
            self.with_metadata(Goal::Reach, true);
        } else {
            self.look();
        }
    }

    /// The provider is there again. Nothing redirects now: that would surprise.
    fn reached(&mut self) {
        if self.held.is_some() {
            // That it answers here says what it was that could not be reached.
            self.user_info.suspect();
            if !self.is_being_checked() {
                self.look();
            }
        } else if self.status == Status::Offline {
            self.set_error(None);
            self.set_status(Status::Anonymous);
        }
    }

    /// Learns the provider's clock from the `Date` of an answer.
    pub(super) fn observe_date(&mut self, date_ms: Option<i64>) {
        if let Some(date_ms) = date_ms {
            self.date_is_known = true;
            // `Date` is cut to seconds: on average it is half a second behind.
            self.observe_clock(difference(sum(date_ms, 500), self.now.wall_ms));
        }
    }

    /// Learns the provider's clock from the `iat` of a token that it has signed just now for this
    /// page, where it hides its `Date` (CORS does, unless a provider exposes it). The time has come
    /// by that clock, so a later one of ours is late; an earlier one says nothing, for tokens may
    /// have been signed a while ago. So no token lives longer by this.
    pub(super) fn observe_issue(&mut self, issued_at: i64) {
        if !self.date_is_known {
            let offset = difference(issued_at.saturating_mul(1000), self.now.wall_ms);
            self.observe_clock(offset.max(0));
        }
    }

    /// The provider's clock is this far ahead of the local one, in milliseconds.
    fn observe_clock(&mut self, offset: i64) {
        let followed = self.config.dangerously_follow_provider_clock == Some(true);
        let distance = offset.saturating_abs();
        let wrong = distance > LARGEST_OFFSET_MS && !followed;
        let offset = if distance <= SMALLEST_OFFSET_MS { 0 } else { offset };
        // The same difference measured anew is no news.
        if difference(offset, self.measured_offset_ms).saturating_abs() > SMALLEST_OFFSET_MS
            || (offset == 0) != (self.measured_offset_ms == 0)
        {
            self.measured_offset_ms = offset;
            self.clock_offset_ms = if wrong { 0 } else { offset };
            self.changed = true;
            self.set_lifetime_timer();
        }
    }

    /// Whether the clocks differ by more than may be followed.
    pub(super) const fn is_clock_wrong(&self) -> bool {
        self.clock_offset_ms != self.measured_offset_ms
    }

    /// What should be put right although it keeps nobody from anything yet: nothing is widened for a
    /// wrong clock in silence.
    pub(super) fn clock_warning(&self) -> Option<Error> {
        let differs = self.measured_offset_ms.saturating_abs() > self.config.skew().0 * 1000;
        if !differs || self.config.dangerously_follow_provider_clock == Some(true) {
            return None;
        }
        let code = if self.is_clock_wrong() { Code::ClockWrong } else { Code::ClockDiffers };
        let seconds = crate::claims::number(self.measured_offset_ms.saturating_abs() / 1000);
        let way = if self.measured_offset_ms > 0 { " seconds behind it" } else { " seconds ahead" };
        let found = Text::concat(&[&seconds, way]);
        Some(Error::new(code, "clock", "the provider's time", &found))
    }
}

/// Whether an answer is a good one.
pub(super) fn document(answer: &Answer, code: Code, subject: &str) -> Result<()> {
    match answer {
        Answer::Response { response } if response.status == 200 => Ok(()),
        Answer::Response { response } => {
            let status = crate::claims::number(response.status.into());
            Err(Error::new(Code::IssuerUnreachable, subject, "200", &status))
        }
        other => Err(failure(other, code, subject)),
    }
}

/// Why an effect that had to be answered by a response was not; `code` is for answers that are not
/// what they must be.
pub(super) fn failure(answer: &Answer, code: Code, subject: &str) -> Error {
    let reason = match answer {
        Answer::Failed { reason } => *reason,
        _ => Failure::Unavailable,
    };
    // A redirect or an endless document is the provider's doing, all else the network's.
    let code = match reason {
        Failure::Redirected | Failure::TooLarge => code,
        _ => Code::IssuerUnreachable,
    };
    let found = match reason {
        Failure::Redirected => "a redirect",
        Failure::TooLarge => "a document that is too long",
        Failure::Timeout => "nothing in time",
        _ => "no connection",
    };
    Error::new(code, subject, "an answer", found)
}
