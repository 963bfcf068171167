//! What this browser allows and how the client fares (`Client::diagnose`), to be read and copied.

use crate::{desk::Desk, tick};
use gatepass_leptos::gatepass::{
    Allowed, Came, Diagnosis, Known, Noted, Part, StorageKind, StreamState,
};
use leptos::{prelude::*, task::spawn_local};
use wasm_bindgen_futures::JsFuture;

/// The disclosure: nothing is tried before it is opened.
#[component]
pub(crate) fn WhatIsAllowed() -> impl IntoView {
    let desk = Desk::here();
    let (copied, set_copied) = signal(None::<bool>);
    let look = move || {
        set_copied.set(None);
        desk.diagnose.run(());
    };
    let opened = move |event: leptos::ev::Event| {
        if event_target::<web_sys::Element>(&event).has_attribute("open") {
            look();
        }
    };
    let copy = move |text: String| {
        // Elsewhere browsers have no clipboard at all.
        if !window().is_secure_context() {
            return set_copied.set(Some(false));
        }
        spawn_local(async move {
            let clipboard = window().navigator().clipboard();
            set_copied.set(Some(JsFuture::from(clipboard.write_text(&text)).await.is_ok()));
        });
    };
    let report = move |diagnosis: Diagnosis| {
        let json = StoredValue::new(diagnosis.json().to_owned());
        view! {
            <div class="report" data-testid="diagnosis">
                <section>
                    <h3>"This browser"</h3>
                    {browser(&diagnosis.browser)}
                </section>
                <section>
                    <h3>"This app in it"</h3>
                    {client(&diagnosis)}
                    <h3>"What was refused last"</h3>
                    {refused(&diagnosis.client)}
                </section>
            </div>
            <div class="report-ways">
                <button type="button" data-testid="diagnosis-copy" on:click=move |_| copy(json.get_value())>
                    "Copy as JSON"
                </button>
                <button type="button" data-testid="diagnosis-again" on:click=move |_| look()>
                    "Look again"
                </button>
                <p role="status" class="small">
                    {move || copied.get().map(|done| {
                        if done { "Copied." } else { "This browser does not let the page copy. Here it is:" }
                    })}
                </p>
            </div>
            {move || (copied.get() == Some(false)).then(|| view! {
                <pre tabindex="0" aria-label="The report as JSON">{json.get_value()}</pre>
            })}
        }
    };
    view! {
        <details class="allowed" on:toggle=opened>
            <summary data-testid="diagnosis-open">"What this browser allows"</summary>
            <p class="small muted">
                "Each thing was tried when you opened this. There is no secret in it and no name: it may \
                 be copied into a report."
            </p>
            {move || desk.diagnosis.get().map(report)}
        </details>
    }
}

fn browser(allowed: &Allowed) -> impl IntoView + use<> {
    let algorithms = if allowed.algorithms.is_empty() {
        "none".to_owned()
    } else {
        allowed.algorithms.join(", ")
    };
    let frame = match allowed.frame.as_str() {
        "works" => "sees the provider's cookie",
        _ => "not known: no frame has brought a session here",
    };
    let popup = match allowed.popup.as_str() {
        "opened" => "opened",
        "blocked" => "blocked",
        _ => "not tried in this page",
    };
    view! {
        <dl class="facts">
            {works("Secure context", allowed.secure_context, "no WebCrypto, no Web Locks")}
            {works("WebCrypto", allowed.web_crypto, "signatures are checked by a module")}
            {fact("Signatures", algorithms, None)}
            {works("Tab storage", allowed.session_storage, "no redirect finds its way back")}
            {works("Site storage", allowed.local_storage, "nothing outlives the tab")}
            {works("Key storage", allowed.key_storage, "no session can be kept")}
            {works("Between tabs", allowed.channel, "each tab is alone")}
            {works("Web Locks", allowed.locks, "a lease stands in for them")}
            {works("Streams", allowed.streams, "sign-outs elsewhere are found out by checks")}
            {fact("Hidden frame", frame.to_owned(), None)}
            {fact("Own window", popup.to_owned(), None)}
        </dl>
    }
}

