//! What people do besides the straight way: Back, double clicks, two sign-in pages, sleeping tabs.

use anyhow::ensure;
use gatepass_tests::pages::{App, SignInPage};
use gatepass_tests::stage::PASSWORD;
use gatepass_tests::{Client, Result, journey};
use serde_json::json;

#[test]
fn back_from_the_sign_in_page_leaves_a_working_app() -> Result {
    journey().go(async |stage, browser| {
        let app = App::open(stage, Client::PiedPiper, browser).await?;
        app.wait_signed_out().await?;
        for _ in 0..2 {
            app.tab.click("sign-in").await?;
            SignInPage::wait(app.tab.clone()).await?;
            app.tab.back().await?;
            app.wait_signed_out().await?;
            app.has_clean_address().await?;
        }
        app.sign_in("richard").await?;
        stage.control.timeline().await?.exactly(1, "token.issued")
    })
}

#[test]
fn a_double_click_asks_once() -> Result {
    journey().go(async |stage, browser| {
        let app = App::open(stage, Client::Hooli, browser).await?;
        app.wait_signed_out().await?;
        let before = stage.control.timeline().await?.count("authorize.received");
        let twice = "const button = document.querySelector(`[data-testid=${arguments[0]}]`);\
                     button.click(); button.click()";
        app.tab.run(twice, vec![json!("sign-in")]).await?;
        SignInPage::wait(app.tab.clone()).await?.submit("gavin", PASSWORD).await?;
        app.wait_signed_in().await?;
        stage.control.timeline().await?.exactly(before + 1, "authorize.received")?;
        app.tab.run(twice, vec![json!("sign-out")]).await?;
        app.wait_signed_out().await?;
        let timeline = stage.control.wait_for(1, "end_session.returned").await?;
        timeline.exactly(1, "end_session.received")
    })
}

#[test]
fn two_sign_in_pages_at_once_both_work() -> Result {
    journey().go(async |stage, browser| {
        let pied_piper = App::open(stage, Client::PiedPiper, browser).await?;
        pied_piper.wait_signed_out().await?;
        let hooli = App::open_beside(stage, Client::Hooli, browser).await?;
        hooli.wait_signed_out().await?;
        let mut pages = Vec::new();
        for app in [&pied_piper, &hooli] {
            app.tab.click("sign-in").await?;
            pages.push(SignInPage::wait(app.tab.clone()).await?);
        }
        pages[0].submit("richard", PASSWORD).await?;
        pied_piper.wait_signed_in().await?;
        // The second page was drawn before there was a session.
        pages[1].submit("richard", PASSWORD).await?;
        hooli.wait_signed_in().await?;
        ensure!(hooli.user_name().await?.contains("Richard"));
        pied_piper.wait_signed_in().await
    })
}

#[test]
fn lost_cookies_of_the_provider_end_at_the_button() -> Result {
    journey().go(async |stage, browser| {
        let app = App::open(stage, Client::PiedPiper, browser).await?;
        app.sign_in("richard").await?;
        let beside = browser.new_tab().await?;
        beside.goto(&stage.issuer()).await?;
        beside.clear_cookies().await?;
        beside.close().await?;
        let before = stage.control.timeline().await?.count("authorize.received");
        app.tab.reload().await?;
        app.wait_signed_out().await?;
        app.shows_nothing_private().await?;
        stage.control.timeline().await?.exactly(before + 1, "authorize.received")?;
        app.tab.reload().await?;
        app.sign_in("richard").await
    })
}

#[test]
fn f2_a_sleeping_tab_finds_out_when_it_wakes() -> Result {
    journey().go(async |stage, browser| {
        let [pied_piper, hooli] = App::both(stage, browser).await?;
        pied_piper.mark().await?;
        let sleep = json!({ "state": "frozen" });
        pied_piper.tab.command("Page.setWebLifecycleState", sleep).await?;
        hooli.sign_out().await?;
        hooli.wait_signed_out().await?;
        let wake = json!({ "state": "active" });
        pied_piper.tab.command("Page.setWebLifecycleState", wake).await?;
        pied_piper.wait_ended().await?;
        pied_piper.shows_nothing_private().await?;
        ensure!(pied_piper.is_marked().await?, "the page was reloaded");
        Ok(())
    })
}

#[test]
fn rp24_a_page_left_and_come_back_to_finds_out() -> Result {
    journey().go(async |stage, browser| {
        let [pied_piper, hooli] = App::both(stage, browser).await?;
        pied_piper.tab.goto(&stage.lobby()).await?;
        hooli.sign_out().await?;
        hooli.wait_signed_out().await?;
        pied_piper.tab.back().await?;
        pied_piper.wait_ended().await?;
        pied_piper.shows_nothing_private().await
    })
}

#[test]
fn f2_a_closed_tab_finds_out_when_it_is_opened_again() -> Result {
    journey().go(async |stage, browser| {
        let [pied_piper, hooli] = App::both(stage, browser).await?;
        hooli.tab.close().await?;
        pied_piper.sign_out().await?;
        pied_piper.wait_signed_out().await?;
        let hooli = App::open_beside(stage, Client::Hooli, browser).await?;
        hooli.wait_signed_out().await?;
        hooli.shows_nothing_private().await?;
        stage.control.timeline().await?.exactly(1, "authorize.login_page")
    })
}

#[test]
fn signing_out_in_two_apps_at_once_ends_at_both_buttons() -> Result {
    journey().go(async |stage, browser| {
        let [pied_piper, hooli] = App::both(stage, browser).await?;
        pied_piper
            .tab
            .run(
                "setTimeout(() => document.querySelector('[data-testid=sign-out]').click())",
                vec![],
            )
            .await?;
        hooli.tab.run("document.querySelector('[data-testid=sign-out]')?.click()", vec![]).await?;
        for app in [&pied_piper, &hooli] {
            app.wait_signed_out().await?;
            app.has_clean_address().await?;
        }
        stage.control.timeline().await?.exactly(1, "session.ended")
    })
}
