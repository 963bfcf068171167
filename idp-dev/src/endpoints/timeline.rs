//! `/timeline`: the steps as server-sent events, for the configuration's observers.

use axum::extract::{RawQuery, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};
use futures_util::stream;
use futures_util::{Stream, StreamExt};
use serde_json::json;
use std::time::Duration;
use tokio::sync::broadcast::error::RecvError;
use tokio::time::{Instant, interval_at};

use crate::http::{SseEvent, event_stream, json as respond_json, origin_of};
use crate::params::Params;
use crate::provider::Shared;
use crate::timeline::RecordedStep;

/// `GET /timeline`: the kept history, then what happens. `?from=now` leaves the history out.
pub(super) async fn get(
    State(provider): State<Shared>,
    headers: HeaderMap,
    RawQuery(query): RawQuery,
) -> Response {
    let observers = &provider.config.observers;
    if observers.is_empty() {
        return StatusCode::NOT_FOUND.into_response();
    }
    // A request to our own name without `Origin` comes from no page's script: curl, or somebody
    // who looks.
    let is_allowed = origin_of(&headers)
        .is_none_or(|origin| observers.iter().any(|observer| observer.as_str() == origin));
    if !is_allowed {
        return respond_json(
            StatusCode::FORBIDDEN,
            &json!({
                "error": "origin_not_registered",
                "error_description": "the page's origin is not among the observers",
            }),
        );
    }
    event_stream(steps_stream(provider, From::of(query.as_deref(), &headers)))
}

/// Where a stream of steps begins.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum From {
    /// With the kept history.
    Start,
    /// With what happens next.
    Now,
    /// After the step of that number: a reader that reconnects saw the rest.
    After(u64),
}

impl From {
    /// `Last-Event-ID` (HTML, 9.2.3) before `?from=now`: a reader that reconnects sends both.
    pub(crate) fn of(query: Option<&str>, headers: &HeaderMap) -> Self {
        let last = headers.get("last-event-id").and_then(|id| id.to_str().ok()?.parse().ok());
        if let Some(seq) = last {
            return Self::After(seq);
        }
        let params = Params::parse(query.unwrap_or_default()).unwrap_or_default();
        if params.get("from") == Some("now") { Self::Now } else { Self::Start }
    }
}

/// Each step as `event: step`, with its number as the event's id.
pub(crate) fn steps_stream(provider: Shared, from: From) -> impl Stream<Item = SseEvent> + Send {
    let (history, news) = provider.timeline.follow();
    let last = history.last().map_or(0, |step| step.seq);
    let shown = match from {
        // A number of an earlier process says nothing about this one.
        From::After(seq) if seq <= last => {
            history.into_iter().filter(|step| step.seq > seq).collect()
        }
        From::Start | From::After(_) => history,
        From::Now => Vec::new(),
    };
    let heartbeat = interval_at(Instant::now() + HEARTBEAT, HEARTBEAT);
    let state = (provider, news, heartbeat, last, Vec::<RecordedStep>::new().into_iter());
    // An immediate comment makes the response's head go out before the first step.
    let first =
        stream::iter([SseEvent::Heartbeat]).chain(stream::iter(shown).map(|step| to_event(&step)));
    let rest =
        stream::unfold(state, |(provider, mut news, mut heartbeat, mut last, mut missed)| {
            async move {
                loop {
                    if let Some(step) = missed.next() {
                        last = last.max(step.seq);
                        return Some((to_event(&step), (provider, news, heartbeat, last, missed)));
                    }
                    tokio::select! {
                        step = news.recv() => match step {
                            Ok(step) if step.seq > last => {
                                last = step.seq;
                                return Some((
                                    to_event(&step),
                                    (provider, news, heartbeat, last, missed),
                                ));
                            }
                            Ok(_) => {}
                            // Too slow: read what was missed from the history.
                            Err(RecvError::Lagged(_)) => {
                                missed = provider.timeline.after(last).into_iter();
                            }
                            Err(RecvError::Closed) => return None,
                        },
                        _ = heartbeat.tick() => {
                            return Some((
                                SseEvent::Heartbeat,
                                (provider, news, heartbeat, last, missed),
                            ));
                        }
                    }
                }
            }
        });
    first.chain(rest)
}

fn to_event(step: &RecordedStep) -> SseEvent {
    SseEvent::Named {
        id: Some(step.seq),
        event: "step".to_owned(),
        data: serde_json::to_string(step).unwrap_or_default(),
    }
}

const HEARTBEAT: Duration = Duration::from_secs(15);
