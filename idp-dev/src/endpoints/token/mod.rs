//! `/token` (OIDC Core 3.1.3 and 12): `authorization_code` and `refresh_token`.

mod code;
mod refresh;
mod respond;

use std::sync::Arc;

use axum::body::Body;
use axum::extract::{RawQuery, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::Response;

use crate::config::Client;
use crate::http::read_form;
use crate::params::Params;
use crate::provider::Shared;
use crate::timeline::{Step, StepName};

use respond::{ErrorCode, Refusal};

/// `POST /token`. Other methods are answered 405 by the router (OP22).
pub(super) async fn post(
    State(provider): State<Shared>,
    headers: HeaderMap,
    RawQuery(query): RawQuery,
    body: Body,
) -> Response {
    if query.is_some_and(|query| !query.is_empty()) {
        // OP22: what stands in a URL ends in logs.
        return respond::refuse(
            &provider,
            None,
            &Refusal::invalid_request("query", "parameters belong in the body, not in the URL"),
        );
    }
    let params = match read_form(&headers, body).await {
        Ok(params) => params,
        Err(error) => {
            provider.timeline.record(
                Step::new(StepName::TokenRefused, "RFC 6749 4.1.3", error.description())
                    .failed("body")
                    .note("error", "invalid_request"),
            );
            return error.into_json();
        }
    };
    let mut step = Step::new(
        StepName::TokenReceived,
        "OIDC Core 3.1.3.1",
        "an app asks for tokens, without the browser's cookies",
    )
    .params(&params);
    if let Some(client_id) = params.get("client_id") {
        step = step.client(client_id);
    }
    provider.timeline.record(step);
    let client_id = params.get("client_id").map(str::to_owned);
    match handle(&provider, &headers, &params).await {
        Ok(response) => response,
        Err(refusal) => respond::refuse(&provider, client_id.as_deref(), &refusal),
    }
}

async fn handle(
    provider: &Shared,
    headers: &HeaderMap,
    params: &Params,
) -> Result<Response, Refusal> {
    // RFC 6749, 3.2: once each.
    if params.first_duplicate().is_some() {
        return Err(Refusal::invalid_request("duplicates", "a parameter came more than once"));
    }
    let client = check_client(provider, headers, params)?;
    match params.get("grant_type") {
        Some("authorization_code") => code::redeem(provider, &client, params).await,
        Some("refresh_token") => refresh::refresh(provider, &client, params).await,
        Some(_) => Err(Refusal {
            error: ErrorCode::UnsupportedGrantType,
            status: StatusCode::BAD_REQUEST,
            check: "grant_type",
            spec: "RFC 6749 5.2",
            description: "grant_type must be authorization_code or refresh_token",
        }),
        None => Err(Refusal::invalid_request("grant_type", "grant_type is missing")),
    }
}

/// RFC 6749, 2.1 and 3.2.1: a public client says who it is by `client_id`. A secret from one is
/// refused and not ignored: somebody believes that it protects something (D6).
fn check_client(
    provider: &Shared,
    headers: &HeaderMap,
    params: &Params,
) -> Result<Arc<Client>, Refusal> {
    let refusal = |check, description| Refusal {
        error: ErrorCode::InvalidClient,
        status: StatusCode::UNAUTHORIZED,
        check,
        spec: "RFC 6749 5.2",
        description,
    };
    if headers.contains_key(header::AUTHORIZATION) {
        return Err(refusal(
            "client_authentication",
            "clients are public and do not authenticate: send client_id in the body only",
        ));
    }
    for name in ["client_secret", "client_assertion", "client_assertion_type"] {
        if params.get(name).is_some() {
            return Err(refusal(
                "client_authentication",
                "clients are public and have no secret: send client_id only",
            ));
        }
    }
    let id = params
        .get("client_id")
        .ok_or_else(|| Refusal::invalid_request("client_id", "client_id is missing"))?;
    provider
        .config
        .client(id)
        .cloned()
        .ok_or_else(|| refusal("client_id", "no app is registered under this client_id"))
}
