//! `/introspect` (RFC 7662): who may ask, about which tokens, and what is said.

#![allow(clippy::unwrap_used, reason = "what fails here is a failed test")]

mod common;

use base64ct::{Base64, Encoding};
use common::{FORM, PIPER_ORIGIN, Reply, START, Tokens, World, claims, encoded, jwt_header};
use serde_json::{Value, json};

const API: &str = "http://api.localhost:8085";

fn basic(id: &str, secret: &str) -> String {
    format!("Basic {}", Base64::encode_string(format!("{id}:{secret}").as_bytes()))
}

async fn ask_as(world: &World, authorization: &str, form: &[(&str, &str)]) -> Reply {
    let headers = [FORM, ("authorization", authorization)];
    world.send("POST", "/introspect", &headers, Some(encoded(form))).await
}

async fn ask(world: &World, token: &str) -> Value {
    let reply = ask_as(world, &basic("demo-api", "demo-api-secret"), &[("token", token)]).await;
    assert_eq!(reply.header("cache-control"), "no-store");
    reply.ok_json()
}

async fn assert_inactive(world: &World, token: &str, check: &str) {
    assert_eq!(ask(world, token).await, json!({ "active": false }), "{check}: and nothing more");
    let step = world.last_step("introspection.answered").await;
    assert_eq!(step["check"], json!({ "name": check, "outcome": "failed" }));
    assert_eq!(step["received"]["active"], false);
    assert_eq!(step["received"]["resource_server"], "demo-api");
}

/// Pied Piper's tokens are for nobody but the provider.
async fn world_without_audience() -> World {
    World::with(|text| text.replacen("audiences = [\"http://api.localhost:8085\"]\n", "", 1)).await
}

#[tokio::test]
async fn good_token_is_told_with_what_stands_in_it() {
    let world = World::new().await;
    let tokens = world.browser().piper("richard").await;
    let own = claims(tokens.access());
    let said = ask(&world, tokens.access()).await;
    assert_eq!(said["active"], true);
    assert_eq!(said["token_type"], "Bearer");
    for name in ["iss", "sub", "aud", "client_id", "scope", "iat", "exp", "jti", "auth_time", "acr"]
    {
        assert!(!said[name].is_null(), "{name}");
        assert_eq!(said[name], own[name], "{name}");
    }
    assert_eq!(said["exp"], START + 300);
    assert_eq!(said.get("username"), None);
    let step = world.last_step("introspection.answered").await;
    assert_eq!(step["check"], json!({ "name": "active", "outcome": "passed" }));
    assert_eq!(step["client_id"], "pied-piper");
}

#[tokio::test]
async fn s15_token_is_inactive_at_once_after_sign_out() {
    let world = World::new().await;
    let mut browser = world.browser();
    let piper = browser.piper("richard").await;
    let hooli = browser.hooli("richard").await;
    browser.sign_out(&[("id_token_hint", hooli.id())]).await;
    for tokens in [&piper, &hooli] {
        assert_inactive(&world, tokens.access(), "session").await;
    }
}

#[tokio::test]
async fn s15_token_is_inactive_when_the_session_ends_by_itself_or_by_an_administrator() {
    let world = World::new().await;
    let tokens = world.browser().piper("richard").await;
    let id = world.sessions().await[0]["id"].as_str().unwrap().to_owned();
    world.control("DELETE", &format!("/sessions/{id}"), None).await;
    assert_inactive(&world, tokens.access(), "session").await;

    let world =
        World::with(|text| text.replacen("idle_lifetime = 1800", "idle_lifetime = 60", 1)).await;
    let tokens = world.browser().piper("richard").await;
    world.advance(60);
    assert_inactive(&world, tokens.access(), "session").await;
}

#[tokio::test]
async fn revoked_token_is_inactive() {
    let world = World::new().await;
    let mut browser = world.browser();
    let tokens = browser.piper("richard").await;
    let beside = browser.piper("richard").await;
    let form = [("client_id", "pied-piper"), ("token", tokens.refresh())];
    assert_eq!(world.send("POST", "/revoke", &[FORM], Some(encoded(&form))).await.status, 200);
    assert_inactive(&world, tokens.access(), "session").await;
    assert_eq!(ask(&world, beside.access()).await["active"], true);
}

#[tokio::test]
async fn expired_token_is_inactive_and_the_refreshed_one_is_not() {
    let world = World::new().await;
    let tokens = world.browser().piper("richard").await;
    world.advance(299);
    assert_eq!(ask(&world, tokens.access()).await["active"], true);
    world.advance(1);
    assert_inactive(&world, tokens.access(), "exp").await;
    let tokens = Tokens(world.refresh("pied-piper", tokens.refresh()).await.ok_json());
    assert_eq!(ask(&world, tokens.access()).await["active"], true);
}

#[tokio::test]
async fn token_for_another_audience_is_inactive() {
    let world = world_without_audience().await;
    let mut browser = world.browser();
    let piper = browser.piper("richard").await;
    assert_inactive(&world, piper.access(), "aud").await;
    let hooli = browser.hooli("richard").await;
    assert_eq!(ask(&world, hooli.access()).await["active"], true);
}

