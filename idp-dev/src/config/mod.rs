//! The configuration: users, clients, lifetimes. Read from TOML, checked once, then trusted.

mod clients;
mod error;
mod file;
mod limits;
mod logout;
mod logout_scope;
mod place;
mod redirect_uri;
mod shape;
mod users;

use std::sync::Arc;

use serde_json::{Map, Value};
use url::{Host, Url};

use crate::clock::Seconds;
use crate::keys::SigningAlg;
use crate::scenario::Switch;
use crate::secret::{Digest, Secret, base64url};

pub use error::ConfigError;
pub use limits::Limits;
pub(crate) use logout_scope::LogoutScope;
pub use redirect_uri::{Origin, RedirectUri};
pub(crate) use users::is_email;

/// A checked configuration.
///
/// ```
/// let config = idp_dev::Config::parse("idp.toml", idp_dev::Config::EXAMPLE)?;
/// assert_eq!(config.with_port(8083).issuer(), "http://idp.localhost:8083");
/// # Ok::<(), idp_dev::ConfigError>(())
/// ```
#[derive(Clone, Debug)]
pub struct Config {
    pub(crate) issuer: String,
    pub(crate) observers: Vec<Origin>,
    pub(crate) idle_lifetime: Seconds,
    pub(crate) absolute_lifetime: Seconds,
    /// How long the refresh token before the current one may still be used.
    pub(crate) refresh_token_grace: Seconds,
    /// How far a sign-out reaches where the app says nothing else.
    pub(crate) logout_scope: LogoutScope,
    pub(crate) limits: Limits,
    /// Are session events offered?
    pub(crate) has_session_events: bool,
    /// Is HTTP/2 spoken where https is?
    pub(crate) speaks_http2: bool,
    /// May logout tokens go to other machines?
    pub(crate) delivers_anywhere: bool,
    pub(crate) lists_demo_accounts: bool,
    pub(crate) users: Vec<Arc<User>>,
    pub(crate) clients: Vec<Arc<Client>>,
    pub(crate) resource_servers: Vec<ResourceServer>,
    /// The lies that are told from the start.
    pub(crate) scenarios: Vec<Switch>,
}

impl Config {
    /// The commented example that `--print-config` prints: the two demo apps and three users.
    pub const EXAMPLE: &'static str = include_str!("example.toml");

    /// Reads and checks TOML text; `name` is the file's name for messages.
    ///
    /// # Errors
    /// [`ConfigError`] with the line, what was expected and what was found.
    pub fn parse(name: &str, text: &str) -> Result<Self, ConfigError> {
        file::parse(name, text)
    }

    /// Is HTTP/2 spoken where https is?
    #[must_use]
    pub fn speaks_http2(&self) -> bool {
        self.speaks_http2
    }

    /// The same configuration with `{port}` in the issuer replaced.
    #[must_use]
    pub fn with_port(mut self, port: u16) -> Self {
        self.issuer = self.issuer.replace(PORT_PLACEHOLDER, &port.to_string());
        self
    }

    /// The issuer identifier: exact, without a trailing slash.
    pub fn issuer(&self) -> &str {
        &self.issuer
    }

    /// The issuer without its path. Only the issuers of scenarios have one.
    pub(crate) fn origin(&self) -> &str {
        let after = self.issuer.find("://").map_or(0, |at| at + 3);
        match self.issuer.get(after..).and_then(|rest| rest.find('/')) {
            Some(end) => self.issuer.get(..after + end).unwrap_or(&self.issuer),
            None => &self.issuer,
        }
    }

    /// Do browsers keep our `Secure` cookies there? With https, and over plain http at names and
    /// addresses that never leave the machine (Secure Contexts 3.1).
    pub fn keeps_secure_cookies(&self) -> bool {
        let issuer = self.issuer.replace(PORT_PLACEHOLDER, "65535");
        Url::parse(&issuer).is_ok_and(|url| url.scheme() == "https" || is_on_this_machine(&url))
    }

    /// How much may be open or kept.
    pub fn limits(&self) -> Limits {
        self.limits
    }

    /// May logout tokens go to other machines, over plain http?
    pub fn delivers_anywhere(&self) -> bool {
        self.delivers_anywhere
    }

    /// Usernames whose password stands in the file as plain text.
    pub fn users_with_plain_password(&self) -> impl Iterator<Item = &str> {
        self.users
            .iter()
            .filter(|user| matches!(user.password, Password::Plain(_)))
            .map(|user| user.username.as_str())
    }

    pub(crate) fn client(&self, id: &str) -> Option<&Arc<Client>> {
        self.clients.iter().find(|client| client.id == id)
    }

    /// Does any client get tokens of this algorithm?
    pub(crate) fn signs_with(&self, alg: SigningAlg) -> bool {
        self.clients.iter().any(|client| client.id_token_signed_response_alg == alg)
    }

    pub(crate) fn resource_server(&self, id: &str) -> Option<&ResourceServer> {
        self.resource_servers.iter().find(|server| server.id == id)
    }

    #[cfg(test)]
    pub(crate) fn user(&self, username: &str) -> Option<&Arc<User>> {
        self.users.iter().find(|user| user.username == username)
    }

