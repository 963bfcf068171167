//! `/jwks` (RFC 7517, 5).

use axum::extract::State;
use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};

use crate::http::json;
use crate::provider::Shared;

/// The public keys. Waits for the RSA key in the first moments of the process.
pub(super) async fn get(State(provider): State<Shared>) -> Response {
    match provider.keys.jwks().await {
        Ok(jwks) => {
            let mut response = json(StatusCode::OK, &jwks);
            // Plain JSON: some clients refuse application/jwk-set+json. Not stored by caches: after a restart the keys are others.
            response
                .headers_mut()
                .insert(header::CONTENT_TYPE, HeaderValue::from_static("application/json"));
            response
        }
        Err(_) => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
    }
}
