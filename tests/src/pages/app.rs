//! A demo app in a tab.

use anyhow::{Context, Result, ensure};
use serde_json::Value;

use crate::browser::Browser;
use crate::pages::idp::SignInPage;
use crate::stage::{Client, PASSWORD, Stage};
use crate::tab::Tab;
use crate::wait::until;

/// One of the demo apps, open in a tab.
#[derive(Clone, Debug)]
pub struct App<'a> {
    /// The tab.
    pub tab: Tab<'a>,
    client: Client,
    origin: String,
}

impl<'a> App<'a> {
    /// The app in a tab that may be anywhere.
    #[must_use]
    pub fn of(stage: &Stage, client: Client, tab: Tab<'a>) -> Self {
        Self { tab, client, origin: stage.origin(client) }
    }

    /// The app in the browser's first tab, opened at its start page.
    ///
    /// # Errors
    /// When it does not open.
    pub async fn open(stage: &Stage, client: Client, browser: &'a Browser) -> Result<Self> {
        let app = Self::of(stage, client, browser.first_tab());
        app.visit("/").await?;
        Ok(app)
    }

    /// The app in a new tab, opened at its start page.
    ///
    /// # Errors
    /// When it does not open.
    pub async fn open_beside(stage: &Stage, client: Client, browser: &'a Browser) -> Result<Self> {
        let app = Self::of(stage, client, browser.new_tab().await?);
        app.visit("/").await?;
        Ok(app)
    }

    /// Both apps, signed in and listening, each in a tab of its own.
    ///
    /// # Errors
    /// When one does not get there.
    pub async fn both(stage: &Stage, browser: &'a Browser) -> Result<[Self; 2]> {
        let first = Self::open(stage, Client::PiedPiper, browser).await?;
        first.sign_in("richard").await?;
        let second = Self::open_beside(stage, Client::Hooli, browser).await?;
        second.wait_signed_in().await?;
        // Each is told of a sign-out only once its stream is open.
        for client in Client::ALL {
            stage.control.wait_for(1, &format!("stream.opened@{}", client.id())).await?;
        }
        Ok([first, second])
    }

    /// Goes to a path of the app.
    ///
    /// # Errors
    /// When nothing answers.
    pub async fn visit(&self, path: &str) -> Result<()> {
        self.tab.goto(&format!("{}{path}", self.origin)).await
    }

    /// Which of the apps it is.
    #[must_use]
    pub fn client(&self) -> Client {
        self.client
    }

    /// Its origin, without a trailing slash.
    #[must_use]
    pub fn origin(&self) -> &str {
        &self.origin
    }

    /// The state's name, as the page shows it; nothing while another page is there.
    ///
    /// # Errors
    /// When the page cannot be asked.
    pub async fn status(&self) -> Result<Option<String>> {
        let address = self.tab.address().await?;
        if !address.starts_with(&self.origin) {
            return Ok(None);
        }
        self.tab.text("status").await
    }

    /// Waits until the app shows a state.
    ///
    /// # Errors
    /// When it does not.
    pub async fn wait_status(&self, wanted: &str) -> Result<()> {
        let shown = until(format!("status {wanted} at {}", self.origin), async || {
            Ok((self.status().await?.as_deref() == Some(wanted)).then_some(()))
        });
        match shown.await {
            Ok(()) => Ok(()),
            Err(error) => Err(error.context(self.tab.describe().await)),
        }
    }

    /// Waits until the person is signed in.
    ///
    /// # Errors
    /// When that does not come.
    pub async fn wait_signed_in(&self) -> Result<()> {
        self.wait_status("authenticated").await
    }

    /// Waits until the app asks the person to sign in.
    ///
    /// # Errors
    /// When that does not come.
    pub async fn wait_signed_out(&self) -> Result<()> {
        self.wait_status("anonymous").await?;
        self.tab.wait_text("sign-in").await.map(drop)
    }

    /// Waits until a session that ended while the page could not hear of it has ended here too. What
    /// tells it first is a race: the stream's logout token (`anonymous`), or a refresh token that is
    /// worth nothing any more (`expired`).
    ///
    /// # Errors
    /// When it does not.
    pub async fn wait_ended(&self) -> Result<()> {
        let ended = until(format!("an end of the session at {}", self.origin), async || {
            let status = self.status().await?;
            Ok(matches!(status.as_deref(), Some("anonymous" | "expired")).then_some(()))
        });
        if let Err(error) = ended.await {
            return Err(error.context(self.tab.describe().await));
        }
        self.tab.wait_text("sign-in").await.map(drop)
    }

    /// Clicks "Sign in" and signs in at the provider's page.
    ///
    /// # Errors
    /// When a page does not come.
    pub async fn sign_in(&self, user: &str) -> Result<()> {
        self.sign_in_with(user, false).await
    }

