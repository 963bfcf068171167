//! WebKitGTK by WebKitWebDriver, with tracking prevention, on a screen that nobody sees.
//!
//! It drops `Secure` cookies of plain-http names, so this engine goes by https. It has no store of
//! certificates of its own: trusting the demo's authority is taking any certificate.

use anyhow::Result;
use serde_json::json;
use std::ffi::OsString;
use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::sync::Mutex;
use thirtyfour::prelude::*;
use tokio::sync::OnceCell;

use super::{Log, Own, Started, address_of};
use crate::browser::Flavour;
use crate::environment;
use crate::process::Program;
use crate::wait::until;

/// Starts a browser; under automation it keeps nothing.
///
/// # Errors
/// When it does not start.
pub(super) async fn start(flavour: Flavour) -> Result<Started> {
    let browser = environment::file(environment::MINIBROWSER)?;
    let mut options = Capabilities::new();
    options.set("acceptInsecureCerts", flavour.trusts_demo)?;
    options.set(
        "webkitgtk:browserOptions",
        json!({ "binary": browser, "args": ["--automation", "--enable-itp"] }),
    )?;
    let (program, port) = start_driver(screen().await?).await?;
    let driver = WebDriver::new(address_of(port), options).await?;
    driver.set_window_rect(0, 0, 1280, 900).await?;
    Ok(Started { driver, log: Log::Nothing, own: Own { programs: vec![program], store: None } })
}

/// Starts a driver. It holds one session, does not choose a port by itself, and does not say when
/// it is ready.
async fn start_driver(screen: &str) -> Result<(Program, u16)> {
    let program = environment::file(environment::WEBKITDRIVER)?;
    let port = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?.port();
    let words = [program.into_os_string(), format!("--port={port}").into()];
    let surroundings: [(&str, OsString); 4] = [
        ("DISPLAY", screen.into()),
        ("GDK_BACKEND", "x11".into()),
        ("LIBGL_ALWAYS_SOFTWARE", "1".into()),
        // Its sandbox does not start for root, who runs most build machines.
        ("WEBKIT_DISABLE_SANDBOX_THIS_IS_DANGEROUS", "1".into()),
    ];
    let program = Program::start_silent_group("WebKitWebDriver", words, &surroundings)?;
    until("WebKitWebDriver listens", async || {
        Ok(TcpStream::connect((Ipv4Addr::LOCALHOST, port)).is_ok().then_some(()))
    })
    .await?;
    Ok((program, port))
}

/// The one screen of this process, by its name.
async fn screen() -> Result<&'static str> {
    static SCREEN: OnceCell<(Mutex<Program>, String)> = OnceCell::const_new();
    let start = async || -> Result<_> {
        let program = environment::file(environment::XVFB)?;
        let words = ["-displayfd", "1", "-screen", "0", "1280x960x24", "-nolisten", "tcp"];
        let words = std::iter::once(program.into_os_string()).chain(words.map(OsString::from));
        let (program, number) =
            Program::start("Xvfb", words, |line| line.trim().parse::<u16>().ok())?;
        Ok((Mutex::new(program), format!(":{number}")))
    };
    let (_, name) = SCREEN.get_or_try_init(start).await?;
    Ok(name)
}
