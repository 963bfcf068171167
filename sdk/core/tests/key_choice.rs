//! Which key of a set may verify a token: by its name, its type, its use and its strength.

use gatepass_core::{base64url, error::Code, wire::Status};
use serde_json::{Value, json};

use crate::{
    id_token::{accepts, arrive_at, refuses},
    world::{
        Endpoint, Page, World,
        keys::{EACH, ES256, ES256_NEXT, RS256, STRANGER},
        page::sign_in_to,
    },
};

#[test]
fn oidcc_client_test_kid_absent_single_jwks() {
    accepts(|token| token.header("kid", Value::Null));
}

#[test]
fn oidcc_client_test_kid_absent_multiple_jwks() {
    let absent = |published: Vec<Value>| {
        arrive_at(
            |provider| provider.published = published,
            sign_in_to("/"),
            |token| token.header("kid", Value::Null),
        )
    };
    absent(vec![ES256.jwk(), ES256_NEXT.jwk()]).expect_refused(Code::KeyNotFound);
    // One that fits among others that do not is the only one.
    absent(vec![RS256.jwk(), ES256.jwk()]).expect_status(Status::Authenticated);
}

#[test]
fn rp12_kid_is_compared_and_nothing_else() {
    for kid in ["es-2", "ES-1", "es-1 ", "../../etc/passwd", "' OR 1=1 --", "es-1\0", "%65s-1"] {
        refuses(Code::KeyNotFound, move |token| token.header("kid", json!(kid)));
    }
    refuses(Code::TokenMalformed, |token| token.header("kid", json!(7)));
    refuses(Code::TokenMalformed, |token| token.header("kid", json!(null_in_text())));
    // Long, longer than a token may be, longer than an answer may be.
    refuses(Code::KeyNotFound, |token| token.header("kid", json!("k".repeat(1 << 15))));
    refuses(Code::TokenMalformed, |token| token.header("kid", json!("k".repeat(1 << 16))));
    refuses(Code::TokenResponseInvalid, |token| token.header("kid", json!("k".repeat(1 << 20))));
    refuses(Code::TokenMalformed, |token| {
        token.header_text = Some(r#"{"alg":"ES256","kid":"es-1","kid":"es-1"}"#.into());
    });
}

fn null_in_text() -> Value {
    json!(["es-1"])
}

/// The only key is published with this change.
fn with_key(change: impl Fn(&mut Value)) -> Page {
    with_keys(|key| {
        let mut key = key;
        change(&mut key);
        vec![key]
    })
}

fn with_keys(keys: impl Fn(Value) -> Vec<Value>) -> Page {
    arrive_at(|provider| provider.published = keys(ES256.jwk()), sign_in_to("/"), |_| {})
}

#[test]
fn rp12_a_key_of_another_use_verifies_nothing() {
    with_key(|key| key["key_ops"] = json!(["verify"])).expect_status(Status::Authenticated);
    with_key(|key| {
        key.as_object_mut().unwrap().remove("use");
        key.as_object_mut().unwrap().remove("alg");
    })
    .expect_status(Status::Authenticated);
    for (name, value) in [
        ("use", json!("enc")),
        ("use", json!(7)),
        ("use", json!("")),
        ("key_ops", json!(["sign"])),
        ("key_ops", json!([])),
        ("key_ops", json!("verify")),
        ("alg", json!("RS256")),
        ("alg", json!("ES384")),
        ("alg", json!("ECDH-ES")),
        ("alg", json!("EdDSA")),
        ("kty", json!("RSA")),
        ("kty", json!("OKP")),
        ("kty", json!("oct")),
        ("crv", json!("P-384")),
        ("crv", json!("secp256k1")),
        ("crv", json!("p-256")),
        ("kid", json!("es-3")),
        ("kid", json!(7)),
    ] {
        let page = with_key(|key| key[name] = value.clone());
        page.expect_refused(Code::KeyNotFound);
        // Before the page was left, and anew when none fitted.
        assert_eq!(page.world.count(Endpoint::Keys), 2, "{name} {value}");
    }
}

#[test]
fn rp12_a_key_that_is_broken_verifies_nothing() {
    for (name, value) in [("x", json!("AAAA")), ("y", json!("")), ("x", json!("===="))] {
        with_key(|key| key[name] = value.clone()).expect_refused(Code::KeysInvalid);
    }
    with_key(|key| key["x"] = json!(7)).expect_refused(Code::KeyNotFound);
    // A point that is not on the curve.
    let page = with_key(|key| key["x"] = json!(base64url::encode(&[1; 32])));
    assert!(matches!(page.code(), Some(Code::SignatureInvalid | Code::KeysInvalid)));
}

#[test]
fn rp12_a_key_whose_private_half_is_published_verifies_nothing() {
    for key in EACH.iter() {
        let with = |change: fn(&mut Value)| {
            arrive_at(
                move |provider| {
                    provider.key = key;
                    let mut jwk = key.jwk();
                    change(&mut jwk);
                    provider.published = vec![jwk];
                },
                sign_in_to("/"),
                |_| {},
            )
        };
        with(|jwk| jwk["d"] = json!("AAAA")).expect_refused(Code::KeyNotFound);
        with(|jwk| jwk["d"] = json!(7)).expect_refused(Code::KeyNotFound);
        // A certificate beside it is never read.
        with(|jwk| jwk["x5c"] = json!(["AAAA"])).expect_status(Status::Authenticated);
    }
}

#[test]
fn rp12_an_exponent_that_makes_forging_easy_is_refused() {
    let with = |exponent: &'static str| {
        arrive_at(
            move |provider| {
                provider.key = &RS256;
                let mut key = RS256.jwk();
                key["e"] = json!(exponent);
                provider.published = vec![key];
            },
            sign_in_to("/"),
            |_| {},
        )
    };
    with("AQAB").expect_status(Status::Authenticated);
    for exponent in ["AQ", "Ag", "BA", "AQAA", "AA", "AAE", "AAEAAQ", "", "===", "\u{0}"] {
        with(exponent).expect_refused(Code::KeyNotFound);
    }
    // Whether 3 is the right one is for the signature to show.
    with("Aw").expect_refused(Code::SignatureInvalid);
}

