//! RFC 7636, 4.3 and RFC 9700, 2.1.1: every client is public and sends a challenge with S256.

use super::{ErrorCode, Refusal};
use crate::params::Params;

pub(super) fn check(params: &Params) -> Result<String, Refusal> {
    let refusal = |check, description| {
        Err(Refusal {
            error: ErrorCode::InvalidRequest,
            check,
            spec: "RFC 7636 4.4.1",
            description,
        })
    };
    let Some(challenge) = params.get("code_challenge") else {
        return refusal("code_challenge", "code_challenge is missing: PKCE is required");
    };
    match params.get("code_challenge_method") {
        Some("S256") => {}
        // 4.3: absent means `plain`, which shows the verifier to whoever sees the request.
        Some(_) | None => {
            return refusal("code_challenge_method", "code_challenge_method must be S256");
        }
    }
    // 4.2: the base64url form of 32 bytes, without padding.
    let is_well_formed = challenge.len() == 43
        && challenge.bytes().all(|c| c.is_ascii_alphanumeric() || c == b'-' || c == b'_');
    if is_well_formed {
        Ok(challenge.to_owned())
    } else {
        refusal("code_challenge", "code_challenge is not the base64url form of a SHA-256 digest")
    }
}
