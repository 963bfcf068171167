//! The control API and the timeline.

#![allow(clippy::unwrap_used, reason = "what fails here is a failed test")]

mod common;

use common::{Ask, START, World};
use serde_json::json;

#[tokio::test]
async fn op30_wants_the_token_and_a_loopback_host() {
    let world = World::new().await;
    let good = ("authorization", "Bearer control-token");
    for path in ["/health", "/timeline", "/sessions", "/clock", "/timeline/stream"] {
        for headers in [
            vec![],
            vec![("authorization", "Bearer ")],
            vec![("authorization", "Bearer control-toke")],
            vec![("authorization", "Bearer control-tokenx")],
            vec![("authorization", "Basic control-token")],
            vec![("authorization", "control-token")],
        ] {
            let reply = world.control_raw(path, &headers).await;
            assert_eq!(reply.status, 401, "{path} {headers:?}");
            assert_eq!(reply.header("x-idp-dev"), "not-for-production");
        }
        let rebound = [good, ("host", "evil.example:8084")];
        assert_eq!(world.control_raw(path, &rebound).await.status, 421, "{path}");
    }
    let reply = world.control_raw("/health", &[good]).await;
    assert_eq!((reply.status, reply.header("x-idp-dev")), (200, "not-for-production"));
    let cors = [good, ("origin", common::PIPER_ORIGIN)];
    assert!(!world.control_raw("/timeline", &cors).await.has("access-control-allow-origin"));
}

#[tokio::test]
async fn clock_is_frozen_set_moved_and_thawed() {
    let world = World::new().await;
    let clock = async |body| world.control("POST", "/clock", Some(body)).await;
    let shown = world.control("GET", "/clock", None).await.ok_json();
    assert_eq!(shown, json!({"now": START, "now_ms": START * 1000, "frozen": true}));
    assert_eq!(clock(json!({"advance": 90})).await.ok_json()["now"], START + 90);
    assert_eq!(clock(json!({"set": 1_000_000})).await.ok_json()["now"], 1_000_000);
    assert_eq!(clock(json!({"freeze": false})).await.ok_json()["frozen"], false);
    assert_eq!(clock(json!({"freeze": true})).await.ok_json()["frozen"], true);
    for bad in [
        json!({}),
        json!({"set": "now"}),
        json!({"set": -1}),
        json!({"set": 253_402_300_800_u64}),
        json!({"advance": -5}),
        json!({"advance": 1, "freeze": true}),
        json!({"rewind": 1}),
        json!([1]),
    ] {
        let reply = clock(bad.clone()).await;
        assert_eq!((reply.status, reply.error().as_str()), (400, "invalid_request"), "{bad}");
    }
}

#[tokio::test]
async fn f11_moving_the_clock_ends_sessions_before_it_answers() {
    let world = World::new().await;
    world.browser().piper("richard").await;
    world.control("POST", "/clock", Some(json!({"advance": 1799}))).await;
    assert!(!world.step_names().await.contains(&"session.ended".to_owned()));
    world.control("POST", "/clock", Some(json!({"advance": 1}))).await;
    assert_eq!(world.last_step("session.ended").await["received"]["cause"], "expired");
}

#[tokio::test]
async fn sessions_show_who_how_when_and_where() {
    let world = World::new().await;
    let mut browser = world.browser();
    let tokens = browser.piper("richard").await;
    world.advance(10);
    browser.hooli("richard").await;
    let mut events = world.events(tokens.access(), None).await;
    events.next().await;
    let session = &world.sessions().await[0];
    assert_eq!(session["user"], "richard");
    assert_eq!(session["acr"], "1");
    assert_eq!(session["amr"], json!(["pwd"]));
    assert_eq!(session["auth_time"], START);
    assert_eq!(session["last_seen"], START + 10);
    assert_eq!(session["idle_end"], START + 10 + 1800);
    assert_eq!(session["absolute_end"], START + 28_800);
    let clients = session["clients"].as_array().unwrap();
    assert_eq!(clients.len(), 2);
    assert_eq!(clients[1]["sid"], tokens.claims()["sid"]);
    assert_eq!((&clients[0]["streams"], &clients[1]["streams"]), (&json!(0), &json!(1)));
}

#[tokio::test]
async fn reset_forgets_everything_and_tells_open_apps() {
    let world = World::new().await;
    let mut browser = world.browser();
    let tokens = browser.piper("richard").await;
    let code = browser.code(&Ask::piper(), "richard").await;
    let mut events = world.events(tokens.access(), None).await;
    events.next().await;
    let mut steps = world.control_stream("/timeline/stream?from=now").await;
    world.advance(10);
    assert_eq!(world.control("POST", "/reset", None).await.status, 204);
    assert_eq!(events.next().await.unwrap().event, "logout");
    let ended = steps.until(|event| event.data.contains("session.ended")).await;
    assert!(ended.data.contains("\"cause\":\"reset\""));
    assert!(world.timeline().await.iter().all(|step| step["step"] == "stream.closed"));
    assert!(world.sessions().await.is_empty());
    assert_eq!(world.control("GET", "/clock", None).await.ok_json()["now"], START);
    assert_eq!(world.redeem(&code).await.error(), "invalid_grant");
    assert_eq!(world.userinfo(tokens.access()).await.status, 401);
    assert_eq!(world.refresh("pied-piper", tokens.refresh()).await.error(), "invalid_grant");
    assert_eq!(browser.ask(&Ask::piper()).await.status, 200);
}

