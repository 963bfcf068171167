//! `cargo xtask demo`: builds and serves the two apps, the provider and the lobby.

mod api;
mod build;
mod child;
mod desk;
mod keeper;
mod places;
mod policy;
mod provider;
mod site;
mod tls;

use anyhow::{Context, Result, bail};
use axum::Router;
use axum_server::tls_rustls::RustlsConfig;
use clap::Args;
use std::io::{ErrorKind, Write};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::path::PathBuf;
use std::process::{Command, ExitCode, Stdio};
use tokio::net::TcpListener;
use tokio::task::JoinSet;

use crate::{test, workspace};
pub(crate) use build::{Built, build};
use child::Child;
use desk::Desk;
use keeper::Keeper;
use places::{App, DEFAULT_BASE, Place, Places};
use tls::Tls;

/// How to serve.
#[derive(Args)]
pub(crate) struct Options {
    /// The lobby's port; the apps, the provider, its control API and the API take the five after it.
    #[arg(long, value_name = "N", default_value_t = DEFAULT_BASE,
          value_parser = clap::value_parser!(u16).range(1..=places::LAST_BASE))]
    port_base: u16,
    /// Serve https with a certificate of this tree's own authority, which you may trust (docs/tls.md).
    #[arg(long)]
    tls: bool,
    /// Walk through the three steps in a browser without a window, write what is seen as one page
    /// (HTML, pictures included, light and dark), and end.
    #[arg(long, value_name = "FILE", conflicts_with_all = ["tls", "control_token", "port_base"])]
    record: Option<PathBuf>,
    /// With --record: also write each picture there, as docs/pictures is made.
    #[arg(long, value_name = "DIR", requires = "record")]
    pictures: Option<PathBuf>,
    /// Do not open a browser.
    #[arg(long)]
    no_open: bool,
    /// The token of the provider's control API; a random one when left out.
    #[arg(long, value_name = "TOKEN")]
    control_token: Option<String>,
    /// Serve what an earlier run has built.
    #[arg(long, hide = true)]
    no_build: bool,
    /// Serve the pages only: whoever started this runs the provider, and may stop it.
    #[arg(long, hide = true)]
    no_provider: bool,
    /// A third origin whose pages may call the API.
    #[arg(long, hide = true, value_name = "ORIGIN")]
    api_guest: Option<String>,
}

/// Serves until it is told to stop.
pub(crate) fn run(options: Options) -> Result<ExitCode> {
    if let Some(page) = &options.record {
        test::record(page, options.pictures.as_deref())?;
        return Ok(ExitCode::SUCCESS);
    }
    let places = Places::new(options.port_base);
    let places = if options.tls { places.over_tls() } else { places };
    // One thread: what is served is small files to one person.
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build()?;
    // A port that is taken is said before the build, not minutes later.
    runtime.block_on(probe(&places))?;
    let built = if options.no_build { Built::earlier()? } else { build()? };
    runtime.block_on(serve(&options, &places, &built))?;
    Ok(ExitCode::SUCCESS)
}

/// Fails if somebody listens on one of the pages' ports.
async fn probe(places: &Places) -> Result<()> {
    for place in [Place::Lobby, Place::PiedPiper, Place::Hooli, Place::Api] {
        for address in [IpAddr::V4(Ipv4Addr::LOCALHOST), IpAddr::V6(Ipv6Addr::LOCALHOST)] {
            let bound = TcpListener::bind(SocketAddr::new(address, places.port(place))).await;
            if bound.is_err_and(|error| error.kind() == ErrorKind::AddrInUse) {
                bail!(in_use(places, place));
            }
        }
    }
    Ok(())
}

async fn serve(options: &Options, places: &Places, built: &Built) -> Result<()> {
    let stop = stop_signal()?;
    let tls = options.tls.then(|| certify(places)).transpose()?;
    let mut sites = JoinSet::new();
    let (mut keeper, line) = Keeper::new(*places, built, options, tls.as_ref());
    let desk = Desk::new(places, line);
    let pages = [
        (Place::Lobby, site::lobby(places, desk)?),
        (Place::PiedPiper, site::app(App::PiedPiper, places, built)?),
        (Place::Hooli, site::app(App::Hooli, places, built)?),
    ];
    for (place, router) in pages {
        for listener in listen(places, place).await? {
            let tls = tls.as_ref().map(|tls| tls.config.clone());
            sites.spawn(serve_one(listener, router.clone(), tls));
        }
    }
    keeper.begin().await?;
    let mut api = start_api(options, places, built, tls.as_ref()).await?;
    let lobby = format!("{}/", places.origin(Place::Lobby));
    announce(&lobby)?;
    for place in [Place::PiedPiper, Place::Hooli, Place::Provider, Place::Api] {
        eprintln!("      {place} at {}/", places.origin(place));
    }
    if let Some(tls) = &tls {
        tls.authority.tell();
    }
    eprintln!("Ctrl-C stops all of it.");
    if !options.no_open {
        open_browser(&lobby);
    }
    tokio::select! {
        () = stop => {}
        ended = sites.join_next() => bail!("a server has stopped: {ended:?}"),
        ended = keeper.keep() => bail!("the provider has stopped: {}", ended?),
        ended = api.ended() => bail!("the API has stopped: {}", ended?),
    }
    api.stop().await?;
    keeper.end().await
}

