//! From the click on "Sign out" at one app to `anonymous` at another, on another site, with
//! third-party cookies blocked. Beside it the floor: a bare push over an event stream from one page
//! to another in the same browser.

use anyhow::{Context, Result, ensure};
use gatepass_tests::until;

use crate::arguments::Size;
use crate::browsing::{Page, Scene};
use crate::rows::{Row, progress};

/// Both apps are our client's page, each on its own site.
const APPS: [&str; 2] = ["gatepass.one", "gatepass.two"];

/// Signs in at both apps and out at one, again and again. Both pages tell the times themselves;
/// what drives the browser only waits.
///
/// # Errors
/// When a sign-in or sign-out does not come about.
pub(crate) async fn measure(size: Size) -> Result<Vec<Row>> {
    let scene = Scene::set(&APPS).await?;
    let one = scene.page(APPS[0], scene.browser.first_tab());
    let two = scene.page(APPS[1], scene.browser.new_window().await?);
    let runs = size.of(50, 3);
    let floor = floor(&scene, &one, &two, runs).await?;
    let control = scene.provider.control()?;
    one.open().await?;
    two.open().await?;
    let mut found = Vec::new();
    for run in 1..=runs {
        progress(&format!("logout, run {run}"));
        let before = control.now().await?;
        one.sign_in(true).await?;
        two.sign_in(false).await?;
        until("the second app's stream", async || {
            let since = control.timeline_after(before).await?;
            Ok((since.count(&format!("stream.opened@{}", APPS[1])) > 0).then_some(()))
        })
        .await?;
        one.tab.click("sign-out").await?;
        one.wait("status", "anonymous").await?;
        one.wait("ready", "ready").await?;
        two.wait("status", "anonymous").await?;
        let took = two.marked("status:anonymous").await? - one.clicked().await?;
        ensure!(took > 0.0, "the second app was anonymous before the click");
        found.push(took);
    }
    scene.browser.quit().await?;
    Ok(vec![
        Row::new("logout", "gatepass").with("click to anonymous elsewhere", "ms", &found)?,
        Row::new("logout", "bare push").note("the floor").with(
            "click to anonymous elsewhere",
            "ms",
            &floor,
        )?,
    ])
}

async fn floor(scene: &Scene, one: &Page<'_>, two: &Page<'_>, runs: usize) -> Result<Vec<f64>> {
    let address = format!("{}/push/page", scene.pages.origin("push"));
    let mut found = Vec::new();
    for page in [one, two] {
        page.tab.goto(&address).await?;
        until("a listening page", async || {
            Ok((page.tab.text("status").await?.as_deref() == Some("listening")).then_some(()))
        })
        .await?;
    }
    for run in 1..=runs {
        progress(&format!("logout, bare push {run}"));
        two.tab.run("performance.clearMarks()", vec![]).await?;
        one.tab.click("push").await?;
        let arrived = until("the push", async || Ok(two.marked("pushed").await.ok())).await?;
        found.push(arrived - one.clicked().await.context("no click at the pushing page")?);
    }
    Ok(found)
}
