//! The forms that apps and people send, and the cookies that a browser keeps of the answers.

use std::collections::BTreeMap;

use super::registered::VERIFIER;

/// The form that redeems a code.
pub(crate) fn redemption<'a>(
    client: &'a str,
    redirect_uri: &'a str,
    code: &'a str,
) -> [(&'a str, &'a str); 5] {
    [
        ("grant_type", "authorization_code"),
        ("client_id", client),
        ("code", code),
        ("redirect_uri", redirect_uri),
        ("code_verifier", VERIFIER),
    ]
}

/// The form that refreshes.
pub(crate) fn renewal<'a>(client: &'a str, token: &'a str) -> [(&'a str, &'a str); 3] {
    [("grant_type", "refresh_token"), ("client_id", client), ("refresh_token", token)]
}

/// The sign-in form, with the hidden fields of its page.
pub(crate) fn sign_in<'a>(
    r: &'a str,
    csrf: &'a str,
    user: &'a str,
    password: &'a str,
) -> [(&'a str, &'a str); 5] {
    [("r", r), ("csrf", csrf), ("username", user), ("password", password), ("action", "sign-in")]
}

/// Keeps what a `Set-Cookie` line says, in a jar of names and values.
pub(crate) fn keep(jar: &mut BTreeMap<String, String>, line: &str) {
    let Some((name, rest)) = line.split_once('=') else { return };
    if line.contains("Max-Age=0") {
        jar.remove(name);
    } else {
        let value = rest.split(';').next().unwrap_or_default();
        jar.insert(name.to_owned(), value.to_owned());
    }
}

/// The jar as a `Cookie` header.
pub(crate) fn cookie_header(jar: &BTreeMap<String, String>) -> String {
    let pairs: Vec<String> = jar.iter().map(|(name, value)| format!("{name}={value}")).collect();
    pairs.join("; ")
}
