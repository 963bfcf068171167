//! What an app says about itself and its provider.

use gatepass_core::{
    config::{Config, DEFAULT_ON_LOAD, StorageKind},
    wire::OnLoad,
};
use std::time::Duration;

/// What an app says about itself and its provider.
///
/// The defaults fit an app at the root of its origin: it is registered with its origin and `/` as
/// redirect URI and as post-logout redirect URI.
///
/// ```
/// use gatepass::{OnLoad, Options};
/// let options = Options::new("https://idp.example", "pied-piper")
///     .scope("openid profile email files")
///     .on_load(OnLoad::Auto)
///     .token_origins(["https://api.example"]);
/// ```
#[derive(Clone, Debug)]
#[must_use]
pub struct Options {
    issuer: String,
    client_id: String,
    redirect_uri: Option<String>,
    post_logout_redirect_uri: Option<String>,
    silent_redirect_uri: Option<String>,
    scope: Option<String>,
    on_load: OnLoad,
    token_origins: Option<Vec<String>>,
    storage: Option<StorageKind>,
    session_events_endpoint: Option<String>,
    session_lifetime: Option<Duration>,
    id_token_signed_response_alg: Option<String>,
    clock_skew: Option<Duration>,
    dangerously_allow_http: bool,
    dangerously_follow_provider_clock: bool,
}

impl Options {
    /// Everything by default for the client `client_id` of the provider `issuer`.
    ///
    /// The issuer is compared character by character with what the provider says of itself: scheme,
    /// case, port and trailing slash count (OIDC Discovery 4.3).
    pub fn new(issuer: impl Into<String>, client_id: impl Into<String>) -> Self {
        Self {
            issuer: issuer.into(),
            client_id: client_id.into(),
            redirect_uri: None,
            post_logout_redirect_uri: None,
            silent_redirect_uri: None,
            scope: None,
            on_load: DEFAULT_ON_LOAD,
            token_origins: None,
            storage: None,
            session_events_endpoint: None,
            session_lifetime: None,
            id_token_signed_response_alg: None,
            clock_skew: None,
            dangerously_allow_http: false,
            dangerously_follow_provider_clock: false,
        }
    }

    /// The registered redirect URI; the origin and `/` by default. It must be of this origin.
    pub fn redirect_uri(self, uri: impl Into<String>) -> Self {
        Self { redirect_uri: Some(uri.into()), ..self }
    }

    /// The registered post-logout redirect URI; the origin and `/` by default.
    pub fn post_logout_redirect_uri(self, uri: impl Into<String>) -> Self {
        Self { post_logout_redirect_uri: Some(uri.into()), ..self }
    }

    /// Where `gatepass-silent.html` lies, for [`OnLoad::Probe`]: a registered redirect URI of this
    /// origin; the origin and that name by default. Named, it also serves [`OnLoad::Auto`] and
    /// [`OnLoad::Hint`], which then need not leave the page where the provider is of the same site, and
    /// the window of a sign-in, which then need not begin the app.
    pub fn silent_redirect_uri(self, uri: impl Into<String>) -> Self {
        Self { silent_redirect_uri: Some(uri.into()), ..self }
    }

    /// The scopes asked for, separated by spaces; `openid profile email` by default.
    pub fn scope(self, scope: impl Into<String>) -> Self {
        Self { scope: Some(scope.into()), ..self }
    }

    /// What a page may do at its start when no other tab has a session; [`OnLoad::Hint`] by default.
    pub fn on_load(self, on_load: OnLoad) -> Self {
        Self { on_load, ..self }
    }

    /// Origins that [`Client::fetch`](crate::Client::fetch) may send the access token to, besides
    /// the page's own; none by default.
    pub fn token_origins(self, origins: impl IntoIterator<Item = impl Into<String>>) -> Self {
        Self { token_origins: Some(origins.into_iter().map(Into::into).collect()), ..self }
    }

    /// Where the session is kept over a reload, encrypted; [`StorageKind::Memory`], which is nowhere,
    /// by default. `docs/security.md` says what the encryption stops and what not.
    pub fn storage(self, kind: StorageKind) -> Self {
        Self { storage: Some(kind), ..self }
    }

    /// Where the app's own server tells that the session is over, for a provider that does
    /// back-channel logout and no session events (docs/relay.md). It is sent the access token.
    pub fn session_events_endpoint(self, url: impl Into<String>) -> Self {
        Self { session_events_endpoint: Some(url.into()), ..self }
    }

    /// How long after the sign-in, or after the last [`extend`](crate::Client::extend), this app's
    /// session ends by itself, in whole seconds; never by default.
    pub fn session_lifetime(self, lifetime: Duration) -> Self {
        Self { session_lifetime: Some(lifetime), ..self }
    }

