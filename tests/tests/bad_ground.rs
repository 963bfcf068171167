//! The ground shifts under a session: a clock that is wrong, a provider that is away when a token
//! has to be refreshed, an app that is updated while the person is at the provider.

use anyhow::ensure;
use gatepass_tests::npm_app::{NEXT_ASSETS, built_anew, open, wait};
use gatepass_tests::pages::{App, SignInPage};
use gatepass_tests::stage::PASSWORD;
use gatepass_tests::{Client, Result, Tab, journey};
use serde_json::json;

/// Sets the tab's clock off, from its next document on.
async fn set_clock_off(tab: &Tab<'_>, seconds: i64) -> Result {
    tab.preload(&shift(seconds)).await.map(drop)
}

/// A script that sets the clock off from now on.
fn shift(seconds: i64) -> String {
    format!(
        "{{ const Real = Date; const now = () => Real.now() + {seconds} * 1000;\
           window.Date = class extends Real {{\
             constructor(...given) {{ super(...(given.length ? given : [now()])) }}\
             static now() {{ return now() }} }} }}"
    )
}

#[test]
fn a_clock_that_is_wrong_by_ten_minutes_keeps_nobody_out() -> Result {
    for seconds in [600, -600] {
        journey().go(async |stage, browser| {
            // By the client's own rules, and as a person meets it.
            let guest = browser.first_tab();
            set_clock_off(&guest, seconds).await?;
            open(stage, &guest).await?;
            wait(&guest, "status", "anonymous").await?;
            guest.click("sign-in").await?;
            SignInPage::wait(guest.clone()).await?.submit("richard", PASSWORD).await?;
            wait(&guest, "status", "authenticated").await?;
            wait(&guest, "notice", "").await?;
            let app = App::of(stage, Client::PiedPiper, browser.new_tab().await?);
            set_clock_off(&app.tab, seconds).await?;
            app.visit("/").await?;
            app.wait_signed_in().await?;
            ensure!(app.tab.text("notice").await?.is_none(), "a notice is shown");
            // A token for the stream is asked for by the same clock, and a sign-out arrives.
            stage.control.wait_for(1, "stream.opened@npm-app").await?;
            app.sign_out().await?;
            wait(&guest, "status", "anonymous").await?;
            wait(&guest, "notice", "logout_token").await
        })?;
    }
    Ok(())
}

#[test]
fn a_clock_that_is_wrong_by_an_hour_is_told() -> Result {
    for seconds in [3600, -3600] {
        journey().go(async |stage, browser| {
            let tab = browser.first_tab();
            set_clock_off(&tab, seconds).await?;
            let origin = open(stage, &tab).await?;
            wait(&tab, "status", "anonymous").await?;
            tab.click("sign-in").await?;
            SignInPage::wait(tab.clone()).await?.submit("richard", PASSWORD).await?;
            wait(&tab, "notice", "clock_wrong").await?;
            wait(&tab, "status", "anonymous").await?;
            ensure!(tab.address().await? == format!("{origin}/"), "the address is not clean");
            // Asked once by itself and once by the click.
            stage.control.timeline().await?.exactly(2, "authorize.received@npm-app")
        })?;
    }
    Ok(())
}

#[test]
fn a_refresh_while_the_provider_is_down_keeps_the_session() -> Result {
    journey().go(async |stage, browser| {
        let tab = browser.first_tab();
        open(stage, &tab).await?;
        wait(&tab, "status", "anonymous").await?;
        tab.click("sign-in").await?;
        SignInPage::wait(tab.clone()).await?.submit("richard", PASSWORD).await?;
        wait(&tab, "status", "authenticated").await?;
        stage.control.wait_for(1, "stream.opened@npm-app").await?;
        // The token has run out, and nothing gets through to the provider.
        tab.run(&shift(600), vec![]).await?;
        let blocked = json!({ "urls": ["*://idp.localhost*"] });
        tab.command("Network.setBlockedURLs", blocked).await?;
        for _ in 0..2 {
            tab.click("fetch-userinfo").await?;
            wait(&tab, "refused", "issuer_unreachable").await?;
            wait(&tab, "status", "offline").await?;
            wait(&tab, "user-name", "Richard Hendricks").await?;
        }
        // The network is back: the same session goes on, with a new token.
        tab.command("Network.setBlockedURLs", json!({ "urls": [] })).await?;
        tab.click("fetch-userinfo").await?;
        stage.control.wait_for(1, "userinfo.served@npm-app").await?;
        wait(&tab, "status", "authenticated").await?;
        wait(&tab, "refused", "").await?;
        wait(&tab, "notice", "").await?;
        let timeline = stage.control.timeline().await?;
        timeline.exactly(1, "token.refreshed@npm-app")?;
        timeline.exactly(0, "token.replayed")?;
        timeline.exactly(1, "login.succeeded")
    })
}

#[test]
fn an_app_that_is_updated_while_the_person_is_away_goes_on() -> Result {
    journey().go(async |stage, browser| {
        let tab = browser.first_tab();
        let origin = open(stage, &tab).await?;
        wait(&tab, "status", "anonymous").await?;
        tab.click("sign-in").await?;
        let page = SignInPage::wait(tab.clone()).await?;
        // The files of the version that began the sign-in are gone.
        stage.site.serve(built_anew()?);
        page.submit("gavin", PASSWORD).await?;
        wait(&tab, "status", "authenticated").await?;
        wait(&tab, "notice", "").await?;
        let script = "return document.querySelector('script[src]').src";
        let source = tab.run(script, vec![]).await?;
        ensure!(source.as_str().is_some_and(|at| at.contains(NEXT_ASSETS)), "{source}");
        ensure!(tab.address().await? == format!("{origin}/"), "the address is not clean");
        stage.control.timeline().await?.exactly(1, "token.issued@npm-app")
    })
}
