//! RFC 6749, 3.1: "Request and response parameters MUST NOT be included more than once."

use super::{ErrorCode, Refusal};
use crate::params::Params;

pub(super) fn check(params: &Params) -> Result<(), Refusal> {
    if params.first_duplicate().is_none() {
        return Ok(());
    }
    Err(Refusal {
        error: ErrorCode::InvalidRequest,
        check: "duplicates",
        spec: "RFC 6749 3.1",
        description: "a parameter came more than once",
    })
}
