//! Logout tokens (OIDC Back-Channel Logout 1.0, 2.4).

use serde::Serialize;
use serde_json::{Value, json};

use crate::clock::Seconds;
use crate::config::Client;
use crate::keys::KeyError;
use crate::provider::Provider;
use crate::scenario;
use crate::secret::random_id;

/// There is no `nonce`: 2.4 forbids it, so that a logout token is never taken for an ID token.
#[derive(Clone, Debug, Serialize)]
struct Claims<'a> {
    iss: &'a str,
    sub: &'a str,
    aud: &'a str,
    iat: i64,
    exp: i64,
    jti: String,
    sid: &'a str,
    events: Value,
}

/// Which sign-out a logout token is about. A client with a server and a stream gets two tokens of
/// one sign-out.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct SignOut<'a> {
    /// The client's name for the session.
    pub(crate) sid: &'a str,
    /// 0 for the end of the session, which comes once; what is only told of a session that goes on
    /// is counted from 1.
    pub(crate) number: u64,
}

impl<'a> SignOut<'a> {
    /// The end of the session that the client knows as `sid`.
    pub(crate) const fn of(sid: &'a str) -> Self {
        Self { sid, number: 0 }
    }
}

/// Signs a logout token for one client, with the same algorithm as the client's ID tokens.
///
/// # Errors
/// When no token can be signed.
pub(crate) async fn issue_logout_token(
    provider: &Provider,
    client: &Client,
    sub: &str,
    about: SignOut<'_>,
) -> Result<String, KeyError> {
    let now = provider.clock.now();
    let claims = Claims {
        iss: provider.config.issuer(),
        sub,
        aud: &client.id,
        iat: now.seconds(),
        exp: now.plus(LOGOUT_TOKEN_LIFETIME).seconds(),
        jti: random_id().map_err(|_| KeyError::NotSigned)?,
        sid: about.sid,
        events: json!({ "http://schemas.openid.net/event/backchannel-logout": {} }),
    };
    let token = provider.keys.sign(client.id_token_signed_response_alg, TYPE, claims).await?;
    scenario::logout_token(provider, &client.id, about, token).await
}

/// Back-Channel Logout 1.0, 4: two minutes at most.
const LOGOUT_TOKEN_LIFETIME: Seconds = Seconds(120);

/// Back-Channel Logout 1.0, 2.4.
const TYPE: &str = "logout+jwt";
