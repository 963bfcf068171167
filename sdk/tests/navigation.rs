//! `driver/navigation.js`: leaving the page. What leaves here is a frame.
#![cfg(target_arch = "wasm32")]
#![allow(clippy::panic, clippy::unwrap_used, reason = "a test fails by panicking")]

mod support;

use gatepass_core::{
    secret::Secret,
    wire::{Answer, Effect, Failure},
};
use js_sys::{Function, Object, Promise};
use support::{World, at, failed, unique};
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::JsFuture;
use wasm_bindgen_test::{wasm_bindgen_test, wasm_bindgen_test_configure};

wasm_bindgen_test_configure!(run_in_browser);

#[wasm_bindgen(module = "/driver/navigation.js")]
extern "C" {
    #[wasm_bindgen(thread_local_v2, js_name = navigation)]
    static NAVIGATION: Function;
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

    /// Resolves to the next message to this page.
    fn message() -> Promise;

    #[wasm_bindgen(js_name = openFrame)]
    fn open_frame(path: &str) -> Promise;

    /// The part of that name, made in the frame.
    #[wasm_bindgen(method)]
    fn part(this: &Frame, file: &str, name: &str) -> Promise;

    /// Resolves to the frame's address when it has loaded another page.
    #[wasm_bindgen(method)]
    fn moved(this: &Frame) -> Promise;

    #[wasm_bindgen(method, getter)]
    fn address(this: &Frame) -> String;

    /// Scrolls it that far, as it must be possible, and gives its entry in the history a state.
    #[wasm_bindgen(method)]
    fn read(this: &Frame, y: f64, state: &str) -> f64;

    #[wasm_bindgen(method, getter)]
    fn window(this: &Frame) -> web_sys::Window;

    #[wasm_bindgen(method)]
    fn remove(this: &Frame);
}

async fn frame() -> (Frame, World) {
    // The frame imports the files that this page has imported too.
    NAVIGATION.with(|_| ());
    TAKE_ARRIVAL.with(|_| ());
    let frame: Frame =
        JsFuture::from(open_frame("/page.html?here")).await.unwrap().unchecked_into();
    let part = frame.part("/driver/navigation.js", "navigation");
    let part: Function = JsFuture::from(part).await.unwrap().unchecked_into();
    (frame, World::new([part]))
}

