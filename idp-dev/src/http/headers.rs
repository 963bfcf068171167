//! Headers that every response carries, and small questions about a request's.

use std::time::{Duration, UNIX_EPOCH};

use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderName, HeaderValue, Method, StatusCode, header};
use axum::middleware::Next;
use axum::response::{IntoResponse, Response};

use crate::provider::Shared;

/// Adds what every response carries. `Date` follows the injected clock, so that a client can
/// reckon in the provider's time; a response that says nothing about caching is not cached (OP20).
pub(crate) async fn base_headers(
    State(provider): State<Shared>,
    request: Request,
    next: Next,
) -> Response {
    // Far above any request of the protocol; an id_token_hint is the longest thing in a URL.
    let length = request.uri().path_and_query().map_or(0, |asked| asked.as_str().len());
    let mut response = if length > MAX_URI {
        StatusCode::URI_TOO_LONG.into_response()
    } else {
        next.run(request).await
    };
    let seconds = u64::try_from(provider.clock.now().seconds()).unwrap_or(0);
    let date = httpdate::fmt_http_date(UNIX_EPOCH + Duration::from_secs(seconds.min(MAX_DATE)));
    let headers = response.headers_mut();
    if let Ok(date) = HeaderValue::from_str(&date) {
        headers.insert(header::DATE, date);
    }
    headers.entry(header::CACHE_CONTROL).or_insert(HeaderValue::from_static("no-store"));
    headers.insert(header::REFERRER_POLICY, HeaderValue::from_static("no-referrer"));
    headers.insert(header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff"));
    headers.insert(X_IDP_DEV, HeaderValue::from_static("not-for-production"));
    response
}

/// Refuses `HEAD` where a `GET` does something: it would do it, and nobody would read the answer.
/// The state is what the answer allows.
pub(crate) async fn refuse_head(
    State(allowed): State<&'static str>,
    request: Request,
    next: Next,
) -> Response {
    if request.method() == Method::HEAD {
        return (StatusCode::METHOD_NOT_ALLOWED, [(header::ALLOW, allowed)]).into_response();
    }
    next.run(request).await
}

/// The request's `Origin`, if it sent one.
pub(crate) fn origin_of(headers: &HeaderMap) -> Option<&str> {
    headers.get(header::ORIGIN).map(|origin| origin.to_str().unwrap_or("null"))
}

/// Tells people and scanners what they met.
const X_IDP_DEV: HeaderName = HeaderName::from_static("x-idp-dev");

const MAX_URI: usize = 16 * 1024;

/// The end of the year 9999, the last that an HTTP date can say.
const MAX_DATE: u64 = 253_402_300_799;
