//! Claims about a person, by granted scope (OIDC Core 5.4).

use serde_json::{Map, Value, json};

use crate::config::User;

/// What `scopes` let a client know, besides `sub`.
pub(crate) fn granted_claims(user: &User, scopes: &[String]) -> Map<String, Value> {
    let has = |scope: &str| scopes.iter().any(|own| own == scope);
    let mut claims = Map::new();
    if has("profile") {
        claims.extend(user.claims.clone());
        claims.insert("name".to_owned(), json!(user.name));
        claims.insert("preferred_username".to_owned(), json!(user.username));
    }
    if has("email") {
        claims.insert("email".to_owned(), json!(user.email));
        claims.insert("email_verified".to_owned(), json!(true));
    }
    // A `claims` table of the configuration must not change what a token is about.
    for reserved in RESERVED {
        claims.remove(reserved);
    }
    claims
}

/// Claims that only the protocol sets.
const RESERVED: [&str; 14] = [
    "iss",
    "sub",
    "aud",
    "exp",
    "iat",
    "nbf",
    "jti",
    "auth_time",
    "nonce",
    "acr",
    "amr",
    "azp",
    "sid",
    "at_hash",
];

/// Scopes of discovery, in its order.
pub(crate) const SCOPES: [&str; 4] = ["openid", "profile", "email", "offline_access"];

/// Claims of discovery.
pub(crate) const CLAIMS: [&str; 17] = [
    "iss",
    "sub",
    "aud",
    "exp",
    "iat",
    "auth_time",
    "nonce",
    "acr",
    "amr",
    "sid",
    "at_hash",
    "name",
    "preferred_username",
    "given_name",
    "family_name",
    "email",
    "email_verified",
];
