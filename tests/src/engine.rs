//! Engines: what differs between the browsers' drivers, in one place.
//!
//! A journey asks for what it needs. What a driver cannot do is answered by [`Cannot`], a type of
//! its own: it ends the journey, and the report shows it as "driver cannot" with its reason, never
//! as passed and never in silence.

mod chromium;
mod events;
mod firefox;
mod webkit;

use anyhow::{Result, bail};
use std::fmt;
use thirtyfour::WebDriver;

use crate::browser::{Blocked, Flavour};
use crate::network::Request;
use crate::process::Program;
use crate::trust::Store;
use crate::world::World;
use chromium::LogTypes;
use events::Events;

/// A browser's engine, with the driver that goes with it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Engine {
    /// Chromium, by chromedriver.
    Chromium,
    /// Firefox, by geckodriver.
    Firefox,
    /// WebKitGTK's MiniBrowser, by WebKitWebDriver.
    WebKit,
}

/// What a journey may ask of a driver beyond what every driver does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Ability {
    /// All requests, with their headers as they went over the wire.
    Requests,
    /// The lines of all consoles.
    Console,
    /// The cookies of all sites.
    Cookies,
    /// Commands of the DevTools protocol, such as the one that freezes a tab.
    DevTools,
    /// A script that runs in each new document before the document's own.
    Preload,
    /// A browser in which no site may store anything.
    BlockedStorage,
    /// The same for one site alone.
    BlockedSite,
    /// A browser that begins with what an earlier one has stored.
    KeptProfile,
    /// Private windows beside ordinary ones.
    PrivateWindows,
    /// A page that is kept as it is while another one is shown, and comes back by Back.
    KeptPages,
    /// A tab whose page is thrown away while another one is in front.
    DiscardedTabs,
    /// A tab that is not to be seen, for another one is in front.
    HiddenTabs,
}

/// What a driver cannot do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cannot {
    /// Why it cannot, in words for the report.
    pub why: &'static str,
}

impl fmt::Display for Cannot {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "driver cannot: {}", self.why)
    }
}

impl std::error::Error for Cannot {}

impl Engine {
    /// Says why its driver lacks an ability, if it does.
    ///
    /// # Errors
    /// When it does.
    pub fn must(self, ability: Ability) -> Result<(), Cannot> {
        let why = match (self, ability) {
            (Self::Chromium, _) => return Ok(()),
            (_, Ability::DevTools) => "the DevTools protocol is Chromium's",
            (_, Ability::DiscardedTabs) => {
                "only Chromium's driver reaches what throws a tab's page away"
            }
            (Self::Firefox, Ability::KeptPages) => {
                "driven by geckodriver, Firefox keeps no page in its back/forward cache"
            }
            (Self::Firefox, Ability::BlockedSite) => "geckodriver sets no permission of one site",
            (Self::Firefox, _) | (Self::WebKit, Ability::KeptPages) => return Ok(()),
            (Self::WebKit, Ability::Requests) => "WebKitWebDriver logs no requests",
            (Self::WebKit, Ability::Console) => "WebKitWebDriver logs no console",
            (Self::WebKit, Ability::Cookies) => {
                "WebKitWebDriver tells the open page's cookies only"
            }
            (Self::WebKit, Ability::Preload) => {
                "WebKitWebDriver runs no script before a page's own"
            }
            (Self::WebKit, Ability::KeptProfile) => {
                "WebKitWebDriver's browsers store nothing beyond their end"
            }
            (Self::WebKit, Ability::PrivateWindows) => {
                "under WebKitWebDriver every window is a private one"
            }
            (Self::WebKit, Ability::HiddenTabs) => {
                "under WebKitWebDriver every tab is a visible one"
            }
            (Self::WebKit, Ability::BlockedStorage | Ability::BlockedSite) => {
                "MiniBrowser cannot forbid all storage"
            }
        };
        Err(Cannot { why })
    }
}

/// A browser that has just been started.
#[derive(Debug)]
pub(crate) struct Started {
    pub(crate) driver: WebDriver,
    pub(crate) log: Log,
    pub(crate) own: Own,
}

/// What belongs to one browser alone. The programs end before what they live in does.
#[derive(Debug, Default)]
pub(crate) struct Own {
    pub(crate) programs: Vec<Program>,
    pub(crate) store: Option<Store>,
}

/// What has been logged so far.
#[derive(Clone, Debug, Default)]
pub(crate) struct Logged {
    pub(crate) requests: Vec<Request>,
    pub(crate) console: Vec<String>,
}

/// How a browser's log is read.
#[derive(Debug)]
pub(crate) enum Log {
    /// Nothing is logged: nobody asked for it, or the driver cannot.
    Nothing,
    /// By the log types of Chromium's driver.
    LogTypes(LogTypes),
    /// By the events of WebDriver BiDi.
    Events(Events),
}

impl Log {
    /// All that has been logged so far.
    ///
    /// # Errors
    /// When the driver does not give it, or there is none: what is not logged did not fail to happen.
    pub(crate) async fn read(&self, driver: &WebDriver) -> Result<Logged> {
        match self {
            Self::Nothing => bail!("this browser was started without a log"),
            Self::LogTypes(log) => log.read(driver).await,
            Self::Events(events) => events.read().await,
        }
    }
}

/// Starts a browser.
///
/// # Errors
/// When it does not start, or its driver cannot start such a one.
pub(crate) async fn start(world: World, flavour: Flavour) -> Result<Started> {
    let engine = world.engine();
    match flavour.blocks_storage {
        None => {}
        Some(Blocked::Everybody) => engine.must(Ability::BlockedStorage)?,
        Some(Blocked::Site(_)) => engine.must(Ability::BlockedSite)?,
    }
    if flavour.is_private {
        engine.must(Ability::PrivateWindows)?;
    }
    if flavour.discards_tabs {
        engine.must(Ability::DiscardedTabs)?;
    }
    if flavour.profile.is_some() {
        engine.must(Ability::KeptProfile)?;
    }
    match engine {
        Engine::Chromium => chromium::start(world, flavour).await,
        Engine::Firefox => firefox::start(world, flavour).await,
        Engine::WebKit => webkit::start(flavour).await,
    }
}

/// The address of a driver on this machine.
fn address_of(port: u16) -> String {
    format!("http://127.0.0.1:{port}")
}
