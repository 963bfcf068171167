//! What the person sees, and which code the app gets, when something goes wrong; and that nothing
//! loops.

use anyhow::ensure;
use gatepass_tests::engine::Ability;
use gatepass_tests::pages::{App, SignInPage, idp};
use gatepass_tests::stage::PASSWORD;
use gatepass_tests::{Browser, Client, LONG_LIMIT, Result, Stage, journey, until, until_within};
use serde_json::json;

/// The app at the moment before the callback: the person has signed in at the provider, and the
/// address that brings her back is known but not yet gone to.
async fn before_callback<'a>(
    stage: &Stage,
    client: Client,
    browser: &'a Browser,
) -> Result<(App<'a>, String)> {
    let app = App::open(stage, client, browser).await?;
    app.wait_signed_out().await?;
    app.tab.click("sign-in").await?;
    let page = SignInPage::wait(app.tab.clone()).await?;
    let callback = page.submit_outside(stage, "richard").await?;
    Ok((app, callback))
}

#[test]
fn a_wrong_password_is_told_and_the_right_one_works_after() -> Result {
    journey().go(async |stage, browser| {
        let app = App::open(stage, Client::PiedPiper, browser).await?;
        app.wait_signed_out().await?;
        app.tab.click("sign-in").await?;
        let page = SignInPage::wait(app.tab.clone()).await?;
        page.submit("richard", "wrong-password-1").await?;
        ensure!(!page.error().await?.is_empty());
        let address = app.tab.address().await?;
        ensure!(address.starts_with(&stage.issuer()) && !address.contains("wrong-password"));
        ensure!(!app.tab.source().await?.contains("wrong-password-1"), "the page echoes it");

        // A user that does not exist gets the same words (no enumeration).
        let known = page.error().await?;
        page.submit("nobody", "wrong-password-2").await?;
        stage.control.wait_for(2, "login.failed").await?;
        ensure!(page.error().await? == known);

        page.submit("richard", PASSWORD).await?;
        app.wait_signed_in().await?;
        let timeline = stage.control.timeline().await?;
        timeline.exactly(2, "login.failed")?;
        timeline.exactly(1, "login.succeeded")?;
        timeline.exactly(1, "session.started")
    })
}

#[test]
fn cancel_brings_the_person_back_with_access_denied() -> Result {
    journey().go(async |stage, browser| {
        let app = App::open(stage, Client::Hooli, browser).await?;
        app.wait_signed_out().await?;
        app.tab.click("sign-in").await?;
        SignInPage::wait(app.tab.clone()).await?.cancel().await?;
        app.wait_notice("access_denied").await?;
        app.wait_signed_out().await?;
        app.has_clean_address().await?;
        let timeline = stage.control.timeline().await?;
        timeline.exactly(1, "authorize.cancelled@hooli")?;
        timeline.exactly(0, "token.received")?;
        timeline.exactly(2, "authorize.received@hooli")?;
        // The person may change her mind.
        app.sign_in("gavin").await
    })
}

#[test]
fn an_unregistered_redirect_uri_ends_at_the_provider() -> Result {
    journey().go(async |stage, browser| {
        let tab = browser.first_tab();
        let home = format!("{}/", stage.origin(Client::PiedPiper));
        for redirect_uri in [
            "http://evil.localhost:9999/".to_owned(),
            format!("{home}callback"),
            home.trim_end_matches('/').to_owned(),
            format!("{home}?next=1"),
            // The other scheme than the demo's.
            match home.strip_prefix("https:") {
                Some(rest) => format!("http:{rest}"),
                None => home.replacen("http:", "https:", 1),
            },
        ] {
            let address = format!(
                "{}/authorize?response_type=code&client_id=pied-piper&scope=openid&state=s&nonce=n\
                 &code_challenge=E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM\
                 &code_challenge_method=S256&prompt=none&redirect_uri={redirect_uri}",
                stage.issuer()
            );
            tab.goto(&address).await?;
            ensure!(!idp::wait_error(stage, &tab).await?.is_empty());
        }
        let timeline = stage.control.timeline().await?;
        timeline.exactly(5, "authorize.refused")?;
        timeline.exactly(0, "authorize.error")?;
        if browser.can(Ability::Requests)? {
            let left = browser.requests().await?;
            ensure!(left.iter().all(|request| request.host() == "idp.localhost"));
        }
        Ok(())
    })
}

