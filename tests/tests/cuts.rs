//! The network is killed in the middle of each flow. Nobody is signed out for it, nothing loops, and once
//! it is back the next click works.

use anyhow::ensure;
use gatepass_tests::browser::Flavour;
use gatepass_tests::engine::Engine;
use gatepass_tests::npm_app::{self, open, signed_in, signed_in_with, use_token, wait};
use gatepass_tests::pages::{App, SignInPage};
use gatepass_tests::stage::{GUEST_HOST, PASSWORD};
use gatepass_tests::{Browser, Client, LONG_LIMIT, Result, Stage, journey, until, until_within};

#[test]
fn f1_network_killed_before_the_sign_in_page() -> Result {
    journey().with_a_wire().go(async |stage, browser| {
        let app = App::of(stage, Client::PiedPiper, browser.first_tab());
        app.visit("/public").await?;
        app.wait_signed_out().await?;
        app.mark().await?;
        stage.wire()?.cut();
        app.tab.click("sign-in").await?;
        app.wait_notice("issuer_unreachable").await?;
        ensure!(app.is_marked().await?, "the page was left for a provider that does not answer");
        stage.wire()?.mend();
        app.tab.click("sign-in").await?;
        SignInPage::wait(app.tab.clone()).await?.submit("richard", PASSWORD).await?;
        app.wait_signed_in().await?;
        stage.control.timeline().await?.exactly(1, "authorize.received")
    })
}

#[test]
fn f1_network_killed_while_the_password_is_sent() -> Result {
    journey().with_a_wire().go(async |stage, browser| {
        let app = App::open(stage, Client::PiedPiper, browser).await?;
        app.wait_signed_out().await?;
        app.tab.click("sign-in").await?;
        let page = SignInPage::wait(app.tab.clone()).await?;
        stage.wire()?.cut();
        // The browser shows a page of its own.
        page.submit("richard", PASSWORD).await.or_else(or_no_page)?;
        something_is_lost(stage).await?;
        // The browser tries by itself what it could not load; the person has gone elsewhere.
        app.tab.goto(&stage.lobby()).await?;
        stage.wire()?.mend();
        // Whichever way the person takes: the app's address again.
        app.visit("/").await?;
        app.sign_in("richard").await?;
        app.has_clean_address().await?;
        stage.control.timeline().await?.exactly(1, "token.issued")
    })
}

async fn something_is_lost(stage: &Stage) -> Result {
    until("something is lost", async || Ok((stage.wire()?.lost() > 0).then_some(()))).await
}

/// A driver may wait for the page that a click leads to, and say that none came.
fn or_no_page(error: anyhow::Error) -> Result {
    let said = format!("{error:#}");
    let is_network = ["net::ERR_", "about:neterror", "Failed to load", "page load"];
    if is_network.iter().any(|word| said.contains(word)) { Ok(()) } else { Err(error) }
}

#[test]
fn f1_network_killed_while_the_code_is_redeemed() -> Result {
    for is_answer in [false, true] {
        journey().with_a_wire().go(async |stage, browser| {
            let app = App::open(stage, Client::PiedPiper, browser).await?;
            app.wait_signed_out().await?;
            app.tab.click("sign-in").await?;
            let page = SignInPage::wait(app.tab.clone()).await?;
            match is_answer {
                true => stage.wire()?.lose_answers("POST /token"),
                false => stage.wire()?.lose_requests("POST /token"),
            }
            page.submit("richard", PASSWORD).await?;
            app.wait_notice("issuer_unreachable").await?;
            app.shows_nothing_private().await?;
            app.has_clean_address().await?;
            ensure!(stage.wire()?.lost() > 0, "nothing was lost");
            stage.wire()?.mend();
            // The provider's session began: a click needs no password.
            app.tab.click("sign-in").await?;
            app.wait_signed_in().await?;
            let timeline = stage.control.timeline().await?;
            timeline.exactly(1, "login.succeeded")?;
            timeline.exactly(3, "authorize.received@pied-piper")?;
            timeline.exactly(0, "token.replayed")
        })?;
    }
    Ok(())
}

