//! A provider that hangs while a page starts: it takes connections and answers nothing. The page is
//! there at once, it says so after a while, and nobody is sent to where nothing comes.

use anyhow::ensure;
use gatepass_tests::npm_app::{look_at, open, signed_in_with, wait};
use gatepass_tests::pages::App;
use gatepass_tests::{Client, LONG_LIMIT, Result, Stage, Tab, journey, until, until_within};

/// The public page stands, while something waits for the provider.
async fn is_there(stage: &Stage, tab: &Tab<'_>) -> Result {
    ensure!(tab.text("sign-in").await?.as_deref() == Some("Sign in"), "the page is not there");
    tab.run("window.marked = true", vec![]).await?;
    until("a request that waits", async || Ok((stage.wire()?.lost() > 0).then_some(()))).await
}

/// It is still that page.
async fn is_marked(tab: &Tab<'_>) -> Result {
    ensure!(tab.run("return window.marked === true", vec![]).await? == true, "the page was left");
    Ok(())
}

#[test]
fn f17_s10_a_provider_that_hangs_at_the_start_keeps_nobody_from_the_public_page() -> Result {
    journey().with_a_wire().go(async |stage, browser| {
        // Somebody whom it knows: she would be signed in without a page.
        let other = App::open(stage, Client::PiedPiper, browser).await?;
        other.sign_in("richard").await?;
        stage.wire()?.hang();
        let before = stage.control.now().await?;
        let tab = browser.new_tab().await?;
        let origin = open(stage, &tab).await?;
        is_there(stage, &tab).await?;
        let app = App::open_beside(stage, Client::Hooli, browser).await?;
        app.mark().await?;
        // Whether she is signed in nobody knows.
        wait(&tab, "status", "offline").await?;
        wait(&tab, "notice", "issuer_unreachable").await?;
        app.wait_status("offline").await?;
        app.wait_notice("issuer_unreachable").await?;
        app.shows_nothing_private().await?;
        // A click goes nowhere either.
        tab.click("sign-in").await?;
        wait(&tab, "refused", "issuer_unreachable").await?;
        is_marked(&tab).await?;
        ensure!(tab.address().await? == format!("{origin}/"), "the address is another one");
        ensure!(app.is_marked().await?, "the page was left");
        stage.control.timeline_after(before).await?.exactly(0, "authorize.received")?;

        // It answers again: the next click gets there, and so does the next start.
        stage.wire()?.mend();
        tab.click("sign-in").await?;
        wait(&tab, "status", "authenticated").await?;
        app.tab.reload().await?;
        app.wait_signed_in().await?;
        other.wait_signed_in().await?;
        stage.control.timeline().await?.exactly(1, "login.succeeded")
    })
}

#[test]
fn f12_s10_a_provider_that_hangs_at_the_start_leaves_a_kept_session_as_it_is() -> Result {
    for is_looked_at in [true, false] {
        journey().with_a_wire().go(async |stage, browser| {
            let first = browser.first_tab();
            let address = signed_in_with(stage, &first, "local").await?;
            first.goto("about:blank").await?;
            let before = stage.control.now().await?;
            stage.wire()?.hang();
            // To this tab the session is one of an earlier day: whether it still stands is to be asked.
            let tab = browser.new_tab().await?;
            tab.goto(&address).await?;
            is_there(stage, &tab).await?;
            wait(&tab, "status", "offline").await?;
            wait(&tab, "user-name", "Richard Hendricks").await?;
            is_marked(&tab).await?;

            stage.wire()?.mend();
            if is_looked_at {
                look_at(&tab).await?;
            }
            until_within(LONG_LIMIT, "the session", async || {
                let status = tab.text("status").await?;
                Ok((status.as_deref() == Some("authenticated")).then_some(()))
            })
            .await?;
            is_marked(&tab).await?;
            let since = stage.control.timeline_after(before).await?;
            since.exactly(0, "authorize.received")?;
            since.exactly(0, "session.ended")
        })?;
    }
    Ok(())
}
