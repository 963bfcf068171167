//! A real browser with a fresh profile, and its logs.

use anyhow::{Context, Result, bail, ensure};
use serde_json::{Value, json};
use std::path::PathBuf;
use std::time::Duration;
use thirtyfour::WindowHandle;
use thirtyfour::prelude::*;

use crate::engine::{self, Ability, Engine, Log, Own, Started};
use crate::environment;
use crate::network::Request;
use crate::report;
use crate::tab::Tab;
use crate::wait::until;
use crate::world::World;

/// A running browser.
#[derive(Debug)]
pub struct Browser {
    driver: WebDriver,
    engine: Engine,
    first: WindowHandle,
    is_private: bool,
    log: Log,
    /// What ends with it.
    _own: Own,
}

/// Whom a browser lets store nothing, as a person may choose.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Blocked {
    /// No site.
    Everybody,
    /// One site of this machine, by its name.
    Site(&'static str),
}

/// What a browser is started with besides its world.
#[derive(Clone, Copy, Debug, Default)]
pub struct Flavour {
    /// Who may store nothing: reading `sessionStorage` throws there.
    pub blocks_storage: Option<Blocked>,
    /// It trusts the authority of `demo --tls`, as after a person's decision.
    pub trusts_demo: bool,
    /// Its windows are private ones.
    pub is_private: bool,
    /// It can be told to throw a tab's page away ([`Tab::discard`]).
    pub discards_tabs: bool,
    /// Nothing is logged: for what is timed, which the log would slow down.
    pub is_unlogged: bool,
    /// Its profile is the one of this number and outlives it, until the process ends; otherwise it has
    /// a fresh one.
    pub profile: Option<u32>,
}

impl Flavour {
    /// The directory of the profile that outlives the browser.
    pub(crate) fn kept_profile(self) -> Option<PathBuf> {
        let name = |number| format!("journeys/profile-{}-{number}", std::process::id());
        self.profile.map(|number| environment::output(&name(number)))
    }
}

impl Browser {
    /// Starts a browser.
    ///
    /// # Errors
    /// When it does not start, or its driver cannot start such a one.
    pub async fn start(world: World, flavour: Flavour) -> Result<Self> {
        let Started { driver, log, own } = engine::start(world, flavour).await?;
        driver.set_page_load_timeout(Duration::from_secs(30)).await?;
        driver.set_script_timeout(Duration::from_secs(30)).await?;
        let first = driver.window().await?;
        let (engine, is_private) = (world.engine(), flavour.is_private);
        Ok(Self { driver, engine, first, is_private, log, _own: own })
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
        if self.is_private && self.engine == Engine::Chromium {
            return self.new_private_tab().await;
        }
        let handle = self.driver.new_tab().await?;
        Ok(Tab { browser: self, handle })
    }

    /// Left alone, Chromium's driver opens an ordinary tab beside private ones; a page does not.
    async fn new_private_tab(&self) -> Result<Tab<'_>> {
        let known = self.tabs().await?;
        let opener = known.first().context("no tab is open")?;
        if opener.address().await?.starts_with("data:") {
            opener.goto("about:blank").await?;
        }
        let link = "const link = document.createElement('a');\
            link.id = 'new-tab'; link.href = 'about:blank'; link.target = '_blank';\
            link.rel = 'noopener'; link.textContent = 'new';\
            link.style = 'position: fixed; inset: 0 auto auto 0; z-index: 99';\
            document.body.append(link)";
        opener.run(link, vec![]).await?;
        opener.click_at("#new-tab").await?;
        opener.run("document.querySelector('#new-tab').remove()", vec![]).await?;
        self.opened_tab(&known).await
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
    /// When the browser does not give its log, or cannot.
    pub async fn requests(&self) -> Result<Vec<Request>> {
        self.engine.must(Ability::Requests)?;
        Ok(self.log.read(&self.driver).await?.requests)
    }

    /// All lines of all consoles so far.
    ///
    /// # Errors
    /// When the browser does not give its log, or cannot.
    pub async fn console(&self) -> Result<Vec<String>> {
        self.engine.must(Ability::Console)?;
        Ok(self.log.read(&self.driver).await?.console)
    }

    /// All cookies that the browser holds, of all sites.
    ///
    /// # Errors
    /// When the browser does not tell, or cannot.
    pub async fn cookies(&self) -> Result<Vec<Value>> {
        self.engine.must(Ability::Cookies)?;
        if self.engine == Engine::Firefox {
            let bidi = self.driver.bidi().await?;
            let found = bidi.send_raw("storage.getCookies", json!({})).await?;
            let mut cookies = found["cookies"].as_array().cloned().unwrap_or_default();
            for cookie in &mut cookies {
                // BiDi wraps the value, which need not be text.
                cookie["value"] = cookie["value"]["value"].take();
            }
            return Ok(cookies);
        }
        let found = self.driver.cdp().send_raw("Storage.getCookies", json!({})).await?;
        Ok(found["cookies"].as_array().cloned().unwrap_or_default())
    }

    /// Whether its driver can do something. What it cannot is noted in the report beside the
    /// journey, which goes on without.
    ///
    /// # Errors
    /// When the note cannot be written.
    pub fn can(&self, ability: Ability) -> Result<bool> {
        match self.engine.must(ability) {
            Ok(()) => Ok(true),
            Err(cannot) => {
                report::note_without(cannot)?;
                Ok(false)
            }
        }
    }

    /// Its engine.
    #[must_use]
    pub fn engine(&self) -> Engine {
        self.engine
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
}

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
