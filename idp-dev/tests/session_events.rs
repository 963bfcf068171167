//! `/session_events`: docs/session-events.md, section by section.

#![allow(clippy::unwrap_used, reason = "what fails here is a failed test")]

mod common;

use common::{Ask, Event, HOOLI_ORIGIN, PIPER_ORIGIN, START, Tokens, World, claims, jwt_header};
use serde_json::json;

fn open() -> Event {
    Event { event: "open".to_owned(), data: "{\"heartbeat\":15}".to_owned() }
}

#[tokio::test]
async fn stream_opens_with_its_headers_and_its_first_event() {
    let world = World::new().await;
    let tokens = world.browser().piper("richard").await;
    let mut events = world.events(tokens.access(), Some(PIPER_ORIGIN)).await;
    assert_eq!(events.status, 200);
    assert_eq!(events.header("content-type"), "text/event-stream");
    assert_eq!(events.header("cache-control"), "no-store, no-transform");
    assert_eq!(events.header("x-accel-buffering"), "no");
    assert_eq!(events.header("content-encoding"), "");
    assert_eq!(events.header("access-control-allow-origin"), PIPER_ORIGIN);
    assert_eq!(events.next().await, Some(open()));
    let step = world.last_step("stream.opened").await;
    assert_eq!(step["sid"], tokens.claims()["sid"]);
}

#[tokio::test]
async fn head_opens_no_stream() {
    let world = World::new().await;
    let tokens = world.browser().piper("richard").await;
    let bearer = format!("Bearer {}", tokens.access());
    for path in ["/session_events", "/timeline"] {
        let reply = world.send("HEAD", path, &[("authorization", &bearer)], None).await;
        assert_eq!((reply.status, reply.header("allow")), (405, "GET"), "{path}");
    }
    assert!(!world.step_names().await.contains(&"stream.opened".to_owned()));
}

#[tokio::test]
async fn f2_each_client_gets_a_logout_token_of_its_own_then_the_end() {
    let world = World::new().await;
    let mut browser = world.browser();
    let piper = browser.piper("richard").await;
    let hooli = browser.hooli("richard").await;
    let stranger = world.browser().piper("gavin").await;
    let mut streams = Vec::new();
    for tokens in [&piper, &hooli, &stranger] {
        let mut events = world.events(tokens.access(), None).await;
        assert_eq!(events.next().await, Some(open()));
        streams.push(events);
    }
    world.advance(7);
    browser.sign_out(&[("id_token_hint", hooli.id())]).await;
    let mut seen = Vec::new();
    for (tokens, events) in [&piper, &hooli].into_iter().zip(&mut streams) {
        let event = events.next().await.unwrap();
        assert_eq!(event.event, "logout");
        assert_eq!(events.next().await, None, "one event, then the end");
        let (header, token, id) = (jwt_header(&event.data), claims(&event.data), tokens.claims());
        assert_eq!(header["typ"], "logout+jwt");
        assert_eq!(header["alg"], "RS256");
        for same in ["iss", "aud", "sub", "sid"] {
            assert_eq!(token[same], id[same], "{same}");
        }
        assert_eq!((&token["iat"], &token["exp"]), (&json!(START + 7), &json!(START + 127)));
        let event = "http://schemas.openid.net/event/backchannel-logout";
        assert_eq!(token["events"], json!({ event: {} }));
        assert_eq!(token.get("nonce"), None);
        assert_eq!(token.as_object().unwrap().len(), 8);
        seen.push(token["jti"].as_str().unwrap().to_owned());
    }
    assert_ne!(seen[0], seen[1]);
    // Gavin hears nothing: the next thing on his stream is what is put there now.
    let raw = json!({"client_id": "pied-piper", "event": "probe", "data": "x"});
    let sent = world.control("POST", "/events", Some(raw)).await.ok_json();
    assert_eq!(sent["streams"], 1);
    assert_eq!(streams[2].next().await.unwrap().event, "probe");
}

