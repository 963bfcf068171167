//! `/token`: codes and refresh tokens, each with its rejected neighbours.

#![allow(clippy::unwrap_used, reason = "what fails here is a failed test")]

mod common;

use serde_json::json;

use common::{Ask, FORM, HOOLI, PIPER, Reply, START, Tokens, VERIFIER, World, claims, encoded};

#[tokio::test]
async fn d9_code_gives_tokens_that_say_who_and_how() {
    let world = World::new().await;
    let tokens = world.browser().piper("richard").await;
    assert_eq!(tokens.0["token_type"], "Bearer");
    assert_eq!(tokens.0["expires_in"], 300);
    assert_eq!(tokens.0["scope"], "openid profile email");
    let id = tokens.claims();
    assert_eq!(id["iss"], world.issuer.as_str());
    assert_eq!(id["aud"], "pied-piper");
    assert_eq!(id["nonce"], "the-nonce");
    assert_eq!((&id["iat"], &id["exp"]), (&START.into(), &(START + 300).into()));
    assert_eq!(id["auth_time"], START);
    assert_eq!(id["acr"], "1");
    assert_eq!(id["amr"], serde_json::json!(["pwd"]));
    assert!(!id["sid"].as_str().unwrap().is_empty());
    assert_eq!(id["name"], "Richard Hendricks");
    let access = claims(tokens.access());
    assert_eq!(access["aud"], serde_json::json!([world.issuer, "http://api.localhost:8085"]));
    assert_eq!(access["client_id"], "pied-piper");
    assert_eq!(access["sub"], id["sub"]);
    assert_eq!(common::jwt_header(tokens.access())["typ"], "at+jwt");
}

#[tokio::test]
async fn c8_two_clients_get_different_tokens_of_one_session() {
    let world = World::new().await;
    let mut browser = world.browser();
    let piper = browser.piper("richard").await.claims();
    let hooli = browser.hooli("richard").await.claims();
    assert_eq!(piper["sub"], hooli["sub"]);
    assert_ne!(piper["aud"], hooli["aud"]);
    assert_ne!(piper["sid"], hooli["sid"]);
    assert_eq!(browser.piper("richard").await.claims()["sid"], piper["sid"], "stable");
}

#[tokio::test]
async fn op23_claims_follow_the_scopes() {
    let world = World::new().await;
    let mut browser = world.browser();
    let code = browser.code(&Ask::piper().set("scope", "openid"), "richard").await;
    let tokens = Tokens(world.redeem(&code).await.ok_json());
    let id = tokens.claims();
    assert_eq!((id.get("name"), id.get("email"), id.get("given_name")), (None, None, None));
    let user = world.userinfo(tokens.access()).await.ok_json();
    assert_eq!(user.as_object().unwrap().len(), 1, "{user}");
    let code = browser.code(&Ask::piper().set("scope", "openid email"), "richard").await;
    let tokens = Tokens(world.redeem(&code).await.ok_json());
    let user = world.userinfo(tokens.access()).await.ok_json();
    assert_eq!(user["email"], "richard@piedpiper.example");
    assert_eq!(user.get("name"), None);
}

#[tokio::test]
async fn op4_verifier_must_belong_to_the_challenge() {
    let world = World::new().await;
    let mut browser = world.browser();
    let form = |code: &str| {
        vec![
            ("grant_type", "authorization_code".to_owned()),
            ("client_id", "pied-piper".to_owned()),
            ("redirect_uri", PIPER.to_owned()),
            ("code", code.to_owned()),
        ]
    };
    for (verifier, error) in [
        (None, "invalid_request"),
        (Some(String::new()), "invalid_request"),
        (Some("short".to_owned()), "invalid_grant"),
        (Some(common::CHALLENGE.to_owned()), "invalid_grant"),
        (Some(VERIFIER.to_uppercase()), "invalid_grant"),
        (Some(format!("{VERIFIER}x")), "invalid_grant"),
        (Some(VERIFIER[..VERIFIER.len() - 1].to_owned()), "invalid_grant"),
        (Some("v".repeat(129)), "invalid_grant"),
    ] {
        let code = browser.code(&Ask::piper(), "richard").await;
        let mut form = form(&code);
        if let Some(verifier) = &verifier {
            form.push(("code_verifier", verifier.clone()));
        }
        let form: Vec<(&str, &str)> = form.iter().map(|(n, v)| (*n, v.as_str())).collect();
        let reply = world.token(&form).await;
        assert_eq!((reply.status, reply.error().as_str()), (400, error), "{verifier:?}");
    }
}

