//! The provider's pages.

use anyhow::Result;

use crate::browser::Tab;
use crate::stage::Stage;
use crate::wait::until;

/// The sign-in page in a tab.
#[derive(Clone, Debug)]
pub struct SignInPage<'a> {
    /// The tab.
    pub tab: Tab<'a>,
}

impl<'a> SignInPage<'a> {
    /// Waits until a tab shows the sign-in page.
    ///
    /// # Errors
    /// When it does not.
    pub async fn wait(tab: Tab<'a>) -> Result<Self> {
        for id in ["username", "password", "submit"] {
            tab.wait_text(id).await?;
        }
        Ok(Self { tab })
    }

    /// Fills in the form and sends it.
    ///
    /// # Errors
    /// When it cannot be filled in.
    pub async fn submit(&self, user: &str, password: &str) -> Result<()> {
        self.tab.fill("username", user).await?;
        self.tab.fill("password", password).await?;
        self.tab.click("submit").await
    }

    /// Clicks "Cancel".
    ///
    /// # Errors
    /// When it cannot be clicked.
    pub async fn cancel(&self) -> Result<()> {
        self.tab.click("cancel").await
    }

    /// What the page says is wrong.
    ///
    /// # Errors
    /// When it says nothing.
    pub async fn error(&self) -> Result<String> {
        self.tab.wait_text("error").await
    }
}

/// Waits until a tab is at the provider and shows an error, and gives its words.
///
/// # Errors
/// When it does not.
pub async fn wait_error(stage: &Stage, tab: &Tab<'_>) -> Result<String> {
    let issuer = stage.issuer();
    until("an error page of the provider", async || {
        if !tab.address().await?.starts_with(&issuer) {
            return Ok(None);
        }
        Ok(tab.text("error").await?.filter(|words| !words.is_empty()))
    })
    .await
}
