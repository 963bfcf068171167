//! The provider is restarted in the middle of a flow, and knows nobody any more: nobody stays signed in by
//! what it does not know, nothing loops, and the next click works.

use anyhow::ensure;
use gatepass_tests::npm_app::{signed_in, use_token, wait};
use gatepass_tests::pages::{App, SignInPage, idp};
use gatepass_tests::stage::PASSWORD;
use gatepass_tests::{Client, Result, journey, until};

#[test]
fn f1_provider_restarted_while_the_password_is_typed() -> Result {
    journey().go(async |stage, browser| {
        let app = App::open(stage, Client::PiedPiper, browser).await?;
        app.wait_signed_out().await?;
        app.tab.click("sign-in").await?;
        let page = SignInPage::wait(app.tab.clone()).await?;
        stage.stop_provider();
        stage.start_provider()?;
        // It knows nothing of this sign-in, says so, and signs nobody in by what it does not know.
        page.submit("richard", PASSWORD).await?;
        ensure!(!idp::wait_error(stage, &app.tab).await?.is_empty());
        app.visit("/").await?;
        app.sign_in("richard").await?;
        app.has_clean_address().await
    })
}

#[test]
fn f1_provider_restarted_while_the_code_is_redeemed() -> Result {
    journey().with_a_wire().go(async |stage, browser| {
        let app = App::open(stage, Client::PiedPiper, browser).await?;
        app.wait_signed_out().await?;
        app.tab.click("sign-in").await?;
        let page = SignInPage::wait(app.tab.clone()).await?;
        stage.wire()?.lose_requests("POST /token");
        page.submit("richard", PASSWORD).await?;
        app.wait_notice("issuer_unreachable").await?;
        stage.stop_provider();
        stage.start_provider()?;
        stage.wire()?.mend();
        // It knows neither code nor person any more: a click begins from the start.
        app.sign_in("gavin").await?;
        app.has_clean_address().await?;
        ensure!(app.user_name().await?.contains("Gavin"));
        stage.control.timeline().await?.exactly(1, "token.issued@pied-piper")
    })
}

#[test]
fn f21_provider_restarted_before_a_refresh() -> Result {
    journey().with_a_wire().go(async |stage, browser| {
        let tab = browser.first_tab();
        let origin = signed_in(stage, &tab).await?;
        let beside = browser.new_tab().await?;
        beside.goto(&format!("{origin}/")).await?;
        wait(&beside, "status", "authenticated").await?;
        // No stream tells of it: whoever uses the token, or looks, finds out.
        stage.wire()?.lose_requests("GET /session_events");
        stage.stop_provider();
        stage.start_provider()?;
        ensure!(use_token(stage, &tab).await? != "200", "nobody's token was good");
        for tab in [&tab, &beside] {
            wait(tab, "status", "expired").await?;
            wait(tab, "notice", "invalid_grant").await?;
            wait(tab, "user-name", "").await?;
        }
        stage.wire()?.mend();
        // Asked for once, and nobody was sent anywhere.
        let timeline = stage.control.timeline().await?;
        timeline.exactly(0, "authorize.received")?;
        timeline.exactly(1, "token.received@npm-app")?;
        tab.click("sign-in").await?;
        SignInPage::wait(tab.clone()).await?.submit("richard", PASSWORD).await?;
        for tab in [&tab, &beside] {
            wait(tab, "status", "authenticated").await?;
        }
        Ok(())
    })
}

#[test]
fn rp22_provider_restarted_while_a_window_is_open() -> Result {
    journey().go(async |stage, browser| {
        let app = App::of(stage, Client::PiedPiper, browser.first_tab());
        app.visit("/ways").await?;
        app.wait_signed_out().await?;
        app.mark().await?;
        app.tab.click("sign-in-window").await?;
        let window = browser.opened_tab(std::slice::from_ref(&app.tab)).await?;
        let page = SignInPage::wait(window.clone()).await?;
        let known = browser.tabs().await?;
        stage.stop_provider();
        stage.start_provider()?;
        page.submit("richard", PASSWORD).await?;
        ensure!(!idp::wait_error(stage, &window).await?.is_empty());
        // The page waits, and its button opens another one in its place.
        app.wait_signed_out().await?;
        app.tab.click("sign-in-window").await?;
        let window = browser.opened_tab(&known).await?;
        SignInPage::wait(window).await?.submit("richard", PASSWORD).await?;
        app.wait_signed_in().await?;
        ensure!(app.is_marked().await?, "the page was left");
        stage.control.timeline().await?.exactly(1, "login.succeeded")
    })
}

#[test]
fn f7_provider_restarted_before_a_sign_out() -> Result {
    journey().with_a_wire().go(async |stage, browser| {
        let app = App::open(stage, Client::PiedPiper, browser).await?;
        app.sign_in("richard").await?;
        stage.control.wait_for(1, "stream.opened").await?;
        // The app has not heard of it when the person clicks.
        stage.wire()?.lose_requests("GET /session_events");
        stage.stop_provider();
        stage.start_provider()?;
        app.wait_status("offline").await?;
        app.sign_out().await?;
        until("the app or the provider's question", async || {
            let is_out = app.status().await?.as_deref() == Some("anonymous");
            let is_asked = app.tab.address().await?.starts_with(&stage.issuer());
            Ok((is_out || is_asked).then_some(()))
        })
        .await?;
        stage.wire()?.mend();
        app.visit("/").await?;
        app.wait_signed_out().await?;
        app.shows_nothing_private().await?;
        app.sign_in("gavin").await?;
        ensure!(app.user_name().await?.contains("Gavin"));
        Ok(())
    })
}
