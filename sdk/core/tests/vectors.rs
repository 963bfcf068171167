//! Real signatures through both verifiers: aws-lc, which stands for WebCrypto in this world, and the
//! portable one must give the same verdict on everything that the machine asks about.

use gatepass_core::{
    base64url,
    error::Code,
    wire::{Ending, Status},
};
use gatepass_vectors::{PKCE_CHALLENGE, PKCE_VERIFIER};
use serde_json::json;

use crate::{
    id_token::arrive_at,
    world::{
        CLIENT, ISSUER, Page, World,
        keys::{BOTH, EACH, Key},
        page::sign_in_to,
        token::Draft,
    },
};

/// A sign-in with a token by this algorithm, changed on the way, and both verifiers asked.
fn arrive_by(algorithm: &'static str, change: impl FnMut(&mut Draft) + 'static) -> Page {
    BOTH.set(true);
    let key = key(algorithm);
    arrive_at(
        move |provider| {
            provider.key = key;
            provider.published = vec![key.jwk()];
        },
        sign_in_to("/"),
        change,
    )
}

/// The world's key for an algorithm.
fn key(algorithm: &str) -> &'static Key {
    EACH.iter().find(|key| key.algorithm == algorithm).unwrap()
}

const ALGORITHMS: [&str; 11] = [
    "RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA",
    "Ed25519",
];

#[test]
fn rp10_both_verifiers_accept_a_good_token_of_every_algorithm() {
    for algorithm in ALGORITHMS {
        arrive_by(algorithm, |_| {}).expect_status(Status::Authenticated);
    }
}

/// Makes another signature of a good one.
type Change = Box<dyn Fn(Vec<u8>) -> Vec<u8>>;

#[test]
fn rp10_both_verifiers_refuse_the_neighbours_of_a_good_signature() {
    for algorithm in ALGORITHMS {
        let good = key(algorithm).sign("any").len();
        let changes: [Change; 7] = [
            // The first, the middle and the last bit.
            Box::new(|mut signature| {
                signature[0] ^= 0x80;
                signature
            }),
            Box::new(move |mut signature| {
                signature[good / 2] ^= 1;
                signature
            }),
            Box::new(move |mut signature| {
                signature[good - 1] ^= 1;
                signature
            }),
            Box::new(|signature| vec![0; signature.len()]),
            Box::new(|signature| vec![0xff; signature.len()]),
            // Cut off, and longer.
            Box::new(|signature| signature[1..].to_vec()),
            Box::new(|signature| [&signature[..], &[0]].concat()),
        ];
        for change in changes {
            let mut change = Some(change);
            let page = arrive_by(algorithm, move |token| {
                let Some(change) = change.take() else { return };
                token.sign = Some(Box::new(move |input| change(key(algorithm).sign(input))));
            });
            page.expect_refused(Code::SignatureInvalid);
        }
    }
}

/// Each bit of a text flipped, one at a time; what is no ASCII then is the character of that number.
fn flips(text: &str) -> impl Iterator<Item = (String, String)> {
    (0..text.len() * 8).map(|at| {
        let (at, bit) = (at / 8, at % 8);
        let byte = text.as_bytes()[at] ^ (1 << bit);
        let flipped = format!("{}{}{}", &text[..at], char::from(byte), &text[at + 1..]);
        (flipped, format!("byte {at}, bit {bit}"))
    })
}

#[test]
fn f5_no_flipped_bit_of_a_good_logout_token_ends_a_session() {
    let world = World::new();
    let page = world.signed_in("richard");
    let mut good = String::new();
    world.push_logout_token(|token| {
        // The one that is flipped below: taken down, and spoiled on the way.
        let copy = Draft {
            header: token.header.clone(),
            claims: token.claims.clone(),
            claims_text: None,
            header_text: None,
            key: token.key,
            sign: None,
            finish: None,
        };
        good = copy.sign();
        token.finish = Some(Box::new(|_| String::new()));
    });
    assert!(good.len() > 300);
    for (flipped, place) in flips(&good) {
        let mut flipped = Some(flipped);
        world.push_logout_token(|token| {
            let flipped = flipped.take().unwrap();
            token.finish = Some(Box::new(move |_| flipped.clone()));
        });
        assert_eq!(page.status(), Status::Authenticated, "{place}");
    }
    world.push_logout_token(|token| {
        let good = good.clone();
        token.finish = Some(Box::new(move |_| good.clone()));
    });
    page.expect_status(Status::Anonymous);
    assert_eq!(page.cause(), Some(Ending::LogoutToken));
}

#[test]
fn rfc9068_an_access_token_is_no_id_token() {
    // RFC 9068, 4: the same issuer, audience and key. Its type says what it is, and a provider that
    // leaves the type out still cannot know the nonce.
    let claims = json!({
        "iss": ISSUER, "aud": CLIENT, "sub": "richard", "client_id": CLIENT, "jti": "at-1",
        "iat": crate::world::BEGIN_MS / 1000, "exp": crate::world::BEGIN_MS / 1000 + 300,
        "scope": "openid profile",
    });
    for (typ, code) in [
        (json!("at+jwt"), Code::TokenMalformed),
        (json!("application/at+jwt"), Code::TokenMalformed),
        (json!(null), Code::NonceInvalid),
    ] {
        let claims = claims.clone();
        let page = arrive_by("ES256", move |token| {
            token.header("typ", typ.clone());
            token.claims = claims.as_object().unwrap().clone();
        });
        page.expect_refused(code);
    }
}

#[test]
fn rfc7636_b_the_challenge_is_the_hash_of_the_verifier() {
    let hash = gatepass_verifier::digest("SHA-256", PKCE_VERIFIER.as_bytes()).unwrap();
    assert_eq!(base64url::encode(&hash), PKCE_CHALLENGE);
}