#[test]
fn f1_network_killed_on_the_way_of_a_silent_sign_in() -> Result {
    journey().with_a_wire().go(async |stage, browser| {
        App::open(stage, Client::PiedPiper, browser).await?.sign_in("richard").await?;
        let hooli = App::of(stage, Client::Hooli, browser.new_tab().await?);
        // The provider answers before the page is left, and is gone then.
        stage.wire()?.lose_requests("GET /authorize");
        hooli.tab.goto_dead(&format!("{}/", hooli.origin())).await?;
        something_is_lost(stage).await?;
        hooli.tab.goto(&stage.lobby()).await?;
        stage.wire()?.mend();
        // Back at the app it does not leave a second time by itself, or it signs in: never a loop.
        hooli.visit("/").await?;
        until("a page that stands still", async || {
            let status = hooli.status().await?;
            Ok(matches!(status.as_deref(), Some("anonymous" | "authenticated")).then_some(()))
        })
        .await?;
        hooli.has_clean_address().await?;
        ensure!(stage.control.timeline().await?.count("authorize.received@hooli") <= 1);
        if hooli.status().await?.as_deref() == Some("anonymous") {
            hooli.tab.click("sign-in").await?;
        }
        hooli.wait_signed_in().await?;
        stage.control.timeline().await?.exactly(1, "login.succeeded")
    })
}

#[test]
fn f21_network_killed_in_the_middle_of_a_refresh() -> Result {
    for (is_answer, has_grace) in [(false, false), (true, false), (true, true)] {
        journey().with_a_wire().go(async |stage, browser| {
            if has_grace {
                stage.change_provider(|text| text.replacen("grace = 0", "grace = 60", 1))?;
            }
            let tab = browser.first_tab();
            let origin = signed_in(stage, &tab).await?;
            let beside = browser.new_tab().await?;
            beside.goto(&format!("{origin}/")).await?;
            wait(&beside, "status", "authenticated").await?;
            match is_answer {
                true => stage.wire()?.lose_answers("POST /token"),
                false => stage.wire()?.lose_requests("POST /token"),
            }
            // The token has run out by the provider's clock, as both tabs hear when they use it.
            stage.control.advance_clock(600).await?;
            for tab in [&tab, &beside] {
                let got = use_token(stage, tab).await?;
                // The answer that there was, or why there is no better one.
                // (Firefox takes an answer that breaks off for a whole one, and a short one: no
                // word about the network.)
                let is_short = is_answer && browser.engine() == Engine::Firefox;
                let is_known = ["401", "issuer_unreachable"].contains(&&*got);
                ensure!(is_known || (is_short && got == "token_response_invalid"), "{got}");
                // Nobody is signed out for it, in any tab.
                if !is_short {
                    wait(tab, "status", "offline").await?;
                }
                wait(tab, "user-name", "Richard Hendricks").await?;
            }
            ensure!(stage.wire()?.lost() > 0, "nothing was lost");
            stage.wire()?.mend();
            for tab in [&tab, &beside] {
                let got = use_token(stage, tab).await?;
                if is_answer && !has_grace {
                    // Without a grace the token that the provider has rotated counts as stolen. So
                    // the session ends in all tabs with its reason, and nothing loops.
                    ensure!(got != "200", "a stolen token was good");
                    wait(tab, "status", "expired").await?;
                    wait(tab, "notice", "invalid_grant").await?;
                } else {
                    ensure!(got == "200", "{got}");
                    wait(tab, "status", "authenticated").await?;
                }
            }
            let is_over = is_answer && !has_grace;
            stage.control.timeline().await?.exactly(usize::from(is_over), "token.replayed")?;
            if is_over {
                // The provider's own session stands: a click needs no password.
                tab.click("sign-in").await?;
                wait(&tab, "status", "authenticated").await?;
            }
            stage.control.timeline().await?.exactly(1, "login.succeeded")
        })?;
    }
    Ok(())
}

