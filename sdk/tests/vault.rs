//! `driver/vault.js`: what is kept encrypted.
#![cfg(target_arch = "wasm32")]
#![allow(clippy::panic, clippy::unwrap_used, reason = "a test fails by panicking")]

mod support;

use gatepass_core::{
    secret::Secret,
    wire::{Answer, Area, Effect, Failure, Order},
};
use js_sys::{Array, Function};
use support::{Undo, World, failed, unique};
use wasm_bindgen::prelude::*;
use wasm_bindgen_test::{wasm_bindgen_test, wasm_bindgen_test_configure};

wasm_bindgen_test_configure!(run_in_browser);

#[wasm_bindgen(module = "/driver/vault.js")]
extern "C" {
    #[wasm_bindgen(thread_local_v2, js_name = vault)]
    static VAULT: Function;
}

/// What a script of the page can do with the database.
#[wasm_bindgen(module = "/tests/support/vault.js")]
extern "C" {
    #[wasm_bindgen(catch, js_name = keysOf)]
    async fn keys_of(name: &str) -> Result<JsValue, JsValue>;
    #[wasm_bindgen(catch, js_name = forgetKey)]
    async fn forget_key(name: &str) -> Result<JsValue, JsValue>;
    #[wasm_bindgen(js_name = hangingDatabase)]
    fn hanging_database() -> JsValue;
    #[wasm_bindgen(js_name = databaseWithoutKeys)]
    fn database_without_keys() -> JsValue;
}

fn world() -> World {
    World::new([VAULT.with(Function::clone)])
}

fn load(area: Area, key: &str) -> Effect {
    Effect::LoadSealed { area, key: key.into(), timeout_ms: 5_000 }
}

fn save(area: Area, key: &str, value: &str) -> Effect {
    Effect::SaveSealed { area, key: key.into(), value: Secret(value.into()) }
}

fn loaded(value: &str) -> Answer {
    Answer::Loaded { value: Some(value.into()) }
}

fn storage(area: Area) -> web_sys::Storage {
    let window = web_sys::window().unwrap();
    let storage = match area {
        Area::Tab => window.session_storage(),
        Area::Origin => window.local_storage(),
    };
    storage.unwrap().unwrap()
}

const NOTHING: Answer = Answer::Loaded { value: None };
const AREAS: [(Area, &str); 2] = [(Area::Tab, "sessionStorage"), (Area::Origin, "localStorage")];

#[wasm_bindgen_test]
async fn f12_sealed_text_is_opened_again() {
    let (world, key) = (world(), unique("key"));
    for (area, _) in AREAS {
        assert_eq!(world.perform(load(area, &key)).await, NOTHING);
        let long = "{\"a\":\"é漢🦀\u{0}\"}".repeat(20_000);
        for text in ["", "text", &long] {
            assert_eq!(world.perform(save(area, &key, text)).await, Answer::Done {});
            // Another client of the page, or the next page.
            assert_eq!(
                support::World::new([VAULT.with(Function::clone)]).perform(load(area, &key)).await,
                loaded(text)
            );
        }
        storage(area).remove_item(&key).unwrap();
    }
}

#[wasm_bindgen_test]
async fn s13_sealed_text_is_not_what_was_said_and_never_twice_the_same() {
    let (world, key) = (world(), unique("key"));
    let said = "refresh-token refresh-token refresh-token";
    let mut stored = Vec::new();
    for _ in 0..2 {
        world.perform(save(Area::Tab, &key, said)).await;
        stored.push(storage(Area::Tab).get_item(&key).unwrap().unwrap());
    }
    assert_ne!(stored[0], stored[1]);
    for text in stored {
        let opened = web_sys::window().unwrap().atob(&text).unwrap();
        assert!(!opened.contains("refresh-token") && !text.contains("cmVmcmVzaC10b2tlb"));
    }
}

#[wasm_bindgen_test]
async fn s13_the_key_tells_no_script_what_it_is() {
    let (world, key) = (world(), unique("key"));
    world.perform(save(Area::Tab, &key, "text")).await;
    // Whether it may be exported, what it is for, and what an export of it comes to.
    let told = Array::from(&keys_of(&key).await.unwrap());
    assert_eq!(told.get(0), JsValue::FALSE);
    assert_eq!(told.get(1), JsValue::from_str("encrypt,decrypt"));
    assert_eq!(told.get(2), JsValue::from_str("InvalidAccessError"));
}

