//! Arguments, the manual, and what can stop the start.

use std::fmt;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::process::ExitCode;

use clap::{Parser, Subcommand};
use idp_dev::{Config, ConfigError, StartError};

use crate::tls::TlsError;

/// A small, strict OpenID provider for development and CI.
#[derive(Debug, Parser)]
#[command(name = "idp-dev", version, after_long_help = MANUAL)]
pub(crate) struct Arguments {
    /// The configuration (TOML). Without it, the example of --print-config is used.
    #[arg(long, value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,

    /// Where browsers and apps find the provider. Port 0 takes a free port.
    ///
    /// With 127.0.0.1 the same port of ::1 is listened on too, if the machine has it: browsers
    /// may resolve names under .localhost to either.
    #[arg(long, value_name = "ADDR:PORT", default_value = "127.0.0.1:8083")]
    pub(crate) listen: SocketAddr,

    /// Where the control API listens. Port 0 takes a free port.
    #[arg(long, value_name = "ADDR:PORT", default_value = "127.0.0.1:0")]
    pub(crate) control_listen: SocketAddr,

    /// The control API's bearer token. Without it, a random one is made and printed.
    #[arg(long, value_name = "TOKEN", value_parser = control_token)]
    pub(crate) control_token: Option<String>,

    /// Serves https at --listen with this certificate (PEM, its issuers after it).
    ///
    /// The issuer must begin with https://, and the certificate must be for its host. The control
    /// API stays http.
    #[arg(long, value_name = "FILE", requires = "tls_key")]
    pub(crate) tls_cert: Option<PathBuf>,

    /// The certificate's private key (PEM).
    #[arg(long, value_name = "FILE", requires = "tls_cert")]
    pub(crate) tls_key: Option<PathBuf>,

    /// Prints a commented configuration that works, and ends.
    #[arg(long)]
    pub(crate) print_config: bool,

    #[command(subcommand)]
    pub(crate) command: Option<Command>,

    /// Does not write each step of each flow to stderr.
    #[arg(long)]
    pub(crate) quiet: bool,
}

/// What else the program does.
#[derive(Clone, Copy, Debug, Subcommand)]
pub(crate) enum Command {
    /// Lists the scenarios: what the provider can do wrong, and what a correct client makes of it.
    Scenarios,
}

/// All scenarios, a line each: name, outcome, what is wrong.
pub(crate) fn scenarios() -> String {
    let scenarios = idp_dev::scenarios();
    let width = scenarios.iter().map(|scenario| scenario.name.len()).max().unwrap_or_default();
    let mut text = String::new();
    for scenario in scenarios {
        let said = scenario.reason.as_ref().unwrap_or(&scenario.breaks);
        let outcome = scenario.outcome.name();
        let line = format!("{:width$}  {outcome:14}  {said}\n", scenario.name);
        text.push_str(&line);
    }
    text
}

/// What survives an `Authorization` header and the ready line.
fn control_token(text: &str) -> Result<String, &'static str> {
    let fits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_graphic());
    if fits { Ok(text.to_owned()) } else { Err("expected one or more visible ASCII characters") }
}

const MANUAL: &str = "\
STARTING
  idp-dev --print-config > idp.toml
  idp-dev --config idp.toml --listen 127.0.0.1:8083

  When it is ready, one line goes to standard output:
    ready issuer=http://idp.localhost:8083 control=http://127.0.0.1:PORT token=TOKEN
  Everything else goes to standard error. It never holds a password, code or token.

CONFIGURATION
  A TOML file: issuer, observers, lifetimes, [[users]], [[clients]]. The comments of
  --print-config explain each key. Unknown keys are errors. `{port}` in the issuer becomes the port
  that is really listened on. A wrong file is named with its line, what was expected and what was
  found; the exit code is then 2.

