//! JSON Web Signatures in compact form (RFC 7515): taken apart, nothing believed yet.

use crate::{
    address::{cut, has_word},
    base64url,
    error::{Code, Error, Result},
    json::{Value, read},
    text::Text,
};
use alloc::string::String;

/// The longest token that is looked at, in bytes.
const LONGEST: usize = 64 * 1024;

/// A signature algorithm (RFC 7518, 3.1; RFC 8037, 3.1; RFC 9864, 2), and what a key for it looks like.
#[derive(Debug)]
pub(crate) struct Algorithm {
    /// By JOSE's name.
    pub(crate) name: &'static str,
    /// `kty` of its keys.
    pub(crate) key_type: &'static str,
    /// `crv` of its keys; empty if they have none.
    pub(crate) curve: &'static str,
    /// The members that make such a public key, `kty` aside.
    pub(crate) members: &'static [&'static str],
    /// The hash that belongs to it (OIDC Core 3.1.3.6), by WebCrypto's name. Ed25519 names none in
    /// its header; the one that it uses inside is SHA-512 (RFC 8032, 5.1).
    pub(crate) hash: &'static str,
}

/// What the client is taken to be registered for if it does not say
/// (`id_token_signed_response_alg`): all that there is.
pub(crate) const ALL: &str = "RS256 RS384 RS512 PS256 PS384 PS512 ES256 ES384 ES512 EdDSA Ed25519";

/// The algorithms that can be accepted at all: an allow-list, so that `none` and HMAC can never be
/// reached, neither by a header's wish nor by configuration.
static ALGORITHMS: [Algorithm; 11] = [
    rsa("RS256", "SHA-256"),
    rsa("RS384", "SHA-384"),
    rsa("RS512", "SHA-512"),
    rsa("PS256", "SHA-256"),
    rsa("PS384", "SHA-384"),
    rsa("PS512", "SHA-512"),
    elliptic("ES256", "P-256", "SHA-256"),
    elliptic("ES384", "P-384", "SHA-384"),
    elliptic("ES512", "P-521", "SHA-512"),
    edwards("EdDSA"),
    edwards("Ed25519"),
];

const fn rsa(name: &'static str, hash: &'static str) -> Algorithm {
    Algorithm { name, key_type: "RSA", curve: "", members: &["n", "e"], hash }
}

const fn elliptic(name: &'static str, curve: &'static str, hash: &'static str) -> Algorithm {
    Algorithm { name, key_type: "EC", curve, members: &["crv", "x", "y"], hash }
}

/// RFC 9864, 2.2: `Ed25519` says in full what `EdDSA` says of a key of this curve.
const fn edwards(name: &'static str) -> Algorithm {
    let members = &["crv", "x"];
    Algorithm { name, key_type: "OKP", curve: "Ed25519", members, hash: "SHA-512" }
}

/// Whether all of these words, and at least one, name algorithms that there are.
pub(crate) fn are_algorithms(words: &str) -> bool {
    let (first, rest) = cut(words, b' ').map_or((words, None), |(word, rest)| (word, Some(rest)));
    algorithm(first).is_some() && rest.is_none_or(are_algorithms)
}

/// The algorithm of this name, if there is one.
fn algorithm(name: &str) -> Option<&'static Algorithm> {
    ALGORITHMS.iter().find(|algorithm| algorithm.name == name)
}

/// OIDC Core 3.1.3.7 (7): the algorithm is one that the client was registered for, by the words of
/// `allowed`. `jku`, `jwk`, `x5u` and `x5c` are never read: the keys are the issuer's, not the
/// token's.
fn rule_7_alg(header: &Value, allowed: &str) -> Result<&'static Algorithm> {
    let name = header.str("alg").unwrap_or_default();
    match algorithm(name) {
        Some(algorithm) if has_word(allowed, name) => Ok(algorithm),
        _ => Err(Error::new(Code::AlgorithmNotAllowed, "alg", allowed, name)),
    }
}

/// RFC 7515, 4.1.11: an extension that we do not know must not be ignored, and we know none.
fn no_critical_extension(header: &Value) -> Result<()> {
    match header.get("crit") {
        None => Ok(()),
        Some(_) => Err(malformed("critical header extensions")),
    }
}

/// RFC 7797, 6: `b64` would change what was signed. Without `crit` it must not stand there; true
/// changes nothing.
fn payload_is_encoded(header: &Value) -> Result<()> {
    match header.get("b64") {
        None | Some(Value::Bool(true)) => Ok(()),
        Some(_) => Err(malformed("an unencoded payload")),
    }
}

/// RFC 7515, 4.1.4 and 4.1.9: `kid` and `typ` are strings.
fn header_text(header: &Value, name: &str) -> Result<Option<Text>> {
    match header.get(name) {
        None => Ok(None),
        Some(Value::String(text)) => Ok(Some(text.as_str().into())),
        Some(_) => Err(malformed("a header that is no string")),
    }
}

/// A token in its parts. Header and payload are well-formed; the signature has not been checked.
#[derive(Clone, Debug)]
pub(crate) struct UntrustedJws {
    pub(crate) algorithm: &'static Algorithm,
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
    /// Takes a token apart (RFC 7515, 5.2, steps 1 to 7); `allowed` are the names of the algorithms
    /// that it may be signed with.
    pub(crate) fn parse(token: &str, allowed: &str) -> Result<Self> {
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
        no_critical_extension(&header)?;
        payload_is_encoded(&header)?;
        // Before the signature is looked at: `none` has none, and that is not what is wrong with it.
        let algorithm = rule_7_alg(&header, allowed)?;
        let key_id = header_text(&header, "kid")?;
        let media_type = header_text(&header, "typ")?;
        // Non-canonical base64url would let one signature have several spellings.
        if signature.is_empty() || base64url::decode(signature).is_none() {
            return Err(malformed("no signature"));
        }
        Ok(Self {
            algorithm,
            key_id,
            media_type,
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