    /// What the client is registered for (`id_token_signed_response_alg`), separated by spaces: ID
    /// tokens and logout tokens signed otherwise are refused. By default RS, PS and ES of 256, 384
    /// and 512, `EdDSA`, and its name in full, `Ed25519`; `none` and HMAC are never accepted.
    pub fn id_token_signed_response_alg(self, algorithms: impl Into<String>) -> Self {
        Self { id_token_signed_response_alg: Some(algorithms.into()), ..self }
    }

    /// How far the clocks may differ when a token's times are checked, in whole seconds from none to
    /// 300; 60 by default.
    pub fn clock_skew(self, skew: Duration) -> Self {
        Self { clock_skew: Some(skew), ..self }
    }

    /// Allows an app and a provider on plain http beyond `localhost`: for closed test networks.
    /// Whoever is between reads and changes everything.
    pub fn dangerously_allow_http(self) -> Self {
        Self { dangerously_allow_http: true, ..self }
    }

    /// Follows the provider's clock however far it is from this machine's: for demos and tests whose
    /// provider has a clock that can be set. A wrong clock is no longer noticed.
    pub fn dangerously_follow_provider_clock(self) -> Self {
        Self { dangerously_follow_provider_clock: true, ..self }
    }

    /// The machine's configuration on a page of `origin`, and what the page may do at its start.
    pub(crate) fn on(self, origin: String) -> (Config, OnLoad) {
        let home = || format!("{origin}/");
        let config = Config {
            issuer: self.issuer.into(),
            client_id: self.client_id.into(),
            redirect_uri: self.redirect_uri.unwrap_or_else(home).into(),
            post_logout_redirect_uri: self.post_logout_redirect_uri.unwrap_or_else(home).into(),
            silent_redirect_uri: self.silent_redirect_uri.map(Into::into),
            origin: origin.into(),
            scope: self.scope.map(Into::into),
            token_origins: self
                .token_origins
                .map(|origins| origins.into_iter().map(Into::into).collect()),
            storage: self.storage,
            session_events_endpoint: self.session_events_endpoint.map(Into::into),
            session_lifetime: self.session_lifetime.map(whole_seconds),
            id_token_signed_response_alg: self.id_token_signed_response_alg.map(Into::into),
            clock_skew: self.clock_skew.map(whole_seconds),
            dangerously_allow_http: self.dangerously_allow_http.then_some(true),
            dangerously_follow_provider_clock: self
                .dangerously_follow_provider_clock
                .then_some(true),
        };
        (config, self.on_load)
    }
}

/// Whole seconds, rounded down; a span longer than there are seconds is the longest.
pub(crate) fn whole_seconds(span: Duration) -> i64 {
    span.as_secs().try_into().unwrap_or(i64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn defaults_are_the_origin_and_its_root() {
        let (config, on_load) = Options::new("https://idp.example", "pied-piper")
            .on("https://pied-piper.example".to_owned());
        assert_eq!(on_load, OnLoad::Hint);
        assert_eq!(
            config,
            Config {
                issuer: "https://idp.example".into(),
                client_id: "pied-piper".into(),
                redirect_uri: "https://pied-piper.example/".into(),
                post_logout_redirect_uri: "https://pied-piper.example/".into(),
                origin: "https://pied-piper.example".into(),
                ..Config::default()
            }
        );
    }

    #[test]
    fn options_reach_the_machine() {
        let (config, on_load) = Options::new("i", "c")
            .redirect_uri("r")
            .post_logout_redirect_uri("p")
            .silent_redirect_uri("s")
            .scope("openid")
            .on_load(OnLoad::Manual)
            .token_origins(["https://api.example"])
            .storage(StorageKind::Session)
            .session_events_endpoint("e")
            .session_lifetime(Duration::from_millis(61_999))
            .id_token_signed_response_alg("RS256 ES256")
            .clock_skew(Duration::from_secs(30))
            .dangerously_allow_http()
            .dangerously_follow_provider_clock()
            .on("o".to_owned());
        assert_eq!(on_load, OnLoad::Manual);
        assert_eq!(
            config,
            Config {
                issuer: "i".into(),
                client_id: "c".into(),
                redirect_uri: "r".into(),
                post_logout_redirect_uri: "p".into(),
                silent_redirect_uri: Some("s".into()),
                origin: "o".into(),
                scope: Some("openid".into()),
                token_origins: Some(vec!["https://api.example".into()]),
                storage: Some(StorageKind::Session),
                session_events_endpoint: Some("e".into()),
                session_lifetime: Some(61),
                id_token_signed_response_alg: Some("RS256 ES256".into()),
                clock_skew: Some(30),
                dangerously_allow_http: Some(true),
                dangerously_follow_provider_clock: Some(true),
            }
        );
    }

    #[test]
    fn longest_lifetime_does_not_become_negative() {
        assert_eq!(whole_seconds(Duration::MAX), i64::MAX);
    }
}
