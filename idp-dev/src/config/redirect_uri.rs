//! Redirect URIs and origins, checked when the configuration is read.

use url::Url;

use crate::authorization_request::ResponseMode;

/// A registered redirect URI: compared as a string and never normalised
/// (RFC 9700, 4.1.3: exact string matching).
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RedirectUri {
    text: String,
    origin: Option<Origin>,
}

impl RedirectUri {
    /// Checks a URI that is to be registered; the error says what a good one looks like.
    ///
    /// # Errors
    /// What was expected, in words.
    pub fn parse(text: &str) -> Result<Self, &'static str> {
        // Goes into a `Location` header as it is, so only visible ASCII is safe.
        if !text.bytes().all(|byte| byte.is_ascii_graphic()) {
            return Err("an absolute URI of visible ASCII characters");
        }
        let url = Url::parse(text).map_err(|_| "an absolute URI")?;
        if text.contains('#') {
            return Err("a URI without a fragment (RFC 6749, 3.1.2)");
        }
        if !url.username().is_empty() || url.password().is_some() {
            return Err("a URI without a username or password");
        }
        match url.scheme() {
            "http" | "https" if url.host().is_some() => {
                let origin = Origin(url.origin().ascii_serialization());
                Ok(Self { text: text.to_owned(), origin: Some(origin) })
            }
            // Native apps: RFC 8252, 7.1 wants a reversed domain name, so a dot.
            scheme if scheme.contains('.') => Ok(Self { text: text.to_owned(), origin: None }),
            _ => Err("a URI with http, https or a private scheme such as com.example.app"),
        }
    }

    /// The URI, byte for byte as registered.
    pub fn as_str(&self) -> &str {
        &self.text
    }

    /// The origin that it lies on; a private scheme has none.
    pub(crate) fn origin(&self) -> Option<&str> {
        self.origin.as_ref().map(|origin| origin.0.as_str())
    }

    /// Is `origin` the one that this URI lies on?
    pub fn has_origin(&self, origin: &str) -> bool {
        self.origin.as_ref().is_some_and(|own| own.0 == origin)
    }

    /// The URI with further query parameters, form-encoded (RFC 6749, 4.1.2).
    pub(crate) fn with_query(&self, params: &[(&str, &str)]) -> String {
        if params.is_empty() {
            return self.text.clone();
        }
        let separator = if self.text.contains('?') { '&' } else { '?' };
        format!("{}{separator}{}", self.text, encoded(params))
    }

    /// The URI with an authorization response's parameters, form-encoded in the query (RFC 6749,
    /// 4.1.2) or in the fragment (4.2.2). The registered URI has no fragment of its own.
    pub(crate) fn with_answer(&self, mode: ResponseMode, params: &[(&str, &str)]) -> String {
        match mode {
            ResponseMode::Query => self.with_query(params),
            ResponseMode::Fragment => format!("{}#{}", self.text, encoded(params)),
        }
    }

    /// The URI without its query: fit for the timeline.
    pub(crate) fn without_query(&self) -> &str {
        self.text.split('?').next().unwrap_or(&self.text)
    }

    /// What a person recognises: host and port, or the scheme of a native app.
    pub(crate) fn place(&self) -> &str {
        match &self.origin {
            Some(origin) => origin.0.split("://").nth(1).unwrap_or(&origin.0),
            None => self.text.split(':').next().unwrap_or(&self.text),
        }
    }
}

fn encoded(params: &[(&str, &str)]) -> String {
    url::form_urlencoded::Serializer::new(String::new()).extend_pairs(params).finish()
}

/// An origin as browsers serialise it: scheme, host, port if not the default.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Origin(String);

impl Origin {
    /// Checks text that is to be an origin.
    ///
    /// # Errors
    /// What was expected, in words.
    pub fn parse(text: &str) -> Result<Self, &'static str> {
        const EXPECTED: &str = "an origin such as http://localhost:8080, without a path";
        let url = Url::parse(text).map_err(|_| EXPECTED)?;
        let origin = url.origin().ascii_serialization();
        let is_http = matches!(url.scheme(), "http" | "https");
        if is_http && origin == text { Ok(Self(origin)) } else { Err(EXPECTED) }
    }

    /// The origin as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn op1_refuses_uris_that_could_not_be_matched_safely() {
        for bad in [
            "",
            "/callback",
            "//host/",
            "app.example/cb",
            "http://",
            "http://host/#frag",
            "http://host/#",
            "http://user@host/",
            "http://user:pw@host/",
            "javascript:alert(1)",
            "data:text/html,x",
            "file:///etc/passwd",
            "http://host/a b",
            "http://host/\r\nX: y",
            "http://hóst/",
        ] {
            assert!(RedirectUri::parse(bad).is_err(), "{bad:?}");
        }
    }

    #[test]
    fn op1_keeps_the_registered_text() {
        for good in
            ["http://app.localhost:8081/", "https://app.example/cb?x=1", "com.example.app:/cb"]
        {
            assert_eq!(RedirectUri::parse(good).unwrap().as_str(), good);
        }
    }

    #[test]
    fn op28_encodes_what_it_appends() {
        let uri = RedirectUri::parse("http://a.example/?x=1").unwrap();
        let location = uri.with_query(&[("state", "a b&c=d\r\nX: y#é")]);
        assert_eq!(location, "http://a.example/?x=1&state=a+b%26c%3Dd%0D%0AX%3A+y%23%C3%A9");
    }

    #[test]
    fn op28_encodes_the_fragment_too() {
        let uri = RedirectUri::parse("http://a.example/?x=1").unwrap();
        let answer = uri.with_answer(ResponseMode::Fragment, &[("state", "a b&c=d\r\nX: y#é")]);
        assert_eq!(answer, "http://a.example/?x=1#state=a+b%26c%3Dd%0D%0AX%3A+y%23%C3%A9");
    }

    #[test]
    fn op21_origin_is_exact() {
        assert!(Origin::parse("http://localhost:8080").is_ok());
        for bad in
            ["http://localhost:8080/", "http://localhost:80", "HTTP://localhost", "null", "*"]
        {
            assert!(Origin::parse(bad).is_err(), "{bad}");
        }
    }
}
