//! `driver/popup.js`, and what `driver/arrival.js` does in the window. The window is a frame: a test
//! may not open one.
#![cfg(target_arch = "wasm32")]
#![allow(clippy::panic, clippy::unwrap_used, reason = "a test fails by panicking")]

mod support;

use gatepass_core::{
    secret::Secret,
    wire::{Answer, Effect, Failure},
};
use js_sys::{Function, Object, Promise, Reflect};
use support::{World, failed, unique};
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::JsFuture;
use wasm_bindgen_test::{wasm_bindgen_test, wasm_bindgen_test_configure};
use web_sys::{AbortController, BroadcastChannel};

wasm_bindgen_test_configure!(run_in_browser);

#[wasm_bindgen(module = "/driver/popup.js")]
extern "C" {
    /// The maker of the part, for a window that stands in this object.
    fn popup(door: &Object) -> Function;
}

#[wasm_bindgen(module = "/driver/arrival.js")]
extern "C" {
    #[wasm_bindgen(thread_local_v2, js_name = takeArrival)]
    static TAKE_ARRIVAL: Function;
}

#[wasm_bindgen(module = "/tests/support/frame.js")]
extern "C" {
    /// A frame in the page; its address is `path`.
    type Frame;

    #[wasm_bindgen(js_name = openFrame)]
    fn open_frame(path: &str) -> Promise;

    /// What the file of that name exports, in the frame.
    #[wasm_bindgen(method)]
    fn part(this: &Frame, file: &str, name: &str) -> Promise;

    /// Resolves to the frame's address when it has loaded another page.
    #[wasm_bindgen(method)]
    fn moved(this: &Frame) -> Promise;

    #[wasm_bindgen(method, getter)]
    fn address(this: &Frame) -> String;

    #[wasm_bindgen(method, getter)]
    fn window(this: &Frame) -> JsValue;

    #[wasm_bindgen(method)]
    fn remove(this: &Frame);
}

/// Far above what anything takes.
const LONG: u32 = 60_000;

async fn resolved<T: JsCast>(promise: Promise) -> T {
    JsFuture::from(promise).await.unwrap().unchecked_into()
}

/// A window that has just been opened, in its place.
struct Opened {
    frame: Frame,
    door: Object,
    world: World,
    state: String,
}

impl Opened {
    async fn new() -> Self {
        let frame: Frame = resolved(open_frame("/page.html?blank")).await;
        let door = Object::new();
        Reflect::set(&door, &"opened".into(), &frame.window()).unwrap();
        let world = World::new([popup(&door)]);
        Self { frame, door, world, state: unique("gatepass-popup-") }
    }

    fn url(&self) -> String {
        let origin = web_sys::window().unwrap().location().origin().unwrap();
        format!("{origin}/page.html?code=c%20d&state={}", self.state)
    }

    fn effect(&self, timeout_ms: u32) -> Effect {
        let state = self.state.as_str().into();
        Effect::OpenPopup { url: Secret(self.url().into()), state, timeout_ms }
    }

    /// What the app's page in the window is given by `takeArrival`.
    async fn arrive(&self) -> JsValue {
        TAKE_ARRIVAL.with(|_| ());
        let take: Function = resolved(self.frame.part("/driver/arrival.js", "takeArrival")).await;
        let (issuer, client_id) = ("https://idp.example".into(), "pied-piper".into());
        take.call2(&JsValue::UNDEFINED, &issuer, &client_id).unwrap()
    }
}

#[wasm_bindgen_test]
async fn rp22_page_in_the_window_reports_and_begins_nothing() {
    let opened = Opened::new().await;
    let moved = opened.frame.moved();
    let effect = opened.world.begin(opened.effect(LONG));
    resolved::<JsValue>(moved).await;
    assert_eq!(opened.frame.address(), opened.url());
    opened.world.assert_silence();

    let arrival = opened.arrive().await;
    let member = |name: &str| Reflect::get(&arrival, &name.into()).unwrap().as_string();
    assert_eq!(member("callback"), None);
    assert_eq!(member("on_load").as_deref(), Some("manual"));
    assert_eq!(member("here").as_deref(), Some("/page.html"));
    assert!(opened.frame.address().ends_with("/page.html"), "the code is still in the address");

    let query = format!("?code=c%20d&state={}", opened.state);
    let answer = opened.world.answer_of(effect).await;
    assert_eq!(answer, Answer::Framed { query: Secret(query.into()) });
    opened.frame.remove();
}

#[wasm_bindgen_test]
async fn rp22_only_the_channel_of_this_state_is_heard_and_only_text() {
    let opened = Opened::new().await;
    let effect = opened.world.begin(opened.effect(LONG));
    let channel = |state: &str| BroadcastChannel::new(&format!("gatepass:1:{state}")).unwrap();
    let say = |state: &str, words: &JsValue| channel(state).post_message(words).unwrap();
    say(&unique("gatepass-popup-"), &"?code=of-another".into());
    say(&opened.state, &Object::new());
    say(&opened.state, &"?code=ours".into());
    let answer = opened.world.answer_of(effect).await;
    assert_eq!(answer, Answer::Framed { query: Secret("?code=ours".into()) });
    opened.frame.remove();
}

#[wasm_bindgen_test]
async fn window_that_was_blocked_is_unavailable() {
    let opened = Opened::new().await;
    Reflect::set(&opened.door, &"opened".into(), &JsValue::NULL).unwrap();
    let answer = opened.world.perform(opened.effect(LONG)).await;
    assert_eq!(answer, failed(Failure::Unavailable));
    opened.frame.remove();
}

#[wasm_bindgen_test]
async fn rp22_address_that_would_run_a_script_is_refused() {
    let opened = Opened::new().await;
    for url in ["javascript:parent.ranInWindow=true", " javascript:parent.ranInWindow=true", ""] {
        let state = opened.state.as_str().into();
        let effect = Effect::OpenPopup { url: Secret(url.into()), state, timeout_ms: LONG };
        assert_eq!(opened.world.perform(effect).await, failed(Failure::Unavailable), "{url}");
    }
    assert!(support::global("ranInWindow").is_undefined());
    opened.frame.remove();
}

#[wasm_bindgen_test]
async fn window_that_brings_nothing_is_waited_for_as_long_as_was_said() {
    let opened = Opened::new().await;
    assert_eq!(opened.world.perform(opened.effect(1)).await, failed(Failure::Timeout));
    opened.frame.remove();
}

#[wasm_bindgen_test]
async fn app_gives_a_window_up() {
    let opened = Opened::new().await;
    let given_up = AbortController::new().unwrap();
    Reflect::set(&opened.door, &"given_up".into(), &given_up.signal()).unwrap();
    let effect = opened.world.begin(opened.effect(LONG));
    opened.world.assert_silence();
    given_up.abort();
    assert_eq!(opened.world.answer_of(effect).await, failed(Failure::Cancelled));
    // Also before the window has gone anywhere.
    let late = opened.world.perform(opened.effect(LONG)).await;
    assert_eq!(late, failed(Failure::Cancelled));
    opened.frame.remove();
}

#[wasm_bindgen_test]
async fn cancelled_window_is_not_heard() {
    let opened = Opened::new().await;
    let moved = opened.frame.moved();
    let effect = opened.world.begin(opened.effect(LONG));
    resolved::<JsValue>(moved).await;
    opened.world.cancel(effect);
    opened.arrive().await;
    opened.world.assert_silence();
    opened.frame.remove();
}
