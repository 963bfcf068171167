//! The provider's signing keys: ES256 at once, RS256 from threads of its own, if anybody wants it.
//!
//! An RSA key takes up to some 200 ms to make, a P-256 key well under one. So that start is not
//! delayed, the RSA key is made in the background, by threads that race, and only once it is known
//! that something will be signed with it; what then needs it (JWKS, an ID token of a client with
//! RS256) waits for it. See docs/adr/0001-signing-keys.md.

mod es256;
mod rs256;

use std::fmt;

use jwt_compact::{Algorithm, AlgorithmExt, AlgorithmSignature, Claims, Header, UntrustedToken};
use serde::Serialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use tokio::sync::watch;

use crate::secret::{Digest, base64url};

pub(crate) use es256::Es256;
pub(crate) use rs256::{KeyPair as RsaKeyPair, Rs256};

/// A signature algorithm of ours, by its JOSE name (RFC 7518, 3.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum SigningAlg {
    /// RSASSA-PKCS1-v1_5 with SHA-256, the default of OIDC Core.
    Rs256,
    /// ECDSA on P-256 with SHA-256.
    Es256,
}

impl SigningAlg {
    /// All of them, in the order of discovery.
    pub const ALL: [Self; 2] = [Self::Rs256, Self::Es256];

    /// The name in `alg`.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Rs256 => "RS256",
            Self::Es256 => "ES256",
        }
    }
}

/// When the RSA key is made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Rsa {
    /// At once: a client's tokens will be signed with it.
    AtOnce,
    /// When it is needed: there are hundreds of scenarios, and some are never signed in at.
    WhenAsked,
    /// Nothing is signed with it, so that nobody has to be told of one; made all the same if
    /// something is.
    Unused,
}

/// Both key pairs with their key ids.
pub(crate) struct Keys {
    es256: es256::KeyPair,
    es256_kid: String,
    rs256: watch::Sender<RsaSlot>,
    rsa: Rsa,
}

impl Keys {
    /// Makes the ES256 pair, and the RS256 pair when `rsa` says.
    ///
    /// # Errors
    /// When the machine gives no randomness or no thread.
    pub(crate) fn generate(rsa: Rsa) -> Result<Self, KeyError> {
        let es256 = es256::KeyPair::generate()?;
        let es256_kid = thumbprint(&es256.public_jwk_members());
        let keys = Self { es256, es256_kid, rs256: watch::Sender::new(RsaSlot::Absent), rsa };
        if rsa == Rsa::AtOnce {
            // Finding primes is luck: of two that search, the first one takes little more than half
            // of the time of one alone, of four less still. What the slower ones find is dropped.
            let processors = std::thread::available_parallelism();
            keys.begin_rsa_key(processors.map_or(1, |found| found.get().min(4)))?;
        }
        Ok(keys)
    }

    /// Begins making the RSA key, unless that was done before.
    fn begin_rsa_key(&self, searchers: usize) -> Result<(), KeyError> {
        let begins = self.rs256.send_if_modified(|slot| {
            let is_absent = matches!(slot, RsaSlot::Absent);
            if is_absent {
                *slot = RsaSlot::Waiting;
            }
            is_absent
        });
        for _ in 0..if begins { searchers } else { 0 } {
            let slot = self.rs256.clone();
            let spawned = std::thread::Builder::new()
                .name("rsa-key".to_owned())
                .spawn(move || make_rsa_key(&slot));
            if spawned.is_err() {
                // Those who wait are told, unless another thread finds one all the same.
                offer(&self.rs256, RsaSlot::Failed);
                return Err(KeyError::NotMade);
            }
        }
        Ok(())
    }

