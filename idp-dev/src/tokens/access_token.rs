//! Access tokens: JWTs by RFC 9068, good for UserInfo, session events and the client's audiences.

use serde::{Deserialize, Serialize};

use crate::clock::UnixTime;
use crate::config::{Client, User};
use crate::keys::{KeyError, SigningAlg};
use crate::provider::Provider;
use crate::secret::random_id;
use crate::store::Grant;

/// Scopes as they stand in tokens and answers: names with one space between.
pub(crate) struct Scope;

impl Scope {
    pub(crate) fn join(scopes: &[String]) -> String {
        scopes.join(" ")
    }
}

/// RFC 9068, 2.2.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Claims {
    iss: String,
    sub: String,
    aud: Vec<String>,
    client_id: String,
    scope: String,
    jti: String,
    /// The client's name for the session, so that a late stream can be told that it is over.
    sid: String,
    auth_time: i64,
    acr: String,
    #[serde(flatten)]
    times: Times,
}

/// Written by us; read back through jwt-compact's own fields.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
struct Times {
    #[serde(default, skip_deserializing)]
    iat: i64,
    #[serde(default, skip_deserializing)]
    exp: i64,
}

/// An access token of ours whose signature, type and issuer are right. It may have
/// expired and its grant may be revoked: the caller looks.
#[derive(Clone, Debug)]
pub(crate) struct AccessToken {
    pub(crate) client_id: String,
    pub(crate) sid: String,
    /// The grant it came from.
    pub(crate) grant: String,
    pub(crate) sub: String,
    pub(crate) audiences: Vec<String>,
    pub(crate) jti: String,
    pub(crate) scope: String,
    pub(crate) auth_time: i64,
    pub(crate) acr: String,
    pub(crate) issued: UnixTime,
    pub(crate) expires: UnixTime,
}

impl AccessToken {
    /// Is `scope` among those granted?
    pub(crate) fn has_scope(&self, scope: &str) -> bool {
        self.scope.split(' ').any(|own| own == scope)
    }

    /// RFC 7519, 4.1.4: not valid on or after `exp`.
    pub(crate) fn has_expired(&self, now: UnixTime) -> bool {
        self.expires <= now
    }
}

/// Signs an access token for a grant, with `scopes` of it, for one resource or all of the client's.
///
/// Always ES256: its readers are this provider and the client's own servers, and a signature costs
/// a fortieth of RS256.
///
/// # Errors
/// When no token can be signed.
pub(crate) async fn issue_access_token(
    provider: &Provider,
    client: &Client,
    user: &User,
    grant: &Grant,
    scopes: &[String],
    resource: Option<&str>,
) -> Result<String, KeyError> {
    let now = provider.clock.now();
    // RFC 9068, 3: a token that was asked for one resource is for that alone, not for UserInfo.
    let aud = match resource {
        Some(resource) => vec![resource.to_owned()],
        None => {
            let issuer = provider.config.issuer().to_owned();
            core::iter::once(issuer).chain(client.audiences.iter().cloned()).collect()
        }
    };
    let unique = random_id().map_err(|_| KeyError::NotSigned)?;
    let claims = Claims {
        iss: provider.config.issuer().to_owned(),
        sub: user.sub.clone(),
        aud,
        client_id: client.id.clone(),
        scope: Scope::join(scopes),
        // The grant's id inside makes revocation one look-up, without a list of all tokens.
        jti: format!("{}.{unique}", grant.id),
        sid: grant.sid.clone(),
        auth_time: grant.auth_time.seconds(),
        acr: grant.acr.to_string(),
        times: Times { iat: now.seconds(), exp: now.plus(client.access_token_lifetime).seconds() },
    };
    provider.keys.sign(SigningAlg::Es256, TYPE, claims).await
}

/// Reads an access token that this provider is to answer for (RFC 9068, 4): it is in `aud`.
pub(crate) fn read_own_access_token(provider: &Provider, token: &str) -> Option<AccessToken> {
    let is_own = |token: &AccessToken| {
        token.audiences.iter().any(|audience| audience == provider.config.issuer())
    };
    read_access_token(provider, token).filter(is_own)
}

/// Reads an access token that this provider has issued (RFC 9068, 4): `typ`, signature, `iss`.
pub(crate) fn read_access_token(provider: &Provider, token: &str) -> Option<AccessToken> {
    let verified = provider.keys.verify::<Claims>(token, TYPE)?;
    let expires = verified.expiration?.timestamp();
    let issued = verified.issued_at?.timestamp();
    let claims = verified.custom;
    if claims.iss != provider.config.issuer() {
        return None;
    }
    let (grant, _) = claims.jti.split_once('.')?;
    Some(AccessToken {
        client_id: claims.client_id,
        sid: claims.sid,
        grant: grant.to_owned(),
        sub: claims.sub,
        audiences: claims.aud,
        scope: claims.scope,
        auth_time: claims.auth_time,
        acr: claims.acr,
        issued: UnixTime::from_seconds(issued),
        expires: UnixTime::from_seconds(expires),
        jti: claims.jti,
    })
}

/// RFC 9068, 2.1.
const TYPE: &str = "at+jwt";
