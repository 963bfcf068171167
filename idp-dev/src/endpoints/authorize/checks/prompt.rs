//! OIDC Core 3.1.2.1: `prompt`.

use super::{ErrorCode, Refusal};
use crate::authorization_request::Prompt;
use crate::params::Params;

/// What discovery says is supported. There is no consent page: the apps are of one owner.
pub(crate) const SUPPORTED: [&str; 3] = ["none", "login", "select_account"];

pub(super) fn check(params: &Params) -> Result<Prompt, Refusal> {
    let values: Vec<&str> =
        params.get("prompt").unwrap_or_default().split(' ').filter(|v| !v.is_empty()).collect();
    let refusal =
        |error, spec, description| Err(Refusal { error, check: "prompt", spec, description });
    if !values.iter().all(|value| SUPPORTED.contains(value) || *value == "consent") {
        let description = "prompt may be none, login or select_account";
        return refusal(ErrorCode::InvalidRequest, "OIDC Core 3.1.2.1", description);
    }
    let prompt = Prompt {
        is_none: values.contains(&"none"),
        is_login: values.contains(&"login"),
        is_select_account: values.contains(&"select_account"),
    };
    // "If this parameter contains none with any other value, an error is returned."
    if prompt.is_none && values.len() > 1 {
        let description = "prompt none cannot be combined with another value";
        return refusal(ErrorCode::InvalidRequest, "OIDC Core 3.1.2.1", description);
    }
    // "If it cannot obtain consent, it MUST return an error, typically consent_required."
    if values.contains(&"consent") {
        let description = "there is no page on which the person could consent";
        return refusal(ErrorCode::ConsentRequired, "OIDC Core 3.1.2.6", description);
    }
    Ok(prompt)
}
