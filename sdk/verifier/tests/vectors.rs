//! The verifier over the shared vectors: against the verdict that stands beside each, and against a
//! third verifier, aws-lc.
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test fails by panicking")]

use aws_lc_rs::signature::{
    self as lc, ParsedPublicKey, RsaPublicKeyComponents, UnparsedPublicKey, VerificationAlgorithm,
};
use gatepass_vectors::{PKCE_CHALLENGE, PKCE_VERIFIER, Vector, Verdict, all, decode};
use gatepass_verifier::{Failure, digest, verify};
use serde_json::Value;

/// RSA keys beyond 4096 bits are none for jwt-compact: WebCrypto takes them, and no provider uses
/// them. Their vectors are not covered.
fn is_covered(vector: &Vector) -> bool {
    modulus(vector).is_none_or(|n| n.len() <= 512)
}

fn modulus(vector: &Vector) -> Option<Vec<u8>> {
    let key: Value = serde_json::from_str(vector.key).unwrap();
    key["n"].as_str().map(|n| decode(n).unwrap())
}

fn ours(vector: &Vector) -> Result<bool, Failure> {
    let signature = decode(vector.signature).unwrap();
    verify(vector.algorithm, vector.key, &vector.input, &signature)
}

/// The verdict of aws-lc; what is not even a key verifies nothing.
fn theirs(vector: &Vector) -> bool {
    let key: Value = serde_json::from_str(vector.key).unwrap();
    let member = |name: &str| decode(key[name].as_str().unwrap()).unwrap();
    let signature = decode(vector.signature).unwrap();
    let input = vector.input.as_slice();
    let rsa = |parameters: &'static lc::RsaParameters| {
        let key = RsaPublicKeyComponents { n: member("n"), e: member("e") };
        key.verify(parameters, input, &signature).is_ok()
    };
    let curve = |algorithm: &'static dyn VerificationAlgorithm| {
        let point = [&[4], &*member("x"), &*member("y")].concat();
        UnparsedPublicKey::new(algorithm, point).verify(input, &signature).is_ok()
    };
    match vector.algorithm {
        "RS256" => rsa(&lc::RSA_PKCS1_2048_8192_SHA256),
        "RS384" => rsa(&lc::RSA_PKCS1_2048_8192_SHA384),
        "RS512" => rsa(&lc::RSA_PKCS1_2048_8192_SHA512),
        "PS256" => rsa(&lc::RSA_PSS_2048_8192_SHA256),
        "PS384" => rsa(&lc::RSA_PSS_2048_8192_SHA384),
        "PS512" => rsa(&lc::RSA_PSS_2048_8192_SHA512),
        "ES256" => curve(&lc::ECDSA_P256_SHA256_FIXED),
        "ES384" => curve(&lc::ECDSA_P384_SHA384_FIXED),
        "ES512" => curve(&lc::ECDSA_P521_SHA512_FIXED),
        "EdDSA" => ParsedPublicKey::new(&lc::ED25519, member("x"))
            .is_ok_and(|key| key.verify_sig(input, &signature).is_ok()),
        other => panic!("no vector is of {other}"),
    }
}

#[test]
fn every_vector_has_its_verdict() {
    let mut seen = 0;
    for vector in all().iter().filter(|vector| is_covered(vector)) {
        let ours = ours(vector);
        match vector.verdict {
            Verdict::Right => assert_eq!(ours, Ok(true), "{}", vector.name),
            Verdict::Wrong => assert_ne!(ours, Ok(true), "{}", vector.name),
            Verdict::Either => {}
        }
        seen += 1;
    }
    assert!(seen > 3000, "only {seen} vectors");
}

#[test]
fn aws_lc_gives_the_same_verdicts() {
    for vector in all().iter().filter(|vector| is_covered(vector)) {
        let ours = ours(vector) == Ok(true);
        assert_eq!(ours, theirs(vector), "{} {:?}", vector.name, vector.verdict);
    }
}

#[test]
fn what_is_not_covered_is_refused() {
    let beyond: Vec<_> = all().into_iter().filter(|vector| !is_covered(vector)).collect();
    assert!(!beyond.is_empty());
    for vector in beyond {
        assert_eq!(ours(&vector), Err(Failure::BadKey), "{}", vector.name);
    }
}

#[test]
fn f5_no_flipped_bit_of_a_signature_or_its_input_is_accepted() {
    for vector in gatepass_vectors::rfc() {
        assert_eq!(ours(&vector), Ok(true), "{}", vector.name);
        let signature = decode(vector.signature).unwrap();
        // The long ones are the slow ones: every bit of some bytes.
        let step = signature.len().div_ceil(70);
        for at in (0..signature.len()).step_by(step) {
            for bit in 0..8 {
                let mut flipped = signature.clone();
                flipped[at] ^= 1 << bit;
                let verdict = verify(vector.algorithm, vector.key, &vector.input, &flipped);
                assert_eq!(verdict, Ok(false), "{}: byte {at}, bit {bit}", vector.name);
            }
        }
        for at in 0..vector.input.len().min(60) {
            let mut input = vector.input.clone();
            input[at] ^= 1 << (at % 8);
            let verdict = verify(vector.algorithm, vector.key, &input, &signature);
            assert_eq!(verdict, Ok(false), "{}: input byte {at}", vector.name);
        }
    }
}

