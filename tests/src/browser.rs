//! A real browser with a fresh profile, and its logs.

use anyhow::{Result, bail, ensure};
use serde_json::{Value, json};
use std::path::Path;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use thirtyfour::common::capabilities::chromium::ChromiumLikeCapabilities;
use thirtyfour::prelude::*;
use thirtyfour::{LoggingPrefsLogLevel, WindowHandle};
use tokio::sync::OnceCell;

use crate::environment;
use crate::network::{Network, Request};
use crate::process::Program;
use crate::tab::Tab;
use crate::trust::Home;
use crate::wait::until;
use crate::world::World;

/// A running browser.
#[derive(Debug)]
pub struct Browser {
    driver: WebDriver,
    first: WindowHandle,
    logs: Mutex<Logs>,
    /// Its own driver and the home directory that both live in, if it has one. The driver ends
    /// before its home does.
    _own: Option<(Program, Home)>,
}

/// What the browser has logged so far; its driver gives each entry once.
#[derive(Debug, Default)]
struct Logs {
    network: Network,
    console: Vec<String>,
}

/// What a browser is started with besides its world.
#[derive(Clone, Copy, Debug, Default)]
pub struct Flavour {
    /// No site may store anything: reading `sessionStorage` throws.
    pub blocks_storage: bool,
    /// It trusts the authority of `demo --tls`, as after a person's decision.
    pub trusts_demo: bool,
    /// Nothing is logged: for what is timed, which the log would slow down.
    pub is_unlogged: bool,
}

impl Browser {
    /// Starts a browser.
    ///
    /// # Errors
    /// When it does not start.
    pub async fn start(world: World, flavour: Flavour) -> Result<Self> {
        let mut options = DesiredCapabilities::chrome();
        let chromium = environment::file(environment::CHROMIUM)?;
        options.set_binary(&chromium.to_string_lossy())?;
        for switch in SWITCHES {
            options.add_arg(switch)?;
        }
        // Otherwise popups without a click pass in tests and fail for people.
        options.add_exclude_switch("disable-popup-blocking")?;
        let mut preferences = world.preferences();
        if flavour.blocks_storage {
            preferences["profile.default_content_setting_values.cookies"] = json!(2);
        }
        options.add_experimental_option("prefs", preferences)?;
        if !flavour.is_unlogged {
            options.set_logging_prefs("performance", LoggingPrefsLogLevel::All)?;
            options.set_logging_prefs("browser", LoggingPrefsLogLevel::All)?;
        }
        let (address, own) = if flavour.trusts_demo {
            let home = Home::make()?;
            let (program, port) = start_driver(Some(home.path()))?;
            (address_of(port), Some((program, home)))
        } else {
            (driver_address().await?, None)
        };
        let driver = WebDriver::new(address, options).await?;
        driver.set_page_load_timeout(Duration::from_secs(30)).await?;
        driver.set_script_timeout(Duration::from_secs(30)).await?;
        let first = driver.window().await?;
        Ok(Self { driver, first, logs: Mutex::default(), _own: own })
    }

    /// The tab that it started with.
    #[must_use]
    pub fn first_tab(&self) -> Tab<'_> {
        Tab { browser: self, handle: self.first.clone() }
    }

    /// A new, empty tab in front of the others.
    ///
    /// # Errors
    /// When the browser does not open one.
    pub async fn new_tab(&self) -> Result<Tab<'_>> {
        let handle = self.driver.new_tab().await?;
        Ok(Tab { browser: self, handle })
    }

    /// A new, empty tab in a window of its own: both windows are in front.
    ///
    /// # Errors
    /// When the browser does not open one.
    pub async fn new_window(&self) -> Result<Tab<'_>> {
        let handle = self.driver.new_window().await?;
        Ok(Tab { browser: self, handle })
    }

    /// All tabs, those that pages opened included.
    ///
    /// # Errors
    /// When the browser does not tell.
    pub async fn tabs(&self) -> Result<Vec<Tab<'_>>> {
        let handles = self.driver.windows().await?;
        Ok(handles.into_iter().map(|handle| Tab { browser: self, handle }).collect())
    }

    /// Waits for a tab that is none of those known: one that a page has opened.
    ///
    /// # Errors
    /// When none appears.
    pub async fn opened_tab(&self, known: &[Tab<'_>]) -> Result<Tab<'_>> {
        until("a tab opened by a page", async || {
            let tabs = self.tabs().await?;
            Ok(tabs.into_iter().find(|tab| known.iter().all(|old| old.handle != tab.handle)))
        })
        .await
    }

    /// All requests so far.
    ///
    /// # Errors
    /// When the browser does not give its log.
    pub async fn requests(&self) -> Result<Vec<Request>> {
        self.read_logs().await?;
        Ok(self.logs().network.requests().to_vec())
    }

    /// All lines of all consoles so far.
    ///
    /// # Errors
    /// When the browser does not give its log.
    pub async fn console(&self) -> Result<Vec<String>> {
        self.read_logs().await?;
        Ok(self.logs().console.clone())
    }

    /// All cookies that the browser holds, of all sites.
    ///
    /// # Errors
    /// When the browser does not tell.
    pub async fn cookies(&self) -> Result<Vec<Value>> {
        let found = self.driver.cdp().send_raw("Storage.getCookies", json!({})).await?;
        Ok(found["cookies"].as_array().cloned().unwrap_or_default())
    }

    /// Ends the browser.
    ///
    /// # Errors
    /// When it does not end properly.
    pub async fn quit(self) -> Result<()> {
        Ok(self.driver.quit().await?)
    }

    pub(crate) fn driver(&self) -> &WebDriver {
        &self.driver
    }

    async fn read_logs(&self) -> Result<()> {
        let performance = self.driver.get_log("performance").await?;
        let console = self.driver.get_log("browser").await?;
        let mut logs = self.logs();
        performance.iter().for_each(|entry| logs.network.take(&entry.message));
        logs.console.extend(console.into_iter().map(|entry| entry.message));
        Ok(())
    }

    fn logs(&self) -> MutexGuard<'_, Logs> {
        self.logs.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The address of the one driver of this process.
async fn driver_address() -> Result<String> {
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
    Program::start_at_home("chromedriver", words, home, |line| {
        let (_, port) = line.split_once("successfully on port ")?;
        port.trim_end_matches('.').parse::<u16>().ok()
    })
}

fn address_of(port: u16) -> String {
    format!("http://127.0.0.1:{port}")
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

/// Fails if a text has something that looks like a token.
///
/// # Errors
/// When it has.
pub fn refuse_tokens(text: &str, known: &[String], place: &str) -> Result<()> {
    // A JWT begins with `{"` in base64url, twice.
    if let Some(at) = text.find("eyJ") {
        let rest = &text[at..];
        let end = rest.find(|c: char| !(c.is_ascii_alphanumeric() || "-_.".contains(c)));
        let word = &rest[..end.unwrap_or(rest.len())];
        ensure!(word.matches(".eyJ").count() == 0, "{place} has a token: {word:.12}...");
    }
    for token in known {
        if text.contains(token.as_str()) {
            bail!("{place} has a token: {token:.4}...");
        }
    }
    Ok(())
}
