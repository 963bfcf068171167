//! Reports to the lobby, if it opened this tab: the session in a few words, what the app did, and no
//! token.

use crate::{deed::Deed, snapshot::Snapshot};
use gatepass_leptos::gatepass::{Cause, Scope, Status};
use gloo::events::EventListener;
use js_sys::Date;
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
}

/// The way to the lobby.
#[derive(Clone, Copy)]
pub(crate) struct Reporter {
    /// Its origin.
    lobby: StoredValue<String>,
}

impl Reporter {
    /// The way to the lobby at an origin.
    pub(crate) fn new(lobby: String) -> Self {
        Self { lobby: StoredValue::new(lobby) }
    }

    /// Tells that the person asked to sign in here.
    pub(crate) fn sign_in_asked(self) {
        self.tell(&Deed::new("app.sign_in_asked"));
    }

    /// Tells that the person asked to sign out.
    pub(crate) fn sign_out_asked(self, scope: Scope) {
        self.tell(&Deed::new(match scope {
            Scope::Global => "app.sign_out_asked",
            Scope::Local => "app.leave_asked",
        }));
    }

    /// Reports `session` whenever it changes, and when the lobby says hello; and what the app did
    /// from the moment its page was opened. Asks `check` when the lobby says that the provider's
    /// clock was moved, which no app can know before the provider's next answer.
    pub(crate) fn watch(
        self,
        session: Signal<Snapshot>,
        was_opened: bool,
        check: impl Fn() + 'static,
    ) {
        let listener = EventListener::new(&window(), "message", move |event| {
            let Some(event) = event.dyn_ref::<MessageEvent>() else { return };
            if self.lobby.with_value(|lobby| event.origin() != *lobby) {
                return;
            }
            match said(event.data()).as_deref() {
                Some("hello") => session.with_untracked(|now| self.post(&Report::of(now))),
                Some("look") => check(),
                _ => {}
            }
        });
        StoredValue::new_local(listener);
        if was_opened {
            self.tell(&Deed::new("app.opened"));
        }
        Effect::new(move |before: Option<Snapshot>| {
            let before = before.unwrap_or_default();
            session.with(|now| {
                // Neither a page that begins nor one that is put away has done anything yet.
                let is_known = now.status != Status::Restoring;
                if is_known {
                    Deed::between(&before, now).iter().for_each(|deed| self.tell(deed));
                }
                self.post(&Report::of(now));
                if is_known { now.clone() } else { before }
            })
        });
    }

    fn tell(self, deed: &Deed) {
        self.post(&deed.told(Date::now()));
    }

    /// Posts to the window that opened this one, if that window shows the lobby.
    ///
    /// The exact target origin makes the browser keep it from any other page, also from one that
    /// took the lobby's place since.
    fn post(self, words: &impl Serialize) {
        let Some(opener) = opener() else { return };
        let Ok(message) = serde_wasm_bindgen::to_value(words) else { return };
        // The lobby may be gone: then nobody waits for the report.
        self.lobby.with_value(|lobby| drop(opener.post_message(&message, lobby)));
    }
}

/// What the lobby said.
fn said(data: JsValue) -> Option<String> {
    serde_wasm_bindgen::from_value::<Greeting>(data).ok().map(|said| said.gatepass)
}

/// The window that opened this one. It is of another origin, where `instanceof` cannot look.
fn opener() -> Option<Window> {
    let opener = window().opener().ok()?;
    (!opener.is_null() && !opener.is_undefined()).then(|| opener.unchecked_into())
}