/// A frame with the part that writes down where the page was: in the middle of it, and with a state of
/// the app's in its history.
async fn placed_frame() -> (Frame, World) {
    NAVIGATION.with(|_| ());
    let frame: Frame =
        JsFuture::from(open_frame("/page.html?here")).await.unwrap().unchecked_into();
    assert_eq!(frame.read(240.0, "the app's own"), 240.0);
    let part = frame.part("/driver/navigation.js", "navigationWith");
    let part: Function = JsFuture::from(part).await.unwrap().unchecked_into();
    let maker = part.call1(&JsValue::UNDEFINED, &Object::new()).unwrap().unchecked_into();
    storage().set_item(PLACE, r#"["/an/earlier/one",0,7,{}]"#).unwrap();
    (frame, World::new([maker]))
}

/// Where the page before was.
const PLACE: &str = "gatepass:1:place";

fn storage() -> web_sys::Storage {
    web_sys::window().unwrap().session_storage().unwrap().unwrap()
}

fn place() -> Option<String> {
    storage().get_item(PLACE).unwrap()
}

fn sign_in() -> String {
    elsewhere() + "&response_type=code"
}

fn navigate(url: &str, replace: bool) -> Effect {
    Effect::Navigate { url: Secret(url.into()), form: None, replace }
}

fn elsewhere() -> String {
    let origin = web_sys::window().unwrap().location().origin().unwrap();
    format!("{origin}/page.html?{}", unique("there"))
}

fn history_length() -> u32 {
    let history = support::global("history");
    js_sys::Reflect::get(&history, &"length".into()).unwrap().as_f64().unwrap() as u32
}

#[wasm_bindgen_test]
async fn form_is_posted_as_it_is() {
    let (frame, world) = frame().await;
    let heard = message();
    let (url, form) = (at("/posting").await, "id_token_hint=a.b.c&state=s%20%2B%26&empty=");
    let effect = Effect::Navigate {
        url: Secret(url.into()),
        form: Some(Secret(form.into())),
        replace: false,
    };
    assert_eq!(world.perform(effect).await, Answer::Done {});
    let told = JsFuture::from(heard).await.unwrap().as_string();
    // A form writes a space as a plus sign.
    assert_eq!(told.as_deref(), Some("POST id_token_hint=a.b.c&state=s+%2B%26&empty="));
    frame.remove();
}

#[wasm_bindgen_test]
async fn page_is_left_for_the_address() {
    let (frame, world) = frame().await;
    let (before, there) = (history_length(), elsewhere());
    let moved = frame.moved();
    assert_eq!(world.perform(navigate(&there, false)).await, Answer::Done {});
    assert_eq!(JsFuture::from(moved).await.unwrap().as_string(), Some(there));
    assert_eq!(history_length(), before + 1);
    frame.remove();
}

#[wasm_bindgen_test]
async fn replaced_page_leaves_no_entry_in_the_history() {
    let (frame, world) = frame().await;
    let (before, there) = (history_length(), elsewhere());
    let moved = frame.moved();
    assert_eq!(world.perform(navigate(&there, true)).await, Answer::Done {});
    assert_eq!(JsFuture::from(moved).await.unwrap().as_string(), Some(there));
    assert_eq!(history_length(), before);
    frame.remove();
}

#[wasm_bindgen_test]
async fn address_that_would_run_a_script_is_refused() {
    let (frame, world) = frame().await;
    let address = frame.address();
    for url in [
        "javascript:parent.ran=true",
        "JavaScript:parent.ran=true",
        " javascript:parent.ran=true",
        "java\nscript:parent.ran=true",
        "data:text/html,<p>",
        "blob:null/x",
        "//elsewhere.example/",
        "/page.html?relative",
        "",
    ] {
        for replace in [false, true] {
            let answer = world.perform(navigate(url, replace)).await;
            assert_eq!(answer, failed(Failure::Unavailable), "{url}");
        }
    }
    assert_eq!(frame.address(), address);
    assert!(support::global("ran").is_undefined());
    frame.remove();
}

#[wasm_bindgen_test]
async fn address_that_is_none_is_unavailable() {
    let (frame, world) = frame().await;
    let answer = world.perform(navigate("http://[", false)).await;
    assert_eq!(answer, failed(Failure::Unavailable));
    frame.remove();
}

#[wasm_bindgen_test]
async fn s11_a_sign_in_takes_the_place_along_and_the_apps_state() {
    let (frame, world) = placed_frame().await;
    let moved = frame.moved();
    world.perform(navigate(&sign_in(), false)).await;
    JsFuture::from(moved).await.unwrap();
    assert_eq!(place().as_deref(), Some(r#"["/page.html?here",0,240,"the app's own"]"#));
    frame.remove();
}

#[wasm_bindgen_test]
async fn rp25_a_sign_out_takes_nothing_along() {
    let (frame, world) = placed_frame().await;
    let moved = frame.moved();
    world.perform(navigate(&elsewhere(), false)).await;
    JsFuture::from(moved).await.unwrap();
    assert_eq!(place(), None);
    frame.remove();
}

#[wasm_bindgen_test]
async fn rp25_a_page_that_is_left_by_itself_writes_down_no_state() {
    let (frame, _world) = placed_frame().await;
    let moved = frame.moved();
    frame.window().location().assign(&elsewhere()).unwrap();
    JsFuture::from(moved).await.unwrap();
    assert_eq!(place().as_deref(), Some(r#"["/page.html?here",0,240,null]"#));
    frame.remove();
}

#[wasm_bindgen_test]
async fn s11_a_page_that_asks_by_itself_passes_on_where_the_one_before_was() {
    for (before, y) in [("/page.html?here", 77), ("/another", 0)] {
        let (frame, world) = placed_frame().await;
        storage().set_item(PLACE, &format!(r#"["{before}",0,77,null]"#)).unwrap();
        let moved = frame.moved();
        world.perform(navigate(&sign_in(), true)).await;
        JsFuture::from(moved).await.unwrap();
        let expected = format!(r#"["/page.html?here",0,{y},"the app's own"]"#);
        assert_eq!(place(), Some(expected));
        frame.remove();
    }
}

#[wasm_bindgen_test]
async fn s11_a_click_after_a_redirect_that_was_stopped_takes_the_place_along() {
    let (frame, world) = placed_frame().await;
    world.perform(navigate(&sign_in(), true)).await;
    frame.window().stop().unwrap();
    let moved = frame.moved();
    let there = sign_in();
    world.perform(navigate(&there, false)).await;
    assert_eq!(JsFuture::from(moved).await.unwrap().as_string(), Some(there));
    assert_eq!(place().as_deref(), Some(r#"["/page.html?here",0,240,"the app's own"]"#));
    frame.remove();
}
