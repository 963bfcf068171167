//! Token responses (RFC 6749, 5.1).

use axum::http::StatusCode;
use axum::response::Response;
use serde_json::json;

use crate::config::{Client, User};
use crate::endpoints::refusal::{Refusal, uncached};
use crate::http::json as respond_json;
use crate::provider::Shared;
use crate::store::Grant;
use crate::tokens::{IdTokenRequest, Scope, issue_access_token, issue_id_token};

/// What a response gives.
pub(super) struct Given<'a> {
    pub(super) client: &'a Client,
    pub(super) user: &'a User,
    /// With the serial of the refresh token that goes out.
    pub(super) grant: &'a Grant,
    /// Those of the access token; at most those of the grant.
    pub(super) scopes: &'a [String],
    /// The only one that the access token is for; all that it can be for if absent (RFC 8707, 2.2).
    pub(super) resource: Option<&'a str>,
    pub(super) nonce: Option<&'a str>,
}

/// Access token, ID token and refresh token.
///
/// # Errors
/// When nothing can be signed.
pub(super) async fn give(provider: &Shared, given: Given<'_>) -> Result<Response, Refusal> {
    let Given { client, user, grant, scopes, resource, nonce } = given;
    let access_token = issue_access_token(provider, client, user, grant, scopes, resource).await?;
    let refresh_token = provider.refresh_tokens.issue(&grant.id, grant.refresh_serial);
    let mut body = json!({
        "access_token": access_token,
        "token_type": "Bearer",
        "expires_in": client.access_token_lifetime.0,
        "refresh_token": refresh_token.expose(),
        "scope": Scope::join(scopes),
    });
    if scopes.iter().any(|scope| scope == "openid") {
        let request = IdTokenRequest { client, user, grant, nonce, access_token: &access_token };
        body["id_token"] = json!(issue_id_token(provider, request).await?);
    }
    Ok(uncached(respond_json(StatusCode::OK, &body)))
}
