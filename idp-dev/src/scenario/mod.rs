//! Lies on demand: the provider as a hostile twin of itself.
//!
//! The provider behind this stays strict and honest. A [`layer`] stands before it, and changes what
//! it answers as a [`Scenario`] says: one small file in `scenarios/`, most of them data only. What
//! is signed is signed over text that is built by hand, so that it may be what no library writes.
//!
//! A scenario is told at an isolated issuer of its own ([`isolated`]), or where it is switched on.
//! What comes afterwards gives the [`verdict`].

mod authorization;
mod edit;
mod fault;
mod fill;
mod forge;
pub(crate) mod isolated;
mod key_set;
mod lab;
mod layer;
mod registry;
mod seen;
mod switches;
mod verdict;
mod wire;

pub use registry::{Outcome, Scenario};

pub(crate) use forge::logout_token;
pub(crate) use layer::lie;
pub(crate) use registry::{all, find};
pub(crate) use switches::{Scenarios, Switch};
pub(crate) use verdict::Said;
