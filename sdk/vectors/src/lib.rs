//! Signatures of known verdict: the examples of the RFCs, and Wycheproof's vectors for every
//! algorithm that JOSE and the client share.
//!
//! One set for all who verify: the portable verifier natively, the same as wasm, and WebCrypto in a
//! browser. Each line is a vector: name, algorithm, JWK, input and signature in base64url, verdict.
//! And JSON documents, for the reader natively and as wasm.

use base64ct::{Base64UrlUnpadded, Encoding as _};

mod examples;
mod json;

pub use examples::{PKCE_CHALLENGE, PKCE_VERIFIER};
pub use json::JSON;

/// What a verifier must say.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Verdict {
    /// The signature is right.
    Right,
    /// It is wrong.
    Wrong,
    /// Well-kept verifiers differ: ours must not.
    Either,
}

/// A signature and what belongs to it.
#[derive(Clone, Debug)]
pub struct Vector {
    /// Where it comes from: an RFC's section, or Wycheproof's number.
    pub name: String,
    /// As `alg` has it (RFC 7518, 3.1).
    pub algorithm: &'static str,
    /// A public JSON Web Key.
    pub key: &'static str,
    /// What was signed. Not always text in Wycheproof's vectors.
    pub input: Vec<u8>,
    /// In base64url.
    pub signature: &'static str,
    /// What it is.
    pub verdict: Verdict,
}

/// All of them.
///
/// # Panics
/// Never: the lines are written by this crate.
#[must_use]
pub fn all() -> Vec<Vector> {
    let mut all = rfc();
    all.extend(WYCHEPROOF.lines().filter_map(|line| read(line, "Wycheproof ")));
    all
}

/// The examples of the RFCs 7515, 7520 and 8037.
#[must_use]
pub fn rfc() -> Vec<Vector> {
    examples::LINES.iter().filter_map(|line| read(line, "RFC ")).collect()
}

/// The bytes that a text in base64url stands for.
#[must_use]
pub fn decode(text: &str) -> Option<Vec<u8>> {
    Base64UrlUnpadded::decode_vec(text).ok()
}

fn read(line: &'static str, source: &str) -> Option<Vector> {
    let mut parts = line.split('\t');
    let (number, algorithm, key) = (parts.next()?, parts.next()?, parts.next()?);
    let (input, signature, verdict) = (parts.next()?, parts.next()?, parts.next()?);
    Some(Vector {
        name: format!("{source}{number} ({algorithm})"),
        algorithm,
        key,
        input: decode(input)?,
        signature,
        verdict: match verdict {
            "right" => Verdict::Right,
            "wrong" => Verdict::Wrong,
            "either" => Verdict::Either,
            _ => return None,
        },
    })
}

const WYCHEPROOF: &str = include_str!(concat!(env!("OUT_DIR"), "/wycheproof.txt"));

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_line_is_read() {
        assert_eq!(rfc().len(), examples::LINES.len());
        assert_eq!(all().len(), examples::LINES.len() + WYCHEPROOF.lines().count());
    }

    #[test]
    fn every_algorithm_has_right_and_wrong_ones() {
        let all = all();
        for algorithm in [
            "RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512",
            "EdDSA",
        ] {
            let count = |verdict| {
                all.iter().filter(|it| it.algorithm == algorithm && it.verdict == verdict).count()
            };
            assert!(count(Verdict::Right) > 10, "{algorithm}");
            assert!(count(Verdict::Wrong) > 30, "{algorithm}");
        }
    }
}
