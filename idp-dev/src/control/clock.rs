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
    for provider in provider.scenarios.all_isolated().iter().chain([&provider]) {
        expire_due(provider).await;
    }
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

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use axum::http::Request;
    use tower::ServiceExt;

    use super::*;
    use crate::session::begin;
    use crate::{Clock, Config, MemoryStore};

    /// One thread, so that the task that watches sessions does not come first.
    #[tokio::test(flavor = "current_thread")]
    async fn moved_clock_has_ended_the_sessions_of_scenarios_too_when_it_answers() {
        let config = Config::parse("idp.toml", Config::EXAMPLE).unwrap().with_port(1);
        let clock = Clock::frozen_at(UnixTime::from_seconds(1));
        let provider = Provider::start(config, clock, Arc::new(MemoryStore::new()), false).unwrap();
        let health = Request::get("/s/oidcc-client-test/health").header("host", "127.0.0.1");
        let health = health.body(Body::empty()).unwrap();
        assert_eq!(provider.router().oneshot(health).await.unwrap().status(), StatusCode::OK);
        let isolated = provider.scenarios.isolated("oidcc-client-test").unwrap();
        begin(&isolated, "richard", None, false).await.unwrap();
        let asked = Body::from(r#"{"advance":1000000}"#);
        assert_eq!(post(State(provider), asked).await.status(), StatusCode::OK);
        assert!(isolated.store.sessions().is_empty());
    }
}
