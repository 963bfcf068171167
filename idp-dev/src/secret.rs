//! Values that must not leak, and the randomness they are made of.

use std::fmt;

use aws_lc_rs::{constant_time, digest, rand};
use base64ct::{Base64UrlUnpadded, Encoding};

/// A string that never shows itself in a log or a debug print.
#[derive(Clone, PartialEq, Eq)]
pub struct Secret(String);

impl Secret {
    /// Wraps a value that came from outside.
    pub fn new(value: impl Into<String>) -> Self {
        Self(value.into())
    }

    /// A fresh value of 256 random bits, as 43 characters that are safe in URLs, cookies and HTML.
    ///
    /// # Errors
    /// `randomness_unavailable` when the machine gives no random bytes.
    pub fn random() -> Result<Self, RandomnessUnavailable> {
        random_bytes::<32>().map(|bytes| Self(base64url(&bytes)))
    }

    /// The value itself: for the one place that sends it or compares it.
    pub fn expose(&self) -> &str {
        &self.0
    }

    /// The key under which the store keeps what belongs to this value. Looking up a digest tells
    /// an observer of timing nothing about the value.
    pub fn digest(&self) -> Digest {
        Digest::of(self.0.as_bytes())
    }

    /// Equal to `other`? Takes the same time wherever the two differ.
    pub fn is(&self, other: &str) -> bool {
        equal_in_constant_time(self.0.as_bytes(), other.as_bytes())
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(...)")
    }
}

/// A SHA-256 digest.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Digest([u8; 32]);

impl Digest {
    /// SHA-256 of `bytes`.
    pub fn of(bytes: &[u8]) -> Self {
        let mut out = [0; 32];
        out.copy_from_slice(digest::digest(&digest::SHA256, bytes).as_ref());
        Self(out)
    }

    /// The 32 bytes.
    pub fn bytes(&self) -> &[u8; 32] {
        &self.0
    }
}

/// The machine gave no random bytes. Nothing secret can be made then, so the request fails.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RandomnessUnavailable;

impl fmt::Display for RandomnessUnavailable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("the machine gave no random bytes")
    }
}

impl std::error::Error for RandomnessUnavailable {}

/// `N` random bytes.
///
/// # Errors
/// When the machine gives none.
pub(crate) fn random_bytes<const N: usize>() -> Result<[u8; N], RandomnessUnavailable> {
    let mut bytes = [0; N];
    rand::fill(&mut bytes).map_err(|_| RandomnessUnavailable)?;
    Ok(bytes)
}

/// A fresh identifier of 128 random bits that is no secret: 22 characters.
pub(crate) fn random_id() -> Result<String, RandomnessUnavailable> {
    random_bytes::<16>().map(|bytes| base64url(&bytes))
}

/// RFC 4648 section 5, without padding.
pub(crate) fn base64url(bytes: &[u8]) -> String {
    Base64UrlUnpadded::encode_string(bytes)
}

/// Compares digests, so that neither content nor length shows in the time taken.
pub(crate) fn equal_in_constant_time(a: &[u8], b: &[u8]) -> bool {
    constant_time::verify_slices_are_equal(Digest::of(a).bytes(), Digest::of(b).bytes()).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn op20_secret_never_prints_itself() {
        let secret = Secret::new("hunter2");
        assert!(!format!("{secret:?}").contains("hunter2"));
    }

    #[test]
    fn compares_whole_values() {
        let secret = Secret::new("abc");
        assert!(secret.is("abc"));
        for other in ["", "ab", "abcd", "abd", "ABC"] {
            assert!(!secret.is(other), "{other}");
        }
    }

    #[test]
    fn random_values_differ_and_fit_urls() {
        let a = Secret::random().unwrap();
        let b = Secret::random().unwrap();
        assert_ne!(a, b);
        assert_eq!(a.expose().len(), 43);
        assert!(a.expose().bytes().all(|c| c.is_ascii_alphanumeric() || c == b'-' || c == b'_'));
    }
}
