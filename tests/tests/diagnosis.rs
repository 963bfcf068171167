//! What a client tells of itself and of the browser (`diagnose`), and the page that shows it.

use anyhow::{Context, ensure};
use gatepass_tests::inspection::Inspection;
use gatepass_tests::npm_app::{open, wait};
use gatepass_tests::pages::{App, SignInPage};
use gatepass_tests::stage::PASSWORD;
use gatepass_tests::{Client, Result, Tab, journey, until};
use serde_json::Value;

/// All that the npm package tells.
async fn diagnosis(tab: &Tab<'_>) -> Result<Value> {
    let ask = "const done = arguments[0]; auth.diagnose().then(done, (e) => done(String(e)))";
    let told = tab.run_async(ask, vec![]).await?;
    ensure!(told.is_object(), "{told}");
    Ok(told)
}

/// Every text, number and name in it.
fn texts(value: &Value, into: &mut Vec<String>) {
    match value {
        Value::Object(members) => {
            for (name, member) in members {
                into.push(name.clone());
                texts(member, into);
            }
        }
        Value::Array(items) => items.iter().for_each(|item| texts(item, into)),
        Value::String(text) => into.push(text.clone()),
        other => into.push(other.to_string()),
    }
}

#[test]
fn r14_the_diagnosis_of_a_session_holds_no_secret() -> Result {
    journey().go(async |stage, browser| {
        let tab = browser.first_tab();
        open(stage, &tab).await?;
        wait(&tab, "status", "anonymous").await?;
        let before = diagnosis(&tab).await?;
        ensure!(before["client"]["came"] == "no", "{before}");
        tab.click("sign-in").await?;
        SignInPage::wait(tab.clone()).await?.submit("richard", PASSWORD).await?;
        wait(&tab, "status", "authenticated").await?;
        stage.control.wait_for(1, "stream.opened@npm-app").await?;
        let told = until("an open stream in the diagnosis", async || {
            let told = diagnosis(&tab).await?;
            Ok((told["client"]["stream"]["state"] == "open").then_some(told))
        })
        .await?;
        let client = &told["client"];
        ensure!(client["came"] == "click" && client["part"] == "leads", "{told}");
        ensure!(told["version"].as_str().is_some_and(|v| v.contains('.')), "{told}");
        ensure!(client["stream"]["confirmedAt"].is_i64() && client["clockOffset"].is_number());
        // Whatever a thief could use, or a stranger know the person by.
        let ask = "const done = arguments[0]; auth.getToken().then((token) => done({ token, \
                   ...auth.state.user, storage: JSON.stringify([{ ...sessionStorage }, { ...localStorage }]) }))";
        let known = tab.run_async(ask, vec![]).await?;
        let mut said = Vec::new();
        texts(&told, &mut said);
        for name in ["token", "sub", "sid", "nonce", "email", "name", "preferred_username"] {
            let Some(secret) = known[name].as_str() else { continue };
            ensure!(secret.len() > 2, "{name} is nothing to look for");
            let shown = said.iter().any(|text| text.contains(secret));
            ensure!(!shown, "{name} is in the diagnosis");
        }
        ensure!(known["sub"].is_string() && known["sid"].is_string(), "the claims are others");
        let token = known["token"].as_str().context("no token")?;
        for part in token.split('.') {
            ensure!(!said.iter().any(|text| text.contains(part)), "a part of the token is in it");
        }
        // Nor the state of any trip, by which its verifier is kept.
        let storage = known["storage"].as_str().context("no storage")?;
        for key in storage.split("gatepass:1:attempt:").skip(1) {
            let state = key.split(['"', '\\']).next().unwrap_or_default();
            ensure!(!said.iter().any(|text| text.contains(state)), "a state is in it");
        }
        Ok(())
    })
}

#[test]
fn r14_the_diagnosis_tells_what_the_browser_does() -> Result {
    journey().go(async |stage, browser| {
        let tab = browser.first_tab();
        open(stage, &tab).await?;
        wait(&tab, "status", "anonymous").await?;
        let told = diagnosis(&tab).await?;
        let allowed = &told["browser"];
        for name in ["secureContext", "webCrypto", "locks", "channel", "sessionStorage"] {
            ensure!(allowed[name] == true, "{name}: {told}");
        }
        for name in ["localStorage", "keyStorage", "streams"] {
            ensure!(allowed[name] == true, "{name}: {told}");
        }
        let algorithms = allowed["algorithms"].as_array().context("no algorithms")?;
        for name in ["RS256", "PS256", "ES256"] {
            ensure!(algorithms.iter().any(|known| known == name), "{name}: {told}");
        }
        ensure!(allowed["frame"] == "unknown" && allowed["popup"] == "untried", "{told}");
        // Nothing that was tried stays behind.
        let left = "const done = arguments[0]; indexedDB.databases().then((all) => done([...all.map((d) => d.name),\
                    ...Object.keys(sessionStorage), ...Object.keys(localStorage)].filter((name) => name.includes('probe'))))";
        until("nothing is left", async || {
            Ok(tab.run_async(left, vec![]).await?.as_array().is_some_and(Vec::is_empty).then_some(()))
        })
        .await
    })
}

#[test]
fn r14_the_diagnosis_says_that_storage_is_blocked() -> Result {
    journey().without_storage().go(async |stage, browser| {
        let app = App::of(stage, Client::Hooli, browser.first_tab());
        app.visit("/ways").await?;
        app.wait_signed_out().await?;
        app.tab.click("diagnosis-open").await?;
        let words = app.tab.wait_text("diagnosis").await?;
        ensure!(words.contains("no redirect finds its way back"), "{words}");
        Ok(())
    })
}

#[test]
fn r14_what_the_browser_allows_can_be_read_and_copied() -> Result {
    journey().go(async |stage, browser| {
        let app = App::open(stage, Client::PiedPiper, browser).await?;
        app.sign_in("richard").await?;
        app.visit("/ways?ask=auto").await?;
        app.wait_signed_in().await?;
        // By keyboard.
        app.tab.press_until_focused("diagnosis-open").await?;
        app.tab.press("\u{E007}").await?;
        let words = app.tab.wait_text("diagnosis").await?;
        ensure!(words.contains("by a redirect of its own") && words.contains("ES256"), "{words}");
        // No driver may read the clipboard; what the page hands to it can be seen.
        app.tab
            .run("navigator.clipboard.writeText = async (text) => { window.copied = text }", vec![])
            .await?;
        app.tab.press_until_focused("diagnosis-copy").await?;
        app.tab.press("\u{E007}").await?;
        let copied = until("the report is copied", async || {
            let text = app.tab.run("return window.copied ?? null", vec![]).await?;
            Ok(text.as_str().map(str::to_owned))
        })
        .await?;
        let report: Value = serde_json::from_str(&copied)?;
        ensure!(report["client"]["came"] == "redirect", "{copied}");
        let mut inspection = Inspection::begin()?;
        inspection.look(&app.tab, "what this browser allows").await?;
        inspection.end()?;
        Ok(())
    })
}
