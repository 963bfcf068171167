//! The ways in which an app can find out who is signed in (F17), as the demo's page shows them.

use anyhow::ensure;
use gatepass_tests::npm_app;
use gatepass_tests::pages::{App, SignInPage};
use gatepass_tests::stage::PASSWORD;
use gatepass_tests::timeline::Step;
use gatepass_tests::world::World;
use gatepass_tests::{Browser, Client, Result, Stage, journey, until};

/// Hooli's page about the ways, in a new tab, while the person is signed in at Pied Piper.
async fn signed_in_elsewhere<'a>(
    stage: &Stage,
    browser: &'a Browser,
) -> Result<(App<'a>, App<'a>)> {
    let other = App::open(stage, Client::PiedPiper, browser).await?;
    other.sign_in("richard").await?;
    let app = App::of(stage, Client::Hooli, browser.new_tab().await?);
    app.visit("/ways").await?;
    app.wait_signed_out().await?;
    Ok((other, app))
}

/// Nothing is shown that looks like a fault, and the way in is there.
async fn is_calm(app: &App<'_>) -> Result {
    app.wait_signed_out().await?;
    ensure!(app.tab.text("notice").await?.is_none(), "a notice is shown");
    app.has_clean_address().await
}

#[test]
fn f17_s7_auto_signs_in_by_one_redirect_that_nobody_sees() -> Result {
    journey().go(async |stage, browser| {
        let (_other, app) = signed_in_elsewhere(stage, browser).await?;
        stage.control.timeline().await?.exactly(0, "authorize.received@hooli")?;
        app.tab.click("way-auto").await?;
        app.wait_signed_in().await?;
        ensure!(app.tab.address().await?.ends_with("/ways?ask=auto"), "the way back was lost");
        let timeline = stage.control.timeline().await?;
        timeline.exactly(1, "authorize.received@hooli")?;
        timeline.exactly(1, "login.succeeded")
    })
}

#[test]
fn f17_a_click_takes_the_place_of_a_redirect_that_nobody_clicked_for() -> Result {
    journey().with_a_wire().go(async |stage, browser| {
        let origin = npm_app::open(stage, &browser.first_tab()).await?;
        npm_app::wait(&browser.first_tab(), "status", "anonymous").await?;
        // The redirect of a new tab does not get there. The click's does, and needs nothing before.
        let tab = browser.new_tab().await?;
        stage.wire()?.keep_waiting("GET /authorize", "GET /.well-known/openid-configuration");
        tab.goto(&format!("{origin}/?clickAfter=1500")).await?;
        let page = SignInPage::wait(tab.clone()).await?;
        ensure!(stage.wire()?.lost() == 1, "not one redirect was lost, and nothing else");
        stage.wire()?.mend();
        page.submit("richard", PASSWORD).await?;
        npm_app::wait(&tab, "status", "authenticated").await?;
        let timeline = stage.control.timeline().await?;
        timeline.exactly(2, "authorize.received@npm-app")?;
        timeline.exactly(1, "login.succeeded")
    })
}

#[test]
fn f17_probe_never_leaves_the_page() -> Result {
    journey().go(async |stage, browser| {
        let (other, app) = signed_in_elsewhere(stage, browser).await?;
        app.tab.click("way-probe").await?;
        until("the page that asks in a frame", async || {
            Ok(app.tab.address().await?.ends_with("/ways?ask=probe").then_some(()))
        })
        .await?;
        app.mark().await?;
        match World::of_this_run()? {
            world if world.frames_get_cookies() => {
                app.wait_signed_in().await?;
                ensure!(app.user_name().await?.contains("Richard"));
                stage.control.wait_for(1, "stream.opened@hooli").await?;
                // A session like any other: a sign-out elsewhere reaches it.
                other.sign_out().await?;
                app.wait_notice("logout_token").await?;
                ensure!(app.is_marked().await?, "the page was left");
                only_a_frame_has_asked(stage).await?;
            }
            _ => {
                stage.control.wait_for(1, "authorize.error@hooli").await?;
                is_calm(&app).await?;
                ensure!(app.is_marked().await?, "the page was left");
                only_a_frame_has_asked(stage).await?;
                // It says nothing about the person, who is signed in.
                app.tab.click("sign-in").await?;
                app.wait_signed_in().await?;
                other.wait_signed_in().await?;
                stage.control.timeline().await?.exactly(1, "login.succeeded")?;
            }
        }
        Ok(())
    })
}

/// Hooli has asked the provider, and each time the way back was its page for frames.
async fn only_a_frame_has_asked(stage: &Stage) -> Result {
    let timeline = stage.control.timeline().await?;
    let mut asked = timeline.0.iter().filter(|step| step.is("authorize.received@hooli")).peekable();
    ensure!(asked.peek().is_some(), "no frame was opened:\n{timeline}");
    let is_silent = |step: &Step| {
        let uri = step.received("redirect_uri").unwrap_or_default();
        uri.ends_with("/gatepass-silent.html")
    };
    ensure!(asked.all(is_silent), "not in a frame:\n{timeline}");
    Ok(())
}