#[test]
fn f7_network_killed_in_the_middle_of_a_sign_out() -> Result {
    journey().with_a_wire().go(async |stage, browser| {
        let [pied_piper, hooli] = App::both(stage, browser).await?;
        // It answered when it was asked whether it is there, and is gone then.
        stage.wire()?.lose_requests("GET /end_session");
        hooli.sign_out().await.or_else(or_no_page)?;
        something_is_lost(stage).await?;
        pied_piper.wait_signed_in().await?;
        // (Now the browser itself may try again the page that it could not load, and end it all.)
        stage.wire()?.mend();
        // Signed out here, whichever way the person comes back, and nothing asks by itself.
        let before = stage.control.now().await?;
        for _ in 0..2 {
            hooli.visit("/").await?;
            hooli.wait_signed_out().await?;
            hooli.shows_nothing_private().await?;
        }
        stage.control.timeline_after(before).await?.exactly(0, "authorize.received@hooli")
    })
}

#[test]
fn f2_network_killed_while_a_sign_out_is_told() -> Result {
    journey().with_a_wire().go(async |stage, browser| {
        let [pied_piper, hooli] = App::both(stage, browser).await?;
        for app in [&pied_piper, &hooli] {
            app.mark().await?;
        }
        stage.wire()?.cut();
        let sessions = stage.control.sessions().await?;
        stage.control.end_session(sessions[0]["id"].as_str().unwrap_or_default()).await?;
        for app in [&pied_piper, &hooli] {
            app.wait_status("offline").await?;
        }
        stage.wire()?.mend();
        for app in [&pied_piper, &hooli] {
            // By itself, at the next try: no browser has said that it is online again.
            until_within(LONG_LIMIT, "the end of the session", async || {
                let status = app.status().await?;
                Ok(matches!(status.as_deref(), Some("expired" | "anonymous")).then_some(()))
            })
            .await?;
            app.shows_nothing_private().await?;
            ensure!(app.is_marked().await?, "the page was reloaded");
        }
        Ok(())
    })
}

#[test]
fn rp22_network_killed_while_a_window_is_open() -> Result {
    journey().with_a_wire().go(async |stage, browser| {
        let app = App::of(stage, Client::PiedPiper, browser.first_tab());
        app.visit("/ways").await?;
        app.wait_signed_out().await?;
        app.mark().await?;
        app.tab.click("sign-in-window").await?;
        let window = browser.opened_tab(std::slice::from_ref(&app.tab)).await?;
        let page = SignInPage::wait(window).await?;
        stage.wire()?.lose_requests("POST /token");
        page.submit("richard", PASSWORD).await?;
        app.wait_notice("issuer_unreachable").await?;
        app.wait_signed_out().await?;
        stage.wire()?.mend();
        // The button is there still, and the provider knows the person by now.
        app.tab.click("sign-in-window").await?;
        app.wait_signed_in().await?;
        ensure!(app.is_marked().await?, "the page was left");
        stage.control.timeline().await?.exactly(1, "login.succeeded")
    })
}

/// The app on the provider's own host, where a hidden frame asks; somebody is signed in elsewhere.
async fn beside_the_provider<'a>(stage: &Stage, browser: &'a Browser) -> Result<App<'a>> {
    npm_app::register(stage, "idp", true, false)?;
    let other = App::open(stage, Client::PiedPiper, browser).await?;
    other.sign_in("richard").await?;
    Ok(other)
}

