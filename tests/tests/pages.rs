//! Every page, as people with and without sight meet it: axe-core finds no violation, in light and
//! dark, wide and at phone width.

use anyhow::{Context, ensure};
use gatepass_tests::inspection::Inspection;
use gatepass_tests::pages::{App, Lobby, SignInPage, idp};
use gatepass_tests::stage::PASSWORD;
use gatepass_tests::{Client, Result, Tab, journey, until};
use serde_json::json;

#[test]
fn axe_finds_nothing_in_the_lobby() -> Result {
    journey().go(async |stage, browser| {
        let mut inspection = Inspection::begin()?;
        let lobby = Lobby::open(stage, browser).await?;
        lobby.tab.wait_text("step-1").await?;
        inspection.look(&lobby.tab, "lobby").await?;
        let known = browser.tabs().await?;
        lobby.tab.click("open-pied-piper").await?;
        let opened = browser.opened_tab(&known).await?;
        App::of(stage, Client::PiedPiper, opened).sign_in("richard").await?;
        lobby.wait_done(1).await?;
        inspection.look(&lobby.tab, "lobby after the first step").await?;
        inspection.end()
    })
}

#[test]
fn axe_finds_nothing_in_pied_piper() -> Result {
    inspect_app(Client::PiedPiper)
}

#[test]
fn axe_finds_nothing_in_hooli() -> Result {
    inspect_app(Client::Hooli)
}

fn inspect_app(client: Client) -> Result {
    journey().go(async |stage, browser| {
        let mut inspection = Inspection::begin()?;
        let app = App::of(stage, client, browser.first_tab());
        for path in ["/", "/public", "/private"] {
            app.visit(path).await?;
            app.wait_signed_out().await?;
            inspection.look(&app.tab, &format!("{path}, signed out")).await?;
        }
        app.sign_in("richard").await?;
        for path in ["/private", "/public", "/"] {
            app.visit(path).await?;
            app.wait_signed_in().await?;
            inspection.look(&app.tab, &format!("{path}, signed in")).await?;
        }
        app.leave().await?;
        app.wait_signed_out().await?;
        app.tab.wait_text("notice").await?;
        inspection.look(&app.tab, "after leaving").await?;
        app.tab.click("sign-in").await?;
        app.wait_signed_in().await?;
        app.sign_out_and_return().await?;
        inspection.look(&app.tab, "after signing out").await?;
        app.tab.click("sign-in").await?;
        SignInPage::wait(app.tab.clone()).await?.cancel().await?;
        app.wait_notice("access_denied").await?;
        inspection.look(&app.tab, "after a cancel").await?;
        app.sign_in("richard").await?;
        stage.stop_provider();
        app.sign_out().await?;
        app.wait_notice("issuer_unreachable").await?;
        inspection.look(&app.tab, "signed out here only").await?;
        inspection.end()
    })
}

#[test]
fn axe_finds_nothing_in_the_provider() -> Result {
    journey().go(async |stage, browser| {
        let mut inspection = Inspection::begin()?;
        let app = App::open(stage, Client::PiedPiper, browser).await?;
        let tab = &app.tab;
        app.wait_signed_out().await?;
        tab.click("sign-in").await?;
        let page = SignInPage::wait(tab.clone()).await?;
        inspection.look(tab, "sign-in").await?;
        page.submit("dinesh", "wrong").await?;
        page.error().await?;
        inspection.look(tab, "sign-in after a wrong password").await?;
        page.submit("dinesh", PASSWORD).await?;
        app.wait_signed_in().await?;

        let hooli = App::of(stage, Client::Hooli, tab.clone());
        hooli.visit("/public").await?;
        hooli.wait_signed_out().await?;
        hooli.tab.click("sign-in").await?;
        idp::wait_error(stage, tab).await?;
        tab.wait_text("back-to-app").await?;
        inspection.look(tab, "not assigned").await?;

        tab.goto(&format!("{}/authorize?client_id=nobody", stage.issuer())).await?;
        idp::wait_error(stage, tab).await?;
        inspection.look(tab, "unknown client").await?;

        // Without a hint the provider asks first (RP-Initiated Logout 1.0, 2).
        tab.goto(&format!("{}/end_session", stage.issuer())).await?;
        let before = stage.control.wait_for(1, "end_session.confirm_page").await?;
        before.exactly(0, "session.ended")?;
        inspection.look(tab, "sign out?").await?;
        tab.click("submit").await?;
        stage.control.wait_for(1, "session.ended").await?;
        inspection.look(tab, "signed out").await?;

        tab.goto(&format!("{}/", stage.issuer())).await?;
        inspection.look(tab, "start page").await?;
        inspection.end()
    })
}

#[test]
fn a_demo_account_fills_the_form_by_a_click() -> Result {
    journey().go(async |stage, browser| {
        let app = App::open(stage, Client::PiedPiper, browser).await?;
        app.wait_signed_out().await?;
        app.tab.click("sign-in").await?;
        SignInPage::wait(app.tab.clone()).await?;
        app.tab.click_at("[data-testid=demo-account][data-username=gavin]").await?;
        app.tab.click("submit").await?;
        app.wait_signed_in().await?;
        ensure!(app.user_name().await?.contains("Gavin"));
        Ok(())
    })
}

