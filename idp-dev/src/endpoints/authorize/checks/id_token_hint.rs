//! OIDC Core 3.1.2.1: `id_token_hint` is an ID token of ours; it may have expired.

use super::{ErrorCode, Refusal};
use crate::params::Params;
use crate::provider::Provider;
use crate::tokens::read_id_token_hint;

pub(super) fn check(provider: &Provider, params: &Params) -> Result<Option<String>, Refusal> {
    let Some(token) = params.get("id_token_hint") else { return Ok(None) };
    match read_id_token_hint(provider, token) {
        Some(hint) => Ok(Some(hint.sub)),
        None => Err(Refusal {
            error: ErrorCode::InvalidRequest,
            check: "id_token_hint",
            spec: "OIDC Core 3.1.2.1",
            description: "id_token_hint is not an ID token of this provider",
        }),
    }
}
