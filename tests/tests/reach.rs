//! Where a sign-out finds the other app: in front, behind, offline, asleep for an hour; and in how
//! many tabs. (Closed and opened again, left and come back to: `odd_ways.rs`.)

use anyhow::ensure;
use gatepass_tests::engine::Ability;
use gatepass_tests::npm_app::{open, wait};
use gatepass_tests::pages::{App, SignInPage};
use gatepass_tests::stage::PASSWORD;
use gatepass_tests::tab::in_a_while;
use gatepass_tests::{Browser, Client, Result, Stage, journey, until};
use serde_json::json;

/// Has the page write down how it is seen when its status changes, where other tabs can read it: who
/// looked at the page itself would bring it to the front.
const WATCH: &str = "delete localStorage.seen;\
    const status = () => document.querySelector('[data-testid=status]').innerText.trim();\
    new MutationObserver(() => {\
      localStorage.seen ??= status() === 'anonymous' ? document.visibilityState : undefined;\
      if (localStorage.seen === 'undefined') delete localStorage.seen;\
    }).observe(document.body, { subtree: true, childList: true, characterData: true });";

/// Waits until a page of the app has written down that its session ended, and gives how it was seen.
async fn seen(stage: &Stage, browser: &Browser, client: Client) -> Result<String> {
    // A page of the same origin without the client.
    let beside = browser.new_window().await?;
    beside.goto(&format!("{}/icon.svg", stage.origin(client))).await?;
    until("the end of the other page's session", async || {
        let seen = beside.run("return localStorage.seen ?? null", vec![]).await?;
        Ok(seen.as_str().map(str::to_owned))
    })
    .await
}

#[test]
fn f2_s15_a_sign_out_is_seen_in_the_foreground() -> Result {
    journey().go(async |stage, browser| {
        let pied_piper = App::open(stage, Client::PiedPiper, browser).await?;
        pied_piper.sign_in("richard").await?;
        // In a window of its own: both are in front.
        let hooli = App::of(stage, Client::Hooli, browser.new_window().await?);
        hooli.visit("/").await?;
        hooli.wait_signed_in().await?;
        stage.control.wait_for(1, "stream.opened@pied-piper").await?;
        pied_piper.tab.run(WATCH, vec![]).await?;
        hooli.sign_out().await?;
        let seen = seen(stage, browser, Client::PiedPiper).await?;
        ensure!(seen == "visible", "it was {seen}");
        pied_piper.wait_signed_out().await?;
        pied_piper.shows_nothing_private().await
    })
}

#[test]
fn f2_s15_a_sign_out_is_seen_in_the_background() -> Result {
    journey().go(async |stage, browser| {
        browser.engine().must(Ability::HiddenTabs)?;
        let [pied_piper, hooli] = App::both(stage, browser).await?;
        pied_piper.tab.run(WATCH, vec![]).await?;
        // A click brings this one to the front, and with it the other behind.
        hooli.tab.bring_to_front().await?;
        hooli.sign_out().await?;
        let seen = seen(stage, browser, Client::PiedPiper).await?;
        ensure!(seen == "hidden", "it was {seen}");
        pied_piper.wait_signed_out().await?;
        pied_piper.shows_nothing_private().await
    })
}

#[test]
fn f2_s15_a_sign_out_is_seen_by_who_was_offline() -> Result {
    journey().with_a_wire().go(async |stage, browser| {
        let [pied_piper, hooli] = App::both(stage, browser).await?;
        hooli.mark().await?;
        stage.wire()?.cut_for(hooli.origin());
        hooli.wait_status("offline").await?;
        pied_piper.sign_out().await?;
        pied_piper.wait_signed_out().await?;
        // It cannot have been told, and a network fault ends nothing.
        ensure!(hooli.status().await?.as_deref() == Some("offline"));
        ensure!(hooli.user_name().await?.contains("Richard"));
        stage.wire()?.mend();
        hooli.tab.run("dispatchEvent(new Event('online'))", vec![]).await?;
        hooli.wait_ended().await?;
        hooli.shows_nothing_private().await?;
        ensure!(hooli.is_marked().await?, "the page was reloaded");
        Ok(())
    })
}

