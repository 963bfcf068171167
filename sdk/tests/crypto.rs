//! `driver/crypto.js`: hashes and signatures.
#![cfg(target_arch = "wasm32")]
#![allow(clippy::panic, clippy::unwrap_used, reason = "a test fails by panicking")]

mod support;

use gatepass_core::{
    secret::Secret,
    wire::{Answer, Effect, Failure, Raw},
};
use js_sys::{Function, JSON, Promise, Reflect};
use support::{Undo, World, failed, global};
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::JsFuture;
use wasm_bindgen_test::{wasm_bindgen_test, wasm_bindgen_test_configure};

wasm_bindgen_test_configure!(run_in_browser);

#[wasm_bindgen(module = "/driver/crypto.js")]
extern "C" {
    #[wasm_bindgen(thread_local_v2, js_name = webCrypto)]
    static WEB_CRYPTO: Function;
}

#[wasm_bindgen(module = "/tests/support/web.js")]
extern "C" {
    fn sign(algorithm: &str) -> Promise;
}

/// A signature and what belongs to it.
#[derive(Clone)]
struct Vector {
    algorithm: &'static str,
    key: String,
    input: String,
    signature: String,
}

impl Vector {
    /// One that this browser's WebCrypto makes.
    async fn made(algorithm: &'static str) -> Self {
        let made = JsFuture::from(sign(algorithm)).await.unwrap();
        let member = |name: &str| Reflect::get(&made, &name.into()).unwrap();
        Self {
            algorithm,
            key: JSON::stringify(&member("key")).unwrap().into(),
            input: member("input").as_string().unwrap(),
            signature: member("signature").as_string().unwrap(),
        }
    }

