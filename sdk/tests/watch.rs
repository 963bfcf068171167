//! `driver/watch.js`: watching the provider's hidden frame.
#![cfg(target_arch = "wasm32")]
#![allow(clippy::panic, clippy::unwrap_used, reason = "a test fails by panicking")]

mod support;

use gatepass_core::{
    secret::Secret,
    wire::{Answer, Effect, Failure, Signal},
};
use js_sys::{Array, Function, Promise, Reflect};
use support::{World, failed, global};
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::JsFuture;
use wasm_bindgen_test::{wasm_bindgen_test, wasm_bindgen_test_configure};

wasm_bindgen_test_configure!(run_in_browser);

#[wasm_bindgen(module = "/driver/watch.js")]
extern "C" {
    #[wasm_bindgen(js_name = watchWith)]
    fn watch_with(seen_ms: u32, proof_ms: u32) -> Function;
}

#[wasm_bindgen(module = "/tests/support/silent.js")]
extern "C" {
    /// The hidden frames of this page.
    fn hidden() -> Array;

    /// Has this page say something to itself; resolves when it was heard.
    #[wasm_bindgen(js_name = tellOneself)]
    fn tell_oneself(words: &str) -> Promise;
}

/// Far above what anything takes.
const LONG: u32 = 60_000;

fn world() -> World {
    World::new([watch_with(1, LONG)])
}

/// A frame that answers with these, one after the other, the last one for ever.
fn watch(words: &str, answers: &[&str]) -> Effect {
    let origin = web_sys::window().unwrap().location().origin().unwrap();
    let query: String = answers.iter().map(|answer| format!("&say={answer}")).collect();
    let url = format!("{origin}/asked.html?{query}").into();
    Effect::WatchSession { url, words: Secret(words.into()) }
}

/// What frames were asked before is forgotten.
fn forget() {
    Reflect::set(&js_sys::global(), &"asked".into(), &Array::new()).unwrap();
}

/// What frames were asked since.
fn asked() -> Vec<String> {
    let asked: Array = global("asked").unchecked_into();
    asked.iter().map(|words| words.as_string().unwrap()).collect()
}

/// Waits until a frame was asked this often.
async fn asked_times(count: usize) {
    while asked().len() < count {
        JsFuture::from(tell_oneself("tick")).await.unwrap();
    }
}

/// What comes of a frame that sees its cookie, which is told first.
async fn perform_seeing(effect: Effect) -> Answer {
    let world = world();
    let id = world.begin(effect);
    assert_eq!(world.signal().await, Signal::Chunk { effect: id });
    world.answer_of(id).await
}

#[wasm_bindgen_test]
async fn f4_frame_that_can_tell_right_from_wrong_is_believed() {
    let answers = ["unchanged", "changed", "unchanged", "unchanged", "changed"];
    forget();
    let answer = perform_seeing(watch("my app hash.salt", &answers)).await;
    assert_eq!(answer, Answer::Done {});
    let (right, wrong) = ("my app hash.salt", "my app Aash.salt");
    assert_eq!(asked(), [right, wrong, right, right, right]);
    assert_eq!(hidden().length(), 0);
    // What is false is so whatever it begins with.
    forget();
    perform_seeing(watch("app A", &answers)).await;
    assert_eq!(asked()[1], "app B");
    // A frame that has shown it and sees nothing any more makes us ask too.
    let answer = perform_seeing(watch("app h.s", &["unchanged", "changed", "error"])).await;
    assert_eq!(answer, Answer::Done {});
}

#[wasm_bindgen_test]
async fn f4_frame_that_cannot_tell_is_not() {
    for answers in [
        &["error"][..],
        &["changed"],
        &["unchanged"],
        &["unchanged", "error"],
        &["nonsense"],
        &["unchanged", "nonsense"],
    ] {
        let answer = world().perform(watch("app h.s", answers)).await;
        assert_eq!(answer, failed(Failure::Unavailable), "{answers:?}");
        assert_eq!(hidden().length(), 0);
    }
    // It says nothing at all.
    let world = World::new([watch_with(1, 1)]);
    assert_eq!(world.perform(watch("app h.s", &[])).await, failed(Failure::Timeout));
    assert_eq!(hidden().length(), 0);
}

#[wasm_bindgen_test]
async fn rp20_nobody_but_the_frame_is_heard() {
    let world = world();
    forget();
    let effect = world.begin(watch("app h.s", &["unchanged", "changed", "unchanged"]));
    assert_eq!(world.signal().await, Signal::Chunk { effect });
    asked_times(3).await;
    JsFuture::from(tell_oneself("changed")).await.unwrap();
    asked_times(6).await;
    world.assert_silence();
    world.cancel(effect);
    assert_eq!(hidden().length(), 0);
    world.assert_silence();
}

#[wasm_bindgen_test]
async fn rp8_rp23_frame_is_hidden_and_can_do_nothing_to_the_page() {
    let world = world();
    let effect = world.begin(watch("app h.s", &[]));
    let frame = hidden().get(0);
    let member = |name: &str| Reflect::get(&frame, &name.into()).unwrap();
    assert_eq!(member("referrerPolicy").as_string().as_deref(), Some("no-referrer"));
    let sandbox = Reflect::get(&member("sandbox"), &"value".into()).unwrap();
    assert_eq!(sandbox.as_string().as_deref(), Some("allow-scripts allow-same-origin"));
    world.cancel(effect);
    assert_eq!(hidden().length(), 0);
}

#[wasm_bindgen_test]
async fn address_that_would_run_a_script_is_refused() {
    for url in ["javascript:parent.ranInFrame=true", " javascript:1", "/asked.html", ""] {
        let effect = Effect::WatchSession { url: url.into(), words: Secret("app h.s".into()) };
        assert_eq!(world().perform(effect).await, failed(Failure::Unavailable), "{url}");
        assert_eq!(hidden().length(), 0);
    }
    assert!(global("ranInFrame").is_undefined());
}