/// The page's clocks jump by an hour when it wakes, as those of a machine that slept.
const AN_HOUR_ON_WAKING: &str = "{ let slept = 0; const Real = Date; const now = () => Real.now() + slept;\
    window.Date = class extends Real {\
      constructor(...given) { super(...(given.length ? given : [now()])) }\
      static now() { return now() } };\
    const ticks = performance.now.bind(performance);\
    performance.now = () => ticks() + slept;\
    document.addEventListener('resume', () => { slept = 3600000 }); }";

#[test]
fn f11_rp24_a_tab_frozen_for_an_hour_goes_on_or_finds_out() -> Result {
    for is_over in [false, true] {
        journey().go(async |stage, browser| {
            let app = App::of(stage, Client::PiedPiper, browser.first_tab());
            app.tab.preload(AN_HOUR_ON_WAKING).await?;
            app.visit("/").await?;
            app.sign_in("richard").await?;
            stage.control.wait_for(1, "stream.opened").await?;
            app.mark().await?;
            app.tab.command("Page.setWebLifecycleState", json!({ "state": "frozen" })).await?;
            stage.control.wait_for(1, "stream.closed").await?;
            if is_over {
                // Longer than the session may be idle: it is over, and nobody was there to hear it.
                stage.control.advance_clock(3600).await?;
            } else {
                // Twice half of that, with a sign of life from elsewhere between.
                for _ in 0..2 {
                    stage.control.advance_clock(1700).await?;
                    let other = App::open_beside(stage, Client::Hooli, browser).await?;
                    other.wait_signed_in().await?;
                    other.tab.close().await?;
                }
                stage.control.advance_clock(200).await?;
            }
            app.tab.command("Page.setWebLifecycleState", json!({ "state": "active" })).await?;
            if is_over {
                app.wait_ended().await?;
                app.shows_nothing_private().await?;
            } else {
                stage.control.wait_for(1, "token.refreshed@pied-piper").await?;
                app.wait_signed_in().await?;
                stage.control.wait_for(2, "stream.opened@pied-piper").await?;
                ensure!(app.tab.text("notice").await?.is_none(), "a notice is shown");
            }
            ensure!(app.is_marked().await?, "the page was reloaded");
            Ok(())
        })?;
    }
    Ok(())
}

#[test]
fn f2_f3_ten_tabs_on_two_sites_show_one_sign_out() -> Result {
    journey().go(async |stage, browser| {
        let mut apps = App::both(stage, browser).await?.to_vec();
        for client in Client::ALL.into_iter().cycle().take(8) {
            let app = App::open_beside(stage, client, browser).await?;
            app.wait_signed_in().await?;
            apps.push(app);
        }
        for app in &apps {
            app.mark().await?;
        }
        let before = stage.control.now().await?;
        apps[9].sign_out().await?;
        for app in &apps {
            app.wait_signed_out().await?;
            app.shows_nothing_private().await?;
        }
        for app in &apps[..9] {
            ensure!(app.is_marked().await?, "a page was reloaded");
        }
        let since = stage.control.timeline_after(before).await?;
        since.exactly(1, "session.ended")?;
        // One stream for each site, and nobody had to ask.
        since.exactly(1, "logout_token.sent@pied-piper")?;
        since.exactly(0, "authorize.received")
    })
}