#[tokio::test]
async fn every_tab_of_a_client_is_told() {
    let world = World::new().await;
    let mut browser = world.browser();
    let first = browser.piper("richard").await;
    let second = browser.piper("richard").await;
    let mut one = world.events(first.access(), None).await;
    let mut two = world.events(second.access(), None).await;
    assert_eq!((one.next().await, two.next().await), (Some(open()), Some(open())));
    browser.sign_out(&[("id_token_hint", first.id())]).await;
    let (one, two) = (one.next().await.unwrap(), two.next().await.unwrap());
    assert_eq!((&*one.event, &*two.event), ("logout", "logout"));
    // One token, on two streams.
    assert_eq!(one.data, two.data);
}

#[tokio::test]
async fn origin_must_be_registered_for_the_tokens_client() {
    let world = World::new().await;
    let tokens = world.browser().piper("richard").await;
    for origin in [HOOLI_ORIGIN, "https://evil.example", "null", "http://localhost:8080"] {
        let reply = world.events(tokens.access(), Some(origin)).await;
        assert_eq!(reply.status, 403, "{origin}");
        assert_eq!(world.last_step("stream.refused").await["check"]["name"], "origin");
    }
    for origin in [Some(PIPER_ORIGIN), None] {
        assert_eq!(world.events(tokens.access(), origin).await.status, 200);
    }
}

#[tokio::test]
async fn invalid_tokens_are_answered_401_with_a_challenge() {
    let world = World::new().await;
    let tokens = world.browser().piper("richard").await;
    let other = World::new().await;
    let foreign = other.browser().piper("richard").await;
    for bad in [tokens.id(), tokens.refresh(), foreign.access(), "x"] {
        let reply = world.events(bad, Some(PIPER_ORIGIN)).await;
        assert_eq!(reply.status, 401, "{bad}");
        assert!(reply.header("www-authenticate").contains("error=\"invalid_token\""));
        assert_eq!(reply.header("access-control-allow-origin"), PIPER_ORIGIN);
    }
    let reply = world.get("/session_events").await;
    assert_eq!((reply.status, reply.header("www-authenticate")), (401, "Bearer realm=\"idp-dev\""));
    let path = format!("/session_events?access_token={}", tokens.access());
    assert_eq!(world.get(&path).await.status, 401);
    world.advance(300);
    assert_eq!(world.events(tokens.access(), None).await.status, 401, "expired, session lives");
}

#[tokio::test]
async fn stream_outlives_the_token_that_opened_it() {
    let world = World::new().await;
    let mut browser = world.browser();
    let tokens = browser.piper("richard").await;
    let mut events = world.events(tokens.access(), None).await;
    assert_eq!(events.next().await, Some(open()));
    world.advance(600);
    assert_eq!(world.userinfo(tokens.access()).await.status, 401);
    browser.sign_out(&[("id_token_hint", tokens.id())]).await;
    assert_eq!(events.next().await.unwrap().event, "logout");
}

#[tokio::test]
async fn session_that_ended_is_told_late_even_to_an_expired_and_revoked_token() {
    let world = World::new().await;
    let mut browser = world.browser();
    let tokens = browser.piper("richard").await;
    browser.sign_out(&[("id_token_hint", tokens.id())]).await;
    world.advance(3600);
    let mut events = world.events(tokens.access(), Some(PIPER_ORIGIN)).await;
    assert_eq!(events.status, 200);
    assert_eq!(events.header("content-type"), "text/event-stream");
    let event = events.next().await.unwrap();
    assert_eq!(event.event, "logout");
    let token = claims(&event.data);
    assert_eq!(token["iat"], START + 3600, "made now, so that it is young enough");
    assert_eq!(token["sid"], tokens.claims()["sid"]);
    assert_eq!(events.next().await, None);
    // The origin still counts.
    assert_eq!(world.events(tokens.access(), Some(HOOLI_ORIGIN)).await.status, 403);
}

