//! The timeline as a list and as a stream.

use axum::extract::{RawQuery, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;

use super::refusal;
use crate::endpoints::{StepsFrom, steps_stream};
use crate::http::{event_stream, json};
use crate::params::Params;
use crate::provider::Shared;

/// `GET /timeline?after=SEQ`
pub(super) async fn list(State(provider): State<Shared>, RawQuery(query): RawQuery) -> Response {
    let params = Params::parse(&query.unwrap_or_default()).unwrap_or_default();
    let after = match params.get("after").map(str::parse) {
        None => 0,
        Some(Ok(seq)) => seq,
        Some(Err(_)) => {
            let description = "after must be a step's number";
            return refusal(StatusCode::BAD_REQUEST, "invalid_request", description);
        }
    };
    json(StatusCode::OK, &provider.timeline.after(after))
}

/// `GET /timeline/stream?from=now`
pub(super) async fn follow(
    State(provider): State<Shared>,
    headers: HeaderMap,
    RawQuery(query): RawQuery,
) -> Response {
    event_stream(steps_stream(provider, StepsFrom::of(query.as_deref(), &headers)))
}
