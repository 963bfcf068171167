//! Token responses and token error responses (RFC 6749, 5.1 and 5.2).

use axum::http::{HeaderValue, StatusCode, header};
use axum::response::Response;
use serde_json::json;

use crate::config::{Client, User};
use crate::http::json as respond_json;
use crate::keys::KeyError;
use crate::provider::Shared;
use crate::store::Grant;
use crate::timeline::{Step, StepName};
use crate::tokens::{IdTokenRequest, Scope, issue_access_token, issue_id_token};

/// Why no tokens are given.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Refusal {
    pub(super) error: ErrorCode,
    pub(super) status: StatusCode,
    /// The parameter or rule that decided.
    pub(super) check: &'static str,
    pub(super) spec: &'static str,
    /// Visible ASCII without quotes and backslashes, and nothing of the request in it.
    pub(super) description: &'static str,
}

impl Refusal {
    pub(super) const fn invalid_request(check: &'static str, description: &'static str) -> Self {
        Self {
            error: ErrorCode::InvalidRequest,
            status: StatusCode::BAD_REQUEST,
            check,
            spec: "RFC 6749 5.2",
            description,
        }
    }

    pub(super) const fn invalid_grant(
        check: &'static str,
        spec: &'static str,
        description: &'static str,
    ) -> Self {
        Self {
            error: ErrorCode::InvalidGrant,
            status: StatusCode::BAD_REQUEST,
            check,
            spec,
            description,
        }
    }
}

impl From<KeyError> for Refusal {
    fn from(_: KeyError) -> Self {
        Self {
            error: ErrorCode::ServerError,
            status: StatusCode::INTERNAL_SERVER_ERROR,
            check: "keys",
            spec: "OIDC Core 10.1",
            description: "the provider could not sign a token",
        }
    }
}

/// Error codes of RFC 6749, 5.2.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ErrorCode {
    InvalidRequest,
    InvalidClient,
    InvalidGrant,
    InvalidScope,
    UnsupportedGrantType,
    ServerError,
}

impl ErrorCode {
    const fn name(self) -> &'static str {
        match self {
            Self::InvalidRequest => "invalid_request",
            Self::InvalidClient => "invalid_client",
            Self::InvalidGrant => "invalid_grant",
            Self::InvalidScope => "invalid_scope",
            Self::UnsupportedGrantType => "unsupported_grant_type",
            Self::ServerError => "server_error",
        }
    }
}

/// What a response gives.
pub(super) struct Given<'a> {
    pub(super) client: &'a Client,
    pub(super) user: &'a User,
    /// With the serial of the refresh token that goes out.
    pub(super) grant: &'a Grant,
    /// Those of the access token; at most those of the grant.
    pub(super) scopes: &'a [String],
    pub(super) nonce: Option<&'a str>,
}

/// Access token, ID token and refresh token.
///
/// # Errors
/// When nothing can be signed.
pub(super) async fn give(provider: &Shared, given: Given<'_>) -> Result<Response, Refusal> {
    let Given { client, user, grant, scopes, nonce } = given;
    let access_token = issue_access_token(provider, client, user, grant, scopes).await?;
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

/// An error response, told to the timeline.
pub(super) fn refuse(provider: &Shared, client_id: Option<&str>, refusal: &Refusal) -> Response {
    let mut step = Step::new(StepName::TokenRefused, refusal.spec, refusal.description)
        .failed(refusal.check)
        .note("error", refusal.error.name());
    if let Some(client_id) = client_id {
        step = step.client(client_id);
    }
    provider.timeline.record(step);
    let body = json!({
        "error": refusal.error.name(),
        "error_description": refusal.description,
    });
    let mut response = uncached(respond_json(refusal.status, &body));
    if refusal.status == StatusCode::UNAUTHORIZED {
        // RFC 9110, 15.5.2 wants a challenge with every 401.
        response
            .headers_mut()
            .insert(header::WWW_AUTHENTICATE, HeaderValue::from_static("Basic realm=\"idp-dev\""));
    }
    response
}

/// RFC 6749, 5.1: both headers, the second for caches of HTTP/1.0.
fn uncached(mut response: Response) -> Response {
    let headers = response.headers_mut();
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(header::PRAGMA, HeaderValue::from_static("no-cache"));
    response
}
