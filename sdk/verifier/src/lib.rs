//! The second verifier: signatures of JSON Web Tokens by `jwt-compact` and pure Rust, where WebCrypto
//! is not there (plain http, and everything that is no browser) or lacks an algorithm.
//!
//! It shares no code with WebCrypto and none with the core, so a test that runs both over the same
//! vectors finds what one of them misread. It only verifies: no private key ever comes here, which is
//! also why the timing of private operations (RUSTSEC-2023-0071, of the `rsa` crate) is no matter.
//!
//! | algorithm | by |
//! |---|---|
//! | RS256, RS384, RS512, PS256, PS384, PS512 | `jwt-compact` over `rsa` |
//! | ES256 | `jwt-compact` over `p256` |
//! | ES384, ES512 | `p384` and `p521`, joined as an `Algorithm` of `jwt-compact` |
//! | EdDSA, Ed25519 | `jwt-compact` over `ed25519-compact` |
#![forbid(unsafe_code)]

#[cfg(feature = "module")]
#[allow(missing_docs, reason = "what wasm-bindgen makes has none")]
pub mod module;
mod nist;
#[cfg(all(target_arch = "wasm32", target_os = "unknown"))]
mod randomness;

use jwt_compact::{
    Algorithm, AlgorithmSignature,
    alg::{Ed25519, Es256, Rsa},
    jwk::JsonWebKey,
};
use nist::{Es384, Es512};
use sha2::{Digest as _, Sha256, Sha384, Sha512};

/// Why there is no verdict.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Failure {
    /// The algorithm or the hash is none of ours.
    Unsupported,
    /// The key is no key of this algorithm.
    BadKey,
}

/// Whether `signature` is that of `input`, by a public key (RFC 7517, JSON) and an algorithm as JOSE
/// names it (RFC 7518, 3.1; RFC 8037, 3.1; RFC 9864, 2.2).
///
/// Which keys and algorithms are agreed to is not judged here: that is the core's.
///
/// # Errors
/// [`Failure`], for whatever is not a verdict. No input makes it panic.
pub fn verify(algorithm: &str, key: &str, input: &[u8], signature: &[u8]) -> Result<bool, Failure> {
    match algorithm {
        "ES256" => by(&Es256, key, input, signature),
        "ES384" => by(&Es384, key, input, signature),
        "ES512" => by(&Es512, key, input, signature),
        "EdDSA" | "Ed25519" => by(&Ed25519, key, input, signature),
        _ => {
            let rsa: Rsa = algorithm.parse().map_err(|_| Failure::Unsupported)?;
            by(&rsa, key, input, signature)
        }
    }
}

/// The hash of `bytes`, by WebCrypto's name (FIPS 180-4).
///
/// # Errors
/// [`Failure::Unsupported`], for other names.
pub fn digest(algorithm: &str, bytes: &[u8]) -> Result<Vec<u8>, Failure> {
    match algorithm {
        "SHA-256" => Ok(Sha256::digest(bytes).to_vec()),
        "SHA-384" => Ok(Sha384::digest(bytes).to_vec()),
        "SHA-512" => Ok(Sha512::digest(bytes).to_vec()),
        _ => Err(Failure::Unsupported),
    }
}

fn by<A: Algorithm>(
    algorithm: &A,
    key: &str,
    input: &[u8],
    signature: &[u8],
) -> Result<bool, Failure>
where
    A::VerifyingKey: for<'a> TryFrom<&'a JsonWebKey<'a>>,
{
    let key: JsonWebKey<'_> = serde_json::from_str(key).map_err(|_| Failure::BadKey)?;
    let key = A::VerifyingKey::try_from(&key).map_err(|_| Failure::BadKey)?;
    // Some algorithms take only slices of the right length, and panic for others.
    if A::Signature::LENGTH.is_some_and(|length| length.get() != signature.len()) {
        return Ok(false);
    }
    let signature = A::Signature::try_from_slice(signature);
    Ok(signature.is_ok_and(|signature| algorithm.verify_signature(&signature, &key, input)))
}
