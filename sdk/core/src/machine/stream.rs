//! The session-events stream (docs/session-events.md): how a page hears at once that the provider's
//! session ended.

use super::{Expect, Goal, Machine, Timer, refresh::Waiter, verification::Verification};
use crate::{
    error::{Code, Error},
    event_stream::EventStream,
    event_token::{Kind, UntrustedEventToken},
    secret::Secret,
    tabs::Message,
    text::Text,
    time::difference,
    wire::{Answer, Effect, Failure, Noted, Status, StreamState},
};

/// Silence after which the stream counts as dead: the provider sends a heartbeat every 15 s.
const SILENCE_MS: i64 = 40_000;

/// How recently the stream must have been heard to spare a check.
pub(super) const CONFIRMED_MS: i64 = 30_000;

/// How often a frame that does not load in time is tried again.
const FRAME_TRIES: u32 = 3;

/// The longest pause before another try.
const LONGEST_PAUSE_MS: i64 = 30_000;

/// The stream of the leading tab.
#[derive(Default)]
pub(super) struct Stream {
    /// The effect, while one is opening or open.
    effect: Option<u32>,
    open: bool,
    parser: EventStream,
    /// It has said that the session stands: `open` (docs/session-events.md, 4.1).
    stands: bool,
    /// When it last said anything.
    heard_at_ms: Option<i64>,
    /// Tries in a row that failed.
    failures: u32,
    /// The token was refreshed because the stream refused it: not again before it opened.
    refreshed: bool,
    /// The provider has none, or none for this client.
    absent: bool,
    /// The provider's has spoken to this page, or to the tab that leads.
    was_heard: bool,
}

impl Machine {
    /// Opens the stream, if this tab leads and none is open.
    pub(super) fn open_stream(&mut self) {
        self.clear_timer(Timer::StreamRetry);
        let stays = !self.away && !self.leaving;
        let wanted = self.held.is_some() && self.is_leading() && stays;
        if wanted && self.stream.effect.is_none() {
            self.with_metadata(Goal::Stream, false);
        }
    }

    /// Where there is no stream, the provider's frame is watched in its place.
    pub(super) fn send_open_stream(&mut self, endpoint: Option<Text>, frame: Option<Text>) {
        let Some(held) = &self.held else { return };
        if self.stream.effect.is_some() || self.away || self.leaving || !self.is_leading() {
            return;
        }
        let endpoint = endpoint.filter(|_| !self.stream.absent);
        let (effect, expect) = match (endpoint, frame, &held.session_state) {
            (Some(url), ..) => {
                let authorization = bearer(&held.tokens.access_token);
                let timeout_ms = super::provider::REQUEST_TIMEOUT_MS;
                (Effect::OpenStream { url, authorization, timeout_ms }, Expect::StreamHead)
            }
            (None, Some(url), Some(state)) => {
                let words = Secret(Text::concat(&[&self.config.client_id, " ", state]));
                (Effect::WatchSession { url, words }, Expect::Watched)
            }
            _ => return,
        };
        self.stream.effect = Some(self.effect(effect, expect));
    }

    /// The frame has said what it can: this tab asks it no more about this sign-in. That something
    /// changed ends nothing by itself (Session Management 1.0, 3.1: ask the provider).
    pub(super) fn handle_watched(&mut self, answer: &Answer) {
        self.stream.effect = None;
        // A network that is slow at this moment says nothing about what the frame can see.
        let is_late = matches!(answer, Answer::Failed { reason: Failure::Timeout });
        if is_late && self.stream.failures < FRAME_TRIES {
            return self.stream_failed(None);
        }
        if let Some(held) = &mut self.held {
            held.session_state = None;
        }
        if matches!(answer, Answer::Done {}) {
            self.look_again();
        }
    }

