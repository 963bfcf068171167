//! What the lobby's page may ask for: the sessions and the clock of the provider, and its end.
//!
//! The page never sees the control API's token: this server holds it and passes on the few requests
//! below. Another page of the same browser can reach this address too, so each request must name
//! the lobby as `Host` (against DNS rebinding), and each that changes something must come from the
//! lobby's own page (`Origin`) as JSON, which no form can send.

use anyhow::{Context, Result};
use axum::Router;
use axum::body::{Body, to_bytes};
use axum::extract::{Json, Request, State};
use axum::http::{HeaderMap, Method, StatusCode, header};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::rt::TokioExecutor;
use serde::Deserialize;
use serde_json::{Value, json};
use std::time::Duration;

use super::keeper::{Line, Standing};
use super::places::{Place, Places};

/// Who passes the page's requests on.
#[derive(Clone)]
pub(super) struct Desk {
    line: Line,
    /// The lobby's own origin.
    origin: String,
    /// The control API's origin.
    control: String,
    http: Client<HttpConnector, Body>,
}

impl Desk {
    /// The desk of the demo at `places`.
    pub(super) fn new(places: &Places, line: Line) -> Self {
        Self {
            line,
            origin: places.origin(Place::Lobby),
            control: places.origin(Place::Control),
            http: Client::builder(TokioExecutor::new()).build_http(),
        }
    }

    /// Asks the control API; an empty answer is `null`.
    async fn ask(&self, method: Method, path: &str, body: Option<Value>) -> Result<Value> {
        let token = self.line.known().token.context("the control API's token is not known")?;
        let request = Request::builder()
            .method(method)
            .uri(format!("{}{path}", self.control))
            .header(header::AUTHORIZATION, format!("Bearer {token}"))
            .body(body.map_or_else(Body::empty, |body| Body::from(body.to_string())))?;
        let answered = tokio::time::timeout(ANSWER_WITHIN, self.http.request(request)).await;
        let response = answered.context("the control API is too slow")??;
        let status = response.status();
        let bytes = to_bytes(Body::new(response.into_body()), MAX_ANSWER).await?;
        anyhow::ensure!(status.is_success(), "the control API answered {status}");
        if bytes.is_empty() { Ok(Value::Null) } else { Ok(serde_json::from_slice(&bytes)?) }
    }
}

/// `/control/...` of the lobby.
pub(super) fn routes(desk: Desk) -> Router {
    Router::new()
        .route("/control/state", get(state))
        .route("/control/provider", post(provider))
        .route("/control/clock", post(clock))
        .route("/control/end", post(end))
        .route("/control/reset", post(reset))
        .layer(from_fn_with_state(desk.clone(), check_caller))
        .with_state(desk)
}

/// The lobby's own page, and nobody else.
async fn check_caller(State(desk): State<Desk>, request: Request, next: Next) -> Response {
    // HTTP/2 names the host in the address (RFC 9113 8.3.1).
    let host = request.uri().authority().map(|authority| authority.as_str().to_owned());
    match refusal(&desk.origin, request.method(), request.headers(), host.as_deref()) {
        Some(why) => refused(StatusCode::FORBIDDEN, why),
        None => next.run(request).await,
    }
}

/// Why a request is not passed on.
fn refusal(
    origin: &str,
    method: &Method,
    headers: &HeaderMap,
    authority: Option<&str>,
) -> Option<&'static str> {
    let text = |name| headers.get(name).and_then(|value| value.to_str().ok());
    let host = origin.split_once("://").map(|(_, host)| host);
    if authority.or_else(|| text(header::HOST)) != host {
        return Some("Host is not the lobby's");
    }
    let is_foreign = |site: &str| !matches!(site, "same-origin" | "none");
    if text(header::HeaderName::from_static("sec-fetch-site")).is_some_and(is_foreign) {
        return Some("the request comes from another site");
    }
    if method == Method::GET {
        return None;
    }
    if text(header::ORIGIN) != Some(origin) {
        return Some("Origin is not the lobby's");
    }
    if text(header::CONTENT_TYPE) != Some("application/json") {
        return Some("Content-Type is not application/json");
    }
    None
}

fn refused(status: StatusCode, why: &str) -> Response {
    (status, Json(json!({ "error": why }))).into_response()
}

