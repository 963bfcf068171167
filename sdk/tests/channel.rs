//! `driver/channel.js`: what the tabs of an origin say to each other.
#![cfg(target_arch = "wasm32")]
#![allow(clippy::panic, clippy::unwrap_used, reason = "a test fails by panicking")]

mod support;

use gatepass_core::{
    secret::Secret,
    wire::{Answer, Effect, Failure, Signal},
};
use js_sys::Function;
use support::{Undo, World, failed, unique};
use wasm_bindgen::prelude::*;
use wasm_bindgen_test::{wasm_bindgen_test, wasm_bindgen_test_configure};

wasm_bindgen_test_configure!(run_in_browser);

#[wasm_bindgen(module = "/driver/channel.js")]
extern "C" {
    #[wasm_bindgen(thread_local_v2, js_name = channel)]
    static CHANNEL: Function;
}

#[wasm_bindgen]
extern "C" {
    /// Another script of this origin.
    #[wasm_bindgen(js_name = BroadcastChannel)]
    type Other;
    #[wasm_bindgen(constructor, js_class = "BroadcastChannel")]
    fn new(name: &str) -> Other;
    #[wasm_bindgen(method, js_name = postMessage)]
    fn post(this: &Other, message: &JsValue);
}

fn world() -> World {
    World::new([CHANNEL.with(Function::clone)])
}

fn say(channel: &str, text: &str) -> Effect {
    Effect::Broadcast { channel: channel.into(), text: Secret(text.into()) }
}

fn heard(text: &str) -> Signal {
    Signal::Message { text: text.into() }
}

#[wasm_bindgen_test]
async fn tabs_hear_each_other_and_not_themselves() {
    let (one, two, name) = (world(), world(), unique("tabs"));
    // Nobody listens yet.
    assert_eq!(one.perform(say(&name, "hello")).await, Answer::Done {});
    assert_eq!(two.perform(say(&name, "hello back")).await, Answer::Done {});
    assert_eq!(one.signal().await, heard("hello back"));
    assert_eq!(one.perform(say(&name, "{\"é\":\"🦀\"}")).await, Answer::Done {});
    assert_eq!(two.signal().await, heard("{\"é\":\"🦀\"}"));
    one.assert_silence();
    two.assert_silence();
}

#[wasm_bindgen_test]
async fn channels_are_apart() {
    let (one, two) = (world(), world());
    let (name, other) = (unique("one"), unique("two"));
    two.perform(say(&other, "hello")).await;
    one.perform(say(&name, "not for two")).await;
    one.perform(say(&other, "for two")).await;
    assert_eq!(two.signal().await, heard("for two"));
}

#[wasm_bindgen_test]
async fn messages_that_are_no_text_are_not_heard() {
    let (world, name) = (world(), unique("forged"));
    world.perform(say(&name, "hello")).await;
    let other = Other::new(&name);
    for forged in [JsValue::NULL, 7.into(), js_sys::Object::new().into()] {
        other.post(&forged);
    }
    other.post(&"text".into());
    assert_eq!(world.signal().await, heard("text"));
}

#[wasm_bindgen_test]
async fn closed_loop_hears_nothing() {
    let (closed, open, name) = (world(), world(), unique("closed"));
    closed.perform(say(&name, "hello")).await;
    open.perform(say(&name, "hello")).await;
    assert_eq!(closed.signal().await, heard("hello"));
    closed.close();
    let other = Other::new(&name);
    other.post(&"to all".into());
    assert_eq!(open.signal().await, heard("to all"));
    closed.assert_silence();
}

#[wasm_bindgen_test]
async fn browser_without_channels_is_answered() {
    let _without = Undo::replace(&js_sys::global(), "BroadcastChannel", &JsValue::UNDEFINED);
    let answer = world().perform(say(&unique("none"), "hello")).await;
    assert_eq!(answer, failed(Failure::Unavailable));
}