#[tokio::test]
async fn raw_events_reach_the_streams_that_are_meant() {
    let world = World::new().await;
    let mut browser = world.browser();
    let piper = browser.piper("richard").await;
    let hooli = browser.hooli("richard").await;
    let mut at_piper = world.events(piper.access(), None).await;
    let mut at_hooli = world.events(hooli.access(), None).await;
    at_piper.next().await;
    at_hooli.next().await;
    let send = async |body| world.control("POST", "/events", Some(body)).await;
    let sent = send(json!({"client_id": "pied-piper", "event": "logout", "data": "forged"})).await;
    assert_eq!(sent.ok_json()["streams"], 1);
    let event = at_piper.next().await.unwrap();
    assert_eq!((&*event.event, &*event.data), ("logout", "forged"));
    let sid = hooli.claims()["sid"].clone();
    let sent =
        send(json!({"client_id": "hooli", "sid": sid, "event": "x", "data": {"a": 1}})).await;
    assert_eq!(sent.ok_json()["streams"], 1);
    assert_eq!(at_hooli.next().await.unwrap().data, "{\"a\":1}");
    for nobody in [
        json!({"client_id": "hooli", "sid": "other", "event": "x", "data": ""}),
        json!({"client_id": "nobody", "event": "x", "data": ""}),
    ] {
        assert_eq!(send(nobody).await.ok_json()["streams"], 0);
    }
    assert_eq!(send(json!({"client_id": "hooli"})).await.status, 400);
    assert_eq!(world.userinfo(piper.access()).await.status, 200, "a raw event revokes nothing");
}

#[tokio::test]
async fn timeline_lists_what_came_after_a_number() {
    let world = World::new().await;
    world.get(&Ask::piper().path()).await;
    let all = world.timeline().await;
    assert_eq!(all.len(), 2);
    assert_eq!((&all[0]["seq"], &all[0]["at"]), (&json!(1), &json!(START * 1000)));
    assert_eq!(all[0]["step"], "authorize.received");
    assert_eq!(all[0]["spec"], "OIDC Core 3.1.2.1");
    assert_eq!(all[0]["received"]["client_id"], "pied-piper");
    assert_eq!(all[0]["received"]["state"], "the-...");
    assert_eq!(all[1]["check"], json!({"name": "session", "outcome": "failed"}));
    let rest = world.control("GET", "/timeline?after=1", None).await.json();
    assert_eq!(rest.as_array().unwrap().len(), 1);
    assert_eq!(world.control("GET", "/timeline?after=x", None).await.status, 400);
}

#[tokio::test]
async fn op21_timeline_is_for_observers_only() {
    let world = World::new().await;
    world.get(&Ask::piper().path()).await;
    let mut steps = world.steps("/timeline", Some("http://localhost:8080")).await;
    assert_eq!(steps.status, 200);
    assert_eq!(steps.header("access-control-allow-origin"), "http://localhost:8080");
    assert_eq!(steps.header("content-type"), "text/event-stream");
    let first = steps.next().await.unwrap();
    assert_eq!(first.event, "step");
    assert!(first.data.contains("\"seq\":1,"), "{}", first.data);
    let mut news = world.steps("/timeline?from=now", None).await;
    world.get("/authorize").await;
    let next = news.next().await.unwrap();
    assert!(next.data.contains("\"seq\":3,"), "{}", next.data);
    for origin in [common::PIPER_ORIGIN, "https://evil.example", "null", "http://localhost:8081"] {
        let refused = world.steps("/timeline", Some(origin)).await;
        assert_eq!(refused.status, 403, "{origin}");
        assert_eq!(refused.header("access-control-allow-origin"), "");
    }
    // A page whose name was made to resolve to loopback is same-origin and sends no Origin.
    let rebound = world.steps_with("/timeline", &[("host", "evil.example")]).await;
    assert_eq!(rebound.status, 421);
    let named = world.steps_with("/timeline", &[("host", "idp.localhost")]).await;
    assert_eq!(named.status, 200);
    let world = World::with(|text| {
        text.replace("observers = [\"http://localhost:8080\"]", "observers = []")
    })
    .await;
    assert_eq!(world.steps("/timeline", None).await.status, 404);
}

#[tokio::test]
async fn reader_that_reconnects_gets_no_step_twice() {
    let world = World::new().await;
    world.get(&Ask::piper().path()).await;
    world.get(&Ask::piper().path()).await;
    for (last, next) in [("1", 2), ("3", 4), ("99", 1), ("x", 1)] {
        let mut steps = world.steps_with("/timeline", &[("last-event-id", last)]).await;
        let event = steps.next().await.unwrap();
        assert!(event.data.contains(&format!("\"seq\":{next},")), "{last}: {}", event.data);
    }
    let mut steps = world.steps_with("/timeline?from=now", &[("last-event-id", "4")]).await;
    world.get("/authorize").await;
    assert!(steps.next().await.unwrap().data.contains("\"seq\":5,"));
}
