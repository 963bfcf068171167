//! Randomness that a step may use.

use crate::{base64url, text::Text};

/// Fresh random bytes for one step, from the caller's cryptographic generator.
///
/// Each byte is given out once: a step that needs more than there are gets none and says so, it
/// never repeats any.
pub struct Entropy {
    bytes: [u8; Self::SIZE],
    used: usize,
}

impl Entropy {
    /// Bytes that a caller provides for each step: enough for `state`, `nonce` and
    /// `code_verifier` of 32 bytes each, and what a step needs besides.
    pub const SIZE: usize = 128;

    /// Takes over the bytes for one step.
    #[must_use]
    pub const fn new(bytes: [u8; Self::SIZE]) -> Self {
        Self { bytes, used: 0 }
    }

    /// An unguessable text of `count` bytes in base64url; empty if too few are left.
    pub(crate) fn token(&mut self, count: usize) -> Text {
        let end = self.used.saturating_add(count);
        let text = self.bytes.get(self.used..end).map(base64url::encode);
        self.used = end;
        text.unwrap_or_default().into()
    }

    /// A number from 0 to `limit - 1`, for jitter only (slightly biased, not for secrets).
    pub(crate) fn below(&mut self, limit: i64) -> i64 {
        let end = self.used.saturating_add(2);
        let low = match self.bytes.get(self.used..end) {
            Some([a, b]) => i64::from(*a) * 256 + i64::from(*b),
            _ => 0,
        };
        self.used = end;
        low * limit / 65536
    }
}
