//! Token responses, read without a check.

use base64ct::{Base64UrlUnpadded, Encoding};
use serde_json::Value;

/// A token response.
#[derive(Clone)]
pub(crate) struct Tokens(pub(crate) Value);

impl Tokens {
    pub(crate) fn access(&self) -> &str {
        self.0["access_token"].as_str().unwrap()
    }

    pub(crate) fn refresh(&self) -> &str {
        self.0["refresh_token"].as_str().unwrap()
    }

    pub(crate) fn id(&self) -> &str {
        self.0["id_token"].as_str().unwrap()
    }

    pub(crate) fn claims(&self) -> Value {
        part(self.id(), 1)
    }
}

/// A part of a JWT, unverified: 0 is the header, 1 the payload.
pub(crate) fn part(token: &str, at: usize) -> Value {
    let text = token.split('.').nth(at).unwrap();
    serde_json::from_slice(&Base64UrlUnpadded::decode_vec(text).unwrap()).unwrap()
}
