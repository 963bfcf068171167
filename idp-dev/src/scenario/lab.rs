//! Keys that lies are signed with: made when they are needed, one of a kind for each issuer.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED_SIGNING, ECDSA_P384_SHA384_FIXED_SIGNING,
    ECDSA_P521_SHA512_FIXED_SIGNING, EcdsaKeyPair, EcdsaSigningAlgorithm, Ed25519KeyPair,
    KeyPair as _, RSA_PKCS1_SHA256, RSA_PKCS1_SHA384, RSA_PKCS1_SHA512, RSA_PSS_SHA256,
    RsaEncoding,
};
use serde_json::{Value, json};

use super::fault::Sign;
use crate::keys::{KeyError, RsaKeyPair, SigningAlg};
use crate::secret::{Digest, base64url, random_bytes};

/// The keys of one issuer, and those that it has signed with.
#[derive(Default)]
pub(super) struct Lab {
    keys: Mutex<BTreeMap<Kind, Arc<Key>>>,
    used: Mutex<Vec<Value>>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Kind {
    Rsa,
    WeakRsa,
    RsaExponentOne,
    P256,
    P384,
    P521,
    Ed25519,
}

enum Key {
    Rsa(RsaKeyPair),
    /// The modulus of a key whose exponent is 1.
    ExponentOne(Vec<u8>),
    Ec(&'static str, EcdsaKeyPair),
    Ed25519(Ed25519KeyPair),
}

impl Lab {
    /// What belongs into the header of a token that is signed so: the algorithm and the key's id.
    /// `None` for what needs no key of the lab.
    pub(super) fn header(sign: Sign, alg: SigningAlg) -> Option<(&'static str, String)> {
        let (_, name) = kind(sign, alg)?;
        Some((name, format!("lab-{name}-{}", kid_mark(sign))))
    }

    /// Signs with a key of the lab and remembers its public half.
    ///
    /// # Errors
    /// When the key cannot be made.
    pub(super) async fn sign(
        &self,
        sign: Sign,
        alg: SigningAlg,
        input: &[u8],
    ) -> Result<Vec<u8>, KeyError> {
        let key = self.key(sign, alg).await?;
        let (_, name) = kind(sign, alg).ok_or(KeyError::NotSigned)?;
        let signature = signature(&key, name, input)?;
        let jwk = self.jwk(sign, alg).await?;
        let mut used = lock(&self.used);
        if sign != Sign::Foreign && !used.contains(&jwk) {
            used.push(jwk);
        }
        Ok(signature)
    }

    /// The public half of the key that signs so.
    ///
    /// # Errors
    /// When the key cannot be made.
    pub(super) async fn jwk(&self, sign: Sign, alg: SigningAlg) -> Result<Value, KeyError> {
        let key = self.key(sign, alg).await?;
        let (name, kid) = Self::header(sign, alg).ok_or(KeyError::NotMade)?;
        let mut jwk = public_members(&key);
        jwk["alg"] = json!(name);
        jwk["kid"] = json!(kid);
        jwk["use"] = json!("sig");
        Ok(jwk)
    }

    /// The public halves of all keys that have signed, those apart that are kept to themselves.
    pub(super) fn used(&self) -> Vec<Value> {
        lock(&self.used).clone()
    }

    async fn key(&self, sign: Sign, alg: SigningAlg) -> Result<Arc<Key>, KeyError> {
        let (kind, _) = kind(sign, alg).ok_or(KeyError::NotMade)?;
        if let Some(key) = lock(&self.keys).get(&kind) {
            return Ok(key.clone());
        }
        // An RSA key takes its time.
        let made = tokio::task::spawn_blocking(move || make(kind));
        let key = Arc::new(made.await.map_err(|_| KeyError::NotMade)??);
        // Of two that were made at once, the first one stays.
        Ok(lock(&self.keys).entry(kind).or_insert(key).clone())
    }
}

/// Which key signs so, and under which algorithm's name.
fn kind(sign: Sign, alg: SigningAlg) -> Option<(Kind, &'static str)> {
    Some(match sign {
        Sign::Foreign | Sign::Next => match alg {
            SigningAlg::Rs256 => (Kind::Rsa, "RS256"),
            SigningAlg::Es256 => (Kind::P256, "ES256"),
        },
        Sign::Rs384 => (Kind::Rsa, "RS384"),
        Sign::Rs512 => (Kind::Rsa, "RS512"),
        Sign::Ps256 => (Kind::Rsa, "PS256"),
        Sign::Es384 => (Kind::P384, "ES384"),
        Sign::Es512 => (Kind::P521, "ES512"),
        Sign::EdDsa => (Kind::Ed25519, "EdDSA"),
        Sign::Es256OnP384 => (Kind::P384, "ES256"),
        Sign::WeakRsa => (Kind::WeakRsa, "RS256"),
        Sign::RsaExponentOne => (Kind::RsaExponentOne, "RS256"),
        Sign::Honest
        | Sign::None
        | Sign::Empty
        | Sign::Hs256PublicKey
        | Sign::Hs256ClientId
        | Sign::Der
        | Sign::Zero
        | Sign::Truncated
        | Sign::Flipped
        | Sign::Rs512SameKey => return None,
    })
}

const fn kid_mark(sign: Sign) -> &'static str {
    match sign {
        Sign::Foreign => "foreign",
        Sign::Next => "next",
        _ => "own",
    }
}

fn make(kind: Kind) -> Result<Key, KeyError> {
    let ec = |name, algorithm: &'static EcdsaSigningAlgorithm| {
        EcdsaKeyPair::generate(algorithm)
            .map(|pair| Key::Ec(name, pair))
            .map_err(|_| KeyError::NotMade)
    };
    match kind {
        Kind::Rsa => RsaKeyPair::generate().map(Key::Rsa),
        Kind::WeakRsa => modulus::<128>().map(Key::ExponentOne),
        Kind::RsaExponentOne => modulus::<256>().map(Key::ExponentOne),
        Kind::P256 => ec("P-256", &ECDSA_P256_SHA256_FIXED_SIGNING),
        Kind::P384 => ec("P-384", &ECDSA_P384_SHA384_FIXED_SIGNING),
        Kind::P521 => ec("P-521", &ECDSA_P521_SHA512_FIXED_SIGNING),
        Kind::Ed25519 => {
            Ed25519KeyPair::generate().map(Key::Ed25519).map_err(|_| KeyError::NotMade)
        }
    }
}

