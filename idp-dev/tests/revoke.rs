//! `/revoke` (RFC 7009): what an app gives back is good for nothing, and nothing else changes.

#![allow(clippy::unwrap_used, reason = "what fails here is a failed test")]

mod common;

use common::{Ask, FORM, PIPER_ORIGIN, Reply, Tokens, World, encoded};

async fn revoke(world: &World, form: &[(&str, &str)]) -> Reply {
    world.send("POST", "/revoke", &[FORM], Some(encoded(form))).await
}

async fn revoke_of(world: &World, client: &str, token: &str) -> Reply {
    revoke(world, &[("client_id", client), ("token", token)]).await
}

async fn assert_dead(world: &World, tokens: &Tokens) {
    assert_eq!(world.userinfo(tokens.access()).await.status, 401);
    let client = tokens.claims()["aud"].as_str().unwrap().to_owned();
    assert_eq!(world.refresh(&client, tokens.refresh()).await.error(), "invalid_grant");
}

#[tokio::test]
async fn op6_refresh_token_is_revoked_with_its_whole_family() {
    let world = World::new().await;
    let mut browser = world.browser();
    let first = browser.piper("richard").await;
    let second = Tokens(world.refresh("pied-piper", first.refresh()).await.ok_json());
    let reply = revoke_of(&world, "pied-piper", second.refresh()).await;
    assert_eq!((reply.status, reply.body.as_str()), (200, ""));
    assert_eq!(reply.header("cache-control"), "no-store");
    assert_dead(&world, &second).await;
    assert_eq!(world.userinfo(first.access()).await.status, 401, "the older access token too");
    let step = world.last_step("token.revoked").await;
    assert_eq!(step["client_id"], "pied-piper");
    assert_eq!(step["user"], "richard");
    let names = world.step_names().await;
    let at = |name: &str| names.iter().position(|own| own == name).unwrap();
    assert!(at("revocation.received") < at("token.revoked"));
    assert!(at("token.revoked") < at("grants.revoked"));
}

#[tokio::test]
async fn past_refresh_token_revokes_the_family_too() {
    let world = World::new().await;
    let first = world.browser().piper("richard").await;
    let second = Tokens(world.refresh("pied-piper", first.refresh()).await.ok_json());
    assert_eq!(revoke_of(&world, "pied-piper", first.refresh()).await.status, 200);
    assert_dead(&world, &second).await;
}

#[tokio::test]
async fn access_token_is_revoked_with_what_came_with_it_even_when_it_has_expired() {
    let world = World::new().await;
    let mut browser = world.browser();
    let tokens = browser.piper("richard").await;
    assert_eq!(revoke_of(&world, "pied-piper", tokens.access()).await.status, 200);
    assert_dead(&world, &tokens).await;
    let tokens = browser.piper("richard").await;
    world.advance(300);
    assert_eq!(revoke_of(&world, "pied-piper", tokens.access()).await.status, 200);
    assert_eq!(world.refresh("pied-piper", tokens.refresh()).await.error(), "invalid_grant");
}

#[tokio::test]
async fn revocation_ends_no_session_and_touches_no_other_sign_in() {
    let world = World::new().await;
    let mut browser = world.browser();
    let piper = browser.piper("richard").await;
    let beside = browser.piper("richard").await;
    let hooli = browser.hooli("richard").await;
    let mut events = world.events(piper.access(), None).await;
    assert_eq!(events.next().await.unwrap().event, "open");
    assert_eq!(revoke_of(&world, "pied-piper", piper.refresh()).await.status, 200);
    assert_eq!(events.next().await, None, "its stream ends, without a logout event");
    for tokens in [&beside, &hooli] {
        assert_eq!(world.userinfo(tokens.access()).await.status, 200);
    }
    assert_eq!(world.sessions().await.len(), 1);
    assert!(browser.ask(&Ask::piper()).await.param("code").is_some(), "no password is asked for");
    assert!(!world.step_names().await.contains(&"session.ended".to_owned()));
}

#[tokio::test]
async fn token_of_another_client_is_refused_without_effect() {
    let world = World::new().await;
    let tokens = world.browser().piper("richard").await;
    for token in [tokens.refresh(), tokens.access()] {
        let reply = revoke_of(&world, "hooli", token).await;
        assert_eq!((reply.status, reply.error().as_str()), (400, "invalid_grant"));
        let step = world.last_step("revocation.refused").await;
        assert_eq!(step["check"]["name"], "token_client");
    }
    assert_eq!(world.userinfo(tokens.access()).await.status, 200);
    assert_eq!(world.refresh("pied-piper", tokens.refresh()).await.status, 200);
}

