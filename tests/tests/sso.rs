//! Signing in once, and being signed in at the other site.

use anyhow::{Context, ensure};
use gatepass_tests::engine::Ability;
use gatepass_tests::pages::{App, SignInPage, idp};
use gatepass_tests::{Client, Result, journey, until};

#[test]
fn f1_s1_s2_one_password_for_two_sites() -> Result {
    journey().go(async |stage, browser| {
        let pied_piper = App::open(stage, Client::PiedPiper, browser).await?;
        pied_piper.sign_in("richard").await?;
        ensure!(pied_piper.user_name().await?.contains("Richard Hendricks"));

        let hooli = App::open_beside(stage, Client::Hooli, browser).await?;
        hooli.wait_signed_in().await?;
        ensure!(hooli.user_name().await?.contains("Richard Hendricks"));
        hooli.has_clean_address().await?;

        // S1: within a site the person moves freely.
        pied_piper.visit("/private").await?;
        pied_piper.wait_signed_in().await?;
        pied_piper.tab.wait_text("protected-content").await?;

        let timeline = stage.control.timeline().await?;
        timeline.exactly(1, "authorize.login_page")?;
        timeline.exactly(1, "login.submitted")?;
        timeline.exactly(1, "session.started")?;
        timeline.exactly(0, "authorize.login_page@hooli")?;
        timeline.in_order(&["session.started", "session.reused@hooli", "token.issued@hooli"])
    })
}

#[test]
fn f1_the_other_way_round_too() -> Result {
    journey().go(async |stage, browser| {
        App::open(stage, Client::Hooli, browser).await?.sign_in("gavin@hooli.example").await?;
        let pied_piper = App::open_beside(stage, Client::PiedPiper, browser).await?;
        pied_piper.wait_signed_in().await?;
        ensure!(pied_piper.user_name().await?.contains("Gavin Belson"));
        stage.control.timeline().await?.exactly(1, "authorize.login_page")
    })
}

#[test]
fn f6_d3_sign_in_goes_through_the_published_steps() -> Result {
    journey().go(async |stage, browser| {
        let pied_piper = App::open(stage, Client::PiedPiper, browser).await?;
        pied_piper.wait_signed_out().await?;
        // The home page without a session has asked once and was told that nobody is signed in.
        let asked = stage.control.timeline().await?;
        asked.in_order(&["authorize.received@pied-piper", "authorize.error@pied-piper"])?;
        ensure!(asked.first("authorize.received")?.received("prompt") == Some("none"));
        ensure!(asked.first("authorize.error")?.received("error") == Some("login_required"));
        asked.exactly(1, "authorize.received")?;

        pied_piper.sign_in("richard").await?;
        let hooli = App::open_beside(stage, Client::Hooli, browser).await?;
        hooli.wait_signed_in().await?;
        let timeline = stage.control.timeline().await?;
        timeline.in_order(&[
            "authorize.received@pied-piper",
            "authorize.login_page@pied-piper",
            "login.submitted",
            "login.succeeded",
            "session.started",
            "session.joined@pied-piper",
            "code.issued@pied-piper",
            "token.received@pied-piper",
            "token.issued@pied-piper",
            "authorize.received@hooli",
            "session.reused@hooli",
            "code.issued@hooli",
            "token.received@hooli",
            "token.issued@hooli",
        ])?;
        timeline.exactly(2, "authorize.received@pied-piper")?;
        timeline.exactly(1, "authorize.received@hooli")?;
        timeline.exactly(2, "code.issued")?;
        // Each app knows the session by a name of its own, or both by one; both have one.
        for client in ["pied-piper", "hooli"] {
            let joined = timeline.first(&format!("session.joined@{client}"))?;
            ensure!(joined.sid.as_deref().is_some_and(|sid| !sid.is_empty()), "{joined}");
        }
        Ok(())
    })
}

#[test]
fn f14_a_user_who_is_not_assigned_gets_a_page_and_no_loop() -> Result {
    journey().go(async |stage, browser| {
        App::open(stage, Client::PiedPiper, browser).await?.sign_in("dinesh").await?;
        let hooli = App::open_beside(stage, Client::Hooli, browser).await?;
        // The automatic check ends at the app: no page of the provider may appear unasked.
        hooli.wait_signed_out().await?;
        hooli.shows_nothing_private().await?;
        stage.control.timeline().await?.exactly(1, "authorize.received@hooli")?;

        hooli.tab.click("sign-in").await?;
        let words = idp::wait_error(stage, &hooli.tab).await?;
        ensure!(!words.is_empty());
        hooli.tab.click("back-to-app").await?;
        hooli.wait_notice("access_denied").await?;
        hooli.wait_signed_out().await?;
        hooli.shows_nothing_private().await?;
        hooli.has_clean_address().await?;

        let timeline = stage.control.timeline().await?;
        timeline.exactly(2, "authorize.received@hooli")?;
        timeline.exactly(0, "code.issued@hooli")?;
        ensure!(timeline.count("authorize.not_assigned@hooli") >= 1, "{timeline}");
        Ok(())
    })
}

