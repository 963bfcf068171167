//! RS256: RSASSA-PKCS1-v1_5 with SHA-256 and a 2048-bit key, by aws-lc-rs behind jwt-compact's
//! `Algorithm`. Not by the `rsa` crate: RUSTSEC-2023-0071.

use std::borrow::Cow;
use std::num::NonZeroUsize;

use aws_lc_rs::encoding::{AsDer, PublicKeyX509Der};
use aws_lc_rs::rand::SystemRandom;
use aws_lc_rs::rsa::KeySize;
use aws_lc_rs::signature::{
    KeyPair as _, RSA_PKCS1_2048_8192_SHA256, RSA_PKCS1_SHA256, RsaEncoding, RsaKeyPair,
    UnparsedPublicKey,
};
use base64ct::{Base64, Encoding};
use jwt_compact::{Algorithm, AlgorithmSignature};
use serde_json::{Value, json};

use super::KeyError;
use crate::secret::base64url;

/// The algorithm as jwt-compact wants it.
pub(crate) struct Rs256;

/// An RSA key pair of 2048 bits; the private half never leaves aws-lc.
pub(crate) struct KeyPair {
    pair: RsaKeyPair,
    public: PublicKey,
}

impl KeyPair {
    /// Makes a new pair; takes 30 to 200 ms.
    ///
    /// # Errors
    /// When the machine gives no randomness.
    pub(crate) fn generate() -> Result<Self, KeyError> {
        let pair = RsaKeyPair::generate(KeySize::Rsa2048).map_err(|_| KeyError::NotMade)?;
        let public = PublicKey { der: pair.public_key().as_ref().to_vec() };
        Ok(Self { pair, public })
    }

    /// Signs with an encoding of the caller's choice.
    ///
    /// # Errors
    /// When the key does not sign.
    pub(crate) fn sign_with(
        &self,
        encoding: &'static dyn RsaEncoding,
        message: &[u8],
    ) -> Result<Vec<u8>, KeyError> {
        let mut bytes = vec![0; self.pair.public_modulus_len()];
        self.pair
            .sign(encoding, &SystemRandom::new(), message, &mut bytes)
            .map(|()| bytes)
            .map_err(|_| KeyError::NotSigned)
    }

    /// The public half as PEM (RFC 7468, 13), with line breaks as OpenSSL writes them.
    ///
    /// # Errors
    /// When it cannot be written.
    pub(crate) fn public_pem(&self) -> Result<String, KeyError> {
        let der: PublicKeyX509Der<'_> =
            self.pair.public_key().as_der().map_err(|_| KeyError::NotMade)?;
        let text = Base64::encode_string(der.as_ref());
        let lines: Vec<&str> = (0..text.len())
            .step_by(64)
            .filter_map(|at| text.get(at..text.len().min(at + 64)))
            .collect();
        let lines = lines.join("\n");
        Ok(format!("-----BEGIN PUBLIC KEY-----\n{lines}\n-----END PUBLIC KEY-----\n"))
    }

    /// The public half.
    pub(super) fn public_key(&self) -> &PublicKey {
        &self.public
    }

    /// The members that make up the public key and its thumbprint (RFC 7638, 3.2).
    pub(crate) fn public_jwk_members(&self) -> Value {
        let key = self.pair.public_key();
        json!({
            "e": base64url(key.exponent().big_endian_without_leading_zero()),
            "kty": "RSA",
            "n": base64url(key.modulus().big_endian_without_leading_zero()),
        })
    }
}

/// An RSA public key in PKCS #1 DER.
pub(crate) struct PublicKey {
    der: Vec<u8>,
}

impl Algorithm for Rs256 {
    type SigningKey = KeyPair;
    type VerifyingKey = PublicKey;
    type Signature = Signature;

    fn name(&self) -> Cow<'static, str> {
        Cow::Borrowed("RS256")
    }

    fn sign(&self, key: &KeyPair, message: &[u8]) -> Signature {
        let mut bytes = vec![0; key.pair.public_modulus_len()];
        let signed = key.pair.sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), message, &mut bytes);
        Signature(signed.map(|()| bytes).unwrap_or_default())
    }

    fn verify_signature(&self, signature: &Signature, key: &PublicKey, message: &[u8]) -> bool {
        UnparsedPublicKey::new(&RSA_PKCS1_2048_8192_SHA256, &key.der)
            .verify(message, &signature.0)
            .is_ok()
    }
}

/// As many bytes as the modulus has (RFC 8017, 8.2.1).
pub(crate) struct Signature(Vec<u8>);

impl AlgorithmSignature for Signature {
    const LENGTH: Option<NonZeroUsize> = NonZeroUsize::new(256);

    fn try_from_slice(slice: &[u8]) -> anyhow::Result<Self> {
        Ok(Self(slice.to_vec()))
    }

    fn as_bytes(&self) -> Cow<'_, [u8]> {
        Cow::Borrowed(&self.0)
    }
}
