//! The demo's provider: idp-dev as a child process.

use anyhow::{Context, Result, bail};
use std::fs;
use std::path::{Path, PathBuf};
use std::process::{ExitStatus, Stdio};
use std::time::Duration;
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, ChildStdin, Command};

use super::places::{Place, Places};
use super::tls::Tls;
use crate::process::read;

/// How long the provider may take to say that it is ready.
const READY_WITHIN: Duration = Duration::from_secs(30);

/// The flag of that name in Windows' CreateProcess.
#[cfg(windows)]
const CREATE_NEW_PROCESS_GROUP: u32 = 0x0000_0200;

/// A running provider.
pub(super) struct Provider {
    /// The token of its control API, as it said itself.
    pub(super) token: String,
    guard: Child,
    /// While it is open, the guard lets the provider run. Apart from the child, whose `wait` would
    /// close it.
    leash: Option<ChildStdin>,
}

impl Provider {
    /// Done when it has ended by itself.
    pub(super) async fn ended(&mut self) -> Result<ExitStatus> {
        Ok(self.guard.wait().await?)
    }

    /// Ends it and waits until its ports are free.
    pub(super) async fn stop(mut self) -> Result<()> {
        drop(self.leash.take());
        self.guard.wait().await?;
        Ok(())
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
    let mut command = Command::new(std::env::current_exe()?);
    command
        .args(["guard", "--"])
        .arg(program)
        .arg("--config")
        .arg(&config)
        .args(["--listen", &address(places, Place::Provider)])
        .args(["--control-listen", &address(places, Place::Control)])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped());
    if let Some(token) = control_token {
        command.args(["--control-token", token]);
    }
    if let Some(tls) = tls {
        command.arg("--tls-cert").arg(&tls.cert).arg("--tls-key").arg(&tls.key);
    }
    // Ctrl-C is for this program, which then stops the provider: hearing it too, the provider would
    // end first and look as if it had failed.
    #[cfg(unix)]
    command.process_group(0);
    #[cfg(windows)]
    command.creation_flags(CREATE_NEW_PROCESS_GROUP);
    let mut guard = command.spawn().context("cannot start the provider")?;
    let leash = guard.stdin.take();
    let stdout = guard.stdout.take().context("the provider has no standard output")?;
    let mut lines = BufReader::new(stdout).lines();
    let ready = async {
        while let Some(line) = lines.next_line().await? {
            // Its line is for this program; ours is the only one on standard output.
            eprintln!("idp-dev: {line}");
            if let (Some(issuer), Some(token)) = (field(&line, "issuer"), field(&line, "token")) {
                return Ok((issuer.to_owned(), token.to_owned()));
            }
        }
        bail!("the provider ended before it was ready; what it said is above")
    };
    let (issuer, token) = tokio::time::timeout(READY_WITHIN, ready)
        .await
        .context("the provider is not ready after 30 seconds")??;
    let expected = places.origin(Place::Provider);
    if issuer != expected {
        bail!("the provider says that its issuer is {issuer}, expected {expected}");
    }
    // Whatever it prints later must not fill the pipe.
    tokio::spawn(async move {
        while let Ok(Some(line)) = lines.next_line().await {
            eprintln!("idp-dev: {line}");
        }
    });
    Ok(Provider { token, guard, leash })
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
