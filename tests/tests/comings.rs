//! Pages that come and go otherwise than by a click: kept and shown again, copied, rendered before
//! anybody looks, in private windows, with their storage cleared or full.

use anyhow::{Context, ensure};
use gatepass_tests::engine::Ability;
use gatepass_tests::npm_app::{open, sign_out, signed_in_with, wait};
use gatepass_tests::pages::{App, SignInPage};
use gatepass_tests::stage::PASSWORD;
use gatepass_tests::{Client, Result, Tab, journey, until};
use serde_json::json;

async fn ask_token(tab: &Tab<'_>) -> Result<String> {
    let ask = "const done = arguments[0];\
        auth.getToken().then(() => done('a token'), (error) => done(error.code ?? String(error)))";
    Ok(tab.run_async(ask, vec![]).await?.as_str().unwrap_or_default().to_owned())
}

/// Has the page write down the state that it is drawn with when it is shown again.
const WATCH_RETURN: &str = "window.marked = true;\
    addEventListener('pageshow', (shown) => {\
      window.persisted = shown.persisted;\
      window.shown = [];\
      const look = () => {\
        window.shown.push(document.querySelector('[data-testid=status]').innerText.trim());\
        if (window.shown.length < 500) requestAnimationFrame(look);\
      };\
      look();\
    });";

/// An app that does nothing of its own about it: what it shows last is what the browser shows first, before
/// any script hears of the return.
#[test]
fn rp24_f18_an_npm_apps_page_is_kept_for_back_without_data() -> Result {
    journey().go(async |stage, browser| {
        browser.engine().must(Ability::KeptPages)?;
        let tab = browser.first_tab();
        signed_in_with(stage, &tab, "session").await?;
        stage.control.wait_for(1, "stream.opened@npm-app").await?;
        let watch = "window.marked = true;\
            addEventListener('pagehide', () => {\
              const text = (id) => document.querySelector(`[data-testid=${id}]`).textContent;\
              window.last = [text('status'), text('user-name')];\
            });";
        tab.run(watch, vec![]).await?;
        tab.goto(&stage.lobby()).await?;
        stage.control.wait_for(1, "stream.closed@npm-app").await?;
        tab.back().await?;
        wait(&tab, "status", "authenticated").await?;
        ensure!(tab.run("return window.marked", vec![]).await? == true, "it was not kept");
        let last = tab.run("return window.last", vec![]).await?;
        ensure!(last == json!(["restoring", ""]), "the last picture shows {last}");
        Ok(())
    })
}

#[test]
fn rp24_a_page_from_the_back_forward_cache_asks_before_it_shows_data() -> Result {
    journey().go(async |stage, browser| {
        browser.engine().must(Ability::KeptPages)?;
        let app = App::open(stage, Client::PiedPiper, browser).await?;
        app.sign_in("richard").await?;
        stage.control.wait_for(1, "stream.opened").await?;
        app.tab.run(WATCH_RETURN, vec![]).await?;
        app.tab.goto(&stage.lobby()).await?;
        // The lock and the stream are let go, or the page could not be kept.
        stage.control.wait_for(1, "stream.closed").await?;
        let before = stage.control.now().await?;
        app.tab.back().await?;
        app.wait_signed_in().await?;
        ensure!(app.is_marked().await?, "the browser did not keep the page");
        ensure!(app.tab.run("return window.persisted", vec![]).await? == true);
        let first = app.tab.run("return window.shown[0]", vec![]).await?;
        ensure!(first != "authenticated", "it shows data before it has asked");
        // By one request, not by leaving.
        let since = stage.control.timeline_after(before).await?;
        since.exactly(0, "authorize.received")?;
        stage.control.wait_for(2, "stream.opened").await.map(drop)
    })
}

