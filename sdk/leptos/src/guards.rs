//! Guards: what is shown to whom.
#![allow(unreachable_pub, reason = "the lint sees the function that `#[component]` makes inside")]

use crate::hooks::use_session;
use gatepass::Status;
use leptos::{
    children::{TypedChildrenFn, ViewFn},
    prelude::*,
};

/// What a guard asks of the session.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Standing {
    /// Not known yet.
    Unknown,
    /// A session is held.
    SignedIn,
    /// None is.
    SignedOut,
}

impl Standing {
    fn of(status: Status, is_held: bool) -> Self {
        match status {
            Status::Restoring => Self::Unknown,
            Status::Authenticated => Self::SignedIn,
            // A provider that cannot be reached takes no session away.
            Status::Offline if is_held => Self::SignedIn,
            Status::Offline | Status::Anonymous | Status::Expired => Self::SignedOut,
        }
    }
}

/// Shows its children while a session is held, also while the provider cannot be reached.
///
/// They are gone the moment the session is. It is a matter of what is shown: what must stay secret
/// stays on a server that asks for an access token.
#[component]
pub fn SignedIn<C>(
    /// For people who are signed in.
    children: TypedChildrenFn<C>,
    /// While it is not known yet whether there is a session; nothing by default.
    #[prop(optional, into)]
    fallback: ViewFn,
) -> impl IntoView
where
    C: IntoView + 'static,
{
    guard(Standing::SignedIn, children, fallback)
}

/// Shows its children while no session is held.
#[component]
pub fn SignedOut<C>(
    /// For people who are not signed in.
    children: TypedChildrenFn<C>,
    /// While it is not known yet whether there is a session; nothing by default.
    #[prop(optional, into)]
    fallback: ViewFn,
) -> impl IntoView
where
    C: IntoView + 'static,
{
    guard(Standing::SignedOut, children, fallback)
}

fn guard<C>(wanted: Standing, children: TypedChildrenFn<C>, fallback: ViewFn) -> impl IntoView
where
    C: IntoView + 'static,
{
    let session = use_session();
    // A change of the session that is none of the standing draws nothing anew.
    let standing = Memo::new(move |_| {
        session.with(|session| Standing::of(session.status, session.subject.is_some()))
    });
    let children = children.into_inner();
    move || match standing.get() {
        Standing::Unknown => Some(fallback.run().into_any()),
        now if now == wanted => Some(children().into_any()),
        Standing::SignedIn | Standing::SignedOut => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn offline_keeps_a_held_session_and_makes_none() {
        assert_eq!(Standing::of(Status::Offline, true), Standing::SignedIn);
        assert_eq!(Standing::of(Status::Offline, false), Standing::SignedOut);
    }

    #[test]
    fn nothing_is_shown_as_either_while_restoring() {
        assert_eq!(Standing::of(Status::Restoring, false), Standing::Unknown);
        assert_eq!(Standing::of(Status::Restoring, true), Standing::Unknown);
    }

    #[test]
    fn ended_session_is_signed_out_whoever_it_named() {
        for status in [Status::Anonymous, Status::Expired] {
            assert_eq!(Standing::of(status, true), Standing::SignedOut);
        }
        assert_eq!(Standing::of(Status::Authenticated, true), Standing::SignedIn);
    }
}
