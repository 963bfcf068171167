//! Reports to the lobby, if it opened this tab: the session in a few words, and no token.

use crate::snapshot::Snapshot;
use gatepass_leptos::gatepass::Cause;
use gloo::events::EventListener;
use leptos::prelude::*;
use serde::{Deserialize, Serialize};
use wasm_bindgen::{JsCast, JsValue};
use web_sys::{MessageEvent, Window};

/// What the lobby is told.
#[derive(Debug, Serialize)]
struct Report<'a> {
    gatepass: &'static str,
    status: &'static str,
    subject: Option<&'a str>,
    name: Option<&'a str>,
    started_at: Option<i64>,
    expires_at: Option<i64>,
    cause: Option<Reason>,
    clock_offset: i64,
}

#[derive(Debug, Serialize)]
struct Reason {
    ending: &'static str,
    at: i64,
}

/// What the lobby says.
#[derive(Debug, Deserialize)]
struct Greeting {
    gatepass: String,
}

impl From<&Cause> for Reason {
    fn from(cause: &Cause) -> Self {
        Self { ending: cause.ending.as_str(), at: cause.at }
    }
}

impl<'a> Report<'a> {
    fn of(session: &'a Snapshot) -> Self {
        let person = session.holder();
        Self {
            gatepass: "session",
            status: session.status.as_str(),
            subject: person.map(|person| person.sub.as_str()),
            name: person.map(|person| person.called()),
            started_at: session.started_at,
            expires_at: session.expires_at,
            cause: session.cause.as_ref().map(Reason::from),
            clock_offset: session.clock_offset,
        }
    }

    /// Posts it to the window that opened this one, if that window shows the lobby.
    ///
    /// The exact target origin makes the browser keep it from any other page, also from one that
    /// took the lobby's place since.
    fn post(&self, lobby: &str) {
        let Some(opener) = opener() else { return };
        let Ok(message) = serde_wasm_bindgen::to_value(self) else { return };
        // The lobby may be gone: then nobody waits for the report.
        drop(opener.post_message(&message, lobby));
    }
}

/// Reports `session` to the lobby whenever it changes, and when the lobby says hello.
pub(crate) fn report(lobby: String, session: Signal<Snapshot>) {
    let hello = EventListener::new(&window(), "message", {
        let lobby = lobby.clone();
        move |event| {
            let Some(event) = event.dyn_ref::<MessageEvent>() else { return };
            if event.origin() != lobby || !is_hello(event.data()) {
                return;
            }
            session.with_untracked(|session| Report::of(session).post(&lobby));
        }
    });
    StoredValue::new_local(hello);
    Effect::new(move |_| session.with(|session| Report::of(session).post(&lobby)));
}

fn is_hello(data: JsValue) -> bool {
    serde_wasm_bindgen::from_value::<Greeting>(data).is_ok_and(|said| said.gatepass == "hello")
}

/// The window that opened this one. It is of another origin, where `instanceof` cannot look.
fn opener() -> Option<Window> {
    let opener = window().opener().ok()?;
    (!opener.is_null() && !opener.is_undefined()).then(|| opener.unchecked_into())
}
