//! The ground shifts under a session: a clock that is wrong, a provider that is away when a token
//! has to be refreshed, an app that is updated while the person is at the provider.

use anyhow::{Context, ensure};
use gatepass_tests::npm_app::{NEXT_ASSETS, built_anew, look_at, open, signed_in, wait};
use gatepass_tests::pages::{App, SignInPage};
use gatepass_tests::stage::PASSWORD;
use gatepass_tests::{Client, Result, Tab, journey, until};

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
    journey().with_a_wire().go(async |stage, browser| {
        let tab = browser.first_tab();
        signed_in(stage, &tab).await?;
        // The token has run out, and nothing gets through to the provider.
        tab.run(&shift(600), vec![]).await?;
        stage.wire()?.cut();
        for _ in 0..2 {
            tab.click("fetch-userinfo").await?;
            wait(&tab, "refused", "issuer_unreachable").await?;
            wait(&tab, "status", "offline").await?;
            wait(&tab, "user-name", "Richard Hendricks").await?;
        }
        // The network is back: the same session goes on, with a new token.
        stage.wire()?.mend();
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

/// Writes down what the page shows from now on: each status, with the name beside it.
const WRITE_DOWN: &str = "const find = (id) => document.querySelector(`[data-testid=${id}]`);\
    window.shown = [];\
    new MutationObserver(() => {\
      shown.push([find('status').textContent, find('user-name').textContent]);\
    }).observe(find('status'), { childList: true, characterData: true, subtree: true });";

/// The page's own clock stands still while the machine sleeps, and the clock of the day does not. So the
/// page cannot tell by its own how long ago it has heard of the provider.
#[test]
fn f11_s15_a_machine_that_slept_shows_nothing_before_it_has_asked() -> Result {
    for is_over in [true, false] {
        journey().with_a_wire().go(async |stage, browser| {
            // An hour is not too long for a session here.
            stage.change_provider(|text| {
                text.replace("idle_lifetime = 1800", "idle_lifetime = 7200")
            })?;
            let tab = browser.first_tab();
            open(stage, &tab).await?;
            wait(&tab, "status", "anonymous").await?;
            tab.click("sign-in").await?;
            SignInPage::wait(tab.clone()).await?.submit("richard", PASSWORD).await?;
            wait(&tab, "status", "authenticated").await?;
            stage.control.wait_for(1, "stream.opened@npm-app").await?;
            let before = stage.control.now().await?;
            tab.run(&format!("window.marked = true; {WRITE_DOWN}"), vec![]).await?;

            // A machine that sleeps hears nothing, and nobody tells it that its stream is dead.
            stage.wire()?.hang();
            stage.control.advance_clock(3600).await?;
            if is_over {
                let sessions = stage.control.sessions().await?;
                let id = sessions[0]["id"].as_str().context("a session has no id")?;
                stage.control.end_session(id).await?;
            }
            tab.run(&shift(3600), vec![]).await?;
            stage.wire()?.mend();
            look_at(&tab).await?;

            let wanted = if is_over { &["anonymous", "expired"][..] } else { &["authenticated"] };
            let shown = until("what is known after the sleep", async || {
                let shown = tab.run("return window.shown", vec![]).await?;
                let shown: Vec<(String, String)> = serde_json::from_value(shown)?;
                let is_known = shown.last().is_some_and(|last| wanted.contains(&last.0.as_str()));
                Ok(is_known.then_some(shown))
            })
            .await?;
            let first = shown.first().map(|first| first.0.as_str());
            ensure!(first == Some("restoring"), "{shown:?}");
            let last = shown.len() - 1;
            for (at, (status, name)) in shown.iter().enumerate() {
                let may_show = at == last && !is_over;
                ensure!(name.is_empty() != may_show, "{status} with {name:?}: {shown:?}");
            }
            ensure!(tab.run("return window.marked", vec![]).await? == true, "the page was left");
            let since = stage.control.timeline_after(before).await?;
            since.exactly(0, "authorize.received")?;
            if !is_over {
                // The token has run out in its sleep.
                stage.control.wait_for(1, "token.refreshed@npm-app").await?;
                wait(&tab, "notice", "").await?;
                wait(&tab, "status", "authenticated").await?;
            }
            Ok(())
        })?;
    }
    Ok(())
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
