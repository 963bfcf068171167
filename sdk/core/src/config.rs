//! What the application says about itself and its provider.

use crate::{
    address,
    error::{Code, Error, Result},
    jws,
    text::Text,
    time::Seconds,
    wire::{
        OnLoad,
        macros::{record, words},
    },
};
use alloc::vec::Vec;

record! {
    /// What the application says about itself and its provider. A face fills in what the page knows.
    pub struct Config (Read) {
        /// The issuer, exactly as its discovery document writes it.
        issuer: Text = "issuer",
        /// The client id.
        client_id: Text = "client_id",
        /// The registered redirect URI.
        redirect_uri: Text = "redirect_uri",
        /// The registered post-logout redirect URI.
        post_logout_redirect_uri: Text = "post_logout_redirect_uri",
        /// The registered redirect URI of frames and windows, where `gatepass-silent.html` lies. If
        /// absent, it is the origin and that name for frames, and `redirect_uri` for windows.
        silent_redirect_uri: Option<Text> = "silent_redirect_uri",
        /// The page's own origin.
        origin: Text = "origin",
        /// The scopes asked for; `openid profile email` if absent.
        scope: Option<Text> = "scope",
        /// Origins besides the page's own that may get the access token.
        token_origins: Option<Vec<Text>> = "token_origins",
        /// Where the session is kept over a reload; `memory` if absent.
        storage: Option<StorageKind> = "storage",
        /// Where the app's own server says that a session is over (docs/relay.md), for a provider
        /// that offers no session events.
        session_events_endpoint: Option<Text> = "session_events_endpoint",
        /// Seconds after which this app's session ends by itself, counted from the sign-in or from the
        /// last time that it was extended.
        session_lifetime: Option<i64> = "session_lifetime",
        /// The algorithms that the client is registered for (`id_token_signed_response_alg`),
        /// separated by spaces; if absent all that there are: RS, PS and ES of 256, 384 and 512,
        /// EdDSA, and Ed25519, which is its name in full.
        id_token_signed_response_alg: Option<Text> = "id_token_signed_response_alg",
        /// How many seconds the clocks may differ when a token's times are checked, 0 to 300; 60 if
        /// absent.
        clock_skew: Option<i64> = "clock_skew",
        /// Allow addresses of plain http beyond this machine: whoever is between may read and change
        /// everything.
        dangerously_allow_http: Option<bool> = "dangerously_allow_http",
        /// Follow the provider's clock however far it is from this machine's: for demos and tests
        /// whose provider has a clock that can be set. A wrong clock is no longer noticed.
        dangerously_follow_provider_clock: Option<bool> = "dangerously_follow_provider_clock",
    }
}

words! {
    /// Where a session is kept (docs/adr/0010).
    pub enum StorageKind (Read) {
        /// Nowhere: a page that is loaded anew asks the other tabs, then the provider.
        Memory = "memory",
        /// In the tab (`sessionStorage`), encrypted.
        Session = "session",
        /// In the browser (`localStorage`), encrypted, also over a restart.
        Local = "local",
    }
}

impl Config {
    /// Whether a client can be made of it.
    ///
    /// # Errors
    /// `config_invalid`, whose evidence names the option.
    pub(crate) fn verify(&self) -> Result<()> {
        let refuse = |subject, expected, found: &str| {
            Err(Error::new(Code::ConfigInvalid, subject, expected, found))
        };
        // Plain http beyond this machine would let anybody on the way answer for the provider.
        const HTTPS: &str = "an https address (or dangerouslyAllowHttp)";
        // OIDC Discovery 3: no query, no fragment.
        if !self.may_use(&self.issuer)
            || self.issuer.bytes().any(|byte| matches!(byte, b'?' | b'#'))
        {
            return refuse("issuer", HTTPS, &self.issuer);
        }
        if self.client_id.is_empty() {
            return refuse("clientId", "a client id", "");
        }
        if !self.may_use(&self.redirect_uri) {
            return refuse("redirectUri", HTTPS, &self.redirect_uri);
        }
        // The silent page tells the page around its frame, and that hears its own origin only.
        if let Some(uri) = &self.silent_redirect_uri
            && !uri.strip_prefix(&*self.origin).is_some_and(|rest| rest.starts_with('/'))
        {
            return refuse("silentRedirectUri", "an address of the page's own origin", uri);
        }
        if !self.may_use(&self.post_logout_redirect_uri) {
            let found = &self.post_logout_redirect_uri;
            return refuse("postLogoutRedirectUri", HTTPS, found);
        }
        // OIDC Core 3.1.2.1: without `openid` it is not an OpenID request.
        if let Some(scope) = &self.scope
            && !address::has_word(scope, "openid")
        {
            return refuse("scope", "openid among the words", scope);
        }
        // RFC 6750, 5.3: a token is never sent where anybody on the way could read it.
        let origins = self.token_origins.as_deref().unwrap_or_default();
        if let Some(origin) = origins.iter().find(|origin| !self.may_use(origin)) {
            return refuse("tokenOrigins", HTTPS, origin);
        }
        // It is sent the token too.
        if let Some(url) = &self.session_events_endpoint
            && !self.may_use(url)
        {
            return refuse("sessionEventsEndpoint", HTTPS, url);
        }
        // OIDC Registration 2; HMAC and `none` are among those that there are not.
        if !jws::are_algorithms(self.algorithms()) {
            return refuse("idTokenSignedResponseAlg", jws::ALL, self.algorithms());
        }
        if !(0..=LARGEST_SKEW).contains(&self.skew().0) {
            return refuse("clockSkew", "0 to 300 seconds", "another number");
        }
        if self.session_lifetime.is_some_and(|seconds| seconds <= 0) {
            return refuse("sessionLifetime", "seconds above zero", "less");
        }
        Ok(())
    }

    /// What all tabs of this origin, issuer and client share: the name of lock and channel.
    pub(crate) fn shared_name(&self) -> Text {
        Text::concat(&["gatepass:1:", &self.issuer, "#", &self.client_id])
    }

    /// Whether an address may be asked or gone to. `javascript:` and its like would be code.
    pub(crate) fn may_use(&self, url: &str) -> bool {
        url.starts_with("https://")
            || url.strip_prefix("http://").is_some_and(|rest| {
                self.dangerously_allow_http == Some(true) || address::is_on_this_machine(rest)
            })
    }

    /// The names of the algorithms that a token may be signed with.
    pub(crate) fn algorithms(&self) -> &str {
        self.id_token_signed_response_alg.as_deref().unwrap_or(jws::ALL)
    }

    /// How far clocks may differ when a time is checked.
    pub(crate) fn skew(&self) -> Seconds {
        Seconds(self.clock_skew.unwrap_or(60))
    }
}

/// The most that [`Config::clock_skew`] may be, in seconds.
const LARGEST_SKEW: i64 = 300;

/// What [`OnLoad`] is when the application does not say.
pub const DEFAULT_ON_LOAD: OnLoad = OnLoad::Hint;
