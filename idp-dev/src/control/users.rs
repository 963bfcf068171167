//! The people: to look at, to change, to disable (D1), and to sign out everywhere.

use axum::body::Body;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Response};
use serde::Deserialize;
use serde_json::{Map, Value, json};

use super::{read_json, refusal};
use crate::config::User;
use crate::http::json as respond_json;
use crate::people::{Change, NotChanged};
use crate::provider::Shared;
use crate::session::{self, EndCause};

/// `GET /users`
pub(super) async fn list(State(provider): State<Shared>) -> Response {
    let users: Vec<Value> = provider.people.all().iter().map(|user| shown(user)).collect();
    respond_json(StatusCode::OK, &users)
}

/// What is left out stays as it is.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Asked {
    disabled: Option<bool>,
    name: Option<String>,
    email: Option<String>,
    /// `null` takes a claim away.
    #[serde(default)]
    claims: Map<String, Value>,
}

/// `POST /users/{username}`: until the next reset. Who is disabled is signed out everywhere, and
/// what they gave to apps is good for nothing while they are.
pub(super) async fn change(
    State(provider): State<Shared>,
    Path(username): Path<String>,
    body: Body,
) -> Response {
    let asked: Asked = match read_json(body).await {
        Ok(asked) => asked,
        Err(response) => return response,
    };
    let Asked { disabled, name, email, claims } = asked;
    let change = Change { is_disabled: disabled, name, email, claims };
    let (old, user) = match provider.people.change(&username, change) {
        Ok(changed) => changed,
        Err(why) => return not_changed(why),
    };
    if user.is_disabled {
        end_all(&provider, &username, EndCause::Disabled).await;
    }
    for provider in provider.scenarios.all_isolated().iter().chain([&provider]) {
        session::tell_changed_claims(provider, &old, &user).await;
    }
    respond_json(StatusCode::OK, &shown(&user))
}

/// `DELETE /users/{username}/sessions`: signs a person out in all browsers.
pub(super) async fn sign_out(
    State(provider): State<Shared>,
    Path(username): Path<String>,
) -> Response {
    if provider.people.user(&username).is_none() {
        return unknown();
    }
    end_all(&provider, &username, EndCause::Administrator).await;
    StatusCode::NO_CONTENT.into_response()
}

/// Ends all sessions of a person, at the issuers of scenarios too.
async fn end_all(provider: &Shared, username: &str, cause: EndCause) {
    for provider in provider.scenarios.all_isolated().iter().chain([provider]) {
        let mut sessions = provider.store.sessions();
        sessions.retain(|session| session.user == username);
        session::end_each(provider, sessions, cause).await;
    }
}

fn shown(user: &User) -> Value {
    json!({
        "username": user.username,
        "sub": user.sub,
        "name": user.name,
        "email": user.email,
        "claims": user.claims,
        "disabled": user.is_disabled,
    })
}

fn not_changed(why: NotChanged) -> Response {
    let description = match why {
        NotChanged::Nobody => return unknown(),
        NotChanged::Name => "name must be one that people recognise",
        NotChanged::Email => "email must be an e-mail address",
        NotChanged::EmailOfAnother => "email is what somebody else signs in with",
    };
    refusal(StatusCode::BAD_REQUEST, "invalid_request", description)
}

fn unknown() -> Response {
    refusal(StatusCode::NOT_FOUND, "no_such_user", "nobody has this username")
}
