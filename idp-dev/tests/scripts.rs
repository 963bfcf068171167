//! What scripts of apps may call: CORS, `/userinfo`, `/jwks`, discovery.

#![allow(clippy::unwrap_used, reason = "what fails here is a failed test")]

mod common;

use common::{Ask, FORM, HOOLI_ORIGIN, PIPER, PIPER_ORIGIN, VERIFIER, World, encoded};

const FOR_SCRIPTS: [&str; 5] =
    ["/.well-known/openid-configuration", "/jwks", "/token", "/userinfo", "/session_events"];

/// The elements of a header that is a list.
fn list(header: &str) -> Vec<&str> {
    header.split(',').map(str::trim).collect()
}

#[tokio::test]
async fn s6_client_that_always_sends_a_proof_gets_bearer_tokens() {
    let world = World::new().await;
    let code = world.browser().code(&Ask::piper(), "richard").await;
    let form = encoded(&[
        ("grant_type", "authorization_code"),
        ("client_id", "pied-piper"),
        ("code", &code),
        ("redirect_uri", PIPER),
        ("code_verifier", VERIFIER),
    ]);
    let headers = [FORM, ("origin", PIPER_ORIGIN), ("dpop", "a.proof.jwt")];
    let reply = world.send("POST", "/token", &headers, Some(form)).await;
    assert_eq!(reply.ok_json()["token_type"], "Bearer");
}

#[tokio::test]
async fn s6_preflight_is_answered_without_credentials() {
    let world = World::new().await;
    for path in FOR_SCRIPTS {
        let headers = [
            ("origin", PIPER_ORIGIN),
            ("access-control-request-method", "POST"),
            ("access-control-request-headers", "authorization,content-type,dpop"),
        ];
        let reply = world.send("OPTIONS", path, &headers, None).await;
        assert_eq!(reply.status, 204, "{path}");
        assert_eq!(reply.header("access-control-allow-origin"), PIPER_ORIGIN);
        let allowed = list(reply.header("access-control-allow-headers"));
        for name in ["authorization", "content-type", "dpop"] {
            assert!(allowed.contains(&name), "{path}: {allowed:?}");
        }
        assert!(!allowed.contains(&"*") && !allowed.contains(&"cookie"), "{path}: {allowed:?}");
        assert!(reply.header("access-control-allow-methods").contains("POST"));
        assert!(!reply.has("access-control-allow-credentials"));
        assert!(reply.header("vary").contains("Origin"));
    }
}

#[tokio::test]
async fn op21_only_registered_origins_get_cors_headers() {
    let world = World::new().await;
    for origin in [
        "https://evil.example",
        "null",
        "http://pied-piper.localhost:8082",
        "https://pied-piper.localhost:8081",
        "http://pied-piper.localhost:8081/",
        "http://PIED-PIPER.localhost:8081",
        "http://localhost:8080",
        "*",
    ] {
        for path in FOR_SCRIPTS {
            for method in ["OPTIONS", "GET"] {
                let reply = world.send(method, path, &[("origin", origin)], None).await;
                assert!(!reply.has("access-control-allow-origin"), "{method} {path} {origin}");
                assert!(reply.header("vary").contains("Origin"));
                assert!(method != "OPTIONS" || reply.status == 204);
            }
        }
    }
}

#[tokio::test]
async fn op21_errors_are_readable_and_expose_what_clients_need() {
    let world = World::new().await;
    let headers = [FORM, ("origin", PIPER_ORIGIN)];
    let refused = world.send("POST", "/token", &headers, Some(String::new())).await;
    let wrong_method = world.send("GET", "/token", &[("origin", PIPER_ORIGIN)], None).await;
    let no_token = world.send("GET", "/userinfo", &[("origin", HOOLI_ORIGIN)], None).await;
    assert_eq!((refused.status, wrong_method.status, no_token.status), (400, 405, 401));
    for reply in [refused, wrong_method, no_token] {
        assert!(reply.has("access-control-allow-origin"));
        let exposed = list(reply.header("access-control-expose-headers"));
        assert_eq!(exposed, ["Date", "WWW-Authenticate", "Retry-After", "DPoP-Nonce"]);
        assert_eq!(reply.header("date"), "Fri, 21 Nov 2025 04:00:00 GMT");
    }
}

#[tokio::test]
async fn op21_pages_have_no_cors_at_all() {
    let world = World::new().await;
    for path in ["/", "/authorize", "/login", "/end_session", "/signed_out", "/assets/tokens.css"] {
        for method in ["GET", "OPTIONS"] {
            let reply = world.send(method, path, &[("origin", PIPER_ORIGIN)], None).await;
            assert!(!reply.has("access-control-allow-origin"), "{method} {path}");
        }
    }
}

