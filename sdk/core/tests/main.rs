//! The machine in a simulated world: real signatures, several tabs, a scripted provider, a stopped
//! clock.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, missing_docs, unreachable_pub)]

mod id_token;
mod journey;
mod tabs;
mod world;
