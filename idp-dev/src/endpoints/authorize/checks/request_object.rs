//! OIDC Core 6 and 3.1.2.6: request objects are not supported, and said to be so: ignoring one
//! would act on other parameters than the client meant.

use super::{ErrorCode, Refusal};
use crate::params::Params;

pub(super) fn check(params: &Params) -> Result<(), Refusal> {
    let refusal = |error, check| {
        Err(Refusal {
            error,
            check,
            spec: "OIDC Core 3.1.2.6",
            description: "this provider takes plain parameters only",
        })
    };
    if params.get("request").is_some() {
        return refusal(ErrorCode::RequestNotSupported, "request");
    }
    if params.get("request_uri").is_some() {
        return refusal(ErrorCode::RequestUriNotSupported, "request_uri");
    }
    if params.get("registration").is_some() {
        return refusal(ErrorCode::RegistrationNotSupported, "registration");
    }
    Ok(())
}
