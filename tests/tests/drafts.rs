//! What a person has half filled in, over a sign-in that leaves the page (S11).

use anyhow::{Context, ensure};
use gatepass_tests::inspection::Inspection;
use gatepass_tests::pages::{App, SignInPage};
use gatepass_tests::stage::{PASSWORD, Stage};
use gatepass_tests::{Browser, Client, Result, journey, until};
use serde_json::{Value, json};

const WORDS: &str = "Nodded, twice. “Aligned” 🦀";

/// Hooli's review, of somebody who is signed in and has written something.
async fn half_filled<'a>(stage: &Stage, browser: &'a Browser) -> Result<App<'a>> {
    let app = App::of(stage, Client::Hooli, browser.first_tab());
    app.visit("/private?a=b#c").await?;
    app.sign_in("richard").await?;
    stage.control.wait_for(1, "stream.opened@hooli").await?;
    write(&app).await?;
    Ok(app)
}

/// As a person would: what is typed tells the page so.
async fn write(app: &App<'_>) -> Result {
    app.tab.wait_text("draft").await?;
    // Kept from the moment on when the page has it registered, which a person cannot outrun.
    let script = "const of = (id) => document.querySelector(`[data-testid=draft-${id}]`);\
        const type = (id, value) => { of(id).value = value; of(id).dispatchEvent(new Event('input', { bubbles: true })) };\
        type('well', arguments[0]); type('rating', 'exceeds'); type('code', '123456'); of('humble').click();";
    app.tab.run(script, vec![json!(WORDS)]).await.map(drop)
}

/// What the form holds: words, rating, tick, code; nothing while there is none.
async fn fields(app: &App<'_>) -> Result<Option<Value>> {
    let script = "const of = (id) => document.querySelector(`[data-testid=draft-${id}]`);\
        return of('well') && [of('well').value, of('rating').value, of('humble').checked, of('code').value]";
    let found = app.tab.run(script, vec![]).await?;
    Ok((!found.is_null()).then_some(found))
}

async fn wait_fields(app: &App<'_>, wanted: Value) -> Result {
    let shown = until(format!("the form holds {wanted}"), async || {
        Ok((fields(app).await?.as_ref() == Some(&wanted)).then_some(()))
    });
    match shown.await {
        Ok(()) => Ok(()),
        Err(error) => Err(error.context(format!("it holds {:?}", fields(app).await?))),
    }
}

fn untouched() -> Value {
    json!(["", "meets", false, ""])
}

/// The provider's session ends while the person writes, and with it the app's.
async fn session_dies(stage: &Stage, app: &App<'_>) -> Result {
    let sessions = stage.control.sessions().await?;
    let id = sessions[0]["id"].as_str().context("a session has no id")?;
    stage.control.end_session(id).await?;
    app.wait_ended().await?;
    ensure!(fields(app).await?.is_none(), "what is private is still shown");
    Ok(())
}

async fn signs_in_again(app: &App<'_>, user: &str) -> Result {
    app.tab.click("sign-in").await?;
    SignInPage::wait(app.tab.clone()).await?.submit(user, PASSWORD).await?;
    app.wait_signed_in().await
}

/// A form that stays empty cannot be waited for: after a step that loads the page it is asked for once
/// the page has done what comes later, which is to listen for the session's end.
async fn stays_empty(stage: &Stage, app: &App<'_>, step: impl AsyncFnOnce() -> Result) -> Result {
    let opened = stage.control.timeline().await?.count("stream.opened@hooli");
    step().await?;
    wait_fields(app, untouched()).await?;
    stage.control.wait_for(opened + 1, "stream.opened@hooli").await?;
    ensure!(!app.storage().await?.contains("#forms"), "something is kept");
    wait_fields(app, untouched()).await
}

#[test]
fn s11_half_filled_form_survives_a_new_sign_in() -> Result {
    journey().go(async |stage, browser| {
        let app = half_filled(stage, browser).await?;
        session_dies(stage, &app).await?;
        signs_in_again(&app, "richard").await?;
        // The one-time code is not among them.
        wait_fields(&app, json!([WORDS, "exceeds", true, ""])).await?;
        ensure!(app.tab.address().await?.ends_with("/private?a=b#c"), "the way back was lost");
        Ok(())
    })
}

