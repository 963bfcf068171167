//! `grant_type=authorization_code` (OIDC Core 3.1.3.2; RFC 7636, 4.6).

use axum::response::Response;

use super::respond::{Given, give};
use crate::clock::Seconds;
use crate::config::Client;
use crate::endpoints::refusal::Refusal;
use crate::params::Params;
use crate::provider::Shared;
use crate::secret::{Digest, base64url, equal_in_constant_time};
use crate::session::{self, revoke_family};
use crate::store::{Code, Redemption, Rotation, Times};
use crate::timeline::{Step, StepName};

/// Redeems a code. Presenting it uses it up, whatever comes of it: a code that somebody tried with
/// a wrong verifier, client or URI is in wrong hands.
pub(super) async fn redeem(
    provider: &Shared,
    client: &Client,
    params: &Params,
) -> Result<Response, Refusal> {
    let missing = |check, description| Refusal::invalid_request(check, description);
    let value = params.get("code").ok_or_else(|| missing("code", "code is missing"))?;
    let redirect_uri = params
        .get("redirect_uri")
        .ok_or_else(|| missing("redirect_uri", "redirect_uri is missing"))?;
    let verifier = params
        .get("code_verifier")
        .ok_or_else(|| missing("code_verifier", "code_verifier is missing: PKCE is required"))?;
    check_verifier_form(verifier)?;

    let code = match provider.store.redeem_code(&Digest::of(value.as_bytes())) {
        Redemption::First(code) => code,
        Redemption::Replayed(grant) => {
            replayed(provider, &grant);
            return Err(Refusal::invalid_grant(
                "code_single_use",
                "RFC 6749 4.1.2",
                "the code was used before: what it gave is revoked",
            ));
        }
        Redemption::Unknown => {
            return Err(Refusal::invalid_grant(
                "code",
                "RFC 6749 5.2",
                "the code is not one of this provider",
            ));
        }
    };
    if let Err(refusal) = check_code(provider, client, &code, redirect_uri, verifier) {
        provider.store.revoke_grant(&code.grant);
        return Err(refusal);
    }
    let Some(grant) = provider.store.grant(&code.grant) else { return Err(over()) };
    if !session::is_grant_active(provider, &grant).await {
        return Err(over());
    }
    let Some(user) = provider.people.user(&grant.user) else { return Err(over()) };
    let now = provider.clock.now();
    // From serial 0, "not redeemed", to 1, the first refresh token. A code has no grace.
    let expires = now.plus(client.refresh_token_lifetime);
    let times = Times { now, grace: Seconds(0), expires };
    let Rotation::Rotated(mut grant) = provider.store.rotate(&grant.id, 0, times) else {
        return Err(over());
    };
    // The level may have changed since the code was given: tokens say what is so now.
    if let Some(session) = provider.store.session(&grant.session) {
        grant.acr = session.acr;
    }
    let given = Given {
        client,
        user: &user,
        grant: &grant,
        scopes: &grant.scopes,
        resource: None,
        nonce: code.nonce.as_deref(),
    };
    let response = give(provider, given).await?;
    provider.timeline.record(
        Step::new(
            StepName::TokenIssued,
            "OIDC Core 3.1.3.3",
            format!("{} gets its tokens for the code", client.name),
        )
        .client(&client.id)
        .sid(&grant.sid)
        .user(&grant.user)
        .passed("code"),
    );
    Ok(response)
}

/// RFC 7636, 4.1: 43 to 128 unreserved characters. Refused before the code is touched: a client
/// that sends anything else is wrong in itself.
fn check_verifier_form(verifier: &str) -> Result<(), Refusal> {
    let is_unreserved = |c: u8| c.is_ascii_alphanumeric() || b"-._~".contains(&c);
    if (43..=128).contains(&verifier.len()) && verifier.bytes().all(is_unreserved) {
        return Ok(());
    }
    Err(Refusal::invalid_grant(
        "code_verifier",
        "RFC 7636 4.1",
        "code_verifier must be 43 to 128 letters, digits and - . _ ~",
    ))
}

fn check_code(
    provider: &Shared,
    client: &Client,
    code: &Code,
    redirect_uri: &str,
    verifier: &str,
) -> Result<(), Refusal> {
    let refusal = |check, spec, description| Err(Refusal::invalid_grant(check, spec, description));
    if code.expires <= provider.clock.now() {
        return refusal("code_lifetime", "RFC 6749 4.1.2", "the code has expired");
    }
    if code.client_id != client.id {
        return refusal("code_client", "RFC 6749 4.1.3", "the code was given to another client");
    }
    if code.redirect_uri != redirect_uri {
        let description = "redirect_uri is not the one of the authorization request";
        return refusal("code_redirect_uri", "RFC 6749 4.1.3", description);
    }
    let challenge = base64url(Digest::of(verifier.as_bytes()).bytes());
    if !equal_in_constant_time(challenge.as_bytes(), code.code_challenge.as_bytes()) {
        let description = "code_verifier does not belong to the code_challenge";
        return refusal("code_verifier", "RFC 7636 4.6", description);
    }
    Ok(())
}

/// RFC 6749, 4.1.2: a code that comes twice was seen by somebody else; nobody knows who came
/// first, so what it gave is revoked.
fn replayed(provider: &Shared, grant: &str) {
    let mut step = Step::new(
        StepName::TokenReplayed,
        "RFC 6749 4.1.2",
        "a code was presented a second time: somebody else may have seen it",
    )
    .failed("code_single_use");
    if let Some(grant) = provider.store.grant(grant) {
        step = step.client(&grant.client_id).sid(&grant.sid).user(&grant.user);
    }
    provider.timeline.record(step);
    revoke_family(provider, grant, "RFC 6749 4.1.2");
}

fn over() -> Refusal {
    Refusal::invalid_grant("session", "RFC 6749 5.2", "the session that gave the code is over")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn op4_verifier_charset_and_length() {
        for good in ["a".repeat(43), "~".repeat(128), "aZ09-._~".repeat(6)] {
            assert!(check_verifier_form(&good).is_ok(), "{good}");
        }
        for bad in [
            "a".repeat(42),
            "a".repeat(129),
            format!("{}=", "a".repeat(43)),
            format!("{}+", "a".repeat(43)),
            format!("{} ", "a".repeat(43)),
            format!("{}é", "a".repeat(43)),
        ] {
            assert!(check_verifier_form(&bad).is_err(), "{bad}");
        }
    }
}
