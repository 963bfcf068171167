//! The control API: for tests and demos, on loopback, for whoever holds the token.

mod clock;
mod events;
mod reset;
mod scenarios;
mod sessions;
mod timeline;
mod users;

use axum::Router;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::{HeaderValue, StatusCode, header};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::Response;
use axum::routing::{delete, get, post};
use serde::de::DeserializeOwned;
use serde_json::json;

use crate::endpoints::health;
use crate::http::{base_headers, is_loopback_host, json as respond_json, read_limited};
use crate::provider::Shared;
use crate::secret::Secret;

/// All routes, each behind the `Host` check and the token.
pub(crate) fn router(provider: Shared, token: Secret) -> Router {
    let scenarios = Router::new()
        .route("/scenarios", get(scenarios::list))
        .route(
            "/scenarios/{name}",
            get(scenarios::get).post(scenarios::switch_on).delete(scenarios::switch_off),
        )
        .route("/scenarios/{name}/verdict", get(scenarios::verdict))
        .route("/scenarios/{name}/asked", post(scenarios::asked))
        .route("/scenarios/{name}/logout_token", post(scenarios::logout_token));
    Router::new()
        .route("/health", get(health::get))
        .route("/timeline", get(timeline::list))
        .route("/timeline/stream", get(timeline::follow))
        .route("/sessions", get(sessions::list))
        .route("/sessions/{id}", post(sessions::change).delete(sessions::end))
        .route("/deliveries", get(sessions::deliveries))
        .route("/users", get(users::list))
        .route("/users/{username}", post(users::change))
        .route("/users/{username}/sessions", delete(users::sign_out))
        .route("/reset", post(reset::post))
        .route("/events", post(events::post))
        .route("/clock", get(clock::get).post(clock::post))
        // By both names: some write the whole path, some think of the API's root.
        .nest("/control", scenarios.clone())
        .merge(scenarios)
        .layer(from_fn_with_state(token, check_caller))
        .layer(from_fn_with_state(provider.clone(), base_headers))
        .with_state(provider)
}

/// OP30. The `Host` check first: a page whose name was made to resolve to loopback (DNS rebinding)
/// is same-origin with us in its browser, but the browser still sends that page's host name.
async fn check_caller(State(token): State<Secret>, request: Request, next: Next) -> Response {
    let headers = request.headers();
    if !is_loopback_host(headers) {
        return refusal(StatusCode::MISDIRECTED_REQUEST, "wrong_host", "Host is not loopback");
    }
    let given = headers
        .get(header::AUTHORIZATION)
        .and_then(|value| value.to_str().ok())
        .and_then(|value| value.split_once(' '))
        .filter(|(scheme, _)| scheme.eq_ignore_ascii_case("bearer"))
        .map(|(_, given)| given.trim());
    if !given.is_some_and(|given| token.is(given)) {
        let mut response = refusal(
            StatusCode::UNAUTHORIZED,
            "wrong_token",
            "the control API wants the bearer token of the ready line",
        );
        response.headers_mut().insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Bearer"));
        return response;
    }
    next.run(request).await
}

/// Reads a JSON body.
///
/// # Errors
/// The answer that says what is wrong.
async fn read_json<T: DeserializeOwned>(body: Body) -> Result<T, Response> {
    let bytes = read_limited(body).await.map_err(crate::http::FormError::into_json)?;
    serde_json::from_slice(&bytes).map_err(|error| {
        let body = json!({ "error": "invalid_request", "error_description": error.to_string() });
        respond_json(StatusCode::BAD_REQUEST, &body)
    })
}

fn refusal(status: StatusCode, error: &'static str, description: &'static str) -> Response {
    respond_json(status, &json!({ "error": error, "error_description": description }))
}
