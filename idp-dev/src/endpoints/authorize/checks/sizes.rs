//! What is kept or repeated must be of a reasonable size (OP29).

use super::{ErrorCode, Refusal};
use crate::params::Params;

pub(super) fn check(params: &Params) -> Result<(), Refusal> {
    let fits = |name| params.get(name).is_none_or(|value| value.len() <= MAX_LENGTH);
    if ["state", "nonce", "scope", "login_hint", "prompt", "max_age"].into_iter().all(fits) {
        return Ok(());
    }
    Err(Refusal {
        error: ErrorCode::InvalidRequest,
        check: "sizes",
        spec: "RFC 6749 4.1.2.1",
        description: "a parameter is longer than 2048 bytes",
    })
}

const MAX_LENGTH: usize = 2048;
