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

/// How many keys a set may have: all of them are looked at for each token.
const MOST_KEYS: usize = 1000;

/// A provider's key set, as it came.
#[derive(Clone, Debug)]
pub(crate) struct KeySet {
    document: Value,
    text: Text,
}

impl KeySet {
    /// Reads a key set (RFC 7517, 5).
    pub(crate) fn read(bytes: &[u8]) -> Result<Self> {
        let document = read(bytes).ok();
        let keys = document.as_ref().and_then(|document| document.get("keys")?.as_array());
        let count = keys.map_or(usize::MAX, <[Value]>::len);
        match (document, core::str::from_utf8(bytes)) {
            (Some(document), Ok(text)) if count <= MOST_KEYS => {
                Ok(Self { document, text: text.into() })
            }
            _ => {
                let expected = "a JSON Web Key Set of 1,000 keys at most";
                Err(Error::new(Code::KeysInvalid, "jwks_uri", expected, "another document"))
            }
        }
    }

    /// The set as it came.
    pub(crate) fn text(&self) -> &str {
        &self.text
    }

    /// The only key that fits the token: by `kid` if it names one, and by type, curve, `use`,
    /// `key_ops` and `alg` (OIDC Core 10.1, RFC 7517, 4).
    ///
    /// Two fitting keys are refused like none, with a `kid` (that must be unique) and without (that
    /// may be left out of a token only where there is one key): trying each would let a provider's
    /// mistake, or a key that was added by somebody else, decide.
    pub(crate) fn choose(&self, token: &UntrustedJws) -> Result<Raw> {
        let keys = self.document.get("keys").and_then(Value::as_array).unwrap_or_default();
        let mut fitting = keys.iter().filter(|key| fits(key, token));
        match (fitting.next(), fitting.next()) {
            (Some(key), None) => public_key(key, token.algorithm).ok_or_else(|| not_found(token)),
            (Some(_), Some(_)) => {
                Err(Error::new(Code::KeyNotFound, "kid", ONE_KEY, "several that fit"))
            }
            _ => Err(not_found(token)),
        }
    }
}

const ONE_KEY: &str = "one fitting key";

/// There is no key for `token`.
pub(crate) fn not_found(token: &UntrustedJws) -> Error {
    Error::new(Code::KeyNotFound, "kid", ONE_KEY, token.key_id.as_deref().unwrap_or_default())
}

/// The members that make the public key: no others cross to the browser.
fn public_key(key: &Value, algorithm: &Algorithm) -> Option<Raw> {
    let mut writer = Writer::default();
    writer.open('{');
    writer.member("kty", algorithm.key_type);
    for name in algorithm.members {
        writer.member(name, key.str(name)?);
    }
    writer.close('}');
    Some(Raw(writer.finish().into()))
}

/// Whether `key` may verify `token`.
fn fits(key: &Value, token: &UntrustedJws) -> bool {
    let algorithm = token.algorithm;
    is_of_type(key, algorithm)
        && token.key_id.as_deref().is_none_or(|key_id| key.str("kid") == Some(key_id))
        && absent_or(key, "use", "sig")
        && (absent_or(key, "alg", algorithm.name)
            // RFC 9864, 2.2: one algorithm by two names; the key may say the other one.
            || algorithm.key_type == "OKP"
                && matches!(key.str("alg"), Some("EdDSA" | "Ed25519")))
        && may_verify(key)
        && is_public(key)
        && (algorithm.key_type != "RSA" || is_strong(key))
}

/// RFC 7517, 4.1; RFC 7518, 6.2.1.1; RFC 8037, 2: type and curve are those of the algorithm.
fn is_of_type(key: &Value, algorithm: &Algorithm) -> bool {
    key.str("kty") == Some(algorithm.key_type)
        && (algorithm.curve.is_empty() || key.str("crv") == Some(algorithm.curve))
}

/// RFC 7517, 4.2 and 4.4: a key that says what it is for is for nothing else.
fn absent_or(key: &Value, name: &str, value: &str) -> bool {
    key.get(name).is_none_or(|found| found.as_str() == Some(value))
}

/// RFC 7517, 4.3.
fn may_verify(key: &Value) -> bool {
    key.get("key_ops").is_none_or(|operations| {
        let mut operations = operations.as_array().unwrap_or_default().iter();
        operations.any(|operation| operation.as_str() == Some("verify"))
    })
}

/// OIDC Discovery 3, `jwks_uri`: no private values. Whoever read the set could sign by such a key, so
/// it proves nothing. `d` is the private member of all three types (RFC 7518, 6.2.2 and 6.3.2; RFC
/// 8037, 2); a symmetric key is of no type that fits.
fn is_public(key: &Value) -> bool {
    key.get("d").is_none()
}

/// RFC 7518, 3.3 and 3.5: 2048 bits or more. RFC 8017, 3.1: the exponent is at least 3; by 1 every
/// signature would be right that merely looks like its message. It is odd: an even one has no inverse,
/// so that no RSA key has it.
fn is_strong(key: &Value) -> bool {
    let number = |name| key.str(name).and_then(base64url::decode).unwrap_or_default();
    let is_sound = match number("e").as_slice() {
        [] | [1] | [0, ..] => false,
        [.., last] => last % 2 == 1,
    };
    is_sound && is_long_enough(&number("n"))
}

/// RFC 7518, 6.3.1.1: leading zeros must not be there, they would make a modulus look longer.
fn is_long_enough(modulus: &[u8]) -> bool {
    let first = modulus.first().copied().unwrap_or_default();
    modulus.len() > SHORTEST_MODULUS && first != 0
        || modulus.len() == SHORTEST_MODULUS && first >= 0x80
}

#[cfg(test)]
mod tests {
    use super::is_long_enough;

    #[test]
    fn rp12_a_modulus_has_2048_bits_at_least() {
        let modulus = |first: u8, length: usize| {
            let mut modulus = std::vec![0xff; length];
            modulus[0] = first;
            is_long_enough(&modulus)
        };
        assert!(modulus(0x80, 256) && modulus(0xff, 256));
        assert!(modulus(1, 257) && modulus(0x80, 384) && modulus(1, 512));
        assert!(!modulus(0x7f, 256) && !modulus(0xff, 255) && !modulus(0xff, 128));
        // Zeros in front make no bits.
        assert!(!modulus(0, 256) && !modulus(0, 257) && !modulus(0, 512));
        assert!(!is_long_enough(&[]));
    }
}