async fn start_api(
    options: &Options,
    places: &Places,
    built: &Built,
    tls: Option<&Tls>,
) -> Result<Child> {
    drop(listen(places, Place::Api).await?);
    api::start(places, &built.demo_api, options.api_guest.as_deref(), tls).await
}

/// A certificate for all that browsers visit.
fn certify(places: &Places) -> Result<Tls> {
    tls::certify(&Place::VISITED.map(Place::host), &places.run_directory())
}

/// A certificate for what the tests serve themselves, and where it is.
///
/// # Errors
/// When it cannot be written.
pub(crate) fn certificate_for_tests() -> Result<PathBuf> {
    let directory = workspace::output("journeys/certificate");
    let names = Place::VISITED.map(Place::host);
    // The third site's names: one that signs in, two of the proof, one for what is elsewhere; and those
    // of many apps, on one site and on several, of the figures, and of other makers' programs.
    let mut others = ["guest", "probe", "framing", "elsewhere", "apps", "idle", "peer", "relay"]
        .map(|name| format!("{name}.localhost"))
        .to_vec();
    others.extend((0..10).map(|number| format!("app-{number}.localhost")));
    for client in ["gatepass", "oidc-client-ts-monitor", "polling"] {
        others.extend(["one", "two"].map(|site| format!("{client}.{site}.localhost")));
    }
    let names: Vec<&str> = names.into_iter().chain(others.iter().map(String::as_str)).collect();
    tls::certify(&names, &directory)?;
    Ok(directory)
}

async fn serve_one(
    listener: TcpListener,
    router: Router,
    tls: Option<RustlsConfig>,
) -> std::io::Result<()> {
    match tls {
        Some(tls) => {
            let server = axum_server::from_tcp_rustls(listener.into_std()?, tls)?;
            server.serve(router.into_make_service()).await
        }
        None => axum::serve(listener, router).await,
    }
}

/// The one line of standard output: whoever waits for it may begin.
fn announce(lobby: &str) -> Result<()> {
    let mut out = std::io::stdout().lock();
    writeln!(out, "ready {lobby}")?;
    out.flush()?;
    Ok(())
}

/// Listens on both loopback addresses: browsers try both for names under `localhost`.
async fn listen(places: &Places, place: Place) -> Result<Vec<TcpListener>> {
    let port = places.port(place);
    let mut listeners = Vec::new();
    for address in [IpAddr::V4(Ipv4Addr::LOCALHOST), IpAddr::V6(Ipv6Addr::LOCALHOST)] {
        match TcpListener::bind(SocketAddr::new(address, port)).await {
            Ok(listener) => listeners.push(listener),
            // Someone else's server on either address would answer half of the browser's requests.
            Err(error) if error.kind() == ErrorKind::AddrInUse => bail!(in_use(places, place)),
            Err(error) if address.is_ipv6() => {
                eprintln!("warning: {place} does not listen on [::1]:{port}: {error}");
            }
            Err(error) => {
                return Err(error).with_context(|| format!("{place} cannot listen on port {port}"));
            }
        }
    }
    Ok(listeners)
}

fn in_use(places: &Places, place: Place) -> String {
    format!(
        "port {} of {place} is in use: stop what listens there, or move all six ports with \
         --port-base, such as: cargo xtask demo --port-base {}",
        places.port(place),
        places.another_base(),
    )
}

/// Done when the person presses Ctrl-C or the system asks to stop; both are listened for from this call
/// on.
#[cfg(unix)]
fn stop_signal() -> Result<impl Future<Output = ()>> {
    use tokio::signal::unix::{SignalKind, signal};
    let mut interrupt = signal(SignalKind::interrupt())?;
    let mut terminate = signal(SignalKind::terminate())?;
    Ok(async move {
        tokio::select! {
            _ = interrupt.recv() => {}
            _ = terminate.recv() => {}
        }
    })
}

/// Done when the person presses Ctrl-C.
#[cfg(windows)]
fn stop_signal() -> Result<impl Future<Output = ()>> {
    let mut interrupt = tokio::signal::windows::ctrl_c()?;
    Ok(async move {
        let _ = interrupt.recv().await;
    })
}

/// Opens the lobby where there is a desktop; a failure is no reason to stop.
fn open_browser(address: &str) {
    let Some((program, arguments)) = opener() else { return };
    let started = Command::new(program)
        .args(arguments)
        .arg(address)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn();
    if let Err(error) = started {
        eprintln!("warning: cannot open a browser ({program}: {error}); open {address} yourself");
    }
}

fn opener() -> Option<(&'static str, &'static [&'static str])> {
    if cfg!(target_os = "macos") {
        return Some(("open", &[]));
    }
    if cfg!(windows) {
        // The empty text is the window's title, which `start` takes from the first quoted word.
        return Some(("cmd", &["/C", "start", ""]));
    }
    let has_desktop =
        ["DISPLAY", "WAYLAND_DISPLAY"].iter().any(|name| std::env::var_os(name).is_some());
    has_desktop.then_some(("xdg-open", &[]))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn names_the_port_in_use_and_the_option_that_helps() {
        let taken = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = taken.local_addr().unwrap().port();
        // The lobby's port is the base itself.
        let places = Places::new(port);
        let error = listen(&places, Place::Lobby).await.unwrap_err().to_string();
        assert!(error.contains(&format!("port {port} of the lobby")), "{error}");
        assert!(error.contains("--port-base"), "{error}");
    }
}
