//! `/userinfo` (OIDC Core 5.3): GET and POST with a bearer token in the header.

use axum::extract::State;
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use serde_json::json;

use crate::claims::granted_claims;
use crate::http::{BearerError, bearer_token, json as respond_json};
use crate::provider::Shared;
use crate::session;
use crate::timeline::{Step, StepName};
use crate::tokens::{AccessToken, read_own_access_token};

/// The claims that the token's scopes allow. Claims come from the configuration as it is now.
pub(super) async fn serve(State(provider): State<Shared>, headers: HeaderMap) -> Response {
    let token = bearer_token(&headers)
        .and_then(|token| read_own_access_token(&provider, token).ok_or(BearerError::Invalid));
    match token {
        Ok(token) => match claims(&provider, &token).await {
            Ok(response) => response,
            Err(error) => refuse(&provider, Some(&token), error),
        },
        Err(error) => refuse(&provider, None, error),
    }
}

fn refuse(provider: &Shared, token: Option<&AccessToken>, error: BearerError) -> Response {
    let mut step = Step::new(StepName::UserinfoRefused, "OIDC Core 5.3.3", error.description())
        .failed("access_token")
        .note("error", error.code().unwrap_or("no_token"));
    if let Some(token) = token {
        step = step.client(&token.client_id).sid(&token.sid);
    }
    provider.timeline.record(step);
    error.into_response()
}

async fn claims(provider: &Shared, token: &AccessToken) -> Result<Response, BearerError> {
    if token.has_expired(provider.clock.now()) {
        return Err(BearerError::Expired);
    }
    let grant = provider.store.grant(&token.grant).ok_or(BearerError::Revoked)?;
    if !session::is_grant_active(provider, &grant).await {
        return Err(BearerError::Revoked);
    }
    if !token.has_scope("openid") {
        return Err(BearerError::Scope);
    }
    let user = provider.people.user(&grant.user).ok_or(BearerError::Revoked)?;
    let scopes: Vec<String> =
        grant.scopes.iter().filter(|scope| token.has_scope(scope)).cloned().collect();
    let mut claims = granted_claims(&user, &scopes);
    claims.insert("sub".to_owned(), json!(user.sub));
    provider.timeline.record(
        Step::new(StepName::UserinfoServed, "OIDC Core 5.3.2", "the app reads who the person is")
            .client(&grant.client_id)
            .sid(&grant.sid)
            .user(&grant.user)
            .passed("access_token"),
    );
    Ok(respond_json(StatusCode::OK, &claims))
}