#[test]
fn f17_probe_of_a_stranger_shows_the_button_and_no_fault() -> Result {
    journey().go(async |stage, browser| {
        let app = App::of(stage, Client::PiedPiper, browser.first_tab());
        for _ in 0..2 {
            app.visit("/ways?ask=probe").await?;
            is_calm(&app).await?;
        }
        stage.control.wait_for(2, "authorize.error@pied-piper").await?;
        is_calm(&app).await?;
        stage.control.timeline().await?.exactly(0, "authorize.login_page")
    })
}

#[test]
fn f17_manual_asks_nobody_before_the_click_which_needs_no_password() -> Result {
    journey().go(async |stage, browser| {
        let (_other, app) = signed_in_elsewhere(stage, browser).await?;
        app.tab.click("way-manual").await?;
        app.tab.wait_text("way-manual").await?;
        is_calm(&app).await?;
        stage.control.timeline().await?.exactly(0, "authorize.received@hooli")?;
        app.tab.click("sign-in").await?;
        app.wait_signed_in().await?;
        ensure!(app.tab.address().await?.ends_with("/ways?ask=manual"), "the way back was lost");
        stage.control.timeline().await?.exactly(1, "login.succeeded")
    })
}

#[test]
fn f17_manual_of_a_stranger_ends_at_the_sign_in_page() -> Result {
    journey().go(async |stage, browser| {
        let app = App::of(stage, Client::Hooli, browser.first_tab());
        app.visit("/ways").await?;
        is_calm(&app).await?;
        app.tab.click("sign-in").await?;
        SignInPage::wait(app.tab.clone()).await?.submit("gavin", PASSWORD).await?;
        app.wait_signed_in().await
    })
}

/// What else a provider answers to `prompt=none` that lets nobody in (OIDC Core 3.1.2.6); that nobody is
/// signed in (`login_required`) is what most journeys begin with.
const OTHER_ANSWERS: [&str; 3] =
    ["interaction_required", "consent_required", "account_selection_required"];

#[test]
fn f17_s7_whatever_is_answered_to_a_silent_question_is_told_once_and_a_click_goes_on() -> Result {
    for code in OTHER_ANSWERS {
        journey().go(async |stage, browser| {
            let scenario = format!("authorization-response-error-{}", code.replace('_', "-"));
            for client in ["hooli", "npm-app"] {
                stage.control.tell_scenario(&scenario, client).await?;
            }
            App::open(stage, Client::PiedPiper, browser).await?.sign_in("richard").await?;
            // What a person sees is the button, which says it all.
            let app = App::open_beside(stage, Client::Hooli, browser).await?;
            is_calm(&app).await?;
            app.shows_nothing_private().await?;
            // What the app gets says why.
            let guest = browser.new_tab().await?;
            npm_app::open(stage, &guest).await?;
            npm_app::wait(&guest, "notice", code).await?;
            npm_app::wait(&guest, "status", "anonymous").await?;
            let ask = "const [done] = arguments; auth.diagnose().then((found) => done(found))";
            let told = guest.run_async(ask, vec![]).await?;
            let last = told["client"]["errors"].as_array().and_then(|errors| errors.last());
            ensure!(last.is_some_and(|error| error["code"] == code), "{told}");

            // Now the provider would let her in, and nobody asks it before she clicks.
            stage.control.forget_scenario(&scenario).await?;
            for _ in 0..2 {
                app.tab.reload().await?;
                is_calm(&app).await?;
            }
            let timeline = stage.control.timeline().await?;
            timeline.exactly(1, "scenario.broke@hooli")?;
            timeline.exactly(0, "authorize.received@hooli")?;
            app.tab.click("sign-in").await?;
            app.wait_signed_in().await?;
            stage.control.timeline().await?.exactly(1, "login.succeeded")?;
            // And with that it may ask by itself again.
            app.tab.reload().await?;
            app.wait_signed_in().await?;
            stage.control.timeline().await?.exactly(2, "authorize.received@hooli")
        })?;
    }
    Ok(())
}

#[test]
fn another_account_is_chosen_at_the_provider_and_told_once() -> Result {
    journey().go(async |stage, browser| {
        let app = App::open(stage, Client::PiedPiper, browser).await?;
        app.sign_in("richard").await?;
        app.tab.click("switch-account").await?;
        app.tab.click("other-account").await?;
        SignInPage::wait(app.tab.clone()).await?.submit("gavin", PASSWORD).await?;
        app.wait_signed_in().await?;
        app.wait_notice("user_changed").await?;
        ensure!(app.user_name().await?.contains("Gavin"));
        ensure!(!app.tab.words().await?.contains("Richard"), "the first person is still shown");
        app.has_clean_address().await
    })
}

