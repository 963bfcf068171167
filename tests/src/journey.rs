//! A journey: a stage, a browser, what a person does, and what must hold after every one.

use anyhow::{Context, Result, ensure};
use futures_util::FutureExt;
use std::any::Any;
use std::fs;
use std::panic::AssertUnwindSafe;
use std::sync::OnceLock;
use tokio::runtime::Runtime;
use tokio::sync::OnceCell;

use crate::browser::{Blocked, Browser, Flavour, refuse_tokens};
use crate::engine::{Ability, Cannot};
use crate::environment;
use crate::report;
use crate::site::Site;
use crate::stage::Stage;
use crate::world::World;

/// A journey that is about to begin.
#[derive(Clone, Copy, Debug, Default)]
pub struct Journey {
    flavour: Flavour,
    is_tls: bool,
    is_distrustful: bool,
    is_whole: bool,
    is_wired: bool,
}

/// An ordinary journey.
#[must_use]
pub fn journey() -> Journey {
    Journey::default()
}

impl Journey {
    /// The browser lets no site store anything.
    #[must_use]
    pub fn without_storage(mut self) -> Self {
        self.flavour.blocks_storage = Some(Blocked::Everybody);
        self
    }

    /// The browser lets this one site store nothing.
    #[must_use]
    pub fn without_storage_at(mut self, name: &'static str) -> Self {
        self.flavour.blocks_storage = Some(Blocked::Site(name));
        self
    }

    /// The browser's windows are private ones.
    #[must_use]
    pub fn in_private(mut self) -> Self {
        self.flavour.is_private = true;
        self
    }

    /// The browser can be told to throw a tab's page away.
    #[must_use]
    pub fn with_discarded_tabs(mut self) -> Self {
        self.flavour.discards_tabs = true;
        self
    }

    /// The demo runs the provider itself, as for a person: the lobby may stop it.
    #[must_use]
    pub fn with_the_whole_demo(mut self) -> Self {
        self.is_whole = true;
        self
    }

    /// What goes to the provider can be cut ([`Stage::wire`]).
    #[must_use]
    pub fn with_a_wire(mut self) -> Self {
        self.is_wired = true;
        self
    }

    /// Over https, with a browser that trusts the demo's authority.
    #[must_use]
    pub fn over_tls(mut self) -> Self {
        self.is_tls = true;
        self
    }

    /// The browser trusts no authority but those it came with.
    #[must_use]
    pub fn without_trust(mut self) -> Self {
        self.is_distrustful = true;
        self
    }

    /// Goes on the journey, then looks for tokens where none may be.
    ///
    /// A failure leaves pictures, pages and the timeline in `target/report/journeys`.
    ///
    /// # Errors
    /// When the journey fails, or the world is not what it claims to be.
    pub fn go(self, body: impl AsyncFnOnce(&Stage, &Browser) -> Result<()>) -> Result<()> {
        runtime()?.block_on(async {
            let world = prove_world().await?;
            let is_tls = self.is_tls || world.needs_tls();
            let mut flavour = self.flavour;
            flavour.trusts_demo = is_tls && !self.is_distrustful;
            // Before the stage, which would be in vain if the driver cannot start such a browser.
            let browser = match Browser::start(world, flavour).await {
                Ok(browser) => browser,
                Err(error) => return excuse(Err(error)),
            };
            let stage = if self.is_tls || self.is_whole {
                Stage::start_whole(is_tls).await?
            } else if self.is_wired {
                Stage::start_wired().await?
            } else {
                Stage::start().await?
            };
            let walked = AssertUnwindSafe(async {
                body(&stage, &browser).await?;
                refuse_leaks(&browser).await
            });
            let outcome = walked
                .catch_unwind()
                .await
                .unwrap_or_else(|cause| Err(anyhow::anyhow!("{}", words_of(cause.as_ref()))));
            let outcome = match outcome {
                Err(error) if error.downcast_ref::<Cannot>().is_none() => {
                    Err(error.context(keep_evidence(&stage, &browser).await))
                }
                ended => ended,
            };
            browser.quit().await?;
            excuse(outcome)
        })
    }
}

/// A journey that its driver cannot walk has not failed: the report says so, and why.
fn excuse(outcome: Result<()>) -> Result<()> {
    match outcome {
        Err(error) => match error.downcast_ref::<Cannot>() {
            Some(&cannot) => report::note_cannot(cannot),
            None => Err(error),
        },
        Ok(()) => Ok(()),
    }
}

/// One runtime for all tests of a process: what they share lives on it.
fn runtime() -> Result<&'static Runtime> {
    static RUNTIME: OnceLock<Runtime> = OnceLock::new();
    if RUNTIME.get().is_none() {
        // A second one made by another test at the same time is thrown away unused.
        let _ = RUNTIME.set(Runtime::new()?);
    }
    RUNTIME.get().context("there is no runtime")
}

