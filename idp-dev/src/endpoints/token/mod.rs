//! `/token` (OIDC Core 3.1.3 and 12): `authorization_code` and `refresh_token`.

mod code;
mod refresh;
mod respond;

use axum::body::Body;
use axum::extract::{RawQuery, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;

use super::program_request::{self, Steps};
use super::refusal::{ErrorCode, Refusal, refuse};
use crate::params::Params;
use crate::provider::Shared;
use crate::timeline::StepName;

/// `POST /token`. Other methods are answered 405 by the router (OP22).
pub(super) async fn post(
    State(provider): State<Shared>,
    headers: HeaderMap,
    RawQuery(query): RawQuery,
    body: Body,
) -> Response {
    let read = program_request::read(&provider, &headers, query.as_deref(), body, &STEPS);
    let params = match read.await {
        Ok(params) => params,
        Err(response) => return response,
    };
    match handle(&provider, &headers, &params).await {
        Ok(response) => response,
        Err(refusal) => refuse(&provider, STEPS.refused, params.get("client_id"), &refusal),
    }
}

async fn handle(
    provider: &Shared,
    headers: &HeaderMap,
    params: &Params,
) -> Result<Response, Refusal> {
    program_request::check_duplicates(params)?;
    let client = program_request::check_public_client(provider, headers, params)?;
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

const STEPS: Steps = Steps {
    received: StepName::TokenReceived,
    refused: StepName::TokenRefused,
    spec: "OIDC Core 3.1.3.1",
    detail: "an app asks for tokens, without the browser's cookies",
};
