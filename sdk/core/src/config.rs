//! What the application says about itself and its provider.

use crate::{
    text::Text,
    wire::{OnLoad, macros::record},
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
        /// The registered redirect URI of frames, where `gatepass-silent.html` lies; the origin and
        /// that name if absent.
        silent_redirect_uri: Option<Text> = "silent_redirect_uri",
        /// The page's own origin.
        origin: Text = "origin",
        /// The scopes asked for; `openid profile email` if absent.
        scope: Option<Text> = "scope",
        /// Origins besides the page's own that may get the access token.
        token_origins: Option<Vec<Text>> = "token_origins",
        /// Seconds after which this app's session ends by itself.
        session_lifetime: Option<i64> = "session_lifetime",
        /// Follow the provider's clock however far it is from this machine's: for demos and tests
        /// whose provider has a clock that can be set. A wrong clock is no longer noticed.
        dangerously_follow_provider_clock: Option<bool> = "dangerously_follow_provider_clock",
    }
}

impl Config {
    /// What all tabs of this origin, issuer and client share: the name of lock and channel.
    pub(crate) fn shared_name(&self) -> Text {
        Text::concat(&["gatepass:1:", &self.issuer, "#", &self.client_id])
    }
}

/// What [`OnLoad`] is when the application does not say.
pub const DEFAULT_ON_LOAD: OnLoad = OnLoad::Hint;
