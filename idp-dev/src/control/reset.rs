//! Everything as at the start, for the next test.

use axum::extract::State;
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};

use crate::provider::Shared;
use crate::session::{self, EndCause};

/// `POST /reset`: ends all sessions, so that open apps hear of it, then forgets grants, codes,
/// requests and the timeline and sets the clock back. Followers of the timeline still see the
/// ends; the list is empty afterwards. Keys stay.
pub(super) async fn post(State(provider): State<Shared>) -> Response {
    let isolated = provider.scenarios.all_isolated();
    for provider in isolated.iter().chain([&provider]) {
        for session in provider.store.sessions() {
            session::end(provider, &session.id, EndCause::Reset).await;
        }
        provider.store.clear();
        provider.back_channel.clear();
        provider.scenarios.reset(provider.config.scenarios.clone());
    }
    provider.people.reset();
    provider.clock.reset();
    provider.timeline.clear();
    StatusCode::NO_CONTENT.into_response()
}