#[tokio::test]
async fn op5_code_is_bound_to_client_and_redirect_uri() {
    let world = World::new().await;
    let mut browser = world.browser();
    let code = browser.code(&Ask::piper(), "richard").await;
    let reply = world.redeem_for("hooli", PIPER, &code).await;
    assert_eq!(reply.error(), "invalid_grant");
    let step = world.last_step("token.refused").await;
    assert_eq!(step["check"]["name"], "code_client");
    // Presented once, used up: whoever tried had no business with it.
    assert_eq!(world.redeem(&code).await.error(), "invalid_grant");

    let code = browser.code(&Ask::piper(), "richard").await;
    let reply = world.redeem_for("pied-piper", "http://pied-piper.localhost:8081", &code).await;
    assert_eq!(reply.error(), "invalid_grant");
    let code = browser.code(&Ask::piper(), "richard").await;
    let reply = world.redeem_for("pied-piper", "", &code).await;
    assert_eq!(reply.error(), "invalid_request");
    for unknown in ["x", "", &VERIFIER.repeat(3)] {
        assert_eq!(world.redeem(unknown).await.status, 400, "{unknown}");
    }
}

#[tokio::test]
async fn op5_replayed_code_revokes_what_it_gave() {
    let world = World::new().await;
    let mut browser = world.browser();
    let code = browser.code(&Ask::piper(), "richard").await;
    let tokens = Tokens(world.redeem(&code).await.ok_json());
    let mut events = world.events(tokens.access(), None).await;
    assert_eq!(events.next().await.unwrap().event, "open");
    let other = browser.hooli("richard").await;
    assert_eq!(world.userinfo(tokens.access()).await.status, 200);
    assert_eq!(world.redeem(&code).await.error(), "invalid_grant");
    assert_eq!(world.userinfo(tokens.access()).await.status, 401);
    assert_eq!(world.refresh("pied-piper", tokens.refresh()).await.error(), "invalid_grant");
    assert_eq!(events.next().await, None, "its stream ends, without a logout event");
    // The session and other apps go on.
    assert_eq!(world.userinfo(other.access()).await.status, 200);
    assert_eq!(browser.ask(&Ask::piper()).await.status, 303);
    let names = world.step_names().await;
    assert!(names.contains(&"token.replayed".to_owned()), "{names:?}");
}

#[tokio::test]
async fn op5_of_two_simultaneous_redemptions_at_most_one_succeeds() {
    let world = World::new().await;
    let mut browser = world.browser();
    for _ in 0..20 {
        let code = browser.code(&Ask::piper(), "richard").await;
        let (a, b) = tokio::join!(world.redeem(&code), world.redeem(&code));
        let statuses = [a.status, b.status];
        assert!(statuses.contains(&400), "{statuses:?}");
        // Whoever won holds tokens that the replay has revoked.
        for reply in [a, b].iter().filter(|reply| reply.status == 200) {
            let access = reply.json()["access_token"].as_str().unwrap().to_owned();
            assert_eq!(world.userinfo(&access).await.status, 401);
        }
    }
}

#[tokio::test]
async fn d10_code_lifetime_is_60_seconds() {
    let world = World::new().await;
    let mut browser = world.browser();
    let code = browser.code(&Ask::piper(), "richard").await;
    world.advance(59);
    assert_eq!(world.redeem(&code).await.status, 200);
    let code = browser.code(&Ask::piper(), "richard").await;
    world.advance(60);
    assert_eq!(world.redeem(&code).await.error(), "invalid_grant");
    let step = world.last_step("token.refused").await;
    assert_eq!(step["check"]["name"], "code_lifetime");
}

