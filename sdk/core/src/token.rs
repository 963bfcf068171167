//! Token requests and responses (OIDC Core 3.1.3 and 12, RFC 6749).

use crate::{
    address,
    authorization::refusal,
    config::Config,
    error::{Code, Error, Result},
    json::{Value, read},
    secret::Secret,
    text::Text,
    time::{Seconds, UnixTime},
    wire::Response,
};
use alloc::vec::Vec;

/// What a session may use.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Tokens {
    pub(crate) access_token: Secret,
    /// By the provider's clock; `None` if it does not say.
    pub(crate) expires_at: Option<UnixTime>,
    pub(crate) refresh_token: Option<Secret>,
    /// Access tokens for something else than the session's own is for.
    pub(crate) others: Vec<OtherToken>,
}

/// What an access token is for: a resource (RFC 8707, 2), or less than was granted (RFC 6749, 6). The
/// session's own token has neither.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(crate) struct Target {
    pub(crate) resource: Text,
    pub(crate) scope: Text,
}

/// An access token of the session's grant for one target.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct OtherToken {
    pub(crate) target: Target,
    pub(crate) access_token: Secret,
    pub(crate) expires_at: Option<UnixTime>,
}

/// How many other tokens are kept: more than an app has APIs.
const OTHER_TOKENS: usize = 16;

impl Target {
    pub(crate) fn is_own(&self) -> bool {
        self.resource.is_empty() && self.scope.is_empty()
    }
}

impl Tokens {
    /// The access token for a target, and when it expires.
    pub(crate) fn find(&self, target: &Target) -> Option<(&Secret, Option<UnixTime>)> {
        if target.is_own() {
            return Some((&self.access_token, self.expires_at));
        }
        let other = self.others.iter().find(|other| other.target == *target)?;
        Some((&other.access_token, other.expires_at))
    }

    /// Takes over what a refresh for a target has brought.
    pub(crate) fn renew(&mut self, target: Target, new: Self) {
        // RFC 6749, 6: without a new refresh token the old one stays good.
        if new.refresh_token.is_some() {
            self.refresh_token = new.refresh_token;
        }
        let Self { access_token, expires_at, .. } = new;
        if target.is_own() {
            self.access_token = access_token;
            self.expires_at = expires_at;
            return;
        }
        self.others.retain(|other| other.target != target);
        if self.others.len() == OTHER_TOKENS {
            self.others.remove(0);
        }
        self.others.push(OtherToken { target, access_token, expires_at });
    }
}

/// A token response: the tokens, and the ID token as it came.
#[derive(Clone, Debug)]
pub(crate) struct TokenResponse {
    pub(crate) tokens: Tokens,
    pub(crate) id_token: Option<Text>,
}

/// The form that redeems a code (OIDC Core 3.1.3.1, RFC 7636, 4.5).
pub(crate) fn code_form(
    config: &Config,
    redirect_uri: &str,
    code: &Secret,
    verifier: &Secret,
) -> Secret {
    Secret(address::form(&[
        ("grant_type", "authorization_code"),
        ("client_id", &config.client_id),
        ("redirect_uri", redirect_uri),
        ("code", &code.0),
        ("code_verifier", &verifier.0),
    ]))
}

/// The form that refreshes (OIDC Core 12.1) for a target (RFC 8707, 2.2).
pub(crate) fn refresh_form(config: &Config, refresh_token: &Secret, target: &Target) -> Secret {
    Secret(address::form(&[
        ("grant_type", "refresh_token"),
        ("client_id", &config.client_id),
        ("refresh_token", &refresh_token.0),
        ("resource", &target.resource),
        ("scope", &target.scope),
    ]))
}

/// The form that takes a grant back (RFC 7009, 2.1): by its refresh token, which ends its access
/// tokens too, or by the access token where there is no other.
pub(crate) fn revocation_form(config: &Config, tokens: &Tokens) -> Secret {
    let (token, hint) = match &tokens.refresh_token {
        Some(token) => (token, "refresh_token"),
        None => (&tokens.access_token, "access_token"),
    };
    Secret(address::form(&[
        ("token", &token.0),
        ("token_type_hint", hint),
        ("client_id", &config.client_id),
    ]))
}

/// Reads the token endpoint's answer (OIDC Core 3.1.3.3 and 3.1.3.4) to a request that held these
/// secrets.
pub(crate) fn read_response(
    head: &Response,
    body: &[u8],
    now: UnixTime,
    secrets: &[&Secret],
) -> Result<TokenResponse> {
    let document = read(body).ok();
    let document = document.as_ref();
    // A 200 with an `error` is an error too: whoever answers so has issued nothing.
    if let Some(error) = document.and_then(|document| document.get("error")) {
        let error = error.as_str().unwrap_or("an error that is no text");
        let description = document.and_then(|document| document.str("error_description"));
        return Err(refusal(error, description.unwrap_or_default(), secrets));
    }
    if head.status != 200 {
        let status = crate::claims::number(head.status.into());
        let code =
            if head.status >= 500 { Code::IssuerUnreachable } else { Code::TokenResponseInvalid };
        return Err(Error::new(code, "token_endpoint", "200", &status));
    }
    let Some(document @ Value::Object(_)) = document else {
        return Err(invalid("token_endpoint", "a JSON object", "something else"));
    };
    let text = |name| match document.get(name) {
        None => Ok(None),
        Some(Value::String(text)) if !text.is_empty() => Ok(Some(text.as_str())),
        Some(_) => Err(invalid(name, "a string", "another type")),
    };
    // Borrowed until all is known to be right: an early return has nothing to drop then.
    let Some(access_token) = text("access_token")? else {
        return Err(invalid("access_token", "a string", ""));
    };
    // RFC 6749, A.12, and RFC 6750, 2.1: it becomes part of a header.
    if !access_token.bytes().all(|byte| byte.is_ascii_graphic()) {
        return Err(invalid("access_token", "visible ASCII characters", "others"));
    }
    // RFC 6749, 5.1: the type is case insensitive.
    let token_type = text("token_type")?.unwrap_or_default();
    if !token_type.eq_ignore_ascii_case("Bearer") {
        return Err(invalid("token_type", "Bearer", token_type));
    }
    // RFC 6749, 5.1: `expires_in` may be left out. A string is a common mistake that means the
    // same; anything else is refused.
    let expires_in = match document.get("expires_in") {
        None => None,
        Some(Value::Integer(seconds)) if *seconds >= 0 => Some(*seconds),
        Some(Value::String(text)) => match text.parse::<u32>() {
            Ok(seconds) => Some(seconds.into()),
            Err(_) => return Err(invalid("expires_in", "seconds", "another text")),
        },
        Some(_) => return Err(invalid("expires_in", "seconds", "something else")),
    };
    let (refresh_token, id_token) = (text("refresh_token")?, text("id_token")?);
    let tokens = Tokens {
        access_token: Secret(access_token.into()),
        expires_at: expires_in.map(|seconds| now.plus(Seconds(seconds))),
        refresh_token: refresh_token.map(|text| Secret(text.into())),
        others: Vec::new(),
    };
    Ok(TokenResponse { tokens, id_token: id_token.map(Into::into) })
}

fn invalid(subject: &str, expected: &str, found: &str) -> Error {
    Error::new(Code::TokenResponseInvalid, subject, expected, found)
}
