//! The checks of an authorization request, one file each, in the specification's order.
//!
//! The first two decide whether there is a trustworthy place to send an answer to. Until both have
//! passed, a failure is a page (OP2); afterwards it is an error response by redirect.

mod client_id;
mod duplicates;
mod id_token_hint;
mod max_age;
mod pkce;
pub(super) mod prompt;
mod redirect_uri;
mod request_object;
mod response_mode;
mod response_type;
mod scope;
mod sizes;

use std::sync::Arc;

use crate::authorization_request::{AuthorizationRequest, ResponseMode};
use crate::config::{Client, RedirectUri};
use crate::params::Params;
use crate::provider::Provider;

/// Where answers go, once client and URI are known to belong together.
#[derive(Clone, Debug)]
pub(super) struct ReplyTo {
    pub(super) client: Arc<Client>,
    pub(super) redirect_uri: RedirectUri,
    pub(super) response_mode: ResponseMode,
    /// To be repeated, unless it came twice.
    pub(super) state: Option<String>,
}

/// A request with no place to send an answer to: the person gets a page.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct PageRefusal {
    /// The parameter that is wrong.
    pub(super) check: &'static str,
    pub(super) spec: &'static str,
    pub(super) description: String,
}

/// A request that is answered by an error response (OIDC Core 3.1.2.6).
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Refusal {
    pub(super) error: ErrorCode,
    /// The parameter or rule that decided.
    pub(super) check: &'static str,
    pub(super) spec: &'static str,
    /// Visible ASCII without quotes and backslashes (RFC 6749, 4.1.2.1), and nothing of the
    /// request in it.
    pub(super) description: &'static str,
}

/// Error codes of RFC 6749, 4.1.2.1 and OIDC Core 3.1.2.6.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum ErrorCode {
    InvalidRequest,
    UnsupportedResponseType,
    InvalidScope,
    AccessDenied,
    LoginRequired,
    ConsentRequired,
    RequestNotSupported,
    RequestUriNotSupported,
    RegistrationNotSupported,
}

impl ErrorCode {
    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::InvalidRequest => "invalid_request",
            Self::UnsupportedResponseType => "unsupported_response_type",
            Self::InvalidScope => "invalid_scope",
            Self::AccessDenied => "access_denied",
            Self::LoginRequired => "login_required",
            Self::ConsentRequired => "consent_required",
            Self::RequestNotSupported => "request_not_supported",
            Self::RequestUriNotSupported => "request_uri_not_supported",
            Self::RegistrationNotSupported => "registration_not_supported",
        }
    }
}

/// Client and redirect URI.
///
/// # Errors
/// The page to show: nothing of such a request may steer a browser (RFC 9700, 4.11.2).
pub(super) fn check_reply_to(provider: &Provider, params: &Params) -> Result<ReplyTo, PageRefusal> {
    let client = client_id::check(&provider.config, params)?;
    let redirect_uri = redirect_uri::check(&client, params)?;
    let state = if params.is_duplicated("state") { None } else { params.get("state") };
    let response_mode = response_mode::of_answer(params);
    Ok(ReplyTo { client, redirect_uri, response_mode, state: state.map(str::to_owned) })
}

/// Everything else.
///
/// # Errors
/// The first rule that is broken.
pub(super) fn check_request(
    provider: &Provider,
    reply_to: &ReplyTo,
    params: &Params,
) -> Result<AuthorizationRequest, Refusal> {
    duplicates::check(params)?;
    sizes::check(params)?;
    request_object::check(params)?;
    response_type::check(params)?;
    response_mode::check(params)?;
    let scopes = scope::check(&reply_to.client, params)?;
    let code_challenge = pkce::check(params)?;
    let prompt = prompt::check(params)?;
    let max_age = max_age::check(params)?;
    let expected = id_token_hint::read(provider, params);
    // Not checked, on purpose: `acr_values` is voluntary (Core 5.5.1.1) and the level that was
    // reached is told truthfully (OP24); `display`, `ui_locales` and `claims_locales` are wishes;
    // unknown parameters are ignored (RFC 6749, 3.1).
    Ok(AuthorizationRequest {
        client: reply_to.client.clone(),
        redirect_uri: reply_to.redirect_uri.clone(),
        response_mode: reply_to.response_mode,
        state: reply_to.state.clone(),
        nonce: params.get("nonce").map(str::to_owned),
        code_challenge,
        scopes,
        prompt,
        max_age,
        login_hint: params.get("login_hint").map(str::to_owned),
        expected,
    })
}
