//! The provider: what all endpoints share.

use std::fmt;
use std::sync::{Arc, OnceLock};

use axum::Router;
use axum::body::Bytes;

use crate::back_channel::BackChannel;
use crate::clock::Clock;
use crate::config::Config;
use crate::http::CookieNames;
use crate::keys::{KeyError, Keys, Rsa, SigningAlg};
use crate::passwords::Passwords;
use crate::people::People;
use crate::scenario::Scenarios;
use crate::secret::{RandomnessUnavailable, Secret};
use crate::store::Store;
use crate::streams::Streams;
use crate::timeline::Timeline;
use crate::tokens::RefreshTokens;
use crate::{control, endpoints, session};

/// One running provider. Clones are the same provider.
pub struct Provider {
    pub(crate) config: Config,
    pub(crate) clock: Clock,
    pub(crate) store: Arc<dyn Store>,
    pub(crate) keys: Keys,
    pub(crate) refresh_tokens: RefreshTokens,
    pub(crate) passwords: Passwords,
    pub(crate) people: Arc<People>,
    pub(crate) back_channel: BackChannel,
    pub(crate) streams: Streams,
    pub(crate) timeline: Timeline,
    pub(crate) cookies: CookieNames,
    /// What it lies about, when it is asked to.
    pub(crate) scenarios: Scenarios,
    /// Binds form tokens to a browser's pre-session cookie.
    pub(crate) form_key: Secret,
    /// What discovery answers, once somebody has asked.
    pub(crate) metadata: OnceLock<Bytes>,
}

/// How handlers hold the provider.
pub(crate) type Shared = Arc<Provider>;

impl Provider {
    /// Makes keys and begins to watch sessions expire; `logs` writes each step to stderr.
    ///
    /// Must be called inside a tokio runtime.
    ///
    /// # Errors
    /// [`StartError`] when keys cannot be made.
    pub fn start(
        config: Config,
        clock: Clock,
        store: Arc<dyn Store>,
        logs: bool,
    ) -> Result<Arc<Self>, StartError> {
        let timeline = Timeline::new(clock.clone(), logs);
        let people = Arc::new(People::of(&config));
        let scenarios = Scenarios::switched(config.scenarios.clone());
        let is_used = config.signs_with(SigningAlg::Rs256);
        let keys = Keys::generate(if is_used { Rsa::AtOnce } else { Rsa::Unused })?;
        Self::start_with(config, Parts { clock, store, timeline, scenarios, keys, people })
    }

    /// The same with parts that the caller has made.
    pub(crate) fn start_with(config: Config, parts: Parts) -> Result<Arc<Self>, StartError> {
        let Parts { clock, store, timeline, scenarios, keys, people } = parts;
        let provider = Arc::new(Self {
            cookies: CookieNames::of_issuer(config.issuer()),
            timeline,
            scenarios,
            keys,
            refresh_tokens: RefreshTokens::generate()?,
            passwords: Passwords::of(&config),
            people,
            back_channel: BackChannel::new(),
            streams: Streams::new(config.limits.streams),
            form_key: Secret::random()?,
            metadata: OnceLock::new(),
            config,
            clock,
            store,
        });
        tokio::spawn(session::watch_expiry(Arc::downgrade(&provider), provider.clock.changes()));
        Ok(provider)
    }

    /// The pages and endpoints that browsers and apps see.
    pub fn router(self: &Arc<Self>) -> Router {
        endpoints::router(self.clone())
    }

    /// The control API, for whoever holds `token`. To be served on loopback only.
    pub fn control_router(self: &Arc<Self>, token: Secret) -> Router {
        control::router(self.clone(), token)
    }
}

/// What a provider is made of, besides its configuration.
pub(crate) struct Parts {
    pub(crate) clock: Clock,
    pub(crate) store: Arc<dyn Store>,
    pub(crate) timeline: Timeline,
    pub(crate) scenarios: Scenarios,
    pub(crate) keys: Keys,
    pub(crate) people: Arc<People>,
}

impl fmt::Debug for Provider {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Provider").field("issuer", &self.config.issuer()).finish_non_exhaustive()
    }
}

/// Why a provider could not start.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StartError {
    /// `key_not_made`
    Key(KeyError),
    /// `randomness_unavailable`
    Randomness(RandomnessUnavailable),
}

impl fmt::Display for StartError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Key(error) => error.fmt(f),
            Self::Randomness(error) => error.fmt(f),
        }
    }
}

impl std::error::Error for StartError {}

impl From<KeyError> for StartError {
    fn from(error: KeyError) -> Self {
        Self::Key(error)
    }
}

impl From<RandomnessUnavailable> for StartError {
    fn from(error: RandomnessUnavailable) -> Self {
        Self::Randomness(error)
    }
}
