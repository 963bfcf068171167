//! ES256: ECDSA on P-256 with SHA-256, by aws-lc-rs behind jwt-compact's `Algorithm`.

use std::borrow::Cow;
use std::num::NonZeroUsize;

use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_FIXED, ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair as _,
    UnparsedPublicKey,
};
use jwt_compact::{Algorithm, AlgorithmSignature};
use serde_json::{Value, json};

use super::KeyError;
use crate::secret::base64url;

/// The algorithm as jwt-compact wants it.
pub(crate) struct Es256;

/// A P-256 key pair; the private half never leaves aws-lc.
pub(crate) struct KeyPair {
    pair: EcdsaKeyPair,
    public: PublicKey,
}

impl KeyPair {
    /// Makes a new pair.
    ///
    /// # Errors
    /// When the machine gives no randomness.
    pub(super) fn generate() -> Result<Self, KeyError> {
        let pair = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING)
            .map_err(|_| KeyError::NotMade)?;
        // SEC 1, 2.3.3: 04, then 32 bytes of x, then 32 bytes of y.
        let point = pair.public_key().as_ref();
        if point.len() != 65 {
            return Err(KeyError::NotMade);
        }
        let public = PublicKey { point: point.to_vec() };
        Ok(Self { pair, public })
    }

    /// The public half.
    pub(super) fn public_key(&self) -> &PublicKey {
        &self.public
    }

    /// The members that make up the public key and its thumbprint (RFC 7638, 3.2).
    pub(super) fn public_jwk_members(&self) -> Value {
        let (x, y) = self.public.point[1..].split_at(32);
        json!({ "crv": "P-256", "kty": "EC", "x": base64url(x), "y": base64url(y) })
    }
}

/// An uncompressed point on P-256.
pub(crate) struct PublicKey {
    point: Vec<u8>,
}

impl Algorithm for Es256 {
    type SigningKey = KeyPair;
    type VerifyingKey = PublicKey;
    type Signature = Signature;

    fn name(&self) -> Cow<'static, str> {
        Cow::Borrowed("ES256")
    }

    fn sign(&self, key: &KeyPair, message: &[u8]) -> Signature {
        let signed = key.pair.sign(&SystemRandom::new(), message);
        Signature(signed.map(|bytes| bytes.as_ref().to_vec()).unwrap_or_default())
    }

    fn verify_signature(&self, signature: &Signature, key: &PublicKey, message: &[u8]) -> bool {
        UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, &key.point)
            .verify(message, &signature.0)
            .is_ok()
    }
}

/// r and s, 32 bytes each (RFC 7518, 3.4).
pub(crate) struct Signature(Vec<u8>);

impl AlgorithmSignature for Signature {
    const LENGTH: Option<NonZeroUsize> = NonZeroUsize::new(64);

    fn try_from_slice(slice: &[u8]) -> anyhow::Result<Self> {
        Ok(Self(slice.to_vec()))
    }

    fn as_bytes(&self) -> Cow<'_, [u8]> {
        Cow::Borrowed(&self.0)
    }
}