#[test]
fn f17_a_click_signs_in_without_a_password() -> Result {
    journey().go(async |stage, browser| {
        App::open(stage, Client::PiedPiper, browser).await?.sign_in("richard").await?;
        // The public page does not ask by itself.
        let hooli = App::of(stage, Client::Hooli, browser.new_tab().await?);
        hooli.visit("/public").await?;
        hooli.wait_signed_out().await?;
        stage.control.timeline().await?.exactly(0, "authorize.received@hooli")?;

        hooli.tab.click("sign-in").await?;
        hooli.wait_signed_in().await?;
        ensure!(hooli.tab.address().await? == format!("{}/public", hooli.origin()));
        let timeline = stage.control.timeline().await?;
        timeline.exactly(1, "authorize.login_page")?;
        timeline.exactly(1, "authorize.received@hooli")
    })
}

#[test]
fn f19_c9_no_cookie_crosses_from_site_to_site() -> Result {
    journey().go(async |stage, browser| {
        let pied_piper = App::open(stage, Client::PiedPiper, browser).await?;
        pied_piper.sign_in("richard").await?;
        let hooli = App::open_beside(stage, Client::Hooli, browser).await?;
        hooli.wait_signed_in().await?;
        hooli.sign_out().await?;
        hooli.wait_signed_out().await?;
        pied_piper.wait_signed_out().await?;

        let requests = browser.requests().await?;
        let mut with_cookies = 0;
        for request in &requests {
            if request.headers.contains_key("cookie") {
                with_cookies += 1;
                let at = format!("{} {}", request.method, request.path());
                ensure!(request.host() == "idp.localhost", "a cookie was sent to {at}");
                // To the provider they go with a navigation of the person and from its own pages,
                // never with a call of an app's script.
                let is_own = request.document.starts_with(&stage.issuer());
                let is_page = request.kind == "Document";
                ensure!(is_page || is_own, "a cookie went with a {} {at}", request.kind);
            }
            if request.answer.contains_key("set-cookie") {
                ensure!(request.host() == "idp.localhost", "{} sets a cookie", request.path());
            }
        }
        // Otherwise the log has not seen what it must see.
        ensure!(with_cookies > 0, "no request had a cookie, not even the provider's own");
        for cookie in browser.cookies().await? {
            ensure!(cookie["domain"] == "idp.localhost", "a cookie of {}", cookie["domain"]);
            // One is for a frame's script, and says nothing about the person.
            let name = cookie["name"].as_str().unwrap_or_default();
            let is_out_of_reach = cookie["httpOnly"] == true || name.starts_with("__Host-state-");
            ensure!(is_out_of_reach && cookie["secure"] == true, "{cookie}");
        }
        Ok(())
    })
}

#[test]
fn f19_two_providers_on_one_host_keep_apart() -> Result {
    // Cookies ignore ports: two stages share the hosts and differ by ports only.
    journey().go(async |stage, browser| {
        let other = gatepass_tests::Stage::start().await?;
        let here = App::open(stage, Client::PiedPiper, browser).await?;
        here.sign_in("richard").await?;
        let there = App::open_beside(&other, Client::PiedPiper, browser).await?;
        there.wait_signed_out().await?;
        there.sign_in("gavin").await?;
        ensure!(there.user_name().await?.contains("Gavin"));

        here.mark().await?;
        there.sign_out().await?;
        there.wait_signed_out().await?;
        other.control.wait_for(1, "session.ended").await?;
        // Neither the app nor the provider beside it has lost anything.
        ensure!(here.is_marked().await?);
        here.wait_signed_in().await?;
        ensure!(here.user_name().await?.contains("Richard"));
        let hooli = App::open_beside(stage, Client::Hooli, browser).await?;
        hooli.wait_signed_in().await?;
        stage.control.timeline().await?.exactly(0, "session.ended")
    })
}

#[test]
fn s10_a_public_page_never_redirects_by_itself() -> Result {
    journey().with_a_wire().go(async |stage, browser| {
        let app = App::of(stage, Client::Hooli, browser.first_tab());
        app.visit("/public").await?;
        app.wait_signed_out().await?;
        app.tab.reload().await?;
        app.wait_signed_out().await?;
        stage.control.timeline().await?.exactly(0, "authorize.received")?;
        let asked = || -> Result<usize> {
            let requests = stage.wire()?.requests();
            Ok(requests.iter().filter(|request| request.path().contains("/authorize")).count())
        };
        ensure!(asked()? == 0, "{} requests to authorize", asked()?);
        // Otherwise the wire does not see what it must see.
        app.tab.click("sign-in").await?;
        SignInPage::wait(app.tab.clone()).await?;
        ensure!(asked()? == 1, "{} requests to authorize after a click", asked()?);
        Ok(())
    })
}