#[test]
fn a_half_filled_form_that_came_back_is_for_everybody_to_use() -> Result {
    journey().go(async |stage, browser| {
        let mut inspection = Inspection::begin()?;
        let app = half_filled(stage, browser).await?;
        session_dies(stage, &app).await?;
        signs_in_again(&app, "richard").await?;
        wait_fields(&app, json!([WORDS, "exceeds", true, ""])).await?;
        inspection.look(&app.tab, "a form that came back").await?;
        inspection.end()
    })
}

#[test]
fn s11_half_filled_form_is_never_filled_in_twice() -> Result {
    journey().go(async |stage, browser| {
        let app = half_filled(stage, browser).await?;
        session_dies(stage, &app).await?;
        signs_in_again(&app, "richard").await?;
        wait_fields(&app, json!([WORDS, "exceeds", true, ""])).await?;
        let forget = "document.querySelector('[data-testid=draft]').reset()";
        app.tab.run(forget, vec![]).await?;
        stays_empty(stage, &app, async || {
            app.tab.reload().await?;
            app.wait_signed_in().await
        })
        .await?;
        app.visit("/public").await?;
        app.wait_signed_in().await?;
        stays_empty(stage, &app, async || {
            app.tab.back().await?;
            app.wait_signed_in().await
        })
        .await
    })
}

#[test]
fn s11_half_filled_form_is_not_shown_to_somebody_else() -> Result {
    journey().go(async |stage, browser| {
        let app = half_filled(stage, browser).await?;
        session_dies(stage, &app).await?;
        stays_empty(stage, &app, async || signs_in_again(&app, "gavin").await).await?;
        // Nor to the first one any more.
        session_dies(stage, &app).await?;
        stays_empty(stage, &app, async || signs_in_again(&app, "richard").await).await
    })
}

#[test]
fn s11_half_filled_form_is_erased_by_a_sign_out() -> Result {
    journey().go(async |stage, browser| {
        let app = half_filled(stage, browser).await?;
        app.sign_out_and_return().await?;
        signs_in_again(&app, "richard").await?;
        stays_empty(stage, &app, async || {
            app.visit("/private?a=b").await?;
            app.wait_signed_in().await
        })
        .await
    })
}

#[test]
fn s13_half_filled_form_lies_in_the_tab_unreadable() -> Result {
    journey().go(async |stage, browser| {
        let app = half_filled(stage, browser).await?;
        session_dies(stage, &app).await?;
        let click = "document.querySelector('[data-testid=sign-in]').click();\
            addEventListener('pagehide', () => localStorage.setItem('seen', JSON.stringify({ ...sessionStorage })))";
        app.tab.run(click, vec![]).await?;
        SignInPage::wait(app.tab.clone()).await?.submit("richard", PASSWORD).await?;
        app.wait_signed_in().await?;
        let seen = app.tab.run("return localStorage.getItem('seen')", vec![]).await?;
        let seen = seen.as_str().context("nothing was seen")?;
        ensure!(seen.contains("#forms"), "nothing was kept");
        for word in ["Nodded", "exceeds", "own-words", "123456"] {
            ensure!(!seen.contains(word), "{word} lies there");
        }
        Ok(())
    })
}

#[test]
fn s11_a_page_that_asks_by_itself_comes_back_to_where_it_was() -> Result {
    journey().go(async |stage, browser| {
        let app = App::of(stage, Client::PiedPiper, browser.first_tab());
        app.visit("/?a=b#c").await?;
        app.sign_in("richard").await?;
        app.tab.wait_text("session-panel").await?;
        let scroll =
            "history.replaceState({ kept: [1, 'é'] }, ''); scrollTo(0, 240); return scrollY";
        let asked = stage.control.timeline().await?.count("authorize.received@pied-piper");
        let down = app.tab.run(scroll, vec![]).await?;
        ensure!(down.as_f64() > Some(100.0), "the page is too short to scroll: {down}");
        // The only tab, which keeps its session in memory: it leaves once to ask.
        app.tab.reload().await?;
        app.wait_signed_in().await?;
        stage.control.wait_for(asked + 1, "authorize.received@pied-piper").await?;
        until("the page is where it was", async || {
            Ok((app.tab.run("return scrollY", vec![]).await? == down).then_some(()))
        })
        .await?;
        ensure!(app.tab.address().await?.ends_with("/?a=b#c"), "the way back was lost");
        let state = app.tab.run("return history.state", vec![]).await?;
        ensure!(state["kept"] == json!([1, "é"]), "the entry's state is {state}");
        Ok(())
    })
}
