//! `driver/arrival.js`: the address that a page is loaded with. The tests change their own page's.
#![cfg(target_arch = "wasm32")]
#![allow(clippy::panic, clippy::unwrap_used, reason = "a test fails by panicking")]

mod support;

use js_sys::Reflect;
use support::{Undo, unique};
use wasm_bindgen::prelude::*;
use wasm_bindgen_test::{wasm_bindgen_test, wasm_bindgen_test_configure};
use web_sys::{Location, Storage};

wasm_bindgen_test_configure!(run_in_browser);

#[wasm_bindgen(module = "/driver/arrival.js")]
extern "C" {
    #[wasm_bindgen(js_name = takeArrival)]
    fn take_arrival(issuer: &str, client_id: &str) -> JsValue;
}

/// Where the page before was.
const PLACE: &str = "gatepass:1:place";

const ISSUER: &str = "https://idp.example";

/// The page's address as a test wants it, until its end.
struct Address {
    before: String,
}

impl Address {
    fn of(path: &str) -> Self {
        let before = location().href().unwrap();
        go(path, &"the app's own".into());
        Self { before }
    }
}

impl Drop for Address {
    fn drop(&mut self) {
        go(&self.before, &JsValue::NULL);
    }
}

fn go(address: &str, state: &JsValue) {
    let history = web_sys::window().unwrap().history().unwrap();
    history.replace_state_with_url(state, "", Some(address)).unwrap();
}

fn location() -> Location {
    web_sys::window().unwrap().location()
}

/// Path, query and fragment.
fn path() -> String {
    location().href().unwrap().replacen(&location().origin().unwrap(), "", 1)
}

fn storage() -> Storage {
    web_sys::window().unwrap().session_storage().unwrap().unwrap()
}

/// An attempt that this tab made; gives its state.
fn attempt(return_to: Option<&str>) -> String {
    let state = unique("state");
    storage().set_item(&format!("gatepass:1:attempt:{state}"), "{}").unwrap();
    if let Some(path) = return_to {
        storage().set_item(&format!("gatepass:1:return:{state}"), path).unwrap();
    }
    state
}

/// The callback and `here`.
fn taken() -> (Option<String>, String) {
    let arrival = take_arrival(ISSUER, "pied-piper");
    let member = |name: &str| Reflect::get(&arrival, &name.into()).unwrap();
    (member("callback").as_string(), member("here").as_string().unwrap())
}

#[wasm_bindgen_test]
fn rp8_answer_is_taken_out_of_the_address() {
    let state = attempt(Some("/files/7?sort=name#top"));
    let address = Address::of(&format!("/?code=SplxlOBeZQQYbYS6WxSbIA&state={state}&iss=i"));
    let callback = location().href().unwrap();
    let history = web_sys::window().unwrap().history().unwrap();
    let entries = history.length().unwrap();

    assert_eq!(taken(), (Some(callback), "/files/7?sort=name#top".to_owned()));
    assert_eq!(path(), "/files/7?sort=name#top");
    // The entry is the same one, with what the app's router keeps in it.
    assert_eq!(history.length().unwrap(), entries);
    assert_eq!(history.state().unwrap().as_string().as_deref(), Some("the app's own"));
    drop(address);
}

#[wasm_bindgen_test]
fn answer_is_given_once() {
    let state = attempt(Some("/private"));
    let _address = Address::of(&format!("/?code=c&state={state}"));
    assert!(taken().0.is_some());
    assert_eq!(taken(), (None, "/private".to_owned()));
}

#[wasm_bindgen_test]
fn rp25_place_is_taken_with_the_answer() {
    let state = attempt(Some("/private"));
    let record = r#"["/private",0,240,{"of":"the app"}]"#;
    storage().set_item(PLACE, record).unwrap();
    // It stays for an answer: a page that is loaded anew may ask by itself.
    taken();
    assert_eq!(storage().get_item(PLACE).unwrap().as_deref(), Some(record));
    let _address = Address::of(&format!("/?code=c&state={state}"));
    taken();
    let kept = web_sys::window().unwrap().history().unwrap().state().unwrap();
    assert_eq!(Reflect::get(&kept, &"of".into()).unwrap().as_string().as_deref(), Some("the app"));
    assert_eq!(storage().get_item(PLACE).unwrap(), None);
}

