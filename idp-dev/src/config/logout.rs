//! What of the file is about signing out.

use toml::Spanned;
use url::Url;

use super::place::Place;
use super::shape::{File, FileClient, FileLogoutScope};
use super::{ConfigError, LogoutScope, RedirectUri, is_on_this_machine};

impl Place<'_> {
    /// How far a sign-out reaches where the app says nothing else (F8).
    pub(super) fn logout_scope(&self, file: &File) -> Result<LogoutScope, ConfigError> {
        match &file.logout_scope {
            Some(word) => LogoutScope::of_word(word.get_ref())
                .ok_or_else(|| self.value(word.span(), EXPECTED, word.get_ref())),
            None => Ok(LogoutScope::Session),
        }
    }

    /// The same for an app (F9, F10).
    pub(super) fn client_logout_scope(
        &self,
        client: &FileClient,
        file: &File,
    ) -> Result<Option<LogoutScope>, ConfigError> {
        let Some(scope) = &client.logout_scope else { return Ok(None) };
        match scope.get_ref() {
            FileLogoutScope::Word(word) => match LogoutScope::of_word(word) {
                Some(scope) => Ok(Some(scope)),
                None => {
                    let expected = format!("{EXPECTED}, or a list of client ids");
                    Err(self.value(scope.span(), &expected, word))
                }
            },
            FileLogoutScope::Apps(apps) => {
                let is_known =
                    |id: &String| file.clients.iter().any(|c| c.get_ref().id.get_ref() == id);
                match apps.iter().find(|id| !is_known(id)) {
                    None => Ok(Some(LogoutScope::Apps(apps.clone()))),
                    Some(stranger) => {
                        let expected = "the ids of clients in this file";
                        Err(self.value(scope.span(), expected, stranger))
                    }
                }
            }
        }
    }

    /// Back-Channel Logout 1.0, 2.2: absolute, without fragment. Plain http, and to this machine: what
    /// a logout token says about a person is nobody else's. Where apps have machines of their own,
    /// as containers do, the configuration says so.
    pub(super) fn backchannel_logout_uri(
        &self,
        client: &FileClient,
        file: &File,
    ) -> Result<Option<RedirectUri>, ConfigError> {
        let Some(uri) = &client.backchannel_logout_uri else { return Ok(None) };
        let parsed = self.address(uri)?;
        let expected = match Url::parse(parsed.as_str()) {
            Ok(url) if url.scheme() != "http" => "an address that begins with http://",
            Ok(url) if file.dangerously_deliver_anywhere || is_on_this_machine(&url) => {
                return Ok(Some(parsed));
            }
            Ok(_) | Err(_) => {
                "an address on this machine, or dangerously_deliver_anywhere = true at the top"
            }
        };
        Err(self.value(uri.span(), expected, uri.get_ref()))
    }

    /// Front-Channel Logout 1.0, 2: on the origin of a redirect URI.
    pub(super) fn frontchannel_logout_uri(
        &self,
        client: &FileClient,
        redirect_uris: &[RedirectUri],
    ) -> Result<Option<RedirectUri>, ConfigError> {
        let Some(uri) = &client.frontchannel_logout_uri else { return Ok(None) };
        let parsed = self.address(uri)?;
        let origin = parsed.origin().unwrap_or_default();
        if redirect_uris.iter().any(|redirect| redirect.has_origin(origin)) {
            return Ok(Some(parsed));
        }
        let expected = "an address on the origin of one of the redirect URIs";
        Err(self.value(uri.span(), expected, uri.get_ref()))
    }

    /// OIDC Core 4: where somebody else may send a person who is to sign in at the app. By https,
    /// or on this machine, where http is as private.
    pub(super) fn initiate_login_uri(
        &self,
        client: &FileClient,
    ) -> Result<Option<RedirectUri>, ConfigError> {
        let Some(uri) = &client.initiate_login_uri else { return Ok(None) };
        let parsed = self.address(uri)?;
        let is_private = Url::parse(parsed.as_str())
            .is_ok_and(|url| url.scheme() == "https" || is_on_this_machine(&url));
        if is_private {
            return Ok(Some(parsed));
        }
        Err(self.value(uri.span(), "an address with https, or on this machine", uri.get_ref()))
    }

    /// An address that can be asked: http or https.
    fn address(&self, uri: &Spanned<String>) -> Result<RedirectUri, ConfigError> {
        let parsed = RedirectUri::parse(uri.get_ref())
            .map_err(|expected| self.value(uri.span(), expected, uri.get_ref()))?;
        if parsed.origin().is_some() {
            return Ok(parsed);
        }
        Err(self.value(uri.span(), "an address with http or https", uri.get_ref()))
    }
}

const EXPECTED: &str = "session, realm or initiator";
