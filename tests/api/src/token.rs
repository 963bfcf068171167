//! Access tokens (RFC 9068, 4): taken from the header, verified against the provider's keys.

use axum::http::{HeaderMap, header};
use jsonwebtoken::jwk::Jwk;
use jsonwebtoken::{Algorithm, DecodingKey, Header, Validation, decode, decode_header};
use serde::Deserialize;

use crate::provider::Provider;
use crate::refusal::Refusal;

/// The claims that must be there (RFC 9068, 2.2). `iss`, `aud` and `exp` are compared before.
#[derive(Debug, Deserialize)]
pub(crate) struct Claims {
    pub(crate) sub: String,
    pub(crate) client_id: String,
    pub(crate) exp: i64,
    #[serde(rename = "iat")]
    _iat: i64,
    #[serde(rename = "jti")]
    _jti: String,
    #[serde(default)]
    scope: String,
}

impl Claims {
    /// Is the scope among those granted?
    pub(crate) fn has_scope(&self, scope: &str) -> bool {
        self.scope.split(' ').any(|own| own == scope)
    }
}

/// The token of `Authorization: Bearer` (RFC 6750, 2.1): no other place, least of all the address.
///
/// # Errors
/// `Missing` or `Malformed`.
pub(crate) fn bearer(headers: &HeaderMap) -> Result<&str, Refusal> {
    let mut values = headers.get_all(header::AUTHORIZATION).iter();
    let value = values.next().ok_or(Refusal::Missing)?;
    if values.next().is_some() {
        return Err(Refusal::Malformed);
    }
    let (scheme, token) =
        value.to_str().ok().and_then(|text| text.split_once(' ')).ok_or(Refusal::Malformed)?;
    let token = token.trim();
    if !scheme.eq_ignore_ascii_case("bearer") || token.is_empty() {
        return Err(Refusal::Malformed);
    }
    Ok(token)
}

/// Verifies a token in the order of RFC 9068, 4.
///
/// # Errors
/// `Invalid` with what is wrong, or `Unreachable` when there are no keys to verify it with.
pub(crate) async fn verify(
    provider: &Provider,
    audience: &str,
    token: &str,
) -> Result<Claims, Refusal> {
    let header =
        decode_header(token).map_err(|_| Refusal::Invalid("the token is no signed JWT"))?;
    // An ID token of the same provider has the same keys: its type keeps it out.
    let is_access_token = header.typ.as_deref().is_some_and(|typ| {
        ["at+jwt", "application/at+jwt"].iter().any(|known| typ.eq_ignore_ascii_case(known))
    });
    if !is_access_token {
        return Err(Refusal::Invalid("the token is no access token (typ)"));
    }
    if !ALGORITHMS.contains(&header.alg) {
        return Err(Refusal::Invalid("the token's algorithm is not allowed"));
    }
    let key = provider.key(&header).await?;
    check(&header, &key, provider.issuer(), audience, token)
}

fn check(
    header: &Header,
    key: &Jwk,
    issuer: &str,
    audience: &str,
    token: &str,
) -> Result<Claims, Refusal> {
    let unusable = |_| Refusal::Invalid("the token's key cannot be used");
    let key = DecodingKey::from_jwk(key).map_err(unusable)?;
    let mut validation = Validation::new(header.alg);
    validation.set_issuer(&[issuer]);
    validation.set_audience(&[audience]);
    validation.set_required_spec_claims(&["exp", "iss", "aud", "sub"]);
    validation.leeway = LEEWAY;
    match decode::<Claims>(token, &key, &validation) {
        Ok(data) => Ok(data.claims),
        Err(error) => Err(Refusal::Invalid(reason(error.kind()))),
    }
}

fn reason(kind: &jsonwebtoken::errors::ErrorKind) -> &'static str {
    use jsonwebtoken::errors::ErrorKind;
    match kind {
        ErrorKind::InvalidSignature => "the token's signature is wrong",
        ErrorKind::ExpiredSignature => "the token has expired",
        ErrorKind::InvalidIssuer => "the token is of another provider",
        ErrorKind::InvalidAudience => "the token is not meant for this API",
        // The crate may get more kinds: none of them makes a token good.
        _ => "the token is not one of RFC 9068",
    }
}

/// What discovery says of this provider; `none` and shared secrets are never among them.
pub(crate) const ALGORITHMS: [Algorithm; 2] = [Algorithm::ES256, Algorithm::RS256];

/// Seconds by which two machines' clocks may differ.
const LEEWAY: u64 = 10;
