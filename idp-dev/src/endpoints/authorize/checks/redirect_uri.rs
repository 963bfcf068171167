//! OIDC Core 3.1.2.1: `redirect_uri` equals a registered one, compared as plain strings
//! (RFC 3986, 6.2.1; RFC 9700, 4.1.3). No normalising, no port wildcard, no prefix.

use super::PageRefusal;
use crate::config::{Client, RedirectUri};
use crate::params::Params;

pub(super) fn check(client: &Client, params: &Params) -> Result<RedirectUri, PageRefusal> {
    let refusal = |description: String| PageRefusal {
        check: "redirect_uri",
        spec: "OIDC Core 3.1.2.1",
        description,
    };
    if params.is_duplicated("redirect_uri") {
        return Err(refusal("redirect_uri came more than once.".to_owned()));
    }
    let given =
        params.get("redirect_uri").ok_or_else(|| refusal("redirect_uri is missing.".to_owned()))?;
    client.redirect_uris.iter().find(|uri| uri.as_str() == given).cloned().ok_or_else(|| {
        refusal(format!("redirect_uri is not one of those registered for {}.", client.name))
    })
}
