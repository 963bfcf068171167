//! OIDC Core 3.1.2.1: `id_token_hint` is an ID token of ours; it may have expired.

use crate::authorization_request::ExpectedPerson;
use crate::params::Params;
use crate::provider::Provider;
use crate::tokens::read_id_token_hint;

/// Reads the hint; it refuses nothing. An app that keeps an ID token across a restart of this
/// provider, whose keys are new then, has done nothing wrong, and `invalid_request` would be
/// shown to the person as a fault of the app. Instead:
///
/// - with `prompt=none` the answer is `login_required`: nobody knows that the person signed in is
///   the one who is meant, and Core allows no positive answer about anybody else;
/// - otherwise the hint is ignored and the sign-in page is shown, even to somebody who is signed
///   in. The step `authorize.login_page` then names `id_token_hint`.
pub(super) fn read(provider: &Provider, params: &Params) -> ExpectedPerson {
    match params.get("id_token_hint") {
        None => ExpectedPerson::Anybody,
        Some(token) => read_id_token_hint(provider, token)
            .map_or(ExpectedPerson::Unknown, |hint| ExpectedPerson::Sub(hint.sub)),
    }
}
