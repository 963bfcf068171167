//! Real keys: the world's signatures are made and checked by aws-lc-rs, as a browser would.

use std::{cell::Cell, sync::LazyLock};

use aws_lc_rs::{
    digest,
    encoding::AsDer as _,
    hmac,
    rand::SystemRandom,
    rsa::KeySize,
    signature::{self, EcdsaKeyPair, Ed25519KeyPair, KeyPair as _, RsaKeyPair, UnparsedPublicKey},
};
use gatepass_core::{
    base64url::{decode, encode},
    wire::{Answer, Failure},
};
use serde_json::{Value, json};

/// A key that signs, and its public half as a JSON Web Key.
pub struct Key {
    pub id: &'static str,
    pub algorithm: &'static str,
    pair: Pair,
}

enum Pair {
    Ec(EcdsaKeyPair),
    Rsa(Box<RsaKeyPair>),
    Ed(Ed25519KeyPair),
}

/// The provider's keys, and one that it never publishes.
pub static ES256: LazyLock<Key> = LazyLock::new(|| Key::new("es-1", "ES256"));
pub static ES256_NEXT: LazyLock<Key> = LazyLock::new(|| Key::new("es-2", "ES256"));
pub static RS256: LazyLock<Key> = LazyLock::new(|| Key::new("rs-1", "RS256"));
pub static STRANGER: LazyLock<Key> = LazyLock::new(|| Key::new("es-1", "ES256"));

/// One key for each algorithm.
pub static EACH: LazyLock<Vec<Key>> = LazyLock::new(|| {
    ALGORITHMS.iter().map(|(algorithm, _)| Key::new(algorithm, algorithm)).collect()
});

/// The algorithms that a browser has, and the hashes that belong to them.
const ALGORITHMS: [(&str, &digest::Algorithm); 11] = [
    ("RS256", &digest::SHA256),
    ("RS384", &digest::SHA384),
    ("RS512", &digest::SHA512),
    ("PS256", &digest::SHA256),
    ("PS384", &digest::SHA384),
    ("PS512", &digest::SHA512),
    ("ES256", &digest::SHA256),
    ("ES384", &digest::SHA384),
    ("ES512", &digest::SHA512),
    ("EdDSA", &digest::SHA512),
    ("Ed25519", &digest::SHA512),
];

impl Key {
    pub fn new(id: &'static str, algorithm: &'static str) -> Self {
        let pair = match algorithm {
            "ES256" => elliptic(&signature::ECDSA_P256_SHA256_FIXED_SIGNING),
            "ES384" => elliptic(&signature::ECDSA_P384_SHA384_FIXED_SIGNING),
            "ES512" => elliptic(&signature::ECDSA_P521_SHA512_FIXED_SIGNING),
            "EdDSA" | "Ed25519" => Pair::Ed(Ed25519KeyPair::generate().unwrap()),
            _ => Pair::Rsa(Box::new(RsaKeyPair::generate(KeySize::Rsa2048).unwrap())),
        };
        Self { id, algorithm, pair }
    }

    pub fn sign(&self, input: &str) -> Vec<u8> {
        let random = SystemRandom::new();
        match &self.pair {
            Pair::Ec(pair) => pair.sign(&random, input.as_bytes()).unwrap().as_ref().to_vec(),
            Pair::Ed(pair) => pair.sign(input.as_bytes()).as_ref().to_vec(),
            Pair::Rsa(pair) => {
                let padding: &'static dyn signature::RsaEncoding = match self.algorithm {
                    "RS256" => &signature::RSA_PKCS1_SHA256,
                    "RS384" => &signature::RSA_PKCS1_SHA384,
                    "RS512" => &signature::RSA_PKCS1_SHA512,
                    "PS256" => &signature::RSA_PSS_SHA256,
                    "PS384" => &signature::RSA_PSS_SHA384,
                    _ => &signature::RSA_PSS_SHA512,
                };
                let mut signature = vec![0; pair.public_modulus_len()];
                pair.sign(padding, &random, input.as_bytes(), &mut signature).unwrap();
                signature
            }
        }
    }

    pub fn jwk(&self) -> Value {
        let mut key = match &self.pair {
            Pair::Ec(pair) => {
                let point = pair.public_key().as_ref();
                let half = point.len() / 2;
                let curve = match half {
                    32 => "P-256",
                    48 => "P-384",
                    _ => "P-521",
                };
                let (x, y) = (encode(&point[1..=half]), encode(&point[half + 1..]));
                json!({ "kty": "EC", "crv": curve, "x": x, "y": y })
            }
            Pair::Rsa(pair) => json!({ "kty": "RSA", "n": encode(&modulus(pair)), "e": "AQAB" }),
            Pair::Ed(pair) => {
                json!({ "kty": "OKP", "crv": "Ed25519", "x": encode(pair.public_key().as_ref()) })
            }
        };
        key["kid"] = json!(self.id);
        key["use"] = json!("sig");
        key["alg"] = json!(self.algorithm);
        key
    }
}

fn elliptic(algorithm: &'static signature::EcdsaSigningAlgorithm) -> Pair {
    Pair::Ec(EcdsaKeyPair::generate(algorithm).unwrap())
}