#[tokio::test]
async fn date_follows_the_providers_clock() {
    let world = World::new().await;
    world.advance(86_400);
    assert_eq!(world.get("/health").await.header("date"), "Sat, 22 Nov 2025 04:00:00 GMT");
}

#[tokio::test]
async fn userinfo_serves_get_and_post_with_the_header_only() {
    let world = World::new().await;
    let tokens = world.browser().piper("richard").await;
    let bearer = format!("Bearer {}", tokens.access());
    for method in ["GET", "POST"] {
        let reply = world.send(method, "/userinfo", &[("authorization", &bearer)], None).await;
        let user = reply.ok_json();
        assert_eq!(user["sub"], tokens.claims()["sub"]);
        assert_eq!(user["name"], "Richard Hendricks");
        assert_eq!(user["given_name"], "Richard");
        assert_eq!(user["preferred_username"], "richard");
        assert_eq!(user["email_verified"], true);
    }
    let body = Some(format!("access_token={}", tokens.access()));
    assert_eq!(world.send("POST", "/userinfo", &[FORM], body).await.status, 401);
    let path = format!("/userinfo?access_token={}", tokens.access());
    assert_eq!(world.get(&path).await.status, 401);
}

#[tokio::test]
async fn userinfo_refuses_with_the_right_challenge() {
    let world = World::new().await;
    let mut browser = world.browser();
    let tokens = browser.piper("richard").await;
    let challenge = async |authorization: Option<&str>| {
        let headers: Vec<_> = authorization.map(|a| ("authorization", a)).into_iter().collect();
        let reply = world.send("GET", "/userinfo", &headers, None).await;
        (reply.status, reply.header("www-authenticate").to_owned())
    };
    let (status, text) = challenge(None).await;
    assert_eq!(status, 401);
    assert!(text.starts_with("Bearer") && !text.contains("error"), "{text}");
    for bad in [tokens.id(), tokens.refresh(), "x", &tokens.access()[1..]] {
        let (status, text) = challenge(Some(&format!("Bearer {bad}"))).await;
        assert_eq!(status, 401);
        assert!(text.contains("error=\"invalid_token\""), "{text}");
    }
    let (status, _) = challenge(Some("Basic x")).await;
    assert_eq!(status, 400);
    world.advance(299);
    assert_eq!(world.userinfo(tokens.access()).await.status, 200);
    world.advance(1);
    assert_eq!(world.userinfo(tokens.access()).await.status, 401);
}

#[tokio::test]
async fn s15_token_is_refused_after_sign_out() {
    let world = World::new().await;
    let mut browser = world.browser();
    let piper = browser.piper("richard").await;
    let hooli = browser.hooli("richard").await;
    browser.sign_out(&[("id_token_hint", hooli.id())]).await;
    for tokens in [piper, hooli] {
        let reply = world.userinfo(tokens.access()).await;
        assert_eq!(reply.status, 401);
        assert!(reply.header("www-authenticate").contains("invalid_token"));
    }
}

#[tokio::test]
async fn d2_tokens_of_another_provider_are_unknown() {
    let world = World::new().await;
    let other = World::new().await;
    let tokens = other.browser().piper("richard").await;
    assert_eq!(world.userinfo(tokens.access()).await.status, 401);
    assert_eq!(world.refresh("pied-piper", tokens.refresh()).await.error(), "invalid_grant");
}

#[tokio::test]
async fn op25_jwks_has_no_key_that_signs_nothing() {
    let world = World::with(|text| {
        let alg = "id_token_signed_response_alg = \"ES256\"";
        ["pied-piper", "hooli"].into_iter().fold(text, |text, id| {
            text.replacen(&format!("id = \"{id}\""), &format!("id = \"{id}\"\n{alg}"), 1)
        })
    })
    .await;
    let jwks = world.get("/jwks").await.ok_json();
    let algs: Vec<_> = jwks["keys"].as_array().unwrap().iter().map(|key| &key["alg"]).collect();
    assert_eq!(algs, ["ES256"]);
    // Every provider says that it can do RS256 (Discovery 3).
    let document = world.get("/.well-known/openid-configuration").await.ok_json();
    let supported = document["id_token_signing_alg_values_supported"].as_array().unwrap();
    assert!(supported.iter().any(|alg| alg == "RS256"));
}

#[tokio::test]
async fn op25_jwks_is_public() {
    let world = World::new().await;
    let reply = world.get("/jwks").await;
    assert!(reply.header("content-type").starts_with("application/json"));
    let jwks = reply.ok_json();
    let algs: Vec<_> = jwks["keys"].as_array().unwrap().iter().map(|key| &key["alg"]).collect();
    assert_eq!(algs, ["RS256", "ES256"]);
    assert!(!reply.body.contains("\"d\""));
}