#[test]
fn rp12_two_keys_of_one_name_are_refused_like_none() {
    with_keys(|key| vec![key, STRANGER.jwk()]).expect_refused(Code::KeyNotFound);
    with_keys(|key| vec![STRANGER.jwk(), key]).expect_refused(Code::KeyNotFound);
    // A namesake that does not fit decides nothing.
    with_keys(|key| {
        let mut other = STRANGER.jwk();
        other["use"] = json!("enc");
        vec![other, key]
    })
    .expect_status(Status::Authenticated);
}

#[test]
fn rp12_symmetric_keys_in_the_set_are_no_keys() {
    let page = arrive_at(
        |provider| {
            provider.published = vec![json!({ "kty": "oct", "kid": "es-1", "k": "c2VjcmV0" })];
        },
        sign_in_to("/"),
        |_| {},
    );
    page.expect_refused(Code::KeyNotFound);
    // Beside a good key they are ignored.
    with_keys(|key| vec![json!({ "kty": "oct", "kid": "oct-1", "k": "c2VjcmV0" }), key])
        .expect_status(Status::Authenticated);
}

#[test]
fn rp12_an_rsa_key_of_less_than_2048_bits_is_refused() {
    let with = |n: String| {
        arrive_at(
            move |provider| {
                provider.key = &RS256;
                let mut key = RS256.jwk();
                key["n"] = json!(n);
                provider.published = vec![key];
            },
            sign_in_to("/"),
            |_| {},
        )
    };
    let n = RS256.jwk()["n"].as_str().unwrap().to_owned();
    let bytes = base64url::decode(&n).unwrap();
    with(n).expect_status(Status::Authenticated);
    with(base64url::encode(&bytes[1..])).expect_refused(Code::KeyNotFound);
    with(base64url::encode(&bytes[..128])).expect_refused(Code::KeyNotFound);
    // The same length, but leading zeros.
    let mut short = bytes.clone();
    short[..64].fill(0);
    let page = with(base64url::encode(&short));
    assert!(
        matches!(page.code(), Some(Code::KeyNotFound | Code::KeysInvalid)),
        "{:?}",
        page.code()
    );
}

#[test]
fn rp12_a_key_set_that_is_none() {
    for body in [
        "",
        "null",
        "[]",
        "{}",
        "{\"keys\":{}}",
        "{\"keys\":null}",
        "{\"keys\":[],\"keys\":[]}",
        "<html>",
        "{\"keys\":[]",
    ] {
        let world = World::new();
        let page = world.open();
        world.person_signs_in("richard");
        world.provider().always(Endpoint::Keys, move |reply| reply.body = body.as_bytes().to_vec());
        page.sign_in();
        page.expect_refused(Code::KeysInvalid);
    }
    with_keys(|_| Vec::new()).expect_refused(Code::KeyNotFound);
    with_keys(|key| vec![json!(7), json!("key"), json!(null), key])
        .expect_status(Status::Authenticated);
}

#[test]
fn oidcc_client_test_signing_key_rotation_just_before_signing() {
    // A page that knows the old key set meets a token by the new key: the set is fetched once.
    let world = World::new();
    let page = world.signed_in("richard");
    assert_eq!(world.count(Endpoint::Keys), 1);
    world.advance_with_heartbeat(290);
    {
        let mut provider = world.provider();
        provider.key = &ES256_NEXT;
        provider.published = vec![ES256.jwk(), ES256_NEXT.jwk()];
    }
    page.token().unwrap();
    assert_eq!(world.count(Endpoint::Keys), 2);
    page.expect_status(Status::Authenticated);
    assert_eq!(page.code(), None);
}

#[test]
fn rp12_a_set_of_many_keys_is_bounded() {
    let with = |count: usize, empty: bool| {
        with_keys(move |key| {
            let other = if empty { json!({}) } else { key.clone() };
            let mut keys = vec![other; count];
            for (number, other) in keys.iter_mut().enumerate() {
                other["kid"] = json!(number.to_string());
            }
            keys.push(key);
            keys
        })
    };
    with(999, true).expect_status(Status::Authenticated);
    with(1000, true).expect_refused(Code::KeysInvalid);
    // 10,000 keys are longer than a document may be.
    let page = with(10_000, false);
    page.expect_refused(Code::KeysInvalid);
    assert_eq!(page.world.count(Endpoint::UserInfo), 0);
}