/// The modulus out of the public key's DER (RFC 8017, A.1.1), whose header has a fixed length for
/// 2048 bits.
fn modulus(pair: &RsaKeyPair) -> Vec<u8> {
    let spki = pair.public_key().as_der().unwrap();
    let der = spki.as_ref();
    assert_eq!(der[der.len() - 5..], [2, 3, 1, 0, 1], "the exponent is 65537");
    der[der.len() - 5 - 256..der.len() - 5].to_vec()
}

/// What WebCrypto would answer to `verify_signature`.
pub fn verify(algorithm: &str, key: &str, input: &str, signature: &str) -> Answer {
    let key: Value = serde_json::from_str(key).unwrap();
    let member = |name: &str| key[name].as_str().and_then(decode).unwrap_or_default();
    let signature = decode(signature).unwrap();
    let bad_key = Answer::Failed { reason: Failure::BadKey };
    let elliptic = |coordinate: usize, of: &'static dyn signature::VerificationAlgorithm| {
        let (x, y) = (member("x"), member("y"));
        if x.len() != coordinate || y.len() != coordinate {
            return None;
        }
        let key = UnparsedPublicKey::new(of, [&[4], &x[..], &y[..]].concat());
        Some(key.verify(input.as_bytes(), &signature).is_ok())
    };
    let rsa = |of: &signature::RsaParameters| {
        let (n, e) = (member("n"), member("e"));
        if n.is_empty() || e.is_empty() {
            return None;
        }
        let key = signature::RsaPublicKeyComponents { n, e };
        Some(key.verify(of, input.as_bytes(), &signature).is_ok())
    };
    let valid = match algorithm {
        "RS256" => rsa(&signature::RSA_PKCS1_2048_8192_SHA256),
        "RS384" => rsa(&signature::RSA_PKCS1_2048_8192_SHA384),
        "RS512" => rsa(&signature::RSA_PKCS1_2048_8192_SHA512),
        "PS256" => rsa(&signature::RSA_PSS_2048_8192_SHA256),
        "PS384" => rsa(&signature::RSA_PSS_2048_8192_SHA384),
        "PS512" => rsa(&signature::RSA_PSS_2048_8192_SHA512),
        "ES256" => elliptic(32, &signature::ECDSA_P256_SHA256_FIXED),
        "ES384" => elliptic(48, &signature::ECDSA_P384_SHA384_FIXED),
        "ES512" => elliptic(66, &signature::ECDSA_P521_SHA512_FIXED),
        "EdDSA" | "Ed25519" if member("x").len() == 32 => {
            let key = UnparsedPublicKey::new(&signature::ED25519, member("x"));
            Some(key.verify(input.as_bytes(), &signature).is_ok())
        }
        "EdDSA" | "Ed25519" => None,
        other => panic!("the machine asked for {other}"),
    };
    let answer = valid.map_or(bad_key, |valid| Answer::Verdict { valid });
    if BOTH.get() {
        assert_eq!(answer, second(algorithm, &key, input, &signature), "both verifiers agree");
    }
    answer
}

thread_local! {
    /// Whether the portable verifier is asked too, on this test's thread.
    pub static BOTH: Cell<bool> = const { Cell::new(false) };
}

fn second(algorithm: &str, key: &Value, input: &str, signature: &[u8]) -> Answer {
    match gatepass_verifier::verify(algorithm, &key.to_string(), input.as_bytes(), signature) {
        Ok(valid) => Answer::Verdict { valid },
        Err(gatepass_verifier::Failure::BadKey) => Answer::Failed { reason: Failure::BadKey },
        Err(gatepass_verifier::Failure::Unsupported) => {
            Answer::Failed { reason: Failure::Unsupported }
        }
    }
}

/// A hash by WebCrypto's name.
pub fn hash(name: &str, text: &str) -> Vec<u8> {
    let algorithm = match name {
        "SHA-256" => &digest::SHA256,
        "SHA-384" => &digest::SHA384,
        "SHA-512" => &digest::SHA512,
        other => panic!("the machine asked for {other}"),
    };
    digest::digest(algorithm, text.as_bytes()).as_ref().to_vec()
}

/// `at_hash` of an access token beside an ID token of this algorithm.
pub fn at_hash(algorithm: &str, access_token: &str) -> String {
    let (_, hash) = ALGORITHMS.iter().find(|(name, _)| *name == algorithm).unwrap();
    let hash = digest::digest(hash, access_token.as_bytes());
    encode(&hash.as_ref()[..hash.as_ref().len() / 2])
}

pub fn sha256(text: &str) -> Vec<u8> {
    digest::digest(&digest::SHA256, text.as_bytes()).as_ref().to_vec()
}

/// HMAC under a public text: what an attacker signs with who has only the key set.
pub fn hmac_sha256(secret: &str, input: &str) -> Vec<u8> {
    let key = hmac::Key::new(hmac::HMAC_SHA256, secret.as_bytes());
    hmac::sign(&key, input.as_bytes()).as_ref().to_vec()
}
