//! `driver/stream.js`: streams.
#![cfg(target_arch = "wasm32")]
#![allow(clippy::panic, clippy::unwrap_used, reason = "a test fails by panicking")]

mod support;

use gatepass_core::{
    secret::Secret,
    wire::{Answer, Effect, Fact, Failure, Signal},
};
use js_sys::Function;
use support::{Told, World, ask, at, failed, unique};
use wasm_bindgen::prelude::*;
use wasm_bindgen_test::{wasm_bindgen_test, wasm_bindgen_test_configure};

wasm_bindgen_test_configure!(run_in_browser);

#[wasm_bindgen(module = "/driver/stream.js")]
extern "C" {
    #[wasm_bindgen(thread_local_v2, js_name = stream)]
    static STREAM: Function;
}

#[wasm_bindgen(module = "/driver/http.js")]
extern "C" {
    #[wasm_bindgen(thread_local_v2, js_name = http)]
    static HTTP: Function;
}

fn world() -> World {
    World::new([HTTP.with(Function::clone), STREAM.with(Function::clone)])
}

async fn open(path: &str, timeout_ms: u32) -> Effect {
    let authorization = Secret("Bearer mF_9.B5f-4.1JqM".into());
    Effect::OpenStream { url: at(path).await.into(), authorization, timeout_ms }
}

/// Opens a stream and gives its number.
async fn opened(world: &World, name: &str, timeout_ms: u32) -> u32 {
    let id = world.begin(open(&format!("/stream/{name}"), timeout_ms).await);
    match world.answer_of(id).await {
        Answer::Response { response } => {
            assert_eq!(response.status, 200);
            assert_eq!(response.content_type.as_deref(), Some("text/event-stream"));
        }
        other => panic!("expected a response, was told {other:?}"),
    }
    id
}

async fn server(name: &str, does: &str, body: &str) {
    ask(&at(&format!("/stream/{name}/{does}")).await, "POST", body).await;
}

async fn chunk(world: &World, id: u32) -> Vec<u8> {
    let Told { fact, bytes, .. } = world.next().await;
    assert_eq!(fact, Fact::Signal { signal: Signal::Chunk { effect: id } });
    bytes
}

#[wasm_bindgen_test]
async fn chunks_come_as_they_are_sent() {
    let (world, name) = (world(), unique("chunks"));
    let id = opened(&world, &name, 8000).await;
    // Each is sent only when the one before has come.
    for sent in ["event: open\n", "data: {}\n\n", ": \u{fffd}\n"] {
        server(&name, "send", sent).await;
        assert_eq!(chunk(&world, id).await, sent.as_bytes());
    }
    server(&name, "end", "").await;
    assert_eq!(world.signal().await, Signal::Ended { effect: id });
    world.assert_silence();
}

#[wasm_bindgen_test]
async fn connection_that_breaks_off_ends_the_stream() {
    let (world, name) = (world(), unique("cut"));
    let id = opened(&world, &name, 8000).await;
    server(&name, "send", "event: ").await;
    chunk(&world, id).await;
    server(&name, "cut", "").await;
    assert_eq!(world.signal().await, Signal::Ended { effect: id });
}

#[wasm_bindgen_test]
async fn cancelled_stream_is_closed_and_says_nothing_more() {
    let (world, name) = (world(), unique("cancelled"));
    let id = opened(&world, &name, 8000).await;
    world.cancel(id);
    ask(&at(&format!("/gone/{name}")).await, "GET", "").await;
    let other = unique("other");
    opened(&world, &other, 8000).await;
    world.assert_silence();
}

#[wasm_bindgen_test]
async fn closed_loop_closes_its_streams() {
    let (world, name) = (world(), unique("closed"));
    opened(&world, &name, 8000).await;
    world.close();
    ask(&at(&format!("/gone/{name}")).await, "GET", "").await;
    world.assert_silence();
}

#[wasm_bindgen_test]
async fn time_limit_is_over_when_the_head_is_there() {
    let (world, name) = (world(), unique("long"));
    let id = opened(&world, &name, 300).await;
    // A request with the same limit, begun later, has run into it: so has the stream, if at all.
    let silent = open(&format!("/silent/{}", unique("silent")), 300).await;
    assert_eq!(world.perform(silent).await, failed(Failure::Timeout));
    server(&name, "send", "still here").await;
    assert_eq!(chunk(&world, id).await, b"still here");
}

#[wasm_bindgen_test]
async fn silent_server_is_given_up_after_the_time_limit() {
    let effect = open(&format!("/silent/{}", unique("silent")), 100).await;
    assert_eq!(world().perform(effect).await, failed(Failure::Timeout));
}

#[wasm_bindgen_test]
async fn refused_stream_tells_its_status_and_ends() {
    let world = world();
    let id = world.begin(open("/refused", 8000).await);
    match world.answer_of(id).await {
        Answer::Response { response } => assert_eq!(response.status, 401),
        other => panic!("expected a response, was told {other:?}"),
    }
    assert_eq!(chunk(&world, id).await, b"{}");
    assert_eq!(world.signal().await, Signal::Ended { effect: id });
}

#[wasm_bindgen_test]
async fn redirected_stream_is_refused() {
    let effect = open("/redirect", 8000).await;
    assert_eq!(world().perform(effect).await, failed(Failure::Redirected));
}

#[wasm_bindgen_test]
async fn authorization_is_sent() {
    let world = world();
    let id = world.begin(open("/echo", 8000).await);
    assert!(matches!(world.answer_of(id).await, Answer::Response { .. }));
    let echo = String::from_utf8(chunk(&world, id).await).unwrap();
    assert!(echo.contains("Bearer mF_9.B5f-4.1JqM"), "{echo}");
}

#[wasm_bindgen_test]
async fn port_that_nobody_listens_on_is_a_network_failure() {
    let port = ask(&at("/free-port").await, "GET", "").await;
    let effect = Effect::OpenStream {
        url: format!("http://127.0.0.1:{port}/").into(),
        authorization: Secret("Bearer x".into()),
        timeout_ms: 8000,
    };
    assert_eq!(world().perform(effect).await, failed(Failure::Network));
}
