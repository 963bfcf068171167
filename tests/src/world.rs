//! Worlds: one engine with one cookie rule, which proves itself before anything is believed of it.

use anyhow::{Context, Result, ensure};
use serde_json::Value;

use crate::browser::Browser;
use crate::engine::Engine;
use crate::environment;
use crate::site::Site;
use crate::wait::until;

/// A browser with one rule for third-party cookies.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum World {
    /// Chromium as Debian ships it: third-party cookies are blocked.
    ChromiumBlocked,
    /// Chromium with third-party cookies allowed.
    ChromiumAllowed,
    /// Firefox as it is shipped: a frame of another site has cookies of its own there.
    FirefoxDefault,
    /// Firefox with all third-party cookies blocked.
    FirefoxBlockAll,
    /// WebKitGTK with its tracking prevention.
    WebKitItp,
}

impl World {
    /// All of them, by the names that the runner gives them.
    pub const ALL: [(&str, Self); 5] = [
        ("chromium-blocked", Self::ChromiumBlocked),
        ("chromium-allowed", Self::ChromiumAllowed),
        ("firefox-default", Self::FirefoxDefault),
        ("firefox-block-all", Self::FirefoxBlockAll),
        ("webkit-itp", Self::WebKitItp),
    ];

    /// The world that this run is about.
    ///
    /// # Errors
    /// When none is named, or an unknown one.
    pub fn of_this_run() -> Result<Self> {
        let name = environment::text(environment::WORLD)?;
        let found = Self::ALL.into_iter().find(|(known, _)| *known == name);
        let (_, world) = found
            .with_context(|| format!("{} names an unknown world: {name}", environment::WORLD))?;
        Ok(world)
    }

    /// Its engine.
    #[must_use]
    pub fn engine(self) -> Engine {
        match self {
            Self::ChromiumBlocked | Self::ChromiumAllowed => Engine::Chromium,
            Self::FirefoxDefault | Self::FirefoxBlockAll => Engine::Firefox,
            Self::WebKitItp => Engine::WebKit,
        }
    }

    /// Whether a frame of another site gets the cookies that its site has as a page.
    #[must_use]
    pub fn frames_get_cookies(self) -> bool {
        self == Self::ChromiumAllowed
    }

    /// Whether a frame of another site can keep a cookie, be it for frames in the same site only.
    #[must_use]
    pub fn frames_keep_cookies(self) -> bool {
        matches!(self, Self::ChromiumAllowed | Self::FirefoxDefault)
    }

    /// Whether a person's click through another site's page opens frames of that site to its cookies,
    /// for the site that she came from.
    #[must_use]
    pub fn opens_on_click(self) -> bool {
        self == Self::FirefoxDefault
    }

    /// Whether a frame's storage and channels are those of its origin's tabs, if the page around it is
    /// of the same site and of another origin.
    #[must_use]
    pub fn frames_share_with_their_site(self) -> bool {
        self != Self::WebKitItp
    }

    /// Whether the pages of all sites share the few connections that its engine opens to a host.
    #[must_use]
    pub fn shares_connections_among_sites(self) -> bool {
        self == Self::WebKitItp
    }

    /// Whether it needs https: its engine drops the provider's cookies on plain http.
    #[must_use]
    pub fn needs_tls(self) -> bool {
        self == Self::WebKitItp
    }

    /// Frames a cookie probe in a page of a third site and compares what it sees with the claim.
    ///
    /// # Errors
    /// When the browser is another world than it claims to be.
    pub async fn prove(self, browser: &Browser, site: &Site) -> Result<()> {
        let probe = site.origin("probe");
        let tab = browser.first_tab();
        tab.goto(&format!("{probe}/probe/keep")).await?;
        // In its own page the probe has both cookies: otherwise its absence in a frame says nothing.
        tab.goto(&format!("{probe}/probe/look")).await?;
        let own = tab.run("return document.cookie", vec![]).await?;
        let own = own.as_str().unwrap_or_default();
        ensure!(
            own.contains("crossing=1") && own.contains("staying=1"),
            "the browser keeps no cookies of {probe}: it has {own:?}"
        );
        let frame = site.origin("framing");
        tab.goto(&format!("{frame}/probe/frame?address={probe}/probe/look")).await?;
        let seen = until("what the framed probe sees", async || {
            let seen = tab.run("return document.documentElement.dataset.seen", vec![]).await?;
            Ok(seen.as_str().map(serde_json::from_str::<Value>).transpose()?)
        })
        .await?;
        let gets = self.frames_get_cookies();
        let keeps = self.frames_keep_cookies();
        let script = seen["script"].as_str().unwrap_or_default();
        ensure!(
            seen["crossing"] == gets
                && script.contains("crossing=1") == gets
                && seen["keeps"] == keeps
                && browser.engine() == self.engine(),
            "this is not {self:?}: in {:?} a framed cookie probe of another site sees {seen}",
            browser.engine()
        );
        // `SameSite=Lax` never reaches a frame of another site, in any world.
        ensure!(seen["staying"] == false, "the probe is not cross-site: it sees {seen}");
        Ok(())
    }
}
