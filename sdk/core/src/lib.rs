//! The OpenID Connect relying party as a sans-IO machine: facts in, orders out.
#![no_std]
#![forbid(unsafe_code)]

extern crate alloc;
#[cfg(test)]
extern crate std;

pub mod base64url;
pub mod config;
pub mod entropy;
pub mod error;
pub mod json;
pub mod machine;
pub mod time;
pub mod wire;

#[cfg(test)]
mod testing;