/// Runs something that needs no stage and no browser.
///
/// # Errors
/// Those of what runs.
pub fn alone(body: impl Future<Output = Result<()>>) -> Result<()> {
    runtime()?.block_on(body)
}

/// Proves the world once for each process, and gives the same answer to all its tests.
async fn prove_world() -> Result<World> {
    static PROVEN: OnceCell<Result<World, String>> = OnceCell::const_new();
    let prove = async || -> Result<World> {
        let world = World::of_this_run()?;
        let site = Site::start(world.needs_tls()).await?;
        let flavour = Flavour { trusts_demo: world.needs_tls(), ..Flavour::default() };
        let browser = Browser::start(world, flavour).await?;
        let proven = world.prove(&browser, &site).await;
        browser.quit().await?;
        proven?;
        Ok(world)
    };
    let proven = PROVEN.get_or_init(async || prove().await.map_err(|error| format!("{error:#}")));
    proven.await.clone().map_err(|error| anyhow::anyhow!("the world is not proven: {error}"))
}

/// No token in any page's text, console line or address, as far as the driver tells.
///
/// # Errors
/// When there is one.
async fn refuse_leaks(browser: &Browser) -> Result<()> {
    let is_logged = browser.can(Ability::Requests)? && browser.can(Ability::Console)?;
    let (requests, console) = if is_logged {
        (browser.requests().await?, browser.console().await?)
    } else {
        Default::default()
    };
    let mut known: Vec<String> =
        requests.iter().filter_map(|request| request.bearer()).map(str::to_owned).collect();
    known.sort();
    known.dedup();
    for line in console {
        refuse_tokens(&line, &known, "a console line")?;
    }
    for request in &requests {
        // The one token that may stand in an address (RP-Initiated Logout 1.0, 2).
        let url = without_parameter(&request.url, "id_token_hint");
        refuse_tokens(&url, &known, &format!("the address {}", request.path()))?;
        if let Some(referer) = request.headers.get("referer") {
            refuse_tokens(referer, &known, "a Referer")?;
            ensure!(!referer.contains("code="), "a code is in the Referer for {}", request.path());
        }
    }
    for tab in browser.tabs().await? {
        let address = tab.address().await?;
        refuse_tokens(&without_parameter(&address, "id_token_hint"), &known, "a tab's address")?;
        refuse_tokens(&tab.words().await?, &known, "a page's text")?;
    }
    Ok(())
}

fn without_parameter(url: &str, name: &str) -> String {
    let Some((before, query)) = url.split_once('?') else { return url.to_owned() };
    let kept = query.split('&').filter(|pair| !pair.starts_with(&format!("{name}=")));
    format!("{before}?{}", kept.collect::<Vec<_>>().join("&"))
}

/// Saves what a person needs to understand a failure and says where it is.
async fn keep_evidence(stage: &Stage, browser: &Browser) -> String {
    let name = std::thread::current().name().unwrap_or("journey").replace("::", "-");
    let world = environment::text(environment::WORLD).unwrap_or_default();
    let directory = environment::output("report/journeys").join(format!("{world}-{name}"));
    let kept: Result<()> = async {
        fs::create_dir_all(&directory)?;
        for (index, tab) in browser.tabs().await?.iter().enumerate() {
            fs::write(directory.join(format!("tab-{index}.txt")), tab.describe().await)?;
            fs::write(directory.join(format!("tab-{index}.html")), tab.source().await?)?;
            tab.picture(&directory.join(format!("tab-{index}.png"))).await?;
        }
        if browser.engine().must(Ability::Requests).is_ok() {
            fs::write(directory.join("console.txt"), browser.console().await?.join("\n"))?;
            let requests: Vec<_> = browser.requests().await?.iter().map(line_of).collect();
            fs::write(directory.join("requests.txt"), requests.join("\n"))?;
        }
        fs::write(directory.join("provider.txt"), stage.provider_said())?;
        fs::write(directory.join("timeline.txt"), stage.control.timeline().await?.to_string())?;
        Ok(())
    }
    .await;
    let place = directory.display();
    match kept {
        Ok(()) => format!("pictures, pages and the timeline are in {place}"),
        Err(error) => format!("some evidence is in {place} ({error:#})"),
    }
}

fn line_of(request: &crate::network::Request) -> String {
    let answer = request.answer.get("location").map_or(String::new(), |to| format!(" -> {to}"));
    let referer = request.headers.get("referer");
    let referer = referer.map_or(String::new(), |from| format!(" (from {from})"));
    let (status, kind, method) = (request.status, &request.kind, &request.method);
    format!("{status} {kind} {method} {}{referer}{answer}", request.url)
}

fn words_of(cause: &(dyn Any + Send)) -> &str {
    cause
        .downcast_ref::<String>()
        .map(String::as_str)
        .or_else(|| cause.downcast_ref::<&str>().copied())
        .unwrap_or("the journey panicked")
}
