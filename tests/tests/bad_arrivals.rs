//! Answers of the provider that come to the wrong place, too late or to another build of the app:
//! what the person sees, which code the app gets, and that nothing loops.

use anyhow::ensure;
use gatepass_tests::pages::{App, SignInPage};
use gatepass_tests::stage::PASSWORD;
use gatepass_tests::{Browser, Client, Result, Stage, journey};

/// A sign-in that waits for the person, in the browser's first tab.
async fn at_the_provider<'a>(
    stage: &Stage,
    client: Client,
    browser: &'a Browser,
) -> Result<(App<'a>, SignInPage<'a>)> {
    let app = App::open(stage, client, browser).await?;
    app.wait_signed_out().await?;
    app.tab.click("sign-in").await?;
    let page = SignInPage::wait(app.tab.clone()).await?;
    Ok((app, page))
}

/// The person is told that this sign-in leads nowhere, and how to go on.
async fn is_told(app: &App<'_>, code: &str) -> Result {
    let words = app.wait_notice(code).await?;
    ensure!(words.contains("Sign in again"), "no way forward: {words}");
    app.wait_signed_out().await?;
    app.shows_nothing_private().await?;
    app.has_clean_address().await
}

/// The value of a parameter of an address.
fn parameter(address: &str, name: &str) -> String {
    let query = address.split_once('?').map_or("", |(_, query)| query);
    let pairs = query.split('&').filter_map(|pair| pair.split_once('='));
    pairs.into_iter().find(|(key, _)| *key == name).map_or(String::new(), |(_, v)| v.to_owned())
}

#[test]
fn rp16_two_sign_ins_in_two_tabs_finish_in_either_order() -> Result {
    for order in [[0, 1], [1, 0]] {
        journey().go(async |stage, browser| {
            let (first, page) = at_the_provider(stage, Client::PiedPiper, browser).await?;
            let second = App::open_beside(stage, Client::PiedPiper, browser).await?;
            second.wait_signed_out().await?;
            second.tab.click("sign-in").await?;
            let pages = [page, SignInPage::wait(second.tab.clone()).await?];
            let apps = [first, second];
            for at in order {
                pages[at].submit("richard", PASSWORD).await?;
                apps[at].wait_signed_in().await?;
                apps[at].has_clean_address().await?;
            }
            for app in &apps {
                app.wait_signed_in().await?;
                ensure!(app.user_name().await?.contains("Richard"));
                ensure!(app.tab.text("notice").await?.is_none(), "a notice is shown");
            }
            let timeline = stage.control.timeline().await?;
            timeline.exactly(2, "token.issued@pied-piper")?;
            timeline.exactly(0, "token.replayed")?;
            timeline.exactly(0, "grants.revoked")
        })?;
    }
    Ok(())
}

#[test]
fn storage_cleared_between_leaving_and_coming_back_is_told_once() -> Result {
    journey().go(async |stage, browser| {
        let (app, page) = at_the_provider(stage, Client::PiedPiper, browser).await?;
        let forgets = "sessionStorage.clear(); localStorage.clear()";
        let forgets = app.tab.preload(forgets).await?;
        page.submit("richard", PASSWORD).await?;
        is_told(&app, "state_unknown").await?;
        // A page that asks by itself would get the same again, for ever.
        let before = stage.control.timeline().await?.count("authorize.received");
        app.tab.reload().await?;
        is_told(&app, "state_unknown").await?;
        let timeline = stage.control.timeline().await?;
        timeline.exactly(before + 1, "authorize.received")?;
        timeline.exactly(0, "token.received")?;
        app.tab.unload(forgets).await?;
        // The person is signed in at the provider: nobody asks for the password again.
        app.tab.click("sign-in").await?;
        app.wait_signed_in().await?;
        stage.control.timeline().await?.exactly(1, "login.succeeded")
    })
}

#[test]
fn a_bookmarked_callback_shows_the_session_or_says_what_to_do() -> Result {
    journey().go(async |stage, browser| {
        let (app, page) = at_the_provider(stage, Client::Hooli, browser).await?;
        page.submit("gavin", PASSWORD).await?;
        app.wait_signed_in().await?;
        let requests = browser.requests().await?;
        let bookmark = requests.iter().rev().find(|request| request.url.contains("code="));
        let bookmark = bookmark.map(|request| request.url.clone()).unwrap_or_default();
        ensure!(bookmark.starts_with(app.origin()), "no callback was seen");
        // Where another tab holds the session.
        let second = App::of(stage, Client::Hooli, browser.new_tab().await?);
        second.tab.goto(&bookmark).await?;
        second.wait_signed_in().await?;
        second.has_clean_address().await?;
        ensure!(second.tab.text("notice").await?.is_none(), "a notice is shown");
        // In its own tab, with no other one.
        second.tab.close().await?;
        app.tab.goto(&bookmark).await?;
        app.wait_signed_in().await?;
        app.has_clean_address().await?;
        // Where no tab of the app is left.
        let third = App::of(stage, Client::Hooli, browser.new_tab().await?);
        app.tab.goto(&stage.lobby()).await?;
        third.tab.goto(&bookmark).await?;
        is_told(&third, "state_unknown").await?;
        third.tab.click("sign-in").await?;
        third.wait_signed_in().await?;
        let timeline = stage.control.timeline().await?;
        timeline.exactly(0, "token.replayed")?;
        timeline.exactly(1, "login.succeeded")
    })
}