/// An odd number with its highest bit set. What its factors are does not matter: the exponent is 1.
fn modulus<const N: usize>() -> Result<Vec<u8>, KeyError> {
    let mut bytes = random_bytes::<N>().map_err(|_| KeyError::NotMade)?;
    bytes[0] |= 0x80;
    bytes[N - 1] |= 1;
    Ok(bytes.to_vec())
}

fn signature(key: &Key, name: &str, input: &[u8]) -> Result<Vec<u8>, KeyError> {
    let random = SystemRandom::new();
    match key {
        Key::Rsa(pair) => {
            let encoding: &'static dyn RsaEncoding = match name {
                "RS384" => &RSA_PKCS1_SHA384,
                "RS512" => &RSA_PKCS1_SHA512,
                "PS256" => &RSA_PSS_SHA256,
                _ => &RSA_PKCS1_SHA256,
            };
            pair.sign_with(encoding, input)
        }
        Key::ExponentOne(modulus) => Ok(encoded_digest(input, modulus.len())),
        Key::Ec(_, pair) => pair
            .sign(&random, input)
            .map(|signature| signature.as_ref().to_vec())
            .map_err(|_| KeyError::NotSigned),
        Key::Ed25519(pair) => Ok(pair.sign(input).as_ref().to_vec()),
    }
}

/// What an RS256 signature says when the key's exponent is taken off (RFC 8017, 9.2): with the
/// exponent 1 it is the signature itself, which anybody can make.
fn encoded_digest(input: &[u8], length: usize) -> Vec<u8> {
    /// `DigestInfo` for SHA-256 up to the digest (RFC 8017, 9.2, note 1).
    const SHA_256: [u8; 19] = [
        0x30, 0x31, 0x30, 0x0d, 0x06, 0x09, 0x60, 0x86, 0x48, 0x01, 0x65, 0x03, 0x04, 0x02, 0x01,
        0x05, 0x00, 0x04, 0x20,
    ];
    let mut bytes = vec![0, 1];
    bytes.resize(length - SHA_256.len() - 32 - 1, 0xff);
    bytes.push(0);
    bytes.extend(SHA_256);
    bytes.extend(Digest::of(input).bytes());
    bytes
}

fn public_members(key: &Key) -> Value {
    match key {
        Key::Rsa(pair) => pair.public_jwk_members(),
        Key::ExponentOne(modulus) => {
            json!({ "kty": "RSA", "n": base64url(modulus), "e": base64url(&[1]) })
        }
        Key::Ec(name, pair) => {
            // SEC 1, 2.3.3: 04, then x and y.
            let point = pair.public_key().as_ref();
            let (x, y) = point[1..].split_at((point.len() - 1) / 2);
            json!({ "kty": "EC", "crv": name, "x": base64url(x), "y": base64url(y) })
        }
        Key::Ed25519(pair) => {
            json!({ "kty": "OKP", "crv": "Ed25519", "x": base64url(pair.public_key().as_ref()) })
        }
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn keys_of_the_lab_sign_under_their_names() {
        let lab = Lab::default();
        for (sign, length, name, kty) in [
            (Sign::Next, 64, "ES256", "EC"),
            (Sign::Es384, 96, "ES384", "EC"),
            (Sign::Es512, 132, "ES512", "EC"),
            (Sign::Es256OnP384, 96, "ES256", "EC"),
            (Sign::EdDsa, 64, "EdDSA", "OKP"),
            (Sign::WeakRsa, 128, "RS256", "RSA"),
            (Sign::RsaExponentOne, 256, "RS256", "RSA"),
        ] {
            let signed = lab.sign(sign, SigningAlg::Es256, b"input").await.unwrap();
            assert_eq!(signed.len(), length, "{sign:?}");
            let jwk = lab.jwk(sign, SigningAlg::Es256).await.unwrap();
            assert_eq!((&jwk["alg"], &jwk["kty"]), (&json!(name), &json!(kty)));
            assert!(lab.used().contains(&jwk));
        }
        let before = lab.used().len();
        lab.sign(Sign::Foreign, SigningAlg::Es256, b"input").await.unwrap();
        assert_eq!(lab.used().len(), before, "a foreign key is not published");
    }

    #[test]
    fn signature_with_exponent_one_is_the_padded_digest() {
        let bytes = encoded_digest(b"", 128);
        assert_eq!((bytes.len(), &bytes[..3]), (128, &[0, 1, 0xff][..]));
        // SHA-256 of nothing.
        assert_eq!(bytes[96..100], [0xe3, 0xb0, 0xc4, 0x42]);
    }
}