#[test]
fn a_protected_page_brings_the_person_back_there() -> Result {
    journey().go(async |stage, browser| {
        let app = App::of(stage, Client::PiedPiper, browser.first_tab());
        app.visit("/private?tab=2#part").await?;
        app.wait_signed_out().await?;
        app.shows_nothing_private().await?;
        app.sign_in("richard").await?;
        app.tab.wait_text("protected-content").await?;
        let address = app.tab.address().await?;
        ensure!(address == format!("{}/private?tab=2#part", app.origin()), "{address}");
        Ok(())
    })
}

/// Addresses of the app that would lead out of it, if they were taken for addresses of their own.
const HOSTILE_PATHS: [&str; 13] = [
    "//evil.localhost/",
    "//evil.localhost:8081/%2e%2e",
    "/\\evil.localhost/",
    "/\\/evil.localhost/",
    "/%2F%2Fevil.localhost/",
    "/%09/evil.localhost/",
    "/public/..//evil.localhost/",
    "///evil.localhost/",
    "/@evil.localhost/",
    "/.evil.localhost/",
    "/javascript:alert(1)",
    "/?return_to=https://evil.localhost/&returnTo=//evil.localhost/&next=//evil.localhost/",
    "/private?next=//evil.localhost/#//evil.localhost/",
];

#[test]
fn rp7_d13_a_return_path_never_leads_out_of_the_app() -> Result {
    // A few at a time: the breaker would stop the tenth automatic redirect in a minute.
    for paths in HOSTILE_PATHS.chunks(7) {
        journey().go(async |stage, browser| {
            let app = App::open(stage, Client::PiedPiper, browser).await?;
            app.sign_in("richard").await?;
            for path in paths {
                let before = stage.control.timeline().await?.count("authorize.received");
                let step = async {
                    // A page that is loaded anew asks the provider and is brought back where it
                    // was.
                    app.visit(path).await?;
                    app.wait_signed_in().await?;
                    app.has_clean_address().await
                };
                step.await.with_context(|| format!("return path {path}"))?;
                let asked = stage.control.timeline().await?.count("authorize.received") - before;
                ensure!(asked == 1, "return path {path}: {asked} requests to authorize");
            }
            if browser.can(Ability::Requests)? {
                let requests = browser.requests().await?;
                let out = requests.iter().find(|request| request.host().contains("evil"));
                ensure!(out.is_none(), "led to {}", out.map_or("", |found| found.path()));
            }
            // The provider was told a return address of the app each time, and nothing else.
            for step in &stage.control.timeline().await?.0 {
                if let Some(uri) = step.received("redirect_uri") {
                    ensure!(uri == format!("{}/", app.origin()), "{step}");
                }
            }
            Ok(())
        })?;
    }
    Ok(())
}

#[test]
fn d13_a_click_on_a_protected_page_returns_there() -> Result {
    journey().go(async |stage, browser| {
        let app = App::open(stage, Client::PiedPiper, browser).await?;
        app.sign_in("richard").await?;
        app.leave().await?;
        app.wait_signed_out().await?;
        let path = "/private?next=//evil.localhost/#//evil.localhost/";
        app.visit(path).await?;
        app.wait_signed_out().await?;
        app.tab.click("sign-in").await?;
        app.wait_signed_in().await?;
        let address = app.tab.address().await?;
        ensure!(address == format!("{}{path}", app.origin()), "{address}");
        Ok(())
    })
}

#[test]
fn a_callback_that_nobody_asked_for_changes_nothing() -> Result {
    journey().go(async |stage, browser| {
        let app = App::of(stage, Client::Hooli, browser.first_tab());
        for query in [
            "/?code=abc&state=def",
            "/?error=access_denied&state=def",
            "/?error=%3Cimg+src%3Dx+onerror%3Dalert(1)%3E&error_description=%3Cb%3Ehi&state=x",
        ] {
            app.visit(query).await?;
            app.wait_signed_out().await?;
            app.shows_nothing_private().await?;
        }
        let timeline = stage.control.timeline().await?;
        timeline.exactly(0, "token.received")?;
        ensure!(timeline.count("authorize.received") <= 3, "{timeline}");
        Ok(())
    })
}

#[test]
fn reloading_signs_in_again_by_one_redirect() -> Result {
    journey().go(async |stage, browser| {
        let app = App::open(stage, Client::PiedPiper, browser).await?;
        app.sign_in("richard").await?;
        for round in 1..=3 {
            let before = stage.control.timeline().await?.count("authorize.received");
            app.mark().await?;
            app.tab.reload().await?;
            until("the reloaded page", async || {
                Ok((!app.is_marked().await? && app.status().await?.is_some()).then_some(()))
            })
            .await?;
            app.wait_signed_in().await?;
            app.has_clean_address().await?;
            let timeline = stage.control.timeline().await?;
            let asked = timeline.count("authorize.received") - before;
            ensure!(asked == 1, "reload {round} asked the provider {asked} times:\n{timeline}");
            ensure!(timeline.last("authorize.received")?.received("prompt") == Some("none"));
        }
        stage.control.timeline().await?.exactly(1, "authorize.login_page")
    })
}
