//! The server that the browser tests of the driver talk to: every answer that a fetch can get.
//!
//! The runner of those tests serves files only. This one listens on a free port of the loopback
//! interface for as long as xtask runs; the tests read its address from a file that the runner
//! serves.

use anyhow::{Context, Result};
use axum::{
    Json, Router,
    body::{Body, Bytes},
    extract::{Path, Request, State},
    http::{HeaderMap, HeaderValue, Method, StatusCode, header},
    middleware::{self, Next},
    response::{Html, IntoResponse, Response},
    routing::{any, get, post},
};
use futures_util::stream;
use serde_json::{Value, json};
use std::{collections::HashMap, future, io, net::SocketAddr, sync::Arc, thread};
use tokio::{
    net::TcpListener,
    runtime,
    sync::{mpsc, watch},
};

/// Starts the server and gives its address.
pub(super) fn start() -> Result<SocketAddr> {
    let runtime = runtime::Builder::new_current_thread().enable_all().build()?;
    let listener = runtime.block_on(TcpListener::bind("127.0.0.1:0"));
    let listener = listener.context("cannot listen on the loopback interface")?;
    let address = listener.local_addr()?;
    thread::spawn(move || {
        // If it ends, every test that needs it says so.
        let _ended = runtime.block_on(async { axum::serve(listener, app()).await });
    });
    Ok(address)
}

fn app() -> Router {
    Router::new()
        .route("/bytes", any(bytes))
        .route("/large/{length}", get(large))
        .route("/redirect", any(redirect))
        .route("/refused", get(refused))
        .route("/later", get(later))
        .route("/echo", any(echo))
        .route("/silent/{name}", get(silent))
        .route("/posting", any(posting))
        .route("/stream/{name}", get(open))
        .route("/stream/{name}/send", post(send))
        .route("/stream/{name}/end", post(end))
        .route("/stream/{name}/cut", post(cut))
        .route("/gone/{name}", get(gone))
        .route("/free-port", get(free_port))
        .with_state(Arc::new(watch::Sender::new(Known::new())))
        .layer(middleware::from_fn(allow_all_origins))
        .route("/without-cors", get(bytes))
}

/// A byte order mark, bad UTF-8, and a zero: what a decoder would change.
async fn bytes() -> impl IntoResponse {
    const NOT_UTF_8: &[u8] = &[0xEF, 0xBB, 0xBF, 0x66, 0xFF, 0xC3, 0x28, 0x00, 0x80];
    ([(header::CONTENT_TYPE, "application/octet-stream")], NOT_UTF_8)
}

async fn large(Path(length): Path<usize>) -> Vec<u8> {
    vec![b'x'; length]
}

/// Keeps method and body: a client that follows it sends them on.
async fn redirect() -> impl IntoResponse {
    (StatusCode::TEMPORARY_REDIRECT, [(header::LOCATION, "/bytes")])
}

async fn refused() -> impl IntoResponse {
    (
        StatusCode::UNAUTHORIZED,
        [
            (header::CONTENT_TYPE, "Application/JSON; charset=utf-8"),
            (header::WWW_AUTHENTICATE, "Bearer error=\"invalid_token\""),
            (header::RETRY_AFTER, "7"),
        ],
        "{}",
    )
}

/// Says by a date when to come again: two minutes after its own.
async fn later() -> impl IntoResponse {
    (
        StatusCode::SERVICE_UNAVAILABLE,
        [
            (header::DATE, "Wed, 21 Oct 2026 07:28:00 GMT"),
            (header::RETRY_AFTER, "Wed, 21 Oct 2026 07:30:00 GMT"),
        ],
    )
}

/// What came, as JSON.
async fn echo(method: Method, headers: HeaderMap, body: String) -> Json<Value> {
    let header = |name| headers.get(name).and_then(|value| value.to_str().ok());
    Json(json!({
        "method": method.as_str(),
        "authorization": header(header::AUTHORIZATION),
        "content_type": header(header::CONTENT_TYPE),
        "cookie": header(header::COOKIE),
        "referer": header(header::REFERER),
        "body": body,
    }))
}

