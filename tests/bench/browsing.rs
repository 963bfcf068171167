//! The pages in a real browser that blocks third-party cookies, with idp-dev behind them.

use anyhow::{Context, Result, ensure};
use gatepass_tests::browser::Flavour;
use gatepass_tests::pages::SignInPage;
use gatepass_tests::site::Site;
use gatepass_tests::world::World;
use gatepass_tests::{Browser, Tab, until};
use serde_json::Value;
use std::net::Ipv4Addr;
use std::time::Duration;
use tokio::net::TcpListener;

use crate::distance::Distance;
use crate::pages::Pages;
use crate::server::{ANY_PORT, Alg, PASSWORD, Server, USERNAME};

/// Everything that a measurement in the browser needs.
pub(crate) struct Scene {
    pub(crate) browser: Browser,
    pub(crate) pages: Pages,
    /// Runs for as long as the scene.
    pub(crate) provider: Server,
    /// The way to it, if it is to be far away.
    _distance: Option<Distance>,
}

impl Scene {
    /// Sets it up for these clients, each at a site of its own name.
    ///
    /// # Errors
    /// When a part does not start, or the browser does not block third-party cookies.
    pub(crate) async fn set(clients: &[&str]) -> Result<Self> {
        Self::set_at(clients, Duration::ZERO).await
    }

    /// Sets it up in the world of this run, by https where that needs it.
    ///
    /// # Errors
    /// When a part does not start, or the browser is another world than it claims to be.
    pub(crate) async fn set_in_any_world(clients: &[&str]) -> Result<Self> {
        let world = World::of_this_run()?;
        let is_tls = world.needs_tls();
        let pages = Pages::start(is_tls).await?;
        let addresses: Vec<_> =
            clients.iter().map(|client| format!("{}/", pages.origin(client))).collect();
        let registered: Vec<_> =
            clients.iter().zip(&addresses).map(|(id, address)| (*id, address.as_str())).collect();
        let scheme = if is_tls { "https" } else { "http" };
        let issuer = format!("{scheme}://idp.localhost:{{port}}");
        let provider = Server::idp_dev(&issuer, ANY_PORT, &registered, ALG).await?;
        pages.provider_is_at(&provider.issuer);
        let flavour = Flavour { is_unlogged: true, trusts_demo: is_tls, ..Flavour::default() };
        let browser = Browser::start(world, flavour).await?;
        world.prove(&browser, &Site::start(is_tls).await?).await?;
        Ok(Self { browser, pages, provider, _distance: None })
    }

    /// The same with a provider so far away that a round trip takes this much longer.
    ///
    /// # Errors
    /// As [`Scene::set`].
    pub(crate) async fn set_at(clients: &[&str], round_trip: Duration) -> Result<Self> {
        Self::set_with(clients, round_trip, ALG).await
    }

    /// The same with ID tokens of this algorithm.
    ///
    /// # Errors
    /// As [`Scene::set`].
    pub(crate) async fn set_with(clients: &[&str], round_trip: Duration, alg: Alg) -> Result<Self> {
        let world = World::of_this_run()?;
        ensure!(
            world == World::ChromiumBlocked,
            "figures are made with third-party cookies blocked"
        );
        let pages = Pages::start(false).await?;
        let addresses: Vec<_> =
            clients.iter().map(|client| format!("{}/", pages.origin(client))).collect();
        let registered: Vec<_> =
            clients.iter().zip(&addresses).map(|(id, address)| (*id, address.as_str())).collect();
        let (provider, distance) = if round_trip.is_zero() {
            let issuer = "http://idp.localhost:{port}";
            (Server::idp_dev(issuer, ANY_PORT, &registered, alg).await?, None)
        } else {
            let mut distance = Distance::reserve().await?;
            let issuer = format!("http://idp.localhost:{}", distance.port);
            // Free now; who takes it meanwhile is told by the provider's failure.
            let port = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?.local_addr()?.port();
            let listen = format!("127.0.0.1:{port}");
            let provider = Server::idp_dev(&issuer, &listen, &registered, alg).await?;
            distance.lead_to(port, round_trip);
            (provider, Some(distance))
        };
        pages.provider_is_at(&provider.issuer);
        let browser = Browser::start(world, Flavour { is_unlogged: true, ..Flavour::default() });
        let browser = browser.await?;
        world.prove(&browser, &Site::start(false).await?).await?;
        Ok(Self { browser, pages, provider, _distance: distance })
    }

