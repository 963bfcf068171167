//! What a request asks for, and which codes and tokens it uses.

use axum::http::{HeaderMap, Method};
use base64ct::{Base64UrlUnpadded, Encoding};
use serde_json::Value;

use crate::http::{bearer_token, origin_of};
use crate::params::Params;
use crate::provider::Provider;
use crate::secret::Digest;

/// What a request is about.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Place {
    Discovery,
    KeySet,
    Token {
        is_refresh: bool,
    },
    UserInfo,
    Events,
    Revocation,
    Authorize,
    SignOut,
    /// Pages for people, and everything else.
    Other,
}

/// A request as verdicts see it.
#[derive(Clone, Debug)]
pub(super) struct Seen {
    pub(super) place: Place,
    /// Who asks, as far as the request says. Of discovery and keys it is known by `Origin` only.
    pub(super) client_id: Option<String>,
    pub(super) code: Option<Digest>,
    /// Refresh token, access token and `id_token_hint`.
    pub(super) tokens: Vec<Digest>,
    /// Did it bring an access token?
    pub(super) has_bearer: bool,
}

impl Seen {
    /// Reads a request; `form` is the body of one to `/token`.
    pub(super) fn read(
        provider: &Provider,
        method: &Method,
        (path, query): (&str, &str),
        headers: &HeaderMap,
        form: Option<&str>,
    ) -> Self {
        let form = form.and_then(|text| Params::parse(text).ok()).unwrap_or_default();
        let query = Params::parse(query).unwrap_or_default();
        let is_get = method == Method::GET;
        let place = match path {
            "/.well-known/openid-configuration" => Place::Discovery,
            "/jwks" => Place::KeySet,
            "/token" => Place::Token { is_refresh: form.get("refresh_token").is_some() },
            "/userinfo" => Place::UserInfo,
            "/session_events" => Place::Events,
            "/revoke" => Place::Revocation,
            "/authorize" if is_get => Place::Authorize,
            "/end_session" | "/end_session/continue" | "/end_session/confirm" => Place::SignOut,
            _ => Place::Other,
        };
        let digest = |text: &str| Digest::of(text.as_bytes());
        let bearer = bearer_token(headers).ok();
        let mut tokens: Vec<Digest> = bearer.map(digest).into_iter().collect();
        tokens.extend(form.get("refresh_token").map(digest));
        tokens.extend(query.get("id_token_hint").map(digest));
        let named = form.get("client_id").or(query.get("client_id")).map(str::to_owned);
        Self {
            place,
            client_id: named
                .or_else(|| client_of_token(bearer?))
                .or_else(|| client_of_origin(provider, headers)),
            code: form.get("code").map(digest),
            tokens,
            has_bearer: bearer.is_some(),
        }
    }
}

/// Whom an access token was given to. It is not verified: nothing is given for it.
fn client_of_token(token: &str) -> Option<String> {
    let claims = Base64UrlUnpadded::decode_vec(token.split('.').nth(1)?).ok()?;
    let claims: Value = serde_json::from_slice(&claims).ok()?;
    claims["client_id"].as_str().map(str::to_owned)
}

fn client_of_origin(provider: &Provider, headers: &HeaderMap) -> Option<String> {
    let origin = origin_of(headers)?;
    let client = provider.config.clients.iter().find(|client| client.has_origin(origin))?;
    Some(client.id.clone())
}
