//! Server-sent events (HTML, 9.2), written by hand: axum's `Sse` sets its own caching header.

use std::convert::Infallible;

use axum::body::{Body, Bytes};
use axum::http::header;
use axum::response::{IntoResponse, Response};
use futures_util::Stream;

/// One piece of an event stream.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum SseEvent {
    /// A named event; each line of the data becomes a `data:` line.
    Named { id: Option<u64>, event: String, data: String },
    /// A comment, which keeps the connection awake and reaches no listener.
    Heartbeat,
}

impl SseEvent {
    /// An event without an id.
    pub(crate) fn named(event: impl Into<String>, data: impl Into<String>) -> Self {
        Self::Named { id: None, event: event.into(), data: data.into() }
    }

    /// As it goes over the wire.
    pub(crate) fn to_text(&self) -> String {
        match self {
            Self::Heartbeat => ": heartbeat\n\n".to_owned(),
            Self::Named { id, event, data } => {
                let mut text = String::new();
                if let Some(id) = id {
                    text.push_str(&format!("id: {id}\n"));
                }
                // A line break in a name would begin a field of the sender's choice.
                let event: String = event.chars().filter(|c| !matches!(c, '\r' | '\n')).collect();
                text.push_str(&format!("event: {event}\n"));
                // CR alone ends a line too (HTML, 9.2.5).
                for line in data.replace("\r\n", "\n").replace('\r', "\n").split('\n') {
                    text.push_str(&format!("data: {line}\n"));
                }
                text.push('\n');
                text
            }
        }
    }
}

/// A response that goes on. `no-transform` and `X-Accel-Buffering` keep proxies from holding
/// events back.
pub(crate) fn event_stream(events: impl Stream<Item = SseEvent> + Send + 'static) -> Response {
    use futures_util::StreamExt;
    let bytes = events.map(|event| Ok::<_, Infallible>(Bytes::from(event.to_text())));
    (
        [
            (header::CONTENT_TYPE.as_str(), "text/event-stream"),
            (header::CACHE_CONTROL.as_str(), "no-store, no-transform"),
            ("x-accel-buffering", "no"),
        ],
        Body::from_stream(bytes),
    )
        .into_response()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn writes_events_and_heartbeats() {
        assert_eq!(
            SseEvent::named("open", "{\"heartbeat\":15}").to_text(),
            "event: open\ndata: {\"heartbeat\":15}\n\n"
        );
        assert_eq!(SseEvent::Heartbeat.to_text(), ": heartbeat\n\n");
    }

    #[test]
    fn op28_line_breaks_cannot_begin_a_field() {
        let text = SseEvent::named("a\nevent: logout", "x\r\ny\rz\n").to_text();
        assert_eq!(text, "event: aevent: logout\ndata: x\ndata: y\ndata: z\ndata: \n\n");
    }
}
