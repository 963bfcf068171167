//! What a test does to its page, and what it asks of the server of answers.
#![allow(dead_code, reason = "each test file is a crate of its own and uses some of this")]

use js_sys::{Function, Promise};
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::JsFuture;

/// Undoes at its end what a test did to the browser.
pub(crate) struct Undo(Function);

impl Undo {
    /// Until then, reading `target[name]` throws as where a browser blocks it.
    pub(crate) fn block(target: &JsValue, name: &str) -> Self {
        Self(block(target, name))
    }

    /// Until then, `target[name]` is `value`.
    pub(crate) fn replace(target: &JsValue, name: &str, value: &JsValue) -> Self {
        Self(replace(target, name, value))
    }
}

impl Drop for Undo {
    fn drop(&mut self) {
        self.0.call0(&JsValue::NULL).unwrap();
    }
}

/// The address of a path at the server of answers, which `cargo xtask test effects` starts.
pub(crate) async fn at(path: &str) -> String {
    let server = ask("/server.txt", "GET", "").await;
    format!("{}{path}", server.trim())
}

/// A request of the test's own.
pub(crate) async fn ask(url: &str, method: &str, body: &str) -> String {
    let body = if method == "GET" { JsValue::UNDEFINED } else { body.into() };
    let text = JsFuture::from(text(url, method, &body)).await;
    text.unwrap_or_else(|error| panic!("{error:?}")).as_string().unwrap()
}

/// Rejects after ten seconds: a limit of waiting, far above what anything takes.
pub(crate) fn limit() -> JsFuture {
    reject_late().into()
}

/// A name that no other test of this page uses.
pub(crate) fn unique(name: &str) -> String {
    format!("{name}-{}", js_sys::Math::random())
}

pub(crate) fn global(name: &str) -> JsValue {
    js_sys::Reflect::get(&js_sys::global(), &name.into()).unwrap()
}

/// How many hold a lock and how many wait for it, as `1+0`.
pub(crate) async fn lock_state(name: &str) -> String {
    JsFuture::from(lock_count(name)).await.unwrap().as_string().unwrap()
}

#[wasm_bindgen(module = "/tests/support/web.js")]
extern "C" {
    fn block(target: &JsValue, name: &str) -> Function;
    fn replace(target: &JsValue, name: &str, value: &JsValue) -> Function;
    #[wasm_bindgen(js_name = limit)]
    fn reject_late() -> Promise;
    #[wasm_bindgen(js_name = lockState)]
    fn lock_count(name: &str) -> Promise;
    fn text(url: &str, method: &str, body: &JsValue) -> Promise;
}
