//! `driver/storage.js`: what is kept.
#![cfg(target_arch = "wasm32")]
#![allow(clippy::panic, clippy::unwrap_used, reason = "a test fails by panicking")]

mod support;

use gatepass_core::{
    secret::Secret,
    wire::{Answer, Area, Effect, Failure},
};
use js_sys::{Function, Reflect};
use support::{Undo, World, failed, global, unique};
use wasm_bindgen::prelude::*;
use wasm_bindgen_test::{wasm_bindgen_test, wasm_bindgen_test_configure};

wasm_bindgen_test_configure!(run_in_browser);

#[wasm_bindgen(module = "/driver/storage.js")]
extern "C" {
    #[wasm_bindgen(thread_local_v2, js_name = storage)]
    static STORAGE: Function;
}

fn world() -> World {
    World::new([STORAGE.with(Function::clone)])
}

fn load(area: Area, key: &str) -> Effect {
    Effect::Load { area, key: key.into() }
}

fn save(area: Area, key: &str, value: &str) -> Effect {
    Effect::Save { area, key: key.into(), value: Secret(value.into()) }
}

fn erase(area: Area, key: &str) -> Effect {
    Effect::Erase { area, key: key.into() }
}

fn loaded(value: &str) -> Answer {
    Answer::Loaded { value: Some(value.into()) }
}

const NOTHING: Answer = Answer::Loaded { value: None };
const DONE: Answer = Answer::Done {};
const AREAS: [(Area, &str); 2] = [(Area::Tab, "sessionStorage"), (Area::Origin, "localStorage")];

#[wasm_bindgen_test]
async fn saved_text_is_loaded_until_it_is_erased() {
    let (world, key) = (world(), unique("key"));
    for (area, _) in AREAS {
        for text in ["", "{\"a\":\"b\"}", "\u{0}\u{feff}é漢🦀\r\n"] {
            assert_eq!(world.perform(load(area, &key)).await, NOTHING);
            assert_eq!(world.perform(save(area, &key, text)).await, DONE);
            assert_eq!(world.perform(load(area, &key)).await, loaded(text));
            assert_eq!(world.perform(erase(area, &key)).await, DONE);
        }
        assert_eq!(world.perform(load(area, &key)).await, NOTHING);
    }
}

#[wasm_bindgen_test]
async fn erasing_nothing_is_done() {
    assert_eq!(world().perform(erase(Area::Tab, &unique("none"))).await, DONE);
}

#[wasm_bindgen_test]
async fn areas_are_apart_and_are_the_browsers_own() {
    let (world, key) = (world(), unique("key"));
    world.perform(save(Area::Tab, &key, "tab")).await;
    assert_eq!(world.perform(load(Area::Origin, &key)).await, NOTHING);
    world.perform(save(Area::Origin, &key, "origin")).await;
    for ((area, name), value) in AREAS.into_iter().zip(["tab", "origin"]) {
        let kept = Reflect::get(&global(name), &key.as_str().into()).unwrap();
        assert_eq!(kept.as_string().as_deref(), Some(value));
        world.perform(erase(area, &key)).await;
    }
}

#[wasm_bindgen_test]
async fn names_of_the_storages_own_methods_are_keys_like_others() {
    let world = world();
    assert_eq!(world.perform(load(Area::Tab, "getItem")).await, NOTHING);
    world.perform(save(Area::Tab, "getItem", "text")).await;
    assert_eq!(world.perform(load(Area::Tab, "getItem")).await, loaded("text"));
    world.perform(erase(Area::Tab, "getItem")).await;
}

#[wasm_bindgen_test]
async fn blocked_storage_is_unavailable() {
    let world = world();
    for (area, name) in AREAS {
        let _blocked = Undo::block(&js_sys::global(), name);
        for effect in [load(area, "key"), save(area, "key", "text"), erase(area, "key")] {
            assert_eq!(world.perform(effect).await, failed(Failure::Unavailable), "{name}");
        }
    }
}

#[wasm_bindgen_test]
async fn blocked_storage_of_one_area_leaves_the_other() {
    let world = world();
    let _blocked = Undo::block(&js_sys::global(), "sessionStorage");
    assert_eq!(world.perform(load(Area::Origin, &unique("key"))).await, NOTHING);
}

#[wasm_bindgen_test]
async fn full_storage_is_unavailable() {
    let (world, key) = (world(), unique("large"));
    let large = "x".repeat(20_000_000);
    assert_eq!(world.perform(save(Area::Tab, &key, &large)).await, failed(Failure::Unavailable));
    assert_eq!(world.perform(load(Area::Tab, &key)).await, NOTHING);
}

#[wasm_bindgen_test]
async fn text_that_is_no_unicode_is_answered_all_the_same() {
    let (world, key) = (world(), unique("key"));
    // A lone surrogate, beside what looks like the escape of one.
    let text = js_sys::JsString::from_char_code2(0xD83D, 0x5C);
    let text = text.concat(&"ud83d".into());
    Reflect::set(&global("sessionStorage"), &key.as_str().into(), &text).unwrap();
    assert_eq!(world.perform(load(Area::Tab, &key)).await, loaded("\u{fffd}\\ud83d"));
    world.perform(erase(Area::Tab, &key)).await;
}
