//! What the tests' clients are registered with, and the proof key that they all use.

pub(crate) const VERIFIER: &str = "a-code-verifier-of-43-characters-or-a-bit-more";
/// SHA-256 of [`VERIFIER`], made with `openssl dgst -sha256 -binary | basenc --base64url`.
pub(crate) const CHALLENGE: &str = "HKo6Is6Fa1c6I4Y9cwovFcoH2wexkjsyfYUB2BF__uw";
pub(crate) const PIPER: &str = "http://pied-piper.localhost:8081/";
pub(crate) const HOOLI: &str = "http://hooli.localhost:8082/";
