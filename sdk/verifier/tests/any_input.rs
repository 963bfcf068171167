//! Whatever comes, the verifier gives an answer: it never panics, and never says yes.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use base64ct::{Base64UrlUnpadded, Encoding as _};
use gatepass_verifier::{digest, verify};
use proptest::{collection::vec, prelude::*, sample::select};

const ALGORITHMS: [&str; 12] = [
    "RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA",
    "none", "HS256",
];

/// A key that looks like one.
fn key() -> impl Strategy<Value = String> {
    let part =
        || vec(any::<u8>(), 0..140).prop_map(|bytes| Base64UrlUnpadded::encode_string(&bytes));
    // The lengths that the curves want, so that some get as far as the point.
    let point = || {
        (select(vec![32_usize, 48, 66]), any::<u64>()).prop_map(|(length, seed)| {
            let bytes: Vec<u8> = seed.to_le_bytes().into_iter().cycle().take(length).collect();
            Base64UrlUnpadded::encode_string(&bytes)
        })
    };
    let curve = select(vec!["P-256", "P-384", "P-521", "Ed25519", "secp256k1", ""]);
    prop_oneof![
        (part(), part()).prop_map(|(n, e)| format!(r#"{{"kty":"RSA","n":"{n}","e":"{e}"}}"#)),
        (curve.clone(), point(), point())
            .prop_map(|(crv, x, y)| format!(r#"{{"kty":"EC","crv":"{crv}","x":"{x}","y":"{y}"}}"#)),
        (curve, point()).prop_map(|(crv, x)| format!(r#"{{"kty":"OKP","crv":"{crv}","x":"{x}"}}"#)),
        any::<String>(),
    ]
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 1500, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn no_made_up_signature_is_right(
        algorithm in select(&ALGORITHMS[..]),
        key in key(),
        input in vec(any::<u8>(), 0..40),
        signature in prop_oneof![vec(any::<u8>(), 0..140), select(vec![64_usize, 96, 132, 256]).prop_flat_map(|n| vec(any::<u8>(), n))],
    ) {
        prop_assert_ne!(verify(algorithm, &key, &input, &signature), Ok(true));
    }

    #[test]
    fn no_made_up_signature_is_right_for_a_real_key(
        which in 0..7_usize,
        length in prop_oneof![Just(None), (0..300_usize).prop_map(Some)],
        seed in vec(any::<u8>(), 1..40),
    ) {
        let vector = &gatepass_vectors::rfc()[which];
        let right = gatepass_vectors::decode(vector.signature).unwrap();
        let length = length.unwrap_or(right.len());
        let signature: Vec<u8> = seed.iter().copied().cycle().take(length).collect();
        prop_assert_eq!(verify(vector.algorithm, vector.key, &vector.input, &signature), Ok(false));
    }

    #[test]
    fn any_name_of_a_hash_has_an_answer(name in any::<String>(), bytes in vec(any::<u8>(), 0..100)) {
        prop_assert!(digest(&name, &bytes).is_err());
    }
}