#[test]
fn a_person_can_sign_in_by_keyboard_alone() -> Result {
    journey().go(async |stage, browser| {
        let app = App::open(stage, Client::Hooli, browser).await?;
        app.wait_signed_out().await?;
        press_at(&app.tab, "sign-in").await?;
        SignInPage::wait(app.tab.clone()).await?;
        app.tab.press_until_focused("username").await?;
        app.tab.press("gavin").await?;
        app.tab.press_until_focused("password").await?;
        app.tab.press(PASSWORD).await?;
        app.tab.press(ENTER).await?;
        app.wait_signed_in().await?;
        press_at(&app.tab, "sign-out").await?;
        app.wait_signed_out().await
    })
}

#[test]
fn the_tour_goes_by_keyboard_on_a_phone_and_is_told_to_who_listens() -> Result {
    journey().go(async |stage, browser| {
        let lobby = Lobby::open(stage, browser).await?;
        let phone = json!({ "width": 360, "height": 740, "deviceScaleFactor": 1, "mobile": false });
        lobby.tab.command("Emulation.setDeviceMetricsOverride", phone).await?;
        lobby.tab.wait_text("step-1").await?;
        for (role, wanted) in [
            ("article", vec!["Identity provider", "Pied Piper", "Hooli"]),
            ("table", vec!["What a visit to an app does"]),
            ("list", vec!["The tour"]),
        ] {
            let found = named(&lobby.tab, role).await?;
            ensure!(found == wanted, "each {role} is called {found:?}");
        }

        let known = browser.tabs().await?;
        press_at(&lobby.tab, "open-pied-piper").await?;
        let opened = browser.opened_tab(&known).await?;
        let pied_piper = App::of(stage, Client::PiedPiper, opened);
        pied_piper.wait_signed_out().await?;
        press_at(&pied_piper.tab, "sign-in").await?;
        SignInPage::wait(pied_piper.tab.clone()).await?;
        pied_piper.tab.press_until_focused("username").await?;
        pied_piper.tab.press("richard").await?;
        pied_piper.tab.press_until_focused("password").await?;
        pied_piper.tab.press(PASSWORD).await?;
        pied_piper.tab.press(ENTER).await?;
        pied_piper.wait_signed_in().await?;
        hear(&lobby, "Sign in at Pied Piper. Done: Richard Hendricks", "Next: Open Hooli").await?;

        let known = browser.tabs().await?;
        press_at(&lobby.tab, "open-hooli").await?;
        let hooli = App::of(stage, Client::Hooli, browser.opened_tab(&known).await?);
        hooli.wait_signed_in().await?;
        hear(&lobby, "Open Hooli: no password. Done: ", "Next: Sign out at one of them.").await?;

        // The button goes away with the session; who pressed it must not be sent to the start.
        press_at(&hooli.tab, "sign-out-here").await?;
        hooli.wait_signed_out().await?;
        until("the focus at the content", async || {
            let focused = hooli.tab.run("return document.activeElement.id", vec![]).await?;
            Ok((focused == "content").then_some(()))
        })
        .await?;
        hear(&lobby, "Leave only one app. Done: ", "Next: Sign out at one of them.").await?;

        let wide = "return document.documentElement.scrollWidth > innerWidth";
        ensure!(lobby.tab.run(wide, vec![]).await? == false, "the lobby is wider than a phone");
        Ok(())
    })
}

const ENTER: &str = "\u{E007}";

async fn press_at(tab: &Tab<'_>, id: &str) -> Result {
    tab.press_until_focused(id).await?;
    tab.press(ENTER).await
}

/// Comes back to the lobby and waits until a screen reader is told these words, in this order: what
/// was done while nobody was there is told then.
async fn hear(lobby: &Lobby<'_>, done: &str, next: &str) -> Result {
    lobby.tab.command("Page.bringToFront", json!({})).await?;
    let words = "return document.querySelector('[role=status]').textContent";
    until(format!("the words {done}"), async || {
        let said = lobby.tab.run(words, vec![]).await?;
        let said = said.as_str().unwrap_or_default();
        let at = said.find(done);
        Ok(at.is_some_and(|at| said[at..].contains(next)).then_some(()))
    })
    .await
}

/// The names of all elements of a role, as assistive technology is told.
async fn named(tab: &Tab<'_>, role: &str) -> Result<Vec<String>> {
    let tree = tab.command("Accessibility.getFullAXTree", json!({})).await?;
    let nodes = tree["nodes"].as_array().context("no tree")?;
    let of_role = nodes.iter().filter(|node| node["role"]["value"] == role);
    Ok(of_role.filter_map(|node| Some(node["name"]["value"].as_str()?.to_owned())).collect())
}

#[test]
fn rp22_rp25_the_apps_are_served_with_a_strict_policy() -> Result {
    journey().go(async |stage, browser| {
        for client in Client::ALL {
            let app = App::open(stage, client, browser).await?;
            app.wait_signed_out().await?;
            let response = stage.http.get(format!("{}/", stage.origin(client))).send().await?;
            let policy = response.headers().get("content-security-policy");
            let policy = policy.and_then(|value| value.to_str().ok()).unwrap_or_default();
            ensure!(policy.contains("'wasm-unsafe-eval'"), "{policy}");
            for weak in ["'unsafe-inline'", "'unsafe-eval'", "*", "data: https:"] {
                let script = policy.split(';').find(|part| part.trim().starts_with("script-src"));
                ensure!(!script.unwrap_or_default().contains(weak), "{weak} in {policy}");
            }
            ensure!(policy.contains("frame-ancestors 'none'"), "{policy}");
        }
        // Nothing that the pages do breaks it.
        let console = browser.console().await?;
        let broken = console.iter().find(|line| line.contains("Content Security Policy"));
        ensure!(broken.is_none(), "{broken:?}");
        Ok(())
    })
}
