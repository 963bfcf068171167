//! `driver/keep.js`: what is half filled in, over a page that is left to sign in.
#![cfg(target_arch = "wasm32")]
#![allow(clippy::panic, clippy::unwrap_used, reason = "a test fails by panicking")]

#[path = "support/page.rs"]
mod support;

use js_sys::{Function, Promise};
use support::unique;
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::JsFuture;
use wasm_bindgen_test::{wasm_bindgen_test, wasm_bindgen_test_configure};

wasm_bindgen_test_configure!(run_in_browser);

#[wasm_bindgen(module = "/driver/keep.js")]
extern "C" {
    #[wasm_bindgen(thread_local_v2, js_name = keeper)]
    static KEEPER: Function;
}

#[wasm_bindgen(module = "/driver/vault.js")]
extern "C" {
    #[wasm_bindgen(thread_local_v2, js_name = vault)]
    static VAULT: Function;
}

#[wasm_bindgen(module = "/driver/loop.js")]
extern "C" {
    #[wasm_bindgen(thread_local_v2, js_name = createLoop)]
    static CREATE_LOOP: Function;
}

#[wasm_bindgen(module = "/tests/support/keep.js")]
extern "C" {
    /// A page of the tab, with a text that is to be kept.
    type Page;

    #[wasm_bindgen(js_name = openPage)]
    fn open_page(keeper: &Function, client: &str) -> Page;

    #[wasm_bindgen(method, getter)]
    fn text(this: &Page) -> String;

    #[wasm_bindgen(method, setter)]
    fn set_text(this: &Page, text: &str);

    /// The page has the text kept, which was `begun` when it asked for that.
    #[wasm_bindgen(method)]
    fn mount(this: &Page, begun: Option<&str>);

    #[wasm_bindgen(method)]
    fn unmount(this: &Page);

    #[wasm_bindgen(method, js_name = hear)]
    fn tell(this: &Page, status: &str, subject: Option<&str>, ending: Option<&str>) -> Promise;

    #[wasm_bindgen(method)]
    fn leave(this: &Page) -> Promise;

    #[wasm_bindgen(method, js_name = keepForm)]
    fn keep_form(this: &Page, form: &JsValue, begun: &JsValue);

    type Form;

    #[wasm_bindgen(js_name = openForm)]
    fn open_form() -> Form;

    #[wasm_bindgen(method, getter)]
    fn form(this: &Form) -> JsValue;

    #[wasm_bindgen(method, getter)]
    fn filled(this: &Form) -> String;

    /// Its fields as they are now.
    #[wasm_bindgen(method)]
    fn begun(this: &Form) -> JsValue;

    #[wasm_bindgen(method)]
    fn fill(this: &Form);

    #[wasm_bindgen(method)]
    fn write(this: &Form, name: &str, text: &str);

    #[wasm_bindgen(method)]
    fn remove(this: &Form);
}

impl Page {
    /// The session changes, and what follows from that happens.
    async fn hear(&self, status: &str, subject: Option<&str>, ending: Option<&str>) {
        JsFuture::from(self.tell(status, subject, ending)).await.unwrap();
    }

    async fn is_of(&self, subject: &str) {
        self.hear("authenticated", Some(subject), None).await;
    }

    /// The page is about to be left.
    async fn left(&self) {
        JsFuture::from(self.leave()).await.unwrap();
    }
}

/// One app in one tab.
struct Tab(String);

impl Tab {
    fn new() -> Self {
        Self(unique("client"))
    }

    /// A page whose text is not on it yet.
    fn bare_page(&self) -> Page {
        // What the file imports.
        VAULT.with(|_| ());
        CREATE_LOOP.with(|_| ());
        KEEPER.with(|keeper| open_page(keeper, &self.0))
    }

    fn page(&self) -> Page {
        let page = self.bare_page();
        page.mount(None);
        page
    }

    fn has_something(&self) -> bool {
        let storage = web_sys::window().unwrap().session_storage().unwrap().unwrap();
        storage.get_item(&format!("gatepass:1:{}#forms", self.0)).unwrap().is_some()
    }

    /// Somebody has written something, and left to sign in.
    async fn put_away(&self, subject: Option<&str>) {
        let page = self.page();
        let status = if subject.is_some() { "authenticated" } else { "anonymous" };
        page.hear(status, subject, None).await;
        page.set_text("words");
        page.left().await;
        assert!(self.has_something());
    }
}

#[wasm_bindgen_test]
async fn s11_what_is_put_away_is_put_back_once_and_to_the_same_person() {
    let tab = Tab::new();
    tab.put_away(Some("a")).await;
    for text in ["words", ""] {
        let page = tab.page();
        page.is_of("a").await;
        assert_eq!(page.text(), text);
        assert!(!tab.has_something());
    }
    tab.put_away(Some("a")).await;
    let page = tab.page();
    page.is_of("b").await;
    assert_eq!(page.text(), "");
    assert!(!tab.has_something());
}

