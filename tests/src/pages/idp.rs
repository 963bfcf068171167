//! The provider's pages.

use anyhow::{Context, Result, ensure};
use serde_json::Value;
use std::collections::BTreeMap;

use crate::stage::{PASSWORD, Stage};
use crate::tab::Tab;
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

    /// Sends the form as the browser would, from outside of it, and gives the address to which the
    /// provider sends the person: the callback, which nobody has handled yet.
    ///
    /// # Errors
    /// When the provider does not send the person back.
    pub async fn submit_outside(&self, stage: &Stage, user: &str) -> Result<String> {
        let script = "const find = (id) => document.querySelector(`[data-testid=${id}]`);\
            const form = find('username').form;\
            find('username').value = arguments[0];\
            find('password').value = arguments[1];\
            const fields = Object.fromEntries(new FormData(form, find('submit')));\
            return { action: new URL(form.getAttribute('action'), location).href, fields }";
        let form = self.tab.run(script, vec![user.into(), PASSWORD.into()]).await?;
        let cookies = self.tab.cookies().await?;
        let pair = |cookie: &Value| {
            Some(format!("{}={}", cookie["name"].as_str()?, cookie["value"].as_str()?))
        };
        let cookies: Vec<_> = cookies.iter().filter_map(pair).collect();
        let action = form["action"].as_str().context("the form has no action")?;
        let fields: BTreeMap<&str, &str> = form["fields"]
            .as_object()
            .into_iter()
            .flatten()
            .filter_map(|(name, value)| Some((name.as_str(), value.as_str()?)))
            .collect();
        let response = stage
            .http
            .post(action)
            .header("cookie", cookies.join("; "))
            .header("origin", stage.issuer())
            .form(&fields)
            .send()
            .await?;
        ensure!(response.status() == 303, "the login form was answered {}", response.status());
        let location = response.headers().get("location").context("no Location")?.to_str()?;
        ensure!(location.contains("code="), "the login form led to {}", path_of(location));
        Ok(location.to_owned())
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

/// An address without what must not be shown.
fn path_of(address: &str) -> &str {
    address.split('?').next().unwrap_or_default()
}
