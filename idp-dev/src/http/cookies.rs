//! The cookies, and reading them.

use axum::http::{HeaderMap, HeaderValue, header};

use crate::clock::Seconds;
use crate::secret::{Digest, Secret, base64url};

/// Cookie names, derived from the issuer: cookies ignore ports, so two providers on one host
/// differ by name only (design.md, Cookies; C12).
#[derive(Clone, Debug)]
pub(crate) struct CookieNames {
    /// Holds the SSO session.
    pub(crate) session: String,
    /// Names the SSO session in frames of other sites, for `prompt=none` only.
    pub(crate) silent: String,
    /// Tells frames of ours whether the session changed (Session Management 1.0, 3.2). Scripts of
    /// our origin may read it: it opens nothing.
    pub(crate) state: String,
    /// Marks a browser before anybody signed in, so that a form belongs to the browser it was
    /// sent to (login CSRF).
    pub(crate) browser: String,
    /// Where they go to: everywhere, or below the path of a scenario's issuer.
    path: String,
}

impl CookieNames {
    pub(crate) fn of_issuer(issuer: &str) -> Self {
        let mark = base64url(&Digest::of(issuer.as_bytes()).bytes()[..6]);
        let path = issuer.splitn(4, '/').nth(3).map(|path| format!("/{path}"));
        // `__Host-` demands the path `/`. There are many scenarios: their cookies would crowd out
        // the others.
        let prefix = if path.is_some() { "__Secure-" } else { "__Host-" };
        // `-` and `_` are fine in cookie names (RFC 6265, 4.1.1: a token of RFC 2616).
        Self {
            session: format!("{prefix}sso-{mark}"),
            silent: format!("{prefix}silent-{mark}"),
            state: format!("{prefix}state-{mark}"),
            browser: format!("{prefix}pre-{mark}"),
            path: path.unwrap_or_else(|| "/".to_owned()),
        }
    }

    /// The value of the session cookie that came.
    pub(crate) fn session_of(&self, headers: &HeaderMap) -> Option<Secret> {
        value(headers, &self.session)
    }

    /// The value of the silent cookie that came. Only for requests that show nothing and change
    /// nothing but the app's own part: any site can make a browser send this cookie.
    pub(crate) fn silent_of(&self, headers: &HeaderMap) -> Option<Secret> {
        value(headers, &self.silent)
    }

    /// Did the cookie come that tells frames whether the session changed?
    pub(crate) fn state_of(&self, headers: &HeaderMap) -> Option<Secret> {
        value(headers, &self.state)
    }

    /// The value of the pre-session cookie that came.
    pub(crate) fn browser_of(&self, headers: &HeaderMap) -> Option<Secret> {
        value(headers, &self.browser)
    }
}

/// When browsers send a cookie along with requests that other sites make.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum SameSite {
    /// When the person goes here.
    Lax,
    /// Always, unless the browser blocks third-party cookies.
    None,
}

impl SameSite {
    const fn name(self) -> &'static str {
        match self {
            Self::Lax => "Lax",
            Self::None => "None",
        }
    }
}

/// A `Set-Cookie` value. `__Host-` demands `Secure`, `Path=/` and no `Domain`. Without a lifetime
/// the cookie ends with the browser; the session ends by its own lifetimes.
pub(crate) fn set(
    names: &CookieNames,
    name: &str,
    value: &Secret,
    same_site: SameSite,
    lifetime: Option<Seconds>,
) -> Option<HeaderValue> {
    let (path, age) = (&names.path, max_age(lifetime));
    let (value, same_site) = (value.expose(), same_site.name());
    let text = format!("{name}={value}; Path={path};{age} Secure; HttpOnly; SameSite={same_site}");
    let mut value = HeaderValue::from_str(&text).ok()?;
    value.set_sensitive(true);
    Some(value)
}

/// The `Set-Cookie` value of the one cookie that scripts of our origin may read. It is never taken
/// away, only changed: a frame that sees none cannot tell a sign-out from a browser that blocks it.
pub(crate) fn set_state(
    names: &CookieNames,
    value: &str,
    lifetime: Option<Seconds>,
) -> Option<HeaderValue> {
    let (name, path, age) = (&names.state, &names.path, max_age(lifetime));
    HeaderValue::from_str(&format!("{name}={value}; Path={path};{age} Secure; SameSite=None")).ok()
}

fn max_age(lifetime: Option<Seconds>) -> String {
    lifetime.map_or_else(String::new, |seconds| format!(" Max-Age={};", seconds.0))
}

/// A `Set-Cookie` value that removes the cookie.
pub(crate) fn clear(names: &CookieNames, name: &str, same_site: SameSite) -> Option<HeaderValue> {
    let path = &names.path;
    let same_site = same_site.name();
    let text = format!("{name}=; Path={path}; Max-Age=0; Secure; HttpOnly; SameSite={same_site}");
    HeaderValue::from_str(&text).ok()
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
        let written = |name: &str, same_site| {
            let line = set(&names, name, &Secret::new("v"), same_site, None).unwrap();
            line.to_str().unwrap().to_owned()
        };
        let line = written(&names.session, SameSite::Lax);
        assert!(line.starts_with("__Host-sso-"), "{line}");
        assert!(line.ends_with("=v; Path=/; Secure; HttpOnly; SameSite=Lax"), "{line}");
        let line = written(&names.silent, SameSite::None);
        assert!(line.starts_with("__Host-silent-"), "{line}");
        assert!(line.ends_with("=v; Path=/; Secure; HttpOnly; SameSite=None"), "{line}");
    }

    #[test]
    fn names_differ_by_issuer_even_by_port_only() {
        let one = CookieNames::of_issuer("http://idp.localhost:8083");
        let two = CookieNames::of_issuer("http://idp.localhost:9083");
        assert_ne!(one.session, two.session);
        assert_ne!(one.silent, two.silent);
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