#[test]
fn a_callback_opened_again_is_no_error() -> Result {
    journey().go(async |stage, browser| {
        let (app, callback) = before_callback(stage, Client::PiedPiper, browser).await?;
        app.tab.goto(&callback).await?;
        app.wait_signed_in().await?;
        app.has_clean_address().await?;
        // The browser holds no cookie of the provider here (the form was sent from outside), so the
        // ladder ends at the bottom; what matters is that the code is not sent twice.
        app.tab.goto(&callback).await?;
        app.wait_signed_out().await?;
        app.has_clean_address().await?;
        ensure!(
            app.tab.attribute("notice", "data-code").await?.as_deref() != Some("state_unknown")
        );
        let timeline = stage.control.timeline().await?;
        timeline.exactly(1, "token.received@pied-piper")?;
        timeline.exactly(0, "token.replayed")?;
        ensure!(timeline.count("authorize.received") <= 3, "{timeline}");
        Ok(())
    })
}

#[test]
fn a_callback_reached_by_back_is_no_error() -> Result {
    journey().go(async |stage, browser| {
        let app = App::open(stage, Client::PiedPiper, browser).await?;
        app.sign_in("richard").await?;
        app.visit("/private").await?;
        app.wait_signed_in().await?;
        let before = stage.control.timeline().await?.count("authorize.received");
        // Through the app's earlier pages and the provider's: whatever answers there, the person
        // ends at the app, signed in.
        for _ in 0..4 {
            app.tab.back().await?;
            let settled = until("a page that stands still", async || {
                let address = app.tab.address().await?;
                let is_app = app.status().await?.as_deref() == Some("authenticated");
                let is_form = app.tab.text("password").await?.is_some();
                // Or the page that the browser began with.
                Ok((is_app || is_form || !address.starts_with("http")).then_some(is_app))
            });
            if settled.await? {
                app.has_clean_address().await?;
            }
        }
        app.visit("/").await?;
        app.wait_signed_in().await?;
        let timeline = stage.control.timeline().await?;
        timeline.exactly(0, "token.replayed")?;
        timeline.exactly(0, "grants.revoked")?;
        // One for each page that was loaded anew, at most.
        ensure!(timeline.count("authorize.received") - before <= 6, "{timeline}");
        Ok(())
    })
}

#[test]
fn a_callback_in_a_tab_that_did_not_ask_takes_no_harm() -> Result {
    journey().go(async |stage, browser| {
        let (app, callback) = before_callback(stage, Client::PiedPiper, browser).await?;
        let stranger = App::of(stage, Client::PiedPiper, browser.new_tab().await?);
        stranger.tab.goto(&callback).await?;
        stranger.wait_signed_out().await?;
        stage.control.timeline().await?.exactly(0, "token.received")?;
        app.tab.goto(&callback).await?;
        app.wait_signed_in().await?;
        // A third tab, opened with the used address, finds the session of the first.
        let third = App::of(stage, Client::PiedPiper, browser.new_tab().await?);
        third.tab.goto(&callback).await?;
        third.wait_signed_in().await?;
        let timeline = stage.control.timeline().await?;
        timeline.exactly(1, "token.received")?;
        timeline.exactly(0, "token.replayed")
    })
}

#[test]
fn a_callback_handled_twice_at_once_signs_in_once() -> Result {
    journey().go(async |stage, browser| {
        let (app, callback) = before_callback(stage, Client::PiedPiper, browser).await?;
        // A tab that a page opens gets a copy of its session storage: two tabs with one attempt.
        app.visit("/public").await?;
        app.wait_status("anonymous").await?;
        let script = "const link = document.createElement('a');\
            link.id = 'twice'; link.href = arguments[0]; link.target = '_blank';\
            link.rel = 'opener'; link.textContent = 'twice';\
            link.style = 'position: fixed; inset: 0 auto auto 0; z-index: 99; background: white';\
            document.body.append(link)";
        app.tab.run(script, vec![json!(callback)]).await?;
        let known = browser.tabs().await?;
        app.tab.click_at("#twice").await?;
        app.tab.goto(&callback).await?;
        let twin = App::of(stage, Client::PiedPiper, browser.opened_tab(&known).await?);
        for tab in [&app, &twin] {
            tab.wait_signed_in().await?;
            tab.has_clean_address().await?;
        }
        let timeline = stage.control.timeline().await?;
        timeline.exactly(1, "token.issued@pied-piper")?;
        timeline.exactly(0, "token.replayed")?;
        timeline.exactly(0, "grants.revoked")
    })
}

