//! Bearer tokens (RFC 6750): taken from the header only.

use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::Response;
use serde_json::json;

use super::respond::json as respond_json;

/// The token of `Authorization: Bearer`. Not from the body and never from the URL, where it would
/// end in logs (RFC 6750, 2.2 and 2.3).
///
/// # Errors
/// `Missing` when there is none, `Malformed` when there are several or another scheme.
pub(crate) fn bearer_token(headers: &HeaderMap) -> Result<&str, BearerError> {
    let mut values = headers.get_all(header::AUTHORIZATION).iter();
    let value = values.next().ok_or(BearerError::Missing)?;
    if values.next().is_some() {
        return Err(BearerError::Malformed);
    }
    let text = value.to_str().map_err(|_| BearerError::Malformed)?;
    let (scheme, token) = text.split_once(' ').ok_or(BearerError::Malformed)?;
    if !scheme.eq_ignore_ascii_case("bearer") || token.trim().is_empty() {
        return Err(BearerError::Malformed);
    }
    Ok(token.trim())
}

/// Why a bearer token was not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum BearerError {
    Missing,
    Malformed,
    Invalid,
    Expired,
    Revoked,
    Scope,
}

impl BearerError {
    /// RFC 6750, 3.1. `None` for a request without a token, which is told nothing.
    pub(crate) const fn code(self) -> Option<&'static str> {
        match self {
            Self::Missing => None,
            Self::Malformed => Some("invalid_request"),
            Self::Invalid | Self::Expired | Self::Revoked => Some("invalid_token"),
            Self::Scope => Some("insufficient_scope"),
        }
    }

    pub(crate) const fn description(self) -> &'static str {
        match self {
            Self::Missing => "there is no access token",
            Self::Malformed => "the Authorization header is not one bearer token",
            Self::Invalid => "the access token is not one of this provider",
            Self::Expired => "the access token has expired",
            Self::Revoked => "the access token is revoked or its session is over",
            Self::Scope => "the access token lacks the scope openid",
        }
    }

    const fn status(self) -> StatusCode {
        match self {
            Self::Malformed => StatusCode::BAD_REQUEST,
            Self::Missing | Self::Invalid | Self::Expired | Self::Revoked => {
                StatusCode::UNAUTHORIZED
            }
            Self::Scope => StatusCode::FORBIDDEN,
        }
    }

    /// The answer with its challenge.
    pub(crate) fn into_response(self) -> Response {
        let challenge = match self.code() {
            None => "Bearer realm=\"idp-dev\"".to_owned(),
            Some(code) => format!(
                "Bearer realm=\"idp-dev\", error=\"{code}\", error_description=\"{}\"{}",
                self.description(),
                if self == Self::Scope { ", scope=\"openid\"" } else { "" },
            ),
        };
        let body = json!({
            "error": self.code().unwrap_or("no_token"),
            "error_description": self.description(),
        });
        let mut response = respond_json(self.status(), &body);
        if let Ok(challenge) = HeaderValue::from_str(&challenge) {
            response.headers_mut().insert(header::WWW_AUTHENTICATE, challenge);
        }
        response
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn op22_takes_one_bearer_token_from_the_header() {
        let read = |value: &str| {
            let mut headers = HeaderMap::new();
            headers.insert(header::AUTHORIZATION, HeaderValue::from_str(value).unwrap());
            bearer_token(&headers).map(str::to_owned)
        };
        assert_eq!(read("Bearer abc"), Ok("abc".to_owned()));
        assert_eq!(read("bearer abc"), Ok("abc".to_owned()));
        for bad in ["Basic abc", "Bearer", "Bearer ", "abc", "Bearerabc"] {
            assert_eq!(read(bad), Err(BearerError::Malformed), "{bad}");
        }
        assert_eq!(bearer_token(&HeaderMap::new()), Err(BearerError::Missing));
    }
}
