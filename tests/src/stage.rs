//! A stage: the demo as `cargo xtask demo` serves it, its provider, and a third site, on ports of
//! its own. Each test has one, so no test sees another's sessions.

use anyhow::{Context, Result, bail};
use std::collections::hash_map::RandomState;
use std::fs;
use std::hash::BuildHasher;
use std::net::{Ipv4Addr, SocketAddr, TcpListener};
use std::path::PathBuf;
use std::process::Command;
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use crate::control::Control;
use crate::environment;
use crate::process::Program;
use crate::site::{Site, certificate};
use crate::wire::Wire;
use crate::world::World;

/// The demo's users, who all have this password.
pub const PASSWORD: &str = "password";

/// A client registered at the stage's provider.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Client {
    /// The first demo.
    PiedPiper,
    /// The second demo.
    Hooli,
}

impl Client {
    /// Both demos.
    pub const ALL: [Self; 2] = [Self::PiedPiper, Self::Hooli];

    /// Its client id.
    #[must_use]
    pub fn id(self) -> &'static str {
        match self {
            Self::PiedPiper => "pied-piper",
            Self::Hooli => "hooli",
        }
    }

    /// The other demo.
    #[must_use]
    pub fn other(self) -> Self {
        match self {
            Self::PiedPiper => Self::Hooli,
            Self::Hooli => Self::PiedPiper,
        }
    }

    fn offset(self) -> u16 {
        match self {
            Self::PiedPiper => 1,
            Self::Hooli => 2,
        }
    }
}

/// The served demo and what belongs to it. Dropping it ends everything.
#[derive(Debug)]
pub struct Stage {
    base: u16,
    scheme: &'static str,
    /// The provider's control API.
    pub control: Control,
    /// The third site, served by the test process.
    pub site: Site,
    /// Sends requests of no browser, with the names under `localhost` mapped.
    pub http: reqwest::Client,
    config: Option<PathBuf>,
    provider: Mutex<Option<Program>>,
    wire: Option<Wired>,
    _demo: Program,
}

impl Stage {
    /// Starts everything on free ports, by https where this run's world needs it.
    ///
    /// # Errors
    /// When a part does not start.
    pub async fn start() -> Result<Self> {
        Self::start_with(false).await
    }

    /// The same with a wire before the provider, which can be cut.
    ///
    /// # Errors
    /// When a part does not start.
    pub async fn start_wired() -> Result<Self> {
        Self::start_with(true).await
    }

    async fn start_with(is_wired: bool) -> Result<Self> {
        let is_tls = World::of_this_run()?.needs_tls();
        let scheme = scheme(is_tls);
        let site = Site::start(is_tls).await?;
        let guest = site.origin(GUEST_HOST);
        for _ in 0..ATTEMPTS {
            let base = free_base()?;
            let wire = match is_wired {
                true => match Wired::start(base, is_tls).await {
                    Ok(wire) => Some(wire),
                    Err(error) if is_about_ports(&error) => continue,
                    Err(error) => return Err(error),
                },
                false => None,
            };
            let config = write_config(base, &site, is_tls)?;
            let provider = match run_provider(base, &config, is_tls, wire.as_ref()) {
                Ok(provider) => provider,
                // Another process may take a port between the look and the use.
                Err(error) if is_about_ports(&error) => continue,
                Err(error) => return Err(error),
            };
            let mut options = vec!["--no-provider", "--api-guest", &guest];
            options.extend(is_tls.then_some("--tls"));
            let demo = match start_demo(base, scheme, &options) {
                Ok(demo) => demo,
                Err(error) if is_about_ports(&error) => continue,
                Err(error) => return Err(error),
            };
            let http = http(base, is_tls)?;
            let control = control(base, &http);
            let provider = Mutex::new(Some(provider));
            return Ok(Self {
                base,
                scheme,
                control,
                site,
                http,
                config: Some(config),
                provider,
                wire,
                _demo: demo,
            });
        }
        bail!("no six free ports in a row after {ATTEMPTS} attempts")
    }

    /// Starts the demo as a person does: with its own provider, which knows no third site and ends
    /// with the demo, or when the lobby says so.
    ///
    /// # Errors
    /// When it does not start.
    pub async fn start_whole(is_tls: bool) -> Result<Self> {
        let scheme = scheme(is_tls);
        let options: &[&str] = if is_tls { &["--tls"] } else { &[] };
        let site = Site::start(is_tls).await?;
        for _ in 0..ATTEMPTS {
            let base = free_base()?;
            let demo = match start_demo(base, scheme, options) {
                Ok(demo) => demo,
                Err(error) if is_about_ports(&error) => continue,
                Err(error) => return Err(error),
            };
            let http = http(base, is_tls)?;
            return Ok(Self {
                base,
                scheme,
                control: control(base, &http),
                site,
                http,
                config: None,
                provider: Mutex::default(),
                wire: None,
                _demo: demo,
            });
        }
        bail!("no six free ports in a row after {ATTEMPTS} attempts")
    }

