//! How a client fares in this browser, for a page that shows it or a person who reports it.

use crate::{Client, Code, Result, Status};
use gatepass_core::{
    config::StorageKind,
    json::Writer,
    wire::{Command, Diagnosis as Known, Outcome, Write as _},
};
use js_sys::JSON;
use serde::Deserialize;
use wasm_bindgen::JsValue;

/// How a client fares in this browser. It may be copied into a report: it holds no token, no code and
/// nothing that names the person.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Diagnosis {
    /// The version of the package.
    pub version: String,
    /// When it was made, in Unix seconds by this machine's clock.
    pub at: i64,
    /// What the browser says it is.
    pub user_agent: String,
    /// The session in one word.
    pub status: Status,
    /// Where the app wants its session kept.
    pub storage: StorageKind,
    /// What this browser allows here, each tried just now.
    pub browser: Allowed,
    /// What the client knows of itself.
    pub client: Known,
    json: String,
}

/// What a browser allows at one origin.
#[derive(Clone, Debug, Default, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase")]
#[non_exhaustive]
pub struct Allowed {
    /// Https, or this machine: without it there is no WebCrypto and there are no Web Locks.
    pub secure_context: bool,
    /// WebCrypto.
    pub web_crypto: bool,
    /// The signature algorithms that WebCrypto checks here, by JOSE's names.
    pub algorithms: Vec<String>,
    /// Web Locks: which tab leads.
    pub locks: bool,
    /// BroadcastChannel: what the tabs tell each other.
    pub channel: bool,
    /// Something written to `sessionStorage` was read again: without it no redirect finds back.
    pub session_storage: bool,
    /// The same for `localStorage`.
    pub local_storage: bool,
    /// IndexedDB holds a key that no script can read: what `storage` needs.
    pub key_storage: bool,
    /// A response can be read while it comes: what session events need.
    pub streams: bool,
    /// Whether a hidden frame sees the provider's cookie: `works` if one brought this page's
    /// session, else `unknown`.
    pub frame: String,
    /// What became of the last window that this page opened to sign in: `untried`, `opened`,
    /// `blocked`.
    pub popup: String,
}

/// What the driver adds to what the machine tells.
#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Tried {
    version: String,
    at: i64,
    user_agent: String,
    browser: Allowed,
}

impl Diagnosis {
    /// All of it as JSON, laid out for people: the object that the npm package gives.
    #[must_use]
    pub fn json(&self) -> &str {
        &self.json
    }
}

impl Client {
    /// How this client fares and what this browser allows: which rung of the start was used, who
    /// leads among the tabs, how the event stream is, how far the clocks are apart, what was refused
    /// last; and what the browser does and does not do, tried at this moment.
    ///
    /// # Errors
    /// `request_invalid` if the page is being torn down.
    pub async fn diagnose(&self) -> Result<Diagnosis> {
        let Outcome::Diagnosis { diagnosis } = self.command(Command::Diagnose {}).await? else {
            return Err(Code::RequestInvalid.into());
        };
        let (status, storage) = (self.session().status, self.storage);
        let mut writer = Writer::default();
        diagnosis.write(&mut writer);
        let report = async {
            let told = JSON::parse(&writer.finish())?;
            let report = self.shared.diagnose(&told, status, storage).await?;
            let json = JSON::stringify_with_replacer_and_space(&report, &JsValue::NULL, &2.into())?;
            let tried: Tried = serde_wasm_bindgen::from_value(report)?;
            Ok::<_, JsValue>((tried, String::from(json)))
        };
        let (tried, json) = report.await.map_err(|_| Code::RequestInvalid)?;
        let Tried { version, at, user_agent, browser } = tried;
        let client = *diagnosis;
        Ok(Diagnosis { version, at, user_agent, status, storage, browser, client, json })
    }
}
