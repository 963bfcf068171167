//! `/revoke` (RFC 7009): an app says that it needs its tokens no more.
//!
//! Whichever token of a sign-in comes, all that the sign-in gave is revoked: refresh token and
//! access tokens (2.1: for a refresh token that SHOULD happen, for an access token it MAY). There
//! is no list of single access tokens that could run full and forget one. The person's session at
//! the provider goes on, and with it the other apps': ending it is what `/end_session` is for.

use axum::body::Body;
use axum::extract::{RawQuery, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::{IntoResponse, Response};

use super::program_request::{self, Steps};
use super::refusal::{Refusal, refuse, uncached};
use crate::params::Params;
use crate::provider::Shared;
use crate::session::revoke_family;
use crate::store::Grant;
use crate::timeline::{Step, StepName};
use crate::tokens::read_access_token;

/// `POST /revoke`. Other methods are answered 405 by the router.
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
    match handle(&provider, &headers, &params) {
        // 2.2: "The content of the response body is ignored by the client".
        Ok(()) => uncached(StatusCode::OK.into_response()),
        Err(refusal) => refuse(&provider, STEPS.refused, params.get("client_id"), &refusal),
    }
}

fn handle(provider: &Shared, headers: &HeaderMap, params: &Params) -> Result<(), Refusal> {
    program_request::check_duplicates(params)?;
    let client = program_request::check_public_client(provider, headers, params)?;
    let token =
        params.get("token").ok_or_else(|| Refusal::invalid_request("token", "token is missing"))?;
    // 2.1: `token_type_hint` only helps a server that must search; both kinds name their grant.
    let Some(grant) = grant_of(provider, token) else {
        // 2.2: "invalid tokens do not cause an error response".
        unneeded(provider, &client.id, "the token is none of this provider");
        return Ok(());
    };
    // 2.1: "verifies whether the token was issued to the client making the revocation request".
    if grant.client_id != client.id {
        return Err(Refusal::invalid_grant(
            "token_client",
            "RFC 7009 2.1",
            "the token was given to another client: nothing was revoked",
        ));
    }
    if grant.is_revoked || grant.expires <= provider.clock.now() {
        unneeded(provider, &client.id, "the token was good for nothing already");
        return Ok(());
    }
    provider.timeline.record(
        Step::new(
            StepName::TokenRevoked,
            "RFC 7009 2.1",
            format!("{} gives its tokens back; the person stays signed in", client.name),
        )
        .client(&client.id)
        .sid(&grant.sid)
        .user(&grant.user)
        .passed("token_client"),
    );
    revoke_family(provider, &grant.id, "RFC 7009 2.1");
    Ok(())
}

/// The grant that a token belongs to, if the token is one of ours. An expired access token still
/// names it.
fn grant_of(provider: &Shared, token: &str) -> Option<Grant> {
    let by_refresh_token = provider.refresh_tokens.read(token).map(|(grant, _)| grant);
    let grant =
        by_refresh_token.or_else(|| read_access_token(provider, token).map(|token| token.grant))?;
    provider.store.grant(&grant)
}

fn unneeded(provider: &Shared, client_id: &str, detail: &'static str) {
    provider
        .timeline
        .record(Step::new(StepName::RevocationUnneeded, "RFC 7009 2.2", detail).client(client_id));
}

const STEPS: Steps = Steps {
    received: StepName::RevocationReceived,
    refused: StepName::RevocationRefused,
    spec: "RFC 7009 2.1",
    detail: "an app says that it needs its tokens no more",
};
