//! The providers that are measured, as the processes that they are.

use anyhow::{Context, Result, bail};
use gatepass_tests::control::Control;
use gatepass_tests::environment;
use std::ffi::OsString;
use std::fs;
use std::process::Stdio;
use std::time::Duration;
use sysinfo::{Pid, ProcessRefreshKind, ProcessesToUpdate, System};
use tokio::io::{AsyncBufReadExt, BufReader};
use tokio::process::{Child, Command};

/// Which provider.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Kind {
    /// Ours.
    IdpDev,
    /// npm's oidc-provider.
    OidcProvider,
}

impl Kind {
    pub(crate) const ALL: [Self; 2] = [Self::IdpDev, Self::OidcProvider];

    /// The row's name.
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::IdpDev => "idp-dev",
            Self::OidcProvider => "oidc-provider",
        }
    }
}

/// The algorithm of ID tokens.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Alg {
    Es256,
    Rs256,
}

impl Alg {
    pub(crate) const ALL: [Self; 2] = [Self::Es256, Self::Rs256];

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Es256 => "ES256",
            Self::Rs256 => "RS256",
        }
    }
}

/// A running provider. Dropping it ends it.
#[derive(Debug)]
pub(crate) struct Server {
    child: Child,
    /// The issuer, without a trailing slash.
    pub(crate) issuer: String,
    pub(crate) port: u16,
    /// The control API, which only ours has.
    control: Option<Control>,
}

/// Where a provider listens unless it matters.
pub(crate) const ANY_PORT: &str = "127.0.0.1:0";
/// The one client of measurements without a browser.
pub(crate) const CLIENT_ID: &str = "bench";
/// Where its answers go; nobody listens there.
pub(crate) const REDIRECT_URI: &str = "http://app.localhost/";
/// Its one person.
pub(crate) const USERNAME: &str = "richard";
/// Their password, which neither provider hashes.
pub(crate) const PASSWORD: &str = "password";

impl Server {
    /// Starts a provider with one client and one person, and waits until it says that it is ready.
    ///
    /// # Errors
    /// When it does not start.
    pub(crate) async fn start(kind: Kind, alg: Alg) -> Result<Self> {
        match kind {
            Kind::IdpDev => {
                let clients = [(CLIENT_ID, REDIRECT_URI)];
                Self::idp_dev("http://localhost:{port}", ANY_PORT, &clients, alg).await
            }
            Kind::OidcProvider => {
                let words = [alg.name(), CLIENT_ID, REDIRECT_URI];
                let mut command = Command::new("node");
                command
                    .arg(environment::crate_path("bench/oidc-provider.mjs"))
                    .args(words)
                    // As it would be served: some of its dependencies are slower otherwise.
                    .env("NODE_ENV", "production");
                Self::run(command).await
            }
        }
    }

    /// Starts idp-dev with these clients, listening at an address.
    ///
    /// # Errors
    /// When it does not start.
    pub(crate) async fn idp_dev(
        issuer: &str,
        listen: &str,
        clients: &[(&str, &str)],
        alg: Alg,
    ) -> Result<Self> {
        let mut config = format!(
            "issuer = {issuer:?}\n[[users]]\nusername = {USERNAME:?}\n\
             name = \"Richard Hendricks\"\nemail = \"richard@piedpiper.example\"\n\
             password = {PASSWORD:?}\n"
        );
        for (id, redirect_uri) in clients {
            config.push_str(&format!(
                "\n[[clients]]\nid = {id:?}\nname = {id:?}\n\
                 redirect_uris = [{redirect_uri:?}, \"{redirect_uri}silent\"]\n\
                 post_logout_redirect_uris = [{redirect_uri:?}]\n\
                 id_token_signed_response_alg = {:?}\n",
                alg.name()
            ));
        }
        let directory = environment::output("bench");
        fs::create_dir_all(&directory)?;
        let path = directory.join(format!("idp-{}.toml", std::process::id()));
        fs::write(&path, config)?;
        let mut command = Command::new(environment::file(environment::IDP_DEV)?);
        let config: [OsString; 2] = ["--config".into(), path.clone().into_os_string()];
        command.args(config).args(["--listen", listen, "--quiet"]);
        if issuer.starts_with("https") {
            let directory = environment::file(environment::CERTIFICATE)?;
            for (option, file) in [("--tls-cert", "cert.pem"), ("--tls-key", "key.pem")] {
                command.arg(option).arg(directory.join(file));
            }
        }
        let started = Self::run(command).await;
        // It has read it.
        fs::remove_file(&path)?;
        started
    }