/// A page that tells the page around it an answer, or what was posted to it, whoever that is. Without these headers, the
/// runner's page, which is isolated from other origins, would not show it.
async fn posting(method: Method, body: String) -> impl IntoResponse {
    let embedded = [
        ("cross-origin-embedder-policy", "require-corp"),
        ("cross-origin-resource-policy", "cross-origin"),
    ];
    // What a form posts has no character that could end a string.
    let posted = format!("{method} {body}");
    let said = if method == Method::POST { &posted } else { "?code=elsewhere" };
    let page = format!("<!doctype html><script>parent.postMessage('{said}', '*')</script>");
    (embedded, Html(page))
}

/// A connection that a test gave a name to.
#[derive(Clone)]
struct Place {
    /// What it sends; an error cuts it. Absent when it sends nothing more.
    chunks: Option<mpsc::UnboundedSender<io::Result<Bytes>>>,
    /// Closed when the connection is gone.
    life: watch::Receiver<()>,
}

type Known = HashMap<String, Place>;
type Places = State<Arc<watch::Sender<Known>>>;

/// Never answers.
async fn silent(State(places): Places, Path(name): Path<String>) {
    let (_alive, life) = watch::channel(());
    places.send_modify(|places| drop(places.insert(name, Place { chunks: None, life })));
    future::pending().await
}

/// Sends what [`send`] is given, until [`end`] or [`cut`].
async fn open(State(places): Places, Path(name): Path<String>) -> impl IntoResponse {
    let (alive, life) = watch::channel(());
    let (chunks, received) = mpsc::unbounded_channel();
    let place = Place { chunks: Some(chunks), life };
    places.send_modify(|places| drop(places.insert(name, place)));
    let body = stream::unfold((received, alive), |(mut received, alive)| async {
        let chunk = received.recv().await?;
        Some((chunk, (received, alive)))
    });
    ([(header::CONTENT_TYPE, "text/event-stream")], Body::from_stream(body))
}

async fn send(State(places): Places, Path(name): Path<String>, chunk: Bytes) -> StatusCode {
    push(&places, &name, Ok(chunk)).await
}

async fn cut(State(places): Places, Path(name): Path<String>) -> StatusCode {
    push(&places, &name, Err(io::Error::other("cut"))).await
}

async fn push(places: &watch::Sender<Known>, name: &str, chunk: io::Result<Bytes>) -> StatusCode {
    let chunks = place(places, name).await.and_then(|place| place.chunks);
    match chunks.map(|chunks| chunks.send(chunk)) {
        Some(Ok(())) => StatusCode::NO_CONTENT,
        Some(Err(_)) | None => StatusCode::GONE,
    }
}

async fn end(State(places): Places, Path(name): Path<String>) -> StatusCode {
    place(&places, &name).await;
    places.send_modify(|places| {
        if let Some(place) = places.get_mut(&name) {
            place.chunks = None;
        }
    });
    StatusCode::NO_CONTENT
}

/// Answers when the connection of that name has come and is gone.
async fn gone(State(places): Places, Path(name): Path<String>) -> StatusCode {
    let Some(Place { mut life, .. }) = place(&places, &name).await else {
        return StatusCode::NOT_FOUND;
    };
    while life.changed().await.is_ok() {}
    StatusCode::NO_CONTENT
}

/// The connection of that name, as soon as it has come.
async fn place(places: &watch::Sender<Known>, name: &str) -> Option<Place> {
    let mut places = places.subscribe();
    let known = places.wait_for(|places| places.contains_key(name)).await;
    known.ok().and_then(|places| places.get(name).cloned())
}

/// A port on which nobody listens.
async fn free_port() -> Result<String, StatusCode> {
    let listener = TcpListener::bind("127.0.0.1:0").await;
    let address = listener.and_then(|listener| listener.local_addr());
    address.map(|address| address.port().to_string()).map_err(|_| StatusCode::INTERNAL_SERVER_ERROR)
}

/// Every page may ask and read, as with a provider that knows the app.
async fn allow_all_origins(request: Request, next: Next) -> Response {
    let mut response = if request.method() == Method::OPTIONS {
        StatusCode::NO_CONTENT.into_response()
    } else {
        next.run(request).await
    };
    for (name, value) in [
        (header::ACCESS_CONTROL_ALLOW_ORIGIN, "*"),
        (header::ACCESS_CONTROL_ALLOW_HEADERS, "authorization"),
        (header::ACCESS_CONTROL_EXPOSE_HEADERS, "date, retry-after, www-authenticate"),
    ] {
        response.headers_mut().insert(name, HeaderValue::from_static(value));
    }
    response
}
