//! OIDC Core 3.1.2.1: `prompt`.

use super::{ErrorCode, Refusal};
use crate::authorization_request::Prompt;
use crate::params::Params;

/// What discovery says is supported. There is no consent page: the apps are of one owner.
pub(crate) const SUPPORTED: [&str; 3] = ["none", "login", "select_account"];

pub(super) fn check(params: &Params) -> Result<Prompt, Refusal> {
    let values: Vec<&str> =
        params.get("prompt").unwrap_or_default().split(' ').filter(|v| !v.is_empty()).collect();
    let refusal = |description| {
        Err(Refusal {
            error: ErrorCode::InvalidRequest,
            check: "prompt",
            spec: "OIDC Core 3.1.2.1",
            description,
        })
    };
    if !values.iter().all(|value| SUPPORTED.contains(value)) {
        return refusal("prompt may be none, login or select_account");
    }
    let prompt = Prompt {
        is_none: values.contains(&"none"),
        is_login: values.contains(&"login"),
        is_select_account: values.contains(&"select_account"),
    };
    // "If this parameter contains none with any other value, an error is returned."
    if prompt.is_none && values.len() > 1 {
        return refusal("prompt none cannot be combined with another value");
    }
    Ok(prompt)
}