#[tokio::test]
async fn code_of_a_session_that_ended_gives_nothing() {
    let world = World::new().await;
    let mut browser = world.browser();
    let tokens = browser.piper("richard").await;
    let code = browser.code(&Ask::piper(), "richard").await;
    browser.sign_out(&[("id_token_hint", tokens.id())]).await;
    assert_eq!(world.redeem(&code).await.error(), "invalid_grant");
}

#[tokio::test]
async fn f21_op6_refresh_rotates_and_reuse_revokes_the_family() {
    let world = World::new().await;
    let mut browser = world.browser();
    let first = browser.piper("richard").await;
    world.advance(100);
    let second = Tokens(world.refresh("pied-piper", first.refresh()).await.ok_json());
    assert_ne!(first.refresh(), second.refresh());
    assert_ne!(first.access(), second.access());
    let (old, new) = (first.claims(), second.claims());
    for same in ["iss", "sub", "aud", "sid", "auth_time", "acr", "amr"] {
        assert_eq!(old[same], new[same], "{same}");
    }
    assert_eq!(new.get("nonce"), None, "Core 12.2");
    assert_eq!(new["iat"], START + 100);
    let third = Tokens(world.refresh("pied-piper", second.refresh()).await.ok_json());
    // A past one: the whole family is gone, the newest token too.
    assert_eq!(world.refresh("pied-piper", first.refresh()).await.error(), "invalid_grant");
    assert_eq!(world.refresh("pied-piper", third.refresh()).await.error(), "invalid_grant");
    assert_eq!(world.userinfo(third.access()).await.status, 401);
    let step = world.last_step("token.replayed").await;
    assert_eq!(step["check"]["name"], "refresh_token_rotation");
    assert_eq!(browser.ask(&Ask::piper()).await.status, 303, "the person stays signed in");
}

#[tokio::test]
async fn f21_op6_with_a_grace_a_lost_answer_is_given_again() {
    let world = World::with(|text| text.replacen("token_grace = 0", "token_grace = 30", 1)).await;
    let mut browser = world.browser();
    let first = browser.piper("richard").await;
    let lost = Tokens(world.refresh("pied-piper", first.refresh()).await.ok_json());
    world.advance(29);
    let again = Tokens(world.refresh("pied-piper", first.refresh()).await.ok_json());
    assert_eq!(lost.refresh(), again.refresh());
    assert_eq!(world.userinfo(again.access()).await.status, 200);
    let next = Tokens(world.refresh("pied-piper", again.refresh()).await.ok_json());
    // Two before: somebody has a copy.
    assert_eq!(world.refresh("pied-piper", first.refresh()).await.error(), "invalid_grant");
    assert_eq!(world.refresh("pied-piper", next.refresh()).await.error(), "invalid_grant");
    world.last_step("token.replayed").await;
}

#[tokio::test]
async fn f21_op6_a_grace_has_an_end_and_is_none_before_its_time() {
    // A clock that is set back says nothing of how long ago the token was used.
    for seconds in [30, -1] {
        let world =
            World::with(|text| text.replacen("token_grace = 0", "token_grace = 30", 1)).await;
        let first = world.browser().piper("richard").await;
        let now = world.clock.now();
        world.refresh("pied-piper", first.refresh()).await.ok_json();
        world.clock.set(idp_dev::UnixTime::from_seconds(now.seconds() + seconds));
        let late = world.refresh("pied-piper", first.refresh()).await;
        assert_eq!(late.error(), "invalid_grant", "{seconds}");
    }
}