#[test]
fn f1_f17_network_killed_while_a_silent_frame_asks() -> Result {
    journey().with_a_wire().go(async |stage, browser| {
        let other = beside_the_provider(stage, browser).await?;
        let tab = browser.new_tab().await?;
        // The frame is never answered, which signs nobody out. Who asks after it is answered.
        stage.wire()?.keep_waiting("GET /authorize", "GET /nothing");
        npm_app::open_framing(stage, &tab, "idp").await?;
        something_is_lost(stage).await?;
        wait(&tab, "status", "authenticated").await?;
        ensure!(stage.wire()?.lost() == 1, "more was lost than the frame's request");
        stage.wire()?.mend();
        let timeline = stage.control.timeline().await?;
        timeline.exactly(1, "authorize.received@npm-app")?;
        timeline.exactly(1, "login.succeeded")?;
        // Back in time for a sign-out that is told.
        stage.control.wait_for(1, "stream.opened@npm-app").await?;
        other.sign_out().await?;
        wait(&tab, "status", "anonymous").await
    })
}

#[test]
fn f1_f17_network_killed_from_a_silent_frame_on() -> Result {
    journey().with_a_wire().go(async |stage, browser| {
        let other = beside_the_provider(stage, browser).await?;
        let tab = browser.new_tab().await?;
        stage.wire()?.lose_requests("GET /authorize");
        npm_app::open_framing(stage, &tab, "idp").await?;
        something_is_lost(stage).await?;
        // The person does not wait for what comes of it.
        tab.goto(&stage.lobby()).await?;
        stage.wire()?.mend();
        tab.goto(&format!("{}/", stage.site.origin("idp"))).await?;
        until("a page that stands still", async || {
            let status = tab.text("status").await?;
            Ok(matches!(status.as_deref(), Some("anonymous" | "authenticated")).then_some(()))
        })
        .await?;
        if tab.text("status").await?.as_deref() == Some("anonymous") {
            tab.click("sign-in").await?;
        }
        wait(&tab, "status", "authenticated").await?;
        other.wait_signed_in().await?;
        let timeline = stage.control.timeline().await?;
        timeline.exactly(1, "login.succeeded")?;
        timeline.exactly(0, "session.ended")?;
        timeline.exactly(1, "authorize.received@npm-app")
    })
}

#[test]
fn f17_network_killed_while_a_silent_frames_code_is_redeemed() -> Result {
    journey().with_a_wire().go(async |stage, browser| {
        let other = beside_the_provider(stage, browser).await?;
        let tab = browser.new_tab().await?;
        stage.wire()?.lose_requests("POST /token");
        npm_app::open_framing(stage, &tab, "idp").await?;
        something_is_lost(stage).await?;
        wait(&tab, "notice", "issuer_unreachable").await?;
        wait(&tab, "user-name", "").await?;
        stage.wire()?.mend();
        tab.click("sign-in").await?;
        wait(&tab, "status", "authenticated").await?;
        other.wait_signed_in().await?;
        let timeline = stage.control.timeline().await?;
        timeline.exactly(1, "login.succeeded")?;
        timeline.exactly(0, "session.ended")
    })
}

#[test]
fn s15_network_killed_while_one_app_is_left() -> Result {
    for is_answer in [false, true] {
        journey().with_a_wire().go(async |stage, browser| {
            let [pied_piper, hooli] = App::both(stage, browser).await?;
            let beside = App::open_beside(stage, Client::Hooli, browser).await?;
            beside.wait_signed_in().await?;
            match is_answer {
                true => stage.wire()?.lose_answers("POST /revoke"),
                false => stage.wire()?.lose_requests("POST /revoke"),
            }
            hooli.leave().await?;
            for app in [&hooli, &beside] {
                app.wait_signed_out().await?;
                app.shows_nothing_private().await?;
            }
            something_is_lost(stage).await?;
            pied_piper.wait_signed_in().await?;
            stage.wire()?.mend();
            // It stays left, and nothing asks by itself.
            let before = stage.control.now().await?;
            hooli.tab.reload().await?;
            hooli.wait_signed_out().await?;
            stage.control.timeline_after(before).await?.exactly(0, "authorize.received@hooli")?;
            hooli.tab.click("sign-in").await?;
            hooli.wait_signed_in().await?;
            pied_piper.wait_signed_in().await?;
            let timeline = stage.control.timeline().await?;
            timeline.exactly(0, "session.ended")?;
            timeline.exactly(1, "login.succeeded")
        })?;
    }
    Ok(())
}

