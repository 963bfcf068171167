//! OAuth 2.0 Multiple Response Types 2.1: `response_mode` is `query`, the default of `code`.

use super::{ErrorCode, Refusal};
use crate::params::Params;

pub(super) fn check(params: &Params) -> Result<(), Refusal> {
    match params.get("response_mode") {
        None | Some("query") => Ok(()),
        Some(_) => Err(Refusal {
            error: ErrorCode::InvalidRequest,
            check: "response_mode",
            spec: "OAuth 2.0 Multiple Response Types 2.1",
            description: "the only response_mode of this provider is query",
        }),
    }
}
