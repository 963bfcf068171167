//! The shape of the TOML file: what may stand where, and what is taken for what is left out.

use serde::Deserialize;
use serde_json::Value;
use toml::Spanned;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct File {
    pub(super) issuer: Spanned<String>,
    #[serde(default)]
    pub(super) observers: Vec<Spanned<String>>,
    #[serde(default = "default_idle_lifetime")]
    pub(super) idle_lifetime: Spanned<i64>,
    #[serde(default = "default_absolute_lifetime")]
    pub(super) absolute_lifetime: Spanned<i64>,
    #[serde(default = "default_token_lifetime")]
    pub(super) access_token_lifetime: Spanned<i64>,
    #[serde(default = "default_token_lifetime")]
    pub(super) id_token_lifetime: Spanned<i64>,
    #[serde(default = "default_absolute_lifetime")]
    pub(super) refresh_token_lifetime: Spanned<i64>,
    pub(super) refresh_token_grace: Option<Spanned<i64>>,
    #[serde(default)]
    pub(super) demo_accounts: bool,
    pub(super) logout_scope: Option<Spanned<String>>,
    #[serde(default)]
    pub(super) limits: FileLimits,
    #[serde(default = "yes")]
    pub(super) session_events: bool,
    #[serde(default)]
    pub(super) http2: bool,
    #[serde(default)]
    pub(super) dangerously_deliver_anywhere: bool,
    #[serde(default)]
    pub(super) users: Vec<Spanned<FileUser>>,
    #[serde(default)]
    pub(super) clients: Vec<Spanned<FileClient>>,
    #[serde(default)]
    pub(super) resource_servers: Vec<FileResourceServer>,
    #[serde(default)]
    pub(super) scenarios: Vec<FileScenario>,
}

#[derive(Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct FileLimits {
    pub(super) connections: Option<Spanned<i64>>,
    pub(super) streams: Option<Spanned<i64>>,
    pub(super) sessions: Option<Spanned<i64>>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct FileUser {
    pub(super) username: Spanned<String>,
    pub(super) name: Spanned<String>,
    pub(super) email: Spanned<String>,
    pub(super) password: Spanned<String>,
    pub(super) sub: Option<Spanned<String>>,
    #[serde(default)]
    pub(super) disabled: bool,
    #[serde(default)]
    pub(super) claims: serde_json::Map<String, Value>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct FileClient {
    pub(super) id: Spanned<String>,
    pub(super) name: Spanned<String>,
    pub(super) redirect_uris: Spanned<Vec<Spanned<String>>>,
    #[serde(default)]
    pub(super) post_logout_redirect_uris: Vec<Spanned<String>>,
    pub(super) backchannel_logout_uri: Option<Spanned<String>>,
    pub(super) frontchannel_logout_uri: Option<Spanned<String>>,
    pub(super) initiate_login_uri: Option<Spanned<String>>,
    pub(super) logout_scope: Option<Spanned<FileLogoutScope>>,
    #[serde(default)]
    pub(super) audiences: Vec<String>,
    pub(super) users: Option<Vec<Spanned<String>>>,
    pub(super) id_token_signed_response_alg: Option<Spanned<String>>,
    pub(super) access_token_lifetime: Option<Spanned<i64>>,
    pub(super) id_token_lifetime: Option<Spanned<i64>>,
    pub(super) refresh_token_lifetime: Option<Spanned<i64>>,
    #[serde(default = "yes")]
    pub(super) sso: bool,
    #[serde(default)]
    pub(super) offline_access: bool,
    #[serde(default = "yes")]
    pub(super) id_token_claims: bool,
}

/// A word, or the apps that go with the one that signs out.
#[derive(Deserialize)]
#[serde(untagged)]
pub(super) enum FileLogoutScope {
    Word(String),
    Apps(Vec<String>),
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct FileResourceServer {
    pub(super) id: Spanned<String>,
    pub(super) audiences: Spanned<Vec<Spanned<String>>>,
    pub(super) secret: Spanned<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct FileScenario {
    pub(super) name: Spanned<String>,
    pub(super) client: Option<Spanned<String>>,
    pub(super) requests: Option<Spanned<u64>>,
}

fn default_idle_lifetime() -> Spanned<i64> {
    Spanned::new(0..0, 30 * 60)
}

fn default_absolute_lifetime() -> Spanned<i64> {
    Spanned::new(0..0, 8 * 60 * 60)
}

fn default_token_lifetime() -> Spanned<i64> {
    Spanned::new(0..0, 5 * 60)
}

const fn yes() -> bool {
    true
}
