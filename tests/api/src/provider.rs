//! The provider, as discovery describes it: its keys, and what it says about a token.

use anyhow::{Context, Result};
use jsonwebtoken::Header;
use jsonwebtoken::jwk::{Jwk, JwkSet, KeyAlgorithm};
use serde::Deserialize;
use std::str::FromStr;
use std::time::{Duration, Instant};
use tokio::sync::Mutex;
use url::Url;

use crate::http::Http;
use crate::refusal::Refusal;

/// One provider.
pub(crate) struct Provider {
    issuer: String,
    id: String,
    secret: String,
    http: Http,
    kept: Mutex<Kept>,
}

/// What was fetched before.
#[derive(Default)]
struct Kept {
    keys: Option<JwkSet>,
    /// When the keys were asked for last, answered or not.
    asked: Option<Instant>,
}

/// OIDC Discovery 1.0, 3; RFC 8414, 2.
#[derive(Deserialize)]
struct Metadata {
    issuer: String,
    jwks_uri: String,
    introspection_endpoint: String,
}

/// RFC 7662, 2.2.
#[derive(Deserialize)]
struct Introspection {
    active: bool,
}

impl Provider {
    /// A provider that nobody has asked anything yet: it may start later than this API.
    ///
    /// # Errors
    /// When the issuer is no address.
    pub(crate) fn new(issuer: String, id: String, secret: String, http: Http) -> Result<Self> {
        Url::parse(&issuer).context("--issuer is no address")?;
        Ok(Self { issuer, id, secret, http, kept: Mutex::default() })
    }

    /// Its name for itself.
    pub(crate) fn issuer(&self) -> &str {
        &self.issuer
    }

    /// The key that a token's header names. An unknown name makes the keys be fetched once more,
    /// because the provider may have changed them; so often only that a flood of made-up names
    /// does not become one at the provider.
    ///
    /// # Errors
    /// `Invalid` when there is no such key, `Unreachable` when the keys cannot be had.
    pub(crate) async fn key(&self, header: &Header) -> Result<Jwk, Refusal> {
        // Held while keys are fetched: of many requests one fetches, and the others wait for it.
        let mut kept = self.kept.lock().await;
        if let Some(key) = kept.keys.as_ref().and_then(|keys| find(keys, header)) {
            return Ok(key);
        }
        let is_due = kept.asked.is_none_or(|asked| asked.elapsed() >= FETCH_EVERY);
        if is_due || kept.keys.is_none() {
            kept.asked = Some(Instant::now());
            kept.keys = Some(self.fetch_keys().await.ok_or(Refusal::Unreachable)?);
        }
        kept.keys
            .as_ref()
            .and_then(|keys| find(keys, header))
            .ok_or(Refusal::Invalid("the provider has no such key"))
    }

    /// Does the token still count (RFC 7662)?
    ///
    /// # Errors
    /// `Unreachable` when the provider does not say.
    pub(crate) async fn is_active(&self, token: &str) -> Result<bool, Refusal> {
        let metadata = self.metadata().await.ok_or(Refusal::Unreachable)?;
        let form = [("token", token), ("token_type_hint", "access_token")];
        let asked =
            self.http.post(&metadata.introspection_endpoint, (&self.id, &self.secret), &form);
        let said: Introspection = asked.await.ok_or(Refusal::Unreachable)?;
        Ok(said.active)
    }

    async fn fetch_keys(&self) -> Option<JwkSet> {
        let metadata = self.metadata().await?;
        self.http.get(&metadata.jwks_uri).await
    }

    async fn metadata(&self) -> Option<Metadata> {
        let address = format!("{}/.well-known/openid-configuration", self.issuer);
        let metadata: Metadata = self.http.get(&address).await?;
        // Discovery 4.3: whoever says to be somebody else is somebody else.
        (metadata.issuer == self.issuer).then_some(metadata)
    }
}

/// The key of that name, for the algorithm that the header names.
fn find(keys: &JwkSet, header: &Header) -> Option<Jwk> {
    let key = keys.find(header.kid.as_deref()?)?;
    let named = KeyAlgorithm::from_str(&format!("{:?}", header.alg)).ok()?;
    (key.common.key_algorithm == Some(named)).then(|| key.clone())
}

const FETCH_EVERY: Duration = Duration::from_secs(1);
