//! Tokens and keys of the simulated provider.
//!
//! A signature is a hash of the signing input under a word that belongs to the key: who has the word
//! can sign, and the world, which knows all words, can check. What real signatures are like is for
//! the tests with real ones; here it only matters which are right, and a hash is cheap and the same
//! in every run.

use gatepass_core::base64url::{decode, encode};
use serde_json::{Value, json};
use sha2::{Digest as _, Sha256};

pub(crate) fn sha256(text: &str) -> [u8; 32] {
    Sha256::digest(text.as_bytes()).into()
}

/// A key by its number; whoever has the number can sign.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Key(pub(crate) u32);

/// The number of a key that the provider never publishes.
pub(crate) const STRANGER: Key = Key(u32::MAX);

impl Key {
    fn member(self, name: &str) -> String {
        encode(&sha256(&format!("{name} of {}", self.0)))
    }

    pub(crate) fn id(self) -> String {
        format!("key-{}", self.0)
    }

    pub(crate) fn jwk(self) -> Value {
        json!({
            "kty": "EC", "crv": "P-256", "kid": self.id(), "use": "sig", "alg": "ES256",
            "x": self.member("x"), "y": self.member("y"),
        })
    }

    /// 64 bytes, as ES256 has (RFC 7518, 3.4).
    fn sign(self, input: &str) -> String {
        let half = |part: &str| sha256(&format!("{part} {} {input}", self.member("word")));
        encode(&[half("r"), half("s")].concat())
    }

    /// Whether the signature is of the key with this public half, which is one of the first `known`.
    pub(crate) fn verify(known: u32, jwk: &str, input: &str, signature: &str) -> bool {
        let jwk: Value = serde_json::from_str(jwk).unwrap_or_default();
        let mut keys = (0..known).map(Key).chain([STRANGER]);
        keys.find(|key| jwk["x"] == key.member("x")).is_some_and(|key| key.sign(input) == signature)
    }
}

/// A JSON Web Token before its signature.
pub(crate) struct Draft {
    pub(crate) kind: &'static str,
    pub(crate) claims: Value,
    /// The key that it says it is signed with.
    pub(crate) names: Key,
    /// The key that it is signed with, if it is.
    pub(crate) key: Option<Key>,
}

impl Draft {
    pub(crate) const fn new(key: Key, kind: &'static str, claims: Value) -> Self {
        Self { kind, claims, names: key, key: Some(key) }
    }

    /// The token, and its claims as they stand in it.
    pub(crate) fn sign(self) -> (String, String) {
        let algorithm = if self.key.is_some() { "ES256" } else { "none" };
        let header = json!({ "alg": algorithm, "kid": self.names.id(), "typ": self.kind });
        let claims = self.claims.to_string();
        let input =
            format!("{}.{}", encode(header.to_string().as_bytes()), encode(claims.as_bytes()));
        let signature = self.key.map(|key| key.sign(&input)).unwrap_or_default();
        (format!("{input}.{signature}"), claims)
    }
}

/// The claims of a token or of a signing input, as they stand in it.
pub(crate) fn claims_of(token: &str) -> Option<String> {
    let bytes = decode(token.split('.').nth(1)?)?;
    String::from_utf8(bytes).ok()
}

/// A member of a JSON text.
pub(crate) fn member(text: &str, name: &str) -> Option<Value> {
    let mut value: Value = serde_json::from_str(text).ok()?;
    value.get_mut(name).map(Value::take)
}

/// Which grant the provider gave a token for: it is in its name.
pub(crate) fn grant_of(token: &str) -> Option<usize> {
    token.split('-').nth(1)?.parse().ok()
}
