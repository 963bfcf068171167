//! `/.well-known/openid-configuration` (OIDC Discovery 1.0, 3 and 4).

use axum::body::Bytes;
use axum::extract::State;
use axum::http::header;
use axum::response::{IntoResponse, Response};
use serde_json::{Value, json};

use crate::authorization_request::ResponseMode;
use crate::claims::{CLAIMS, SCOPES};
use crate::config::Config;
use crate::endpoints::authorize::SUPPORTED_PROMPTS;
use crate::keys::SigningAlg;
use crate::provider::Shared;
use crate::session::ACR_PASSWORD;

/// Written once: clients, and those who try how many requests a second it takes, ask often.
pub(super) async fn get(State(provider): State<Shared>) -> Response {
    let metadata =
        provider.metadata.get_or_init(|| Bytes::from(metadata(&provider.config).to_string()));
    ([(header::CONTENT_TYPE, "application/json")], metadata.clone()).into_response()
}

/// Every address comes from the configured issuer, never from the request's `Host` (OP33).
fn metadata(config: &Config) -> Value {
    let issuer = config.issuer();
    let at = |path: &str| format!("{issuer}{path}");
    let mut metadata = json!({
        "issuer": issuer,
        "authorization_endpoint": at("/authorize"),
        "token_endpoint": at("/token"),
        "userinfo_endpoint": at("/userinfo"),
        "jwks_uri": at("/jwks"),
        "end_session_endpoint": at("/end_session"),
        "revocation_endpoint": at("/revoke"),
        "introspection_endpoint": at("/introspect"),
        "check_session_iframe": at("/check_session"),
        "response_types_supported": ["code"],
        "response_modes_supported": ResponseMode::ALL.map(ResponseMode::name),
        "grant_types_supported": ["authorization_code", "refresh_token"],
        "subject_types_supported": ["public"],
        "id_token_signing_alg_values_supported": SigningAlg::ALL.map(SigningAlg::name),
        "scopes_supported": SCOPES,
        "claims_supported": CLAIMS,
        "token_endpoint_auth_methods_supported": ["none"],
        "revocation_endpoint_auth_methods_supported": ["none"],
        "introspection_endpoint_auth_methods_supported": ["client_secret_basic"],
        "code_challenge_methods_supported": ["S256"],
        "authorization_response_iss_parameter_supported": true,
        "prompt_values_supported": SUPPORTED_PROMPTS,
        "acr_values_supported": [ACR_PASSWORD],
        // Said because their defaults would be wrong or unclear (Discovery 3).
        "claims_parameter_supported": false,
        "request_parameter_supported": false,
        "request_uri_parameter_supported": false,
        "backchannel_logout_supported": true,
        "backchannel_logout_session_supported": true,
        "frontchannel_logout_supported": true,
        "frontchannel_logout_session_supported": true,
    });
    if config.has_session_events {
        metadata["session_events_endpoint"] = json!(at("/session_events"));
    }
    metadata
}
