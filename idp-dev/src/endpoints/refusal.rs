//! Error responses of the endpoints that programs call (RFC 6749, 5.2; RFC 7009, 2.2.1; RFC 7662, 2.3).

use axum::http::{HeaderValue, StatusCode, header};
use axum::response::Response;
use serde_json::json;

use crate::http::json as respond_json;
use crate::keys::KeyError;
use crate::provider::Shared;
use crate::timeline::{Step, StepName};

/// Why a request of a client or of a resource server is refused.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::endpoints) struct Refusal {
    pub(in crate::endpoints) error: ErrorCode,
    pub(in crate::endpoints) status: StatusCode,
    /// The parameter or rule that decided.
    pub(in crate::endpoints) check: &'static str,
    pub(in crate::endpoints) spec: &'static str,
    /// Visible ASCII without quotes and backslashes, and nothing of the request in it.
    pub(in crate::endpoints) description: &'static str,
}

impl Refusal {
    pub(in crate::endpoints) const fn invalid_request(
        check: &'static str,
        description: &'static str,
    ) -> Self {
        Self {
            error: ErrorCode::InvalidRequest,
            status: StatusCode::BAD_REQUEST,
            check,
            spec: "RFC 6749 5.2",
            description,
        }
    }

    /// RFC 6749, 5.2: nobody who may ask is known by what was sent.
    pub(in crate::endpoints) const fn invalid_client(
        check: &'static str,
        description: &'static str,
    ) -> Self {
        Self {
            error: ErrorCode::InvalidClient,
            status: StatusCode::UNAUTHORIZED,
            check,
            spec: "RFC 6749 5.2",
            description,
        }
    }

    pub(in crate::endpoints) const fn invalid_grant(
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
pub(in crate::endpoints) enum ErrorCode {
    InvalidRequest,
    InvalidClient,
    InvalidGrant,
    InvalidScope,
    /// RFC 8707, 2.
    InvalidTarget,
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
            Self::InvalidTarget => "invalid_target",
            Self::UnsupportedGrantType => "unsupported_grant_type",
            Self::ServerError => "server_error",
        }
    }
}

/// An error response, told to the timeline.
pub(in crate::endpoints) fn refuse(
    provider: &Shared,
    step: StepName,
    client_id: Option<&str>,
    refusal: &Refusal,
) -> Response {
    let mut step = Step::new(step, refusal.spec, refusal.description)
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
pub(in crate::endpoints) fn uncached(mut response: Response) -> Response {
    let headers = response.headers_mut();
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    headers.insert(header::PRAGMA, HeaderValue::from_static("no-cache"));
    response
}
