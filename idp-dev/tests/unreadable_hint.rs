//! `id_token_hint` that is no ID token of this provider, or of one before a restart.

#![allow(clippy::unwrap_used, reason = "what fails here is a failed test")]

mod common;

use common::{Ask, Browser, Reply, Tokens, World};

/// Tokens that Richard was given before the restart, and the provider after it: same users, same
/// clients, new keys.
async fn restarted() -> (Tokens, World) {
    let before = World::new().await;
    let old = before.browser().piper("richard").await;
    (old, World::new().await)
}

/// What must not be taken as a hint: other kinds of token, foreign and broken ones.
fn unreadable(old: &Tokens, own: &Tokens) -> Vec<String> {
    let id = own.id();
    let (rest, signature) = id.rsplit_once('.').unwrap();
    let flipped = if signature.starts_with('A') { "B" } else { "A" };
    vec![
        old.id().to_owned(),
        own.access().to_owned(),
        own.refresh().to_owned(),
        "eyJhbGciOiJub25lIn0.e30.".to_owned(),
        format!("{rest}."),
        format!("{rest}.{flipped}{}", &signature[1..]),
        "x.y.z".to_owned(),
        "x".repeat(3000),
    ]
}

fn ask(hint: &str) -> Ask {
    Ask::piper().set("id_token_hint", hint)
}

#[tokio::test]
async fn prompt_none_with_an_unreadable_hint_requires_a_sign_in() {
    let (old, world) = restarted().await;
    let mut browser = world.browser();
    let nobody = browser.ask(&ask(old.id()).set("prompt", "none")).await;
    nobody.assert_error_redirect("login_required", &world.issuer, "nobody signed in");
    let own = browser.piper("richard").await;
    for hint in unreadable(&old, &own) {
        let reply = browser.ask(&ask(&hint).set("prompt", "none")).await;
        reply.assert_error_redirect("login_required", &world.issuer, &hint);
        let step = world.last_step("authorize.error").await;
        assert_eq!(step["check"]["name"], "id_token_hint");
        assert_eq!(step["check"]["outcome"], "failed");
    }
    // The neighbour: a hint of ours.
    let reply = browser.ask(&ask(own.id()).set("prompt", "none")).await;
    assert!(reply.param("code").is_some(), "{}", reply.location());
}

#[tokio::test]
async fn unreadable_hint_is_ignored_and_the_page_shown() {
    let (old, world) = restarted().await;
    let mut browser = world.browser();
    let own = browser.piper("richard").await;
    for hint in unreadable(&old, &own) {
        let page = browser.ask(&ask(&hint)).await;
        assert_sign_in_page(&page, &hint);
        assert_eq!(page.username_field(), "", "{hint}");
        let step = world.last_step("authorize.login_page").await;
        assert_eq!(step["check"]["name"], "id_token_hint", "{hint}");
    }
    // Ignored: whoever signs in there is the answer.
    let page = browser.ask(&ask(old.id())).await;
    let reply = browser.sign_in_at(&page, "gavin", "password").await;
    let code = reply.param("code").unwrap();
    assert_eq!(world.redeem(&code).await.status, 200);
}

#[tokio::test]
async fn timeline_names_an_unreadable_hint_when_nobody_is_signed_in() {
    let (old, world) = restarted().await;
    let page = world.browser().ask(&ask(old.id())).await;
    assert_sign_in_page(&page, "nobody signed in");
    let step = world.last_step("authorize.login_page").await;
    assert_eq!(step["check"]["name"], "id_token_hint");
    assert!(!step.to_string().contains(old.id()));
}

#[tokio::test]
async fn op24_unreadable_hint_cannot_be_passed_by_the_continue_button() {
    let (old, world) = restarted().await;
    let mut browser = world.browser();
    browser.sign_in(&Ask::piper(), "richard").await;
    let readable = Ask::piper().set("prompt", "select_account");
    let page = browser.ask(&readable.clone().set("id_token_hint", old.id())).await;
    assert_sign_in_page(&page, "select_account");
    let refused = press_continue(&mut browser, &page).await;
    assert!(refused.location().starts_with("/login?r="), "{}", refused.location());
    // The neighbour: without the hint the button is good.
    let page = browser.ask(&readable).await;
    let reply = press_continue(&mut browser, &page).await;
    assert!(reply.param("code").is_some(), "{}", reply.location());
}

async fn press_continue(browser: &mut Browser<'_>, page: &Reply) -> Reply {
    let (r, csrf) = (page.hidden("r"), page.hidden("csrf"));
    browser.post("/login", &[("r", &*r), ("csrf", &*csrf), ("action", "continue")]).await
}

fn assert_sign_in_page(page: &Reply, why: &str) {
    assert_eq!(page.status, 200, "{why}: {}", page.location());
    assert!(page.shows("password"), "{why}");
}