    /// A client's page in a tab.
    pub(crate) fn page<'a>(&self, client: &str, tab: Tab<'a>) -> Page<'a> {
        Page { tab, origin: self.pages.origin(client) }
    }
}

/// One client's page in a tab.
pub(crate) struct Page<'a> {
    pub(crate) tab: Tab<'a>,
    origin: String,
}

impl Page<'_> {
    /// Loads the page as a browser does that was never there, apart from files that it keeps.
    ///
    /// # Errors
    /// When the page does not say that nobody is signed in.
    pub(crate) async fn open_anew(&self) -> Result<()> {
        self.tab.goto(&format!("{}/blank", self.origin)).await?;
        self.tab.run(FORGET, vec![]).await?;
        self.open().await
    }

    /// Loads the page and waits until it can be used.
    ///
    /// # Errors
    /// When the page does not say that nobody is signed in.
    pub(crate) async fn open(&self) -> Result<()> {
        self.tab.goto(&format!("{}/", self.origin)).await?;
        self.wait("status", "anonymous").await?;
        self.wait("ready", "ready").await
    }

    /// Loads the page in a tab beside others, which have the session.
    ///
    /// # Errors
    /// When the page does not say that somebody is signed in.
    pub(crate) async fn open_signed_in(&self) -> Result<()> {
        self.tab.goto(&format!("{}/", self.origin)).await?;
        self.wait("status", "authenticated").await
    }

    /// Clicks "Sign in" and comes back: by the form if the provider shows it, by its session
    /// otherwise.
    ///
    /// # Errors
    /// When the page does not say that somebody is signed in.
    pub(crate) async fn sign_in(&self, shows_form: bool) -> Result<()> {
        self.tab.click("sign-in").await?;
        if shows_form {
            SignInPage::wait(self.tab.clone()).await?.submit(USERNAME, PASSWORD).await?;
        }
        self.wait("status", "authenticated").await
    }

    /// Waits until the page is here and shows a text.
    ///
    /// # Errors
    /// When it does not.
    pub(crate) async fn wait(&self, id: &str, wanted: &str) -> Result<()> {
        let shown = until(format!("{id} {wanted} at {}", self.origin), async || {
            let here = self.tab.address().await?.starts_with(&self.origin);
            Ok((here && self.tab.text(id).await?.as_deref() == Some(wanted)).then_some(()))
        });
        match shown.await {
            Ok(()) => Ok(()),
            Err(error) => Err(error.context(self.tab.describe().await)),
        }
    }

    /// When somebody clicked, in milliseconds since 1970 by the browser's clock.
    ///
    /// # Errors
    /// When the page kept no click.
    pub(crate) async fn clicked(&self) -> Result<f64> {
        let kept = "return Number(sessionStorage.getItem('bench:clicked') ?? undefined)";
        number(&self.tab.run(kept, vec![]).await?).context("the page kept no click")
    }

    /// When the page last set a mark, likewise.
    ///
    /// # Errors
    /// When it has not.
    pub(crate) async fn marked(&self, name: &str) -> Result<f64> {
        let read = "const mark = performance.getEntriesByName(arguments[0]).at(-1);\
                    return mark ? performance.timeOrigin + mark.startTime : null";
        let mark = self.tab.run(read, vec![name.into()]).await?;
        number(&mark).with_context(|| format!("the page has no mark {name}"))
    }
}

/// A number of the page's.
pub(crate) fn number(value: &Value) -> Result<f64> {
    value.as_f64().with_context(|| format!("{value} is no number"))
}

/// Removes what a client keeps in its site.
const FORGET: &str = "sessionStorage.clear(); localStorage.clear();\
    for (const pair of document.cookie.split('; ')) {\
      document.cookie = `${pair.split('=')[0]}=; Max-Age=0; Path=/`;\
    }";

/// The default of OpenID Connect.
const ALG: Alg = Alg::Rs256;