#[test]
fn s7_a_duplicated_tab_is_the_same_session_and_one_stream() -> Result {
    journey().go(async |stage, browser| {
        let tab = browser.first_tab();
        let address = signed_in_with(stage, &tab, "session").await?;
        // A window that a page opens has a copy of its sessionStorage, as a duplicated tab has.
        let script = "const link = document.createElement('a');\
            link.id = 'twin'; link.href = arguments[0]; link.target = '_blank';\
            link.rel = 'opener'; link.textContent = 'twin'; document.body.prepend(link)";
        tab.run(script, vec![json!(address)]).await?;
        let known = browser.tabs().await?;
        tab.click_at("#twin").await?;
        let twin = browser.opened_tab(&known).await?;
        wait(&twin, "status", "authenticated").await?;
        stage.control.advance_clock(600).await?;
        // Both have the same refresh token; it is used once.
        for (index, tab) in [&tab, &twin].into_iter().enumerate() {
            tab.click("fetch-userinfo").await?;
            stage.control.wait_for(index + 1, "userinfo.served@npm-app").await?;
        }
        let timeline = stage.control.timeline().await?;
        timeline.exactly(1, "token.refreshed@npm-app")?;
        timeline.exactly(0, "token.replayed")?;
        timeline.exactly(1, "stream.opened@npm-app")?;
        twin.click("sign-out").await?;
        for tab in [&twin, &tab] {
            wait(tab, "status", "anonymous").await?;
        }
        // Neither copy brings it back.
        for tab in [&tab, &twin] {
            tab.goto(&address).await?;
            wait(tab, "status", "anonymous").await?;
        }
        Ok(())
    })
}

#[test]
fn f17_a_page_rendered_in_advance_asks_nobody_and_works_when_it_is_shown() -> Result {
    journey().go(async |stage, browser| {
        let tab = browser.first_tab();
        // Only its engine renders pages in advance, and only its driver tells.
        tab.command("Page.enable", json!({})).await?;
        App::open(stage, Client::PiedPiper, browser).await?.sign_in("richard").await?;
        let origin = stage.site.origin(gatepass_tests::stage::GUEST_HOST);
        // The provider knows who this is; the app has not asked yet.
        open(stage, &tab).await?;
        wait(&tab, "status", "authenticated").await?;
        tab.goto(&format!("{origin}/?onLoad=manual")).await?;
        wait(&tab, "status", "anonymous").await?;
        let before = stage.control.now().await?;
        let asked = stage.site.asked("/config.json");
        let script = "const rules = document.createElement('script');\
            rules.type = 'speculationrules';\
            rules.textContent = JSON.stringify({ prerender: [{ source: 'list', urls: [arguments[0]],\
              eagerness: 'immediate' }] });\
            document.head.append(rules)";
        let next = format!("{origin}/?onLoad=auto&next=1");
        tab.run(script, vec![json!(next)]).await?;
        // Its script runs. A page that left now would be thrown away, and not be the one below.
        until("the page in advance", async || {
            Ok((stage.site.asked("/config.json") > asked).then_some(()))
        })
        .await?;
        stage.control.timeline_after(before).await?.exactly(0, "authorize.received")?;
        tab.run("location.href = arguments[0]", vec![json!(next)]).await?;
        // The page that was there in advance takes this one's place, and the driver sees a new tab.
        until("somebody is signed in", async || {
            for tab in browser.tabs().await? {
                if tab.text("status").await?.as_deref() == Some("authenticated") {
                    return Ok(Some(()));
                }
            }
            Ok(None)
        })
        .await?;
        stage.control.timeline_after(before).await?.exactly(1, "authorize.received")?;
        // It, and the page that the provider sent back to: none was thrown away.
        ensure!(stage.site.asked("/config.json") == asked + 2);
        Ok(())
    })
}

#[test]
fn f2_f4_a_discarded_tab_comes_back_with_the_truth_and_without_a_detour() -> Result {
    journey().with_discarded_tabs().go(async |stage, browser| {
        let tab = browser.first_tab();
        let address = signed_in_with(stage, &tab, "session").await?;
        stage.control.wait_for(1, "stream.opened@npm-app").await?;
        // The tab that led is gone: one that is left holds the stream.
        let beside = browser.new_tab().await?;
        beside.goto(&address).await?;
        wait(&beside, "status", "authenticated").await?;
        let before = stage.control.now().await?;
        let tab = tab.discard().await?;
        stage.control.wait_for(2, "stream.opened@npm-app").await?;
        comes_back(&tab, "authenticated").await?;
        let since = stage.control.timeline_after(before).await?;
        since.exactly(0, "authorize.received")?;
        since.exactly(0, "token.refreshed")?;
        // Alone, it has what its tab has kept; and what ended meanwhile is not shown.
        beside.close().await?;
        let tab = tab.discard().await?;
        comes_back(&tab, "authenticated").await?;
        stage.control.timeline_after(before).await?.exactly(0, "authorize.received")?;
        let tab = tab.discard().await?;
        let sessions = stage.control.sessions().await?;
        stage.control.end_session(sessions[0]["id"].as_str().context("no id")?).await?;
        comes_back(&tab, "anonymous").await
    })
}

