//! The SSO sessions: to look at, and to end as an administrator would.

use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};

use super::refusal;
use crate::http::json as respond_json;
use crate::provider::{Provider, Shared};
use crate::session::{self, EndCause, expire_due};
use crate::store::SsoSession;

/// `GET /sessions`: times in seconds since 1970.
pub(super) async fn list(State(provider): State<Shared>) -> Response {
    expire_due(&provider).await;
    let sessions: Vec<Value> =
        provider.store.sessions().iter().map(|session| shown(&provider, session)).collect();
    respond_json(StatusCode::OK, &sessions)
}

/// `DELETE /sessions/{id}`
pub(super) async fn end(State(provider): State<Shared>, Path(id): Path<String>) -> Response {
    if session::end(&provider, &id, EndCause::Administrator).await {
        StatusCode::NO_CONTENT.into_response()
    } else {
        refusal(StatusCode::NOT_FOUND, "no_such_session", "no session of this id lives")
    }
}

fn shown(provider: &Provider, session: &SsoSession) -> Value {
    let clients: Vec<Value> = session
        .joined
        .iter()
        .map(|(client_id, sid)| {
            let streams = provider
                .streams
                .list(|owner| owner.client_id == *client_id && owner.sid == *sid)
                .len();
            json!({ "client_id": client_id, "sid": sid, "streams": streams })
        })
        .collect();
    json!({
        "id": session.id,
        "user": session.user,
        "acr": session.acr,
        "amr": session.amr,
        "started": session.started.seconds(),
        "auth_time": session.auth_time.seconds(),
        "last_seen": session.last_seen.seconds(),
        "idle_end": session.idle_end(&provider.config).seconds(),
        "absolute_end": session.absolute_end(&provider.config).seconds(),
        "clients": clients,
    })
}
