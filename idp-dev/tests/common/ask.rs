//! Authorization requests.

use super::encoded;
use super::registered::{CHALLENGE, HOOLI, PIPER};

/// What every authorization request has; changed by name.
#[derive(Clone)]
pub(crate) struct Ask(pub(crate) Vec<(String, String)>);

impl Ask {
    pub(crate) fn piper() -> Self {
        Self::of("pied-piper", PIPER)
    }

    pub(crate) fn hooli() -> Self {
        Self::of("hooli", HOOLI)
    }

    pub(crate) fn of(client: &str, redirect_uri: &str) -> Self {
        let params = [
            ("response_type", "code"),
            ("client_id", client),
            ("redirect_uri", redirect_uri),
            ("scope", "openid profile email"),
            ("state", "the-state"),
            ("nonce", "the-nonce"),
            ("code_challenge", CHALLENGE),
            ("code_challenge_method", "S256"),
        ];
        Self(params.map(|(n, v)| (n.to_owned(), v.to_owned())).to_vec())
    }

    pub(crate) fn set(mut self, name: &str, value: &str) -> Self {
        self.0.retain(|(n, _)| n != name);
        self.0.push((name.to_owned(), value.to_owned()));
        self
    }

    pub(crate) fn without(mut self, name: &str) -> Self {
        self.0.retain(|(n, _)| n != name);
        self
    }

    /// Adds a parameter even if it is there already.
    pub(crate) fn also(mut self, name: &str, value: &str) -> Self {
        self.0.push((name.to_owned(), value.to_owned()));
        self
    }

    pub(crate) fn pairs(&self) -> Vec<(&str, &str)> {
        self.0.iter().map(|(name, value)| (&**name, &**value)).collect()
    }

    pub(crate) fn query(&self) -> String {
        encoded(&self.pairs())
    }

    pub(crate) fn path(&self) -> String {
        format!("/authorize?{}", self.query())
    }
}
