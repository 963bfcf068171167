//! Random schedules for the machine of gatepass-core.
//!
//! A world has one browser with two sites and several tabs each, one provider whose SSO session both
//! share, a network, and a clock that stands still unless a turn moves it. A [`Schedule`] is drawn
//! from a seed; [`run`] plays it and holds every step against the [`Rule`]s. What breaks one is cut
//! down to the turns that matter ([`Failure::of`]) and told as a story.
//!
//! Everything follows from the seed: no time, no randomness, no order of threads. Signatures are
//! hashes (see `token`): what real ones are like is for the tests that have real ones.
//!
//! Not covered: popups, storage kinds other than memory, several browsers.
#![forbid(unsafe_code)]

mod browser;
mod network;
mod provider;
mod random;
mod rest;
mod rules;
mod schedule;
mod shrink;
mod story;
mod token;
mod turns;
mod world;

pub use rules::{Broken, Rule};
pub use schedule::{Schedule, Setup, Turn};
pub use shrink::{Failure, run, run_with};
pub use world::Meddler;