/// A tab whose page was thrown away is shown again, and says so.
async fn comes_back(tab: &Tab<'_>, status: &str) -> Result {
    tab.bring_to_front().await?;
    wait(tab, "status", status).await?;
    let was_discarded = tab.run("return document.wasDiscarded", vec![]).await?;
    ensure!(was_discarded == true, "the browser had kept the page");
    Ok(())
}

#[test]
fn f1_f2_f12_private_windows_sign_in_and_out_and_keep_what_they_can() -> Result {
    journey().in_private().go(async |stage, browser| {
        let [pied_piper, hooli] = App::both(stage, browser).await?;
        hooli.sign_out().await?;
        pied_piper.wait_signed_out().await?;
        hooli.wait_signed_out().await?;
        for storage in ["session", "local"] {
            let tab = browser.new_tab().await?;
            let address = signed_in_with(stage, &tab, storage).await?;
            let before = stage.control.now().await?;
            tab.goto(&address).await?;
            wait(&tab, "status", "authenticated").await?;
            stage.control.timeline_after(before).await?.exactly(0, "authorize.received")?;
            sign_out(stage, &tab).await?;
            tab.goto(&address).await?;
            wait(&tab, "status", "anonymous").await?;
            tab.close().await?;
        }
        Ok(())
    })
}

#[test]
fn f12_s7_storage_cleared_under_the_page_keeps_the_session_until_a_reload() -> Result {
    journey().go(async |stage, browser| {
        for storage in ["session", "local"] {
            let tab = browser.new_tab().await?;
            let address = signed_in_with(stage, &tab, storage).await?;
            let clear = "const done = arguments[0]; localStorage.clear(); sessionStorage.clear();\
                indexedDB.databases().then((all) => all.forEach(({ name }) => \
                  indexedDB.deleteDatabase(name))).then(() => done(true), () => done(false))";
            tab.run_async(clear, vec![]).await?;
            // Nothing is lost that the page holds.
            let got = ask_token(&tab).await?;
            ensure!(got == "a token", "{storage}: {got}");
            // Nor by a refresh, for which it finds no storage as it left it.
            let before = stage.control.timeline().await?.count("token.refreshed@npm-app");
            stage.control.advance_clock(310).await?;
            tab.click("fetch-userinfo").await?;
            stage.control.wait_for(before + 1, "token.refreshed@npm-app").await?;
            wait(&tab, "status", "authenticated").await?;
            // And what was cleared is no error: the person is signed in again by a click.
            tab.run("localStorage.clear(); sessionStorage.clear()", vec![]).await?;
            tab.goto(&address).await?;
            wait(&tab, "status", "anonymous").await?;
            wait(&tab, "notice", "").await?;
            tab.click("sign-in").await?;
            wait(&tab, "status", "authenticated").await?;
            sign_out(stage, &tab).await?;
            tab.close().await?;
        }
        Ok(())
    })
}

#[test]
fn s7_a_full_storage_keeps_nobody_from_signing_in() -> Result {
    journey().go(async |stage, browser| {
        let tab = browser.first_tab();
        let origin = open(stage, &tab).await?;
        wait(&tab, "status", "anonymous").await?;
        let address = format!("{origin}/?onLoad=manual&storage=local");
        tab.goto(&address).await?;
        wait(&tab, "status", "anonymous").await?;
        // The origin's share is full to the last byte; the tab's own has room for the way there.
        let fill = "let left = 0, size = 1 << 20;\
            while (size >= 1) {\
              try { localStorage.setItem(`fill${left}`, 'x'.repeat(size)); left += 1 }\
              catch { size = Math.floor(size / 2) }\
            } return left";
        let pieces = tab.run(fill, vec![]).await?;
        ensure!(pieces.as_u64().context("no number")? > 1, "nothing was filled");
        tab.click("sign-in").await?;
        SignInPage::wait(tab.clone()).await?.submit("richard", PASSWORD).await?;
        wait(&tab, "status", "authenticated").await?;
        let got = ask_token(&tab).await?;
        ensure!(got == "a token", "{got}");
        // It is as with `memory`: a reload finds nothing, and says nothing wrong.
        tab.goto(&address).await?;
        wait(&tab, "status", "anonymous").await?;
        tab.click("sign-in").await?;
        wait(&tab, "status", "authenticated").await?;
        tab.click("sign-out").await?;
        wait(&tab, "status", "anonymous").await
    })
}