    pub(super) fn handle_stream_head(&mut self, effect: u32, answer: &Answer) {
        let Answer::Response { response } = answer else {
            self.stream.effect = None;
            let network =
                matches!(answer, Answer::Failed { reason: Failure::Network | Failure::Timeout });
            if !network {
                self.stream_failed(None);
                return self.stream_told_nothing();
            }
            let subject = "session_events_endpoint";
            let error = super::provider::failure(answer, Code::IssuerUnreachable, subject);
            return self.stream_unreachable(error);
        };
        let is_stream = response.content_type.as_deref() == Some("text/event-stream");
        if response.status == 200 && is_stream {
            self.stream.open = true;
            self.streams_opened += 1;
            self.stream.stands = false;
            self.stream.parser = EventStream::default();
            self.stream.refreshed = false;
            return self.heard();
        }
        self.cancel(effect);
        self.stream.effect = None;
        match response.status {
            401 if !self.stream.refreshed => {
                self.stream.refreshed = true;
                return self.refresh(Waiter::Stream);
            }
            429 => {
                // Too many streams: a provider that says when to come again tells the end then.
                if response.retry_after.is_some() {
                    self.stream.failures = 0;
                }
                self.stream_failed(response.retry_after);
            }
            // Later: a provider in trouble. (A 401 for a fresh token too.)
            401 | 500.. => self.stream_failed(response.retry_after),
            // Not for this client: the frame and checks remain.
            _ => {
                self.stream.absent = true;
                self.stream.was_heard = false;
                self.open_stream();
            }
        }
        self.stream_told_nothing();
    }

    /// The endpoint is there. Whether the provider is, and the session stands, it has not said.
    fn stream_told_nothing(&mut self) {
        if self.status == Status::Offline {
            self.with_metadata(Goal::Reach, true);
        }
    }

    /// Nobody answers where the stream is, or where the provider says where it is.
    pub(super) fn stream_unreachable(&mut self, error: Error) {
        // A relay that is away says nothing about the provider.
        let is_away = matches!(error.code, Code::IssuerUnreachable) && !self.is_relayed();
        if is_away && self.held.is_some() {
            self.set_status(Status::Offline);
            self.set_error(Some(error));
        }
        self.stream_failed(None);
    }

    /// The provider is there, and the session stands if it has said so: of one that is over it tells by
    /// 200 too (docs/session-events.md, 4.3).
    fn heard(&mut self) {
        self.set_timer(Timer::StreamSilence, SILENCE_MS);
        let offline = self.status == Status::Offline;
        if self.is_relayed() {
            self.stream.failures = 0;
            if offline {
                self.check(None);
            }
        } else if self.stream.stands {
            self.stream.failures = 0;
            let is_first = !self.was_heard();
            self.heard_by_leader(0);
            // The others are to know that it is worth waiting for.
            if let (true, Some(held)) = (is_first, &self.held) {
                let (began, at_ms) = (held.began.clone(), self.heard_wall_ms());
                self.broadcast(&Message::Heard { began, at_ms, is_seen: false });
            }
            if offline {
                self.session_stands();
            }
        }
    }

    /// Where the stream stands, and when it last said anything, by the wall clock.
    pub(super) fn stream_health(&self) -> (StreamState, Option<i64>) {
        let metadata = self.metadata.as_ref();
        let is_offered = self.is_relayed()
            || metadata.is_none_or(|metadata| metadata.session_events_endpoint.is_some());
        let state = if self.stream.open {
            StreamState::Open
        } else if self.is_opening() {
            StreamState::Opening
        } else if self.has_timer(Timer::StreamRetry) {
            StreamState::Retrying
        } else if self.stream.absent || !is_offered {
            StreamState::Absent
        } else {
            StreamState::Closed
        };
        (state, self.heard_wall_ms())
    }

    /// When the stream was last heard, by the wall clock, if it is open.
    pub(super) fn heard_wall_ms(&self) -> Option<i64> {
        let heard_at_ms = self.stream.heard_at_ms.filter(|_| self.stream.open)?;
        Some(difference(self.now.wall_ms, self.now.monotonic_ms - heard_at_ms))
    }

    /// Is the stream one of the app's own server (docs/relay.md)? It passes on what it hears and
    /// knows nothing of the session: that it speaks does not say that the session stands.
    pub(super) fn is_relayed(&self) -> bool {
        self.config.session_events_endpoint.is_some()
    }

    pub(super) fn handle_chunk(&mut self, effect: u32, bytes: &[u8]) {
        if self.stream.effect != Some(effect) {
            return;
        }
        if !self.stream.open {
            // The frame that is watched has shown that it sees the provider's cookie.
            if self.config.silent_redirect_uri.is_some() {
                self.note(Noted::Sees);
            }
            return;
        }
        let Some(events) = self.stream.parser.push(bytes) else {
            return self.handle_silence();
        };
        self.stream.stands |= events.iter().any(|event| event.name == "open");
        if events.iter().any(|event| event.name == "logout") {
            self.stream.stands = false;
            self.forget_heard();
        }
        self.heard();
        for event in events {
            match event.name.as_str() {
                "logout" => self.handle_event_token(&event.data, Kind::Logout),
                "security_event" => self.handle_event_token(&event.data, Kind::Change),
                // docs/session-events.md, 4: others are ignored.
                _ => {}
            }
        }
    }