    /// The same, with "keep me signed in" ticked or not.
    ///
    /// # Errors
    /// When a page does not come.
    pub async fn sign_in_with(&self, user: &str, keep: bool) -> Result<()> {
        self.wait_signed_out().await?;
        self.tab.click("sign-in").await?;
        let page = SignInPage::wait(self.tab.clone()).await?;
        if keep {
            self.tab.click("keep").await?;
        }
        page.submit(user, PASSWORD).await?;
        self.wait_signed_in().await
    }

    /// Clicks "Ask our server", waits until its answer is of this kind, and gives its words.
    ///
    /// # Errors
    /// When that answer does not come.
    pub async fn ask_server(&self, wanted: &str) -> Result<String> {
        self.tab.click("api-ask").await?;
        let shown = until(format!("the API's answer is {wanted}"), async || {
            let answer = self.tab.attribute("api-answer", "data-answer").await?;
            Ok((answer.as_deref() == Some(wanted)).then_some(()))
        });
        match shown.await {
            Ok(()) => self.tab.wait_text("api-answer").await,
            Err(error) => Err(error.context(self.tab.describe().await)),
        }
    }

    /// Clicks "Sign out" (everywhere).
    ///
    /// # Errors
    /// When it cannot be clicked.
    pub async fn sign_out(&self) -> Result<()> {
        self.tab.click("sign-out").await
    }

    /// The same, and waits for the page after it. On the one that is being left a click is lost.
    ///
    /// # Errors
    /// When it does not come, or shows a session.
    pub async fn sign_out_and_return(&self) -> Result<()> {
        self.mark().await?;
        self.sign_out().await?;
        until("the page after the sign-out", async || {
            Ok((!self.is_marked().await.unwrap_or(true)).then_some(()))
        })
        .await?;
        self.wait_signed_out().await
    }

    /// Clicks "Leave only this app".
    ///
    /// # Errors
    /// When it cannot be clicked.
    pub async fn leave(&self) -> Result<()> {
        self.tab.click("sign-out-here").await
    }

    /// The person's name as shown.
    ///
    /// # Errors
    /// When it is not shown.
    pub async fn user_name(&self) -> Result<String> {
        self.tab.wait_text("user-name").await
    }

    /// Waits for a notice with a code and gives its words.
    ///
    /// # Errors
    /// When it does not come.
    pub async fn wait_notice(&self, code: &str) -> Result<String> {
        let shown = until(format!("notice {code} at {}", self.origin), async || {
            let found = self.tab.attribute("notice", "data-code").await?;
            Ok((found.as_deref() == Some(code)).then_some(()))
        });
        if let Err(error) = shown.await {
            let found = self.tab.attribute("notice", "data-code").await;
            let seen = format!("the notice has code {found:?}, {}", self.tab.describe().await);
            return Err(error.context(seen));
        }
        self.tab.text("notice").await?.context("the notice is gone")
    }

    /// Fails if the page shows what only a signed-in person may see.
    ///
    /// # Errors
    /// When it does.
    pub async fn shows_nothing_private(&self) -> Result<()> {
        for id in ["protected-content", "session-panel", "user-name"] {
            let shown = self.tab.text(id).await?;
            ensure!(shown.as_deref().unwrap_or_default().is_empty(), "{id} is shown: {shown:?}");
        }
        Ok(())
    }

    /// Fails unless the address is clean: of this origin, without a code or state.
    ///
    /// # Errors
    /// When it is not.
    pub async fn has_clean_address(&self) -> Result<()> {
        let address = self.tab.address().await?;
        ensure!(
            address.starts_with(&format!("{}/", self.origin))
                && !address.contains("code=")
                && !address.contains("state="),
            "the address is not clean: {}",
            address.split('=').next().unwrap_or_default()
        );
        Ok(())
    }

    /// Everything that the tab's storages hold, as one JSON text.
    ///
    /// # Errors
    /// When the page cannot be asked.
    pub async fn storage(&self) -> Result<String> {
        let script = "return JSON.stringify([{ ...sessionStorage }, { ...localStorage }])";
        let found = self.tab.run(script, vec![]).await?;
        Ok(found.as_str().unwrap_or_default().to_owned())
    }

    /// Marks the document, to learn later whether it is still the same one.
    ///
    /// # Errors
    /// When the page cannot be asked.
    pub async fn mark(&self) -> Result<()> {
        self.tab.run("window.marked = true", vec![]).await.map(drop)
    }

    /// Whether the document is the one that was marked: neither reloaded nor left.
    ///
    /// # Errors
    /// When the page cannot be asked.
    pub async fn is_marked(&self) -> Result<bool> {
        Ok(self.tab.run("return window.marked === true", vec![]).await? == Value::Bool(true))
    }
}