#[wasm_bindgen_test]
fn rp25_place_of_another_page_is_taken_too() {
    let state = attempt(Some("/private"));
    storage().set_item(PLACE, r#"["/public",0,240,{"of":"the app"}]"#).unwrap();
    let _address = Address::of(&format!("/?code=c&state={state}"));
    taken();
    let kept = web_sys::window().unwrap().history().unwrap().state().unwrap();
    assert_eq!(kept.as_string().as_deref(), Some("the app's own"));
    assert_eq!(storage().get_item(PLACE).unwrap(), None);
}

#[wasm_bindgen_test]
fn answer_to_another_client_of_the_page_stays_for_that_one() {
    let record = |client: &str| format!(r#"{{"client":"gatepass:1:{client}"}}"#);
    let ours = format!("{ISSUER}#pied-piper");
    for (record, is_taken) in [
        (record(&format!("{ISSUER}#hooli")), false),
        (record("https://other.example#pied-piper"), false),
        (record(&ours), true),
        // What cannot be read is the machine's to refuse.
        (r#"{"client":1}"#.to_owned(), true),
        ("{".to_owned(), true),
    ] {
        let state = attempt(Some("/"));
        storage().set_item(&format!("gatepass:1:attempt:{state}"), &record).unwrap();
        // Both may have the same issuer.
        let address = format!("/?code=c&state={state}&iss=https%3A%2F%2Fidp.example");
        let _address = Address::of(&address);
        assert_eq!(taken().0.is_some(), is_taken, "{record}");
        assert_eq!(path() == address, !is_taken, "{record}");
    }
}

#[wasm_bindgen_test]
fn error_answer_is_taken_too() {
    let state = attempt(Some("/"));
    let _address = Address::of(&format!("/?error=login_required&state={state}"));
    assert!(taken().0.is_some_and(|callback| callback.contains("error=login_required")));
    assert_eq!(path(), "/");
}

#[wasm_bindgen_test]
fn records_stay_for_the_machine() {
    let state = attempt(Some("/"));
    let _address = Address::of(&format!("/?code=c&state={state}"));
    taken();
    let record = storage().get_item(&format!("gatepass:1:attempt:{state}")).unwrap();
    assert_eq!(record.as_deref(), Some("{}"));
}

#[wasm_bindgen_test]
fn rp28_attempt_without_a_return_path_loses_the_query_only() {
    let state = attempt(None);
    let _address = Address::of(&format!("/callback?code=c&state={state}"));
    assert!(taken().0.is_some());
    assert_eq!(path(), "/callback");
}

#[wasm_bindgen_test]
fn state_that_this_tab_does_not_know_is_the_apps_own() {
    for query in [
        "?state=NY&code=c",
        "?state=&code=c",
        "?code=c",
        "#state=NY",
        "",
        // Another provider's answer, and what only looks like ours.
        "?state=NY&code=c&iss=https%3A%2F%2Fother.example",
        "?state=NY&code=c&iss=https%3A%2F%2Fidp.example%2F",
        "?state=NY&iss=https%3A%2F%2Fidp.example",
    ] {
        let address = Address::of(&format!("/page.html{query}"));
        assert_eq!(taken(), (None, format!("/page.html{query}")));
        assert_eq!(path(), format!("/page.html{query}"));
        drop(address);
    }
}

#[wasm_bindgen_test]
fn answer_of_our_provider_is_taken_whoever_asked_for_it() {
    // Without its state too: the machine refuses that one, and the code does not stay.
    for answer in ["state=NY&code=c", "state=NY&error=login_required", "code=c", "state=&code=c"] {
        let address = Address::of(&format!("/page.html?{answer}&iss=https%3A%2F%2Fidp.example"));
        assert!(taken().0.is_some_and(|callback| callback.contains(answer)));
        assert_eq!(path(), "/page.html");
        drop(address);
    }
}

#[wasm_bindgen_test]
fn blocked_storage_does_not_keep_an_answer_of_our_provider_in_the_address() {
    let _address = Address::of("/page.html?code=c&state=NY&iss=https%3A%2F%2Fidp.example");
    let _blocked = Undo::block(&js_sys::global(), "sessionStorage");
    assert!(taken().0.is_some());
    assert_eq!(path(), "/page.html");
}

#[wasm_bindgen_test]
fn state_is_compared_after_percent_decoding() {
    let state = "a b&c";
    storage().set_item(&format!("gatepass:1:attempt:{state}"), "{}").unwrap();
    let _address = Address::of("/page.html?state=a%20b%26c&code=c");
    assert!(taken().0.is_some());
    storage().remove_item(&format!("gatepass:1:attempt:{state}")).unwrap();
}

#[wasm_bindgen_test]
fn rp7_return_path_cannot_lead_to_another_origin() {
    for path in ["//evil.example/", "/\\evil.example/", "https://evil.example/", "javascript:1", ""]
    {
        let state = attempt(Some(path));
        let _address = Address::of(&format!("/?code=c&state={state}"));
        let origin = location().origin().unwrap();
        assert!(taken().0.is_some(), "{path}");
        assert_eq!(location().origin().unwrap(), origin, "{path}");
        assert!(!location().search().unwrap().contains("code="), "{path}");
    }
}

#[wasm_bindgen_test]
fn blocked_storage_leaves_the_address_as_it_is() {
    let state = attempt(Some("/"));
    let address = format!("/?code=c&state={state}");
    let _address = Address::of(&address);
    let _blocked = Undo::block(&js_sys::global(), "sessionStorage");
    assert_eq!(taken(), (None, address));
}

#[wasm_bindgen_test]
fn browser_that_refuses_to_replace_the_address_gives_the_answer_all_the_same() {
    let state = attempt(Some("/"));
    let _address = Address::of(&format!("/?code=c&state={state}"));
    let refuse = js_sys::Function::new_no_args("throw new DOMException('', 'SecurityError')");
    let _refused = Undo::replace(&support::global("history"), "replaceState", &refuse);
    assert!(taken().0.is_some());
}
