//! Raw events on a client's open streams: for what an honest provider would never send.

use axum::body::Body;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use serde::Deserialize;
use serde_json::{Value, json};

use super::read_json;
use crate::http::{SseEvent, json as respond_json};
use crate::provider::Shared;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Asked {
    client_id: String,
    /// All of the client's streams without it.
    sid: Option<String>,
    event: String,
    /// Text as it is; any other JSON as its text.
    data: Value,
}

/// `POST /events`: answers how many streams got the event.
pub(super) async fn post(State(provider): State<Shared>, body: Body) -> Response {
    let asked: Asked = match read_json(body).await {
        Ok(asked) => asked,
        Err(response) => return response,
    };
    let data = match asked.data {
        Value::String(text) => text,
        other => other.to_string(),
    };
    let sent = provider
        .streams
        .list(|owner| {
            owner.client_id == asked.client_id
                && asked.sid.as_ref().is_none_or(|sid| *sid == owner.sid)
        })
        .into_iter()
        .filter(|stream| {
            provider.streams.send(stream.id, SseEvent::named(asked.event.clone(), data.clone()))
        })
        .count();
    respond_json(StatusCode::OK, &json!({ "streams": sent }))
}