    /// The public keys (RFC 7517). Waits for the RSA key if anything is to be signed with it: a token
    /// may follow at once. Holds no private member.
    ///
    /// # Errors
    /// When the RSA key could not be made.
    pub(crate) async fn jwks(&self) -> Result<Value, KeyError> {
        let es256 = published(&self.es256.public_jwk_members(), &self.es256_kid, SigningAlg::Es256);
        if self.rsa == Rsa::Unused && matches!(&*self.rs256.borrow(), RsaSlot::Absent) {
            return Ok(json!({ "keys": [es256] }));
        }
        let rs256 = self.rs256().await?;
        let rs256 = published(&rs256.0.public_jwk_members(), &rs256.1, SigningAlg::Rs256);
        Ok(json!({ "keys": [rs256, es256] }))
    }

    /// Signs `claims` as a compact JWT of type `typ`.
    ///
    /// # Errors
    /// When the key is missing or the signature fails.
    pub(crate) async fn sign<T: Serialize>(
        &self,
        alg: SigningAlg,
        typ: &str,
        claims: T,
    ) -> Result<String, KeyError> {
        let claims = Claims::new(claims);
        let header = Header::empty().with_token_type(typ);
        let token = match alg {
            SigningAlg::Es256 => {
                Es256.token(&header.with_key_id(&*self.es256_kid), &claims, &self.es256)
            }
            SigningAlg::Rs256 => {
                let pair = self.rs256().await?;
                Rs256.token(&header.with_key_id(&*pair.1), &claims, &pair.0)
            }
        };
        match token {
            // jwt-compact's trait has no failing `sign`: ours answers an empty signature then.
            Ok(token) if !token.ends_with('.') => Ok(token),
            Ok(_) | Err(_) => Err(KeyError::NotSigned),
        }
    }

    /// The id of the key for an algorithm.
    ///
    /// # Errors
    /// When the key could not be made.
    pub(crate) async fn kid(&self, alg: SigningAlg) -> Result<String, KeyError> {
        match alg {
            SigningAlg::Es256 => Ok(self.es256_kid.clone()),
            SigningAlg::Rs256 => Ok(self.rs256().await?.1.clone()),
        }
    }

    /// Signs bytes as they are: what a scenario wants signed is not always a token.
    ///
    /// # Errors
    /// When the key is missing or the signature fails.
    pub(crate) async fn sign_input(
        &self,
        alg: SigningAlg,
        input: &[u8],
    ) -> Result<Vec<u8>, KeyError> {
        let signature = match alg {
            SigningAlg::Es256 => Es256.sign(&self.es256, input).as_bytes().into_owned(),
            SigningAlg::Rs256 => Rs256.sign(&self.rs256().await?.0, input).as_bytes().into_owned(),
        };
        if signature.is_empty() { Err(KeyError::NotSigned) } else { Ok(signature) }
    }

    /// Signs with the RSA key, but with SHA-512, for which it is not published.
    ///
    /// # Errors
    /// As [`Keys::sign_input`].
    pub(crate) async fn sign_rs512(&self, input: &[u8]) -> Result<Vec<u8>, KeyError> {
        self.rs256().await?.0.sign_with(&aws_lc_rs::signature::RSA_PKCS1_SHA512, input)
    }

    /// The public RSA key as PEM: what some libraries take for a secret, if a token tells them to.
    ///
    /// # Errors
    /// When the key could not be made.
    pub(crate) async fn public_pem(&self) -> Result<String, KeyError> {
        self.rs256().await?.0.public_pem()
    }

    /// The claims of a token that one of our keys signed, whatever its kind and age.
    /// `None` for anything else: foreign keys, `alg` none, changed bytes, other types.
    pub(crate) fn verify<T: DeserializeOwned + Clone>(
        &self,
        token: &str,
        typ: &str,
    ) -> Option<Claims<T>> {
        let token = UntrustedToken::new(token).ok()?;
        // RFC 8725, 3.11: the type keeps one kind of token from being taken for another.
        if token.header().token_type.as_deref() != Some(typ) {
            return None;
        }
        let kid = token.header().key_id.as_deref();
        if kid == Some(&self.es256_kid) {
            return checked(&Es256, self.es256.public_key(), &token);
        }
        match &*self.rs256.borrow() {
            RsaSlot::Ready(pair) if kid == Some(&pair.1) => {
                checked(&Rs256, pair.0.public_key(), &token)
            }
            RsaSlot::Ready(_) | RsaSlot::Absent | RsaSlot::Waiting | RsaSlot::Failed => None,
        }
    }

