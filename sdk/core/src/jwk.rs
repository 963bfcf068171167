//! JSON Web Keys (RFC 7517): choosing the one key that fits a token.

use crate::{
    base64url,
    error::{Code, Error, Result},
    json::{Value, Writer, read},
    jws::{Algorithm, UntrustedJws},
    text::Text,
    wire::Raw,
};

/// The shortest RSA modulus accepted, 2048 bits (RFC 7518, 3.3), in bytes.
const SHORTEST_MODULUS: usize = 256;

/// A provider's key set, as it came.
#[derive(Clone, Debug)]
pub(crate) struct KeySet {
    document: Value,
    text: Text,
}

impl KeySet {
    /// Reads a key set (RFC 7517, 5).
    pub(crate) fn read(bytes: &[u8]) -> Result<Self> {
        match (read(bytes), core::str::from_utf8(bytes)) {
            (Ok(document), Ok(text))
                if document.get("keys").and_then(Value::as_array).is_some() =>
            {
                Ok(Self { document, text: text.into() })
            }
            _ => Err(Error::new(Code::KeysInvalid, "jwks_uri", "a JSON Web Key Set", "")),
        }
    }

    /// The set as it came.
    pub(crate) fn text(&self) -> &str {
        &self.text
    }

    /// The only key that fits the token: by `kid` if it names one, and by type, curve, `use`,
    /// `key_ops` and `alg` (OIDC Core 10.1, RFC 7517, 4).
    ///
    /// Two fitting keys are refused like none: trying each would let a provider's mistake, or a
    /// key that was added by somebody else, decide.
    pub(crate) fn choose(&self, token: &UntrustedJws) -> Option<Raw> {
        let keys = self.document.get("keys")?.as_array()?;
        let mut fitting = keys.iter().filter(|key| fits(key, token));
        let key = fitting.next()?;
        if fitting.next().is_some() {
            return None;
        }
        // Only public members cross to the browser, and only those of this key type.
        let members: &[&str] = match token.algorithm {
            Algorithm::Rs256 => &["kty", "n", "e"],
            Algorithm::Es256 => &["kty", "crv", "x", "y"],
        };
        let mut writer = Writer::default();
        writer.open('{');
        for name in members {
            writer.member(name, key.str(name)?);
        }
        writer.close('}');
        Some(Raw(writer.finish().into()))
    }
}

/// RFC 7518, 6.3.1.1: leading zeros must not be there, they would make a modulus look longer.
fn is_long_enough(modulus: &[u8]) -> bool {
    let first = modulus.first().copied().unwrap_or_default();
    modulus.len() > SHORTEST_MODULUS && first != 0
        || modulus.len() == SHORTEST_MODULUS && first >= 0x80
}

fn fits(key: &Value, token: &UntrustedJws) -> bool {
    let absent_or = |name, value| key.get(name).is_none_or(|found| found.as_str() == Some(value));
    let kind = match token.algorithm {
        Algorithm::Rs256 => {
            key.str("kty") == Some("RSA")
                && key.str("n").and_then(base64url::decode).is_some_and(|n| is_long_enough(&n))
        }
        Algorithm::Es256 => key.str("kty") == Some("EC") && key.str("crv") == Some("P-256"),
    };
    kind && token.key_id.as_deref().is_none_or(|key_id| key.str("kid") == Some(key_id))
        && absent_or("use", "sig")
        && absent_or("alg", token.algorithm.as_str())
        && key.get("key_ops").is_none_or(|operations| {
            operations
                .as_array()
                .is_some_and(|list| list.iter().any(|item| item.as_str() == Some("verify")))
        })
}
