//! The provider's metadata (OIDC Discovery 1.0, RFC 8414).

use crate::{
    address::cut,
    config::Config,
    error::{Code, Error, Result},
    json::{Value, Writer, read},
    text::Text,
};

/// What a provider says about itself, as far as this client uses it.
#[derive(Clone, Debug)]
pub(crate) struct Metadata {
    pub(crate) authorization_endpoint: Text,
    pub(crate) token_endpoint: Text,
    pub(crate) jwks_uri: Text,
    pub(crate) userinfo_endpoint: Option<Text>,
    pub(crate) end_session_endpoint: Option<Text>,
    pub(crate) session_events_endpoint: Option<Text>,
    /// Session Management 1.0, 3.3.
    pub(crate) check_session_iframe: Option<Text>,
    /// RFC 7009, 2.
    pub(crate) revocation_endpoint: Option<Text>,
    /// RFC 9207, 3: whether every authorization response carries `iss`.
    pub(crate) promises_iss: bool,
}

/// Where the document is (OIDC Discovery 4.1: a terminating slash goes first).
pub(crate) fn address(issuer: &str) -> Text {
    let base = issuer.strip_suffix('/').unwrap_or(issuer);
    Text::concat(&[base, "/.well-known/openid-configuration"])
}

impl Metadata {
    /// Reads the document of the issuer.
    pub(crate) fn read(bytes: &[u8], config: &Config) -> Result<Self> {
        match read(bytes) {
            Ok(document @ Value::Object(_)) => Self::of(&document, config),
            _ => Err(invalid("document", "a JSON object", "something else")),
        }
    }

    /// What the document says.
    pub(crate) fn of(document: &Value, config: &Config) -> Result<Self> {
        // OIDC Discovery 4.3: exactly the issuer that was asked, else anybody could answer for it.
        let found = document.str("issuer").unwrap_or_default();
        if config.issuer != found {
            return Err(Error::new(Code::IssuerMismatch, "issuer", &config.issuer, found));
        }
        let endpoint = |name| match optional_endpoint(document, name, config) {
            Ok(None) => Err(invalid(name, "an https address", "")),
            Ok(Some(url)) => Ok(url),
            Err(error) => Err(error),
        };
        // Borrowed until all is known to be right: an early return has nothing to drop then.
        let authorization_endpoint = endpoint("authorization_endpoint")?;
        let token_endpoint = endpoint("token_endpoint")?;
        let jwks_uri = endpoint("jwks_uri")?;
        let userinfo_endpoint = optional_endpoint(document, "userinfo_endpoint", config)?;
        let end_session_endpoint = optional_endpoint(document, "end_session_endpoint", config)?;
        let revocation_endpoint = optional_endpoint(document, "revocation_endpoint", config)?;
        let session_events_endpoint =
            optional_endpoint(document, "session_events_endpoint", config)?;
        let check_session_iframe = optional_endpoint(document, "check_session_iframe", config)?;
        Ok(Self {
            authorization_endpoint: authorization_endpoint.into(),
            token_endpoint: token_endpoint.into(),
            jwks_uri: jwks_uri.into(),
            userinfo_endpoint: userinfo_endpoint.map(Into::into),
            end_session_endpoint: end_session_endpoint.map(Into::into),
            session_events_endpoint: session_events_endpoint.map(Into::into),
            check_session_iframe: check_session_iframe.map(Into::into),
            revocation_endpoint: revocation_endpoint.map(Into::into),
            promises_iss: document.get("authorization_response_iss_parameter_supported")
                == Some(&Value::Bool(true)),
        })
    }

    /// The document again, with the members that are used.
    pub(crate) fn write(&self, issuer: &str, writer: &mut Writer) {
        writer.open('{');
        writer.member("issuer", issuer);
        let endpoints = [
            ("authorization_endpoint", Some(&self.authorization_endpoint)),
            ("token_endpoint", Some(&self.token_endpoint)),
            ("jwks_uri", Some(&self.jwks_uri)),
            ("userinfo_endpoint", self.userinfo_endpoint.as_ref()),
            ("end_session_endpoint", self.end_session_endpoint.as_ref()),
            ("session_events_endpoint", self.session_events_endpoint.as_ref()),
            ("check_session_iframe", self.check_session_iframe.as_ref()),
            ("revocation_endpoint", self.revocation_endpoint.as_ref()),
        ];
        for (name, url) in endpoints {
            if let Some(url) = url {
                writer.member(name, url);
            }
        }
        if self.promises_iss {
            writer.name("authorization_response_iss_parameter_supported");
            writer.raw("true");
        }
        writer.close('}');
    }
}

fn optional_endpoint<'a>(
    document: &'a Value,
    name: &str,
    config: &Config,
) -> Result<Option<&'a str>> {
    match document.get(name) {
        None => Ok(None),
        // RFC 6749, 3.1: no fragment, behind which parameters would stay in the browser.
        Some(Value::String(url)) if config.may_use(url) && cut(url, b'#').is_none() => {
            Ok(Some(url))
        }
        Some(other) => {
            Err(invalid(name, "an https address", other.as_str().unwrap_or("another type")))
        }
    }
}

fn invalid(subject: &str, expected: &str, found: &str) -> Error {
    Error::new(Code::MetadataInvalid, subject, expected, found)
}
