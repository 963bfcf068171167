//! A small, strict OpenID provider for development and CI.
//!
//! [`app`] is the provider as an axum router: no socket, no clock and no disk of its own.
//! [`Provider`] gives the same together with the control API.
//!
//! ```
//! # #[tokio::main(flavor = "current_thread")] async fn main() -> Result<(), Box<dyn std::error::Error>> {
//! use std::sync::Arc;
//! use idp_dev::{Clock, Config, MemoryStore, app};
//! let config = Config::parse("idp.toml", Config::EXAMPLE)?.with_port(8083);
//! let router: axum::Router = app(config, Clock::system(), Arc::new(MemoryStore::new()))?;
//! # let _ = router; Ok(()) }
//! ```
//!
//! Not covered: consent pages, throttling (a provider for CI must not slow down), client secrets,
//! dynamic registration, pushed authorization requests, realms. Not for production: people's
//! passwords may stand in a file.
#![forbid(unsafe_code)]

mod authorization_request;
mod back_channel;
mod claims;
mod clock;
mod config;
mod control;
mod end_session_request;
mod endpoints;
mod http;
mod keys;
mod log;
mod pages;
mod params;
mod passwords;
mod people;
mod provider;
mod scenario;
mod secret;
mod session;
mod store;
mod streams;
mod timeline;
mod tokens;

use std::sync::Arc;

use axum::Router;

pub use authorization_request::AuthorizationRequest;
pub use clock::{Clock, Seconds, UnixTime};
pub use config::{Config, ConfigError, Limits, Origin, RedirectUri};
pub use end_session_request::EndSessionRequest;
pub use keys::{KeyError, SigningAlg};
pub use log::line as log_line;
pub use params::Params;
pub use provider::{Provider, StartError};
pub use scenario::{Outcome, Scenario};
pub use secret::{Digest, RandomnessUnavailable, Secret};
pub use store::{
    Answered, Code, EndedSession, Grant, Leave, Left, MemoryStore, Parked, Redemption, Rotation,
    SignIn, SignInProblem, SsoSession, Store, StoreFull,
};

/// All scenarios: what this provider can do wrong when it is asked to.
pub fn scenarios() -> &'static [Scenario] {
    scenario::all()
}

/// The provider's own pages and endpoints, without the control API.
///
/// Must be called inside a tokio runtime: sessions that expire are ended by a task.
///
/// # Errors
/// [`StartError`] when keys cannot be made.
pub fn app(config: Config, clock: Clock, store: Arc<dyn Store>) -> Result<Router, StartError> {
    Ok(Provider::start(config, clock, store, false)?.router())
}
