//! The client and its session as context.
#![allow(unreachable_pub, reason = "the lint sees the function that `#[component]` makes inside")]

use gatepass::{Client, Error, Options, Session};
use leptos::{children::TypedChildren, context::Provider, prelude::*};

/// What the hooks find in the context.
///
/// The client and the session are not `Send`, and need not be: a page has one thread. The arena's
/// local storage keeps them there, and what is in the context is only their place.
#[derive(Clone, Copy)]
pub(crate) struct Gatepass {
    pub(crate) client: StoredValue<Client, LocalStorage>,
    pub(crate) session: ReadSignal<Session, LocalStorage>,
}

impl Gatepass {
    /// Makes the client: at this moment the address is cleaned of a callback's parameters.
    fn new(options: Options) -> Result<Self, Error> {
        let client = Client::new(options)?;
        let (session, set_session) = signal_local(client.session());
        let subscription = client.subscribe(move |now| set_session.set(now.clone()));
        // The subscription lives as long as whoever provides this.
        StoredValue::new_local(subscription);
        Ok(Self { client: StoredValue::new_local(client), session })
    }
}

/// Makes the client and provides it, and its session, to everything inside.
///
/// Put it outside the router: the client takes the parameters of a callback out of the address
/// before the router reads it.
///
/// # Errors
/// A wrong configuration (`config_invalid`) goes to the nearest
/// [`ErrorBoundary`](leptos::error::ErrorBoundary), and nothing inside is shown.
///
/// ```no_run
/// use gatepass_leptos::{GatepassProvider, gatepass::{OnLoad, Options}};
/// use leptos::prelude::*;
///
/// #[component]
/// fn App() -> impl IntoView {
///     let options = Options::new("https://idp.example", "pied-piper").on_load(OnLoad::Auto);
///     view! {
///         <ErrorBoundary fallback=|_| "This app is configured wrongly.">
///             <GatepassProvider options=options>"..."</GatepassProvider>
///         </ErrorBoundary>
///     }
/// }
/// ```
#[component]
pub fn GatepassProvider<C>(
    /// What the app says about itself and its provider.
    options: Options,
    /// What may use the hooks.
    children: TypedChildren<C>,
) -> impl IntoView
where
    C: IntoView + 'static,
{
    Gatepass::new(options).map(|gatepass| {
        view! { <Provider value=gatepass>{children.into_inner()()}</Provider> }
    })
}
