//! The two cookies, and reading them.

use axum::http::{HeaderMap, HeaderValue, header};

use crate::secret::{Digest, Secret, base64url};

/// Cookie names, derived from the issuer: cookies ignore ports, so two providers on one host
/// differ by name only (design.md, Cookies; C12).
#[derive(Clone, Debug)]
pub(crate) struct CookieNames {
    /// Holds the SSO session.
    pub(crate) session: String,
    /// Marks a browser before anybody signed in, so that a form belongs to the browser it was
    /// sent to (login CSRF).
    pub(crate) browser: String,
}

impl CookieNames {
    pub(crate) fn of_issuer(issuer: &str) -> Self {
        let mark = base64url(&Digest::of(issuer.as_bytes()).bytes()[..6]);
        // `-` and `_` are fine in cookie names (RFC 6265, 4.1.1: a token of RFC 2616).
        Self { session: format!("__Host-sso-{mark}"), browser: format!("__Host-pre-{mark}") }
    }

    /// The value of the session cookie that came.
    pub(crate) fn session_of(&self, headers: &HeaderMap) -> Option<Secret> {
        value(headers, &self.session)
    }

    /// The value of the pre-session cookie that came.
    pub(crate) fn browser_of(&self, headers: &HeaderMap) -> Option<Secret> {
        value(headers, &self.browser)
    }
}

/// A `Set-Cookie` value. `__Host-` demands `Secure`, `Path=/` and no `Domain`. No `Max-Age`: the
/// cookie ends with the browser, the session by its own lifetimes.
pub(crate) fn set(name: &str, value: &Secret) -> Option<HeaderValue> {
    let text = format!("{name}={}; Path=/; Secure; HttpOnly; SameSite=Lax", value.expose());
    let mut value = HeaderValue::from_str(&text).ok()?;
    value.set_sensitive(true);
    Some(value)
}

/// A `Set-Cookie` value that removes the cookie.
pub(crate) fn clear(name: &str) -> Option<HeaderValue> {
    HeaderValue::from_str(&format!("{name}=; Path=/; Max-Age=0; Secure; HttpOnly; SameSite=Lax"))
        .ok()
}

fn value(headers: &HeaderMap, name: &str) -> Option<Secret> {
    headers
        .get_all(header::COOKIE)
        .iter()
        .filter_map(|line| line.to_str().ok())
        .flat_map(|line| line.split(';'))
        .filter_map(|pair| pair.trim().split_once('='))
        .find(|(own, value)| *own == name && !value.is_empty())
        .map(|(_, value)| Secret::new(value))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn op11_cookie_has_all_its_attributes() {
        let names = CookieNames::of_issuer("http://idp.localhost:8083");
        let line = set(&names.session, &Secret::new("v")).unwrap();
        let line = line.to_str().unwrap();
        assert!(line.starts_with("__Host-sso-"), "{line}");
        assert!(line.ends_with("=v; Path=/; Secure; HttpOnly; SameSite=Lax"), "{line}");
    }

    #[test]
    fn names_differ_by_issuer_even_by_port_only() {
        let one = CookieNames::of_issuer("http://idp.localhost:8083");
        let two = CookieNames::of_issuer("http://idp.localhost:9083");
        assert_ne!(one.session, two.session);
        assert_ne!(one.browser, two.browser);
    }

    #[test]
    fn reads_one_cookie_of_many() {
        let mut headers = HeaderMap::new();
        headers.insert(header::COOKIE, HeaderValue::from_static("a=1; xb=2; b=3;c=4"));
        headers.append(header::COOKIE, HeaderValue::from_static("d=5"));
        let read = |name| value(&headers, name).map(|v| v.expose().to_owned());
        assert_eq!(read("b").as_deref(), Some("3"));
        assert_eq!(read("d").as_deref(), Some("5"));
        assert_eq!(read("x"), None);
    }
}