#[test]
fn f21_ten_tabs_refresh_once_when_their_token_expires() -> Result {
    journey().go(async |stage, browser| {
        let first = browser.first_tab();
        let origin = open(stage, &first).await?;
        wait(&first, "status", "anonymous").await?;
        first.click("sign-in").await?;
        SignInPage::wait(first.clone()).await?.submit("richard", PASSWORD).await?;
        wait(&first, "status", "authenticated").await?;
        let mut tabs = vec![first];
        while tabs.len() < 10 {
            let tab = browser.new_tab().await?;
            tab.goto(&format!("{origin}/")).await?;
            wait(&tab, "status", "authenticated").await?;
            tabs.push(tab);
        }
        // By the provider's clock: each tab finds out when it is refused, all at one moment.
        stage.control.advance_clock(600).await?;
        let ask = "window.got = Date.now() < arguments[1] ? undefined : 'told too late';\
            setTimeout(() => auth.fetch(arguments[0]).then(\
              (answer) => { window.got = String(answer.status) },\
              (error) => { window.got = error.code ?? String(error) }), arguments[1] - Date.now())";
        let userinfo = format!("{}/userinfo", stage.issuer());
        let moment = in_a_while(&tabs[0]).await?;
        for tab in &tabs {
            tab.run(ask, vec![json!(userinfo), moment.clone()]).await?;
        }
        for tab in &tabs {
            let got = until("an answer", async || {
                Ok(tab.run("return window.got ?? null", vec![]).await?.as_str().map(str::to_owned))
            });
            let got = got.await?;
            ensure!(got == "200", "a tab got {got}");
            wait(tab, "status", "authenticated").await?;
        }
        let timeline = stage.control.timeline().await?;
        timeline.exactly(1, "token.refreshed@npm-app")?;
        timeline.exactly(1, "token.issued@npm-app")?;
        timeline.exactly(0, "token.replayed")
    })
}

#[test]
fn f2_two_people_at_one_browser_never_see_each_others_data() -> Result {
    journey().go(async |stage, browser| {
        // Richard leaves his desk; Gavin signs in at one app, in the first of its two tabs.
        let [pied_piper, hooli] = App::both(stage, browser).await?;
        let beside = App::open_beside(stage, Client::Hooli, browser).await?;
        beside.wait_signed_in().await?;
        pied_piper.mark().await?;
        beside.mark().await?;
        hooli.tab.click("switch-account").await?;
        hooli.tab.click("other-account").await?;
        SignInPage::wait(hooli.tab.clone()).await?.submit("gavin", PASSWORD).await?;
        hooli.wait_signed_in().await?;
        hooli.wait_notice("user_changed").await?;
        // The tab beside it shows Gavin by itself; and at the other app Richard's session is over.
        until("Gavin in the other tab", async || {
            Ok(beside.tab.text("user-name").await?.filter(|name| name.contains("Gavin")))
        })
        .await?;
        pied_piper.wait_signed_out().await?;
        pied_piper.shows_nothing_private().await?;
        for app in [&hooli, &beside] {
            ensure!(app.user_name().await?.contains("Gavin"));
        }
        for app in [&hooli, &beside, &pied_piper] {
            ensure!(!app.tab.words().await?.contains("Richard"), "Richard is still shown");
        }
        for app in [&beside, &pied_piper] {
            ensure!(app.is_marked().await?, "a page was reloaded");
        }
        // And back: what Gavin leaves is nothing that Richard sees.
        pied_piper.tab.click("sign-in").await?;
        pied_piper.wait_signed_in().await?;
        ensure!(pied_piper.user_name().await?.contains("Gavin"));
        pied_piper.sign_out().await?;
        for app in [&hooli, &beside, &pied_piper] {
            app.wait_signed_out().await?;
            ensure!(!app.tab.words().await?.contains("Gavin"), "Gavin is still shown");
        }
        pied_piper.tab.click("sign-in").await?;
        SignInPage::wait(pied_piper.tab.clone()).await?.submit("richard", PASSWORD).await?;
        pied_piper.wait_signed_in().await?;
        ensure!(pied_piper.user_name().await?.contains("Richard"));
        Ok(())
    })
}
