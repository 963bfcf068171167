//! Why there is no answer (RFC 6750, 3).

use axum::Json;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use serde_json::json;

/// Why a request is refused. No variant has anything of the token in it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Refusal {
    /// There is no token: the request is told nothing but that one is needed (3.1).
    Missing,
    /// The header is not one bearer token.
    Malformed,
    /// The token is not good, for this reason.
    Invalid(&'static str),
    /// The token lacks this scope.
    Scope(&'static str),
    /// The provider cannot be asked.
    Unreachable,
}

impl Refusal {
    const fn code(self) -> &'static str {
        match self {
            Self::Missing => "token_missing",
            Self::Malformed => "invalid_request",
            Self::Invalid(_) => "invalid_token",
            Self::Scope(_) => "insufficient_scope",
            Self::Unreachable => "provider_unreachable",
        }
    }

    const fn description(self) -> &'static str {
        match self {
            Self::Missing => "an access token is needed",
            Self::Malformed => "the Authorization header is not one bearer token",
            Self::Invalid(why) => why,
            Self::Scope(_) => "the token is not good for this",
            Self::Unreachable => "the identity provider cannot be asked about the token",
        }
    }

    const fn status(self) -> StatusCode {
        match self {
            Self::Missing | Self::Invalid(_) => StatusCode::UNAUTHORIZED,
            Self::Malformed => StatusCode::BAD_REQUEST,
            Self::Scope(_) => StatusCode::FORBIDDEN,
            Self::Unreachable => StatusCode::SERVICE_UNAVAILABLE,
        }
    }

    fn challenge(self) -> Option<String> {
        let (code, description) = (self.code(), self.description());
        match self {
            Self::Missing => Some("Bearer realm=\"demo-api\"".to_owned()),
            Self::Malformed | Self::Invalid(_) => Some(format!(
                "Bearer realm=\"demo-api\", error=\"{code}\", error_description=\"{description}\""
            )),
            Self::Scope(scope) => Some(format!(
                "Bearer realm=\"demo-api\", error=\"{code}\", error_description=\"{description}\", \
                 scope=\"{scope}\""
            )),
            Self::Unreachable => None,
        }
    }
}

impl IntoResponse for Refusal {
    fn into_response(self) -> Response {
        let body = json!({ "error": self.code(), "error_description": self.description() });
        let mut response = (self.status(), Json(body)).into_response();
        let challenge = self.challenge().and_then(|text| HeaderValue::from_str(&text).ok());
        if let Some(challenge) = challenge {
            response.headers_mut().insert(header::WWW_AUTHENTICATE, challenge);
        }
        response
    }
}
