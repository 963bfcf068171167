//! Hooks: the session to read, and the wishes as actions.

use crate::provider::Gatepass;
use gatepass::{Client, Error, Kept, Scope, Session, SignIn};
use leptos::{html::Form, prelude::*};
use std::time::Duration;

/// The session, as a signal.
///
/// It is local to the page's thread; a derived signal or a memo of plain values travels further:
///
/// ```no_run
/// # use gatepass_leptos::use_session;
/// # use leptos::prelude::*;
/// let session = use_session();
/// let status = Memo::new(move |_| session.with(|session| session.status));
/// ```
///
/// # Panics
/// Outside a [`GatepassProvider`](crate::GatepassProvider).
#[must_use]
pub fn use_session() -> ReadSignal<Session, LocalStorage> {
    expect_context::<Gatepass>().session
}

/// The client, for what has no hook: [`Client::fetch`], [`Client::token`], [`Client::check`].
///
/// # Panics
/// Outside a [`GatepassProvider`](crate::GatepassProvider).
#[must_use]
pub fn use_client() -> Client {
    expect_context::<Gatepass>().client.get_value()
}

/// Signing in, as an action: `dispatch(SignIn::default())` leaves the page and comes back to it.
///
/// Its `pending()` is true until the page is left, or until a window of its own has answered; its `value()` holds the error of a sign-in that
/// could not begin, such as `issuer_unreachable`.
///
/// # Panics
/// Outside a [`GatepassProvider`](crate::GatepassProvider).
#[must_use]
pub fn use_sign_in() -> Action<SignIn, Result<(), Error>> {
    let client = use_client();
    Action::new_local(move |sign_in: &SignIn| {
        // Now, in the click itself, in case it opens a window.
        client.sign_in(sign_in.clone())
    })
}

/// Signing out, as an action: `dispatch(Scope::Global)` everywhere, `dispatch(Scope::Local)` here.
///
/// The session ends at once; a global sign-out then leaves for the provider. Its `value()` holds
/// the error of one that did not reach the provider: the person is signed out here all the same.
///
/// # Panics
/// Outside a [`GatepassProvider`](crate::GatepassProvider).
#[must_use]
pub fn use_sign_out() -> Action<Scope, Result<(), Error>> {
    let client = use_client();
    Action::new_local(move |scope: &Scope| {
        let (client, scope) = (client.clone(), *scope);
        async move { client.sign_out(scope).await }
    })
}

/// How long until this app's session ends by itself, once a second, for a countdown: whole seconds, or
/// `None` as [`Client::session_expires_in`] says.
///
/// ```no_run
/// # use gatepass_leptos::{use_extend, use_session_expires_in};
/// # use leptos::prelude::*;
/// let (left, stay) = (use_session_expires_in(), use_extend());
/// let is_near = Memo::new(move |_| left.get().is_some_and(|left| left.as_secs() <= 60));
/// view! {
///     <Show when=move || is_near.get()>
///         "You will be signed out in " {move || left.get().map(|left| left.as_secs())} " s. "
///         <button on:click=move |_| { stay.dispatch(()); }>"Stay signed in"</button>
///     </Show>
/// };
/// ```
///
/// # Panics
/// Outside a [`GatepassProvider`](crate::GatepassProvider).
#[must_use]
pub fn use_session_expires_in() -> Memo<Option<Duration>> {
    let Gatepass { client, session } = expect_context();
    let second = ArcTrigger::new();
    let ticks = second.clone();
    // A browser that refuses an interval has none at all: then the session's changes remain.
    if let Ok(interval) = set_interval_with_handle(move || ticks.notify(), Duration::from_secs(1)) {
        on_cleanup(move || interval.clear());
    }
    Memo::new(move |_| {
        second.track();
        session.track();
        client.with_value(Client::session_expires_in)
    })
}

/// Staying signed in, as an action: `dispatch(())` starts the session's lifetime anew if the provider
/// says that its session still lives.
///
/// Its `value()` holds the error of one that did not: [`Client::extend`] lists them.
///
/// # Panics
/// Outside a [`GatepassProvider`](crate::GatepassProvider).
#[must_use]
pub fn use_extend() -> Action<(), Result<(), Error>> {
    let client = use_client();
    Action::new_local(move |(): &()| {
        let client = client.clone();
        async move { client.extend().await }
    })
}

/// Keeps what is half filled in in a form, should the page be left to sign in, and fills it in again
/// when the person comes back ([`Client::keep_form`] says what is kept, and how long). `name` is the
/// form's own in the page.
///
/// ```no_run
/// # use gatepass_leptos::use_kept_form;
/// # use leptos::prelude::*;
/// #[component]
/// fn Review() -> impl IntoView {
///     let form = use_kept_form("review");
///     view! { <form node_ref=form><textarea name="words"></textarea></form> }
/// }
/// ```
///
/// # Panics
/// Outside a [`GatepassProvider`](crate::GatepassProvider).
#[must_use]
pub fn use_kept_form(name: &'static str) -> NodeRef<Form> {
    let client = use_client();
    let form = NodeRef::<Form>::new();
    let kept = StoredValue::new_local(None::<Kept>);
    Effect::new(move |_| {
        kept.set_value(form.get().map(|form| client.keep_form(name, &form)));
    });
    form
}
