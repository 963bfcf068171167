//! Hooks: the session to read, and the wishes as actions.

use crate::provider::Gatepass;
use gatepass::{Client, Error, Scope, Session, SignIn};
use leptos::prelude::*;

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
