//! `driver/frame.js`: asking in a hidden frame.
#![cfg(target_arch = "wasm32")]
#![allow(clippy::panic, clippy::unwrap_used, reason = "a test fails by panicking")]

mod support;

use gatepass_core::{
    secret::Secret,
    wire::{Answer, Effect, Failure},
};
use js_sys::{Array, Function, Promise, Reflect};
use support::{World, at, failed, unique};
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::JsFuture;
use wasm_bindgen_test::{wasm_bindgen_test, wasm_bindgen_test_configure};

wasm_bindgen_test_configure!(run_in_browser);

#[wasm_bindgen(module = "/driver/frame.js")]
extern "C" {
    #[wasm_bindgen(thread_local_v2, js_name = frame)]
    static FRAME: Function;
}

#[wasm_bindgen(module = "/tests/support/silent.js")]
extern "C" {
    /// The hidden frames of this page.
    fn hidden() -> Array;

    /// Resolves when a hidden frame has loaded what it was opened for.
    fn loaded(index: u32) -> Promise;

    /// Has a hidden frame's own script say something to this page; resolves when it was heard.
    fn tell(index: u32, words: &str) -> Promise;

    /// Has this page say something to itself; resolves when it was heard.
    #[wasm_bindgen(js_name = tellOneself)]
    fn tell_oneself(words: &str) -> Promise;

    /// Resolves to the origin of the next message.
    fn foreign() -> Promise;
}

fn world() -> World {
    World::new([FRAME.with(Function::clone)])
}

fn here(path: &str) -> String {
    let origin = web_sys::window().unwrap().location().origin().unwrap();
    format!("{origin}{path}")
}

fn open(url: &str, timeout_ms: u32) -> Effect {
    Effect::OpenFrame { url: Secret(url.into()), timeout_ms }
}

fn framed(query: &str) -> Answer {
    Answer::Framed { query: Secret(query.into()) }
}

async fn heard(promise: Promise) -> JsValue {
    JsFuture::from(promise).await.unwrap()
}

/// Far above what anything takes.
const LONG: u32 = 60_000;

#[wasm_bindgen_test]
async fn silent_page_tells_its_query_and_the_frame_is_gone() {
    let (world, query) = (world(), format!("?state={}&iss=a%20b", unique("state")));
    let answer = world.perform(open(&here(&format!("/gatepass-silent.html{query}")), LONG)).await;
    assert_eq!(answer, framed(&query));
    assert_eq!(hidden().length(), 0);
}

#[wasm_bindgen_test]
async fn rp8_frame_is_hidden_and_tells_nobody_where_it_comes_from() {
    let world = world();
    let effect = world.begin(open(&here("/page.html"), LONG));
    let frame = hidden().get(0);
    let policy = Reflect::get(&frame, &"referrerPolicy".into()).unwrap();
    assert_eq!(policy.as_string().as_deref(), Some("no-referrer"));
    world.cancel(effect);
    assert_eq!(hidden().length(), 0);
    world.assert_silence();
}

#[wasm_bindgen_test]
async fn rp20_nobody_else_is_heard() {
    let world = world();
    let first = world.begin(open(&here("/page.html?first"), LONG));
    heard(loaded(0)).await;
    let second = world.begin(open(&here("/page.html?second"), LONG));
    heard(loaded(1)).await;
    // This page itself, and then words that are no text.
    heard(tell_oneself("?code=of-the-page")).await;
    heard(tell(0, "{ query: '?code=no-text' }")).await;
    world.assert_silence();
    // Each frame is heard by who opened it.
    heard(tell(1, "'?code=of-the-second'")).await;
    assert_eq!(world.answer_of(second).await, framed("?code=of-the-second"));
    world.assert_silence();
    heard(tell(0, "'?code=of-the-first'")).await;
    assert_eq!(world.answer_of(first).await, framed("?code=of-the-first"));
    assert_eq!(hidden().length(), 0);
}

#[wasm_bindgen_test]
async fn rp20_page_of_another_origin_in_the_frame_is_not_heard() {
    let (world, elsewhere) = (world(), at("/posting").await);
    let effect = world.begin(open(&elsewhere, LONG));
    let origin = heard(foreign()).await.as_string().unwrap();
    assert!(elsewhere.starts_with(&origin) && origin != here(""), "{origin}");
    world.assert_silence();
    world.cancel(effect);
}

#[wasm_bindgen_test]
async fn rp23_page_that_never_comes_is_waited_for_as_long_as_was_said() {
    let (world, never) = (world(), at(&format!("/silent/{}", unique("frame"))).await);
    assert_eq!(world.perform(open(&never, 1)).await, failed(Failure::Timeout));
    assert_eq!(hidden().length(), 0);
}

#[wasm_bindgen_test]
async fn address_that_would_run_a_script_is_refused() {
    let world = world();
    for url in [
        "javascript:parent.ranInFrame=true",
        "JavaScript:parent.ranInFrame=true",
        " javascript:parent.ranInFrame=true",
        "data:text/html,<script>parent.postMessage('?code=1','*')</script>",
        "//elsewhere.example/",
        "/page.html",
        "",
    ] {
        let answer = world.perform(open(url, LONG)).await;
        assert_eq!(answer, failed(Failure::Unavailable), "{url}");
        assert_eq!(hidden().length(), 0, "{url}");
    }
    assert!(support::global("ranInFrame").is_undefined());
}
