//! A session's own lifetime, its countdown, and "stay signed in" (F11), with the provider's clock moved.

use anyhow::{Context, ensure};
use gatepass_tests::npm_app::{kept, open, turn_to, wait, wait_ended};
use gatepass_tests::pages::{App, SignInPage};
use gatepass_tests::stage::PASSWORD;
use gatepass_tests::{Client, Result, Tab, journey, until};

/// Writes down when the page no longer has the session, if it is not left.
const WATCH: &str = "
    auth.subscribe(({ status, user }) => {
      if (status !== 'authenticated' || user?.name !== 'Richard Hendricks') window.endedAt ??= Date.now();
    });
";

#[test]
fn f11_the_demo_counts_down_and_a_click_stays_signed_in() -> Result {
    journey().go(async |stage, browser| {
        let app = App::open(stage, Client::PiedPiper, browser).await?;
        ensure!(app.tab.text("stay").await?.is_none(), "nobody is signed in");
        app.visit("/?session_lifetime=60").await?;
        app.sign_in("richard").await?;
        let shown = app.tab.wait_text("stay-left").await?;
        ensure!(shown.starts_with("00:") || shown == "01:00", "{shown} of a minute");
        // The app learns of that by the answer to its question, and counts from there.
        stage.control.advance_clock(30).await?;
        let before = stage.control.now().await?;
        app.tab.click("stay-signed-in").await?;
        stage.control.wait_for(1, "token.refreshed@pied-piper").await?;
        until("another minute", async || {
            let left = app.tab.text("stay-left").await?.unwrap_or_default();
            Ok((left.as_str() > "00:40").then_some(()))
        })
        .await?;
        app.wait_signed_in().await?;
        stage.control.timeline_after(before).await?.exactly(0, "authorize.received")
    })
}

/// The seconds that the npm app shows as left, once they are as wished.
async fn left(tab: &Tab<'_>, is_meant: impl Fn(i64) -> bool) -> Result<i64> {
    until("the seconds that are left", async || {
        let left = tab.text("left").await?.and_then(|text| text.parse().ok());
        Ok(left.filter(|left| is_meant(*left)))
    })
    .await
}

#[test]
fn f11_the_npm_app_counts_down_extends_and_ends() -> Result {
    journey().go(async |stage, browser| {
        let tab = browser.first_tab();
        let origin = open(stage, &tab).await?;
        wait(&tab, "status", "anonymous").await?;
        wait(&tab, "left", "null").await?;
        tab.goto(&format!("{origin}/?onLoad=manual&lifetime=600")).await?;
        wait(&tab, "status", "anonymous").await?;
        tab.click("sign-in").await?;
        SignInPage::wait(tab.clone()).await?.submit("richard", PASSWORD).await?;
        wait(&tab, "status", "authenticated").await?;
        left(&tab, |left| (1..=600).contains(&left)).await?;

        let look = async || tab.run("return auth.check()", vec![]).await.context("no check");
        stage.control.advance_clock(500).await?;
        look().await?;
        left(&tab, |left| (1..=100).contains(&left)).await?;
        tab.click("extend").await?;
        left(&tab, |left| (501..=600).contains(&left)).await?;
        ensure!(tab.text("refused").await?.unwrap_or_default().is_empty());

        stage.control.advance_clock(500).await?;
        look().await?;
        left(&tab, |left| (1..=100).contains(&left)).await?;
        wait(&tab, "status", "authenticated").await?;
        stage.control.advance_clock(200).await?;
        look().await?;
        wait(&tab, "status", "expired").await?;
        wait(&tab, "notice", "lifetime").await?;
        wait(&tab, "left", "null").await?;
        tab.click("extend").await?;
        wait(&tab, "refused", "not_signed_in").await
    })
}

/// Signs in at the npm app by its button, with the password.
async fn sign_in(tab: &Tab<'_>) -> Result {
    wait(tab, "status", "anonymous").await?;
    tab.click("sign-in").await?;
    SignInPage::wait(tab.clone()).await?.submit("richard", PASSWORD).await?;
    wait(tab, "status", "authenticated").await
}

/// At a provider that tells no app of an end: at one that does, an app whose session outlives the
/// provider's hears of that at once (the lobby's table shows it there).
#[test]
fn f11_each_row_of_its_table_comes_true_by_the_providers_clock() -> Result {
    journey().go(async |stage, browser| {
        stage.change_provider(|text| {
            text.replacen("session_events = true", "session_events = false", 1)
        })?;
        // Its frame would tell as well, where it sees its cookie.
        stage.site.set_policy("frame-src 'none'")?;
        let tab = browser.first_tab();
        let origin = open(stage, &tab).await?;
        wait(&tab, "status", "anonymous").await?;

        // Both valid: a visit asks nobody.
        let visit = format!("{origin}/?onLoad=auto&storage=session");
        tab.goto(&format!("{visit}&lifetime=7200")).await?;
        sign_in(&tab).await?;
        until("what is kept", async || kept(&tab).await).await?;
        let before = stage.control.now().await?;
        tab.goto(&visit).await?;
        wait(&tab, "status", "authenticated").await?;
        stage.control.timeline_after(before).await?.exactly(0, "authorize.received")?;

        // The app's valid, the provider's expired: the person stays signed in until the app hears of it.
        tab.run(WATCH, vec![]).await?;
        stage.control.advance_clock(1900).await?;
        ensure!(stage.control.sessions().await?.is_empty(), "half an hour is not too long");
        // In a window of its own: the first page stays in view, and has no reason to ask.
        let other = App::of(stage, Client::PiedPiper, browser.new_window().await?);
        other.visit("/").await?;
        other.wait_signed_out().await?;
        // It asks when somebody turns to it, which not every driver tells it, and a click then needs the
        // password.
        let turned = other.tab.run("return Date.now()", vec![]).await?.as_f64();
        turn_to(&tab).await?;
        wait_ended(&tab).await?;
        wait(&tab, "user-name", "").await?;
        let ended = tab.run("return window.endedAt", vec![]).await?.as_f64();
        ensure!(
            ended.context("the page was left")? >= turned.context("no time")?,
            "it ended before"
        );
        tab.click("sign-in").await?;
        SignInPage::wait(tab.clone()).await?.submit("richard", PASSWORD).await?;
        wait(&tab, "status", "authenticated").await?;
        stage.control.timeline().await?.exactly(2, "login.succeeded")?;

        // The app's expired, the provider's valid: a visit signs in without a password.
        tab.click("sign-out-here").await?;
        wait(&tab, "status", "anonymous").await?;
        tab.goto(&format!("{visit}&lifetime=600")).await?;
        wait(&tab, "status", "anonymous").await?;
        tab.click("sign-in").await?;
        wait(&tab, "status", "authenticated").await?;
        stage.control.advance_clock(700).await?;
        tab.run("return auth.check()", vec![]).await.context("no check")?;
        wait(&tab, "status", "expired").await?;
        wait(&tab, "notice", "lifetime").await?;
        ensure!(stage.control.sessions().await?.len() == 1, "the provider's session is over");
        tab.goto(&visit).await?;
        wait(&tab, "status", "authenticated").await?;
        stage.control.timeline().await?.exactly(2, "login.succeeded")?;

        // Both expired: a visit finds nobody, and a click leads to the password.
        stage.control.advance_clock(1900).await?;
        tab.run("return auth.check()", vec![]).await.context("no check")?;
        wait_ended(&tab).await?;
        tab.goto(&visit).await?;
        sign_in(&tab).await?;
        stage.control.timeline().await?.exactly(3, "login.succeeded")
    })
}
