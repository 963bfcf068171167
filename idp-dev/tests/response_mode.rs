//! `response_mode`: where in the redirect URI the answer stands.

#![allow(clippy::unwrap_used, reason = "what fails here is a failed test")]

mod common;

use common::{Ask, PIPER, Reply, World};

fn fragment() -> Ask {
    Ask::piper().set("response_mode", "fragment")
}

/// The answer is in the fragment, `iss` and `state` with it, and nothing is in the query.
fn assert_in_fragment(reply: &Reply, world: &World, why: &str) {
    assert_eq!(reply.status, 303, "{why}: {}", reply.body);
    let location = reply.location();
    assert!(location.starts_with(&format!("{PIPER}#")), "{why}: {location}");
    assert!(!location.contains('?'), "{why}: {location}");
    assert_eq!(reply.fragment_param("iss").as_deref(), Some(&*world.issuer), "{why}");
    assert_eq!(reply.fragment_param("state").as_deref(), Some("the-state"), "{why}");
}

#[tokio::test]
async fn op8_fragment_carries_code_state_and_iss() {
    let world = World::new().await;
    let mut browser = world.browser();
    let after_form = browser.sign_in(&fragment(), "richard").await;
    let silent = browser.ask(&fragment().set("prompt", "none")).await;
    for (why, reply) in [("after the form", after_form), ("silent", silent)] {
        assert_in_fragment(&reply, &world, why);
        let code = reply.fragment_param("code").unwrap();
        assert_eq!(world.redeem(&code).await.status, 200, "{why}");
    }
    // The neighbours: the query, named or not.
    for ask in [Ask::piper(), Ask::piper().set("response_mode", "query")] {
        let reply = browser.ask(&ask).await;
        assert!(reply.param("code").is_some(), "{}", reply.location());
        assert!(!reply.location().contains('#'), "{}", reply.location());
    }
}

#[tokio::test]
async fn op8_fragment_carries_errors() {
    let world = World::new().await;
    for (error, ask) in [
        ("login_required", fragment().set("prompt", "none")),
        ("invalid_scope", fragment().without("scope")),
        ("invalid_request", fragment().without("code_challenge")),
        ("invalid_request", fragment().set("nonce", "a").also("nonce", "a")),
        ("unsupported_response_type", fragment().set("response_type", "token")),
        ("request_not_supported", fragment().set("request", "x")),
    ] {
        let reply = world.get(&ask.path()).await;
        assert_in_fragment(&reply, &world, error);
        assert_eq!(reply.fragment_param("error").as_deref(), Some(error));
        assert_eq!(reply.fragment_param("code"), None, "{error}");
    }
    let mut browser = world.browser();
    let page = browser.ask(&fragment()).await;
    let (r, csrf) = (page.hidden("r"), page.hidden("csrf"));
    let form = [("r", &*r), ("csrf", &*csrf), ("action", "cancel")];
    let reply = browser.post("/login", &form).await;
    assert_in_fragment(&reply, &world, "cancelled");
    assert_eq!(reply.fragment_param("error").as_deref(), Some("access_denied"));
}

#[tokio::test]
async fn f14_way_back_of_a_person_who_is_not_assigned_keeps_the_mode() {
    let world = World::with(|text| {
        text.replacen("users = [\"richard\", \"gavin\", \"dinesh\"]", "users = [\"gavin\"]", 1)
    })
    .await;
    let mut browser = world.browser();
    let reply = browser.sign_in(&fragment(), "dinesh").await;
    let page = browser.follow(reply).await;
    let back = page.href("back-to-app");
    assert!(back.starts_with(&format!("{PIPER}#error=access_denied&")), "{back}");
}

#[tokio::test]
async fn op8_mode_that_is_not_offered_is_refused_by_query() {
    let world = World::new().await;
    for mode in
        ["form_post", "Fragment", "FRAGMENT", "fragment ", "query fragment", "jwt", "fragment.jwt"]
    {
        let reply = world.get(&Ask::piper().set("response_mode", mode).path()).await;
        reply.assert_error_redirect("invalid_request", &world.issuer, mode);
        assert!(!reply.location().contains('#'), "{mode}: {}", reply.location());
        assert_eq!(world.last_step("authorize.error").await["check"]["name"], "response_mode");
    }
    // Twice: nobody knows which, so the default.
    let reply = world.get(&fragment().also("response_mode", "fragment").path()).await;
    reply.assert_error_redirect("invalid_request", &world.issuer, "twice");
}

#[tokio::test]
async fn op2_fragment_makes_a_bad_uri_no_better() {
    let world = World::new().await;
    for ask in [
        fragment().set("redirect_uri", "http://evil.example/"),
        fragment().set("redirect_uri", &format!("{PIPER}#")),
        fragment().set("client_id", "nobody"),
    ] {
        world.get(&ask.path()).await.assert_error_page(&ask.query());
    }
}
