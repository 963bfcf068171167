//! What the provider decides about a session, as the apps' pages show it: how long it lives, how far
//! a sign-out reaches, whose it is no more, and what its cookies are.

use anyhow::{Context, ensure};
use gatepass_tests::browser::Flavour;
use gatepass_tests::npm_app::{open, wait};
use gatepass_tests::pages::{App, SignInPage, idp};
use gatepass_tests::stage::PASSWORD;
use gatepass_tests::world::World;
use gatepass_tests::{Browser, Client, LONG_LIMIT, Result, journey, until, until_within};
use serde_json::{Value, json};

#[test]
fn f12_keep_me_signed_in_decides_who_is_known_after_a_restart_of_the_browser() -> Result {
    journey().go(async |stage, _| {
        for (profile, is_kept) in [(3, true), (4, false)] {
            let flavour = Flavour { profile: Some(profile), ..Flavour::default() };
            let world = World::of_this_run()?;
            let first = Browser::start(world, flavour).await?;
            let app = App::open(stage, Client::PiedPiper, &first).await?;
            app.sign_in_with("richard", is_kept).await?;
            first.quit().await?;
            let before = stage.control.now().await?;
            let second = Browser::start(world, flavour).await?;
            let app = App::open(stage, Client::PiedPiper, &second).await?;
            let shown = match is_kept {
                true => app.wait_signed_in().await,
                false => app.wait_signed_out().await,
            };
            second.quit().await?;
            shown?;
            // Asked once, without a page.
            let since = stage.control.timeline_after(before).await?;
            since.exactly(1, "authorize.received")?;
            since.exactly(0, "authorize.login_page")?;
        }
        Ok(())
    })
}

#[test]
fn f21_a_refresh_token_that_was_used_by_a_thief_ends_the_session() -> Result {
    journey().go(async |stage, browser| {
        let tab = browser.first_tab();
        // The thief reads what the provider answers.
        let steal = "const real = window.fetch; window.fetch = async (address, ...rest) => {\
            const response = await real(address, ...rest);\
            if (String(address.url ?? address).endsWith('/token')) {\
              const { refresh_token: token } = await response.clone().json();\
              window.stolen ??= token;\
            }\
            return response }";
        open(stage, &tab).await?;
        wait(&tab, "status", "anonymous").await?;
        // In a window: what runs in the page goes on.
        tab.run(steal, vec![]).await?;
        tab.click("sign-in-window").await?;
        let window = browser.opened_tab(std::slice::from_ref(&tab)).await?;
        SignInPage::wait(window).await?.submit("richard", PASSWORD).await?;
        wait(&tab, "status", "authenticated").await?;
        stage.control.wait_for(1, "stream.opened@npm-app").await?;
        let stolen = tab.run("return window.stolen", vec![]).await?;
        let stolen = stolen.as_str().context("no refresh token")?.to_owned();
        let refresh = async |token: &str| -> Result<(u16, Value)> {
            let form = [
                ("grant_type", "refresh_token"),
                ("client_id", "npm-app"),
                ("refresh_token", token),
            ];
            let request = stage.http.post(format!("{}/token", stage.issuer())).form(&form);
            let response = request.send().await?;
            Ok((response.status().as_u16(), response.json().await?))
        };
        // He uses it first; the app, which knows nothing of it, comes second.
        let (status, _) = refresh(&stolen).await?;
        ensure!(status == 200, "the thief was answered {status}");
        stage.control.advance_clock(600).await?;
        let (status, answer) = refresh(&stolen).await?;
        ensure!(status == 400 && answer["error"] == "invalid_grant", "{status} {answer}");
        stage.control.wait_for(1, "token.replayed").await?;
        let before = stage.control.now().await?;
        // What the sign-in gave is worth nothing any more, and the app finds out and says so.
        tab.run(
            "const Real = Date; window.Date = class extends Real {\
               static now() { return Real.now() + 600000 } }; auth.getToken().catch(() => {})",
            vec![],
        )
        .await?;
        until_within(LONG_LIMIT, "the end of the session", async || {
            let status = tab.text("status").await?;
            Ok(matches!(status.as_deref(), Some("expired" | "anonymous")).then_some(()))
        })
        .await?;
        wait(&tab, "user-name", "").await?;
        // The person is not sent anywhere for it, and a click needs no password.
        stage.control.timeline_after(before).await?.exactly(0, "authorize.received")?;
        tab.click("sign-in").await?;
        wait(&tab, "status", "authenticated").await?;
        stage.control.timeline().await?.exactly(1, "login.succeeded")
    })
}

#[test]
fn d1_a_disabled_person_is_out_of_both_apps_and_stays_out() -> Result {
    journey().go(async |stage, browser| {
        let [pied_piper, hooli] = App::both(stage, browser).await?;
        stage.control.change_user("richard", &json!({ "disabled": true })).await?;
        for app in [&pied_piper, &hooli] {
            app.wait_ended().await?;
            app.shows_nothing_private().await?;
        }
        pied_piper.tab.click("sign-in").await?;
        let page = SignInPage::wait(pied_piper.tab.clone()).await?;
        page.submit("richard", PASSWORD).await?;
        ensure!(!idp::wait_error(stage, &pied_piper.tab).await?.is_empty());
        // Others are not meant.
        page.submit("gavin", PASSWORD).await?;
        pied_piper.wait_signed_in().await?;
        pied_piper.sign_out_and_return().await?;
        stage.control.change_user("richard", &json!({ "disabled": false })).await?;
        pied_piper.tab.click("sign-in").await?;
        SignInPage::wait(pied_piper.tab.clone()).await?.submit("richard", PASSWORD).await?;
        pied_piper.wait_signed_in().await
    })
}

