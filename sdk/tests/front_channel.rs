//! `driver/gatepass-front-channel.html`: what an app's page says when the provider frames it.
#![cfg(target_arch = "wasm32")]
#![allow(clippy::panic, clippy::unwrap_used, reason = "a test fails by panicking")]

mod support;

use gatepass_core::{
    secret::Secret,
    wire::{Answer, Effect, Signal},
};
use js_sys::{Function, Promise, encode_uri_component};
use support::{World, unique};
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::JsFuture;
use wasm_bindgen_test::{wasm_bindgen_test, wasm_bindgen_test_configure};

wasm_bindgen_test_configure!(run_in_browser);

#[wasm_bindgen(module = "/driver/channel.js")]
extern "C" {
    #[wasm_bindgen(thread_local_v2, js_name = channel)]
    static CHANNEL: Function;
}

#[wasm_bindgen(module = "/tests/support/frame.js")]
extern "C" {
    type Frame;
    #[wasm_bindgen(js_name = openFrame)]
    fn open_frame(path: &str) -> Promise;
    #[wasm_bindgen(method)]
    fn remove(this: &Frame);
}

/// A tab of an app at an issuer of its own.
async fn tab(issuer: &str, client: &str) -> (World, String) {
    let world = World::new([CHANNEL.with(Function::clone)]);
    let name = format!("gatepass:1:{issuer}#{client}");
    let hello =
        Effect::Broadcast { channel: name.as_str().into(), text: Secret("\"hello\"".into()) };
    assert_eq!(world.perform(hello).await, Answer::Done {});
    (world, format!("{name}#hint"))
}

/// The provider frames the page.
async fn framed(query: &str) {
    let path = format!("/gatepass-front-channel.html{query}");
    JsFuture::from(open_frame(&path)).await.unwrap().unchecked_into::<Frame>().remove();
}

fn storage() -> web_sys::Storage {
    web_sys::window().unwrap().local_storage().unwrap().unwrap()
}

fn query(issuer: &str, sid: &str) -> String {
    format!("?iss={}&sid={}", encode_uri_component(issuer), encode_uri_component(sid))
}

#[wasm_bindgen_test]
async fn f2_tabs_of_every_app_at_this_issuer_are_told_which_session() {
    let issuer = format!("https://idp.example/{}", unique("realm"));
    let (one, one_hint) = tab(&issuer, "one").await;
    let (two, two_hint) = tab(&issuer, "two#2").await;
    for hint in [&one_hint, &two_hint] {
        storage().set_item(hint, "1").unwrap();
    }
    framed(&query(&issuer, "a \"b\"")).await;
    let said = Signal::Message { text: "{\"kind\":\"check\",\"sid\":\"a \\\"b\\\"\"}".into() };
    assert_eq!(one.signal().await, said);
    assert_eq!(two.signal().await, said);
    // What it says comes after all that it did not say.
    for query in [
        query(&format!("{issuer}/other"), "sid"),
        query(&issuer[..issuer.len() - 1], "sid"),
        query(&issuer, ""),
        format!("?iss={issuer}"),
        "?sid=sid".into(),
        String::new(),
    ] {
        framed(&query).await;
    }
    storage().remove_item(&one_hint).unwrap();
    framed(&query(&issuer, "last")).await;
    assert_eq!(
        two.signal().await,
        Signal::Message { text: "{\"kind\":\"check\",\"sid\":\"last\"}".into() }
    );
    storage().remove_item(&two_hint).unwrap();
    one.assert_silence();
    two.assert_silence();
}
