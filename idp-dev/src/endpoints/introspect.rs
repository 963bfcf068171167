//! `/introspect` (RFC 7662): a resource server asks whether an access token is still good.
//!
//! A server that only verifies signatures takes a token until it expires. One that asks here hears
//! at once that the session has ended or that the token was revoked.

use axum::body::Body;
use axum::extract::{RawQuery, State};
use axum::http::{HeaderMap, StatusCode};
use axum::response::Response;
use serde_json::{Value, json};

use super::program_request::{self, Steps};
use super::refusal::{Refusal, refuse, uncached};
use crate::config::ResourceServer;
use crate::http::{basic_credentials, json as respond_json};
use crate::params::Params;
use crate::provider::Shared;
use crate::session;
use crate::timeline::{Step, StepName};
use crate::tokens::{AccessToken, read_access_token};

/// `POST /introspect`. Other methods are answered 405 by the router: a token in a URL would end in
/// logs (4).
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
        Err(refusal) => refuse(&provider, STEPS.refused, None, &refusal),
    }
}

async fn handle(
    provider: &Shared,
    headers: &HeaderMap,
    params: &Params,
) -> Result<Response, Refusal> {
    // 2.1: before anything else, so that nobody can try tokens here.
    let server = check_server(provider, headers)?;
    program_request::check_duplicates(params)?;
    let token =
        params.get("token").ok_or_else(|| Refusal::invalid_request("token", "token is missing"))?;
    let answer = match examine(provider, server, token).await {
        Ok(token) => {
            record(
                provider,
                server,
                Some(&token),
                ("active", true),
                "the token is good: the sign-in that gave it still counts",
            );
            active(provider, token)
        }
        Err((token, inactive)) => {
            let (check, detail) = (inactive.check(), inactive.detail());
            record(provider, server, token.as_ref(), (check, false), detail);
            // 2.2: nothing else, so that the asker learns nothing about other servers' tokens.
            json!({ "active": false })
        }
    };
    Ok(uncached(respond_json(StatusCode::OK, &answer)))
}

/// Who asks: one of the configuration's `resource_servers`, by HTTP Basic.
fn check_server<'a>(
    provider: &'a Shared,
    headers: &HeaderMap,
) -> Result<&'a ResourceServer, Refusal> {
    let description = "only a resource server of the configuration may ask, by HTTP Basic";
    let refusal = || Refusal::invalid_client("resource_server", description);
    let (id, secret) = basic_credentials(headers).ok_or_else(refusal)?;
    let server = provider.config.resource_server(&id).ok_or_else(refusal)?;
    // In constant time.
    if server.secret.is(secret.expose()) { Ok(server) } else { Err(refusal()) }
}

/// Why a token is not active for the server that asks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Inactive {
    Unknown,
    Audience,
    Expired,
    Revoked,
}

impl Inactive {
    const fn check(self) -> &'static str {
        match self {
            Self::Unknown => "token",
            Self::Audience => "aud",
            Self::Expired => "exp",
            Self::Revoked => "session",
        }
    }

    const fn detail(self) -> &'static str {
        match self {
            Self::Unknown => "the text is no access token of this provider",
            Self::Audience => "the token is not meant for the server that asks",
            Self::Expired => "the token has expired",
            Self::Revoked => "the token is revoked or its session is over",
        }
    }
}

/// 2.2 and 4: ours, meant for the server that asks, not expired, not revoked.
async fn examine(
    provider: &Shared,
    server: &ResourceServer,
    token: &str,
) -> Result<AccessToken, (Option<AccessToken>, Inactive)> {
    let Some(token) = read_access_token(provider, token) else {
        return Err((None, Inactive::Unknown));
    };
    if !token.audiences.iter().any(|aud| server.audiences.contains(aud)) {
        return Err((Some(token), Inactive::Audience));
    }
    if token.has_expired(provider.clock.now()) {
        return Err((Some(token), Inactive::Expired));
    }
    let is_active = match provider.store.grant(&token.grant) {
        Some(grant) => session::is_grant_active(provider, &grant).await,
        None => false,
    };
    if is_active { Ok(token) } else { Err((Some(token), Inactive::Revoked)) }
}

/// 2.2; `auth_time` and `acr` from RFC 9470, 6.2. No `username`: the server knows people by `sub`.
fn active(provider: &Shared, token: AccessToken) -> Value {
    json!({
        "active": true,
        "iss": provider.config.issuer(),
        "sub": token.sub,
        "aud": token.audiences,
        "client_id": token.client_id,
        "scope": token.scope,
        "token_type": "Bearer",
        "iat": token.issued.seconds(),
        "exp": token.expires.seconds(),
        "jti": token.jti,
        "auth_time": token.auth_time,
        "acr": token.acr,
    })
}

fn record(
    provider: &Shared,
    server: &ResourceServer,
    token: Option<&AccessToken>,
    (check, is_active): (&'static str, bool),
    detail: &'static str,
) {
    let mut step = Step::new(StepName::IntrospectionAnswered, "RFC 7662 2.2", detail)
        .note("resource_server", server.id.as_str())
        .note("active", is_active);
    step = if is_active { step.passed(check) } else { step.failed(check) };
    if let Some(token) = token {
        step = step.client(&token.client_id).sid(&token.sid);
    }
    provider.timeline.record(step);
}

const STEPS: Steps = Steps {
    received: StepName::IntrospectionReceived,
    refused: StepName::IntrospectionRefused,
    spec: "RFC 7662 2.1",
    detail: "a resource server asks whether a token is still good",
};
