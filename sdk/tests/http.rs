//! `driver/http.js`: requests.
#![cfg(target_arch = "wasm32")]
#![allow(clippy::panic, clippy::unwrap_used, reason = "a test fails by panicking")]

mod support;

use gatepass_core::{
    json,
    secret::Secret,
    wire::{Answer, Effect, Fact, Failure, Response},
};
use js_sys::Function;
use support::{Told, Undo, World, ask, at, failed, global, unique};
use wasm_bindgen::prelude::*;
use wasm_bindgen_test::{wasm_bindgen_test, wasm_bindgen_test_configure};

wasm_bindgen_test_configure!(run_in_browser);

#[wasm_bindgen(module = "/driver/http.js")]
extern "C" {
    #[wasm_bindgen(thread_local_v2, js_name = http)]
    static HTTP: Function;
}

fn world() -> World {
    World::new([HTTP.with(Function::clone)])
}

async fn get(path: &str) -> Effect {
    Effect::Fetch {
        method: "GET",
        url: at(path).await.into(),
        authorization: None,
        form: None,
        limit: 1000,
        timeout_ms: 8000,
    }
}

async fn post(path: &str, body: &str) -> Effect {
    let mut effect = get(path).await;
    if let Effect::Fetch { method, form, .. } = &mut effect {
        *method = "POST";
        *form = Some(Secret(body.into()));
    }
    effect
}

fn within(effect: Effect, ms: u32) -> Effect {
    match effect {
        Effect::Fetch { method, url, authorization, form, limit, .. } => {
            Effect::Fetch { method, url, authorization, form, limit, timeout_ms: ms }
        }
        other => other,
    }
}

async fn response(world: &World, effect: Effect) -> (Response, Vec<u8>) {
    world.begin(effect);
    let Told { fact, bytes, .. } = world.next().await;
    match fact {
        Fact::Answer { answer: Answer::Response { response }, .. } => (response, bytes),
        other => panic!("expected a response, was told {other:?}"),
    }
}

#[wasm_bindgen_test]
async fn body_that_is_not_utf_8_arrives_unchanged() {
    let (head, bytes) = response(&world(), get("/bytes").await).await;
    assert_eq!(head.status, 200);
    assert_eq!(bytes, [0xEF, 0xBB, 0xBF, 0x66, 0xFF, 0xC3, 0x28, 0x00, 0x80]);
}

#[wasm_bindgen_test]
async fn head_tells_what_a_script_may_read() {
    let (head, bytes) = response(&world(), get("/refused").await).await;
    assert_eq!(head.status, 401);
    assert_eq!(head.content_type.as_deref(), Some("application/json"));
    assert_eq!(head.www_authenticate.as_deref(), Some("Bearer error=\"invalid_token\""));
    assert_eq!(head.retry_after, Some(7));
    assert!(head.date_ms.is_some_and(|ms| ms > 1_763_000_000_000 && ms % 1000 == 0));
    assert_eq!(bytes, b"{}");
}

#[wasm_bindgen_test]
async fn retry_after_as_a_date_counts_from_the_servers_own() {
    let (head, _) = response(&world(), get("/later").await).await;
    assert_eq!(head.date_ms, Some(1_792_567_680_000));
    assert_eq!(head.retry_after, Some(120));
}

#[wasm_bindgen_test]
async fn head_without_headers_has_none() {
    let (head, _) = response(&world(), get("/bytes").await).await;
    assert_eq!((head.retry_after, head.www_authenticate), (None, None));
}

#[wasm_bindgen_test]
async fn rp8_form_is_sent_as_one_without_cookies_and_without_the_pages_address() {
    let document = global("document");
    // Cookies know no ports, so this one belongs to the server too.
    js_sys::Reflect::set(&document, &"cookie".into(), &"visited=yes".into()).unwrap();
    let (_, bytes) = response(&world(), post("/echo", "grant_type=x&code=%26").await).await;
    let echo = json::read(&bytes).unwrap();
    assert_eq!(echo.str("method"), Some("POST"));
    assert_eq!(echo.str("content_type"), Some("application/x-www-form-urlencoded"));
    assert_eq!(echo.str("body"), Some("grant_type=x&code=%26"));
    assert_eq!((echo.str("cookie"), echo.str("referer")), (None, None));
    assert_eq!(echo.str("authorization"), None);
}

#[wasm_bindgen_test]
async fn authorization_is_sent() {
    let mut effect = get("/echo").await;
    if let Effect::Fetch { authorization, .. } = &mut effect {
        *authorization = Some(Secret("Bearer 2YotnFZFEjr1zCsicMWpAA".into()));
    }
    let (_, bytes) = response(&world(), effect).await;
    let echo = json::read(&bytes).unwrap();
    assert_eq!(echo.str("authorization"), Some("Bearer 2YotnFZFEjr1zCsicMWpAA"));
    assert_eq!((echo.str("method"), echo.str("content_type")), (Some("GET"), None));
}

