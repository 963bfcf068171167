//! The checks of a sign-out request (RP-Initiated Logout 1.0, 2 and 4), one function each.

use std::sync::Arc;

use crate::config::{Client, LogoutScope, RedirectUri};
use crate::params::Params;
use crate::provider::Provider;
use crate::tokens::{IdTokenHint, read_id_token_hint};

/// A request whose parameters are in order.
#[derive(Clone, Debug)]
pub(super) struct Checked {
    pub(super) hint: Option<IdTokenHint>,
    /// Who asks: from the hint or from `client_id`.
    pub(super) client: Option<Arc<Client>>,
    pub(super) return_to: Option<RedirectUri>,
    /// How far the sign-out reaches.
    pub(super) scope: LogoutScope,
    state: Option<String>,
}

impl Checked {
    /// The address to return to, with `state`.
    pub(super) fn location(&self) -> Option<String> {
        let uri = self.return_to.as_ref()?;
        Some(match &self.state {
            Some(state) => uri.with_query(&[("state", state)]),
            None => uri.with_query(&[]),
        })
    }
}

/// What is wrong, and with which parameter.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Refusal {
    pub(super) parameter: &'static str,
    pub(super) spec: &'static str,
    pub(super) description: String,
}

impl Refusal {
    fn new(parameter: &'static str, description: impl Into<String>) -> Self {
        Self { parameter, spec: "RP-Initiated Logout 4", description: description.into() }
    }
}

/// All checks, in order.
///
/// # Errors
/// The first parameter that is wrong.
pub(super) fn check(provider: &Provider, params: &Params) -> Result<Checked, Refusal> {
    check_duplicates(params)?;
    let hint = check_id_token_hint(provider, params)?;
    let client = check_client_id(provider, params, hint.as_ref())?;
    let return_to = check_post_logout_redirect_uri(params, client.as_deref())?;
    let state = check_state(params)?;
    let scope = check_logout_scope(provider, params, client.as_deref())?;
    Ok(Checked { hint, client, return_to, scope, state })
}

fn check_duplicates(params: &Params) -> Result<(), Refusal> {
    const KNOWN: [&str; 6] = [
        "id_token_hint",
        "client_id",
        "post_logout_redirect_uri",
        "state",
        "logout_hint",
        LOGOUT_SCOPE,
    ];
    match params.first_duplicate() {
        None => Ok(()),
        Some(name) => {
            let parameter = KNOWN.into_iter().find(|known| *known == name).unwrap_or("request");
            Err(Refusal::new(parameter, format!("{parameter} came more than once.")))
        }
    }
}

/// An ID token that this provider signed; it may have expired (2). Anything else is refused and
/// not ignored: a token that somebody made up must not count as no token.
fn check_id_token_hint(
    provider: &Provider,
    params: &Params,
) -> Result<Option<IdTokenHint>, Refusal> {
    let Some(token) = params.get("id_token_hint") else { return Ok(None) };
    match read_id_token_hint(provider, token) {
        Some(hint) => Ok(Some(hint)),
        None => Err(Refusal::new(
            "id_token_hint",
            "id_token_hint is not an ID token of this provider. \
             If the provider was restarted, its earlier sessions are over anyway.",
        )),
    }
}

/// 2: "When both client_id and id_token_hint are present, the OP MUST verify that the Client
/// Identifier matches the one used when issuing the ID Token."
fn check_client_id(
    provider: &Provider,
    params: &Params,
    hint: Option<&IdTokenHint>,
) -> Result<Option<Arc<Client>>, Refusal> {
    let given = params.get("client_id");
    if let (Some(given), Some(hint)) = (given, hint)
        && given != hint.client_id
    {
        let description = "client_id is not the app that id_token_hint was given to.";
        return Err(Refusal::new("client_id", description));
    }
    let Some(id) = given.or(hint.map(|hint| hint.client_id.as_str())) else { return Ok(None) };
    match provider.config.client(id) {
        Some(client) => Ok(Some(client.clone())),
        None => Err(Refusal::new("client_id", "No app is registered under this client_id.")),
    }
}

/// 3: exact match with a registered value, and a client to look it up for.
fn check_post_logout_redirect_uri(
    params: &Params,
    client: Option<&Client>,
) -> Result<Option<RedirectUri>, Refusal> {
    const NAME: &str = "post_logout_redirect_uri";
    let Some(given) = params.get(NAME) else { return Ok(None) };
    let Some(client) = client else {
        let description = "post_logout_redirect_uri needs id_token_hint or client_id beside it: \
             without one, nobody knows whose address it should be.";
        return Err(Refusal::new(NAME, description));
    };
    let registered = client.post_logout_redirect_uris.iter().find(|uri| uri.as_str() == given);
    match registered {
        Some(uri) => Ok(Some(uri.clone())),
        None => Err(Refusal::new(
            NAME,
            format!("post_logout_redirect_uri is not one of those registered for {}.", client.name),
        )),
    }
}

/// Ours (F10): a request may reach less far than its app's registration, never further. Without an
/// app it is the person who signs out, and every app of the session is left.
fn check_logout_scope(
    provider: &Provider,
    params: &Params,
    client: Option<&Client>,
) -> Result<LogoutScope, Refusal> {
    let realms = &provider.config.logout_scope;
    let Some(client) = client else {
        return Ok(match realms {
            LogoutScope::Realm => LogoutScope::Realm,
            LogoutScope::Initiator | LogoutScope::Apps(_) | LogoutScope::Session => {
                LogoutScope::Session
            }
        });
    };
    let own = client.logout_scope.as_ref().unwrap_or(realms);
    let Some(asked) = params.get(LOGOUT_SCOPE) else { return Ok(own.clone()) };
    let asked = LogoutScope::of_request(asked, &client.id);
    if let LogoutScope::Apps(apps) = &asked
        && (apps.is_empty() || apps.iter().any(|app| provider.config.client(app).is_none()))
    {
        let description = "logout_scope is neither session, realm nor initiator, nor does it name \
             registered apps.";
        return Err(Refusal::new(LOGOUT_SCOPE, description));
    }
    if own.allows(&asked) {
        return Ok(asked);
    }
    let description =
        format!("logout_scope reaches further than {} is registered for.", client.name);
    Err(Refusal::new(LOGOUT_SCOPE, description))
}

/// How far the sign-out is to reach: a parameter of this provider.
const LOGOUT_SCOPE: &str = "logout_scope";

/// Repeated as it came, if it is of a reasonable size.
fn check_state(params: &Params) -> Result<Option<String>, Refusal> {
    match params.get("state") {
        Some(state) if state.len() > 2048 => {
            Err(Refusal::new("state", "state is longer than 2048 bytes."))
        }
        state => Ok(state.map(str::to_owned)),
    }
}
