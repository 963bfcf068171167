//! Tokens in our forms, against requests that another site makes a browser send (OP10).

use aws_lc_rs::hmac;

use crate::provider::Provider;
use crate::secret::{Secret, base64url, equal_in_constant_time};

/// The token of the form for request `r` in the browser with that pre-session cookie. `SameSite`
/// alone would not do: it lets same-site sub-domains through, and old browsers ignore it.
pub(crate) fn form_token(provider: &Provider, browser: &Secret, r: &str) -> String {
    let key = hmac::Key::new(hmac::HMAC_SHA256, provider.form_key.expose().as_bytes());
    let message = format!("{}.{r}", browser.expose());
    base64url(hmac::sign(&key, message.as_bytes()).as_ref())
}

/// Is `token` the right one?
pub(crate) fn is_form_token(provider: &Provider, browser: &Secret, r: &str, token: &str) -> bool {
    equal_in_constant_time(form_token(provider, browser, r).as_bytes(), token.as_bytes())
}