/// Whether the provider runs, its clock and its sessions; `null` for what is not known.
async fn state(State(desk): State<Desk>) -> Response {
    let standing = desk.line.known().standing;
    let (mut clock, mut sessions) = (Value::Null, Value::Null);
    if standing != Standing::Stopped {
        // The sessions first: a look at them ends those that are over.
        sessions = desk.ask(Method::GET, "/sessions", None).await.unwrap_or_default();
        clock = desk.ask(Method::GET, "/clock", None).await.unwrap_or_default();
    }
    let provider = match standing {
        Standing::Running => "running",
        Standing::Stopped => "stopped",
        Standing::Elsewhere => "elsewhere",
    };
    Json(json!({ "provider": provider, "clock": clock, "sessions": sessions })).into_response()
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Run {
    run: bool,
}

/// Starts or stops the provider.
async fn provider(State(desk): State<Desk>, Json(Run { run }): Json<Run>) -> Response {
    match desk.line.ask(run).await {
        Ok(()) => StatusCode::NO_CONTENT.into_response(),
        Err(why) => refused(StatusCode::CONFLICT, &why),
    }
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Advance {
    /// Seconds.
    advance: u32,
}

/// Moves the provider's clock forward.
async fn clock(State(desk): State<Desk>, Json(Advance { advance }): Json<Advance>) -> Response {
    passed_on(desk.ask(Method::POST, "/clock", Some(json!({ "advance": advance }))).await)
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Nothing {}

/// Ends every session at the provider, as an administrator does.
async fn end(State(desk): State<Desk>, Json(Nothing {}): Json<Nothing>) -> Response {
    let ended = async {
        let sessions = desk.ask(Method::GET, "/sessions", None).await?;
        let ids = sessions.as_array().into_iter().flatten();
        for id in ids.filter_map(|session| session["id"].as_str()) {
            desk.ask(Method::DELETE, &format!("/sessions/{id}"), None).await?;
        }
        Ok(Value::Null)
    };
    passed_on(ended.await)
}

/// Ends every session, forgets the timeline and sets the clock back.
async fn reset(State(desk): State<Desk>, Json(Nothing {}): Json<Nothing>) -> Response {
    passed_on(desk.ask(Method::POST, "/reset", None).await)
}

fn passed_on(outcome: Result<Value>) -> Response {
    match outcome {
        Ok(Value::Null) => StatusCode::NO_CONTENT.into_response(),
        Ok(value) => Json(value).into_response(),
        Err(error) => refused(StatusCode::BAD_GATEWAY, &format!("{error:#}")),
    }
}

const ANSWER_WITHIN: Duration = Duration::from_secs(5);

/// Some hundred sessions.
const MAX_ANSWER: usize = 1 << 20;

#[cfg(test)]
mod tests {
    use super::*;

    const LOBBY: &str = "http://localhost:8080";

    fn why(method: &Method, headers: &[(&'static str, &'static str)]) -> Option<&'static str> {
        let headers = headers.iter().map(|(name, value)| {
            let name = header::HeaderName::from_static(name);
            (name, header::HeaderValue::from_static(value))
        });
        refusal(LOBBY, method, &headers.collect(), None)
    }

    #[test]
    fn passes_on_what_the_lobby_asks() {
        let get = [("host", "localhost:8080"), ("sec-fetch-site", "same-origin")];
        assert_eq!(why(&Method::GET, &get), None);
        let post =
            [("host", "localhost:8080"), ("origin", LOBBY), ("content-type", "application/json")];
        assert_eq!(why(&Method::POST, &post), None);
    }

    #[test]
    fn refuses_another_host_whatever_the_method() {
        for host in ["localhost:8081", "localhost", "evil.example:8080", "127.0.0.1:8080"] {
            assert!(why(&Method::GET, &[("host", host)]).is_some(), "{host}");
        }
        assert!(why(&Method::GET, &[]).is_some());
    }

    #[test]
    fn reads_the_host_of_http2() {
        let asked = |host| refusal(LOBBY, &Method::GET, &HeaderMap::new(), Some(host));
        assert_eq!(asked("localhost:8080"), None);
        assert!(asked("evil.example:8080").is_some());
    }

    #[test]
    fn refuses_a_change_that_another_page_asks_for() {
        let host = ("host", "localhost:8080");
        let json = ("content-type", "application/json");
        let foreign = [
            [host, json, ("origin", "http://hooli.localhost:8082")],
            [host, json, ("origin", "null")],
            [host, json, ("sec-fetch-site", "same-origin")],
            [host, ("origin", LOBBY), ("content-type", "text/plain")],
        ];
        for headers in foreign {
            assert!(why(&Method::POST, &headers).is_some(), "{headers:?}");
        }
        assert!(why(&Method::GET, &[host, ("sec-fetch-site", "cross-site")]).is_some());
        assert!(why(&Method::GET, &[host, ("sec-fetch-site", "same-site")]).is_some());
    }
}
