//! ECDSA over the curves P-384 and P-521 (RFC 7518, 3.4), which `jwt-compact` lacks: the curves are
//! crates of the same makers as its P-256, and joined as its `Algorithm`.

use std::{borrow::Cow, convert::Infallible, num::NonZeroUsize};

use jwt_compact::{Algorithm, AlgorithmSignature, jwk::JsonWebKey};

/// Defines one algorithm: its name, its crate, its curve and the length of a coordinate.
macro_rules! algorithm {
    ($doc:literal $name:ident $jose:literal $backend:ident $curve:literal $length:literal) => {
        #[doc = $doc]
        pub(crate) struct $name;

        pub(crate) mod $backend {
            /// The public key, on the curve for sure.
            pub(crate) struct Key(pub(super) ::$backend::ecdsa::VerifyingKey);
            /// r and s, both within the order of the curve.
            pub(crate) struct Signature(pub(super) ::$backend::ecdsa::Signature);
        }

        impl Algorithm for $name {
            /// Nothing is signed here.
            type SigningKey = Infallible;
            type VerifyingKey = $backend::Key;
            type Signature = $backend::Signature;

            fn name(&self) -> Cow<'static, str> {
                $jose.into()
            }

            fn sign(&self, key: &Infallible, _: &[u8]) -> Self::Signature {
                match *key {}
            }

            fn verify_signature(
                &self,
                signature: &Self::Signature,
                key: &Self::VerifyingKey,
                input: &[u8],
            ) -> bool {
                use ::$backend::ecdsa::signature::Verifier as _;
                key.0.verify(input, &signature.0).is_ok()
            }
        }

        impl AlgorithmSignature for $backend::Signature {
            const LENGTH: Option<NonZeroUsize> = NonZeroUsize::new(2 * $length);

            fn try_from_slice(bytes: &[u8]) -> anyhow::Result<Self> {
                let signature = ::$backend::ecdsa::Signature::from_slice(bytes);
                signature.map(Self).map_err(anyhow::Error::msg)
            }

            fn as_bytes(&self) -> Cow<'_, [u8]> {
                self.0.to_bytes().to_vec().into()
            }
        }

        impl TryFrom<&JsonWebKey<'_>> for $backend::Key {
            type Error = ();

            fn try_from(key: &JsonWebKey<'_>) -> Result<Self, ()> {
                match key {
                    JsonWebKey::EllipticCurve { curve, x, y, .. }
                        if curve == $curve && x.len() == $length && y.len() == $length =>
                    {
                        // An uncompressed point (SEC 1, 2.3.3).
                        let point = [&[4], x.as_ref(), y.as_ref()].concat();
                        let key = ::$backend::ecdsa::VerifyingKey::from_sec1_bytes(&point);
                        key.map(Self).map_err(|_| ())
                    }
                    _ => Err(()),
                }
            }
        }
    };
}

algorithm!("ECDSA over P-384 with SHA-384." Es384 "ES384" p384 "P-384" 48);
algorithm!("ECDSA over P-521 with SHA-512." Es512 "ES512" p521 "P-521" 66);