    fn handle_event_token(&mut self, raw: &str, kind: Kind) {
        if self.held.is_none() {
            return;
        }
        match UntrustedEventToken::begin(raw, kind, &self.config) {
            Ok(token) => self.verify(Verification::event_token(token)),
            // Nothing is done for what is no token of ours, but the app can see it.
            Err(error) => self.event_token_failed(kind, error),
        }
    }

    pub(super) fn handle_stream_ended(&mut self, effect: u32) {
        if self.stream.effect == Some(effect) {
            self.stream.effect = None;
            self.handle_silence();
        }
    }

    /// It has ended, nothing was heard for too long, or nonsense: the stream is opened anew.
    pub(super) fn handle_silence(&mut self) {
        let Stream { stands: stood, failures, .. } = self.stream;
        self.close_stream();
        self.stream.failures = failures;
        self.stream_failed(None);
        if !stood {
            self.stream_told_nothing();
        }
    }

    /// Another try: after 1 s to 30 s, with full jitter, not before the provider wishes.
    pub(super) fn stream_failed(&mut self, retry_after: Option<i64>) {
        if self.held.is_none() || !self.is_leading() {
            return;
        }
        let pause = self.pause(self.stream.failures);
        self.stream.failures += 1;
        let wished = retry_after.unwrap_or(0).clamp(0, 3600) * 1000;
        self.set_timer(Timer::StreamRetry, pause.max(wished));
    }

    /// How long to wait after so many failures.
    pub(super) fn pause(&mut self, failures: u32) -> i64 {
        let spread = (1000_i64 << failures.min(5)).min(LONGEST_PAUSE_MS - 1000);
        1000 + self.entropy.below(spread)
    }

    /// Whether this tab's stream tells by itself when the provider is there again.
    pub(super) fn stream_will_tell(&self) -> bool {
        let is_soon = |(timer, at): &(Timer, i64)| {
            *timer == Timer::StreamRetry
                && difference(*at, self.now.monotonic_ms) <= LONGEST_PAUSE_MS
        };
        let tries = self.is_opening() || self.timers.iter().any(is_soon);
        let speaks = self.stream.open && self.stream.stands;
        (speaks || tries) && !self.is_relayed()
    }

    fn is_opening(&self) -> bool {
        self.waiting.iter().any(|(_, expect)| matches!(expect, Expect::StreamHead))
    }

    /// Whatever the stream has said was said too long ago.
    pub(super) fn forget_heard(&mut self) {
        self.stream.heard_at_ms = None;
    }

    /// The stream refused the token, and there is no other yet: both are tried again later.
    pub(super) fn stream_not_refreshed(&mut self) {
        self.stream.refreshed = false;
        self.stream_failed(None);
    }

    pub(super) fn close_stream(&mut self) {
        self.clear_timer(Timer::StreamSilence);
        self.clear_timer(Timer::StreamRetry);
        if let Some(effect) = self.stream.effect.take() {
            self.cancel(effect);
        }
        let Stream { absent, was_heard, .. } = self.stream;
        self.stream = Stream { absent, was_heard, ..Stream::default() };
    }

    /// Whether the stream, here or in the tab that leads, has said a moment ago that the session stands.
    pub(super) fn is_confirmed(&self) -> bool {
        let is_live = self.stream.open || !self.is_leading();
        let is_recent = |at| difference(self.now.monotonic_ms, at) < CONFIRMED_MS;
        is_live && self.stream.heard_at_ms.is_some_and(is_recent)
    }

    /// The tab that leads heard it so many milliseconds ago.
    pub(super) fn heard_by_leader(&mut self, age_ms: i64) {
        self.stream.heard_at_ms = Some(self.now.monotonic_ms - age_ms);
        self.stream.was_heard = true;
    }

    /// Another tab says whether there is a stream that tells this browser of the session.
    pub(super) const fn learn_whether_told(&mut self, is_told: bool) {
        self.stream.was_heard |= is_told;
    }

    /// Whether there is a stream that tells this browser of the session.
    pub(super) const fn was_heard(&self) -> bool {
        self.stream.was_heard
    }

    /// Whether a stream, also a relay's, or a frame tells this tab of the session's end.
    pub(super) const fn is_told(&self) -> bool {
        self.stream.effect.is_some()
    }
}

/// RFC 6750, 2.1.
pub(super) fn bearer(token: &Secret) -> Secret {
    Secret(Text::concat(&["Bearer ", &token.0]))
}