#[test]
fn f11_network_killed_while_a_session_is_extended() -> Result {
    for is_answer in [false, true] {
        journey().with_a_wire().go(async |stage, browser| {
            // An answer that was lost costs the session where a token is good for once only: F21.
            stage.change_provider(|text| text.replacen("grace = 0", "grace = 60", 1))?;
            let tab = browser.first_tab();
            let origin = open(stage, &tab).await?;
            wait(&tab, "status", "anonymous").await?;
            tab.goto(&format!("{origin}/?onLoad=manual&lifetime=600")).await?;
            wait(&tab, "status", "anonymous").await?;
            tab.click("sign-in").await?;
            SignInPage::wait(tab.clone()).await?.submit("richard", PASSWORD).await?;
            wait(&tab, "status", "authenticated").await?;
            stage.control.advance_clock(300).await?;
            tab.run("return auth.check()", vec![]).await?;
            let left = async |is_meant: &dyn Fn(i64) -> bool| {
                until("the seconds that are left", async || {
                    let left = tab.text("left").await?.and_then(|text| text.parse().ok());
                    Ok(left.filter(|left| is_meant(*left)))
                })
                .await
            };
            left(&|left| (1..=300).contains(&left)).await?;
            match is_answer {
                true => stage.wire()?.lose_answers("POST /token"),
                false => stage.wire()?.lose_requests("POST /token"),
            }
            tab.click("extend").await?;
            wait(&tab, "refused", "issuer_unreachable").await?;
            // Nothing is extended and nothing ends.
            left(&|left| (1..=300).contains(&left)).await?;
            wait(&tab, "user-name", "Richard Hendricks").await?;
            // (Firefox takes an answer that breaks off for a whole one, and a short one.)
            if !is_answer || browser.engine() != Engine::Firefox {
                wait(&tab, "status", "offline").await?;
            }
            stage.wire()?.mend();
            tab.click("extend").await?;
            left(&|left| (501..=600).contains(&left)).await?;
            wait(&tab, "status", "authenticated").await?;
            wait(&tab, "refused", "").await?;
            let timeline = stage.control.timeline().await?;
            timeline.exactly(1, "login.succeeded")?;
            timeline.exactly(1, "authorize.login_page@npm-app")?;
            timeline.exactly(0, "session.ended")
        })?;
    }
    Ok(())
}

#[test]
fn r5_network_killed_before_another_account_is_chosen() -> Result {
    journey().with_a_wire().go(async |stage, browser| {
        let app = App::open(stage, Client::PiedPiper, browser).await?;
        app.sign_in("richard").await?;
        stage.control.wait_for(1, "stream.opened").await?;
        app.mark().await?;
        stage.wire()?.cut();
        app.tab.click("switch-account").await?;
        app.wait_notice("issuer_unreachable").await?;
        // She is who she was.
        ensure!(app.is_marked().await?, "the page was left for a provider that does not answer");
        ensure!(app.user_name().await?.contains("Richard"));
        stage.wire()?.mend();
        switch_to_gavin(&app).await?;
        stage.control.timeline().await?.exactly(2, "login.succeeded")
    })
}

async fn switch_to_gavin(app: &App<'_>) -> Result {
    app.tab.click("switch-account").await?;
    app.tab.click("other-account").await?;
    SignInPage::wait(app.tab.clone()).await?.submit("gavin", PASSWORD).await?;
    app.wait_signed_in().await?;
    ensure!(app.user_name().await?.contains("Gavin"));
    ensure!(!app.tab.words().await?.contains("Richard"), "the first person is still shown");
    app.has_clean_address().await
}

