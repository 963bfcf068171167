//! `grant_type=refresh_token` (RFC 6749, 6; OIDC Core 12; RFC 9700, 4.14).

use axum::response::Response;

use super::respond::{Given, give};
use crate::config::Client;
use crate::endpoints::refusal::{ErrorCode, Refusal};
use crate::params::Params;
use crate::provider::Shared;
use crate::session::{self, revoke_family};
use crate::store::{Grant, Rotation, Times};
use crate::timeline::{Step, StepName};

/// Gives new tokens for a refresh token and makes that one the past.
///
/// Whoever presents a past token, client or thief, ends the family; unless the provider gives it a grace
/// (`refresh_token_grace`), and the answer to it may have been lost.
pub(super) async fn refresh(
    provider: &Shared,
    client: &Client,
    params: &Params,
) -> Result<Response, Refusal> {
    let token = params
        .get("refresh_token")
        .ok_or_else(|| Refusal::invalid_request("refresh_token", "refresh_token is missing"))?;
    let Some((grant_id, serial)) = provider.refresh_tokens.read(token) else {
        return Err(unknown());
    };
    let Some(grant) = provider.store.grant(&grant_id) else { return Err(unknown()) };
    // RFC 6749, 6: bound to the client.
    if grant.client_id != client.id {
        return Err(Refusal::invalid_grant(
            "refresh_token_client",
            "RFC 6749 6",
            "the refresh token was given to another client",
        ));
    }
    let scopes = narrowed(client, &grant, params.get("scope"))?;
    let resource = resource(client, params.get("resource"))?;
    // A past token is looked at before the session: a copy matters also after the end.
    let now = provider.clock.now();
    let grace = provider.config.refresh_token_grace;
    if !grant.takes(serial, grace, now) && !grant.is_revoked {
        return Err(reused(provider, &grant));
    }
    if !session::is_grant_active(provider, &grant).await {
        return Err(Refusal::invalid_grant(
            "session",
            "RFC 6749 5.2",
            "the refresh token is revoked or expired, or its session is over",
        ));
    }
    let Some(user) = provider.people.user(&grant.user) else { return Err(unknown()) };
    if !client.admits(&user.username) {
        provider.store.revoke_grant(&grant.id);
        return Err(unknown());
    }
    let times = Times { now, grace, expires: now.plus(client.refresh_token_lifetime) };
    let mut grant = match provider.store.rotate(&grant.id, serial, times) {
        Rotation::Rotated(grant) => grant,
        Rotation::Reused => return Err(reused(provider, &grant)),
        Rotation::Gone => return Err(unknown()),
    };
    if !grant.is_offline {
        session::touch(provider, &grant.session);
    }
    // The level may have changed since the sign-in: new tokens say what is so now.
    if let Some(session) = provider.store.session(&grant.session) {
        grant.acr = session.acr;
    }
    // Core 12.2: same sub, auth_time and sid, no nonce.
    let given =
        Given { client, user: &user, grant: &grant, scopes: &scopes, resource, nonce: None };
    let response = give(provider, given).await?;
    provider.timeline.record(
        Step::new(
            StepName::TokenRefreshed,
            "OIDC Core 12.2",
            format!("{} gets new tokens; the old refresh token is past", client.name),
        )
        .client(&client.id)
        .sid(&grant.sid)
        .user(&grant.user)
        .passed("refresh_token"),
    );
    Ok(response)
}

/// RFC 6749, 6: the scope may shrink, never grow. Where the authorization endpoint ignores
/// `offline_access` (Core 11), it is ignored here too: libraries repeat what they once asked for.
fn narrowed(client: &Client, grant: &Grant, asked: Option<&str>) -> Result<Vec<String>, Refusal> {
    let Some(asked) = asked else { return Ok(grant.scopes.clone()) };
    let refusal = |description| {
        Err(Refusal {
            error: ErrorCode::InvalidScope,
            status: axum::http::StatusCode::BAD_REQUEST,
            check: "scope",
            spec: "RFC 6749 6",
            description,
        })
    };
    let asked: Vec<&str> = asked
        .split(' ')
        .filter(|scope| !scope.is_empty())
        .filter(|scope| *scope != "offline_access" || client.allows_offline_access)
        .collect();
    if asked.is_empty() {
        return refusal("scope names nothing that was granted");
    }
    if asked.iter().any(|scope| !grant.scopes.iter().any(|own| own == scope)) {
        return refusal("scope asks for more than was granted");
    }
    Ok(grant.scopes.iter().filter(|own| asked.contains(&own.as_str())).cloned().collect())
}

/// RFC 8707, 2.2: one of the resources that the client's tokens are for.
fn resource<'a>(client: &Client, asked: Option<&'a str>) -> Result<Option<&'a str>, Refusal> {
    match asked {
        Some(asked) if !client.audiences.iter().any(|known| known == asked) => Err(Refusal {
            error: ErrorCode::InvalidTarget,
            status: axum::http::StatusCode::BAD_REQUEST,
            check: "resource",
            spec: "RFC 8707 2",
            description: "resource is none of the client's audiences",
        }),
        asked => Ok(asked),
    }
}

fn reused(provider: &Shared, grant: &Grant) -> Refusal {
    provider.timeline.record(
        Step::new(
            StepName::TokenReplayed,
            "RFC 9700 4.14.2",
            "a past refresh token was presented: somebody has a copy",
        )
        .client(&grant.client_id)
        .sid(&grant.sid)
        .user(&grant.user)
        .failed("refresh_token_rotation"),
    );
    revoke_family(provider, &grant.id, "RFC 9700 4.14.2");
    Refusal::invalid_grant(
        "refresh_token_rotation",
        "RFC 9700 4.14.2",
        "the refresh token was used before: its family is revoked",
    )
}

fn unknown() -> Refusal {
    Refusal::invalid_grant(
        "refresh_token",
        "RFC 6749 5.2",
        "the refresh token is not one of this provider, or it is revoked or expired",
    )
}