#[tokio::test]
async fn op6_refresh_is_bound_to_the_client_and_cannot_grow() {
    let world = World::new().await;
    let mut browser = world.browser();
    let code = browser.code(&Ask::piper().set("scope", "openid email"), "richard").await;
    let tokens = Tokens(world.redeem(&code).await.ok_json());
    assert_eq!(world.refresh("hooli", tokens.refresh()).await.error(), "invalid_grant");
    for wide in ["openid profile", "profile", "openid email admin", " "] {
        let refused = refresh_with_scope(&world, tokens.refresh(), wide).await;
        assert_eq!(refused.error(), "invalid_scope", "{wide}");
    }
    let narrow = refresh_with_scope(&world, tokens.refresh(), "openid").await.ok_json();
    assert_eq!(narrow["scope"], "openid");
    let user = world.userinfo(narrow["access_token"].as_str().unwrap()).await.ok_json();
    assert_eq!(user.get("email"), None);
    // The grant itself is as wide as before.
    let token = narrow["refresh_token"].as_str().unwrap();
    let wide = refresh_with_scope(&world, token, "openid email").await;
    assert_eq!(wide.status, 200, "{}", wide.body);
    for bad in ["", "x", "a.1.b", tokens.access(), tokens.id()] {
        assert_eq!(world.refresh("pied-piper", bad).await.status, 400, "{bad}");
    }
}

/// A refresh of Pied Piper that names a scope.
async fn refresh_with_scope(world: &World, token: &str, scope: &str) -> Reply {
    refresh_with(world, token, ("scope", scope)).await
}

async fn refresh_with(world: &World, token: &str, what: (&str, &str)) -> Reply {
    world
        .token(&[
            ("grant_type", "refresh_token"),
            ("client_id", "pied-piper"),
            ("refresh_token", token),
            what,
        ])
        .await
}

#[tokio::test]
async fn op6_refresh_for_one_resource_gives_a_token_for_that_alone() {
    const API: &str = "http://api.localhost:8085";
    let world = World::new().await;
    let code = world.browser().code(&Ask::piper(), "richard").await;
    let first = Tokens(world.redeem(&code).await.ok_json());
    let issuer = claims(first.access())["iss"].clone();
    assert_eq!(claims(first.access())["aud"], json!([issuer, API]));
    // RFC 8707, 2: what the client has no business with; the refresh token stays good.
    for other in
        ["http://api.localhost:8086", "http://api.localhost:8085/", issuer.as_str().unwrap()]
    {
        let refused = refresh_with(&world, first.refresh(), ("resource", other)).await;
        assert_eq!(refused.error(), "invalid_target", "{other}");
    }
    let reply = refresh_with(&world, first.refresh(), ("resource", API)).await;
    let narrow = Tokens(reply.ok_json());
    assert_eq!(claims(narrow.access())["aud"], json!([API]));
    // It is not for the provider's own APIs.
    assert_eq!(world.userinfo(narrow.access()).await.status, 401);
    // The grant itself is as wide as before.
    let wide = Tokens(world.refresh("pied-piper", narrow.refresh()).await.ok_json());
    assert_eq!(claims(wide.access())["aud"], json!([issuer, API]));
    assert_eq!(world.userinfo(wide.access()).await.status, 200);
}

#[tokio::test]
async fn op6_refresh_ignores_offline_access_where_authorization_does() {
    let world = World::new().await;
    let ask = Ask::piper().set("scope", "openid email offline_access");
    let code = world.browser().code(&ask, "richard").await;
    let tokens = Tokens(world.redeem(&code).await.ok_json());
    assert_eq!(tokens.0["scope"], "openid email");
    // The neighbours: nothing else is ignored, and nothing is left of the word alone.
    for bad in ["openid offline_access profile", "openid offline_access admin", "offline_access"] {
        let refused = refresh_with_scope(&world, tokens.refresh(), bad).await;
        assert_eq!((refused.status, refused.error().as_str()), (400, "invalid_scope"), "{bad}");
    }
    let same = "openid email offline_access";
    let tokens = Tokens(refresh_with_scope(&world, tokens.refresh(), same).await.ok_json());
    assert_eq!(tokens.0["scope"], "openid email");
    let less = "offline_access openid";
    let tokens = Tokens(refresh_with_scope(&world, tokens.refresh(), less).await.ok_json());
    assert_eq!(tokens.0["scope"], "openid");
}

#[tokio::test]
async fn op6_refresh_does_not_gain_offline_access_that_was_not_asked_for() {
    let world = World::with(|text| {
        text.replacen("id = \"pied-piper\"", "id = \"pied-piper\"\noffline_access = true", 1)
    })
    .await;
    let tokens = world.browser().piper("richard").await;
    let refused = refresh_with_scope(&world, tokens.refresh(), "openid offline_access").await;
    assert_eq!((refused.status, refused.error().as_str()), (400, "invalid_scope"));
}

