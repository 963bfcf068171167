//! Chromium by chromedriver: one driver for all browsers of a process.

use anyhow::Result;
use serde_json::json;
use std::path::Path;
use std::sync::{Mutex, PoisonError};
use thirtyfour::LoggingPrefsLogLevel;
use thirtyfour::common::capabilities::chromium::ChromiumLikeCapabilities;
use thirtyfour::prelude::*;
use tokio::sync::OnceCell;

use super::{Log, Logged, Own, Started, address_of};
use crate::browser::{Blocked, Flavour};
use crate::environment;
use crate::network::Network;
use crate::process::Program;
use crate::trust::Store;
use crate::world::World;

/// Starts a browser with a fresh profile.
///
/// # Errors
/// When it does not start.
pub(super) async fn start(world: World, flavour: Flavour) -> Result<Started> {
    let mut options = DesiredCapabilities::chrome();
    let chromium = environment::file(environment::CHROMIUM)?;
    options.set_binary(&chromium.to_string_lossy())?;
    for switch in SWITCHES {
        options.add_arg(switch)?;
    }
    if flavour.is_private {
        options.add_arg("--incognito")?;
    }
    if flavour.discards_tabs {
        // Neither WebDriver nor DevTools has a word for it, but extensions have.
        let discarder = environment::crate_path("discarder");
        options.add_arg(&format!("--load-extension={}", discarder.display()))?;
        options.add_arg("--disable-features=DisableLoadExtensionCommandLineSwitch")?;
    }
    if let Some(profile) = flavour.kept_profile() {
        std::fs::create_dir_all(&profile)?;
        // Without `..`: the driver reads no file by such a path.
        let profile = profile.canonicalize()?;
        options.add_arg(&format!("--user-data-dir={}", profile.display()))?;
    }
    // Otherwise popups without a click pass in tests and fail for people.
    options.add_exclude_switch("disable-popup-blocking")?;
    let is_blocked = u8::from(!world.frames_get_cookies());
    let mut preferences = json!({ "profile.cookie_controls_mode": is_blocked });
    match flavour.blocks_storage {
        None => {}
        Some(Blocked::Everybody) => {
            preferences["profile.default_content_setting_values.cookies"] = json!(2);
        }
        Some(Blocked::Site(name)) => {
            let site = format!("{name}.localhost,*");
            preferences["profile.content_settings.exceptions.cookies"] =
                json!({ site: { "setting": 2 } });
        }
    }
    options.add_experimental_option("prefs", preferences)?;
    if !flavour.is_unlogged {
        options.set_logging_prefs("performance", LoggingPrefsLogLevel::All)?;
        options.set_logging_prefs("browser", LoggingPrefsLogLevel::All)?;
    }
    let (address, own) = if flavour.trusts_demo {
        let home = Store::as_home()?;
        let (program, port) = start_driver(Some(home.path()))?;
        (address_of(port), Own { programs: vec![program], store: Some(home) })
    } else {
        (shared_driver().await?, Own::default())
    };
    let driver = WebDriver::new(address, options).await?;
    let log = if flavour.is_unlogged { Log::Nothing } else { Log::LogTypes(LogTypes::default()) };
    Ok(Started { driver, log, own })
}

/// What the driver has given so far: it gives each entry once.
#[derive(Debug, Default)]
pub(crate) struct LogTypes(Mutex<(Network, Vec<String>)>);

impl LogTypes {
    /// Reads what is new and gives all.
    pub(super) async fn read(&self, driver: &WebDriver) -> Result<Logged> {
        let performance = driver.get_log("performance").await?;
        let lines = driver.get_log("browser").await?;
        let mut kept = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let (network, console) = &mut *kept;
        performance.iter().for_each(|entry| network.take(&entry.message));
        console.extend(lines.into_iter().map(|entry| entry.message));
        Ok(Logged { requests: network.requests().to_vec(), console: console.clone() })
    }
}

/// The address of the one driver of this process.
async fn shared_driver() -> Result<String> {
    static DRIVER: OnceCell<(Mutex<Program>, u16)> = OnceCell::const_new();
    let start = async || -> Result<_> {
        let (program, port) = start_driver(None)?;
        Ok((Mutex::new(program), port))
    };
    let (_, port) = DRIVER.get_or_try_init(start).await?;
    Ok(address_of(*port))
}

/// Starts a driver, whose browsers have the same home directory, and gives its port.
fn start_driver(home: Option<&Path>) -> Result<(Program, u16)> {
    let program = environment::file(environment::CHROMEDRIVER)?;
    let words = [program.into_os_string(), "--port=0".into()];
    let home = home.map(|home| ("HOME", home.as_os_str().to_owned()));
    Program::start_in("chromedriver", words, home.as_slice(), |line| {
        let (_, port) = line.split_once("successfully on port ")?;
        port.trim_end_matches('.').parse::<u16>().ok()
    })
}

/// How every browser is started.
const SWITCHES: [&str; 10] = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--window-size=1280,900",
    // The browser ends with its driver, however that ends.
    "--remote-debugging-pipe",
];
