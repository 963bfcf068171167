//! The SSO sessions: to look at, and to end as an administrator would.

use axum::body::Body;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{read_json, refusal};
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

/// What is to change about a session.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Asked {
    /// The level (`acr`) that it is at from now on.
    acr: String,
}

/// `POST /sessions/{id}`: another level, as after a step-up or a doubt. The session's clients are
/// told, and the tokens that they are given from now on say so.
pub(super) async fn change(
    State(provider): State<Shared>,
    Path(id): Path<String>,
    body: Body,
) -> Response {
    let asked: Asked = match read_json(body).await {
        Ok(asked) => asked,
        Err(response) => return response,
    };
    if !(1..=50).contains(&asked.acr.len()) || !asked.acr.bytes().all(|b| b.is_ascii_graphic()) {
        let description = "acr must be 1 to 50 visible ASCII characters";
        return refusal(StatusCode::BAD_REQUEST, "invalid_request", description);
    }
    if session::set_level(&provider, &id, &asked.acr).await {
        StatusCode::NO_CONTENT.into_response()
    } else {
        no_session()
    }
}

/// `DELETE /sessions/{id}`
pub(super) async fn end(State(provider): State<Shared>, Path(id): Path<String>) -> Response {
    if session::end(&provider, &id, EndCause::Administrator).await.is_some() {
        StatusCode::NO_CONTENT.into_response()
    } else {
        no_session()
    }
}

fn no_session() -> Response {
    refusal(StatusCode::NOT_FOUND, "no_such_session", "no session of this id lives")
}

/// `GET /deliveries`: the logout tokens that went to apps' servers, and what came of each.
pub(super) async fn deliveries(State(provider): State<Shared>) -> Response {
    respond_json(StatusCode::OK, &provider.back_channel.deliveries())
}

fn shown(provider: &Provider, session: &SsoSession) -> Value {
    let open = provider.streams.of_session(&session.id);
    let clients: Vec<Value> = session
        .joined
        .iter()
        .map(|(client_id, sid)| {
            let streams = open.iter().filter(|stream| stream.owner.client_id == *client_id).count();
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
