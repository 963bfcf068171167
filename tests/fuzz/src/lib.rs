//! What is fuzzed, one function a target: given any bytes, it panics only if something is wrong.
//! The same files are part of the ordinary tests of the two crates, which replay the corpora.

pub mod client;
#[cfg(feature = "provider")]
pub mod provider;
