//! A login by script: authorization code with PKCE, as a browser and an app would do it.

use anyhow::{Context, Result, bail, ensure};
use base64ct::{Base64UrlUnpadded, Encoding};
use hyper::header::{self, HeaderValue};
use hyper::{HeaderMap, StatusCode};
use jsonwebtoken::jwk::JwkSet;
use jsonwebtoken::{DecodingKey, Validation};
use serde::Deserialize;
use sha2::{Digest, Sha256};
use std::collections::BTreeMap;
use url::form_urlencoded::Serializer;

use crate::connection::{Connection, Reply};
use crate::server::{Alg, CLIENT_ID, PASSWORD, REDIRECT_URI, USERNAME};

/// What discovery says, as far as a login needs it.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct Metadata {
    pub(crate) issuer: String,
    authorization_endpoint: String,
    token_endpoint: String,
    jwks_uri: String,
}

/// What a login gives.
#[derive(Debug, Deserialize)]
pub(crate) struct Tokens {
    pub(crate) id_token: String,
    pub(crate) access_token: String,
}

/// Where every provider has its metadata.
pub(crate) const DISCOVERY: &str = "/.well-known/openid-configuration";

/// Fetches the metadata.
///
/// # Errors
/// When it is not there.
pub(crate) async fn discover(connection: &mut Connection) -> Result<Metadata> {
    let reply = connection.get(DISCOVERY, HeaderMap::new()).await?;
    ensure!(reply.status == StatusCode::OK, "discovery: {}", reply.status);
    Ok(serde_json::from_slice(&reply.body)?)
}

/// A browser, as far as a login needs one: a jar of cookies.
#[derive(Clone, Debug, Default)]
pub(crate) struct Browser {
    cookies: BTreeMap<String, String>,
}

impl Browser {
    /// Signs in at the client, by the form or by the session that the browser has.
    ///
    /// # Errors
    /// When no tokens come of it.
    pub(crate) async fn sign_in(
        &mut self,
        connection: &mut Connection,
        metadata: &Metadata,
    ) -> Result<Tokens> {
        self.sign_in_at(connection, metadata, CLIENT_ID).await
    }

    /// The same at one of many clients.
    ///
    /// # Errors
    /// When no tokens come of it.
    pub(crate) async fn sign_in_at(
        &mut self,
        connection: &mut Connection,
        metadata: &Metadata,
        client_id: &str,
    ) -> Result<Tokens> {
        let verifier = verifier();
        let query = Serializer::new(String::new())
            .append_pair("client_id", client_id)
            .append_pair("redirect_uri", REDIRECT_URI)
            .append_pair("response_type", "code")
            .append_pair("scope", "openid profile email")
            .append_pair("state", "state")
            .append_pair("nonce", "nonce")
            .append_pair("code_challenge", &challenge(&verifier))
            .append_pair("code_challenge_method", "S256")
            .finish();
        let path = format!("{}?{query}", path_of(&metadata.authorization_endpoint)?);
        let code = self.code(connection, path).await?;
        let form = Serializer::new(String::new())
            .append_pair("grant_type", "authorization_code")
            .append_pair("client_id", client_id)
            .append_pair("redirect_uri", REDIRECT_URI)
            .append_pair("code", &code)
            .append_pair("code_verifier", &verifier)
            .finish();
        let path = path_of(&metadata.token_endpoint)?;
        // An app's request, not the browser's: without its cookies.
        let reply = connection.post(&path, HeaderMap::new(), form).await?;
        ensure!(reply.status == StatusCode::OK, "the token request was answered {}", reply.status);
        Ok(serde_json::from_slice(&reply.body)?)
    }

    /// Follows the provider's redirects and fills in its form, until it gives a code.
    async fn code(&mut self, connection: &mut Connection, first: String) -> Result<String> {
        let mut path = first;
        for _ in 0..REDIRECTS {
            let reply = if path.starts_with("/interaction/") {
                self.post(connection, &path, form(&[])).await?
            } else {
                self.get(connection, &path).await?
            };
            let reply = match reply.status {
                StatusCode::OK => {
                    let page = std::str::from_utf8(&reply.body)?;
                    let hidden = |name| Ok::<_, anyhow::Error>((name, hidden(page, name)?));
                    self.post(connection, "/login", form(&[hidden("r")?, hidden("csrf")?])).await?
                }
                _ => reply,
            };
            let location = reply.headers.get(header::LOCATION).map(HeaderValue::to_str);
            let location = location
                .with_context(|| format!("a login was answered {}, no redirect", reply.status))??;
            if location.starts_with(REDIRECT_URI) {
                return code_of(location);
            }
            path = path_of(location)?;
        }
        bail!("a login is redirected without an end")
    }

    /// Fetches a path with the cookies, and keeps those that come.
    ///
    /// # Errors
    /// When the connection breaks.
    pub(crate) async fn get(&mut self, connection: &mut Connection, path: &str) -> Result<Reply> {
        let reply = connection.get(path, self.headers()?).await?;
        self.keep(&reply);
        Ok(reply)
    }