#[tokio::test]
async fn unknown_and_dead_tokens_are_answered_200() {
    let world = World::new().await;
    let tokens = world.browser().piper("richard").await;
    let flipped = tokens.access().replacen('.', ".A", 1);
    for unknown in ["x", "a.1.b", &flipped, tokens.id()] {
        assert_eq!(revoke_of(&world, "pied-piper", unknown).await.status, 200, "{unknown}");
    }
    assert_eq!(world.userinfo(tokens.access()).await.status, 200, "nothing was revoked");
    for _ in 0..2 {
        assert_eq!(revoke_of(&world, "pied-piper", tokens.refresh()).await.status, 200);
    }
    let names = world.step_names().await;
    let count = |name: &str| names.iter().filter(|own| *own == name).count();
    assert_eq!((count("token.revoked"), count("revocation.unneeded")), (1, 5));
}

#[tokio::test]
async fn hint_is_no_more_than_a_hint() {
    let world = World::new().await;
    for hint in ["refresh_token", "access_token", "something_else"] {
        let tokens = world.browser().piper("richard").await;
        let form =
            [("client_id", "pied-piper"), ("token", tokens.refresh()), ("token_type_hint", hint)];
        assert_eq!(revoke(&world, &form).await.status, 200, "{hint}");
        assert_dead(&world, &tokens).await;
    }
}

#[tokio::test]
async fn op22_form_is_checked_like_that_of_the_token_endpoint() {
    let world = World::new().await;
    let tokens = world.browser().piper("richard").await;
    let token = tokens.refresh();
    for (status, error, form) in [
        (400, "invalid_request", vec![("client_id", "pied-piper")]),
        (400, "invalid_request", vec![("token", token)]),
        (401, "invalid_client", vec![("client_id", "nobody"), ("token", token)]),
        (
            401,
            "invalid_client",
            vec![("client_id", "pied-piper"), ("token", token), ("client_secret", "x")],
        ),
        (
            400,
            "invalid_request",
            vec![("client_id", "pied-piper"), ("token", token), ("token", token)],
        ),
    ] {
        let reply = revoke(&world, &form).await;
        assert_eq!((reply.status, reply.error().as_str()), (status, error), "{form:?}");
    }
    let path = format!("/revoke?{}", encoded(&[("token", token)]));
    let body = Some(encoded(&[("client_id", "pied-piper"), ("token", token)]));
    assert_eq!(world.send("POST", &path, &[FORM], body.clone()).await.status, 400);
    let json = [("content-type", "application/json")];
    assert_eq!(world.send("POST", "/revoke", &json, body.clone()).await.status, 415);
    let basic = [FORM, ("authorization", "Basic eDp5")];
    assert_eq!(world.send("POST", "/revoke", &basic, body).await.status, 401);
    assert_eq!(world.get("/revoke").await.status, 405);
    assert_eq!(world.userinfo(tokens.access()).await.status, 200, "nothing was revoked");
}

#[tokio::test]
async fn op21_scripts_of_registered_origins_may_revoke() {
    let world = World::new().await;
    let tokens = world.browser().piper("richard").await;
    let preflight = [("origin", PIPER_ORIGIN), ("access-control-request-method", "POST")];
    let reply = world.send("OPTIONS", "/revoke", &preflight, None).await;
    assert_eq!(reply.header("access-control-allow-origin"), PIPER_ORIGIN);
    for (origin, allowed) in [(PIPER_ORIGIN, PIPER_ORIGIN), ("http://evil.example", "")] {
        let body = Some(encoded(&[("client_id", "pied-piper"), ("token", tokens.refresh())]));
        let reply = world.send("POST", "/revoke", &[FORM, ("origin", origin)], body).await;
        assert_eq!(reply.header("access-control-allow-origin"), allowed, "{origin}");
        assert!(!reply.has("access-control-allow-credentials"));
    }
}

#[tokio::test]
async fn op20_no_token_is_in_the_timeline() {
    let world = World::new().await;
    let tokens = world.browser().piper("richard").await;
    for token in [tokens.refresh(), tokens.access()] {
        revoke_of(&world, "pied-piper", token).await;
        let timeline = world.control("GET", "/timeline", None).await.body;
        assert!(!timeline.contains(token) && !timeline.contains(&token[..20]));
    }
}

#[tokio::test]
async fn discovery_names_the_endpoint() {
    let world = World::new().await;
    let document = world.get("/.well-known/openid-configuration").await.ok_json();
    assert_eq!(document["revocation_endpoint"], format!("{}/revoke", world.issuer));
    let methods = serde_json::json!(["none"]);
    assert_eq!(document["revocation_endpoint_auth_methods_supported"], methods);
}