#[test]
fn a_sign_in_link_opened_in_a_new_tab_is_told_there_and_works_in_the_first() -> Result {
    journey().go(async |stage, browser| {
        let (app, page) = at_the_provider(stage, Client::PiedPiper, browser).await?;
        let link = app.tab.address().await?;
        let stranger = App::of(stage, Client::PiedPiper, browser.new_tab().await?);
        stranger.tab.goto(&link).await?;
        let there = SignInPage::wait(stranger.tab.clone()).await?;
        there.submit("richard", PASSWORD).await?;
        is_told(&stranger, "state_unknown").await?;
        stage.control.timeline().await?.exactly(0, "token.received")?;
        stranger.tab.click("sign-in").await?;
        stranger.wait_signed_in().await?;
        // The first tab's own page is still good.
        page.submit("richard", PASSWORD).await?;
        app.wait_signed_in().await?;
        app.has_clean_address().await
    })
}

#[test]
fn rp3_a_state_of_another_app_or_tab_signs_nobody_in() -> Result {
    journey().go(async |stage, browser| {
        let (hooli, page) = at_the_provider(stage, Client::Hooli, browser).await?;
        let theirs = page.submit_outside(stage, "gavin").await?;
        let pied_piper = App::open_beside(stage, Client::PiedPiper, browser).await?;
        pied_piper.wait_signed_out().await?;
        // Another origin's: code and state of Hooli, brought to Pied Piper.
        let moved = theirs.replacen(hooli.origin(), pied_piper.origin(), 1);
        pied_piper.tab.goto(&moved).await?;
        is_told(&pied_piper, "state_unknown").await?;
        // Another tab's, with an error in place of the code.
        let other = App::of(stage, Client::Hooli, browser.new_tab().await?);
        let refused = theirs.replacen("code=", "error=access_denied&error_description=", 1);
        other.tab.goto(&refused).await?;
        is_told(&other, "state_unknown").await?;
        for app in [&pied_piper, &other] {
            let (code, state) = (parameter(&theirs, "code"), parameter(&theirs, "state"));
            let shown = app.tab.source().await?;
            ensure!(!shown.contains(&code) && !shown.contains(&state), "the page shows it");
            let kept = app.storage().await?;
            ensure!(!kept.contains(&code), "the code is kept: {kept}");
        }
        stage.control.timeline().await?.exactly(0, "token.received")?;
        // What was tried elsewhere took nothing away.
        hooli.tab.goto(&theirs).await?;
        hooli.wait_signed_in().await
    })
}

#[test]
fn rp28_parameters_of_the_apps_own_stay_in_the_address() -> Result {
    journey().go(async |stage, browser| {
        let app = App::of(stage, Client::PiedPiper, browser.first_tab());
        for query in ["code=17", "state=NY", "code=17&state=NY", "code=1&state=2&iss=https://other"]
        {
            app.visit(&format!("/public?{query}")).await?;
            app.wait_signed_out().await?;
            let address = app.tab.address().await?;
            ensure!(address.ends_with(&format!("/public?{query}")), "{query} became {address}");
            ensure!(app.tab.text("notice").await?.is_none(), "{query} made a notice");
        }
        stage.control.timeline().await?.exactly(0, "authorize.received")
    })
}

#[test]
fn a_record_of_an_older_version_is_told_and_the_next_sign_in_works() -> Result {
    journey().go(async |stage, browser| {
        let (app, page) = at_the_provider(stage, Client::Hooli, browser).await?;
        // What an older build would have left there.
        let older = "for (const [key, value] of Object.entries(sessionStorage))\
            if (key.startsWith('gatepass:1:attempt:'))\
              sessionStorage[key] = value.replace('\"version\":1', '\"version\":0')";
        let older = app.tab.preload(older).await?;
        page.submit("gavin", PASSWORD).await?;
        is_told(&app, "state_unknown").await?;
        stage.control.timeline().await?.exactly(0, "token.received")?;
        app.tab.unload(older).await?;
        app.tab.click("sign-in").await?;
        app.wait_signed_in().await
    })
}
