//! The servers of apps, which are told of the end of a session by back channel.

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use axum::Router;
use axum::extract::{Path, State};
use axum::http::StatusCode;
use axum::response::{IntoResponse, Redirect, Response};
use axum::routing::post;
use serde_json::Value;
use tokio::net::TcpListener;
use tokio::sync::{Barrier, Mutex as AsyncMutex, Semaphore, mpsc};
use tokio::time::timeout;

use super::tokens::part;

/// How an app's server answers a logout token.
#[derive(Clone)]
pub(crate) enum Answers {
    /// At once, with these one after the other, the last one for good.
    With(Vec<u16>),
    /// When so many others wait for their answers too.
    Together(Arc<Barrier>),
    /// Each when somebody gives a permit for it.
    When(Arc<Semaphore>),
    /// Not at all.
    Never,
}

/// What one app's server was told.
pub(crate) struct Told {
    pub(crate) app: String,
    pub(crate) content_type: String,
    /// The form as it came.
    pub(crate) form: BTreeMap<String, String>,
}

impl Told {
    pub(crate) fn token(&self) -> &str {
        &self.form["logout_token"]
    }

    pub(crate) fn claims(&self) -> Value {
        part(self.token(), 1)
    }
}

/// One server for all apps, each at a path of its own.
pub(crate) struct AppServer {
    base: String,
    manners: Arc<Mutex<BTreeMap<String, Answers>>>,
    told: AsyncMutex<mpsc::UnboundedReceiver<Told>>,
}

#[derive(Clone)]
struct Shared {
    manners: Arc<Mutex<BTreeMap<String, Answers>>>,
    told: mpsc::UnboundedSender<Told>,
}

impl AppServer {
    pub(crate) async fn start() -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let base = format!("http://app.localhost:{}", listener.local_addr().unwrap().port());
        let (sender, told) = mpsc::unbounded_channel();
        let manners = Arc::new(Mutex::new(BTreeMap::new()));
        let shared = Shared { manners: manners.clone(), told: sender };
        let router = Router::new().route("/{app}", post(take)).with_state(shared);
        tokio::spawn(async move { axum::serve(listener, router).await });
        Self { base, manners, told: AsyncMutex::new(told) }
    }

    /// Where an app is told.
    pub(crate) fn uri(&self, app: &str) -> String {
        format!("{}/{app}", self.base)
    }

    pub(crate) fn answers(&self, app: &str, answers: Answers) {
        self.manners.lock().unwrap().insert(app.to_owned(), answers);
    }

    /// What was told next.
    pub(crate) async fn next(&self) -> Told {
        let mut told = self.told.lock().await;
        timeout(Duration::from_secs(30), told.recv()).await.expect("nobody is told").unwrap()
    }
}

async fn take(
    State(shared): State<Shared>,
    Path(app): Path<String>,
    headers: axum::http::HeaderMap,
    body: String,
) -> Response {
    let content_type = headers["content-type"].to_str().unwrap().to_owned();
    let form = url::form_urlencoded::parse(body.as_bytes()).into_owned().collect();
    shared.told.send(Told { app: app.clone(), content_type, form }).unwrap();
    let answers = {
        let mut manners = shared.manners.lock().unwrap();
        let answers = manners.entry(app).or_insert_with(|| Answers::With(vec![200]));
        let now = answers.clone();
        if let Answers::With(statuses) = answers
            && statuses.len() > 1
        {
            statuses.remove(0);
        }
        now
    };
    match answers {
        Answers::With(statuses) if statuses[0] == 303 => Redirect::to("/elsewhere").into_response(),
        Answers::With(statuses) => StatusCode::from_u16(statuses[0]).unwrap().into_response(),
        Answers::Together(barrier) => {
            barrier.wait().await;
            StatusCode::OK.into_response()
        }
        Answers::When(gate) => {
            gate.acquire().await.unwrap().forget();
            StatusCode::OK.into_response()
        }
        Answers::Never => std::future::pending().await,
    }
}
