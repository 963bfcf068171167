//! The app's own requests, with the access token.

use crate::{AccessToken, Client, Error, TokenRequest};
use std::fmt;
use wasm_bindgen::prelude::JsValue;
use wasm_bindgen_futures::JsFuture;
use web_sys::{Request, RequestInit, Response, Url};

/// Why a request of the app brought no response.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub enum FetchError {
    /// There is no access token to send.
    Gatepass(Error),
    /// What the browser's `fetch` threw: the address or the options are wrong, or the resource
    /// cannot be reached.
    Browser(JsValue),
}

impl Client {
    /// `fetch` with the access token.
    ///
    /// The token goes to the page's own origin and to those in
    /// [`token_origins`](crate::Options::token_origins); a request to any other goes without. If the
    /// resource refuses the token as `invalid_token` (RFC 6750 3.1), the request is sent once more
    /// with another one; if there is none, the refusal is the response. A request that has an
    /// `Authorization` header already is sent as it is.
    ///
    /// # Errors
    /// [`FetchError::Gatepass`] with the codes of [`token`](Self::token) if there is no token;
    /// [`FetchError::Browser`] with what the browser's `fetch` throws. A response with an error
    /// status is a response.
    pub async fn fetch(&self, url: &str, init: &RequestInit) -> Result<Response, FetchError> {
        let request = Request::new_with_str_and_init(url, init)?;
        if request.headers().has(AUTHORIZATION)? {
            return send(&request).await;
        }
        // The request's own address is absolute: resolved as the browser will.
        let origin = Url::new(&request.url())?.origin();
        let asked = TokenRequest { origin: Some(origin), ..TokenRequest::default() };
        let Some(token) = self.token_not(asked.clone(), None).await? else {
            return send(&request).await;
        };
        // A body can be read once only, so the second request is made before the first is sent.
        let again = request.clone()?;
        let refusal = send(with(&request, &token)?).await?;
        if !is_token_refused(&refusal) {
            return Ok(refusal);
        }
        match self.token_not(asked, Some(token)).await {
            Ok(Some(token)) => send(with(&again, &token)?).await,
            // The session tells why there is none; the resource's own words are the answer.
            Ok(None) | Err(_) => Ok(refusal),
        }
    }
}

impl From<Error> for FetchError {
    fn from(error: Error) -> Self {
        Self::Gatepass(error)
    }
}

impl From<JsValue> for FetchError {
    fn from(thrown: JsValue) -> Self {
        Self::Browser(thrown)
    }
}

impl fmt::Display for FetchError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Gatepass(error) => error.fmt(f),
            Self::Browser(_) => f.write_str("the browser could not fetch"),
        }
    }
}

impl std::error::Error for FetchError {
    fn source(&self) -> Option<&(dyn std::error::Error + 'static)> {
        match self {
            Self::Gatepass(error) => Some(error),
            Self::Browser(_) => None,
        }
    }
}

fn with<'a>(request: &'a Request, token: &AccessToken) -> Result<&'a Request, JsValue> {
    request.headers().set(AUTHORIZATION, &format!("Bearer {}", token.as_str()))?;
    Ok(request)
}

async fn send(request: &Request) -> Result<Response, FetchError> {
    let window = web_sys::window().ok_or(JsValue::NULL)?;
    Ok(JsFuture::from(window.fetch_with_request(request)).await?.into())
}

/// Whether the resource says that the token is the reason (RFC 6750 3.1).
fn is_token_refused(response: &Response) -> bool {
    let challenge = response.headers().get("www-authenticate").ok().flatten();
    response.status() == 401 && challenge.is_some_and(|words| names_invalid_token(&words))
}

/// Whether `error` is `invalid_token`, quoted or not: a description may mention it too.
fn names_invalid_token(challenge: &str) -> bool {
    let plain = challenge.replace('"', "").to_ascii_lowercase();
    plain.split([' ', ',', '\t']).any(|parameter| parameter.trim() == "error=invalid_token")
}

const AUTHORIZATION: &str = "authorization";

#[cfg(test)]
mod tests {
    use super::names_invalid_token;

    #[test]
    fn only_the_error_itself_makes_a_refusal() {
        assert!(names_invalid_token(r#"Bearer realm="x", error="invalid_token""#));
        assert!(names_invalid_token("Bearer error=invalid_token, error_description=expired"));
        assert!(!names_invalid_token(r#"Bearer error="insufficient_scope""#));
        assert!(!names_invalid_token(r#"Bearer error_description="no invalid_token""#));
    }
}