    /// The lobby's address.
    #[must_use]
    pub fn lobby(&self) -> String {
        format!("{}://localhost:{}/", self.scheme, self.base)
    }

    /// A demo's origin, without a trailing slash.
    #[must_use]
    pub fn origin(&self, client: Client) -> String {
        let port = self.base + client.offset();
        format!("{}://{}.localhost:{port}", self.scheme, client.id())
    }

    /// The provider's issuer, without a trailing slash.
    #[must_use]
    pub fn issuer(&self) -> String {
        format!("{}://idp.localhost:{}", self.scheme, self.base + PROVIDER)
    }

    /// The API's origin, without a trailing slash.
    #[must_use]
    pub fn api(&self) -> String {
        format!("{}://api.localhost:{}", self.scheme, self.base + API)
    }

    /// Ends the provider, as a crash does: connections break, its port refuses.
    pub fn stop_provider(&self) {
        drop(self.provider.lock().unwrap_or_else(PoisonError::into_inner).take());
    }

    /// Starts the provider again at its address, with nothing remembered.
    ///
    /// # Errors
    /// When it does not start.
    pub fn start_provider(&self) -> Result<()> {
        let config =
            self.config.as_ref().context("this stage's provider is not the stage's own")?;
        let is_tls = self.scheme == "https";
        let started = run_provider(self.base, config, is_tls, self.wire.as_ref())?;
        *self.provider.lock().unwrap_or_else(PoisonError::into_inner) = Some(started);
        Ok(())
    }

    /// Starts the provider anew with more in its configuration.
    ///
    /// # Errors
    /// When it does not start.
    pub fn start_provider_with(&self, more: &str) -> Result<()> {
        self.change_provider(|text| text + more)
    }

    /// Starts the provider anew with another configuration.
    ///
    /// # Errors
    /// When it does not start.
    pub fn change_provider(&self, change: impl FnOnce(String) -> String) -> Result<()> {
        self.stop_provider();
        let config = self.config.as_ref().context("the provider is not the stage's own")?;
        fs::write(config, change(fs::read_to_string(config)?))?;
        self.start_provider()
    }

    /// The wire before the provider.
    ///
    /// # Errors
    /// When this journey has none.
    pub fn wire(&self) -> Result<&Wire> {
        Ok(&self.wire.as_ref().context("this journey goes without a wire")?.wire)
    }

    /// The provider's origin by its address, behind the wire if there is one: by http, for programs
    /// that know no names under `localhost` and trust no authority.
    #[must_use]
    pub fn provider_by_address(&self) -> String {
        match &self.wire {
            Some(wire) => format!("http://127.0.0.1:{}", wire.behind),
            None => format!("{}://127.0.0.1:{}", self.scheme, self.base + PROVIDER),
        }
    }

    /// What the provider wrote last, for a failure's report.
    #[must_use]
    pub fn provider_said(&self) -> String {
        let provider = self.provider.lock().unwrap_or_else(PoisonError::into_inner);
        provider.as_ref().map_or_else(|| "(it is stopped)".to_owned(), Program::said)
    }
}

/// The third site's clients at the provider: the npm app and two libraries of others.
pub const GUESTS: [(&str, &str); 3] = [
    ("npm-app", "/"),
    ("oidc-client-ts", "/peers/oidc-client-ts.html"),
    ("openid-client", "/peers/openid-client"),
];

const CONTROL_TOKEN: &str = "journeys-only";
const PROVIDER: u16 = 3;
const CONTROL: u16 = 4;
const API: u16 = 5;
const ATTEMPTS: usize = 20;

/// A base whose six ports are free. Below the range from which systems take ports for outgoing
/// connections, and beside the ports that browsers refuse.
///
/// # Errors
/// When there is none.
pub fn free_base() -> Result<u16> {
    for round in 0..1000_u64 {
        let random = RandomState::new().hash_one((std::process::id(), round));
        let base = 20_000 + u16::try_from(random % 1600).unwrap_or(0) * 6;
        let is_free = (base..base + 6)
            .all(|port| TcpListener::bind(SocketAddr::from((Ipv4Addr::LOCALHOST, port))).is_ok());
        if is_free {
            return Ok(base);
        }
    }
    bail!("no free ports between 20000 and 30000")
}

fn is_about_ports(error: &anyhow::Error) -> bool {
    let text = format!("{error:#}");
    text.contains("in use")
}

fn scheme(is_tls: bool) -> &'static str {
    if is_tls { "https" } else { "http" }
}

/// A wire, and where the provider listens behind it.
#[derive(Debug)]
struct Wired {
    wire: Wire,
    behind: u16,
}

impl Wired {
    async fn start(base: u16, is_tls: bool) -> Result<Self> {
        let tls = if is_tls { Some(certificate().await?) } else { None };
        let behind = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?.port();
        Ok(Self { wire: Wire::start(base + PROVIDER, behind, tls).await?, behind })
    }
}

