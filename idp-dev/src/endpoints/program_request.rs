//! Requests that programs send: a form by POST, each parameter once (RFC 6749, 3.2).

use std::sync::Arc;

use axum::body::Body;
use axum::http::{HeaderMap, header};
use axum::response::Response;

use super::refusal::{self, Refusal};
use crate::config::Client;
use crate::http::read_form;
use crate::params::Params;
use crate::provider::Provider;
use crate::provider::Shared;
use crate::timeline::{Step, StepName};

/// What the timeline calls the steps of an endpoint.
pub(super) struct Steps {
    pub(super) received: StepName,
    pub(super) refused: StepName,
    pub(super) spec: &'static str,
    /// What the request asks for, as one plain sentence.
    pub(super) detail: &'static str,
}

/// Reads the form and tells the timeline that it came.
///
/// # Errors
/// The answer, when there is no form to read.
pub(super) async fn read(
    provider: &Shared,
    headers: &HeaderMap,
    query: Option<&str>,
    body: Body,
    steps: &Steps,
) -> Result<Params, Response> {
    if query.is_some_and(|query| !query.is_empty()) {
        // OP22: what stands in a URL ends in logs.
        let description = "parameters belong in the body, not in the URL";
        let wrong = Refusal::invalid_request("query", description);
        return Err(refusal::refuse(provider, steps.refused, None, &wrong));
    }
    let params = match read_form(headers, body).await {
        Ok(params) => params,
        Err(error) => {
            provider.timeline.record(
                Step::new(steps.refused, steps.spec, error.description())
                    .failed("body")
                    .note("error", "invalid_request"),
            );
            return Err(error.into_json());
        }
    };
    let mut step = Step::new(steps.received, steps.spec, steps.detail).params(&params);
    if let Some(client_id) = params.get("client_id") {
        step = step.client(client_id);
    }
    provider.timeline.record(step);
    Ok(params)
}

/// RFC 6749, 3.2: once each.
pub(super) fn check_duplicates(params: &Params) -> Result<(), Refusal> {
    match params.first_duplicate() {
        None => Ok(()),
        Some(_) => Err(Refusal::invalid_request("duplicates", "a parameter came more than once")),
    }
}

/// RFC 6749, 2.1 and 3.2.1: a public client says who it is by `client_id`. A secret from one is
/// refused and not ignored: somebody believes that it protects something (D6).
pub(super) fn check_public_client(
    provider: &Provider,
    headers: &HeaderMap,
    params: &Params,
) -> Result<Arc<Client>, Refusal> {
    if headers.contains_key(header::AUTHORIZATION) {
        return Err(Refusal::invalid_client(
            "client_authentication",
            "clients are public and do not authenticate: send client_id in the body only",
        ));
    }
    for name in ["client_secret", "client_assertion", "client_assertion_type"] {
        if params.get(name).is_some() {
            return Err(Refusal::invalid_client(
                "client_authentication",
                "clients are public and have no secret: send client_id only",
            ));
        }
    }
    let id = params
        .get("client_id")
        .ok_or_else(|| Refusal::invalid_request("client_id", "client_id is missing"))?;
    let description = "no app is registered under this client_id";
    let client = provider.config.client(id).cloned();
    client.ok_or_else(|| Refusal::invalid_client("client_id", description))
}
