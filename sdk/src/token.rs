//! Access tokens, for apps that send them by other means than [`Client::fetch`](crate::Client::fetch).

use crate::{Client, Code, Error, Result, options::whole_seconds};
use gatepass_core::{
    secret::Secret,
    time::UnixTime,
    wire::{Command, Outcome},
};
use std::time::Duration;

/// What an access token is needed for.
#[derive(Clone, Debug, Default)]
pub struct TokenRequest {
    /// How long the token must still be good for, in whole seconds; 30 s if absent.
    pub min_ttl: Option<Duration>,
    /// The origin that the token will be sent to. One that is neither the page's own nor listed in
    /// [`token_origins`](crate::Options::token_origins) gets none; absent, the app answers for it.
    pub origin: Option<String>,
    /// The API that it is for, as the provider knows it (RFC 8707 2): another token than the
    /// session's own, kept and refreshed beside it.
    pub resource: Option<String>,
    /// Less than was granted at the sign-in, separated by spaces (RFC 6749 6): likewise a token of
    /// its own.
    pub scope: Option<String>,
}

/// An access token. Its `Debug` form is masked.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AccessToken {
    secret: Secret,
    expires_at: Option<UnixTime>,
}

impl AccessToken {
    /// The token itself, to be sent as `Authorization: Bearer ...` (RFC 6750 2.1) and nowhere else.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.secret.0
    }

    /// When it expires, in Unix seconds by the provider's clock; `None` if the provider did not say.
    #[must_use]
    pub fn expires_at(&self) -> Option<i64> {
        self.expires_at.map(|UnixTime(seconds)| seconds)
    }
}

impl Client {
    /// An access token, refreshed before if it is not good for long enough.
    ///
    /// # Errors
    /// `not_signed_in`; `token_unavailable` if it has expired and cannot be refreshed;
    /// `issuer_unreachable` and the codes of a token response if refreshing failed, `provider_error`
    /// among them if the provider gives none for that resource or scope;
    /// `config_invalid` if the origin asked for may not have one.
    pub async fn token(&self, request: TokenRequest) -> Result<AccessToken> {
        let origin = request.origin.clone().unwrap_or_default();
        let refused = || {
            let expected = "to list each origin that may have the access token";
            Error::new(Code::ConfigInvalid, "token_origins", expected, &origin)
        };
        self.token_not(request, None).await?.ok_or_else(refused)
    }

    /// An access token other than `refused`, which a resource did not accept; `None` if the origin
    /// may not have one.
    pub(crate) async fn token_not(
        &self,
        TokenRequest { min_ttl, origin, resource, scope }: TokenRequest,
        refused: Option<AccessToken>,
    ) -> Result<Option<AccessToken>> {
        let min_ttl = min_ttl.map(whole_seconds);
        let refused = refused.map(|token| token.secret);
        let command = Command::GetToken {
            min_ttl,
            origin: origin.map(Into::into),
            refused,
            resource: resource.map(Into::into),
            scope: scope.map(Into::into),
        };
        match self.command(command).await? {
            Outcome::Token { access_token: Some(secret), expires_at } => {
                Ok(Some(AccessToken { secret, expires_at: expires_at.map(UnixTime) }))
            }
            Outcome::Token { access_token: None, .. }
            | Outcome::Done {}
            | Outcome::Leaving {}
            | Outcome::Diagnosis { .. } => Ok(None),
            Outcome::Failed { error } => Err(error),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn debug_form_of_a_token_is_masked() {
        let secret = Secret("SlAV32hkKG".into());
        let token = AccessToken { secret, expires_at: Some(UnixTime(1_763_697_600)) };
        assert!(!format!("{token:?}").contains("SlAV"));
        assert_eq!(token.as_str(), "SlAV32hkKG");
        assert_eq!(token.expires_at(), Some(1_763_697_600));
    }
}
