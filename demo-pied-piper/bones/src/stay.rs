//! What tells a person that the session is about to end, and lets her stay.

use crate::{desk::Desk, tick, words::Tone};
use leptos::prelude::*;
use std::time::Duration;

/// From how many seconds before on: the demo's short sessions show it from their beginning.
const WARNING: u64 = 60;

/// The countdown and its button, on every page, in the last minute of a session that ends by itself.
#[component]
pub(crate) fn Stay() -> impl IntoView {
    let desk = Desk::here();
    let is_near = Memo::new(move |_| {
        desk.left.get().is_some_and(|left| left <= Duration::from_secs(WARNING))
    });
    let left = move || {
        desk.left.get().map(|left| tick::stretch(left.as_secs().try_into().unwrap_or(i64::MAX)))
    };
    view! {
        // Always there, so that a screen reader hears what appears in it; it need not hear each second.
        <div class="notices" role="status">
            {move || is_near.get().then(|| view! {
                <div class=Tone::Warn.class() data-testid="stay">
                    <p class="notice-title">
                        "You will be signed out here in "
                        <span role="timer" aria-live="off" data-testid="stay-left">{left}</span>
                    </p>
                    <p>"The app asks the identity provider whether your sign-in still stands."</p>
                    <button
                        type="button"
                        class="notice-action"
                        data-testid="stay-signed-in"
                        disabled=desk.is_busy
                        on:click=move |_| desk.extend.run(())
                    >
                        "Stay signed in"
                    </button>
                </div>
            })}
        </div>
    }
}