fn client(diagnosis: &Diagnosis) -> impl IntoView + use<> {
    let known = &diagnosis.client;
    let stream = match known.stream {
        StreamState::Open => "open",
        StreamState::Opening => "being opened",
        StreamState::Retrying => "broken, tried again soon",
        StreamState::Absent => "the provider offers none",
        StreamState::Closed if known.part == Part::Waits => "another tab has it",
        StreamState::Closed => "none",
    };
    let confirmed = known.heard_ms.map(|at| format!(", heard at {}", tick::clock(at / 1000)));
    let again = match known.opened.saturating_sub(1) {
        0 => String::new(),
        times => format!(", opened again {times} times"),
    };
    let clock = known.offset_ms.map_or_else(
        || "not known yet".to_owned(),
        |ms| match ms / 1000 {
            0 => "the same".to_owned(),
            seconds if seconds > 0 => format!("{seconds} s ahead of this machine's"),
            seconds => format!("{} s behind this machine's", -seconds),
        },
    );
    let stopped = known.stopped.then_some("; asks nothing by itself until you click");
    view! {
        <dl class="facts">
            {fact("Status", diagnosis.status.as_str().to_owned(), None)}
            {fact("Session came", format!("{}{}", came(known.came), stopped.unwrap_or_default()), None)}
            {fact("Not tried again", failed(&known.noted), None)}
            {fact("It is kept", kept(diagnosis.storage).to_owned(), None)}
            {fact("Among the tabs", part(known.part).to_owned(), None)}
            {fact("Event stream", format!("{stream}{}{again}", confirmed.unwrap_or_default()), None)}
            {fact("Provider's clock", clock, None)}
            {fact("Version", diagnosis.version.clone(), None)}
        </dl>
    }
}

fn refused(known: &Known) -> AnyView {
    if known.errors.is_empty() {
        return view! { <p class="small muted">"Nothing in this page."</p> }.into_any();
    }
    let line = |code: &'static str, at: i64| {
        view! {
            <li>
                <code>{code}</code> " "
                <time class="muted" datetime=tick::iso(at)>{tick::clock(at)}</time>
            </li>
        }
    };
    let lines = known.errors.iter().rev().map(|error| line(error.code, error.at)).collect_view();
    view! { <ul class="refusals">{lines}</ul> }.into_any()
}

/// Which ways to a session have failed here, until one is reached.
fn failed(noted: &[Noted]) -> String {
    let names: Vec<_> = noted
        .iter()
        .filter_map(|noted| match noted {
            Noted::Recall => Some("this browser's storage"),
            Noted::Frame => Some("a hidden frame"),
            Noted::Redirect => Some("a redirect"),
            Noted::Sees | Noted::Unseen => None,
        })
        .collect();
    if names.is_empty() { "nothing".to_owned() } else { names.join(", ") }
}

const fn came(came: Came) -> &'static str {
    match came {
        Came::No => "none has",
        Came::Tab => "from another tab",
        Came::Storage => "from this browser's storage",
        Came::Frame => "from the provider, in a hidden frame",
        Came::Redirect => "from the provider, by a redirect of its own",
        Came::Click => "by your click",
        Came::Window => "by your click, in a window",
    }
}

const fn part(part: Part) -> &'static str {
    match part {
        Part::None => "has nothing to lead",
        Part::Waits => "another tab leads",
        Part::Leads => "this tab leads",
        Part::Alone => "each for itself: there are no locks",
    }
}

const fn kept(storage: StorageKind) -> &'static str {
    match storage {
        StorageKind::Memory => "in memory only",
        StorageKind::Session => "in this tab, encrypted",
        StorageKind::Local => "in this browser, encrypted",
    }
}

/// Said in words: colour alone tells nobody who cannot see it.
fn works(name: &'static str, does: bool, else_what: &'static str) -> impl IntoView {
    let value = if does { "works".to_owned() } else { format!("does not work: {else_what}") };
    fact(name, value, Some(does))
}

fn fact(name: &'static str, value: String, does: Option<bool>) -> impl IntoView {
    view! {
        <div>
            <dt>{name}</dt>
            <dd class:is-fine=does == Some(true) class:is-missing=does == Some(false)>{value}</dd>
        </div>
    }
}
