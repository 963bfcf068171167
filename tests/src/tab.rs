//! A tab of the browser, driven by test ids.

use anyhow::{Context, Result, bail, ensure};
use serde_json::{Value, json};
use std::path::Path;
use thirtyfour::WindowHandle;
use thirtyfour::error::{WebDriverError, WebDriverErrorInner};
use thirtyfour::prelude::*;

use crate::browser::Browser;
use crate::engine::{Ability, Engine};
use crate::wait::until;

/// A tab. What is done in it brings it to the driver's attention first.
#[derive(Clone, Debug)]
pub struct Tab<'a> {
    pub(crate) browser: &'a Browser,
    pub(crate) handle: WindowHandle,
}

impl PartialEq for Tab<'_> {
    fn eq(&self, other: &Self) -> bool {
        self.handle == other.handle
    }
}

impl<'a> Tab<'a> {
    /// Its browser.
    #[must_use]
    pub fn browser(&self) -> &'a Browser {
        self.browser
    }

    /// The name under which its requests are logged.
    #[must_use]
    pub fn target(&self) -> String {
        self.handle.to_string()
    }

    /// Goes to an address, as if typed.
    ///
    /// # Errors
    /// When nothing answers there.
    pub async fn goto(&self, address: &str) -> Result<()> {
        let driver = self.driver().await?;
        driver.goto(address).await.with_context(|| format!("cannot go to {address}"))
    }

    /// Goes to an address that may not answer.
    ///
    /// # Errors
    /// When the browser fails, not when the server does.
    pub async fn goto_dead(&self, address: &str) -> Result<()> {
        match self.driver().await?.goto(address).await {
            Ok(()) => Ok(()),
            // Chromium's words for it, then Firefox's.
            Err(error) if error.to_string().contains("net::ERR_") => Ok(()),
            Err(error) if error.to_string().contains("about:neterror") => Ok(()),
            Err(error) if error.to_string().contains("certificate is insecure") => Ok(()),
            Err(error) => Err(error.into()),
        }
    }

    /// Brings it before the others of its window, as a click on it does.
    ///
    /// # Errors
    /// When the browser fails.
    pub async fn bring_to_front(&self) -> Result<()> {
        let driver = self.driver().await?;
        match self.browser.engine() {
            // Its driver switches to a tab without showing it.
            Engine::Chromium => {
                driver.cdp().send_raw("Page.bringToFront", json!({})).await?;
            }
            Engine::Firefox | Engine::WebKit => {}
        }
        Ok(())
    }

    /// Its address.
    ///
    /// # Errors
    /// When the browser does not tell.
    pub async fn address(&self) -> Result<String> {
        Ok(self.driver().await?.current_url().await?.to_string())
    }

    /// The cookies that its page gets, those that no script reads included.
    ///
    /// # Errors
    /// When the browser does not tell.
    pub async fn cookies(&self) -> Result<Vec<Value>> {
        let cookies = self.driver().await?.get_all_cookies().await?;
        Ok(cookies.iter().map(serde_json::to_value).collect::<std::result::Result<_, _>>()?)
    }

    /// Forgets the cookies that its page gets.
    ///
    /// # Errors
    /// When the browser does not.
    pub async fn clear_cookies(&self) -> Result<()> {
        Ok(self.driver().await?.delete_all_cookies().await?)
    }

    /// Reloads.
    ///
    /// # Errors
    /// When the browser fails.
    pub async fn reload(&self) -> Result<()> {
        Ok(self.driver().await?.refresh().await?)
    }

    /// Goes back.
    ///
    /// # Errors
    /// When the browser fails.
    pub async fn back(&self) -> Result<()> {
        Ok(self.driver().await?.back().await?)
    }

    /// Has the browser throw its page away, as it does with tabs that nobody looks at when memory is
    /// short, and gives the tab with no page, behind a new one. Its page is loaded anew when it is
    /// brought to the front.
    ///
    /// # Errors
    /// When the browser does not, or cannot.
    pub async fn discard(self) -> Result<Self> {
        self.browser.engine().must(Ability::DiscardedTabs)?;
        let address = self.address().await?;
        let front = self.browser.new_tab().await?;
        // The page of `tests/discarder`.
        front.goto("chrome://newtab").await?;
        let known = self.browser.tabs().await?;
        let script = "const [address, done] = arguments;\
            chrome.tabs.query({})\
              .then((tabs) => tabs.find((tab) => tab.url === address))\
              .then((tab) => chrome.tabs.discard(tab.id))\
              .then((tab) => done(tab.discarded), (error) => done(String(error)))";
        let discarded = front.run_async(script, vec![json!(address)]).await?;
        ensure!(discarded == true, "the tab is not discarded: {discarded}");
        // To the driver it is another one.
        self.browser.opened_tab(&known).await
    }

    /// Closes it.
    ///
    /// # Errors
    /// When the browser fails.
    pub async fn close(self) -> Result<()> {
        let driver = self.driver().await?;
        driver.close_window().await?;
        // Whoever opens a tab next asks the one that is at hand.
        if let Some(other) = driver.windows().await?.into_iter().next() {
            driver.switch_to_window(other).await?;
        }
        Ok(())
    }

    /// Runs a script in the page and gives what it returns.
    ///
    /// # Errors
    /// When it throws.
    pub async fn run(&self, script: &str, arguments: Vec<Value>) -> Result<Value> {
        Ok(self.driver().await?.execute(script, arguments).await?.json().clone())
    }

    /// Runs a script that calls its last argument when it is done.
    ///
    /// # Errors
    /// When it throws, or is never done.
    pub async fn run_async(&self, script: &str, arguments: Vec<Value>) -> Result<Value> {
        Ok(self.driver().await?.execute_async(script, arguments).await?.json().clone())
    }

    /// Sends a command of the DevTools protocol.
    ///
    /// # Errors
    /// When it is refused, or the driver does not speak that protocol.
    pub async fn command(&self, name: &str, parameters: Value) -> Result<Value> {
        self.browser.engine().must(Ability::DevTools)?;
        Ok(self.driver().await?.cdp().send_raw(name, parameters).await?)
    }

    /// Has a script run in each new document of this tab before the document's own, from now on.
    ///
    /// # Errors
    /// When the browser refuses it, or its driver cannot.
    pub async fn preload(&self, script: &str) -> Result<Preload> {
        let engine = self.browser.engine();
        engine.must(Ability::Preload)?;
        if engine == Engine::Firefox {
            let words = json!({
                "functionDeclaration": format!("() => {{ {script} }}"),
                "contexts": [self.target()],
            });
            let bidi = self.driver().await?.bidi().await?;
            let added = bidi.send_raw("script.addPreloadScript", words).await?;
            return Ok(Preload(added["script"].clone()));
        }
        let name = "Page.addScriptToEvaluateOnNewDocument";
        let added = self.command(name, json!({ "source": script })).await?;
        Ok(Preload(added["identifier"].clone()))
    }

    /// No longer runs a script in new documents.
    ///
    /// # Errors
    /// When the browser refuses.
    pub async fn unload(&self, preload: Preload) -> Result<()> {
        if self.browser.engine() == Engine::Firefox {
            let words = json!({ "script": preload.0 });
            let bidi = self.driver().await?.bidi().await?;
            bidi.send_raw("script.removePreloadScript", words).await?;
            return Ok(());
        }
        let words = json!({ "identifier": preload.0 });
        self.command("Page.removeScriptToEvaluateOnNewDocument", words).await.map(drop)
    }

    /// The visible text of the element with a test id, or nothing if there is none.
    ///
    /// # Errors
    /// When the page cannot be asked.
    pub async fn text(&self, id: &str) -> Result<Option<String>> {
        let script = "const found = document.querySelector(`[data-testid=\"${arguments[0]}\"]`);\
                      return found ? found.innerText.trim() : null";
        Ok(self.run(script, vec![id.into()]).await?.as_str().map(str::to_owned))
    }

    /// An attribute of the element with a test id, or nothing if there is none.
    ///
    /// # Errors
    /// When the page cannot be asked.
    pub async fn attribute(&self, id: &str, name: &str) -> Result<Option<String>> {
        let script = "const found = document.querySelector(`[data-testid=\"${arguments[0]}\"]`);\
                      return found ? found.getAttribute(arguments[1]) : null";
        let found = self.run(script, vec![id.into(), name.into()]).await?;
        Ok(found.as_str().map(str::to_owned))
    }

    /// Waits for an element with a test id and gives its text.
    ///
    /// # Errors
    /// When it does not come.
    pub async fn wait_text(&self, id: &str) -> Result<String> {
        let what = format!("[data-testid={id}]");
        let found = until(what, async || self.text(id).await).await;
        match found {
            Ok(text) => Ok(text),
            Err(error) => Err(error.context(self.describe().await)),
        }
    }

    /// Clicks the element with a test id when it can be clicked, once.
    ///
    /// # Errors
    /// When it cannot be clicked.
    pub async fn click(&self, id: &str) -> Result<()> {
        self.click_at(&by(id)).await.with_context(|| format!("cannot click {id}"))
    }

    /// Clicks the first element that a CSS selector finds, when it can be clicked, once.
    ///
    /// # Errors
    /// When it cannot be clicked.
    pub async fn click_at(&self, selector: &str) -> Result<()> {
        let clicked = until(selector, async || {
            let driver = self.driver().await?;
            let element = driver.find(By::Css(selector)).await?;
            match element.click().await {
                Ok(()) => Ok(Some(Ok(()))),
                Err(error) if is_not_yet(&error) => Err(error.into()),
                // It may have been clicked: a second click would be another one.
                Err(error) => Ok(Some(Err(error))),
            }
        });
        match clicked.await {
            Ok(result) => Ok(result?),
            Err(error) => Err(error.context(self.describe().await)),
        }
    }

    /// Types into the field with a test id, replacing what is there.
    ///
    /// # Errors
    /// When there is no such field.
    pub async fn fill(&self, id: &str, text: &str) -> Result<()> {
        until(format!("field {id}"), async || {
            let element = self.driver().await?.find(By::Css(by(id))).await?;
            element.clear().await?;
            element.send_keys(text).await?;
            Ok(Some(()))
        })
        .await
    }

    /// Types what a person types, at whatever has the focus.
    ///
    /// # Errors
    /// When the browser fails.
    pub async fn press(&self, keys: &str) -> Result<()> {
        Ok(self.driver().await?.action_chain().send_keys(keys).perform().await?)
    }

    /// Presses Tab until the element with a test id has the focus.
    ///
    /// # Errors
    /// When it never gets it.
    pub async fn press_until_focused(&self, id: &str) -> Result<()> {
        self.wait_text(id).await?;
        let script = "return document.activeElement?.dataset.testid === arguments[0]";
        for _ in 0..60 {
            if self.run(script, vec![id.into()]).await? == true {
                return Ok(());
            }
            self.press("\u{E004}").await?;
        }
        bail!("{id} is not reached by Tab, {}", self.describe().await)
    }

    /// Saves a picture of it.
    ///
    /// # Errors
    /// When the browser makes none.
    pub async fn picture(&self, file: &Path) -> Result<()> {
        Ok(self.driver().await?.screenshot(file).await?)
    }

    /// Its document as it is now.
    ///
    /// # Errors
    /// When the browser does not tell.
    pub async fn source(&self) -> Result<String> {
        Ok(self.driver().await?.source().await?)
    }

    /// What a person reads in it.
    ///
    /// # Errors
    /// When the page cannot be asked.
    pub async fn words(&self) -> Result<String> {
        let text = self.run("return document.body ? document.body.innerText : ''", vec![]).await?;
        Ok(text.as_str().unwrap_or_default().to_owned())
    }

    /// Address and words, for a failure's report.
    pub async fn describe(&self) -> String {
        let address = self.address().await.unwrap_or_else(|error| format!("({error})"));
        let words = self.words().await.unwrap_or_else(|error| format!("({error})"));
        format!("at {}:\n{words}", address.split('?').next().unwrap_or_default())
    }

    async fn driver(&self) -> Result<&'a WebDriver> {
        let driver = self.browser.driver();
        driver.switch_to_window(self.handle.clone()).await?;
        Ok(driver)
    }
}

/// A script that runs in each new document, by the name that the browser gave it.
#[derive(Debug)]
pub struct Preload(Value);

/// The selector of a test id.
fn by(id: &str) -> String {
    format!("[data-testid=\"{id}\"]")
}

/// Whether a click has not happened and may be tried again.
fn is_not_yet(error: &WebDriverError) -> bool {
    matches!(
        error.as_inner(),
        WebDriverErrorInner::ElementClickIntercepted(_)
            | WebDriverErrorInner::ElementNotInteractable(_)
            | WebDriverErrorInner::NoSuchElement(_)
            | WebDriverErrorInner::StaleElementReference(_)
    )
}

/// A moment that comes once all tabs have been told of it, in milliseconds by the clock they share.
///
/// # Errors
/// When the tab has gone.
pub async fn in_a_while(tab: &Tab<'_>) -> Result<Value> {
    tab.run("return Date.now() + 5000", vec![]).await
}
