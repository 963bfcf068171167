//! Reading bodies: bounded in size and time.

use std::time::Duration;

use axum::body::{Body, to_bytes};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::Response;
use tokio::time::timeout;

use super::respond::json;
use crate::params::{Params, ParamsError};

/// Reads a form (`application/x-www-form-urlencoded`).
///
/// # Errors
/// [`FormError`], each with a status of its own.
pub(crate) async fn read_form(headers: &HeaderMap, body: Body) -> Result<Params, FormError> {
    let media_type = headers
        .get(header::CONTENT_TYPE)
        .and_then(|value| value.to_str().ok())
        .and_then(|value| value.split(';').next())
        .unwrap_or_default()
        .trim();
    if !media_type.eq_ignore_ascii_case("application/x-www-form-urlencoded") {
        return Err(FormError::WrongType);
    }
    let bytes = read_limited(body).await?;
    let text = std::str::from_utf8(&bytes).map_err(|_| FormError::Params(ParamsError::NotUtf8))?;
    Params::parse(text).map_err(FormError::Params)
}

/// Reads a body of at most [`MAX_BODY`] bytes that arrives in reasonable time.
///
/// # Errors
/// `TooLarge` or `TooSlow`.
pub(crate) async fn read_limited(body: Body) -> Result<axum::body::Bytes, FormError> {
    match timeout(BODY_TIME, to_bytes(body, MAX_BODY)).await {
        Ok(Ok(bytes)) => Ok(bytes),
        Ok(Err(_)) => Err(FormError::TooLarge),
        Err(_) => Err(FormError::TooSlow),
    }
}

/// Why a body was not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum FormError {
    WrongType,
    TooLarge,
    TooSlow,
    Params(ParamsError),
}

impl FormError {
    /// The HTTP status that says so.
    pub(crate) const fn status(self) -> StatusCode {
        match self {
            Self::WrongType => StatusCode::UNSUPPORTED_MEDIA_TYPE,
            Self::TooLarge => StatusCode::PAYLOAD_TOO_LARGE,
            Self::TooSlow => StatusCode::REQUEST_TIMEOUT,
            Self::Params(_) => StatusCode::BAD_REQUEST,
        }
    }

    /// The sentence for people.
    pub(crate) const fn description(self) -> &'static str {
        match self {
            Self::WrongType => "the body must be application/x-www-form-urlencoded",
            Self::TooLarge => "the body is larger than any request needs",
            Self::TooSlow => "the body did not arrive in time",
            Self::Params(error) => error.description(),
        }
    }

    /// The answer of an endpoint that speaks JSON.
    pub(crate) fn into_json(self) -> Response {
        json(
            self.status(),
            &serde_json::json!({
                "error": "invalid_request",
                "error_description": self.description(),
            }),
        )
    }
}

/// A form with the longest tokens is some kilobytes long, and some forms are put aside: this times
/// the number of parked requests bounds the memory that strangers can fill.
const MAX_BODY: usize = 16 * 1024;

const BODY_TIME: Duration = Duration::from_secs(10);
