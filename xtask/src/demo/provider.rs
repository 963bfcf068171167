//! The demo's provider: idp-dev as a child process.

use anyhow::{Context, Result, bail};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitStatus;
use tokio::process::Command;

use super::child::Child;
use super::places::{Place, Places};
use super::tls::Tls;
use crate::process::read;

/// A running provider.
pub(super) struct Provider {
    /// The token of its control API, as it said itself.
    pub(super) token: String,
    child: Child,
}

impl Provider {
    /// Done when it has ended by itself.
    pub(super) async fn ended(&mut self) -> Result<ExitStatus> {
        self.child.ended().await
    }

    /// Ends it and waits until its ports are free.
    pub(super) async fn stop(self) -> Result<()> {
        self.child.stop().await
    }
}

/// Starts the provider and waits until it is ready.
pub(super) async fn start(
    places: &Places,
    program: &Path,
    control_token: Option<&str>,
    tls: Option<&Tls>,
) -> Result<Provider> {
    let config = write_config(places, program)?;
    let words = |command: &mut Command| {
        command
            .arg(program)
            .arg("--config")
            .arg(&config)
            .args(["--listen", &address(places, Place::Provider)])
            .args(["--control-listen", &address(places, Place::Control)]);
        if let Some(token) = control_token {
            command.args(["--control-token", token]);
        }
        if let Some(tls) = tls {
            command.arg("--tls-cert").arg(&tls.cert).arg("--tls-key").arg(&tls.key);
        }
    };
    let ready =
        |line: &str| Some((field(line, "issuer")?.to_owned(), field(line, "token")?.to_owned()));
    let (child, (issuer, token)) = Child::start("idp-dev", words, ready).await?;
    let expected = places.origin(Place::Provider);
    if issuer != expected {
        bail!("the provider says that its issuer is {issuer}, expected {expected}");
    }
    Ok(Provider { token, child })
}

fn address(places: &Places, place: Place) -> String {
    format!("127.0.0.1:{}", places.port(place))
}

/// What a ready line says under a name.
fn field<'a>(line: &'a str, name: &str) -> Option<&'a str> {
    let mut fields = line.strip_prefix("ready ")?.split(' ');
    fields.find_map(|field| field.strip_prefix(name)?.strip_prefix('='))
}

/// The provider's own example, moved to these ports: its users, clients and comments stay in one
/// place, and the example is tried at every start of the demo.
fn write_config(places: &Places, program: &Path) -> Result<PathBuf> {
    let example = read(std::process::Command::new(program).arg("--print-config"))?;
    let config = places.moved(&example);
    for place in [Place::Lobby, Place::PiedPiper, Place::Hooli] {
        if !config.contains(&places.origin(place)) {
            bail!("the provider's example config does not mention {place}");
        }
    }
    let directory = places.run_directory();
    fs::create_dir_all(&directory)?;
    let path = directory.join("idp.toml");
    fs::write(&path, config).with_context(|| format!("cannot write {}", path.display()))?;
    Ok(path)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_the_ready_line() {
        let line = "ready issuer=http://idp.localhost:8083 control=http://127.0.0.1:8084 token=x=";
        assert_eq!(field(line, "issuer"), Some("http://idp.localhost:8083"));
        assert_eq!(field(line, "token"), Some("x="));
        assert_eq!(field("ready control=x", "issuer"), None);
        assert_eq!(field("warning issuer=http://idp.localhost:8083", "issuer"), None);
    }
}
