//! The authorization request and its response (OIDC Core 3.1.2, RFC 7636, RFC 9207).

use crate::{
    address,
    config::Config,
    error::{Code, Error, Result},
    metadata::Metadata,
    secret::Secret,
    text::Text,
};
use alloc::vec::Vec;

/// What is asked of the authorization endpoint besides what every request has.
#[derive(Clone, Debug, Default)]
pub(crate) struct Wishes {
    pub(crate) prompt: Option<Text>,
    pub(crate) login_hint: Option<Text>,
    pub(crate) acr_values: Option<Text>,
    pub(crate) max_age: Option<i64>,
    pub(crate) ui_locales: Option<Text>,
}

/// The address to send the browser to (OIDC Core 3.1.2.1). PKCE is always used, and always S256
/// (RFC 7636, 4.2): metadata that does not mention it takes nothing away.
#[allow(clippy::too_many_arguments, reason = "the request has as many parameters of its own")]
pub(crate) fn request(
    config: &Config,
    metadata: &Metadata,
    wishes: &Wishes,
    redirect_uri: &str,
    state: &str,
    nonce: &str,
    challenge: &str,
) -> Secret {
    let max_age = wishes.max_age.map(crate::claims::number);
    let text = |value: &Option<Text>| value.clone().unwrap_or_default();
    Secret(address::with_query(
        &metadata.authorization_endpoint,
        &[
            ("response_type", "code"),
            ("client_id", &config.client_id),
            ("redirect_uri", redirect_uri),
            ("scope", config.scope.as_deref().unwrap_or("openid profile email")),
            ("state", state),
            ("nonce", nonce),
            ("code_challenge", challenge),
            ("code_challenge_method", "S256"),
            ("prompt", &text(&wishes.prompt)),
            ("login_hint", &text(&wishes.login_hint)),
            ("acr_values", &text(&wishes.acr_values)),
            ("max_age", &text(&max_age)),
            ("ui_locales", &text(&wishes.ui_locales)),
        ],
    ))
}

/// An authorization response of which only the shape is known.
pub(crate) struct UntrustedResponse(Vec<(Text, Text)>);

impl UntrustedResponse {
    /// Takes the address apart that the browser was sent back to.
    pub(crate) fn parse(callback: &str) -> Self {
        Self(address::query(callback))
    }

    /// The parameter `name`, once (RFC 6749, 3.1: parameters must not be repeated).
    fn once(&self, name: &str) -> Result<Option<&str>> {
        let mut found = self.0.iter().filter(|(key, _)| key == name);
        let first = found.next().map(|(_, value)| value.as_str());
        match found.next() {
            Some(_) => Err(Error::new(Code::ResponseInvalid, name, "once", "more than once")),
            None => Ok(first.filter(|value| !value.is_empty())),
        }
    }

    /// `state`, by which the attempt is found.
    pub(crate) fn state(&self) -> Result<&str> {
        let missing = || Error::new(Code::ResponseInvalid, "state", "a value", "");
        self.once("state")?.ok_or_else(missing)
    }

    /// Whether this is the shape of an authorization response, whoever sent it.
    pub(crate) fn is_answer(&self) -> bool {
        let has = |name| self.0.iter().any(|(key, _)| key == name);
        has("state") && (has("code") || has("error"))
    }

    /// The code, after everything that has to be known before it is sent anywhere.
    pub(crate) fn code(&self, issuer: &str, promises_iss: bool) -> Result<Secret> {
        self.issuer_identification(issuer, promises_iss)?;
        let (code, error) = (self.once("code")?, self.once("error")?);
        if let Some(error) = error {
            return Err(self.provider_error(error));
        }
        let missing = || Error::new(Code::ResponseInvalid, "code", "a value", "");
        Ok(Secret(code.ok_or_else(missing)?.into()))
    }

    /// Session Management 1.0, 2: what the provider's frame is asked about. It has no space, which
    /// would end it there; one that has says nothing.
    pub(crate) fn session_state(&self) -> Option<Text> {
        let state = self.once("session_state").ok().flatten()?;
        state.bytes().all(|byte| byte != b' ').then(|| state.into())
    }

    /// The code that [`code`](Self::code) has given.
    pub(crate) fn sent_code(&self) -> Secret {
        Secret(self.once("code").ok().flatten().unwrap_or_default().into())
    }

    /// RFC 9207, 2.4: `iss` is exactly the issuer that was asked, before any token request. It
    /// protects from mix-up, where a second provider makes us bring it the first one's code.
    fn issuer_identification(&self, issuer: &str, promised: bool) -> Result<()> {
        match self.once("iss")? {
            Some(iss) if iss == issuer => Ok(()),
            Some(iss) => Err(Error::new(Code::ResponseIssuerMismatch, "iss", issuer, iss)),
            None if promised => Err(Error::new(Code::ResponseIssuerMissing, "iss", issuer, "")),
            None => Ok(()),
        }
    }

    /// RFC 6749, 4.1.2.1. The description is the provider's text for developers: evidence, never
    /// markup.
    fn provider_error(&self, error: &str) -> Error {
        let description = self.once("error_description").ok().flatten().unwrap_or_default();
        let state = Secret(self.state().unwrap_or_default().into());
        refusal(error, description, &[&state])
    }
}

/// The provider's own error, by name. What it says is evidence, unless it says again one of the
/// `secrets` that it was told: evidence is logged and shown.
pub(crate) fn refusal(error: &str, description: &str, secrets: &[&Secret]) -> Error {
    let code = match error {
        "access_denied" => Code::AccessDenied,
        "login_required" => Code::LoginRequired,
        "interaction_required" => Code::InteractionRequired,
        "consent_required" => Code::ConsentRequired,
        "account_selection_required" => Code::AccountSelectionRequired,
        "invalid_grant" => Code::InvalidGrant,
        "invalid_token" => Code::InvalidToken,
        _ => Code::ProviderError,
    };
    let separator = if description.is_empty() { "" } else { ": " };
    let found = Text::concat(&[error, separator, description]);
    let leaks = secrets.iter().any(|secret| address::holds(&found, &secret.0));
    Error::new(code, "error", "success", if leaks { "a text with a secret in it" } else { &found })
}