#[tokio::test]
async fn f11_expired_session_is_told_by_push_and_late() {
    for (seconds, why) in [(1800, "idle"), (28_800, "absolute")] {
        let world = World::new().await;
        let mut browser = world.browser();
        let tokens = browser.piper("richard").await;
        let mut events = world.events(tokens.access(), None).await;
        assert_eq!(events.next().await, Some(open()));
        // Nobody asks for the session: the background task ends it.
        world.advance(seconds);
        assert_eq!(events.next().await.unwrap().event, "logout", "{why}");
        assert_eq!(world.last_step("session.ended").await["received"]["cause"], "expired");
        let mut late = world.events(tokens.access(), None).await;
        assert_eq!(late.next().await.unwrap().event, "logout", "{why}");
    }
}

#[tokio::test]
async fn f11_visits_move_the_idle_end_but_not_the_absolute_one() {
    let world = World::with(|text| {
        text.replacen("absolute_lifetime = 28800", "absolute_lifetime = 5000", 1)
    })
    .await;
    let mut browser = world.browser();
    browser.sign_in(&Ask::piper(), "richard").await;
    for _ in 0..2 {
        world.advance(1799);
        assert_eq!(browser.ask(&Ask::piper()).await.status, 303);
    }
    world.advance(5000 - 2 * 1799 - 1);
    assert_eq!(browser.ask(&Ask::piper()).await.status, 303);
    world.advance(1);
    assert_eq!(browser.ask(&Ask::piper()).await.status, 200);
}

#[tokio::test]
async fn administrator_ends_a_session_and_its_apps_are_told() {
    let world = World::new().await;
    let tokens = world.browser().piper("richard").await;
    let mut events = world.events(tokens.access(), None).await;
    assert_eq!(events.next().await, Some(open()));
    let id = world.sessions().await[0]["id"].as_str().unwrap().to_owned();
    let path = format!("/sessions/{id}");
    assert_eq!(world.control("DELETE", &path, None).await.status, 204);
    assert_eq!(events.next().await.unwrap().event, "logout");
    assert_eq!(world.last_step("session.ended").await["received"]["cause"], "administrator");
    assert_eq!(world.control("DELETE", &path, None).await.status, 404);
    assert_eq!(world.refresh("pied-piper", tokens.refresh()).await.error(), "invalid_grant");
}

#[tokio::test]
async fn ninth_stream_of_a_grant_is_refused_and_none_displaced() {
    let world = World::new().await;
    let mut browser = world.browser();
    let tokens = browser.piper("richard").await;
    let mut streams = Vec::new();
    for _ in 0..8 {
        let mut events = world.events(tokens.access(), None).await;
        assert_eq!(events.next().await, Some(open()));
        streams.push(events);
    }
    let ninth = world.events(tokens.access(), Some(PIPER_ORIGIN)).await;
    assert_eq!(ninth.status, 429);
    assert!(ninth.header("retry-after").parse::<u32>().unwrap() > 0);
    // A refreshed token is of the same grant; another sign-in is not.
    let refreshed = Tokens(world.refresh("pied-piper", tokens.refresh()).await.ok_json());
    assert_eq!(world.events(refreshed.access(), None).await.status, 429);
    let other = browser.piper("richard").await;
    assert_eq!(world.events(other.access(), None).await.status, 200);
    browser.sign_out(&[("id_token_hint", tokens.id())]).await;
    for mut events in streams {
        assert_eq!(events.next().await.unwrap().event, "logout");
    }
}

#[tokio::test]
async fn closed_tab_makes_room() {
    let world = World::new().await;
    let tokens = world.browser().piper("richard").await;
    let mut steps = world.control_stream("/timeline/stream?from=now").await;
    let mut events = world.events(tokens.access(), None).await;
    assert_eq!(events.next().await, Some(open()));
    drop(events);
    let closed = steps.until(|event| event.data.contains("\"stream.closed\"")).await;
    assert!(closed.data.contains("pied-piper"), "{}", closed.data);
    assert_eq!(world.sessions().await[0]["clients"][0]["streams"], 0);
}

