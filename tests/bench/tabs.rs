//! Ten tabs of one app whose access token has expired, and which all use it at once.

use anyhow::{Context, Result, ensure};
use gatepass_tests::tab::in_a_while;
use gatepass_tests::until;

use crate::arguments::Size;
use crate::browsing::{Scene, number};
use crate::rows::{Row, progress};

const APP: &str = "gatepass-tabs";

const TABS: usize = 10;

/// How far the provider's clock moves on: longer than an access token lives, and less than clients put
/// up with.
const MOVED_S: i64 = 600;

/// Lets the token expire in all tabs, again and again, and has each use it.
///
/// # Errors
/// When a tab has no session, or gets no answer.
pub(crate) async fn measure(size: Size) -> Result<Vec<Row>> {
    let (mut requests, mut times) = (Vec::new(), Vec::new());
    for run in 1..=size.of(10, 2) {
        progress(&format!("tabs, run {run}"));
        let (asked, took) = one_run().await?;
        requests.push(asked);
        times.push(took);
    }
    Ok(vec![Row::new("tabs", "gatepass").note("ten tabs").with("requests", "", &requests)?.with(
        "first use to last answer",
        "ms",
        &times,
    )?])
}

/// The requests for tokens, and the milliseconds.
async fn one_run() -> Result<(f64, f64)> {
    let scene = Scene::set(&[APP]).await?;
    let control = scene.provider.control()?;
    let userinfo = format!("{}/userinfo", scene.provider.issuer);
    let mut pages = Vec::new();
    for index in 0..TABS {
        let tab = match index {
            0 => scene.browser.first_tab(),
            _ => scene.browser.new_tab().await?,
        };
        let page = scene.page(APP, tab);
        if index == 0 {
            page.open().await?;
            page.sign_in(true).await?;
        } else {
            page.open_signed_in().await?;
        }
        pages.push(page);
    }
    control.advance_clock(MOVED_S).await?;
    let before = control.now().await?;
    let moment = in_a_while(&pages[0].tab).await?;
    for page in &pages {
        page.tab.run(ASK, vec![userinfo.clone().into(), moment.clone()]).await?;
    }
    let (mut first, mut last) = (f64::MAX, 0.0_f64);
    for page in &pages {
        let told = until("an answer", async || {
            let told = page.tab.run("return window.got ?? null", vec![]).await?;
            Ok(told.is_object().then_some(told))
        });
        let told = told.await.context("a tab gets no answer")?;
        ensure!(told["error"].is_null(), "a tab got {}", told["error"]);
        first = first.min(number(&told["asked"])?);
        last = last.max(number(&told["done"])?);
    }
    let since = control.timeline_after(before).await?;
    scene.browser.quit().await?;
    #[expect(clippy::cast_precision_loss, reason = "a handful")]
    let asked = since.count(&format!("token.received@{APP}")) as f64;
    Ok((asked, last - first))
}

/// At the given moment each tab uses its token, which is refused.
const ASK: &str = "window.got = Date.now() < arguments[1] ? undefined : { error: 'told too late' };\
    setTimeout(async () => {\
      const asked = Date.now();\
      try {\
        const { ok, status } = await client.fetch(arguments[0]);\
        window.got = ok ? { asked, done: Date.now() } : { error: String(status) };\
      } catch (error) { window.got = { error: error.code ?? String(error) } }\
    }, arguments[1] - Date.now())";