#[tokio::test]
async fn op6_of_two_simultaneous_refreshes_at_most_one_succeeds() {
    let world = World::new().await;
    let mut browser = world.browser();
    for _ in 0..20 {
        let tokens = browser.piper("richard").await;
        let token = tokens.refresh();
        let (a, b) =
            tokio::join!(world.refresh("pied-piper", token), world.refresh("pied-piper", token));
        let succeeded = [a.status, b.status].iter().filter(|status| **status == 200).count();
        assert!(succeeded <= 1);
        assert_eq!(world.userinfo(tokens.access()).await.status, 401, "the family is revoked");
    }
}

#[tokio::test]
async fn f11_refresh_token_is_bound_to_the_session() {
    let world = World::new().await;
    let mut browser = world.browser();
    let tokens = browser.piper("richard").await;
    browser.sign_out(&[("id_token_hint", tokens.id())]).await;
    let reply = world.refresh("pied-piper", tokens.refresh()).await;
    assert_eq!((reply.status, reply.error().as_str()), (400, "invalid_grant"));
}

#[tokio::test]
async fn f11_refresh_is_a_sign_of_life_for_the_session() {
    let world =
        World::with(|text| text.replacen("idle_lifetime = 1800", "idle_lifetime = 100", 1)).await;
    let mut browser = world.browser();
    let mut token = browser.piper("richard").await.refresh().to_owned();
    for _ in 0..3 {
        world.advance(99);
        let tokens = Tokens(world.refresh("pied-piper", &token).await.ok_json());
        token = tokens.refresh().to_owned();
    }
    world.advance(100);
    assert_eq!(world.refresh("pied-piper", &token).await.error(), "invalid_grant");
    assert_eq!(browser.ask(&Ask::piper()).await.status, 200);
}

#[tokio::test]
async fn refresh_token_has_an_end_of_its_own() {
    let world = World::with(|text| {
        text.replacen("refresh_token_lifetime = 28800", "refresh_token_lifetime = 50", 1)
    })
    .await;
    let mut browser = world.browser();
    let tokens = browser.piper("richard").await;
    world.advance(49);
    let tokens = Tokens(world.refresh("pied-piper", tokens.refresh()).await.ok_json());
    world.advance(50);
    assert_eq!(world.refresh("pied-piper", tokens.refresh()).await.error(), "invalid_grant");
}

#[tokio::test]
async fn offline_access_outlives_the_session_where_the_client_may_ask() {
    let ask = Ask::piper().set("scope", "openid offline_access");
    let world = World::new().await;
    let code = world.browser().code(&ask, "richard").await;
    assert_eq!(world.redeem(&code).await.ok_json()["scope"], "openid", "ignored where not allowed");

    let world = World::with(|text| {
        text.replacen("id = \"pied-piper\"", "id = \"pied-piper\"\noffline_access = true", 1)
    })
    .await;
    let mut browser = world.browser();
    let code = browser.code(&ask, "richard").await;
    let tokens = Tokens(world.redeem(&code).await.ok_json());
    assert_eq!(tokens.0["scope"], "openid offline_access");
    browser.sign_out(&[("id_token_hint", tokens.id())]).await;
    let tokens = Tokens(world.refresh("pied-piper", tokens.refresh()).await.ok_json());
    assert_eq!(world.userinfo(tokens.access()).await.status, 200);
}

#[tokio::test]
async fn d6_op22_secrets_of_public_clients_are_refused() {
    let world = World::new().await;
    let mut browser = world.browser();
    let code = browser.code(&Ask::piper(), "richard").await;
    let base = [
        ("grant_type", "authorization_code"),
        ("client_id", "pied-piper"),
        ("code", &*code),
        ("redirect_uri", PIPER),
        ("code_verifier", VERIFIER),
    ];
    for extra in [("client_secret", "s"), ("client_assertion", "a"), ("client_assertion_type", "t")]
    {
        let mut form = base.to_vec();
        form.push(extra);
        let reply = world.token(&form).await;
        assert_eq!((reply.status, reply.error().as_str()), (401, "invalid_client"), "{extra:?}");
        assert!(reply.has("www-authenticate"));
    }
    let headers = [FORM, ("authorization", "Basic cGllZC1waXBlcjpz")];
    let reply = world.send("POST", "/token", &headers, Some(encoded(&base))).await;
    assert_eq!((reply.status, reply.error().as_str()), (401, "invalid_client"));
    // The code was not touched by any of these.
    assert_eq!(world.token(&base).await.status, 200);
}

