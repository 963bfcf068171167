//! Where the keyboard goes on when what had the focus is taken from the page.

use crate::snapshot::Person;
use gloo::events::EventListener;
use leptos::prelude::*;
use std::time::Duration;
use wasm_bindgen::JsCast;
use web_sys::HtmlElement;

/// Leads the focus to the content when a session that begins or ends takes away what had it, such
/// as the button that ended it. Left alone it would fall back to the document: whoever listens to
/// the page would hear nothing, and whoever goes through it by Tab would lose their place.
pub(crate) fn follow(holder: Memo<Option<Person>>) {
    let had_one = StoredValue::new(false);
    let hear = EventListener::new(&document(), "focusin", move |_| had_one.set_value(true));
    StoredValue::new_local(hear);
    Effect::new(move |before: Option<bool>| {
        let is_held = holder.with(Option::is_some);
        if before.is_some_and(|before| before != is_held) && had_one.get_value() {
            // When the page has become what it is going to be. No animation frame: there is none in
            // a tab that nobody looks at, and its keyboard's place matters on the way back.
            set_timeout(to_content, Duration::ZERO);
        }
        is_held
    });
}

fn to_content() {
    let is_lost = document().active_element().is_none_or(|found| found.tag_name() == "BODY");
    let content = document().get_element_by_id("content");
    if let (true, Some(Ok(content))) = (is_lost, content.map(JsCast::dyn_into::<HtmlElement>)) {
        // A page that cannot move the focus is as it was.
        let _moved = content.focus();
    }
}
