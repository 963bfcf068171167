//! Where the app and its neighbours are, as its own server says.

use gloo::net::http::Request;
use serde::Deserialize;

/// `/config.json`.
#[derive(Clone, Debug, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Config {
    /// The provider's issuer.
    pub(crate) issuer: String,
    /// This app's client id.
    pub(crate) client_id: String,
    /// The origin of the API that this app calls, if there is one.
    pub(crate) api: Option<String>,
    /// The lobby's origin.
    pub(crate) lobby: String,
    /// The other app.
    pub(crate) other: Neighbour,
}

/// Another app that shares the sign-in.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct Neighbour {
    /// Its name.
    pub(crate) name: String,
}

impl Config {
    /// What the app's server says.
    ///
    /// # Errors
    /// When the server does not answer, or not with a configuration.
    pub(crate) async fn load() -> Result<Self, gloo::net::Error> {
        Request::get("/config.json").send().await?.json().await
    }
}
