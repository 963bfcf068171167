//! OIDC Core 3.1.2.1: `response_type` is `code`. Tokens never come in a URL (RFC 9700, 2.1.2).

use super::{ErrorCode, Refusal};
use crate::params::Params;

pub(super) fn check(params: &Params) -> Result<(), Refusal> {
    let refusal = |error, description| {
        Err(Refusal { error, check: "response_type", spec: "OIDC Core 3.1.2.1", description })
    };
    match params.get("response_type") {
        Some("code") => Ok(()),
        Some(_) => refusal(
            ErrorCode::UnsupportedResponseType,
            "the only response_type of this provider is code",
        ),
        None => refusal(ErrorCode::InvalidRequest, "response_type is missing"),
    }
}