    async fn rs256(&self) -> Result<std::sync::Arc<(rs256::KeyPair, String)>, KeyError> {
        self.begin_rsa_key(1)?;
        let mut slot = self.rs256.subscribe();
        let slot = slot
            .wait_for(|slot| !matches!(slot, RsaSlot::Waiting))
            .await
            .map_err(|_| KeyError::NotMade)?;
        match &*slot {
            RsaSlot::Ready(pair) => Ok(pair.clone()),
            RsaSlot::Absent | RsaSlot::Waiting | RsaSlot::Failed => Err(KeyError::NotMade),
        }
    }
}

fn checked<A: Algorithm, T: DeserializeOwned + Clone>(
    algorithm: &A,
    key: &A::VerifyingKey,
    token: &UntrustedToken<'_>,
) -> Option<Claims<T>> {
    let token = algorithm.validator::<T>(key).validate(token).ok()?;
    Some(token.claims().clone())
}

/// Makes an RSA key and puts it into the slot, unless another one is there by then.
fn make_rsa_key(slot: &watch::Sender<RsaSlot>) {
    let made = match rs256::KeyPair::generate() {
        Ok(pair) => {
            let kid = thumbprint(&pair.public_jwk_members());
            RsaSlot::Ready(std::sync::Arc::new((pair, kid)))
        }
        Err(_) => RsaSlot::Failed,
    };
    offer(slot, made);
}

fn offer(slot: &watch::Sender<RsaSlot>, made: RsaSlot) {
    slot.send_if_modified(|found| {
        // Once a key is there it stays: it may have been published already. A failure is final
        // only as long as nobody else succeeds.
        let is_better = match (&*found, &made) {
            (RsaSlot::Ready(_), _) | (_, RsaSlot::Absent | RsaSlot::Waiting) => false,
            (_, RsaSlot::Ready(_) | RsaSlot::Failed) => true,
        };
        if is_better {
            *found = made;
        }
        is_better
    });
}

enum RsaSlot {
    /// Nobody has asked for one.
    Absent,
    Waiting,
    Ready(std::sync::Arc<(rs256::KeyPair, String)>),
    Failed,
}

/// What can go wrong with keys. Neither depends on the request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyError {
    /// No key could be made.
    NotMade,
    /// The key did not sign.
    NotSigned,
}

impl fmt::Display for KeyError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NotMade => "a signing key could not be made",
            Self::NotSigned => "a token could not be signed",
        })
    }
}

impl std::error::Error for KeyError {}

fn published(members: &Value, kid: &str, alg: SigningAlg) -> Value {
    let mut jwk = members.clone();
    jwk["kid"] = json!(kid);
    jwk["use"] = json!("sig");
    jwk["alg"] = json!(alg.name());
    jwk
}