#[test]
fn a_provider_that_is_down_at_start_is_told_and_found_again() -> Result {
    journey().go(async |stage, browser| {
        stage.stop_provider();
        let app = App::open(stage, Client::PiedPiper, browser).await?;
        app.wait_notice("issuer_unreachable").await?;
        app.shows_nothing_private().await?;
        app.has_clean_address().await?;
        if browser.can(Ability::Requests)? {
            let before = browser.requests().await?;
            let left = before
                .iter()
                .any(|request| request.kind == "Document" && request.host() == "idp.localhost");
            ensure!(!left, "the page was left for a provider that does not answer");
        }
        stage.start_provider()?;
        app.tab.reload().await?;
        app.sign_in("richard").await
    })
}

#[test]
fn a_provider_that_is_down_at_a_click_keeps_the_person_in_the_app() -> Result {
    journey().go(async |stage, browser| {
        let app = App::of(stage, Client::Hooli, browser.first_tab());
        app.visit("/public").await?;
        app.wait_signed_out().await?;
        stage.stop_provider();
        app.mark().await?;
        app.tab.click("sign-in").await?;
        app.wait_notice("issuer_unreachable").await?;
        ensure!(app.is_marked().await?);
        stage.start_provider()?;
        app.tab.click("sign-in").await?;
        SignInPage::wait(app.tab.clone()).await?.submit("gavin", PASSWORD).await?;
        app.wait_signed_in().await
    })
}

#[test]
fn a_provider_that_is_down_at_the_callback_is_told() -> Result {
    journey().go(async |stage, browser| {
        let (app, callback) = before_callback(stage, Client::PiedPiper, browser).await?;
        stage.stop_provider();
        app.tab.goto(&callback).await?;
        app.wait_notice("issuer_unreachable").await?;
        app.shows_nothing_private().await?;
        app.has_clean_address().await?;
        stage.start_provider()?;
        app.visit("/").await?;
        app.sign_in("richard").await
    })
}

#[test]
fn f7_a_provider_that_is_down_at_sign_out_still_signs_out_here() -> Result {
    journey().go(async |stage, browser| {
        let [pied_piper, hooli] = App::both(stage, browser).await?;
        stage.stop_provider();
        pied_piper.sign_out().await?;
        pied_piper.wait_notice("issuer_unreachable").await?;
        pied_piper.wait_status("anonymous").await?;
        pied_piper.shows_nothing_private().await?;
        pied_piper.has_clean_address().await?;
        // The other app cannot have been told: it keeps its session, with what it knows.
        ensure!(matches!(hooli.status().await?.as_deref(), Some("authenticated" | "offline")));
        // It stays so after a reload, although the provider is back.
        stage.start_provider()?;
        pied_piper.tab.reload().await?;
        pied_piper.wait_signed_out().await?;
        // The page says what is left to do, and nothing is done before she clicks.
        pied_piper.wait_notice("issuer_unreachable").await?;
        let offer = pied_piper.tab.wait_text("notice-action").await?;
        ensure!(offer == "Finish signing out", "{offer}");
        let timeline = stage.control.timeline().await?;
        timeline.exactly(0, "authorize.received@pied-piper")?;
        timeline.exactly(0, "end_session.received@pied-piper")?;
        pied_piper.tab.click("notice-action").await?;
        stage.control.wait_for(1, "end_session.received@pied-piper").await?;
        Ok(())
    })
}