#[wasm_bindgen_test]
async fn s13_the_page_that_a_sign_out_ends_on_gets_nothing_and_keeps_what_is_new() {
    let tab = Tab::new();
    tab.put_away(None).await;
    let page = tab.page();
    page.hear("anonymous", None, Some("signed_out")).await;
    assert_eq!(page.text(), "");
    assert!(!tab.has_something());
    page.set_text("of the next person");
    page.left().await;
    let page = tab.page();
    page.is_of("b").await;
    assert_eq!(page.text(), "of the next person");
}

#[wasm_bindgen_test]
async fn rp27_the_words_of_one_person_are_not_put_away_for_the_next() {
    for ending in ["user_changed", "signed_out"] {
        let tab = Tab::new();
        let page = tab.page();
        page.is_of("a").await;
        page.set_text("of a");
        if ending == "signed_out" {
            page.hear("anonymous", None, Some(ending)).await;
        }
        page.hear("authenticated", Some("b"), Some(ending)).await;
        // What stands there has not changed since.
        page.left().await;
        assert!(!tab.has_something(), "{ending}");
        page.set_text("of b");
        page.left().await;
        let page = tab.page();
        page.is_of("b").await;
        assert_eq!(page.text(), "of b");
    }
}

#[wasm_bindgen_test]
async fn s13_a_sign_out_while_it_is_put_away_leaves_nothing() {
    let tab = Tab::new();
    let page = tab.page();
    page.is_of("a").await;
    page.set_text("words");
    let leaving = page.leave();
    page.hear("anonymous", None, Some("signed_out_here")).await;
    JsFuture::from(leaving).await.unwrap();
    assert!(!tab.has_something());
}

#[wasm_bindgen_test]
async fn s13_a_sign_out_while_it_is_opened_puts_nothing_back() {
    let tab = Tab::new();
    tab.put_away(None).await;
    let page = tab.page();
    let opening = page.tell("authenticated", Some("a"), None);
    page.hear("anonymous", None, Some("signed_out")).await;
    JsFuture::from(opening).await.unwrap();
    assert_eq!(page.text(), "");
}

#[wasm_bindgen_test]
async fn s13_what_was_opened_for_somebody_waits_until_they_are_there_again() {
    let tab = Tab::new();
    tab.put_away(Some("a")).await;
    let page = tab.bare_page();
    page.is_of("a").await;
    assert!(!tab.has_something(), "it is opened");
    page.hear("expired", None, Some("lifetime")).await;
    page.mount(None);
    assert_eq!(page.text(), "");
    // Neither is it lost if the page is left for that.
    page.left().await;
    assert!(tab.has_something());
    page.is_of("a").await;
    assert_eq!(page.text(), "words");
    // Or shown to somebody else.
    let tab = Tab::new();
    tab.put_away(Some("a")).await;
    let page = tab.bare_page();
    page.is_of("a").await;
    page.hear("expired", None, Some("lifetime")).await;
    page.mount(None);
    page.is_of("b").await;
    assert_eq!(page.text(), "");
}

#[wasm_bindgen_test]
async fn s11_what_is_hidden_because_the_session_has_run_out_still_counts() {
    let tab = Tab::new();
    let page = tab.page();
    page.is_of("a").await;
    page.set_text("words");
    page.hear("expired", None, Some("invalid_grant")).await;
    page.unmount();
    page.left().await;
    let page = tab.page();
    page.is_of("a").await;
    assert_eq!(page.text(), "words");
}

#[wasm_bindgen_test]
async fn s11_what_was_typed_before_this_file_was_there_is_put_away() {
    let tab = Tab::new();
    let page = tab.bare_page();
    page.set_text("typed early");
    page.mount(Some(""));
    page.is_of("a").await;
    page.left().await;
    let page = tab.page();
    page.is_of("a").await;
    assert_eq!(page.text(), "typed early");
}

#[wasm_bindgen_test]
async fn s11_a_form_is_put_back_and_what_was_typed_early_stays() {
    let tab = Tab::new();
    let (page, form) = (tab.bare_page(), open_form());
    let begun = form.begun();
    form.fill();
    page.keep_form(&form.form(), &begun);
    page.is_of("a").await;
    page.left().await;
    form.remove();
    assert!(tab.has_something());

    let (page, form) = (tab.bare_page(), open_form());
    assert_eq!(form.filled(), "of the app,false,,one,one,two");
    let begun = form.begun();
    form.write("word", "newer");
    page.keep_form(&form.form(), &begun);
    page.is_of("a").await;
    assert_eq!(form.filled(), "newer,true,,two,one,two");
    form.remove();
}

#[wasm_bindgen_test]
async fn s11_a_form_that_nobody_has_touched_is_not_put_away() {
    let tab = Tab::new();
    let (page, form) = (tab.bare_page(), open_form());
    page.keep_form(&form.form(), &form.begun());
    page.is_of("a").await;
    page.left().await;
    assert!(!tab.has_something());
    form.remove();
}
