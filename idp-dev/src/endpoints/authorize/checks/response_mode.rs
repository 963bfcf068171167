//! OAuth 2.0 Multiple Response Types 2.1: `response_mode` is `query`, the default of `code`, or
//! `fragment`. `form_post` is not offered: apps in browsers cannot read what is posted to them.

use super::{ErrorCode, Refusal};
use crate::authorization_request::ResponseMode;
use crate::params::Params;

/// Where answers go, errors too. A request whose own wish cannot be met gets the default.
pub(super) fn of_answer(params: &Params) -> ResponseMode {
    if params.is_duplicated(NAME) {
        return ResponseMode::Query;
    }
    asked(params).unwrap_or(ResponseMode::Query)
}

pub(super) fn check(params: &Params) -> Result<(), Refusal> {
    if params.get(NAME).is_none() || asked(params).is_some() {
        return Ok(());
    }
    Err(Refusal {
        error: ErrorCode::InvalidRequest,
        check: NAME,
        spec: "OAuth 2.0 Multiple Response Types 2.1",
        description: "response_mode may be query or fragment",
    })
}

fn asked(params: &Params) -> Option<ResponseMode> {
    let name = params.get(NAME)?;
    ResponseMode::ALL.into_iter().find(|mode| mode.name() == name)
}

const NAME: &str = "response_mode";
