//! `/check_session` (OIDC Session Management 1.0): a frame in which an app's page asks whether the
//! session of this browser changed.
//!
//! It works where the browser lets our frame see our cookies; elsewhere it answers `error`, which
//! signs nobody out. Apps that can use the session-events stream need none of this.

use axum::extract::State;
use axum::http::HeaderMap;
use axum::response::Response;

use super::add_state_cookie;
use crate::authorization_request::AuthorizationRequest;
use crate::http::framed_page;
use crate::pages;
use crate::provider::Shared;
use crate::secret::{Digest, RandomnessUnavailable, base64url, random_id};
use crate::session;
use crate::store::SsoSession;

/// `GET /check_session`: the frame. Framed by apps' pages only.
pub(super) async fn get(State(provider): State<Shared>, headers: HeaderMap) -> Response {
    let origins: std::collections::BTreeSet<&str> = provider
        .config
        .clients
        .iter()
        .flat_map(|client| client.redirect_uris.iter().filter_map(|uri| uri.origin()))
        .collect();
    let origins: Vec<&str> = origins.into_iter().collect();
    let mut response = framed_page(pages::check_session(&provider.cookies.state), &origins);
    let held = provider.cookies.state_of(&headers);
    match session::current_silently(&provider, &headers).await {
        // An answer that came late, to a frame that was loaded before a sign-in, may have put
        // another value in the place of the session's.
        Some((session, _))
            if held.as_ref().is_none_or(|held| held.expose() != session.browser_state) =>
        {
            let lifetime = session.is_kept.then_some(provider.config.absolute_lifetime);
            add_state_cookie(&provider, &mut response, &session.browser_state, lifetime);
        }
        // A session that ended without this browser, by its time or an administrator, has left the
        // cookie as it was.
        None if held.is_some() => {
            if let Ok(state) = random_id() {
                add_state_cookie(&provider, &mut response, &state, None);
            }
        }
        Some(_) | None => {}
    }
    response
}

/// What the app keeps and asks about (3): the digest of who asks from where, of this browser's
/// state, and of a salt, so that two apps cannot compare what they have. `None` for an app without
/// an origin: no frame of it could ask.
///
/// # Errors
/// When there is no randomness.
pub(super) fn session_state(
    request: &AuthorizationRequest,
    session: &SsoSession,
) -> Result<Option<String>, RandomnessUnavailable> {
    let Some(origin) = request.redirect_uri.origin() else { return Ok(None) };
    let salt = random_id()?;
    let text = format!("{} {origin} {} {salt}", request.client.id, session.browser_state);
    Ok(Some(format!("{}.{salt}", base64url(Digest::of(text.as_bytes()).bytes()))))
}