#[test]
fn r5_network_killed_while_the_other_accounts_code_is_redeemed() -> Result {
    journey().with_a_wire().go(async |stage, browser| {
        let app = App::open(stage, Client::PiedPiper, browser).await?;
        app.sign_in("richard").await?;
        app.tab.click("switch-account").await?;
        app.tab.click("other-account").await?;
        let page = SignInPage::wait(app.tab.clone()).await?;
        stage.wire()?.lose_requests("POST /token");
        page.submit("gavin", PASSWORD).await?;
        app.wait_notice("issuer_unreachable").await?;
        // Neither of both is shown: the one has gone, the other is not there yet.
        app.shows_nothing_private().await?;
        app.has_clean_address().await?;
        something_is_lost(stage).await?;
        stage.wire()?.mend();
        app.tab.click("sign-in").await?;
        app.wait_signed_in().await?;
        ensure!(app.user_name().await?.contains("Gavin"));
        stage.control.timeline().await?.exactly(2, "login.succeeded")
    })
}

#[test]
fn oidcc_3rd_party_init_login_network_killed_on_its_way() -> Result {
    for lost in ["GET /.well-known/openid-configuration", "POST /token"] {
        journey().with_a_wire().go(async |stage, browser| {
            let origin = stage.site.origin(GUEST_HOST);
            let door = format!("{origin}/?onLoad=manual");
            stage.change_provider(|text| {
                let id = "id = \"npm-app\"\n";
                text.replacen(id, &format!("{id}initiate_login_uri = \"{door}\"\n"), 1)
            })?;
            let other = App::open(stage, Client::PiedPiper, browser).await?;
            other.sign_in("richard").await?;
            let before = browser.new_tab().await?;
            open(stage, &before).await?;
            wait(&before, "status", "authenticated").await?;
            // Nobody is to be there whom the page could ask instead of the provider.
            before.close().await?;
            let tab = browser.new_tab().await?;
            tab.goto(&stage.issuer()).await?;
            stage.wire()?.lose_requests(lost);
            tab.click("open-npm-app").await?;
            wait(&tab, "notice", "issuer_unreachable").await?;
            wait(&tab, "user-name", "").await?;
            something_is_lost(stage).await?;
            stage.wire()?.mend();
            // The button is there, and the provider knows the person.
            tab.click("sign-in").await?;
            wait(&tab, "status", "authenticated").await?;
            wait(&tab, "user-name", "Richard Hendricks").await?;
            other.wait_signed_in().await?;
            let timeline = stage.control.timeline().await?;
            timeline.exactly(1, "login.succeeded")?;
            timeline.exactly(0, "session.ended")
        })?;
    }
    Ok(())
}

#[test]
fn f12_network_killed_while_a_kept_session_starts() -> Result {
    journey().with_a_wire().go(async |stage, _| {
        let world = gatepass_tests::world::World::of_this_run()?;
        let flavour =
            Flavour { profile: Some(7), trusts_demo: world.needs_tls(), ..Flavour::default() };
        let first = Browser::start(world, flavour).await?;
        let tab = first.first_tab();
        let address = signed_in_with(stage, &tab, "local").await?;
        first.quit().await?;
        stage.wire()?.cut();
        let second = Browser::start(world, flavour).await?;
        let tab = second.first_tab();
        tab.goto(&address).await?;
        // On Monday, in the train: who it was is known, whether it still stands is not.
        let shown = async {
            wait(&tab, "status", "offline").await?;
            stage.wire()?.mend();
            tab.run("dispatchEvent(new Event('online'))", vec![]).await?;
            wait(&tab, "status", "authenticated").await
        };
        let shown = shown.await;
        second.quit().await?;
        shown?;
        stage.control.timeline().await?.exactly(1, "login.succeeded")
    })
}