    /// RFC 7515 A.2.
    fn rs256() -> Self {
        Self {
            algorithm: "RS256",
            key: format!(r#"{{"kty":"RSA","n":"{RFC_7515_A2_N}","e":"AQAB"}}"#),
            input: format!("eyJhbGciOiJSUzI1NiJ9.{RFC_7515_PAYLOAD}"),
            signature: RFC_7515_A2_SIGNATURE.to_owned(),
        }
    }

    /// RFC 7515 A.3.
    fn es256() -> Self {
        Self {
            algorithm: "ES256",
            key: RFC_7515_A3_KEY.to_owned(),
            input: format!("eyJhbGciOiJFUzI1NiJ9.{RFC_7515_PAYLOAD}"),
            signature: RFC_7515_A3_SIGNATURE.to_owned(),
        }
    }

    async fn verdict(self) -> Answer {
        self.verdict_in(&world()).await
    }

    async fn verdict_in(self, world: &World) -> Answer {
        let effect = Effect::VerifySignature {
            algorithm: self.algorithm,
            key: Raw(self.key.into()),
            input: Secret(self.input.into()),
            signature: self.signature.into(),
        };
        world.perform(effect).await
    }
}

fn world() -> World {
    World::new([WEB_CRYPTO.with(Function::clone)])
}

const RIGHT: Answer = Answer::Verdict { valid: true };
const WRONG: Answer = Answer::Verdict { valid: false };

fn sha_256(text: &str) -> Effect {
    Effect::Digest { algorithm: "SHA-256", text: Secret(text.into()) }
}

#[wasm_bindgen_test]
async fn digest_of_a_verifier_is_its_challenge() {
    // RFC 7636, appendix B.
    let answer = world().perform(sha_256("dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk")).await;
    let challenge = "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM".into();
    assert_eq!(answer, Answer::Digest { value: challenge });
}

#[wasm_bindgen_test]
async fn digest_of_nothing_is_the_known_one() {
    let value = "47DEQpj8HBSa-_TImW-5JCeuQeRkm5NMpJWZG3hSuFU".into();
    assert_eq!(world().perform(sha_256("")).await, Answer::Digest { value });
}

#[wasm_bindgen_test]
async fn signatures_of_the_specification_are_right() {
    assert_eq!(Vector::rs256().verdict().await, RIGHT);
    assert_eq!(Vector::es256().verdict().await, RIGHT);
}

#[wasm_bindgen_test]
async fn signatures_that_webcrypto_makes_are_right() {
    let algorithms =
        ["RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA"];
    for algorithm in algorithms {
        assert_eq!(Vector::made(algorithm).await.verdict().await, RIGHT, "{algorithm}");
    }
    // RFC 9864: its name in full.
    let vector = Vector { algorithm: "Ed25519", ..Vector::made("EdDSA").await };
    assert_eq!(vector.verdict().await, RIGHT);
}

#[wasm_bindgen_test]
async fn altered_input_is_wrong() {
    for mut vector in [Vector::rs256(), Vector::es256()] {
        vector.input.push('A');
        assert_eq!(vector.verdict().await, WRONG);
    }
}

#[wasm_bindgen_test]
async fn altered_signature_is_wrong() {
    for mut vector in [Vector::rs256(), Vector::es256()] {
        let first = if vector.signature.starts_with('A') { "B" } else { "A" };
        vector.signature.replace_range(..1, first);
        assert_eq!(vector.verdict().await, WRONG);
    }
}

#[wasm_bindgen_test]
async fn short_and_empty_signatures_are_wrong() {
    for vector in [Vector::rs256(), Vector::es256()] {
        let short = vector.signature[..40].to_owned();
        assert_eq!(Vector { signature: short, ..vector.clone() }.verdict().await, WRONG);
        assert_eq!(Vector { signature: String::new(), ..vector }.verdict().await, WRONG);
    }
}

#[wasm_bindgen_test]
async fn signature_of_another_key_is_wrong() {
    for algorithm in ["RS256", "ES256"] {
        let other = Vector::made(algorithm).await;
        let vector = Vector::made(algorithm).await;
        assert_eq!(Vector { key: other.key, ..vector }.verdict().await, WRONG, "{algorithm}");
    }
}

#[wasm_bindgen_test]
async fn key_that_is_kept_judges_only_what_names_it() {
    let world = world();
    for algorithm in ["RS256", "PS256", "ES256"] {
        let (first, second) = (Vector::made(algorithm).await, Vector::made(algorithm).await);
        let swapped = Vector { key: first.key.clone(), ..second.clone() };
        for _ in 0..2 {
            assert_eq!(first.clone().verdict_in(&world).await, RIGHT, "{algorithm}");
            assert_eq!(first.clone().verdict_in(&world).await, RIGHT, "{algorithm}");
            assert_eq!(swapped.clone().verdict_in(&world).await, WRONG, "{algorithm}");
            assert_eq!(second.clone().verdict_in(&world).await, RIGHT, "{algorithm}");
        }
    }
    // One that cannot be used is not kept, and the one before still can be.
    let good = Vector::es256();
    let bad = Vector {
        key: r#"{"kty":"EC","crv":"P-256","x":"AA","y":"AA"}"#.to_owned(),
        ..good.clone()
    };
    for _ in 0..2 {
        assert_eq!(good.clone().verdict_in(&world).await, RIGHT);
        let refused = Answer::Failed { reason: Failure::BadKey };
        assert_eq!(bad.clone().verdict_in(&world).await, refused);
    }
    // The same key by another algorithm's name is another key: PSS does not accept PKCS #1.
    let rsa = Vector::rs256();
    assert_eq!(rsa.clone().verdict_in(&world).await, RIGHT);
    assert_eq!(Vector { algorithm: "PS256", ..rsa }.verdict_in(&world).await, WRONG);
}

#[wasm_bindgen_test]
async fn only_the_members_that_make_the_key_are_used() {
    // Whether `use`, `key_ops` and `alg` fit is the machine's to judge; WebCrypto would refuse.
    for mut vector in [Vector::rs256(), Vector::es256()] {
        let others = r#""use":"enc","key_ops":["encrypt"],"alg":"HS256","ext":false,"kid":"1","#;
        vector.key.insert_str(1, others);
        assert_eq!(vector.verdict().await, RIGHT);
    }
}

#[wasm_bindgen_test]
async fn private_member_does_not_make_another_key_of_it() {
    let mut vector = Vector::es256();
    vector.key.insert_str(1, r#""d":"jpsQnnGQmL-YBIffH1136cspYG6-0iY7X1fCE9-E9LI","#);
    assert_eq!(vector.verdict().await, RIGHT);
}

#[wasm_bindgen_test]
async fn key_that_cannot_be_used_is_a_bad_key() {
    let bad = [
        ("RS256", "{}"),
        ("RS256", r#"{"kty":"RSA","e":"AQAB"}"#),
        ("RS256", r#"{"kty":"RSA","n":7,"e":[]}"#),
        ("RS256", r#"{"kty":"oct","k":"AAAA"}"#),
        ("RS256", RFC_7515_A3_KEY),
        ("ES256", r#"{"kty":"EC","crv":"P-256","x":"AAAA","y":"AAAA"}"#),
        ("ES256", r#"{"kty":"EC","crv":"P-256"}"#),
        // The right point, said to be on another curve.
        ("ES384", RFC_7515_A3_KEY),
        ("EdDSA", r#"{"kty":"OKP","crv":"Ed25519","x":"AAAA"}"#),
    ];
    for (algorithm, key) in bad {
        let vector = Vector { algorithm, key: key.to_owned(), ..Vector::rs256() };
        assert_eq!(vector.verdict().await, failed(Failure::BadKey), "{algorithm} {key}");
    }
}

#[wasm_bindgen_test]
async fn algorithm_that_webcrypto_lacks_is_unsupported_and_no_wrong_signature() {
    for algorithm in ["none", "HS256", "RS1", "XS256", ""] {
        let vector = Vector { algorithm, ..Vector::rs256() };
        assert_eq!(vector.verdict().await, failed(Failure::Unsupported), "{algorithm}");
    }
    // As a browser without Ed25519 says it.
    let lacks = Function::new_no_args(
        "return Promise.reject(new DOMException('Ed25519', 'NotSupportedError'))",
    );
    let subtle = Reflect::get(&global("crypto"), &"subtle".into()).unwrap();
    let _without = Undo::replace(&subtle, "importKey", &lacks);
    let vector = Vector { algorithm: "EdDSA", ..Vector::rs256() };
    assert_eq!(vector.verdict().await, failed(Failure::Unsupported));
}

#[wasm_bindgen_test]
async fn page_that_is_no_secure_context_has_no_crypto() {
    let _without = Undo::replace(&global("crypto"), "subtle", &JsValue::UNDEFINED);
    assert_eq!(Vector::rs256().verdict().await, failed(Failure::Unavailable));
    assert_eq!(world().perform(sha_256("")).await, failed(Failure::Unavailable));
}

#[wasm_bindgen_test]
async fn hash_that_webcrypto_lacks_is_unavailable() {
    let effect = Effect::Digest { algorithm: "MD5", text: Secret::default() };
    assert_eq!(world().perform(effect).await, failed(Failure::Unavailable));
}

const RFC_7515_PAYLOAD: &str = "eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ";
const RFC_7515_A2_N: &str = "ofgWCuLjybRlzo0tZWJjNiuSfb4p4fAkd_wWJcyQoTbji9k0l8W26mPddxHmfHQp-Vaw-4qPCJrcS2mJPMEzP1Pt0Bm4d4QlL-yRT-SFd2lZS-pCgNMsD1W_YpRPEwOWvG6b32690r2jZ47soMZo9wGzjb_7OMg0LOL-bSf63kpaSHSXndS5z5rexMdbBYUsLA9e-KXBdQOS-UTo7WTBEMa2R2CapHg665xsmtdVMTBQY4uDZlxvb3qCo5ZwKh9kG4LT6_I5IhlJH7aGhyxXFvUK-DWNmoudF8NAco9_h9iaGNj8q2ethFkMLs91kzk2PAcDTW9gb54h4FRWyuXpoQ";
const RFC_7515_A2_SIGNATURE: &str = "cC4hiUPoj9Eetdgtv3hF80EGrhuB__dzERat0XF9g2VtQgr9PJbu3XOiZj5RZmh7AAuHIm4Bh-0Qc_lF5YKt_O8W2Fp5jujGbds9uJdbF9CUAr7t1dnZcAcQjbKBYNX4BAynRFdiuB--f_nZLgrnbyTyWzO75vRK5h6xBArLIARNPvkSjtQBMHlb1L07Qe7K0GarZRmB_eSN9383LcOLn6_dO--xi12jzDwusC-eOkHWEsqtFZESc6BfI7noOPqvhJ1phCnvWh6IeYI2w9QOYEUipUTI8np6LbgGY9Fs98rqVt5AXLIhWkWywlVmtVrBp0igcN_IoypGlUPQGe77Rw";
const RFC_7515_A3_KEY: &str = r#"{"kty":"EC","crv":"P-256","x":"f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU","y":"x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0"}"#;
const RFC_7515_A3_SIGNATURE: &str =
    "DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8ISlSApmWQxfKTUJqPP3-Kg6NU1Q";