#[test]
fn a_restarted_provider_ends_both_sessions() -> Result {
    journey().go(async |stage, browser| {
        let [pied_piper, hooli] = App::both(stage, browser).await?;
        pied_piper.mark().await?;
        hooli.mark().await?;
        stage.stop_provider();
        for app in [&pied_piper, &hooli] {
            // A network failure ends no session.
            app.wait_status("offline").await?;
            ensure!(!app.tab.wait_text("protected-content").await?.is_empty());
            app.wait_notice("issuer_unreachable").await?;
        }
        stage.start_provider()?;
        for app in [&pied_piper, &hooli] {
            // The stream is opened again after a pause; the provider knows neither token nor grant.
            let lost = until_within(LONG_LIMIT, "the loss of the session", async || {
                let status = app.status().await?;
                Ok(matches!(status.as_deref(), Some("expired" | "anonymous")).then_some(()))
            });
            lost.await?;
            ensure!(app.is_marked().await?, "the page was reloaded");
            app.shows_nothing_private().await?;
            ensure!(!app.tab.wait_text("notice").await?.is_empty());
        }
        // Nobody was sent anywhere unasked, and signing in works again.
        stage.control.timeline().await?.exactly(0, "authorize.received")?;
        pied_piper.tab.click("sign-in").await?;
        SignInPage::wait(pied_piper.tab.clone()).await?.submit("gavin", PASSWORD).await?;
        pied_piper.wait_signed_in().await?;
        ensure!(pied_piper.user_name().await?.contains("Gavin"));
        hooli.tab.click("sign-in").await?;
        hooli.wait_signed_in().await
    })
}

#[test]
fn rp20_a_forged_logout_token_signs_nobody_out() -> Result {
    journey().go(async |stage, browser| {
        let [pied_piper, hooli] = App::both(stage, browser).await?;
        pied_piper.mark().await?;
        let joined = stage.control.timeline().await?;
        let sid = joined.first("session.joined@pied-piper")?.sid.clone().unwrap_or_default();
        let unsigned = unsigned_logout_token(&stage.issuer(), &sid);
        for forged in [
            "not a token",
            unsigned.as_str(),
            // The header and the signature of another key over the same claims.
            &unsigned.replacen("eyJhbGciOiJub25lIn0", "eyJhbGciOiJSUzI1NiJ9", 1),
        ] {
            stage.control.put_event("pied-piper", "logout", forged).await?;
            pied_piper.wait_notice("logout_token_invalid").await?;
            ensure!(pied_piper.status().await?.as_deref() == Some("authenticated"));
        }
        ensure!(pied_piper.is_marked().await?);
        hooli.wait_signed_in().await?;
        // The stream has survived it: the real token still arrives.
        hooli.sign_out().await?;
        pied_piper.wait_signed_out().await
    })
}

/// Right in everything but the signature.
fn unsigned_logout_token(issuer: &str, sid: &str) -> String {
    let now = std::time::SystemTime::now()
        .duration_since(std::time::UNIX_EPOCH)
        .map_or(0, |since| since.as_secs());
    let claims = json!({
        "iss": issuer, "aud": "pied-piper", "iat": now, "exp": now + 120, "jti": "forged", "sid": sid,
        "events": { "http://schemas.openid.net/event/backchannel-logout": {} },
    });
    let encode = |text: String| {
        const ALPHABET: &[u8; 64] =
            b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
        let mut encoded = String::new();
        for chunk in text.as_bytes().chunks(3) {
            let bits = chunk.iter().fold(0_u32, |bits, byte| bits << 8 | u32::from(*byte))
                << (8 * (3 - chunk.len()));
            for place in 0..=chunk.len() {
                let index = (bits >> (18 - 6 * place) & 63) as usize;
                encoded.push(char::from(ALPHABET[index]));
            }
        }
        encoded
    };
    format!(
        "{}.{}.c2lnbmF0dXJl",
        encode(r#"{"alg":"none"}"#.to_owned()),
        encode(claims.to_string())
    )
}

#[test]
fn blocked_storage_is_told_before_the_page_is_left() -> Result {
    journey().without_storage().go(async |stage, browser| {
        let app = App::open(stage, Client::PiedPiper, browser).await?;
        // Otherwise the browser stores after all, and this shows nothing.
        let probe = "try { return typeof sessionStorage } catch (error) { return error.name }";
        ensure!(app.tab.run(probe, vec![]).await? == "SecurityError");
        app.wait_signed_out().await?;
        app.mark().await?;
        app.tab.click("sign-in").await?;
        app.wait_notice("storage_unavailable").await?;
        ensure!(app.is_marked().await?, "the page was left");
        app.wait_signed_out().await?;
        app.tab.reload().await?;
        app.wait_signed_out().await?;
        stage.control.timeline().await?.exactly(0, "authorize.received")
    })
}
