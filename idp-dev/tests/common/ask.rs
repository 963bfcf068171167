//! Authorization requests.

use super::{CHALLENGE, HOOLI, PIPER, encoded};

/// What every authorization request has; changed by name.
#[derive(Clone)]
pub(crate) struct Ask(Vec<(String, String)>);

impl Ask {
    pub(crate) fn piper() -> Self {
        Self::of("pied-piper", PIPER)
    }

    pub(crate) fn hooli() -> Self {
        Self::of("hooli", HOOLI)
    }

    fn of(client: &str, redirect_uri: &str) -> Self {
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

    pub(crate) fn query(&self) -> String {
        let pairs: Vec<(&str, &str)> = self.0.iter().map(|(n, v)| (&**n, &**v)).collect();
        encoded(&pairs)
    }

    pub(crate) fn path(&self) -> String {
        format!("/authorize?{}", self.query())
    }
}