#[tokio::test]
async fn only_access_tokens_of_this_provider_are_active() {
    let world = World::new().await;
    let other = World::new().await;
    let tokens = world.browser().piper("richard").await;
    let foreign = other.browser().piper("richard").await;
    let (head, signature) = tokens.access().rsplit_once('.').unwrap();
    let mut flipped = signature.to_owned();
    flipped.replace_range(0..1, if signature.starts_with('A') { "B" } else { "A" });
    let flipped = format!("{head}.{flipped}");
    for bad in ["x", "a.b.c", &flipped, tokens.id(), tokens.refresh(), foreign.access()] {
        assert_inactive(&world, bad, "token").await;
    }
}

#[tokio::test]
async fn op15_only_a_configured_server_with_its_secret_may_ask() {
    let world = World::new().await;
    let tokens = world.browser().piper("richard").await;
    let form = [("token", tokens.access())];
    for wrong in [
        basic("demo-api", "wrong"),
        basic("demo-api", ""),
        basic("demo-api", "demo-api-secre"),
        basic("demo-api", "demo-api-secret2"),
        basic("demo-apo", "demo-api-secret"),
        basic("pied-piper", ""),
        "Basic".to_owned(),
        format!("Bearer {}", tokens.access()),
    ] {
        let reply = ask_as(&world, &wrong, &form).await;
        assert_eq!((reply.status, reply.error().as_str()), (401, "invalid_client"), "{wrong}");
        assert!(reply.header("www-authenticate").starts_with("Basic "));
        assert!(!reply.body.contains("active"));
    }
    let body = Some(encoded(&form));
    assert_eq!(world.send("POST", "/introspect", &[FORM], body).await.status, 401);
    // The secret in the body is not taken: it has one place.
    let form = [
        ("token", tokens.access()),
        ("client_id", "demo-api"),
        ("client_secret", "demo-api-secret"),
    ];
    assert_eq!(world.send("POST", "/introspect", &[FORM], Some(encoded(&form))).await.status, 401);
    let timeline = world.control("GET", "/timeline", None).await.body;
    assert!(!timeline.contains("demo-api-secret"), "the secret is masked");
    assert!(!timeline.contains(tokens.access()));
}

#[tokio::test]
async fn op22_form_is_checked() {
    let world = World::new().await;
    let good = basic("demo-api", "demo-api-secret");
    assert_eq!(ask_as(&world, &good, &[]).await.error(), "invalid_request");
    assert_eq!(ask_as(&world, &good, &[("token", "a"), ("token", "b")]).await.status, 400);
    assert_eq!(world.get("/introspect?token=x").await.status, 405);
    let headers = [FORM, ("authorization", good.as_str())];
    let reply = world.send("POST", "/introspect?token=x", &headers, Some("token=x".into())).await;
    assert_eq!(reply.status, 400);
    assert_eq!(
        ask_as(&world, &good, &[("token", "x"), ("token_type_hint", "y")]).await.status,
        200
    );
}

#[tokio::test]
async fn op21_no_page_may_read_an_answer() {
    let world = World::new().await;
    let preflight = [("origin", PIPER_ORIGIN), ("access-control-request-method", "POST")];
    let reply = world.send("OPTIONS", "/introspect", &preflight, None).await;
    assert!(!reply.has("access-control-allow-origin"));
    let authorization = basic("demo-api", "demo-api-secret");
    let headers = [FORM, ("authorization", authorization.as_str()), ("origin", PIPER_ORIGIN)];
    let reply = world.send("POST", "/introspect", &headers, Some("token=x".into())).await;
    assert_eq!(reply.status, 200);
    assert!(!reply.has("access-control-allow-origin"));
}

#[tokio::test]
async fn discovery_names_the_endpoint() {
    let world = World::new().await;
    let document = world.get("/.well-known/openid-configuration").await.ok_json();
    assert_eq!(document["introspection_endpoint"], format!("{}/introspect", world.issuer));
    let methods = json!(["client_secret_basic"]);
    assert_eq!(document["introspection_endpoint_auth_methods_supported"], methods);
}

/// RFC 9068, 2.1 and 2.2.
#[tokio::test]
async fn access_token_is_one_of_rfc_9068() {
    let world = World::new().await;
    let mut browser = world.browser();
    let tokens = browser.piper("richard").await;
    let header = jwt_header(tokens.access());
    assert_eq!(header["typ"], "at+jwt");
    assert_eq!(header["alg"], "ES256");
    let jwks = world.get("/jwks").await.ok_json();
    let keys = jwks["keys"].as_array().unwrap();
    assert!(keys.iter().any(|key| key["kid"] == header["kid"] && key["alg"] == "ES256"));
    let first = claims(tokens.access());
    assert_eq!(first["iss"], world.issuer.as_str());
    assert_eq!(first["aud"], json!([world.issuer, API]));
    assert_eq!(first["sub"], tokens.claims()["sub"]);
    assert_eq!(first["client_id"], "pied-piper");
    assert_eq!(first["scope"], "openid profile email");
    assert_eq!((&first["iat"], &first["exp"]), (&json!(START), &json!(START + 300)));
    assert_eq!((&first["auth_time"], &first["acr"]), (&json!(START), &json!("1")));
    world.advance(10);
    let second = Tokens(world.refresh("pied-piper", tokens.refresh()).await.ok_json());
    let second = claims(second.access());
    assert_ne!(first["jti"], second["jti"]);
    assert_eq!(second["iat"], START + 10);
    assert_eq!(second["auth_time"], START, "2.2.1: a refresh does not move it");
    // 2.2.2: nothing about the person beyond who it is.
    assert_eq!((first.get("name"), first.get("email")), (None, None));
}
