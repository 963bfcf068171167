//! The lobby.

use anyhow::{Context, Result};
use serde_json::Value;

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
        // WebKit's driver does not wait for scripts that wait for something, and buttons do nothing before.
        until("the lobby to have begun", async || {
            let script = "return document.querySelector('#link-text').textContent";
            Ok((tab.run(script, vec![]).await? != "Connecting").then_some(()))
        })
        .await?;
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

    /// Waits until a stop of the tour is ticked off.
    ///
    /// # Errors
    /// When it is not.
    pub async fn wait_ticked(&self, stop: &str) -> Result<()> {
        let ticked = until(format!("stop {stop} of the tour"), async || {
            let done = self.tab.attribute(&format!("tour-{stop}"), "data-done").await?;
            Ok((done.as_deref() == Some("true")).then_some(()))
        });
        match ticked.await {
            Ok(()) => Ok(()),
            Err(error) => Err(error.context(self.tab.describe().await)),
        }
    }

    /// The stops that are ticked off.
    ///
    /// # Errors
    /// When the page cannot be asked.
    pub async fn ticked(&self) -> Result<Vec<String>> {
        self.texts("details[data-done=true]", "testid").await
    }

    /// The arrows of the picture, from top to bottom: `step@client`, or `step` without a client.
    ///
    /// # Errors
    /// When the page cannot be asked.
    pub async fn arrows(&self) -> Result<Vec<String>> {
        let script = "return [...document.querySelectorAll('[data-testid=sequence] [data-step]')]\
                      .map(({ dataset: { step, client } }) => client ? `${step}@${client}` : step)";
        strings(&self.tab.run(script, vec![]).await?)
    }

    /// What the groups of the picture are, from top to bottom.
    ///
    /// # Errors
    /// When the page cannot be asked.
    pub async fn groups(&self) -> Result<Vec<String>> {
        self.texts("[data-testid=sequence] [data-kind]", "kind").await
    }

    /// A `data-` member of each element that a selector finds.
    ///
    /// # Errors
    /// When the page cannot be asked.
    pub async fn texts(&self, selector: &str, member: &str) -> Result<Vec<String>> {
        let script = "return [...document.querySelectorAll(arguments[0])]\
                      .map((found) => found.dataset[arguments[1]])";
        strings(&self.tab.run(script, vec![selector.into(), member.into()]).await?)
    }

    /// Waits until the picture has an arrow so often.
    ///
    /// # Errors
    /// When it does not come.
    pub async fn wait_arrow(&self, count: usize, wanted: &str) -> Result<()> {
        let drawn = until(format!("arrow {wanted}, {count} times"), async || {
            let arrows = self.arrows().await?;
            Ok((arrows.iter().filter(|arrow| *arrow == wanted).count() >= count).then_some(()))
        });
        match drawn.await {
            Ok(()) => Ok(()),
            Err(error) => Err(error.context(format!("{:?}", self.arrows().await?))),
        }
    }

    /// Waits until a row of the table of visits is the one that holds.
    ///
    /// # Errors
    /// When it does not come to hold.
    pub async fn wait_row(&self, wanted: &str) -> Result<()> {
        let script = "return document.querySelector('[data-row][aria-current]')?.dataset.row";
        let holds = until(format!("row {wanted}"), async || {
            let row = self.tab.run(script, vec![]).await?;
            Ok((row.as_str() == Some(wanted)).then_some(()))
        });
        match holds.await {
            Ok(()) => Ok(()),
            Err(error) => Err(error.context(self.tab.describe().await)),
        }
    }
}

fn strings(list: &Value) -> Result<Vec<String>> {
    let list = list.as_array().context("no list")?;
    Ok(list.iter().filter_map(Value::as_str).map(str::to_owned).collect())
}