fn run_provider(
    base: u16,
    config: &std::path::Path,
    is_tls: bool,
    wire: Option<&Wired>,
) -> Result<Program> {
    let idp_dev = environment::file(environment::IDP_DEV)?;
    let port = wire.map_or(base + PROVIDER, |wire| wire.behind);
    let mut words = vec![
        idp_dev.into_os_string(),
        "--config".into(),
        config.as_os_str().to_owned(),
        "--listen".into(),
        format!("127.0.0.1:{port}").into(),
        "--control-listen".into(),
        format!("127.0.0.1:{}", base + CONTROL).into(),
        "--control-token".into(),
        CONTROL_TOKEN.into(),
    ];
    // With a wire, https ends there.
    if is_tls && wire.is_none() {
        let directory = environment::file(environment::CERTIFICATE)?;
        words.extend(["--tls-cert".into(), directory.join("cert.pem").into_os_string()]);
        words.extend(["--tls-key".into(), directory.join("key.pem").into_os_string()]);
    }
    let ready = |line: &str| line.starts_with("ready ").then_some(());
    Ok(Program::start("idp-dev", words, ready)?.0)
}

fn control(base: u16, http: &reqwest::Client) -> Control {
    let origin = format!("http://127.0.0.1:{}", base + CONTROL);
    Control::new(origin, CONTROL_TOKEN.to_owned(), http.clone())
}

fn start_demo(base: u16, scheme: &str, options: &[&str]) -> Result<Program> {
    let xtask = environment::file(environment::XTASK)?;
    let words =
        ["demo", "--no-open", "--no-build", "--control-token", CONTROL_TOKEN, "--port-base"];
    let words = std::iter::once(xtask.into_os_string())
        .chain(words.map(Into::into))
        .chain([base.to_string().into()])
        .chain(options.iter().map(Into::into));
    let lobby = format!("ready {scheme}://localhost:{base}/");
    Ok(Program::start("the demo", words, |line| (line == lobby).then_some(()))?.0)
}

/// The provider's own example, moved to these ports, with the third site's clients added.
fn write_config(base: u16, site: &Site, is_tls: bool) -> Result<PathBuf> {
    let output = Command::new(environment::file(environment::IDP_DEV)?)
        .arg("--print-config")
        .output()
        .context("cannot start idp-dev")?;
    anyhow::ensure!(output.status.success(), "idp-dev --print-config ended with {}", output.status);
    let mut text = String::from_utf8(output.stdout)?;
    // Marks first: a moved port may equal the default of another part.
    for offset in 0..6_u16 {
        text = text.replace(&format!(":{}", 8080 + offset), &format!(":<{offset}>"));
    }
    for offset in 0..6_u16 {
        text = text.replace(&format!(":<{offset}>"), &format!(":{}", base + offset));
    }
    text = text.replace("{port}", &(base + PROVIDER).to_string());
    if is_tls {
        // All but the control API, which is for programs of this machine.
        text = text.replace("http://127.", "<control>127.");
        text = text.replace("http://", "https://").replace("<control>", "http://");
    }
    let api = format!("{}://api.localhost:{}", scheme(is_tls), base + API);
    for (id, path) in GUESTS {
        let address = format!("{}{path}", site.origin(GUEST_HOST));
        text.push_str(&format!(
            "\n[[clients]]\nid = {id:?}\nname = {id:?}\nredirect_uris = [{address:?}]\n\
             post_logout_redirect_uris = [{address:?}]\naudiences = [{api:?}]\n"
        ));
    }
    let directory = environment::output("journeys");
    fs::create_dir_all(&directory)?;
    let path = directory.join(format!("idp-{base}.toml"));
    fs::write(&path, text)?;
    Ok(path)
}

/// The third site's name for what signs in there.
pub const GUEST_HOST: &str = "guest";

/// A client that maps the names that a browser maps by itself (glibc does not).
fn http(base: u16, is_tls: bool) -> Result<reqwest::Client> {
    let mut builder = reqwest::Client::builder()
        .redirect(reqwest::redirect::Policy::none())
        .timeout(Duration::from_secs(10));
    if is_tls {
        let authority = fs::read(environment::output("demo/tls/authority.pem"))?;
        builder = builder.tls_certs_only([reqwest::Certificate::from_pem(&authority)?]);
    }
    for (name, offset) in [("pied-piper", 1), ("hooli", 2), ("idp", PROVIDER), ("api", API)] {
        let address = SocketAddr::from((Ipv4Addr::LOCALHOST, base + offset));
        builder = builder.resolve(&format!("{name}.localhost"), address);
    }
    Ok(builder.build()?)
}

impl Drop for Stage {
    fn drop(&mut self) {
        // It holds nothing that a later look would need.
        if let Some(config) = &self.config {
            let _ = fs::remove_file(config);
        }
    }
}
