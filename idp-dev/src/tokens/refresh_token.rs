//! Refresh tokens: opaque to clients, rotated at each use.
//!
//! A token is its grant's id, its running number and a MAC over both. So every token of a family
//! that was ever given can be told from a forged one without keeping a list, and presenting a
//! past one reveals that somebody has a copy (RFC 9700, 4.14.2).

use aws_lc_rs::hmac;
use base64ct::{Base64UrlUnpadded, Encoding};

use crate::secret::{RandomnessUnavailable, Secret, base64url, random_bytes};

/// Makes and reads refresh tokens with a key of this process.
pub(crate) struct RefreshTokens {
    key: hmac::Key,
}

impl RefreshTokens {
    /// Takes a fresh key: tokens of an earlier process are unknown.
    ///
    /// # Errors
    /// When the machine gives no randomness.
    pub(crate) fn generate() -> Result<Self, RandomnessUnavailable> {
        Ok(Self { key: hmac::Key::new(hmac::HMAC_SHA256, &random_bytes::<32>()?) })
    }

    /// Token number `serial` of the grant.
    pub(crate) fn issue(&self, grant: &str, serial: u32) -> Secret {
        let body = format!("{grant}.{serial}");
        let tag = hmac::sign(&self.key, body.as_bytes());
        Secret::new(format!("{body}.{}", base64url(tag.as_ref())))
    }

    /// Grant and number of a token that we gave; `None` for any other text.
    pub(crate) fn read(&self, token: &str) -> Option<(String, u32)> {
        let (body, tag) = token.rsplit_once('.')?;
        let tag = Base64UrlUnpadded::decode_vec(tag).ok()?;
        // Verifies in constant time.
        hmac::verify(&self.key, body.as_bytes(), &tag).ok()?;
        let (grant, serial) = body.rsplit_once('.')?;
        Some((grant.to_owned(), serial.parse().ok()?))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn op6_reads_its_own_tokens_and_no_others() {
        let tokens = RefreshTokens::generate().unwrap();
        let token = tokens.issue("grant-1", 7);
        assert_eq!(tokens.read(token.expose()), Some(("grant-1".to_owned(), 7)));

        let other = RefreshTokens::generate().unwrap();
        assert_eq!(other.read(token.expose()), None);
        let text = token.expose();
        let bumped = text.replacen(".7.", ".8.", 1);
        let moved = text.replacen("grant-1", "grant-2", 1);
        for forged in [&*bumped, &*moved, &text[..text.len() - 1], "", ".", "..", "a.b.c"] {
            assert_eq!(tokens.read(forged), None, "{forged}");
        }
    }
}