ENDPOINTS, relative to the issuer
  /.well-known/openid-configuration   discovery
  /jwks  /authorize  /token  /userinfo  /end_session   as discovery says
  /session_events    tells an app when the single sign-on session ends (docs/session-events.md)
  /check_session     the frame of Session Management
  /timeline          each step of each flow, as server-sent events, for the `observers`
  /health            {\"status\":\"ok\"}
  /s/NAME            an issuer of its own for each scenario, which lies as its name says

CONTROL API, with `Authorization: Bearer TOKEN`
  GET /timeline[?after=N]   the steps as JSON      GET /timeline/stream[?from=now]   as events
  GET /sessions             the sessions           DELETE /sessions/ID   ends one
  POST /sessions/ID         {\"acr\"}: another level; the session's apps are told
  GET /deliveries           logout tokens to the servers of apps, and what came of each
  GET /users                POST /users/NAME {\"disabled\"?,\"name\"?,\"email\"?,\"claims\"?}
  DELETE /users/NAME/sessions    signs a person out in all browsers
  POST /reset               forgets everything, sets the clock back
  POST /events              {\"client_id\",\"sid\"?,\"event\",\"data\"}: a raw event on open streams
  GET /scenarios            what the provider can do wrong (also: idp-dev scenarios)
  POST /scenarios/NAME      {\"client_id\"?,\"requests\"?}: does it from now on   DELETE ends it
  GET /scenarios/NAME/verdict    what the client made of it (idp-dev/README.md)
  GET /clock                POST /clock {\"set\":SECONDS} | {\"advance\":SECONDS} | {\"freeze\":BOOL}

HTTPS
  --tls-cert FILE --tls-key FILE serve it at --listen. A certificate that browsers would refuse for
  its time or its name, or that the key does not fit, is refused at the start; the exit code is
  then 2. Whether browsers trust it is between you and them.

COOKIES
  They are `Secure`. Over http, Chromium and Firefox keep such for localhost and names under it.
  Of names, curl does for `localhost` itself only: pass the cookie of idp.localhost by hand (-b).

EXIT CODES
  0  told to stop (Ctrl-C, SIGTERM)
  1  could not start: an address is in use, or the machine lacks something
  2  the arguments, the configuration or the certificate are wrong

Not for production: it listens on loopback only and every response says so in X-Idp-Dev.";

/// What stops the start.
#[derive(Debug)]
pub(crate) enum Failure {
    /// The configuration's content.
    Config(ConfigError),
    /// The configuration's file.
    ConfigFile { file: PathBuf, error: std::io::Error },
    /// An address that others could reach.
    NotLoopback { option: &'static str, address: SocketAddr },
    /// An address that cannot be listened on.
    Listen { option: &'static str, address: SocketAddr, error: std::io::Error },
    /// The certificate or its key.
    Tls(TlsError),
    /// Fewer open files than the connections want that the configuration asks for.
    TooFewFiles { wanted: usize, allowed: usize },
    /// No runtime.
    Runtime(std::io::Error),
    /// No keys.
    Start(StartError),
}

impl Failure {
    pub(crate) fn exit_code(&self) -> ExitCode {
        match self {
            Self::Config(_) | Self::ConfigFile { .. } | Self::NotLoopback { .. } | Self::Tls(_) => {
                ExitCode::from(2)
            }
            Self::Listen { .. } | Self::TooFewFiles { .. } | Self::Runtime(_) | Self::Start(_) => {
                ExitCode::from(1)
            }
        }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Config(error) => error.fmt(f),
            Self::ConfigFile { file, error } => write!(
                f,
                "{}: expected a readable file with the configuration, found: {error} (config_file)",
                file.display()
            ),
            Self::NotLoopback { option, address } => write!(
                f,
                "{option}: expected a loopback address such as 127.0.0.1:{}, found {address}: this \
                 provider is not for others to reach (not_loopback)",
                address.port()
            ),
            Self::Listen { option, address, error } => write!(
                f,
                "{option}: cannot listen on {address}: {error}; choose another port with {option} \
                 (listen_failed)"
            ),
            Self::TooFewFiles { wanted, allowed } => write!(
                f,
                "limits: expected {wanted} open files, found that the system gives {allowed}; ask for \
                 fewer connections, or raise the hard limit (ulimit -n) (too_few_files)"
            ),
            Self::Tls(error) => error.fmt(f),
            Self::Runtime(error) => write!(f, "no runtime: {error} (runtime_failed)"),
            Self::Start(error) => write!(f, "{error} (start_failed)"),
        }
    }
}

/// The configuration of the arguments.
pub(crate) fn read_config(arguments: &Arguments) -> Result<Config, Failure> {
    let Some(file) = &arguments.config else {
        return Config::parse("the example", Config::EXAMPLE).map_err(Failure::Config);
    };
    let name = file.display().to_string();
    let bytes =
        std::fs::read(file).map_err(|error| Failure::ConfigFile { file: file.clone(), error })?;
    let text = String::from_utf8(bytes).map_err(|error| {
        let before = &error.as_bytes()[..error.utf8_error().valid_up_to()];
        Failure::Config(ConfigError {
            code: "config_syntax",
            file: name.clone(),
            line: before.iter().filter(|byte| **byte == b'\n').count() + 1,
            expected: "UTF-8 text".to_owned(),
            found: "bytes in another encoding".to_owned(),
        })
    })?;
    Config::parse(&name, &text).map_err(Failure::Config)
}

/// OP30: neither door opens to other machines.
pub(crate) fn check_loopback(option: &'static str, address: SocketAddr) -> Result<(), Failure> {
    if address.ip().is_loopback() { Ok(()) } else { Err(Failure::NotLoopback { option, address }) }
}
