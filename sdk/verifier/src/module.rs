//! The border of the wasm module that a page loads when WebCrypto has no answer.
//!
//! Texts cross as UTF-8, as in the client's own module: an answer is a byte or bytes, so that no
//! value of JavaScript has to be kept.

use wasm_bindgen::prelude::wasm_bindgen;

use crate::Failure;

/// Whether a signature is right: 1 if it is, 0 if not; 2 if the key is unusable, 3 if the algorithm
/// is unknown.
#[must_use]
#[wasm_bindgen]
pub fn verify(algorithm: &[u8], key: &[u8], input: &[u8], signature: &[u8]) -> u8 {
    let text = |bytes| core::str::from_utf8(bytes).unwrap_or_default();
    match crate::verify(text(algorithm), text(key), input, signature) {
        Ok(false) => 0,
        Ok(true) => 1,
        Err(Failure::BadKey) => 2,
        Err(Failure::Unsupported) => 3,
    }
}

/// The hash of `bytes`; nothing if the hash is unknown.
#[must_use]
#[wasm_bindgen]
pub fn digest(algorithm: &[u8], bytes: &[u8]) -> Vec<u8> {
    let algorithm = core::str::from_utf8(algorithm).unwrap_or_default();
    crate::digest(algorithm, bytes).unwrap_or_default()
}
