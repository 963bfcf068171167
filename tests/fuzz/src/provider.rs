//! The provider: its requests and its configuration.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    missing_docs,
    unreachable_pub,
    reason = "a panic is what is looked for"
)]

use std::sync::{Arc, LazyLock};

use axum::Router;
use axum::body::{Body, to_bytes};
use axum::http::{Request, StatusCode, header};
use idp_dev::{Clock, Config, MemoryStore, UnixTime, app};
use tower::ServiceExt;

static WORLD: LazyLock<(tokio::runtime::Runtime, Router)> = LazyLock::new(|| {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_time().build().unwrap();
    let config = Config::parse("idp.toml", Config::EXAMPLE).unwrap().with_port(8083);
    let clock = Clock::frozen_at(UnixTime::from_seconds(1_767_225_600));
    let router =
        runtime.block_on(async { app(config, clock, Arc::new(MemoryStore::new())).unwrap() });
    (runtime, router)
});

/// A request: its first line is method and address, then headers, an empty line, the body.
pub fn idp_request(data: &[u8]) {
    let Some(request) = request(data) else { return };
    let (runtime, router) = &*WORLD;
    runtime.block_on(async {
        let response = router.clone().oneshot(request).await.unwrap();
        let status = response.status();
        assert_ne!(status, StatusCode::INTERNAL_SERVER_ERROR);
        for (name, value) in response.headers() {
            assert!(!value.as_bytes().contains(&b'\n'), "{name}");
        }
        // Event streams go on for ever.
        let is_stream = response
            .headers()
            .get(header::CONTENT_TYPE)
            .is_some_and(|value| value.as_bytes().starts_with(b"text/event-stream"));
        if !is_stream {
            to_bytes(response.into_body(), 1 << 20).await.unwrap();
        }
    });
}

fn request(data: &[u8]) -> Option<Request<Body>> {
    let (head, body) = match data.windows(2).position(|two| two == b"\n\n") {
        Some(at) => (&data[..at], &data[at + 2..]),
        None => (data, &[][..]),
    };
    let head = std::str::from_utf8(head).ok()?;
    let mut lines = head.lines();
    let (method, address) = lines.next()?.split_once(' ')?;
    let mut request = Request::builder().method(method).uri(address);
    request = request.header(header::HOST, "idp.localhost:8083");
    for (name, value) in lines.take(32).filter_map(|line| line.split_once(':')) {
        request = request.header(name.trim(), value.trim());
    }
    request.body(Body::from(body.to_vec())).ok()
}

/// A configuration: it is taken or refused with a reason.
pub fn idp_config(data: &[u8]) {
    let Ok(text) = std::str::from_utf8(data) else { return };
    match Config::parse("idp.toml", text) {
        Ok(config) => {
            let config = config.with_port(8083);
            assert!(config.issuer().starts_with("http"), "{}", config.issuer());
        }
        Err(error) => assert!(error.to_string().contains("idp.toml")),
    }
}
