//! The ways in which a page can find out whether somebody is signed in (F17), each to be tried.

use crate::{allowed::WhatIsAllowed, desk::Desk, pages::SignInButton};
use gatepass_leptos::gatepass::{OnLoad, SignIn, SignInMode, Status};
use leptos::prelude::*;

/// A way, and what it means for a person.
struct Way {
    on_load: OnLoad,
    name: &'static str,
    title: &'static str,
    what: &'static str,
}

const WAYS: [Way; 3] = [
    Way {
        on_load: OnLoad::Auto,
        name: "auto",
        title: "By a redirect",
        what: "The page leaves once to ask the identity provider and comes straight back: it works \
               in every browser, and nobody sees a page on the way.",
    },
    Way {
        on_load: OnLoad::Probe,
        name: "probe",
        title: "In a hidden frame",
        what: "The page stays and asks in a frame: where the browser shows the identity provider \
               its cookie you are signed in as you watch, elsewhere nothing is known and nothing \
               is said.",
    },
    Way {
        on_load: OnLoad::Manual,
        name: "manual",
        title: "By your click",
        what: "The page asks nobody before you click; if you are signed in at another app, the \
               click needs no password.",
    },
];

/// What the query of this page's address chooses; nothing happens unasked.
pub(crate) fn chosen(query: &str) -> OnLoad {
    let name = query.trim_start_matches('?').split('&').find_map(|pair| pair.strip_prefix("ask="));
    WAYS.iter().find(|way| Some(way.name) == name).map_or(OnLoad::Manual, |way| way.on_load)
}

/// The page.
#[component]
pub(crate) fn Ways() -> impl IntoView {
    let desk = Desk::here();
    let (holder, status) = (desk.holder(), desk.status());
    let now = chosen(&window().location().search().unwrap_or_default());
    let state = move || match (holder.get(), status.get()) {
        (Some(person), _) => view! {
            <p>{format!("You are known here: {}.", person.called())}</p>
        }
        .into_any(),
        (None, Status::Restoring) => view! {
            <p class="skeleton" aria-hidden="true">"Finding out who you are."</p>
        }
        .into_any(),
        (None, _) => view! {
            <p>"This page does not know whether you are signed in anywhere."</p>
            <SignInButton />
        }
        .into_any(),
    };
    view! {
        <div class="sheet">
            <div class="heading">
                <h1>"Four ways in"</h1>
                <p class="lead">
                    "An app that must not redirect by itself can still let you in without a password. \
                     Each link loads this page anew, with nothing remembered; the window leaves it \
                     as it is."
                </p>
            </div>
            <div class="greeting">{state}</div>
            <div class="trio four">
                {WAYS.iter().map(|way| draw(way, now)).collect_view()}
                <section>
                    <h2>"In a window of its own"</h2>
                    <p>
                        "The page stays and waits, with all that you have done on it. The window asks \
                         for your password only if nobody knows you, and closes by itself."
                    </p>
                    <button
                        type="button"
                        data-testid="sign-in-window"
                        on:click=move |_| desk.sign_in.run(SignIn {
                            mode: SignInMode::Popup,
                            ..SignIn::default()
                        })
                    >
                        "Open a window"
                    </button>
                </section>
            </div>
            <WhatIsAllowed />
        </div>
    }
}

fn draw(way: &'static Way, now: OnLoad) -> impl IntoView {
    let is_current = way.on_load == now;
    view! {
        <section>
            <h2>{way.title}</h2>
            <p>{way.what}</p>
            // The router would keep the page, and with it what it knows.
            <a
                href=format!("/ways?ask={}", way.name)
                rel="external"
                data-testid=format!("way-{}", way.name)
                aria-current=is_current.then_some("true")
            >
                "Load this page with " <code>{way.name}</code>
            </a>
        </section>
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn f17_nothing_happens_unasked() {
        for query in ["", "?", "?ask=", "?ask=always", "?asked=auto"] {
            assert_eq!(chosen(query), OnLoad::Manual, "{query}");
        }
        assert_eq!(chosen("?ask=auto"), OnLoad::Auto);
        assert_eq!(chosen("?a=b&ask=probe"), OnLoad::Probe);
    }
}