    /// Is `origin` that of a redirect URI of any client?
    pub(crate) fn is_client_origin(&self, origin: &str) -> bool {
        self.clients.iter().any(|client| client.has_origin(origin))
    }
}

fn is_on_this_machine(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => {
            let name = name.strip_suffix('.').unwrap_or(name);
            name == "localhost" || name.ends_with(".localhost")
        }
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    }
}

/// A person who can sign in.
#[derive(Clone, Debug)]
pub(crate) struct User {
    pub(crate) username: String,
    /// Names the person to clients; stable, never reassigned, tells nothing.
    pub(crate) sub: String,
    pub(crate) name: String,
    pub(crate) email: String,
    pub(crate) password: Password,
    /// Further claims for the scope `profile`.
    pub(crate) claims: Map<String, Value>,
    /// May not sign in, and has no access any more (D1).
    pub(crate) is_disabled: bool,
}

impl User {
    /// Does `typed` name this person? E-mail addresses ignore the case of ASCII letters.
    pub(crate) fn is_named(&self, typed: &str) -> bool {
        self.username == typed || self.email.eq_ignore_ascii_case(typed)
    }
}

/// A `sub` made from the username: the same after every restart and on every machine.
fn default_sub(username: &str) -> String {
    let digest = Digest::of(format!("idp-dev sub {username}").as_bytes());
    base64url(&digest.bytes()[..16])
}

/// How a password is kept.
#[derive(Clone, Debug)]
pub(crate) enum Password {
    /// As it is: for files that hold no real person.
    Plain(Secret),
    /// An argon2id PHC string.
    Argon2id(String),
}

/// An app that may ask who somebody is.
#[derive(Clone, Debug)]
pub(crate) struct Client {
    pub(crate) id: String,
    pub(crate) name: String,
    pub(crate) redirect_uris: Vec<RedirectUri>,
    pub(crate) post_logout_redirect_uris: Vec<RedirectUri>,
    /// Where its server hears of the end of a session (Back-Channel Logout 1.0, 2.2).
    pub(crate) backchannel_logout_uri: Option<RedirectUri>,
    /// Its page that signs out in a frame (Front-Channel Logout 1.0, 2).
    pub(crate) frontchannel_logout_uri: Option<RedirectUri>,
    /// Its page that begins a sign-in for somebody else (OIDC Core 4).
    pub(crate) initiate_login_uri: Option<RedirectUri>,
    /// How far a sign-out that it asks for reaches; `None` for what the realm says.
    pub(crate) logout_scope: Option<LogoutScope>,
    /// Further audiences of the access token, besides the issuer.
    pub(crate) audiences: Vec<String>,
    /// Who may use the app; `None` for everybody.
    pub(crate) users: Option<Vec<String>>,
    pub(crate) id_token_signed_response_alg: SigningAlg,
    pub(crate) access_token_lifetime: Seconds,
    pub(crate) id_token_lifetime: Seconds,
    pub(crate) refresh_token_lifetime: Seconds,
    /// May the app use a session that another app began?
    pub(crate) allows_sso: bool,
    /// May the app ask for `offline_access`?
    pub(crate) allows_offline_access: bool,
    /// Do ID tokens carry the claims of `profile` and `email`, besides UserInfo?
    pub(crate) has_claims_in_id_token: bool,
}

/// A server that takes access tokens and may ask about them (RFC 7662).
#[derive(Clone, Debug)]
pub(crate) struct ResourceServer {
    pub(crate) id: String,
    /// The names under which tokens are meant for it; never the issuer.
    pub(crate) audiences: Vec<String>,
    /// Proves who asks.
    pub(crate) secret: Secret,
}

impl Client {
    /// Is this person assigned to the app?
    pub(crate) fn admits(&self, username: &str) -> bool {
        self.users.as_ref().is_none_or(|users| users.iter().any(|user| user == username))
    }

    /// Is `origin` that of one of its redirect URIs?
    pub(crate) fn has_origin(&self, origin: &str) -> bool {
        self.redirect_uris.iter().any(|uri| uri.has_origin(origin))
    }
}

/// What the issuer may contain for the port that is really listened on.
const PORT_PLACEHOLDER: &str = "{port}";

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn op11_knows_where_browsers_keep_secure_cookies() {
        let keeps = |issuer: &str| {
            let text = Config::EXAMPLE.replacen("http://idp.localhost:{port}", issuer, 1);
            let config = Config::parse("idp.toml", &text).unwrap();
            assert_eq!(
                config.keeps_secure_cookies(),
                config.clone().with_port(8083).keeps_secure_cookies()
            );
            config.keeps_secure_cookies()
        };
        for good in [
            "http://localhost:{port}",
            "http://idp.localhost:{port}",
            "http://a.b.localhost:{port}",
            "http://localhost.:{port}",
            "http://127.0.0.1:{port}",
            "http://127.1.2.3:{port}",
            "http://[::1]:{port}",
            "https://idp.example",
        ] {
            assert!(keeps(good), "{good}");
        }
        for bad in [
            "http://idp.example:{port}",
            "http://localhost.example:{port}",
            "http://notlocalhost:{port}",
            "http://idp.test:{port}",
            "http://0.0.0.0:{port}",
            "http://192.168.0.1:{port}",
            "http://[::2]:{port}",
        ] {
            assert!(!keeps(bad), "{bad}");
        }
    }
}
