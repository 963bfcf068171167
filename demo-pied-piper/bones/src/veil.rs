//! Nothing is shown from the back/forward cache before the client has looked again.

use gatepass_leptos::gatepass::Client;
use gloo::events::EventListener;
use leptos::{prelude::*, task::spawn_local};
use wasm_bindgen::JsCast;
use web_sys::PageTransitionEvent;

/// True from the moment the page is left until, if it ever comes back, the session was checked.
///
/// A page that is kept for the back button is kept as it looked. It is veiled while it is left, and
/// not when it comes back: then the first picture would already have been shown.
pub(crate) fn while_returning(client: Client) -> ReadSignal<bool> {
    let (is_veiled, set_veiled) = signal(false);
    let hide = EventListener::new(&window(), "pagehide", move |_| set_veiled.set(true));
    let show = EventListener::new(&window(), "pageshow", move |event| {
        let is_kept =
            event.dyn_ref::<PageTransitionEvent>().is_some_and(PageTransitionEvent::persisted);
        if !is_kept {
            return;
        }
        let client = client.clone();
        spawn_local(async move {
            // What came of it is the session's to say: `offline`, or why it ended.
            drop(client.check().await);
            set_veiled.set(false);
        });
    });
    StoredValue::new_local([hide, show]);
    is_veiled
}