#[tokio::test]
async fn token_without_openid_is_refused() {
    let world = World::new().await;
    let mut browser = world.browser();
    let tokens = browser.piper("richard").await;
    let narrow = world
        .token(&[
            ("grant_type", "refresh_token"),
            ("client_id", "pied-piper"),
            ("refresh_token", tokens.refresh()),
            ("scope", "email"),
        ])
        .await
        .ok_json();
    assert_eq!(narrow.get("id_token"), None);
    let reply = world.events(narrow["access_token"].as_str().unwrap(), None).await;
    assert_eq!(reply.status, 403);
    assert!(reply.header("www-authenticate").contains("insufficient_scope"));
}

#[tokio::test]
async fn f3_fifty_clients_are_told() {
    let mut clients = String::new();
    for n in 0..50 {
        clients += &format!(
            "\n[[clients]]\nid = \"app-{n}\"\nname = \"App {n}\"\n\
             redirect_uris = [\"http://app-{n}.localhost:9000/\"]\n\
             id_token_signed_response_alg = \"ES256\"\n"
        );
    }
    let world = World::with(|text| text + &clients).await;
    let mut browser = world.browser();
    let own = browser.piper("richard").await;
    let mut streams = Vec::new();
    for n in 0..50 {
        let (id, uri) = (format!("app-{n}"), format!("http://app-{n}.localhost:9000/"));
        let ask = Ask::piper().set("client_id", &id).set("redirect_uri", &uri);
        let code = browser.code(&ask, "richard").await;
        let tokens = Tokens(world.redeem_for(&id, &uri, &code).await.ok_json());
        let mut events = world.events(tokens.access(), None).await;
        assert_eq!(events.next().await, Some(open()));
        streams.push((id, events));
    }
    browser.sign_out(&[("id_token_hint", own.id())]).await;
    for (id, mut events) in streams {
        let event = events.next().await.unwrap();
        assert_eq!(claims(&event.data)["aud"], id.as_str());
        assert_eq!(jwt_header(&event.data)["alg"], "ES256");
    }
}

#[tokio::test]
async fn op29_limits_of_the_configuration_hold_and_displace_nobody() {
    let world = World::with(|text| {
        text.replacen("\n# limits = {", "\nlimits = { streams = 2, sessions = 2 } # {", 1)
    })
    .await;
    let (mut one, mut two) = (world.browser(), world.browser());
    let (piper, hooli) = (one.piper("richard").await, one.hooli("richard").await);
    let gavin = two.piper("gavin").await;
    let mut first = world.events(piper.access(), None).await;
    let _second = world.events(hooli.access(), None).await;
    let third = world.events(gavin.access(), None).await;
    assert_eq!((third.status, third.header("retry-after")), (429, "15"));
    let page = world.browser().sign_in(&Ask::piper(), "richard").await;
    assert_eq!(page.status, 503, "{}", page.body);
    // Who was there before hears of the end, and makes room.
    assert_eq!(first.next().await.unwrap().event, "open");
    one.sign_out(&[("id_token_hint", piper.id())]).await;
    assert_eq!(first.next().await.unwrap().event, "logout");
    assert_eq!(world.events(gavin.access(), None).await.status, 200);
    world.browser().piper("richard").await;
}

/// As most providers are.
#[tokio::test]
async fn without_session_events_there_is_no_stream_and_no_word_of_one() {
    let world = World::with(|text| {
        assert!(text.contains("\nsession_events = true\n"));
        text.replacen("\nsession_events = true\n", "\nsession_events = false\n", 1)
    })
    .await;
    let document = world.get("/.well-known/openid-configuration").await.ok_json();
    assert_eq!(document.get("session_events_endpoint"), None);
    let tokens = world.browser().piper("richard").await;
    assert_eq!(world.events(tokens.access(), None).await.status, 404);
}