#[tokio::test]
async fn op22_method_content_type_and_place_of_parameters() {
    let world = World::new().await;
    let form = encoded(&[("grant_type", "authorization_code"), ("client_id", "pied-piper")]);
    for method in ["GET", "PUT", "HEAD", "DELETE"] {
        let reply = world.send(method, &format!("/token?{form}"), &[], None).await;
        assert_eq!(reply.status, 405, "{method}");
        assert_eq!(reply.header("allow"), "POST", "{method}");
    }
    for media_type in ["application/json", "text/plain", "multipart/form-data; boundary=x"] {
        let headers = [("content-type", media_type)];
        let reply = world.send("POST", "/token", &headers, Some(form.clone())).await;
        assert_eq!((reply.status, reply.error().as_str()), (415, "invalid_request"));
    }
    let reply = world.send("POST", "/token?code=x", &[FORM], Some(form.clone())).await;
    assert_eq!((reply.status, reply.error().as_str()), (400, "invalid_request"));
    let charset = [("content-type", "Application/X-WWW-Form-URLencoded; charset=UTF-8")];
    let reply = world.send("POST", "/token", &charset, Some(form)).await;
    assert_eq!(reply.error(), "invalid_request", "read, and found to lack a code");
    let step = world.last_step("token.refused").await;
    assert_eq!(step["check"]["name"], "code");
}

#[tokio::test]
async fn op3_token_request_basics() {
    let world = World::new().await;
    for (error, form) in [
        ("invalid_request", vec![("client_id", "pied-piper")]),
        ("invalid_request", vec![("grant_type", "authorization_code")]),
        ("invalid_request", vec![("grant_type", "refresh_token"), ("client_id", "pied-piper")]),
        ("invalid_client", vec![("grant_type", "refresh_token"), ("client_id", "nobody")]),
        ("unsupported_grant_type", vec![("grant_type", "password"), ("client_id", "pied-piper")]),
        (
            "unsupported_grant_type",
            vec![("grant_type", "client_credentials"), ("client_id", "pied-piper")],
        ),
        (
            "invalid_request",
            vec![
                ("grant_type", "refresh_token"),
                ("client_id", "pied-piper"),
                ("refresh_token", "a"),
                ("refresh_token", "a"),
            ],
        ),
    ] {
        let reply = world.token(&form).await;
        assert_eq!(reply.error(), error, "{form:?}");
        assert!(reply.status == 400 || reply.status == 401);
        assert_eq!(reply.header("cache-control"), "no-store");
        assert_eq!(reply.header("pragma"), "no-cache");
        assert!(reply.header("content-type").starts_with("application/json"));
    }
}

#[tokio::test]
async fn op20_no_secret_is_in_the_timeline() {
    let world = World::new().await;
    let mut browser = world.browser();
    let code = browser.code(&Ask::piper(), "richard").await;
    let tokens = Tokens(world.redeem(&code).await.ok_json());
    world.userinfo(tokens.access()).await;
    world.refresh("pied-piper", tokens.refresh()).await;
    browser.sign_out(&[("id_token_hint", tokens.id()), ("state", "the-state")]).await;
    let timeline = world.control("GET", "/timeline", None).await.body;
    for secret in [
        &*code,
        tokens.access(),
        tokens.refresh(),
        tokens.id(),
        VERIFIER,
        "the-state",
        "the-nonce",
        "\"password\":\"password",
    ] {
        assert!(!timeline.contains(secret), "{secret}");
    }
    assert!(timeline.contains(HOOLI.trim_end_matches('/')) || timeline.contains(PIPER));
}