    async fn post(
        &mut self,
        connection: &mut Connection,
        path: &str,
        form: String,
    ) -> Result<Reply> {
        let reply = connection.post(path, self.headers()?, form).await?;
        self.keep(&reply);
        Ok(reply)
    }

    fn headers(&self) -> Result<HeaderMap> {
        let mut headers = HeaderMap::new();
        if !self.cookies.is_empty() {
            let pairs: Vec<_> =
                self.cookies.iter().map(|(name, value)| format!("{name}={value}")).collect();
            headers.insert(header::COOKIE, HeaderValue::from_str(&pairs.join("; "))?);
        }
        Ok(headers)
    }

    fn keep(&mut self, reply: &Reply) {
        for line in reply.headers.get_all(header::SET_COOKIE) {
            let pair = line.to_str().ok().and_then(|line| line.split(';').next());
            if let Some((name, value)) = pair.and_then(|pair| pair.split_once('=')) {
                self.cookies.insert(name.to_owned(), value.to_owned());
            }
        }
    }
}

/// Verifies an ID token by the provider's published keys.
///
/// # Errors
/// When it is not good.
pub(crate) async fn verify(
    connection: &mut Connection,
    metadata: &Metadata,
    token: &str,
    alg: Alg,
) -> Result<()> {
    let path = path_of(&metadata.jwks_uri)?;
    let reply = connection.get(&path, HeaderMap::new()).await?;
    ensure!(reply.status == StatusCode::OK, "the keys: {}", reply.status);
    let keys: JwkSet = serde_json::from_slice(&reply.body)?;
    let kid = jsonwebtoken::decode_header(token)?.kid.context("the ID token names no key")?;
    let key = keys.find(&kid).context("the ID token's key is not published")?;
    let mut rules = Validation::new(match alg {
        Alg::Es256 => jsonwebtoken::Algorithm::ES256,
        Alg::Rs256 => jsonwebtoken::Algorithm::RS256,
    });
    rules.set_audience(&[CLIENT_ID]);
    rules.set_issuer(&[&metadata.issuer]);
    let claims: serde_json::Value =
        jsonwebtoken::decode(token, &DecodingKey::from_jwk(key)?, &rules)?.claims;
    ensure!(claims["nonce"] == "nonce", "the ID token has another nonce");
    Ok(())
}

/// A path and query of this machine's provider.
pub(crate) fn path_of(address: &str) -> Result<String> {
    if address.starts_with('/') {
        return Ok(address.to_owned());
    }
    let url = url::Url::parse(address)?;
    Ok(match url.query() {
        Some(query) => format!("{}?{query}", url.path()),
        None => url.path().to_owned(),
    })
}

fn code_of(callback: &str) -> Result<String> {
    let url = url::Url::parse(callback)?;
    let code = url.query_pairs().find(|(name, _)| name == "code");
    Ok(code.context("the callback has no code")?.1.into_owned())
}

/// The sign-in form as it is sent.
fn form(hidden: &[(&str, &str)]) -> String {
    Serializer::new(String::new())
        .extend_pairs(hidden)
        .append_pair("username", USERNAME)
        .append_pair("password", PASSWORD)
        .append_pair("action", "sign-in")
        .finish()
}

/// A hidden field of idp-dev's sign-in page, whose values are base64url.
fn hidden<'a>(page: &'a str, name: &str) -> Result<&'a str> {
    let field = format!("name=\"{name}\" value=\"");
    let value = page.split_once(&field).and_then(|(_, rest)| rest.split('"').next());
    value.with_context(|| format!("the sign-in page has no field {name}"))
}

/// Fresh for each login, which is all that a measurement needs of it.
fn verifier() -> String {
    use std::hash::{BuildHasher, RandomState};
    let words = [0, 1, 2, 3].map(|word: u8| RandomState::new().hash_one(word).to_be_bytes());
    Base64UrlUnpadded::encode_string(words.as_flattened())
}

/// RFC 7636, 4.2.
fn challenge(verifier: &str) -> String {
    Base64UrlUnpadded::encode_string(&Sha256::digest(verifier))
}

const REDIRECTS: usize = 8;

#[cfg(test)]
mod tests {
    use super::*;

    /// The example of RFC 7636, appendix B.
    #[test]
    fn challenge_is_that_of_rfc_7636() {
        let verifier = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk";
        assert_eq!(challenge(verifier), "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM");
    }

    #[test]
    fn verifiers_differ_and_are_long_enough() {
        assert_eq!(verifier().len(), 43);
        assert_ne!(verifier(), verifier());
    }

    #[test]
    fn reads_codes_paths_and_fields() {
        assert_eq!(code_of("http://app.localhost/?code=a%20b&state=x").unwrap(), "a b");
        assert!(code_of("http://app.localhost/?error=access_denied").is_err());
        assert_eq!(path_of("http://localhost:1/auth/x?y=z").unwrap(), "/auth/x?y=z");
        assert_eq!(path_of("/login?r=1").unwrap(), "/login?r=1");
        let page = "<input type=\"hidden\" name=\"r\" value=\"abc\">";
        assert_eq!(hidden(page, "r").unwrap(), "abc");
        assert!(hidden(page, "csrf").is_err());
    }
}
