//! Addresses: queries written and read, and paths that stay in the app.

use alloc::{string::String, vec::Vec};
use form_urlencoded::{Serializer, parse};

/// `parameters` in `application/x-www-form-urlencoded`; those without a value are left out.
pub(crate) fn form(parameters: &[(&str, &str)]) -> String {
    let mut form = Serializer::new(String::new());
    for (name, value) in parameters {
        if !value.is_empty() {
            form.append_pair(name, value);
        }
    }
    form.finish()
}

/// `endpoint` with `parameters` added to its query (RFC 6749, 3.1: it may have one).
pub(crate) fn with_query(endpoint: &str, parameters: &[(&str, &str)]) -> String {
    let separator = if endpoint.contains('?') { "&" } else { "?" };
    [endpoint, separator, &form(parameters)].concat()
}

/// The query parameters of an address, fragment left out.
pub(crate) fn query(url: &str) -> Vec<(String, String)> {
    let url = url.split_once('#').map_or(url, |(before, _)| before);
    let query = url.split_once('?').map_or("", |(_, query)| query);
    parse(query.as_bytes()).map(|(name, value)| (name.into(), value.into())).collect()
}

/// Whether `path` leads to a place of this origin however a browser reads it (D13, RP7): browsers
/// take a backslash for a slash, and drop tabs and line ends.
pub(crate) fn stays_here(path: &str) -> bool {
    path.starts_with('/')
        && !path.starts_with("//")
        && !path.bytes().any(|byte| byte == b'\\' || byte < b' ' || byte == 0x7f)
}

/// The path of an absolute address, `/` if it has none.
pub(crate) fn path(url: &str) -> &str {
    // Scheme, nothing, host, and from the third slash on the path.
    let slash = url.bytes().enumerate().filter(|(_, byte)| *byte == b'/').nth(2);
    slash.and_then(|(at, _)| url.get(at..)).unwrap_or("/")
}
