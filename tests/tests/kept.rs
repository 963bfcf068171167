//! The session that an app keeps over a reload (`storage`), in the packed npm package.

use anyhow::{Context, ensure};
use gatepass_tests::browser::Flavour;
use gatepass_tests::npm_app::{kept, open, sign_out, signed_in_with, stored, wait};
use gatepass_tests::world::World;
use gatepass_tests::{Browser, Result, journey, until};
use serde_json::json;

#[test]
fn s10_a_reload_with_a_kept_session_asks_nobody() -> Result {
    journey().go(async |stage, browser| {
        let tab = browser.first_tab();
        for storage in ["session", "local"] {
            if storage == "local" {
                sign_out(stage, &tab).await?;
            }
            let opened = stage.control.timeline().await?.count("stream.opened@npm-app");
            signed_in_with(stage, &tab, storage).await?;
            stage.control.wait_for(opened + 1, "stream.opened@npm-app").await?;
            let before = stage.control.now().await?;
            tab.reload().await?;
            wait(&tab, "status", "authenticated").await?;
            ensure!(tab.wait_text("user-name").await?.contains("Richard Hendricks"));
            // The page was not left: what it was loaded by is the reload.
            let how = "return performance.getEntriesByType('navigation')[0].type";
            let how = tab.run(how, vec![]).await?;
            ensure!(how == "reload", "{storage}: loaded by {how}");
            let since = stage.control.timeline_after(before).await?;
            for asked in ["authorize.received", "token.received", "userinfo.served"] {
                since.exactly(0, &format!("{asked}@npm-app"))?;
            }
            // It is a session like any other.
            tab.click("fetch-userinfo").await?;
            stage.control.wait_for(1, "userinfo.served@npm-app").await?;
        }
        Ok(())
    })
}

#[test]
fn s13_what_is_kept_shows_no_token() -> Result {
    journey().go(async |stage, browser| {
        let tab = browser.first_tab();
        for storage in ["session", "local"] {
            if storage == "local" {
                sign_out(stage, &tab).await?;
            }
            signed_in_with(stage, &tab, storage).await?;
            let ask =
                "const done = arguments[0]; auth.getToken().then(done, (e) => done(String(e)))";
            let token = tab.run_async(ask, vec![]).await?;
            let token = token.as_str().context("no token")?.to_owned();
            ensure!(token.split('.').count() == 3, "the provider's tokens have three parts");
            let record = until("what is kept", async || kept(&tab).await).await?;
            // As it lies there, and its bytes.
            let bytes = tab.run("return atob(arguments[0])", vec![json!(record)]).await?;
            let mut texts = stored(&tab).await?;
            texts.push(("the bytes".into(), bytes.as_str().context("no bytes")?.to_owned()));
            for (key, text) in texts {
                let signature = token.rsplit('.').next().context("no signature")?;
                // By chance the record's own letters may have what a token begins with.
                let begins = text != record && text.contains("eyJ");
                let shows = text.contains(signature) || begins;
                ensure!(!shows, "{storage}: a token lies under {key}");
                ensure!(!text.contains("Hendricks"), "{storage}: a name lies under {key}");
            }
        }
        Ok(())
    })
}

#[test]
fn f7_a_sign_out_erases_what_was_kept() -> Result {
    journey().go(async |stage, browser| {
        let tab = browser.first_tab();
        for (storage, way) in [
            ("session", "sign-out"),
            ("local", "sign-out"),
            ("session", "sign-out-here"),
            ("local", "sign-out-here"),
        ] {
            // After leaving only the app the provider still knows the person.
            let address = match stage.control.sessions().await?.is_empty() {
                true => signed_in_with(stage, &tab, storage).await?,
                false => {
                    let origin = open(stage, &tab).await?;
                    let address = format!("{origin}/?onLoad=manual&storage={storage}");
                    tab.goto(&address).await?;
                    wait(&tab, "status", "anonymous").await?;
                    tab.click("sign-in").await?;
                    wait(&tab, "status", "authenticated").await?;
                    address
                }
            };
            until("what is kept", async || kept(&tab).await).await?;
            tab.click(way).await?;
            wait(&tab, "status", "anonymous").await?;
            ensure!(kept(&tab).await?.is_none(), "{storage}: {way} leaves it");
            tab.goto(&address).await?;
            wait(&tab, "status", "anonymous").await?;
        }
        Ok(())
    })
}

#[test]
fn f2_a_sign_out_elsewhere_erases_what_was_kept() -> Result {
    journey().go(async |stage, browser| {
        let tab = browser.first_tab();
        let address = signed_in_with(stage, &tab, "local").await?;
        let sessions = stage.control.sessions().await?;
        let id = sessions[0]["id"].as_str().context("a session has no id")?;
        // While no page of the app is open.
        tab.goto("about:blank").await?;
        stage.control.end_session(id).await?;
        tab.goto(&address).await?;
        until("the end of the session", async || {
            let status = tab.text("status").await?.unwrap_or_default();
            ensure!(status != "authenticated", "a session that is over is shown");
            Ok(["anonymous", "expired"].contains(&status.as_str()).then_some(()))
        })
        .await?;
        ensure!(kept(&tab).await?.is_none(), "it is kept still");
        Ok(())
    })
}

#[test]
fn f12_local_is_kept_when_the_browser_ends_and_session_is_not() -> Result {
    journey().go(async |stage, _| {
        for (number, (storage, status)) in
            [("local", "authenticated"), ("session", "anonymous")].into_iter().enumerate()
        {
            let profile = u32::try_from(number).ok();
            let flavour = Flavour { profile, ..Flavour::default() };
            let world = World::of_this_run()?;
            let first = Browser::start(world, flavour).await?;
            let address = signed_in_with(stage, &first.first_tab(), storage).await?;
            first.quit().await?;
            let before = stage.control.now().await?;
            let second = Browser::start(world, flavour).await?;
            let tab = second.first_tab();
            tab.goto(&address).await?;
            let shown = wait(&tab, "status", status).await;
            second.quit().await?;
            shown?;
            // Nobody was sent to the provider.
            let since = stage.control.timeline_after(before).await?;
            since.exactly(0, "authorize.received@npm-app")?;
        }
        Ok(())
    })
}