#[wasm_bindgen_test]
async fn s13_garbled_bytes_are_unavailable() {
    let (world, key) = (world(), unique("key"));
    world.perform(save(Area::Tab, &key, "text")).await;
    let good = storage(Area::Tab).get_item(&key).unwrap().unwrap();
    let last = if good.starts_with('A') { "B" } else { "A" };
    for garbled in ["!", "AAAA", &good[4..], &format!("{last}{}", &good[1..])] {
        storage(Area::Tab).set_item(&key, garbled).unwrap();
        assert_eq!(
            world.perform(load(Area::Tab, &key)).await,
            failed(Failure::Unavailable),
            "{garbled}"
        );
    }
    // What was sealed under one name is not opened under another.
    let other = unique("other");
    world.perform(save(Area::Tab, &other, "text")).await;
    storage(Area::Tab).set_item(&other, &good).unwrap();
    assert_eq!(world.perform(load(Area::Tab, &other)).await, failed(Failure::Unavailable));
}

#[wasm_bindgen_test]
async fn s7_a_key_that_is_gone_is_unavailable_and_the_next_one_works() {
    let (world, key) = (world(), unique("key"));
    world.perform(save(Area::Tab, &key, "text")).await;
    forget_key(&key).await.unwrap();
    assert_eq!(world.perform(load(Area::Tab, &key)).await, failed(Failure::Unavailable));
    assert_eq!(world.perform(save(Area::Tab, &key, "anew")).await, Answer::Done {});
    assert_eq!(world.perform(load(Area::Tab, &key)).await, loaded("anew"));
}

#[wasm_bindgen_test]
async fn s7_two_first_writers_agree_on_one_key() {
    let (one, two, key) = (world(), world(), unique("key"));
    let (first, second) =
        (one.begin(save(Area::Tab, &key, "one")), two.begin(save(Area::Origin, &key, "two")));
    assert_eq!(one.answer_of(first).await, Answer::Done {});
    assert_eq!(two.answer_of(second).await, Answer::Done {});
    assert_eq!(one.perform(load(Area::Tab, &key)).await, loaded("one"));
    assert_eq!(one.perform(load(Area::Origin, &key)).await, loaded("two"));
    storage(Area::Origin).remove_item(&key).unwrap();
}

#[wasm_bindgen_test]
async fn s7_blocked_parts_of_the_browser_are_unavailable() {
    let (world, key) = (world(), unique("key"));
    world.perform(save(Area::Tab, &key, "text")).await;
    for part in ["indexedDB", "sessionStorage"] {
        let _blocked = Undo::block(&js_sys::global(), part);
        for effect in [load(Area::Tab, &key), save(Area::Tab, &key, "other")] {
            assert_eq!(world.perform(effect).await, failed(Failure::Unavailable), "{part}");
        }
    }
    assert_eq!(world.perform(load(Area::Tab, &key)).await, loaded("text"));
}

#[wasm_bindgen_test]
async fn s7_a_database_that_cannot_hold_a_key_is_unavailable() {
    // Private windows of some browsers.
    let (world, key) = (world(), unique("key"));
    let undo: Function = database_without_keys().into();
    let answer = world.perform(save(Area::Tab, &key, "text")).await;
    undo.call0(&JsValue::NULL).unwrap();
    assert_eq!(answer, failed(Failure::Unavailable));
    assert_eq!(storage(Area::Tab).get_item(&key).unwrap(), None);
}

#[wasm_bindgen_test]
async fn s7_a_database_that_hangs_is_given_up() {
    let (world, key) = (world(), unique("key"));
    world.perform(save(Area::Tab, &key, "text")).await;
    let undo: Function = hanging_database().into();
    let effect = Effect::LoadSealed { area: Area::Tab, key: key.as_str().into(), timeout_ms: 20 };
    let answer = world.perform(effect).await;
    undo.call0(&JsValue::NULL).unwrap();
    assert_eq!(answer, failed(Failure::Timeout));
}

#[wasm_bindgen_test]
async fn s7_full_storage_is_unavailable() {
    let (world, key) = (world(), unique("key"));
    let large = "x".repeat(8_000_000);
    assert_eq!(world.perform(save(Area::Tab, &key, &large)).await, failed(Failure::Unavailable));
    assert_eq!(world.perform(load(Area::Tab, &key)).await, NOTHING);
}

#[wasm_bindgen_test]
async fn f7_nothing_is_stored_once_it_is_cancelled() {
    let (world, key) = (world(), unique("key"));
    let id = world.begin(save(Area::Tab, &key, "text"));
    world.order([Order::Cancel { effect: id }]);
    // Later ones come after it.
    world.perform(save(Area::Tab, &unique("later"), "text")).await;
    world.perform(save(Area::Tab, &unique("later"), "text")).await;
    assert_eq!(storage(Area::Tab).get_item(&key).unwrap(), None);
    world.assert_silence();
}
