//! What the app believes of a token, where it keeps it, and what it tells of it.

use anyhow::{Context, ensure};
use gatepass_tests::network::Request;
use gatepass_tests::pages::{App, SignInPage};
use gatepass_tests::stage::PASSWORD;
use gatepass_tests::{Client, Result, journey, until};
use serde_json::json;

#[test]
fn f5_a_tampered_token_never_creates_a_session() -> Result {
    // What stands between the provider and the app changes the token response.
    const SIGNATURE: &str = "const [h, p, s] = token.split('.');\
        return [h, p, (s[0] === 'A' ? 'B' : 'A') + s.slice(1)].join('.')";
    const CLAIMS: &str = "const [h, p, s] = token.split('.');\
        const claims = JSON.parse(atob(p.replace(/-/g, '+').replace(/_/g, '/')));\
        claims.sub = 'gavin';\
        const text = btoa(JSON.stringify(claims)).replace(/\\+/g, '-').replace(/\\//g, '_');\
        return [h, text.replace(/=/g, ''), s].join('.')";
    const UNSIGNED: &str = "const [h, p, s] = token.split('.');\
        return [btoa(JSON.stringify({ alg: 'none' })).replace(/=/g, ''), p, ''].join('.')";
    const NO_ALGORITHM: &str = "const [h, p, s] = token.split('.');\
        return [btoa(JSON.stringify({ alg: 'none' })).replace(/=/g, ''), p, s].join('.')";
    let cases = [
        (SIGNATURE, "signature_invalid"),
        (CLAIMS, "signature_invalid"),
        (UNSIGNED, "algorithm_not_allowed"),
        (NO_ALGORITHM, "algorithm_not_allowed"),
    ];
    for (change, code) in cases {
        journey().go(async |stage, browser| {
            let app = App::open(stage, Client::PiedPiper, browser).await?;
            app.wait_signed_out().await?;
            let script = format!(
                "const real = window.fetch; window.fetch = async (address, ...rest) => {{\
                   const response = await real(address, ...rest);\
                   if (!String(address.url ?? address).endsWith('/token')) return response;\
                   const body = await response.json();\
                   body.id_token = ((token) => {{ {change} }})(body.id_token);\
                   return new Response(JSON.stringify(body), response);\
                 }}"
            );
            app.tab.preload(&script).await?;
            app.tab.click("sign-in").await?;
            let page = SignInPage::wait(app.tab.clone()).await?;
            page.submit("richard", PASSWORD).await?;
            app.wait_notice(code).await?;
            app.wait_signed_out().await?;
            app.shows_nothing_private().await?;
            app.has_clean_address().await?;
            // It is said once and not tried again.
            stage.control.timeline().await?.exactly(2, "authorize.received@pied-piper")
        })?;
    }
    Ok(())
}

#[test]
fn callback_needs_one_request() -> Result {
    journey().with_a_wire().go(async |stage, browser| {
        let app = App::open(stage, Client::PiedPiper, browser).await?;
        app.sign_in("richard").await?;
        stage.control.wait_for(1, "stream.opened").await?;
        let requests = stage.wire()?.requests();
        let of_app = |request: &&Request| request.document == app.origin();
        let left = requests.iter().rposition(|one| one.method == "POST" && !of_app(&one));
        let after = &requests[left.context("no form was sent")?..];
        // Without what browsers ask beforehand (CORS).
        let asked: Vec<_> = after
            .iter()
            .filter(|request| of_app(request) && request.method != "OPTIONS")
            .map(|request| request.path().trim_start_matches(&stage.issuer()))
            .collect();
        // What else there is to know was asked for before the page was left.
        ensure!(asked == ["/token", "/session_events"], "{asked:?}");
        Ok(())
    })
}

#[test]
fn rp25_tokens_live_in_memory_only() -> Result {
    journey().with_a_wire().go(async |stage, browser| {
        let app = App::open(stage, Client::PiedPiper, browser).await?;
        app.sign_in("richard").await?;
        stage.control.wait_for(1, "stream.opened").await?;
        let requests = stage.wire()?.requests();
        let token = requests.iter().find_map(|request| request.bearer()).context("no token")?;
        let kept = app.storage().await?;
        ensure!(!kept.contains(token), "the access token is stored: {kept}");
        ensure!(!kept.contains("eyJ"), "something like a token is stored: {kept}");
        let databases = "indexedDB.databases().then((all) => arguments[0](all.length))";
        ensure!(app.tab.run_async(databases, vec![]).await? == 0, "there is a database");
        let caches = "caches.keys().then((all) => arguments[0](all.length))";
        ensure!(app.tab.run_async(caches, vec![]).await? == 0, "there is a cache");
        ensure!(app.tab.run("return document.cookie", vec![]).await? == "");
        Ok(())
    })
}

#[test]
fn f4_the_account_panel_tells_who_how_and_when() -> Result {
    journey().go(async |stage, browser| {
        let app = App::open(stage, Client::PiedPiper, browser).await?;
        app.sign_in("richard").await?;
        let panel = app.tab.wait_text("session-panel").await?;
        ensure!(panel.contains("richard@piedpiper.example"), "{panel}");
        // How: the provider's `amr` for a password (RFC 8176).
        ensure!(panel.contains("pwd"), "{panel}");
        // The checks come from the verification itself: two sign-ins differ in their values.
        let nonce = async || -> Result<String> {
            let words = app.tab.run(
                "return document.querySelector('[data-testid=session-panel]').textContent",
                vec![],
            );
            Ok(words.await?.as_str().unwrap_or_default().to_owned())
        };
        let first = nonce().await?;
        ensure!(
            first.contains("iss") && first.contains("aud") && first.contains("nonce"),
            "{first}"
        );
        ensure!(
            first.contains(&stage.issuer()),
            "the issuer that was compared is not shown: {first}"
        );
        Ok(())
    })
}

/// The level that the demo shows.
const LEVEL: &str = "return [...document.querySelectorAll('dt')]
    .find((it) => it.textContent === 'Level (acr)')?.nextElementSibling?.textContent ?? null";

/// CAEP: the level of the session changes, and the demo shows it.
#[test]
fn c10_level_that_changes_is_shown_without_a_reload() -> Result {
    journey().go(async |stage, browser| {
        let app = App::open(stage, Client::Hooli, browser).await?;
        app.sign_in("richard").await?;
        stage.control.wait_for(1, "stream.opened@hooli").await?;
        app.mark().await?;
        let sessions = stage.control.sessions().await?;
        let id = sessions.first().and_then(|it| it["id"].as_str()).context("no session")?;
        stage.control.set_level(id, "2").await?;
        until("the new level", async || {
            let shown = app.tab.run(LEVEL, vec![]).await?;
            Ok((shown == json!("2")).then_some(()))
        })
        .await?;
        ensure!(app.is_marked().await?, "the page was left");
        stage.control.timeline().await?.exactly(1, "token.refreshed@hooli")
    })
}
