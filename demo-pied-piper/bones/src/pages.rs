//! The three pages: what differs is who may see them.

use crate::{desk::Desk, face::Page, panel::SessionPanel, server::ServerPanel};
use gatepass_leptos::gatepass::{SignIn, Status};
use leptos::prelude::*;

/// A page whose content is for people who are signed in.
#[component]
pub(crate) fn Guarded(
    /// Its words and content.
    page: Page,
    /// Whether it asks the app's server too.
    #[prop(optional)]
    has_server: bool,
) -> impl IntoView {
    let desk = Desk::here();
    let holder = desk.holder();
    let status = desk.status();
    move || match (holder.get(), status.get()) {
        (Some(person), _) => view! {
            <div class="sheet" data-testid="protected-content">
                <Heading page=page />
                {(page.content)()}
            </div>
            {has_server.then(|| view! { <ServerPanel /> })}
            <SessionPanel person=person />
        }
        .into_any(),
        (None, Status::Restoring) => view! { <Restoring page=page /> }.into_any(),
        (None, _) => view! { <Invitation page=page /> }.into_any(),
    }
}

/// A page for everybody, which greets those it knows.
#[component]
pub(crate) fn Open(
    /// Its words and content.
    page: Page,
) -> impl IntoView {
    let desk = Desk::here();
    let holder = desk.holder();
    let status = desk.status();
    let greeting = move || match (holder.get(), status.get()) {
        (Some(person), _) => view! {
            <p>{format!("Hello, {}. You see what everybody sees here.", person.called())}</p>
        }
        .into_any(),
        (None, Status::Restoring) => view! {
            <p class="skeleton" aria-hidden="true">"Finding out who you are."</p>
        }
        .into_any(),
        (None, _) => view! {
            <p>"This page is for everybody. It asks nobody who you are until you do."</p>
            <SignInButton />
        }
        .into_any(),
    };
    view! {
        <div class="sheet">
            <Heading page=page />
            <div class="greeting">{greeting}</div>
            {(page.content)()}
        </div>
        {move || holder.get().map(|person| view! { <SessionPanel person=person /> })}
    }
}

#[component]
fn Heading(page: Page) -> impl IntoView {
    view! {
        <div class="heading">
            <h1>{page.title}</h1>
            <p class="lead">{page.lead}</p>
        </div>
    }
}

/// What stands where the content would: why to sign in, and the button.
#[component]
fn Invitation(page: Page) -> impl IntoView {
    view! {
        <div class="invitation">
            <h1>{page.invitation}</h1>
            <p class="lead">{page.promise}</p>
            <SignInButton />
            <p class="small muted">
                "If you are signed in at another app already, nobody asks for your password again."
            </p>
        </div>
    }
}

/// The content's shape while it is not known whether it may be shown.
#[component]
fn Restoring(page: Page) -> impl IntoView {
    view! {
        <div class="sheet" aria-busy="true">
            <div class="heading">
                <h1>{page.title}</h1>
                <p class="lead">{page.lead}</p>
            </div>
            <div class="placeholder" aria-hidden="true">
                <div class="skeleton"></div>
                <div class="skeleton"></div>
                <div class="skeleton"></div>
                <div class="skeleton"></div>
            </div>
        </div>
    }
}

/// The click that leads to the provider.
#[component]
pub(crate) fn SignInButton() -> impl IntoView {
    let desk = Desk::here();
    view! {
        <button
            type="button"
            class="primary"
            data-testid="sign-in"
            disabled=desk.is_busy
            on:click=move |_| desk.sign_in.run(SignIn::default())
        >
            "Sign in"
        </button>
    }
}
