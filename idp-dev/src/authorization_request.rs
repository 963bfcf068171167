//! An authorization request that passed every check of its form.

use std::sync::Arc;

use crate::config::{Client, RedirectUri};

/// What a client asks for (OIDC Core 3.1.2.1). Only `endpoints::authorize::checks` makes one.
#[derive(Clone, Debug)]
pub struct AuthorizationRequest {
    pub(crate) client: Arc<Client>,
    pub(crate) redirect_uri: RedirectUri,
    pub(crate) response_mode: ResponseMode,
    pub(crate) state: Option<String>,
    pub(crate) nonce: Option<String>,
    /// PKCE, always S256.
    pub(crate) code_challenge: String,
    /// Known scopes, each once, with `openid` among them.
    pub(crate) scopes: Vec<String>,
    pub(crate) prompt: Prompt,
    /// Seconds since the person proved who they are, at most.
    pub(crate) max_age: Option<u64>,
    pub(crate) login_hint: Option<String>,
    /// Whom the answer may be about.
    pub(crate) expected: ExpectedPerson,
}

/// Whom `id_token_hint` names (OIDC Core 3.1.2.1).
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum ExpectedPerson {
    /// There was no hint.
    Anybody,
    /// The `sub` of an ID token of ours.
    Sub(String),
    /// The hint is no ID token that these keys signed: another provider's, or one from before a
    /// restart. It expects somebody, and nobody knows whom.
    Unknown,
}

impl ExpectedPerson {
    /// May a person who signs in now be the answer? Whoever reads the page knows who they are, so
    /// a hint that cannot be read binds nobody there.
    pub(crate) fn allows(&self, sub: &str) -> bool {
        match self {
            Self::Anybody | Self::Unknown => true,
            Self::Sub(expected) => expected == sub,
        }
    }
}

/// Where in the redirect URI an answer's parameters stand (OAuth 2.0 Multiple Response Types 2.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ResponseMode {
    /// The default of `code`.
    Query,
    /// For apps whose server must not see the answer.
    Fragment,
}

impl ResponseMode {
    pub(crate) const ALL: [Self; 2] = [Self::Query, Self::Fragment];

    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Query => "query",
            Self::Fragment => "fragment",
        }
    }
}

/// What may and must be shown (OIDC Core 3.1.2.1, `prompt`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Prompt {
    /// Nothing may be shown.
    pub(crate) is_none: bool,
    /// The person must sign in again.
    pub(crate) is_login: bool,
    /// The person must choose an account.
    pub(crate) is_select_account: bool,
}
