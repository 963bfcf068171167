//! A form whose half-filled fields survive a sign-in (S11).

use gatepass_leptos::use_kept_form;
use leptos::{ev::SubmitEvent, prelude::*};

/// A form that takes its fields back after a sign-in. Nothing is sent: the demo has nowhere to.
#[component]
pub fn Draft(
    /// Its own name in the page.
    name: &'static str,
    /// What the button says.
    send: &'static str,
    /// What is said when it was clicked.
    sent: &'static str,
    /// The fields.
    children: Children,
) -> impl IntoView {
    let form = use_kept_form(name);
    let (is_sent, set_sent) = signal(false);
    let submit = move |event: SubmitEvent| {
        event.prevent_default();
        if let Some(form) = form.get_untracked() {
            // What was sent is no draft any more.
            form.reset();
        }
        set_sent.set(true);
    };
    view! {
        <form
            node_ref=form
            class="draft"
            data-testid="draft"
            autocomplete="off"
            on:submit=submit
            on:input=move |_| set_sent.set(false)
        >
            {children()}
            <div class="draft-ways">
                <button class="primary" data-testid="draft-send">{send}</button>
                <p role="status" class="small">{move || is_sent.get().then_some(sent)}</p>
            </div>
        </form>
    }
}
