//! Worlds: one engine with one cookie rule, which proves itself before anything is believed of it.

use anyhow::{Result, bail, ensure};
use serde_json::{Value, json};

use crate::browser::Browser;
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
}

impl World {
    /// The world that this run is about.
    ///
    /// # Errors
    /// When none is named, or an unknown one.
    pub fn of_this_run() -> Result<Self> {
        match environment::text(environment::WORLD)?.as_str() {
            "chromium-blocked" => Ok(Self::ChromiumBlocked),
            "chromium-allowed" => Ok(Self::ChromiumAllowed),
            other => bail!("{} names an unknown world: {other}", environment::WORLD),
        }
    }

    /// Whether a frame of another site gets its cookies.
    #[must_use]
    pub fn allows_third_party_cookies(self) -> bool {
        self == Self::ChromiumAllowed
    }

    /// The profile's preferences that make this world.
    #[must_use]
    pub fn preferences(self) -> Value {
        json!({ "profile.cookie_controls_mode": u8::from(!self.allows_third_party_cookies()) })
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
            "the browser keeps no cookies of http://probe.localhost: it has {own:?}"
        );
        let frame = site.origin("framing");
        tab.goto(&format!("{frame}/probe/frame?address={probe}/probe/look")).await?;
        let seen = until("what the framed probe sees", async || {
            let seen = tab.run("return document.documentElement.dataset.seen", vec![]).await?;
            Ok(seen.as_str().map(serde_json::from_str::<Value>).transpose()?)
        })
        .await?;
        let claimed = self.allows_third_party_cookies();
        let script = seen["script"].as_str().unwrap_or_default();
        ensure!(
            seen["crossing"] == claimed && script.contains("crossing=1") == claimed,
            "this is not {self:?}: a framed cookie probe of another site sees {seen}"
        );
        // `SameSite=Lax` never reaches a frame of another site, in any world.
        ensure!(seen["staying"] == false, "the probe is not cross-site: it sees {seen}");
        Ok(())
    }
}