#[test]
fn rp22_a_window_signs_in_and_the_page_stays() -> Result {
    journey().go(async |stage, browser| {
        let app = App::of(stage, Client::PiedPiper, browser.first_tab());
        app.visit("/ways").await?;
        app.wait_signed_out().await?;
        app.mark().await?;
        app.tab.click("sign-in-window").await?;
        let window = browser.opened_tab(std::slice::from_ref(&app.tab)).await?;
        SignInPage::wait(window).await?.submit("richard", PASSWORD).await?;
        app.wait_signed_in().await?;
        ensure!(app.is_marked().await?, "the page was left");
        app.has_clean_address().await?;
        // It has closed itself.
        until(
            "the window is closed",
            async || Ok((browser.tabs().await?.len() == 1).then_some(())),
        )
        .await?;
        stage.control.wait_for(1, "stream.opened@pied-piper").await?;
        app.sign_out().await?;
        app.wait_signed_out().await
    })
}

#[test]
fn rp22_a_window_asks_nobody_who_is_known() -> Result {
    journey().go(async |stage, browser| {
        let other = App::of(stage, Client::PiedPiper, browser.new_tab().await?);
        other.visit("/").await?;
        other.sign_in("richard").await?;
        // In the first tab: WebKit opens no window for a page that its driver has opened.
        let app = App::of(stage, Client::Hooli, browser.first_tab());
        app.visit("/ways").await?;
        app.wait_signed_out().await?;
        app.tab.click("sign-in-window").await?;
        app.wait_signed_in().await?;
        stage.control.timeline().await?.exactly(1, "login.succeeded")?;
        // A session like any other: a sign-out elsewhere reaches it.
        stage.control.wait_for(1, "stream.opened@hooli").await?;
        other.sign_out().await?;
        app.wait_notice("logout_token").await.map(drop)
    })
}

#[test]
fn rp22_a_window_that_was_closed_is_opened_again() -> Result {
    journey().go(async |stage, browser| {
        let app = App::of(stage, Client::PiedPiper, browser.first_tab());
        app.visit("/ways").await?;
        app.wait_signed_out().await?;
        app.tab.click("sign-in-window").await?;
        let window = browser.opened_tab(std::slice::from_ref(&app.tab)).await?;
        SignInPage::wait(window.clone()).await?;
        window.close().await?;
        is_calm(&app).await?;
        app.tab.click("sign-in-window").await?;
        let window = browser.opened_tab(std::slice::from_ref(&app.tab)).await?;
        SignInPage::wait(window).await?.submit("richard", PASSWORD).await?;
        app.wait_signed_in().await
    })
}

/// Whether the frame that an app opens saw the provider's cookie, by what the provider was asked.
async fn frame_sees(stage: &Stage, app: &App<'_>) -> Result<bool> {
    let before = stage.control.now().await?;
    app.visit("/ways?ask=probe").await?;
    let id = app.client().id();
    until("what the frame was answered", async || {
        let since = stage.control.timeline_after(before).await?;
        let is_known = since.count(&format!("session.reused@{id}")) > 0;
        let is_unknown = since.count(&format!("authorize.error@{id}")) > 0;
        Ok((is_known || is_unknown).then_some(is_known))
    })
    .await
}

/// Firefox as it is shipped opens a site's frames to the provider where the person has clicked through
/// its page, and only there: not where a script did it for her, nor at a second site that she reached
/// without the provider's page. So what a probe has shown at one site says nothing about another.
#[test]
fn f17_c9_a_frame_sees_what_a_persons_click_has_opened_and_not_a_scripts() -> Result {
    let world = World::of_this_run()?;
    for is_person in [true, false] {
        journey().go(async |stage, browser| {
            let app = App::open(stage, Client::PiedPiper, browser).await?;
            if is_person {
                app.sign_in("richard").await?;
            } else {
                app.wait_signed_out().await?;
                let click = "document.querySelector(`[data-testid=${arguments[0]}]`).click()";
                app.tab.run(click, vec!["sign-in".into()]).await?;
                SignInPage::wait(app.tab.clone()).await?;
                let submit = "const find = (id) => document.querySelector(`[data-testid=${id}]`);\
                    find('username').value = arguments[0];\
                    find('password').value = arguments[1];\
                    find('submit').click()";
                app.tab.run(submit, vec!["richard".into(), PASSWORD.into()]).await?;
                app.wait_signed_in().await?;
            }
            let sees = frame_sees(stage, &app).await?;
            let is_opened = world.frames_get_cookies() || (world.opens_on_click() && is_person);
            ensure!(sees == is_opened, "by a person: {is_person}; the frame sees it: {sees}");
            let second = App::of(stage, Client::Hooli, browser.new_tab().await?);
            let sees = frame_sees(stage, &second).await?;
            ensure!(sees == world.frames_get_cookies(), "at the second site it sees it: {sees}");
            // Whatever it sees, nobody is signed out by it, and a click signs in.
            if !sees {
                is_calm(&second).await?;
                second.tab.click("sign-in").await?;
            }
            second.wait_signed_in().await?;
            stage.control.timeline().await?.exactly(1, "login.succeeded")
        })?;
    }
    Ok(())
}
