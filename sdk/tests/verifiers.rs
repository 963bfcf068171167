//! Both verifiers, WebCrypto behind `driver/crypto.js` and the portable one as wasm, over the same
//! vectors in the same browser: they must give the same verdict. And the core's JSON reader as wasm, which
//! must read what it reads natively.
#![cfg(target_arch = "wasm32")]
#![allow(clippy::panic, clippy::unwrap_used, reason = "a test fails by panicking")]

mod support;

use gatepass_core::{
    json,
    secret::Secret,
    wire::{Answer, Effect, Failure, Raw},
};
use gatepass_vectors::{JSON, Vector, Verdict, all, decode};
use js_sys::{Function, Promise};
use support::{World, failed, global};
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::JsFuture;
use wasm_bindgen_test::{wasm_bindgen_test, wasm_bindgen_test_configure};

wasm_bindgen_test_configure!(run_in_browser);

#[wasm_bindgen(module = "/driver/crypto.js")]
extern "C" {
    #[wasm_bindgen(thread_local_v2, js_name = webCrypto)]
    static WEB_CRYPTO: Function;
}

/// What WebCrypto says; nothing if the input is no text, as a token's always is.
async fn browser(world: &World, vector: &Vector) -> Option<Answer> {
    let input = core::str::from_utf8(&vector.input).ok()?;
    let effect = Effect::VerifySignature {
        algorithm: vector.algorithm,
        key: Raw(vector.key.into()),
        input: Secret(input.into()),
        signature: vector.signature.into(),
    };
    Some(world.perform(effect).await)
}

/// What the portable verifier says.
fn portable(vector: &Vector) -> Answer {
    let signature = decode(vector.signature).unwrap();
    match gatepass_verifier::verify(vector.algorithm, vector.key, &vector.input, &signature) {
        Ok(valid) => Answer::Verdict { valid },
        Err(gatepass_verifier::Failure::BadKey) => failed(Failure::BadKey),
        Err(gatepass_verifier::Failure::Unsupported) => failed(Failure::Unsupported),
    }
}

const RIGHT: Answer = Answer::Verdict { valid: true };

/// RSA keys beyond 4096 bits, which the portable verifier takes for none: 683 characters of
/// base64url are 512 bytes.
fn is_covered(vector: &Vector) -> bool {
    vector.key.len() < r#"{"e":"AQAB","kty":"RSA","n":""}"#.len() + 683 + 20
}

async fn differ(family: &str) {
    let world = World::new([WEB_CRYPTO.with(Function::clone)]);
    let mut seen = 0;
    let mut differing = Vec::new();
    for vector in all().iter().filter(|it| it.algorithm.starts_with(family) && is_covered(it)) {
        let Some(browser) = browser(&world, vector).await else { continue };
        seen += 1;
        // The page stays responsive, which the runner insists on.
        if seen % 20 == 0 {
            page_breathes().await;
        }
        let portable = portable(vector);
        let is_expected = match vector.verdict {
            Verdict::Right => browser == RIGHT,
            Verdict::Wrong => browser != RIGHT,
            Verdict::Either => true,
        };
        if browser != portable || !is_expected {
            let (name, verdict) = (&vector.name, vector.verdict);
            differing.push(format!("{name} is {verdict:?}: {browser:?}, {portable:?}"));
        }
    }
    assert!(seen > 60, "only {seen} vectors of {family}");
    assert!(differing.is_empty(), "{} of {seen}: {differing:#?}", differing.len());
}

/// Lets the page do what it has waiting.
async fn page_breathes() {
    let task = |resolve: Function, _| {
        global("setTimeout").unchecked_into::<Function>().call1(&JsValue::NULL, &resolve).unwrap();
    };
    JsFuture::from(Promise::new(&mut { task })).await.unwrap();
}

#[wasm_bindgen_test]
async fn rp10_both_verifiers_agree_on_pkcs1() {
    differ("RS").await;
}

#[wasm_bindgen_test]
async fn rp10_both_verifiers_agree_on_pss() {
    differ("PS").await;
}

#[wasm_bindgen_test]
async fn rp10_both_verifiers_agree_on_ecdsa() {
    differ("ES").await;
}

#[wasm_bindgen_test]
async fn rp10_both_verifiers_agree_on_eddsa() {
    differ("EdDSA").await;
}

/// The same list is read natively (`sdk/core/tests/json.rs`).
#[wasm_bindgen_test]
fn rp26_vectors_are_read_in_a_browser_as_they_should_be() {
    for (document, expected) in JSON {
        assert_eq!(format!("{:?}", json::read(document)), *expected, "{document:?}");
    }
}
