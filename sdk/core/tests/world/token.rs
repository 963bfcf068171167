//! Tokens on their way to be signed: everything about them can be made wrong.

use gatepass_core::base64url::encode;
use serde_json::{Map, Value, json};

use super::keys::Key;

/// Makes a signature of a signing input.
type Signer = Box<dyn Fn(&str) -> Vec<u8>>;

/// A JSON Web Token before its signature.
pub struct Draft {
    pub header: Map<String, Value>,
    pub claims: Map<String, Value>,
    /// Takes the claims' place: for what a `Map` cannot hold.
    pub claims_text: Option<String>,
    /// Takes the header's place.
    pub header_text: Option<String>,
    pub key: &'static Key,
    /// Signs instead of the key.
    pub sign: Option<Signer>,
    /// Changes the finished token.
    pub finish: Option<Box<dyn Fn(String) -> String>>,
}

impl Draft {
    pub fn new(key: &'static Key, claims: Value) -> Self {
        let header = json!({ "alg": key.algorithm, "kid": key.id, "typ": "JWT" });
        Self {
            header: header.as_object().unwrap().clone(),
            claims: claims.as_object().unwrap().clone(),
            claims_text: None,
            header_text: None,
            key,
            sign: None,
            finish: None,
        }
    }

    pub fn sign(self) -> String {
        let header = self.header_text.unwrap_or_else(|| Value::Object(self.header).to_string());
        let claims = self.claims_text.unwrap_or_else(|| Value::Object(self.claims).to_string());
        let input = format!("{}.{}", encode(header.as_bytes()), encode(claims.as_bytes()));
        let signature = self.sign.map_or_else(|| self.key.sign(&input), |sign| sign(&input));
        let token = format!("{input}.{}", encode(&signature));
        match self.finish {
            Some(finish) => finish(token),
            None => token,
        }
    }

    /// Sets a claim; `null` takes it away.
    pub fn claim(&mut self, name: &str, value: Value) {
        if value.is_null() {
            self.claims.remove(name);
        } else {
            self.claims.insert(name.into(), value);
        }
    }

    /// Sets a header; `null` takes it away.
    pub fn header(&mut self, name: &str, value: Value) {
        if value.is_null() {
            self.header.remove(name);
        } else {
            self.header.insert(name.into(), value);
        }
    }

    /// The claim `name` a second time, with another value.
    pub fn duplicate(&mut self, name: &str, value: &Value) {
        let text = Value::Object(self.claims.clone()).to_string();
        let member = format!("{}:{value},", Value::String(name.into()));
        self.claims_text = Some(text.replacen('{', &format!("{{{member}"), 1));
    }
}
