//! What the application says about itself and its provider.

use crate::wire::{OnLoad, macros::record};
use alloc::{string::String, vec::Vec};

record! {
    /// What the application says about itself and its provider. A face fills in what the page knows.
    pub struct Config (Read) {
        /// The issuer, exactly as its discovery document writes it.
        issuer: String = "issuer",
        /// The client id.
        client_id: String = "client_id",
        /// The registered redirect URI.
        redirect_uri: String = "redirect_uri",
        /// The registered post-logout redirect URI.
        post_logout_redirect_uri: String = "post_logout_redirect_uri",
        /// The page's own origin.
        origin: String = "origin",
        /// The scopes asked for; `openid profile email` if absent.
        scope: Option<String> = "scope",
        /// Origins besides the page's own that may get the access token.
        token_origins: Option<Vec<String>> = "token_origins",
        /// Seconds after which this app's session ends by itself.
        session_lifetime: Option<i64> = "session_lifetime",
        /// Follow the provider's clock however far it is from this machine's: for demos and tests
        /// whose provider has a clock that can be set. A wrong clock is no longer noticed.
        dangerously_follow_provider_clock: Option<bool> = "dangerously_follow_provider_clock",
    }
}

impl Config {
    /// What all tabs of this origin, issuer and client share: the name of lock and channel.
    pub(crate) fn shared_name(&self) -> String {
        let mut name = String::from("gatepass:1:");
        name.push_str(&self.issuer);
        name.push('#');
        name.push_str(&self.client_id);
        name
    }
}

/// What [`OnLoad`] is when the application does not say.
pub const DEFAULT_ON_LOAD: OnLoad = OnLoad::Hint;
