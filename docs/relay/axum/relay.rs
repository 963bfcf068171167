//! The relay as an axum router: see docs/relay.md.

use std::collections::VecDeque;
use std::convert::Infallible;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use axum::extract::{DefaultBodyLimit, Form, State};
use axum::http::{HeaderMap, HeaderValue, Method, StatusCode, header};
use axum::response::sse::{Event, KeepAlive, Sse};
use axum::response::{IntoResponse, Response};
use axum::routing::{get, post};
use axum::{Json, Router};
use base64ct::{Base64UrlUnpadded, Encoding};
use futures_util::{StreamExt, stream};
use serde::Deserialize;
use serde_json::json;
use tokio::sync::broadcast;
use tower_http::cors::CorsLayer;

/// What the relay knows.
pub(crate) struct Relay {
    /// The provider's `userinfo_endpoint`: says whose access token it is.
    pub(crate) userinfo_endpoint: String,
    /// The origin of the app's pages.
    pub(crate) app_origin: HeaderValue,
}

struct Running {
    relay: Relay,
    http: reqwest::Client,
    news: broadcast::Sender<LogoutToken>,
    /// For tabs that are between two streams.
    recent: Mutex<VecDeque<(Instant, LogoutToken)>>,
}

/// A logout token as it came. Nothing of it is believed here: each tab verifies it.
#[derive(Clone)]
struct LogoutToken {
    text: String,
    /// Whom it is about. A token with a `sid` only names a session and nobody: it goes to all tabs.
    sub: Option<String>,
}

#[derive(Deserialize)]
struct Claims {
    sub: Option<String>,
    sid: Option<String>,
}

/// The two addresses: the provider's, and the tabs'.
pub(crate) fn router(relay: Relay) -> Router {
    let cors = CorsLayer::new()
        .allow_origin(relay.app_origin.clone())
        .allow_methods([Method::GET])
        .allow_headers([header::AUTHORIZATION])
        .expose_headers([header::RETRY_AFTER]);
    let running = Running {
        relay,
        http: reqwest::Client::new(),
        news: broadcast::Sender::new(MAX_UNREAD),
        recent: Mutex::default(),
    };
    Router::new()
        .route("/session-events", get(session_events).layer(cors))
        .route("/backchannel-logout", post(backchannel_logout))
        .layer(DefaultBodyLimit::max(MAX_FORM))
        .with_state(Arc::new(running))
}

#[derive(Deserialize)]
struct Logout {
    logout_token: String,
}

/// Back-Channel Logout 1.0, 2.5: the provider says that a session is over.
async fn backchannel_logout(
    State(running): State<Arc<Running>>,
    Form(form): Form<Logout>,
) -> Response {
    let uncached = [(header::CACHE_CONTROL, "no-store")];
    let Some(token) = LogoutToken::read(form.logout_token) else {
        let error = Json(json!({ "error": "invalid_request" }));
        return (StatusCode::BAD_REQUEST, uncached, error).into_response();
    };
    running.remember(token.clone());
    // Nobody listens: that is no fault.
    let _tabs = running.news.send(token);
    (StatusCode::OK, uncached).into_response()
}

/// docs/session-events.md: a tab listens.
async fn session_events(State(running): State<Arc<Running>>, headers: HeaderMap) -> Response {
    // Before the question whose it is, so that nothing falls between.
    let news = running.news.subscribe();
    if running.news.receiver_count() > MAX_TABS {
        return later(StatusCode::TOO_MANY_REQUESTS);
    }
    let Some(bearer) = headers.get(header::AUTHORIZATION) else {
        return StatusCode::UNAUTHORIZED.into_response();
    };
    let sub = match running.subject_of(bearer).await {
        Ok(Some(sub)) => sub,
        Ok(None) => return StatusCode::UNAUTHORIZED.into_response(),
        Err(_) => return later(StatusCode::SERVICE_UNAVAILABLE),
    };
    let missed = running.recent_of(&sub);
    let hello = Event::default().event("open").data(json!({ "heartbeat": HEARTBEAT }).to_string());
    let first = stream::iter([hello]).chain(stream::iter(missed).map(LogoutToken::event));
    let next = stream::unfold((news, sub), async |(mut news, sub)| {
        // A tab that is too far behind is let go: it comes again and is told what it missed.
        while let Ok(token) = news.recv().await {
            if token.is_for(&sub) {
                return Some((token.event(), (news, sub)));
            }
        }
        None
    });
    let alive = KeepAlive::new().interval(Duration::from_secs(HEARTBEAT)).text("heartbeat");
    let events = Sse::new(first.chain(next).map(Ok::<_, Infallible>)).keep_alive(alive);
    let headers = [("cache-control", "no-store, no-transform"), ("x-accel-buffering", "no")];
    (headers, events).into_response()
}

fn later(status: StatusCode) -> Response {
    (status, [(header::RETRY_AFTER, "15")]).into_response()
}

impl Running {
    /// Whose access token it is: `None` if the provider does not take it.
    async fn subject_of(&self, bearer: &HeaderValue) -> reqwest::Result<Option<String>> {
        let request = self.http.get(&self.relay.userinfo_endpoint);
        let request = request.header(header::AUTHORIZATION, bearer.clone());
        let answer = request.timeout(Duration::from_secs(10)).send().await?;
        if answer.status().is_client_error() {
            return Ok(None);
        }
        Ok(answer.error_for_status()?.json::<Claims>().await?.sub)
    }

    fn remember(&self, token: LogoutToken) {
        let mut recent = self.recent.lock().unwrap_or_else(PoisonError::into_inner);
        recent.retain(|(when, _)| when.elapsed() < LIFETIME);
        if recent.len() == MAX_RECENT {
            recent.pop_front();
        }
        recent.push_back((Instant::now(), token));
    }

    fn recent_of(&self, sub: &str) -> Vec<LogoutToken> {
        let recent = self.recent.lock().unwrap_or_else(PoisonError::into_inner);
        let fresh = recent.iter().filter(|(when, _)| when.elapsed() < LIFETIME);
        fresh.filter(|(_, token)| token.is_for(sub)).map(|(_, token)| token.clone()).collect()
    }
}

impl LogoutToken {
    /// Reads whom a token is about; `None` if it is no JWT that says so.
    fn read(text: String) -> Option<Self> {
        let [_, payload, _] = text.split('.').collect::<Vec<_>>().try_into().ok()?;
        let claims = Base64UrlUnpadded::decode_vec(payload).ok()?;
        let claims: Claims = serde_json::from_slice(&claims).ok()?;
        let names_somebody = claims.sub.is_some() || claims.sid.is_some();
        names_somebody.then_some(Self { text, sub: claims.sub })
    }

    fn is_for(&self, sub: &str) -> bool {
        self.sub.as_ref().is_none_or(|own| own == sub)
    }

    fn event(self) -> Event {
        Event::default().event("logout").data(self.text)
    }
}

/// Seconds between two signs of life.
const HEARTBEAT: u64 = 15;
/// Back-Channel Logout 1.0, 4: a logout token is good for two minutes at most.
const LIFETIME: Duration = Duration::from_secs(120);
/// A logout token has a few hundred bytes.
const MAX_FORM: usize = 16 * 1024;
const MAX_TABS: usize = 10_000;
const MAX_UNREAD: usize = 256;
const MAX_RECENT: usize = 1_000;
