//! Making responses.

use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{Html, IntoResponse, Response};
use maud::Markup;
use serde::Serialize;

/// A JSON answer.
pub(crate) fn json(status: StatusCode, value: &impl Serialize) -> Response {
    match serde_json::to_string(value) {
        Ok(text) => (status, [(header::CONTENT_TYPE, "application/json")], text).into_response(),
        Err(_) => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
    }
}

/// A page of ours, which nobody may frame (OP9) and which loads nothing from elsewhere.
pub(crate) fn page(status: StatusCode, markup: Markup) -> Response {
    let mut response = (status, Html(markup.into_string())).into_response();
    let headers = response.headers_mut();
    headers.insert(header::CONTENT_SECURITY_POLICY, HeaderValue::from_static(PAGE_POLICY));
    headers.insert(header::X_FRAME_OPTIONS, HeaderValue::from_static("DENY"));
    response
}

/// The same, with frames of these origins.
pub(crate) fn page_framing(status: StatusCode, markup: Markup, origins: &[&str]) -> Response {
    let mut response = page(status, markup);
    let policy = format!("{PAGE_POLICY}; frame-src {}", origins.join(" "));
    match HeaderValue::from_str(&policy) {
        Ok(policy) => {
            response.headers_mut().insert(header::CONTENT_SECURITY_POLICY, policy);
            response
        }
        Err(_) => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
    }
}

/// A page without anything to see, for frames of these origins and of no other.
pub(crate) fn framed_page(markup: Markup, origins: &[&str]) -> Response {
    let mut response = Html(markup.into_string()).into_response();
    let policy = format!(
        "default-src 'none'; script-src 'self'; base-uri 'none'; frame-ancestors {}",
        origins.join(" ")
    );
    match HeaderValue::from_str(&policy) {
        Ok(policy) => {
            response.headers_mut().insert(header::CONTENT_SECURITY_POLICY, policy);
            response
        }
        Err(_) => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
    }
}

/// Sends the browser on by GET (OP7: 303, so that a posted password is never posted again).
pub(crate) fn see_other(location: &str) -> Response {
    match HeaderValue::from_str(location) {
        Ok(location) => (StatusCode::SEE_OTHER, [(header::LOCATION, location)]).into_response(),
        Err(_) => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
    }
}

/// There is no `form-action` on purpose: Chromium applies it to every redirect that follows a
/// submitted form, and ours is followed by one to the app, which may redirect further to places
/// that we cannot know. What `form-action` guards against, markup smuggled into the page, is
/// stopped by escaping everything.
const PAGE_POLICY: &str = "default-src 'none'; style-src 'self'; script-src 'self'; \
     img-src 'self'; base-uri 'none'; frame-ancestors 'none'";
