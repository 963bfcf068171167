//! The provider's clock: shown, set, moved, stopped.

use axum::body::Body;
use axum::extract::State;
use axum::http::StatusCode;
use axum::response::Response;
use serde::Deserialize;
use serde_json::json;

use super::read_json;
use crate::clock::{Seconds, UnixTime};
use crate::http::json as respond_json;
use crate::provider::{Provider, Shared};
use crate::session::expire_due;

/// Exactly one of the three.
#[derive(Deserialize)]
#[serde(rename_all = "snake_case", deny_unknown_fields)]
enum Asked {
    /// Seconds since 1970, up to the end of the year 9999.
    Set(u64),
    /// Seconds forward.
    Advance(u32),
    /// Stop, or go on.
    Freeze(bool),
}

/// `GET /clock`
pub(super) async fn get(State(provider): State<Shared>) -> Response {
    shown(&provider)
}

/// `POST /clock`: when it answers, sessions that the new time ends have ended.
pub(super) async fn post(State(provider): State<Shared>, body: Body) -> Response {
    let asked: Asked = match read_json(body).await {
        Ok(asked) => asked,
        Err(response) => return response,
    };
    match asked {
        Asked::Set(seconds) if seconds <= LAST_SECOND => {
            provider.clock.set(UnixTime::from_seconds(i64::try_from(seconds).unwrap_or(0)));
        }
        Asked::Set(_) => {
            let description = "set must be seconds since 1970, before the year 10000";
            return super::refusal(StatusCode::BAD_REQUEST, "invalid_request", description);
        }
        Asked::Advance(seconds) => provider.clock.advance(Seconds(seconds)),
        Asked::Freeze(true) => provider.clock.freeze(),
        Asked::Freeze(false) => provider.clock.thaw(),
    }
    expire_due(&provider).await;
    shown(&provider)
}

fn shown(provider: &Provider) -> Response {
    let now = provider.clock.now();
    respond_json(
        StatusCode::OK,
        &json!({
            "now": now.seconds(),
            "now_ms": now.millis(),
            "frozen": provider.clock.is_frozen(),
        }),
    )
}

const LAST_SECOND: u64 = 253_402_300_799;
