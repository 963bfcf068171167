//! RFC 6749, 4.1.1: `client_id` names a registered client.

use std::sync::Arc;

use super::PageRefusal;
use crate::config::{Client, Config};
use crate::params::Params;

pub(super) fn check(config: &Config, params: &Params) -> Result<Arc<Client>, PageRefusal> {
    let refusal = |description: &str| PageRefusal {
        check: "client_id",
        spec: "RFC 6749 4.1.2.1",
        description: description.to_owned(),
    };
    if params.is_duplicated("client_id") {
        return Err(refusal("client_id came more than once."));
    }
    let id = params.get("client_id").ok_or_else(|| refusal("client_id is missing."))?;
    config.client(id).cloned().ok_or_else(|| refusal("No app is registered under this client_id."))
}