/// A cookie in words: its name without what is derived from the issuer, and all that a browser holds
/// about who gets it and for how long.
fn words_of(cookie: &Value) -> Result<String> {
    let name = cookie["name"].as_str().context("a cookie has no name")?;
    let name = name.splitn(3, '-').take(2).collect::<Vec<_>>().join("-");
    // Chromium writes -1, Firefox nothing.
    let expiry = cookie["expires"].as_f64().or(cookie["expiry"].as_f64());
    let end = match expiry.filter(|at| *at > 0.0) {
        Some(_) => "at its time",
        None => "with the browser",
    };
    let is = |attribute: &str| cookie[attribute] == true;
    let same_site = cookie["sameSite"].as_str().unwrap_or("unset").to_lowercase();
    let (domain, path) = (cookie["domain"].as_str().unwrap_or("?"), cookie["path"].as_str());
    Ok(format!(
        "{name} {domain}{} {same_site}{}{} ends {end}",
        path.unwrap_or("?"),
        if is("secure") { " secure" } else { "" },
        if is("httpOnly") { " httponly" } else { "" },
    ))
}

#[test]
fn r6_cookies_are_what_the_provider_promises() -> Result {
    journey().go(async |stage, browser| {
        for is_kept in [false, true] {
            let app = App::open(stage, Client::PiedPiper, browser).await?;
            app.sign_in_with("richard", is_kept).await?;
            // All of them are for the whole of the provider, and for nobody else.
            let mut found = Vec::new();
            let tab = browser.new_tab().await?;
            for home in [stage.issuer(), stage.lobby(), app.origin().to_owned()] {
                tab.goto(&home).await?;
                for cookie in tab.cookies().await? {
                    found.push(words_of(&cookie)?);
                }
            }
            tab.close().await?;
            found.sort();
            let end = if is_kept { "at its time" } else { "with the browser" };
            let mut expected = vec![
                format!("__Host-silent idp.localhost/ none secure httponly ends {end}"),
                format!("__Host-sso idp.localhost/ lax secure httponly ends {end}"),
                format!("__Host-state idp.localhost/ none secure ends {end}"),
            ];
            expected.sort();
            // One marks a browser before its first sign-in, and holds nothing about the person.
            found.retain(|cookie| !cookie.starts_with("__Host-pre "));
            // The lobby tries for a moment whether it may keep any.
            found.retain(|cookie| !cookie.starts_with("gatepass-probe localhost/"));
            ensure!(found == expected, "{found:#?}");
            app.sign_out().await?;
            app.wait_signed_out().await?;
        }
        Ok(())
    })
}

#[test]
fn f8_f9_f10_a_sign_out_reaches_as_far_as_the_provider_says() -> Result {
    for (scope, is_framed, is_other_out) in [
        ("\"session\"", false, true),
        ("\"realm\"", true, true),
        ("\"initiator\"", false, false),
        ("[\"pied-piper\"]", false, true),
    ] {
        journey().go(async |stage, browser| {
            // An app that is not in the session, with a page to be loaded at a sign-out.
            let home = stage.site.origin("idle");
            stage.site.answer_page("/out", "<!doctype html><title>out</title>");
            stage.change_provider(|text| {
                let text = text
                    .replace("id = \"hooli\"", &format!("id = \"hooli\"\nlogout_scope = {scope}"));
                format!(
                    "{text}\n[[clients]]\nid = \"idle\"\nname = \"Idle\"\nredirect_uris = [\"{home}/\"]\n\
                     frontchannel_logout_uri = \"{home}/out\"\n"
                )
            })?;
            let [pied_piper, hooli] = App::both(stage, browser).await?;
            hooli.sign_out().await?;
            stage.control.wait_for(1, "end_session.received@hooli").await?;
            if is_framed {
                until("the idle app's page", async || {
                    Ok((stage.site.asked("/out") > 0).then_some(()))
                })
                .await?;
            } else {
                // Afterwards nobody is told any more.
                stage.control.wait_for(1, "end_session.returned@hooli").await?;
            }
            hooli.wait_signed_out().await?;
            let framed = stage.site.asked("/out") > 0;
            ensure!(framed == is_framed, "{scope}: the idle app's page was framed: {framed}");
            if is_other_out {
                pied_piper.wait_signed_out().await?;
                return Ok(());
            }
            // It goes on, and its tokens do.
            let said = pied_piper.ask_server("given").await?;
            ensure!(said.contains("provider"), "{said}");
            pied_piper.wait_signed_in().await?;
            stage.control.timeline().await?.exactly(0, "logout_token.sent@pied-piper")
        })
        .with_context(|| format!("logout_scope = {scope}"))?;
    }
    Ok(())
}
