//! `cryptoWith` of `driver/crypto.js` and `driver/verifier.js`: WebCrypto where it is, the portable
//! verifier where it is not or lacks an algorithm, and nothing loaded before it is needed.
#![cfg(target_arch = "wasm32")]
#![allow(clippy::panic, clippy::unwrap_used, reason = "a test fails by panicking")]

mod support;

use gatepass_core::{
    secret::Secret,
    wire::{Answer, Effect, Failure, Raw},
};
use gatepass_vectors::{PKCE_CHALLENGE, PKCE_VERIFIER, Vector, rfc};
use js_sys::{Error, Function, Object, Promise, Reflect, Uint8Array};
use std::{cell::Cell, rc::Rc};
use support::{Undo, World, failed, global};
use wasm_bindgen::prelude::*;
use wasm_bindgen_test::{wasm_bindgen_test, wasm_bindgen_test_configure};

wasm_bindgen_test_configure!(run_in_browser);

#[wasm_bindgen(module = "/driver/crypto.js")]
extern "C" {
    #[wasm_bindgen(js_name = cryptoWith)]
    fn crypto_with(load: &Function) -> Function;
}

#[wasm_bindgen(module = "/driver/verifier.js")]
extern "C" {
    fn portable(module: &Object) -> JsValue;
}

/// The part, and how often it has loaded the verifier.
struct Part {
    world: World,
    loads: Rc<Cell<u32>>,
}

impl Part {
    /// With the real verifier behind it, as an app has it.
    fn new() -> Self {
        Self::loading(|| {
            let module = Object::new();
            let verify = Closure::<dyn Fn(Vec<u8>, Vec<u8>, Vec<u8>, Vec<u8>) -> u8>::new(verify);
            let digest = Closure::<dyn Fn(Vec<u8>, Vec<u8>) -> Uint8Array>::new(digest);
            Reflect::set(&module, &"verify".into(), &verify.into_js_value()).unwrap();
            Reflect::set(&module, &"digest".into(), &digest.into_js_value()).unwrap();
            Promise::resolve(&portable(&module))
        })
    }

    fn loading(load: impl Fn() -> Promise + 'static) -> Self {
        let loads = Rc::new(Cell::new(0));
        let count = loads.clone();
        let load = Closure::<dyn Fn() -> Promise>::new(move || {
            count.set(count.get() + 1);
            load()
        });
        let load: Function = load.into_js_value().unchecked_into();
        Self { world: World::new([crypto_with(&load)]), loads }
    }

    async fn verdict(&self, vector: &Vector) -> Answer {
        let effect = Effect::VerifySignature {
            algorithm: vector.algorithm,
            key: Raw(vector.key.into()),
            input: Secret(core::str::from_utf8(&vector.input).unwrap().into()),
            signature: vector.signature.into(),
        };
        self.world.perform(effect).await
    }

    async fn challenge(&self) -> Answer {
        let text = Secret(PKCE_VERIFIER.into());
        self.world.perform(Effect::Digest { algorithm: "SHA-256", text }).await
    }
}

fn verify(algorithm: Vec<u8>, key: Vec<u8>, input: Vec<u8>, signature: Vec<u8>) -> u8 {
    gatepass_verifier::module::verify(&algorithm, &key, &input, &signature)
}

fn digest(algorithm: Vec<u8>, bytes: Vec<u8>) -> Uint8Array {
    gatepass_verifier::module::digest(&algorithm, &bytes).as_slice().into()
}

const RIGHT: Answer = Answer::Verdict { valid: true };
const WRONG: Answer = Answer::Verdict { valid: false };

fn challenge() -> Answer {
    Answer::Digest { value: PKCE_CHALLENGE.into() }
}

#[wasm_bindgen_test]
async fn webcrypto_that_has_an_answer_is_the_only_one_asked() {
    let part = Part::new();
    for vector in rfc() {
        assert_eq!(part.verdict(&vector).await, RIGHT, "{}", vector.name);
    }
    assert_eq!(part.challenge().await, challenge());
    assert_eq!(part.loads.get(), 0);
}

