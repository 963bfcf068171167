//! OIDC Core 3.1.2.1: `scope` contains `openid`. Unknown values are ignored.

use super::{ErrorCode, Refusal};
use crate::claims::SCOPES;
use crate::config::Client;
use crate::params::Params;

pub(super) fn check(client: &Client, params: &Params) -> Result<Vec<String>, Refusal> {
    let asked: Vec<&str> = params.get("scope").unwrap_or_default().split(' ').collect();
    if !asked.contains(&"openid") {
        return Err(Refusal {
            error: ErrorCode::InvalidScope,
            check: "scope",
            spec: "OIDC Core 3.1.2.1",
            description: "scope must contain openid",
        });
    }
    let granted = SCOPES
        .into_iter()
        .filter(|scope| asked.contains(scope))
        // Core 11: without the conditions for it, the request for offline_access is ignored.
        .filter(|scope| *scope != "offline_access" || client.allows_offline_access)
        .map(str::to_owned)
        .collect();
    Ok(granted)
}
