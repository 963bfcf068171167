//! What every view of the app sees and may ask for.

use crate::{
    server::Answer,
    snapshot::{Person, Snapshot},
};
use gatepass_leptos::gatepass::{Diagnosis, Error, Scope, SignIn, Status};
use leptos::prelude::*;
use std::time::Duration;

/// The session and the wishes that a person can have about it.
///
/// The views know nothing of the client: what they draw can be looked at in every state without
/// one.
#[derive(Clone, Copy)]
pub struct Desk {
    /// The session.
    pub session: Signal<Snapshot>,
    /// What became of the last wish, if it failed.
    pub failure: Signal<Option<Error>>,
    /// Whether a wish is being carried out.
    pub is_busy: Signal<bool>,
    /// The provider's time in Unix seconds, once a second.
    pub now: Signal<i64>,
    /// How long the session still lasts, once a second, if it ends by itself.
    pub left: Signal<Option<Duration>>,
    /// Stay signed in.
    pub extend: Callback<()>,
    /// Sign in.
    pub sign_in: Callback<SignIn>,
    /// Sign out.
    pub sign_out: Callback<Scope>,
    /// Ask the provider again.
    pub check: Callback<()>,
    /// Look at what this browser allows.
    pub diagnose: Callback<()>,
    /// What was seen last.
    pub diagnosis: Signal<Option<Diagnosis>>,
    /// The origin of the app's server, if it has one.
    pub server: Signal<Option<String>>,
    /// Ask that server.
    pub ask_server: Callback<()>,
    /// What it said last.
    pub answer: Signal<Option<Answer>>,
}

impl Desk {
    /// The desk of this app.
    pub(crate) fn here() -> Self {
        expect_context()
    }

    /// The session in one word.
    pub(crate) fn status(self) -> Memo<Status> {
        Memo::new(move |_| self.session.with(|session| session.status))
    }

    /// Who holds the session.
    pub(crate) fn holder(self) -> Memo<Option<Person>> {
        Memo::new(move |_| self.session.with(|session| session.holder().cloned()))
    }
}
