//! Claims about a person, by granted scope (OIDC Core 5.4).

use serde_json::{Map, Value, json};

use crate::config::User;

/// What `scopes` let a client know, besides `sub`.
pub(crate) fn granted_claims(user: &User, scopes: &[String]) -> Map<String, Value> {
    let has = |scope: &str| scopes.iter().any(|own| own == scope);
    let mut claims = Map::new();
    if has("profile") {
        claims.extend(user.claims.clone());
        // Core 5.4: these two belong to another scope, wherever they were configured.
        claims.remove("email");
        claims.remove("email_verified");
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

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use super::*;
    use crate::config::Config;

    fn user(claims: &str) -> Arc<User> {
        let text = Config::EXAMPLE.replacen("claims = {", &format!("claims = {{ {claims}, "), 1);
        let config = Config::parse("idp.toml", &text).unwrap();
        config.user("richard").unwrap().clone()
    }

    fn names(user: &User, scopes: &[&str]) -> Vec<String> {
        let scopes: Vec<String> = scopes.iter().map(|scope| (*scope).to_owned()).collect();
        granted_claims(user, &scopes).keys().cloned().collect()
    }

    #[test]
    fn op23_each_scope_gives_its_own_claims() {
        let user = user("zoneinfo = \"Europe/Berlin\"");
        assert_eq!(names(&user, &["openid"]), Vec::<String>::new());
        assert_eq!(names(&user, &["openid", "email"]), ["email", "email_verified"]);
        let profile = names(&user, &["openid", "profile"]);
        assert!(profile.contains(&"zoneinfo".to_owned()) && profile.contains(&"name".to_owned()));
        assert!(!profile.contains(&"email".to_owned()));
    }

    #[test]
    fn op23_configured_claims_cannot_change_what_a_token_is_about() {
        let user = user("sub = \"x\", aud = \"x\", exp = 1, email = \"x\", name = \"x\"");
        let claims = granted_claims(&user, &["profile".to_owned()]);
        assert_eq!(claims["name"], "Richard Hendricks");
        for reserved in ["sub", "aud", "exp", "email"] {
            assert_eq!(claims.get(reserved), None, "{reserved}");
        }
    }
}
