//! ID tokens, given to clients and taken back as `id_token_hint`.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use crate::claims::granted_claims;
use crate::config::{Client, User};
use crate::keys::KeyError;
use crate::provider::Provider;
use crate::secret::{Digest, base64url};
use crate::store::Grant;

/// OIDC Core 2 and 3.1.3.6.
#[derive(Clone, Debug, Serialize)]
struct Claims<'a> {
    iss: &'a str,
    sub: &'a str,
    aud: &'a str,
    exp: i64,
    iat: i64,
    auth_time: i64,
    #[serde(skip_serializing_if = "Option::is_none")]
    nonce: Option<&'a str>,
    acr: &'a str,
    amr: &'a [&'static str],
    /// Back-Channel Logout 1.0, 2.1.
    sid: &'a str,
    at_hash: String,
    #[serde(flatten)]
    granted: Map<String, Value>,
}

/// What an ID token is about.
pub(crate) struct IdTokenRequest<'a> {
    pub(crate) client: &'a Client,
    pub(crate) user: &'a User,
    pub(crate) grant: &'a Grant,
    /// As the client sent it; absent from refreshed tokens (OIDC Core 12.2).
    pub(crate) nonce: Option<&'a str>,
    /// The access token that goes with it.
    pub(crate) access_token: &'a str,
}

/// Signs an ID token with the client's algorithm.
///
/// # Errors
/// When no token can be signed.
pub(crate) async fn issue_id_token(
    provider: &Provider,
    request: IdTokenRequest<'_>,
) -> Result<String, KeyError> {
    let IdTokenRequest { client, user, grant, nonce, access_token } = request;
    let now = provider.clock.now();
    let granted = if client.has_claims_in_id_token {
        granted_claims(user, &grant.scopes)
    } else {
        Map::new()
    };
    let claims = Claims {
        iss: provider.config.issuer(),
        sub: &user.sub,
        aud: &client.id,
        exp: now.plus(client.id_token_lifetime).seconds(),
        iat: now.seconds(),
        auth_time: grant.auth_time.seconds(),
        nonce,
        acr: &grant.acr,
        amr: &grant.amr,
        sid: &grant.sid,
        at_hash: at_hash(access_token),
        granted,
    };
    provider.keys.sign(client.id_token_signed_response_alg, TYPE, claims).await
}

/// Core 3.1.3.6: the left half of the hash named by `alg`. Both our algorithms use SHA-256.
fn at_hash(access_token: &str) -> String {
    base64url(&Digest::of(access_token.as_bytes()).bytes()[..16])
}

/// An ID token that we gave, to whom and about which session. It may have expired: both Core
/// 3.1.2.1 and RP-Initiated Logout 2 let an expired one serve as a hint.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
pub(crate) struct IdTokenHint {
    iss: String,
    /// The person it names.
    pub(crate) sub: String,
    /// The client it was given to.
    #[serde(rename = "aud")]
    pub(crate) client_id: String,
    /// The client's name for the session.
    pub(crate) sid: String,
}

/// Reads an `id_token_hint`: signed by us, as an ID token. Access tokens and logout tokens have
/// another `typ` and are not taken.
pub(crate) fn read_id_token_hint(provider: &Provider, token: &str) -> Option<IdTokenHint> {
    let hint = provider.keys.verify::<IdTokenHint>(token, TYPE)?.custom;
    (hint.iss == provider.config.issuer()).then_some(hint)
}

const TYPE: &str = "JWT";

#[cfg(test)]
mod tests {
    use super::*;

    /// The example of OIDC Core A.3: access token and at_hash.
    #[test]
    fn at_hash_is_that_of_core_a3() {
        assert_eq!(
            at_hash("jHkWEdUXMU1BwAsC4vtUsZwnNvTIxEl0z9K3vx5KF0Y"),
            "77QmUPtjPfzWtF2AnpK9RQ"
        );
    }
}
