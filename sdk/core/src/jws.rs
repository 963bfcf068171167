//! JSON Web Signatures in compact form (RFC 7515): taken apart, nothing believed yet.

use crate::{
    address::cut,
    base64url,
    error::{Code, Error, Result},
    json::{Value, read},
    text::Text,
};
use alloc::string::String;

/// The longest token that is looked at, in bytes.
const LONGEST: usize = 64 * 1024;

/// The signature algorithms that this client accepts (`id_token_signed_response_alg`): an
/// allow-list, so `none` and HMAC can never be reached by a header's wish.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Algorithm {
    Rs256,
    Es256,
}

impl Algorithm {
    /// OIDC Core 3.1.3.7 (7). `jku`, `jwk`, `x5u` and `x5c` are never read: the keys are the
    /// issuer's, not the token's.
    fn of(name: &str) -> Result<Self> {
        match name {
            "RS256" => Ok(Self::Rs256),
            "ES256" => Ok(Self::Es256),
            _ => Err(Error::new(Code::AlgorithmNotAllowed, "alg", "RS256 or ES256", name)),
        }
    }

    pub(crate) const fn as_str(self) -> &'static str {
        match self {
            Self::Rs256 => "RS256",
            Self::Es256 => "ES256",
        }
    }

    /// The hash that belongs to it (OIDC Core 3.1.3.6), by WebCrypto's name.
    pub(crate) const fn hash(self) -> &'static str {
        "SHA-256"
    }
}

/// A token in its parts. Header and payload are well-formed; the signature has not been checked.
#[derive(Clone, Debug)]
pub(crate) struct UntrustedJws {
    pub(crate) algorithm: Algorithm,
    pub(crate) key_id: Option<Text>,
    pub(crate) media_type: Option<Text>,
    /// What was signed: header and payload as they came.
    pub(crate) input: Text,
    /// In base64url.
    pub(crate) signature: Text,
    /// The claims.
    pub(crate) claims: Value,
    /// The claims as JSON text.
    pub(crate) claims_text: Text,
}

impl UntrustedJws {
    /// Takes a token apart (RFC 7515, 5.2, steps 1 to 7).
    pub(crate) fn parse(token: &str) -> Result<Self> {
        if token.len() > LONGEST {
            return Err(malformed("more than 64 KB"));
        }
        // Whatever has more parts than three has a dot left in the last, and no digit is a dot.
        let (header, rest) = cut(token, b'.').unwrap_or_default();
        let (payload, signature) = cut(rest, b'.').unwrap_or_default();
        let input = token.get(..header.len() + 1 + payload.len()).unwrap_or_default();
        let (Some((header, _)), Some((claims, claims_text))) = (object(header), object(payload))
        else {
            return Err(malformed("something else"));
        };
        // RFC 7515, 4.1.11: an extension that we do not know must not be ignored. We know none.
        // RFC 7797, 6: `b64` would change what was signed; without `crit` it is a mistake.
        if header.get("crit").is_some() || header.get("b64") == Some(&Value::Bool(false)) {
            return Err(malformed("critical header extensions"));
        }
        // Before the signature is looked at: `none` has none, and that is not what is wrong with it.
        let algorithm = Algorithm::of(header.str("alg").unwrap_or_default())?;
        let key_id = header.str("kid").map(Into::into);
        if key_id.is_none() && header.get("kid").is_some() {
            return Err(malformed("a `kid` that is no string"));
        }
        // Non-canonical base64url would let one signature have several spellings.
        if signature.is_empty() || base64url::decode(signature).is_none() {
            return Err(malformed("no signature"));
        }
        Ok(Self {
            algorithm,
            key_id,
            media_type: header.str("typ").map(Into::into),
            input: input.into(),
            signature: signature.into(),
            claims,
            claims_text,
        })
    }
}

/// A part of a token that holds a JSON object: the object, and its text.
fn object(part: &str) -> Option<(Value, Text)> {
    let bytes = base64url::decode(part)?;
    let value = read(&bytes).ok()?;
    if matches!(value, Value::Object(_)) {
        // Whatever can be read is UTF-8.
        String::from_utf8(bytes).ok().map(|text| (value, text.into()))
    } else {
        None
    }
}

fn malformed(found: &str) -> Error {
    Error::new(Code::TokenMalformed, "token", "a signed JWT", found)
}
