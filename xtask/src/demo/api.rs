//! The API that both apps call: a program of others' making, as far as the provider can tell.

use anyhow::Result;
use std::path::Path;
use tokio::process::Command;

use super::child::Child;
use super::places::{App, Place, Places};
use super::tls::Tls;

/// Starts the API and waits until it is ready. It asks the provider for its keys when the first
/// token comes, so the provider may start later.
pub(super) async fn start(
    places: &Places,
    program: &Path,
    guest: Option<&str>,
    tls: Option<&Tls>,
) -> Result<Child> {
    let words = |command: &mut Command| {
        command
            .arg(program)
            .args(["--listen", &format!("127.0.0.1:{}", places.port(Place::Api))])
            .args(["--issuer", &places.origin(Place::Provider)])
            .args(["--audience", &places.origin(Place::Api)])
            .env("DEMO_API_SECRET", SECRET);
        for app in App::ALL {
            command.args(["--origin", &places.origin(app.place())]);
        }
        if let Some(tls) = tls {
            command.arg("--tls-cert").arg(&tls.cert).arg("--tls-key").arg(&tls.key);
            // It asks the provider, which shows a certificate of the same authority.
            command.arg("--trust").arg(&tls.authority.file);
        }
        if let Some(guest) = guest {
            command.args(["--origin", guest]);
        }
    };
    let ready = |line: &str| line.starts_with("ready ").then_some(());
    Ok(Child::start("demo-api", words, ready).await?.0)
}

/// As the provider's example configuration has it.
const SECRET: &str = "demo-api-secret";
