//! Real keys: the world's signatures are made and checked by aws-lc-rs, as a browser would.

use std::sync::LazyLock;

use aws_lc_rs::{
    digest,
    encoding::AsDer as _,
    hmac,
    rand::SystemRandom,
    rsa::KeySize,
    signature::{
        ECDSA_P256_SHA256_FIXED, ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair as _,
        RSA_PKCS1_2048_8192_SHA256, RSA_PKCS1_SHA256, RsaKeyPair, RsaPublicKeyComponents,
        UnparsedPublicKey,
    },
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
}

/// The provider's keys, and one that it never publishes.
pub static ES256: LazyLock<Key> = LazyLock::new(|| Key::elliptic("es-1"));
pub static ES256_NEXT: LazyLock<Key> = LazyLock::new(|| Key::elliptic("es-2"));
pub static RS256: LazyLock<Key> = LazyLock::new(|| Key::rsa("rs-1"));
pub static STRANGER: LazyLock<Key> = LazyLock::new(|| Key::elliptic("es-1"));

impl Key {
    fn elliptic(id: &'static str) -> Self {
        let pair = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).unwrap();
        Self { id, algorithm: "ES256", pair: Pair::Ec(pair) }
    }

    fn rsa(id: &'static str) -> Self {
        let pair = Box::new(RsaKeyPair::generate(KeySize::Rsa2048).unwrap());
        Self { id, algorithm: "RS256", pair: Pair::Rsa(pair) }
    }

    pub fn sign(&self, input: &str) -> Vec<u8> {
        let random = SystemRandom::new();
        match &self.pair {
            Pair::Ec(pair) => pair.sign(&random, input.as_bytes()).unwrap().as_ref().to_vec(),
            Pair::Rsa(pair) => {
                let mut signature = vec![0; pair.public_modulus_len()];
                pair.sign(&RSA_PKCS1_SHA256, &random, input.as_bytes(), &mut signature).unwrap();
                signature
            }
        }
    }

    pub fn jwk(&self) -> Value {
        match &self.pair {
            Pair::Ec(pair) => {
                let point = pair.public_key().as_ref();
                json!({
                    "kty": "EC", "crv": "P-256", "kid": self.id, "use": "sig", "alg": "ES256",
                    "x": encode(&point[1..33]), "y": encode(&point[33..65]),
                })
            }
            Pair::Rsa(pair) => json!({
                "kty": "RSA", "kid": self.id, "use": "sig", "alg": "RS256",
                "n": encode(&modulus(pair)), "e": "AQAB",
            }),
        }
    }
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
    let member = |name: &str| key[name].as_str().and_then(decode);
    let signature = decode(signature).unwrap();
    let bad_key = Answer::Failed { reason: Failure::BadKey };
    let valid = match algorithm {
        "ES256" => {
            let (Some(x), Some(y)) = (member("x"), member("y")) else { return bad_key };
            if x.len() != 32 || y.len() != 32 {
                return bad_key;
            }
            let point = [&[4], &x[..], &y[..]].concat();
            let key = UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, point);
            key.verify(input.as_bytes(), &signature).is_ok()
        }
        "RS256" => {
            let (Some(n), Some(e)) = (member("n"), member("e")) else { return bad_key };
            let key = RsaPublicKeyComponents { n, e };
            key.verify(&RSA_PKCS1_2048_8192_SHA256, input.as_bytes(), &signature).is_ok()
        }
        other => panic!("the machine asked for {other}"),
    };
    Answer::Verdict { valid }
}

pub fn sha256(text: &str) -> Vec<u8> {
    digest::digest(&digest::SHA256, text.as_bytes()).as_ref().to_vec()
}

/// HMAC under a public text: what an attacker signs with who has only the key set.
pub fn hmac_sha256(secret: &str, input: &str) -> Vec<u8> {
    let key = hmac::Key::new(hmac::HMAC_SHA256, secret.as_bytes());
    hmac::sign(&key, input.as_bytes()).as_ref().to_vec()
}