#[test]
fn signatures_of_another_length_are_wrong() {
    for vector in gatepass_vectors::rfc() {
        let signature = decode(vector.signature).unwrap();
        for length in [0, 1, 32, 63, 64, 65, 96, 131, 132, 133, 255, 257, 1024] {
            if length != signature.len() {
                let mut other = signature.clone();
                other.resize(length, 0);
                let verdict = verify(vector.algorithm, vector.key, &vector.input, &other);
                assert_eq!(verdict, Ok(false), "{}: {length} bytes", vector.name);
            }
        }
    }
}

#[test]
fn a_key_serves_its_own_algorithm_only() {
    let family = |name: &str| match name {
        "ES256" | "ES384" | "ES512" | "EdDSA" => name.to_owned(),
        _ => "RSA".to_owned(),
    };
    for vector in gatepass_vectors::rfc() {
        for algorithm in ["RS256", "PS512", "ES256", "ES384", "ES512", "EdDSA"] {
            let signature = decode(vector.signature).unwrap();
            let verdict = verify(algorithm, vector.key, &vector.input, &signature);
            if family(algorithm) != family(vector.algorithm) {
                assert_eq!(verdict, Err(Failure::BadKey), "{algorithm}, {}", vector.name);
            } else if algorithm != vector.algorithm {
                assert_eq!(verdict, Ok(false), "{algorithm}, {}", vector.name);
            }
        }
    }
}

#[test]
fn rfc9864_ed25519_is_eddsa_by_its_full_name() {
    let vectors = gatepass_vectors::all();
    let mut count = 0;
    for vector in vectors.iter().filter(|vector| vector.algorithm == "EdDSA") {
        let Some(signature) = decode(vector.signature) else { continue };
        let verdict = |name| verify(name, vector.key, &vector.input, &signature);
        assert_eq!(verdict("Ed25519"), verdict("EdDSA"), "{}", vector.name);
        count += 1;
    }
    assert!(count > 50, "{count} vectors");
}

#[test]
fn what_is_no_algorithm_is_unsupported() {
    let vector = &gatepass_vectors::rfc()[0];
    for algorithm in ["none", "HS256", "RS1", "ES256K", "Ed448", "rs256", "RS256 ", ""] {
        let verdict = verify(algorithm, vector.key, &vector.input, &[]);
        assert_eq!(verdict, Err(Failure::Unsupported), "{algorithm:?}");
    }
}

#[test]
fn what_is_no_key_is_a_bad_key() {
    for (algorithm, key) in [
        ("RS256", ""),
        ("RS256", "{}"),
        ("RS256", "[]"),
        ("RS256", r#"{"kty":"RSA","e":"AQAB"}"#),
        ("RS256", r#"{"kty":"RSA","n":7,"e":[]}"#),
        ("RS256", r#"{"kty":"RSA","n":"","e":""}"#),
        ("RS256", r#"{"kty":"RSA","n":"AA","e":"AQAB"}"#),
        ("RS256", r#"{"kty":"oct","k":"AAAA"}"#),
        ("ES256", r#"{"kty":"EC","crv":"P-256","x":"AAAA","y":"AAAA"}"#),
        ("ES256", r#"{"kty":"EC","crv":"P-256"}"#),
        ("ES384", r#"{"kty":"EC","crv":"P-384","x":"AAAA","y":"AAAA"}"#),
        ("ES512", r#"{"kty":"EC","crv":"P-521","x":"","y":""}"#),
        ("EdDSA", r#"{"kty":"OKP","crv":"Ed25519","x":"AAAA"}"#),
        ("EdDSA", r#"{"kty":"OKP","crv":"Ed448","x":"AAAA"}"#),
    ] {
        assert_eq!(verify(algorithm, key, b"", &[0; 64]), Err(Failure::BadKey), "{key}");
    }
    // A point that is on no curve.
    for (algorithm, curve, length) in
        [("ES256", "P-256", 32), ("ES384", "P-384", 48), ("ES512", "P-521", 66)]
    {
        let part = |byte| {
            use base64ct::Encoding as _;
            base64ct::Base64UrlUnpadded::encode_string(&vec![byte; length])
        };
        let (x, y) = (part(1), part(1));
        let key = format!(r#"{{"kty":"EC","crv":"{curve}","x":"{x}","y":"{y}"}}"#);
        assert_eq!(verify(algorithm, &key, b"", &vec![1; 2 * length]), Err(Failure::BadKey));
    }
}

#[test]
fn rfc7636_b_a_verifier_and_its_challenge() {
    let hash = digest("SHA-256", PKCE_VERIFIER.as_bytes()).unwrap();
    assert_eq!(hash, decode(PKCE_CHALLENGE).unwrap());
    assert_eq!(digest("SHA-384", b"").unwrap().len(), 48);
    assert_eq!(digest("SHA-512", b"").unwrap().len(), 64);
    assert_eq!(digest("MD5", b""), Err(Failure::Unsupported));
}
