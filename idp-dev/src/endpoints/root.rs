//! `/`: says what this is.

use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;

use crate::http::page;
use crate::pages;
use crate::provider::Shared;
use crate::session;

/// What this is, who is signed in in this browser, and which apps there are.
pub(super) async fn get(State(provider): State<Shared>, headers: HeaderMap) -> Response {
    let session = session::current(&provider, &headers).await;
    let user = session.as_ref().and_then(|session| provider.people.user(&session.user));
    page(StatusCode::OK, pages::root(&provider.config, user.as_deref()))
}
