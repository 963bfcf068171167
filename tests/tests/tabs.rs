//! Several tabs of one app: one session, one stream.

use anyhow::ensure;
use gatepass_tests::pages::App;
use gatepass_tests::{Browser, Client, Result, Stage, journey};

/// A signed-in app in several tabs.
async fn tabs_of<'a>(
    stage: &Stage,
    client: Client,
    browser: &'a Browser,
    count: usize,
) -> Result<Vec<App<'a>>> {
    let first = App::open(stage, client, browser).await?;
    first.sign_in("richard").await?;
    stage.control.wait_for(1, &format!("stream.opened@{}", client.id())).await?;
    let mut tabs = vec![first];
    while tabs.len() < count {
        let tab = App::open_beside(stage, client, browser).await?;
        tab.wait_signed_in().await?;
        tabs.push(tab);
    }
    Ok(tabs)
}

#[test]
fn a_new_tab_adopts_the_session_and_all_share_one_stream() -> Result {
    journey().go(async |stage, browser| {
        let before = {
            let tabs = tabs_of(stage, Client::PiedPiper, browser, 1).await?;
            ensure!(tabs.len() == 1);
            stage.control.timeline().await?.count("authorize.received")
        };
        for _ in 0..2 {
            let tab = App::open_beside(stage, Client::PiedPiper, browser).await?;
            tab.wait_signed_in().await?;
            ensure!(tab.user_name().await?.contains("Richard"));
        }
        let timeline = stage.control.timeline().await?;
        timeline.exactly(before, "authorize.received")?;
        timeline.exactly(1, "stream.opened@pied-piper")?;
        timeline.exactly(1, "token.issued@pied-piper")
    })
}

#[test]
fn a_tab_that_closes_hands_the_stream_over() -> Result {
    journey().go(async |stage, browser| {
        let mut tabs = tabs_of(stage, Client::PiedPiper, browser, 3).await?;
        tabs.remove(0).tab.close().await?;
        stage.control.wait_for(2, "stream.opened@pied-piper").await?;
        for tab in &tabs {
            tab.wait_signed_in().await?;
        }
        let hooli = App::open_beside(stage, Client::Hooli, browser).await?;
        hooli.wait_signed_in().await?;
        hooli.sign_out().await?;
        for tab in &tabs {
            tab.wait_signed_out().await?;
            tab.shows_nothing_private().await?;
        }
        stage.control.timeline().await?.exactly(2, "stream.opened@pied-piper")
    })
}

#[test]
fn a_tab_that_reloads_hands_the_stream_over() -> Result {
    journey().go(async |stage, browser| {
        let tabs = tabs_of(stage, Client::Hooli, browser, 2).await?;
        tabs[0].tab.reload().await?;
        for tab in &tabs {
            tab.wait_signed_in().await?;
        }
        stage.control.wait_for(2, "stream.opened@hooli").await?;
        // The reloaded tab found the session in the other: nobody had to be asked.
        let timeline = stage.control.timeline().await?;
        timeline.exactly(1, "token.issued@hooli")?;
        timeline.exactly(1, "authorize.login_page")
    })
}

#[test]
fn the_seventh_tab_works_and_hears_the_sign_out() -> Result {
    journey().go(async |stage, browser| {
        let tabs = tabs_of(stage, Client::PiedPiper, browser, 7).await?;
        let timeline = stage.control.timeline().await?;
        timeline.exactly(1, "stream.opened@pied-piper")?;
        timeline.exactly(1, "token.issued@pied-piper")?;
        let hooli = App::open_beside(stage, Client::Hooli, browser).await?;
        hooli.wait_signed_in().await?;
        hooli.sign_out().await?;
        for tab in &tabs {
            tab.wait_signed_out().await?;
        }
        stage.control.timeline().await?.exactly(1, "logout_token.sent@pied-piper")
    })
}

#[test]
fn leaving_in_one_tab_leaves_in_all_tabs_of_the_app() -> Result {
    journey().go(async |stage, browser| {
        let tabs = tabs_of(stage, Client::PiedPiper, browser, 3).await?;
        tabs[1].leave().await?;
        for tab in &tabs {
            tab.wait_signed_out().await?;
            tab.shows_nothing_private().await?;
        }
        stage.control.timeline().await?.exactly(0, "session.ended")
    })
}

#[test]
fn signing_in_in_one_tab_signs_in_the_others() -> Result {
    journey().go(async |stage, browser| {
        let first = App::of(stage, Client::PiedPiper, browser.first_tab());
        first.visit("/public").await?;
        first.wait_signed_out().await?;
        let second = App::open_beside(stage, Client::PiedPiper, browser).await?;
        second.sign_in("gavin").await?;
        first.wait_signed_in().await?;
        ensure!(first.user_name().await?.contains("Gavin"));
        stage.control.timeline().await?.exactly(1, "stream.opened@pied-piper")
    })
}