    async fn run(mut command: Command) -> Result<Self> {
        let shown = format!("{:?}", command.as_std());
        let mut child = command
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .kill_on_drop(true)
            .spawn()
            .with_context(|| format!("cannot start {shown}"))?;
        let stdout = child.stdout.take().context("a provider has no standard output")?;
        let mut lines = BufReader::new(stdout).lines();
        let ready = async {
            while let Some(line) = lines.next_line().await? {
                if line.starts_with("ready ") {
                    return Ok(line);
                }
            }
            bail!("{shown} ended before it was ready")
        };
        let ready = tokio::time::timeout(READY_WITHIN, ready)
            .await
            .with_context(|| format!("{shown} is not ready in time"))??;
        // Whatever it prints later must neither fill the pipe nor find it closed.
        tokio::spawn(async move { while let Ok(Some(_)) = lines.next_line().await {} });
        let issuer = field(&ready, "issuer").context("a ready line names no issuer")?.to_owned();
        let port = url::Url::parse(&issuer)?.port().context("the issuer has no port")?;
        let control = match (field(&ready, "control"), field(&ready, "token")) {
            (Some(origin), Some(token)) => {
                let http = reqwest::Client::new();
                Some(Control::new(origin.to_owned(), token.to_owned(), http))
            }
            _ => None,
        };
        Ok(Self { child, issuer, port, control })
    }

    /// The control API.
    ///
    /// # Errors
    /// When this provider has none.
    pub(crate) fn control(&self) -> Result<&Control> {
        self.control.as_ref().context("this provider has no control API")
    }

    /// The memory that it really holds, in bytes.
    ///
    /// # Errors
    /// When it is gone.
    pub(crate) fn memory(&self) -> Result<f64> {
        let kind = ProcessRefreshKind::nothing().with_memory();
        #[expect(clippy::cast_precision_loss, reason = "a process holds less than 2^53 bytes")]
        self.look(kind, |process| process.memory() as f64)
    }

    /// The processor time that it has used so far.
    ///
    /// # Errors
    /// When it is gone.
    pub(crate) fn processor_time(&self) -> Result<Duration> {
        let kind = ProcessRefreshKind::nothing().with_cpu();
        self.look(kind, |process| Duration::from_millis(process.accumulated_cpu_time()))
    }

    fn look<T>(
        &self,
        kind: ProcessRefreshKind,
        what: impl Fn(&sysinfo::Process) -> T,
    ) -> Result<T> {
        let pid = Pid::from_u32(self.child.id().context("the provider has ended")?);
        let mut system = System::new()?;
        system.refresh_processes_specifics(ProcessesToUpdate::Some(&[pid]), true, kind);
        system.process(pid).map(what).context("the provider has ended")
    }
}

/// A field of a ready line.
fn field<'a>(line: &'a str, name: &str) -> Option<&'a str> {
    line.split(' ').find_map(|field| field.strip_prefix(name)?.strip_prefix('='))
}

const READY_WITHIN: Duration = Duration::from_secs(30);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_the_fields_of_both_ready_lines() {
        let ours = "ready issuer=http://localhost:1 control=http://127.0.0.1:2 token=x";
        assert_eq!(field(ours, "issuer"), Some("http://localhost:1"));
        assert_eq!(field(ours, "token"), Some("x"));
        let theirs = "ready issuer=http://localhost:3";
        assert_eq!(field(theirs, "issuer"), Some("http://localhost:3"));
        assert_eq!(field(theirs, "control"), None);
    }
}