#[wasm_bindgen_test]
async fn page_by_plain_http_has_the_portable_verifier() {
    let _without = Undo::replace(&global("crypto"), "subtle", &JsValue::UNDEFINED);
    let part = Part::new();
    assert_eq!(part.challenge().await, challenge());
    for vector in rfc() {
        assert_eq!(part.verdict(&vector).await, RIGHT, "{}", vector.name);
        let altered = Vector { input: b"altered".to_vec(), ..vector.clone() };
        assert_eq!(part.verdict(&altered).await, WRONG, "{}", vector.name);
        let other = Vector { key: "{}", ..vector };
        assert_eq!(part.verdict(&other).await, failed(Failure::BadKey));
    }
    assert!(part.loads.get() > 0);
}

#[wasm_bindgen_test]
async fn ed25519_that_the_browser_refuses_is_verified_by_the_portable_one() {
    // As browsers did before they had it.
    let subtle = Reflect::get(&global("crypto"), &"subtle".into()).unwrap();
    let import: Function = Reflect::get(&subtle, &"importKey".into()).unwrap().unchecked_into();
    let real = import.bind0(&subtle);
    let without = Closure::<dyn Fn(JsValue, JsValue, JsValue, JsValue, JsValue) -> Promise>::new(
        move |format: JsValue,
              key: JsValue,
              algorithm: JsValue,
              extractable: JsValue,
              uses: JsValue| {
            let name = Reflect::get(&algorithm, &"name".into()).unwrap();
            if name == "Ed25519" {
                let error = Error::new("Unrecognized name");
                error.set_name("NotSupportedError");
                return Promise::reject(&error);
            }
            let given = js_sys::Array::of5(&format, &key, &algorithm, &extractable, &uses);
            real.apply(&JsValue::NULL, &given).unwrap().unchecked_into()
        },
    );
    let _without = Undo::replace(&subtle, "importKey", &without.into_js_value());
    let part = Part::new();
    for vector in rfc() {
        let before = part.loads.get();
        assert_eq!(part.verdict(&vector).await, RIGHT, "{}", vector.name);
        let has_loaded = part.loads.get() > before;
        assert_eq!(has_loaded, vector.algorithm == "EdDSA", "{}", vector.name);
    }
    assert_eq!(part.challenge().await, challenge());
    assert_eq!(part.loads.get(), 1);
}

#[wasm_bindgen_test]
async fn verdict_of_webcrypto_is_not_asked_for_again() {
    let part = Part::new();
    let mut vector = rfc().remove(0);
    vector.input = b"altered".to_vec();
    assert_eq!(part.verdict(&vector).await, WRONG);
    vector.key = "{}";
    assert_eq!(part.verdict(&vector).await, failed(Failure::BadKey));
    assert_eq!(part.loads.get(), 0);
}

#[wasm_bindgen_test]
async fn verifier_that_cannot_be_loaded_is_asked_for_again() {
    let _without = Undo::replace(&global("crypto"), "subtle", &JsValue::UNDEFINED);
    let part = Part::loading(|| Promise::reject(&"offline".into()));
    assert_eq!(part.challenge().await, failed(Failure::Unavailable));
    assert_eq!(part.verdict(&rfc()[0]).await, failed(Failure::Unavailable));
    assert_eq!(part.loads.get(), 2);
}

#[wasm_bindgen_test]
async fn algorithm_that_nobody_has_is_unsupported() {
    let part = Part::new();
    for algorithm in ["none", "HS256", "ES256K"] {
        let vector = Vector { algorithm, ..rfc().remove(0) };
        assert_eq!(part.verdict(&vector).await, failed(Failure::Unsupported), "{algorithm}");
    }
    let text = Secret("".into());
    let answer = part.world.perform(Effect::Digest { algorithm: "MD5", text }).await;
    assert_eq!(answer, failed(Failure::Unavailable));
}
