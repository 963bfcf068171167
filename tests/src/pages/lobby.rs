//! The lobby.

use anyhow::Result;

use crate::browser::Browser;
use crate::stage::Stage;
use crate::tab::Tab;
use crate::wait::until;

/// The lobby in a tab.
#[derive(Clone, Debug)]
pub struct Lobby<'a> {
    /// The tab.
    pub tab: Tab<'a>,
}

impl<'a> Lobby<'a> {
    /// Opens it in the browser's first tab.
    ///
    /// # Errors
    /// When it does not open.
    pub async fn open(stage: &Stage, browser: &'a Browser) -> Result<Self> {
        let tab = browser.first_tab();
        tab.goto(&stage.lobby()).await?;
        Ok(Self { tab })
    }

    /// Whether a step is ticked off.
    ///
    /// # Errors
    /// When the page cannot be asked.
    pub async fn is_done(&self, step: u8) -> Result<bool> {
        let done = self.tab.attribute(&format!("step-{step}"), "data-done").await?;
        Ok(done.as_deref() == Some("true"))
    }

    /// Waits until a step is ticked off.
    ///
    /// # Errors
    /// When it is not.
    pub async fn wait_done(&self, step: u8) -> Result<()> {
        until(format!("step {step} of the lobby"), async || {
            Ok(self.is_done(step).await?.then_some(()))
        })
        .await
    }
}
