//! Which pages' scripts may read an answer (OP21, S6).
//!
//! Only endpoints that a specification lets a script call are wrapped in this, only for registered
//! origins, and never with credentials: no cookie counts on these endpoints. An unregistered
//! origin gets the answer without CORS headers, so its browser keeps it from the script.
//!
//! `dpop` is allowed and `DPoP-Nonce` exposed although no token here is bound to a key: a client
//! that always sends a proof (RFC 9449) would otherwise fail in the preflight, where no script can
//! see why. The header is ignored, as RFC 9449, 5 lets a server do: `token_type` says `Bearer`.

use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use super::headers::origin_of;
use crate::provider::Shared;

/// CORS for the origins of clients' redirect URIs.
pub(crate) async fn client_cors(
    State(provider): State<Shared>,
    request: Request,
    next: Next,
) -> Response {
    let is_registered =
        origin_of(request.headers()).is_some_and(|origin| provider.config.is_client_origin(origin));
    with_cors(is_registered, request, next).await
}

/// CORS for the configuration's `observers`.
pub(crate) async fn observer_cors(
    State(provider): State<Shared>,
    request: Request,
    next: Next,
) -> Response {
    let is_observer = origin_of(request.headers())
        .is_some_and(|origin| provider.config.observers.iter().any(|o| o.as_str() == origin));
    with_cors(is_observer, request, next).await
}

async fn with_cors(is_allowed: bool, request: Request, next: Next) -> Response {
    let origin = request.headers().get(header::ORIGIN).cloned();
    let mut response = if request.method() == Method::OPTIONS {
        // Fetch, "CORS-preflight fetch": it carries no credentials, so it must not ask for any.
        let mut response = StatusCode::NO_CONTENT.into_response();
        if is_allowed {
            allow_preflight(response.headers_mut());
        }
        response
    } else {
        next.run(request).await
    };
    let headers = response.headers_mut();
    headers.append(header::VARY, HeaderValue::from_static("Origin"));
    if let (true, Some(origin)) = (is_allowed, origin) {
        headers.insert(header::ACCESS_CONTROL_ALLOW_ORIGIN, origin);
        headers.insert(
            header::ACCESS_CONTROL_EXPOSE_HEADERS,
            HeaderValue::from_static("Date, WWW-Authenticate, Retry-After, DPoP-Nonce"),
        );
    }
    response
}

fn allow_preflight(headers: &mut HeaderMap) {
    headers.insert(
        header::ACCESS_CONTROL_ALLOW_METHODS,
        HeaderValue::from_static("GET, POST, OPTIONS"),
    );
    headers.insert(
        header::ACCESS_CONTROL_ALLOW_HEADERS,
        HeaderValue::from_static("authorization, content-type, dpop, cache-control, last-event-id"),
    );
    headers.insert(header::ACCESS_CONTROL_MAX_AGE, HeaderValue::from_static("600"));
}
