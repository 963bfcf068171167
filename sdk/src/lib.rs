//! Sign in once and sign out once, across sites: an OpenID Connect client for browser apps.
//!
//! The app asks, the provider answers, and the page is told: who is signed in here, since when,
//! and, when that ends, why. A sign-out at another app of the same provider reaches this page by
//! itself. No callback route is needed, and tokens live in memory only.
//!
//! ```no_run
//! # async fn example() -> Result<(), gatepass::FetchError> {
//! use gatepass::{Client, Options, SignIn};
//! let client = Client::new(Options::new("https://idp.example", "pied-piper"))?;
//! let _told = client.subscribe(|session| println!("{}", session.status.as_str()));
//! client.sign_in(SignIn::default()).await?; // leaves the page, and comes back to it
//! let files = client.fetch("/api/files", &Default::default()).await?; // with the access token
//! # Ok(()) }
//! ```
//!
//! The protocol is [`gatepass_core`], inside the app's own wasm; the browser's part is the plain
//! JavaScript of `driver/`. This crate joins the two and gives them types. It compiles for other
//! targets too, so that an app can be checked or rendered there; a [`Client`] needs a page.
//!
//! Not covered: sign-in by popup, FedCM, DPoP; pages by plain http beyond this machine, which have no
//! WebCrypto (`docs/adr/0009`, in the repository, says why).

mod client;
mod diagnosis;
mod driver;
mod keep;
mod options;
mod request;
mod session;
mod shared;
mod token;

pub use client::{Client, SignIn, SignInMode, Subscription};
pub use diagnosis::{Allowed, Diagnosis};
pub use gatepass_core::{
    config::StorageKind,
    error::{Blame, Code, Error, Evidence, Result},
    text::Text,
    wire::{
        Came, Cause, Check, Diagnosis as Known, Ending, Noted, OnLoad, Part, PastError, Scope,
        Status, StreamState,
    },
};
pub use keep::Kept;
pub use options::Options;
pub use request::FetchError;
pub use session::{Session, User};
pub use token::{AccessToken, TokenRequest};
