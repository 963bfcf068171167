//! Gatepass for [Leptos](leptos): a provider, hooks and guards.
//!
//! ```no_run
//! use gatepass_leptos::{GatepassProvider, SignedIn, SignedOut, use_session, use_sign_in, use_sign_out};
//! use gatepass_leptos::gatepass::{Options, Scope, SignIn};
//! use leptos::prelude::*;
//!
//! #[component]
//! fn App() -> impl IntoView {
//!     let options = Options::new("https://idp.example", "pied-piper");
//!     view! {
//!         <GatepassProvider options=options>
//!             <Account />
//!         </GatepassProvider>
//!     }
//! }
//!
//! #[component]
//! fn Account() -> impl IntoView {
//!     let session = use_session();
//!     let sign_in = use_sign_in();
//!     let sign_out = use_sign_out();
//!     let name = move || session.with(|session| session.user().and_then(|user| user.name));
//!     view! {
//!         <SignedIn fallback=|| "One moment.">
//!             <p>{name}</p>
//!             <button on:click=move |_| { sign_out.dispatch(Scope::Global); }>"Sign out"</button>
//!         </SignedIn>
//!         <SignedOut>
//!             <button on:click=move |_| { sign_in.dispatch(SignIn::default()); }>"Sign in"</button>
//!         </SignedOut>
//!     }
//! }
//! ```
//!
//! The provider goes outside the router: making the client takes the callback's parameters out of
//! the address, and a router that had mounted before would still see them.
//!
//! Not covered: a session on the server (a page rendered there shows what a restoring session
//! shows), and guards by authentication level.
#![warn(clippy::pedantic)]

mod guards;
mod hooks;
mod provider;

pub use gatepass;
pub use guards::{SignedIn, SignedOut};
pub use hooks::{
    use_client, use_extend, use_kept_form, use_session, use_session_expires_in, use_sign_in,
    use_sign_out,
};
pub use provider::GatepassProvider;