/// RFC 7638: SHA-256 over the required members in lexicographic order, without white space.
fn thumbprint(members: &Value) -> String {
    // serde_json keeps objects sorted by key unless asked otherwise; `BTreeMap` makes it certain.
    let sorted: std::collections::BTreeMap<&String, &Value> =
        members.as_object().into_iter().flatten().collect();
    let text = serde_json::to_string(&sorted).unwrap_or_default();
    base64url(Digest::of(text.as_bytes()).bytes())
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde::Deserialize;

    #[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
    struct Said {
        word: String,
    }

    fn said() -> Said {
        Said { word: "hello".to_owned() }
    }

    #[tokio::test]
    async fn op25_signs_and_verifies_with_both_algorithms() {
        let keys = Keys::generate(Rsa::WhenAsked).unwrap();
        for alg in SigningAlg::ALL {
            let token = keys.sign(alg, "JWT", said()).await.unwrap();
            assert_eq!(keys.verify::<Said>(&token, "JWT").unwrap().custom, said());
            assert!(keys.verify::<Said>(&token, "at+jwt").is_none());
        }
    }

    #[tokio::test]
    async fn op12_refuses_every_flipped_bit() {
        let keys = Keys::generate(Rsa::WhenAsked).unwrap();
        for alg in SigningAlg::ALL {
            let token = keys.sign(alg, "JWT", said()).await.unwrap();
            for at in 0..token.len() {
                let mut bytes = token.clone().into_bytes();
                // Another letter of the same alphabet; the last one may carry unused bits only.
                bytes[at] = if bytes[at] == b'A' { b'B' } else { b'A' };
                let changed = String::from_utf8(bytes).unwrap();
                if changed != token {
                    assert!(keys.verify::<Said>(&changed, "JWT").is_none(), "byte {at}");
                }
            }
        }
    }

    #[tokio::test]
    async fn op12_refuses_alg_none_and_foreign_keys() {
        let keys = Keys::generate(Rsa::WhenAsked).unwrap();
        let foreign = Keys::generate(Rsa::WhenAsked).unwrap();
        let token = keys.sign(SigningAlg::Es256, "JWT", said()).await.unwrap();
        assert!(foreign.verify::<Said>(&token, "JWT").is_none());
        let body = token.split('.').nth(1).unwrap();
        let header = base64url(
            json!({"alg": "none", "typ": "JWT", "kid": keys.es256_kid}).to_string().as_bytes(),
        );
        assert!(keys.verify::<Said>(&format!("{header}.{body}."), "JWT").is_none());
        let header = base64url(
            json!({"alg": "RS256", "typ": "JWT", "kid": keys.es256_kid}).to_string().as_bytes(),
        );
        let signature = token.split('.').nth(2).unwrap();
        assert!(keys.verify::<Said>(&format!("{header}.{body}.{signature}"), "JWT").is_none());
    }

    #[tokio::test]
    async fn op25_jwks_has_public_members_only() {
        let keys = Keys::generate(Rsa::Unused).unwrap();
        let jwks = keys.jwks().await.unwrap();
        assert_eq!(jwks["keys"].as_array().unwrap().len(), 1, "nobody uses RS256");
        keys.sign(SigningAlg::Rs256, "JWT", said()).await.unwrap();
        let jwks = keys.jwks().await.unwrap();
        let keys = jwks["keys"].as_array().unwrap();
        assert_eq!(keys.len(), 2);
        for key in keys {
            for private in ["d", "p", "q", "dp", "dq", "qi", "oth", "k"] {
                assert!(key.get(private).is_none(), "{private}");
            }
            assert_eq!(key["use"], "sig");
        }
        assert_ne!(keys[0]["kid"], keys[1]["kid"]);
    }

    /// The example of RFC 7638, 3.1.
    #[test]
    fn thumbprint_is_that_of_rfc_7638() {
        let members = json!({
            "kty": "RSA",
            "n": "0vx7agoebGcQSuuPiLJXZptN9nndrQmbXEps2aiAFbWhM78LhWx4cbbfAAtVT86zwu1RK7aPFFxuhDR1L6tSoc_BJECPebWKRXjBZCiFV4n3oknjhMstn64tZ_2W-5JsGY4Hc5n9yBXArwl93lqt7_RN5w6Cf0h4QyQ5v-65YGjQR0_FDW2QvzqY368QQMicAtaSqzs8KJZgnYb9c7d0zgdAZHzu6qMQvRL5hajrn1n91CbOpbISD08qNLyrdkt-bFTWhAI4vMQFh6WeZu0fM4lFd2NcRwr3XPksINHaQ-G_xBniIqbw0Ls1jF44-csFCur-kEgU8awapJzKnqDKgw",
            "e": "AQAB",
        });
        assert_eq!(thumbprint(&members), "NzbLsXh8uDCcd-6MNwXF4W_7noWXFZAfHkxZsRGC9Xs");
    }
}
