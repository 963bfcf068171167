//! OIDC Core 3.1.2.1: `max_age` is a number of seconds.

use super::{ErrorCode, Refusal};
use crate::params::Params;

pub(super) fn check(params: &Params) -> Result<Option<u64>, Refusal> {
    let Some(text) = params.get("max_age") else { return Ok(None) };
    // `parse` alone would take a leading plus.
    let is_digits = text.bytes().all(|byte| byte.is_ascii_digit());
    match text.parse() {
        Ok(seconds) if is_digits => Ok(Some(seconds)),
        _ => Err(Refusal {
            error: ErrorCode::InvalidRequest,
            check: "max_age",
            spec: "OIDC Core 3.1.2.1",
            description: "max_age must be a number of seconds, 0 or more",
        }),
    }
}
