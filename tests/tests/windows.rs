//! Signing in in a window where it cannot be as usual: Cross-Origin-Opener-Policy cuts it off from the
//! page that opened it, so that the page cannot reach it and takes it for closed; or the browser opens
//! none.

use anyhow::{Context, ensure};
use axum::http::header::HeaderName;
use gatepass_tests::npm_app::{open, wait};
use gatepass_tests::pages::SignInPage;
use gatepass_tests::stage::PASSWORD;
use gatepass_tests::{Result, Stage, Tab, journey, until};

const POLICY: &str = "cross-origin-opener-policy";

#[test]
fn rp22_a_window_signs_in_with_coop_on_either_side() -> Result {
    for (is_app, is_provider) in [(true, false), (false, true), (true, true)] {
        let walked = journey().with_a_wire().go(async |stage, browser| {
            if is_app {
                stage.site.set_header(HeaderName::from_static(POLICY), "same-origin")?;
            }
            if is_provider {
                stage.wire()?.add_header(&format!("{POLICY}: same-origin"));
            }
            let tab = browser.first_tab();
            open(stage, &tab).await?;
            wait(&tab, "status", "anonymous").await?;
            // Otherwise the policy is not there, and this shows nothing.
            let read = "const done = arguments[1]; fetch(arguments[0], { method: 'HEAD' }).then(\
                (answer) => done(answer.headers.get('cross-origin-opener-policy')))";
            let own = tab.run_async(read, vec!["/".into()]).await?;
            ensure!((own == "same-origin") == is_app, "the app's policy is {own}");
            let page = stage.http.get(format!("{}/health", stage.issuer())).send().await?;
            ensure!(page.headers().contains_key(POLICY) == is_provider, "the provider's policy");
            tab.run("window.marked = true", vec![]).await?;
            tab.click("sign-in-window").await?;
            let window = browser.opened_tab(std::slice::from_ref(&tab)).await?;
            SignInPage::wait(window).await?.submit("richard", PASSWORD).await?;
            wait(&tab, "status", "authenticated").await?;
            ensure!(tab.run("return window.marked", vec![]).await? == true, "the page was left");
            until("the window has closed itself", async || {
                Ok((browser.tabs().await?.len() == 1).then_some(()))
            })
            .await?;
            stage.control.timeline().await?.exactly(1, "login.succeeded")
        });
        walked
            .with_context(|| format!("policy at the app: {is_app}, the provider: {is_provider}"))?;
    }
    Ok(())
}

/// Opens the app so that it signs in in this mode, and asks nobody by itself.
async fn open_for(stage: &Stage, tab: &Tab<'_>, mode: &str) -> Result {
    let origin = open(stage, tab).await?;
    wait(tab, "status", "anonymous").await?;
    tab.goto(&format!("{origin}/?onLoad=manual&mode={mode}")).await
}

#[test]
fn rp22_a_window_that_is_blocked_is_told_or_gives_way_to_the_page() -> Result {
    journey().go(async |stage, browser| {
        let tab = browser.first_tab();
        // Nobody has clicked, so every browser blocks the window. The page stays where it is.
        open_for(stage, &tab, "popup&unclicked").await?;
        wait(&tab, "refused", "popup_blocked").await?;
        wait(&tab, "status", "anonymous").await?;
        let asked = stage.control.timeline().await?.count("authorize.received@npm-app");
        ensure!(asked == 1, "asked {asked} times, not once at the very first start");

        // Where the app allows it, the page leaves, and is back where it was.
        open_for(stage, &tab, "popup-or-redirect&unclicked").await?;
        SignInPage::wait(tab.clone()).await?.submit("richard", PASSWORD).await?;
        wait(&tab, "status", "authenticated").await?;
        wait(&tab, "refused", "").await?;
        ensure!(browser.tabs().await?.len() == 1, "a window was opened");
        let address = tab.address().await?;
        ensure!(address.ends_with("/?onLoad=manual&mode=popup-or-redirect&unclicked"), "{address}");
        let timeline = stage.control.timeline().await?;
        timeline.exactly(1, "login.succeeded")?;
        timeline.exactly(1, "token.issued@npm-app")
    })
}

#[test]
fn rp22_a_window_that_opens_is_preferred_to_leaving_the_page() -> Result {
    journey().go(async |stage, browser| {
        let tab = browser.first_tab();
        open_for(stage, &tab, "popup-or-redirect").await?;
        wait(&tab, "status", "anonymous").await?;
        tab.run("window.marked = true", vec![]).await?;
        tab.click("sign-in-window").await?;
        let window = browser.opened_tab(std::slice::from_ref(&tab)).await?;
        SignInPage::wait(window).await?.submit("richard", PASSWORD).await?;
        wait(&tab, "status", "authenticated").await?;
        ensure!(tab.run("return window.marked", vec![]).await? == true, "the page was left");
        until("the window has closed itself", async || {
            Ok((browser.tabs().await?.len() == 1).then_some(()))
        })
        .await?;
        stage.control.timeline().await?.exactly(1, "login.succeeded")
    })
}
