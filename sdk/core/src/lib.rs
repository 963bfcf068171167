//! The OpenID Connect relying party as a sans-IO machine: facts in, orders out.
#![no_std]
#![forbid(unsafe_code)]

extern crate alloc;
#[cfg(test)]
extern crate std;

mod address;
mod attempt;
mod authorization;
pub mod base64url;
mod claims;
pub mod config;
pub mod entropy;
pub mod error;
mod event_stream;
mod event_token;
mod id_token;
pub mod json;
mod jwk;
mod jws;
mod learnt;
pub mod machine;
mod memory;
mod metadata;
pub mod secret;
mod tabs;
pub mod text;
pub mod time;
mod token;
mod user_info;
pub mod wire;

#[cfg(test)]
mod testing;