#[wasm_bindgen_test]
async fn rp29_redirected_token_response_is_refused() {
    let answer = world().perform(post("/redirect", "code=c").await).await;
    assert_eq!(answer, failed(Failure::Redirected));
}

#[wasm_bindgen_test]
async fn body_of_the_limit_is_read_and_one_byte_more_is_not() {
    let world = world();
    let (_, bytes) = response(&world, get("/large/1000").await).await;
    assert_eq!(bytes.len(), 1000);
    assert_eq!(world.perform(get("/large/1001").await).await, failed(Failure::TooLarge));
}

#[wasm_bindgen_test]
async fn body_in_pieces_arrives_whole_and_in_order() {
    let (world, name) = (world(), unique("pieces"));
    world.begin(get(&format!("/stream/{name}")).await);
    let pieces = ["first, ", "second, ", "and the last"];
    for piece in pieces {
        ask(&at(&format!("/stream/{name}/send")).await, "POST", piece).await;
    }
    ask(&at(&format!("/stream/{name}/end")).await, "POST", "").await;
    assert_eq!(world.next().await.bytes, pieces.concat().into_bytes());
}

#[wasm_bindgen_test]
async fn rp29_body_that_is_too_large_is_not_read_to_its_end() {
    let name = unique("endless");
    let world = world();
    let id = world.begin(get(&format!("/stream/{name}")).await);
    ask(&at(&format!("/stream/{name}/send")).await, "POST", &"x".repeat(2000)).await;
    // The server has not ended it.
    assert_eq!(world.answer_of(id).await, failed(Failure::TooLarge));
    ask(&at(&format!("/gone/{name}")).await, "GET", "").await;
}

#[wasm_bindgen_test]
async fn silent_server_is_given_up_after_the_time_limit() {
    let name = unique("silent");
    let effect = within(get(&format!("/silent/{name}")).await, 100);
    assert_eq!(world().perform(effect).await, failed(Failure::Timeout));
    ask(&at(&format!("/gone/{name}")).await, "GET", "").await;
}

#[wasm_bindgen_test]
async fn rp29_time_limit_holds_for_the_body_too() {
    let effect = within(get(&format!("/stream/{}", unique("dripping"))).await, 200);
    assert_eq!(world().perform(effect).await, failed(Failure::Timeout));
}

#[wasm_bindgen_test]
async fn body_that_breaks_off_is_a_network_failure() {
    let name = unique("broken");
    let world = world();
    let id = world.begin(get(&format!("/stream/{name}")).await);
    ask(&at(&format!("/stream/{name}/send")).await, "POST", "half").await;
    ask(&at(&format!("/stream/{name}/cut")).await, "POST", "").await;
    assert_eq!(world.answer_of(id).await, failed(Failure::Network));
}

#[wasm_bindgen_test]
async fn port_that_nobody_listens_on_is_a_network_failure() {
    let port = ask(&at("/free-port").await, "GET", "").await;
    let mut effect = get("/bytes").await;
    if let Effect::Fetch { url, .. } = &mut effect {
        *url = format!("http://127.0.0.1:{port}/").into();
    }
    assert_eq!(world().perform(effect).await, failed(Failure::Network));
}

#[wasm_bindgen_test]
async fn answer_that_cors_hides_is_a_network_failure() {
    assert_eq!(world().perform(get("/without-cors").await).await, failed(Failure::Network));
}

#[wasm_bindgen_test]
async fn address_that_is_none_is_a_network_failure() {
    let mut effect = get("/").await;
    if let Effect::Fetch { url, .. } = &mut effect {
        *url = "http://[".into();
    }
    assert_eq!(world().perform(effect).await, failed(Failure::Network));
}

#[wasm_bindgen_test]
async fn cancelled_request_is_closed_and_never_answered() {
    let name = unique("cancelled");
    let world = world();
    let id = world.begin(get(&format!("/silent/{name}")).await);
    world.cancel(id);
    // The connection may not have been made yet: then there is nothing to close.
    assert!(matches!(world.perform(get("/bytes").await).await, Answer::Response { .. }));
    world.assert_silence();
}

#[wasm_bindgen_test]
async fn cancelled_body_is_closed_and_never_answered() {
    let name = unique("cancelled-body");
    let world = world();
    let id = world.begin(get(&format!("/stream/{name}")).await);
    ask(&at(&format!("/stream/{name}/send")).await, "POST", "half").await;
    world.cancel(id);
    ask(&at(&format!("/gone/{name}")).await, "GET", "").await;
    assert!(matches!(world.perform(get("/bytes").await).await, Answer::Response { .. }));
    world.assert_silence();
}

#[wasm_bindgen_test]
async fn browser_without_fetch_is_answered() {
    let _without = Undo::replace(&js_sys::global(), "Headers", &JsValue::UNDEFINED);
    let effect = Effect::Fetch {
        method: "GET",
        url: "http://127.0.0.1/".into(),
        authorization: None,
        form: None,
        limit: 1,
        timeout_ms: 1000,
    };
    assert_eq!(world().perform(effect).await, failed(Failure::Unavailable));
}
