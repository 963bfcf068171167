//! The third site: a server of the test process, reachable under any name below `localhost`.
//!
//! It frames the cookie probe, and serves the npm app and the pages of foreign clients.

use anyhow::{Context, Result};
use axum::Router;
use axum::extract::Query;
use axum::http::{HeaderMap, HeaderName, HeaderValue, StatusCode, header};
use axum::response::{Html, IntoResponse, Redirect, Response};
use axum::routing::get;
use axum_server::tls_rustls::RustlsConfig;
use rustls::crypto::aws_lc_rs;
use serde::Deserialize;
use std::collections::BTreeMap;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use std::path::{Path, PathBuf};
use std::sync::{Arc, PoisonError, RwLock, RwLockWriteGuard};
use tokio::net::TcpListener;
use tokio::task::JoinHandle;
use tower_http::services::ServeFile;

use crate::environment;
use crate::network::Request;

/// A running site. Dropping it ends it.
#[derive(Debug)]
pub struct Site {
    scheme: &'static str,
    port: u16,
    mounts: Mounts,
    answers: Answers,
    servers: Vec<JoinHandle<()>>,
}

/// Directories by the path under which they are served.
type Mounts = Arc<RwLock<Vec<(String, PathBuf)>>>;

/// What is answered in place of a file, by path; and what every answer has besides.
type Answers = Arc<RwLock<Said>>;

#[derive(Debug, Default)]
struct Said {
    by_path: BTreeMap<String, Answer>,
    headers: HeaderMap,
    /// What has been asked for, in order.
    asked: Vec<Request>,
}

#[derive(Clone, Debug)]
enum Answer {
    Json(String),
    Page(String),
    Elsewhere(String),
    Missing,
    Silence,
}

impl IntoResponse for Answer {
    fn into_response(self) -> Response {
        match self {
            Self::Json(text) => {
                ([(header::CONTENT_TYPE, "application/json")], text).into_response()
            }
            Self::Page(html) => Html(html).into_response(),
            Self::Elsewhere(address) => Redirect::temporary(&address).into_response(),
            Self::Missing => StatusCode::NOT_FOUND.into_response(),
            // It is never made: who asks waits for ever.
            Self::Silence => StatusCode::GATEWAY_TIMEOUT.into_response(),
        }
    }
}

impl Site {
    /// Listens on a free port of the loopback addresses, by http or https.
    ///
    /// # Errors
    /// When it cannot.
    pub async fn start(is_tls: bool) -> Result<Self> {
        let tls = if is_tls { Some(certificate().await?) } else { None };
        let mounts = Mounts::default();
        mount(&mounts, "/peers/", environment::crate_path("peers"));
        mount(&mounts, "/node_modules/", environment::crate_path("node_modules"));
        let first = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let port = first.local_addr()?.port();
        let mut listeners = vec![first];
        // Browsers try both addresses; a machine without the second has only one to try.
        listeners.extend(TcpListener::bind(SocketAddr::from((Ipv6Addr::LOCALHOST, port))).await);
        let answers = Answers::default();
        let scheme = if is_tls { "https" } else { "http" };
        let app = router(&mounts, &answers, scheme);
        let servers = listeners
            .into_iter()
            .map(|listener| {
                let (app, tls) = (app.clone(), tls.clone());
                tokio::spawn(async move {
                    if let Err(error) = serve_at(listener, app, tls).await {
                        eprintln!("warning: the third site has stopped: {error}");
                    }
                })
            })
            .collect();
        Ok(Self { scheme, port, mounts, answers, servers })
    }

    /// Its origin under a name: each name is a site of its own.
    #[must_use]
    pub fn origin(&self, name: &str) -> String {
        format!("{}://{name}.localhost:{}", self.scheme, self.port)
    }

    /// Answers a path with JSON.
    pub fn answer(&self, path: &str, json: String) {
        self.said().by_path.insert(path.to_owned(), Answer::Json(json));
    }

    /// Answers a path with a page, whatever file lies there: as servers of single-page apps do for
    /// what they do not have.
    pub fn answer_page(&self, path: &str, html: impl Into<String>) {
        self.said().by_path.insert(path.to_owned(), Answer::Page(html.into()));
    }

    /// Leads from a path to an address.
    pub fn redirect(&self, path: &str, address: impl Into<String>) {
        self.said().by_path.insert(path.to_owned(), Answer::Elsewhere(address.into()));
    }

    /// Does not answer a path at all.
    pub fn hang(&self, path: &str) {
        self.said().by_path.insert(path.to_owned(), Answer::Silence);
    }

    /// Has no file at a path, whatever lies there.
    pub fn lose(&self, path: &str) {
        self.said().by_path.insert(path.to_owned(), Answer::Missing);
    }

    /// Answers a path with its file again.
    pub fn find_again(&self, path: &str) {
        self.said().by_path.remove(path);
    }

    /// Sends a Content-Security-Policy with everything from now on.
    ///
    /// # Errors
    /// When it cannot be a header.
    pub fn set_policy(&self, policy: &str) -> Result<()> {
        self.set_header(header::CONTENT_SECURITY_POLICY, policy)
    }

    /// Sends a header with everything from now on, in place of one of the same name.
    ///
    /// # Errors
    /// When it cannot be one.
    pub fn set_header(&self, name: HeaderName, value: &str) -> Result<()> {
        let value = HeaderValue::from_str(value)?;
        self.said().headers.insert(name, value);
        Ok(())
    }

    /// How often a path was asked for.
    #[must_use]
    pub fn asked(&self, path: &str) -> usize {
        let is_it = |request: &Request| {
            let place = request.path().splitn(4, '/').nth(3).unwrap_or_default();
            Some(place) == path.strip_prefix('/')
        };
        self.said().asked.iter().filter(|request| is_it(request)).count()
    }

    /// What has been asked for, under any name, in order. Answers are not noted.
    #[must_use]
    pub fn requests(&self) -> Vec<Request> {
        self.said().asked.clone()
    }

    fn said(&self) -> RwLockWriteGuard<'_, Said> {
        self.answers.write().unwrap_or_else(PoisonError::into_inner)
    }

    /// Serves a directory at its root, in place of what was there: a built app.
    pub fn serve(&self, directory: impl AsRef<Path>) {
        let mut mounts = self.mounts.write().unwrap_or_else(PoisonError::into_inner);
        mounts.retain(|(at, _)| at != "/");
        drop(mounts);
        mount(&self.mounts, "/", directory.as_ref().to_owned());
    }
}

impl Drop for Site {
    fn drop(&mut self) {
        self.servers.iter().for_each(JoinHandle::abort);
    }
}

/// The certificate that the runner has had made.
///
/// # Errors
/// When there is none.
pub async fn certificate() -> Result<RustlsConfig> {
    let directory = environment::file(environment::CERTIFICATE)?;
    // A second one made at the same time is as good.
    let _ = aws_lc_rs::default_provider().install_default();
    let (cert, key) = (directory.join("cert.pem"), directory.join("key.pem"));
    Ok(RustlsConfig::from_pem_file(cert, key).await?)
}

/// Serves at a socket, by https with a certificate.
///
/// # Errors
/// When the socket fails.
pub async fn serve_at(
    listener: TcpListener,
    app: Router,
    tls: Option<RustlsConfig>,
) -> std::io::Result<()> {
    match tls {
        Some(tls) => {
            let server = axum_server::from_tcp_rustls(listener.into_std()?, tls)?;
            server.serve(app.into_make_service()).await
        }
        None => axum::serve(listener, app).await,
    }
}

fn mount(mounts: &Mounts, at: &str, directory: PathBuf) {
    let mut mounts = mounts.write().unwrap_or_else(PoisonError::into_inner);
    mounts.push((at.to_owned(), directory));
}

fn router(mounts: &Mounts, answers: &Answers, scheme: &'static str) -> Router {
    let (mounts, answers) = (Arc::clone(mounts), Arc::clone(answers));
    Router::new()
        .route("/probe/keep", get(keep))
        .route("/probe/look", get(look))
        .route("/probe/frame", get(frame))
        .fallback(move |request| serve(mounts, answers, scheme, request))
}

/// Gives the browser the two kinds of cookie: one that may cross sites, one that may not.
async fn keep() -> impl IntoResponse {
    let cookies = [
        (header::SET_COOKIE, "crossing=1; Path=/; Secure; SameSite=None"),
        (header::SET_COOKIE, "staying=1; Path=/; Secure; SameSite=Lax"),
    ];
    (axum::response::AppendHeaders(cookies), Html("kept"))
}

/// Says which of them came with the request and whether it can keep one of its own, and tells the
/// framing page.
async fn look(headers: HeaderMap) -> Html<String> {
    let cookies = headers.get_all(header::COOKIE).iter().filter_map(|value| value.to_str().ok());
    let cookies = cookies.collect::<Vec<_>>().join("; ");
    let seen = ["crossing", "staying"].map(|name| cookies.contains(&format!("{name}=1")));
    Html(format!(
        "<!doctype html><title>probe</title><script>\
         const script = document.cookie;\
         if (parent !== window) document.cookie = 'own=1; Secure; SameSite=None';\
         const keeps = document.cookie.includes('own=1');\
         parent.postMessage({{ crossing: {}, staying: {}, script, keeps }}, '*')</script>",
        seen[0], seen[1]
    ))
}

#[derive(Deserialize)]
struct Framed {
    address: String,
}

/// Frames a page and keeps what it tells in the document's `data-seen`.
async fn frame(Query(Framed { address }): Query<Framed>) -> Html<String> {
    let address = address.replace('&', "&amp;").replace('"', "&quot;").replace('<', "&lt;");
    Html(format!(
        "<!doctype html><title>frame</title><script>\
         addEventListener('message', (event) => {{\
           document.documentElement.dataset.seen = JSON.stringify(event.data);\
         }});</script><iframe src=\"{address}\"></iframe>"
    ))
}

async fn serve(
    mounts: Mounts,
    answers: Answers,
    scheme: &str,
    request: axum::extract::Request,
) -> Response {
    let (answer, headers) = {
        let mut said = answers.write().unwrap_or_else(PoisonError::into_inner);
        let path = request.uri().path();
        said.asked.push(noted(scheme, &request));
        (said.by_path.get(path).cloned(), said.headers.clone())
    };
    let mut response = match answer {
        Some(Answer::Silence) => std::future::pending().await,
        Some(answer) => answer.into_response(),
        None => serve_file(&mounts, request).await,
    };
    response.headers_mut().extend(headers);
    response
}

fn noted(scheme: &str, request: &axum::extract::Request) -> Request {
    let headers: BTreeMap<_, _> = request
        .headers()
        .iter()
        .filter_map(|(name, value)| Some((name.to_string(), value.to_str().ok()?.to_owned())))
        .collect();
    // HTTP/2 says it in the address.
    let host = request.uri().authority().map(ToString::to_string);
    let host = host.or_else(|| headers.get("host").cloned()).unwrap_or_default();
    let place = request.uri().path_and_query().map_or("/", |place| place.as_str());
    Request {
        method: request.method().to_string(),
        url: format!("{scheme}://{host}{place}"),
        headers,
        ..Request::default()
    }
}

async fn serve_file(mounts: &Mounts, request: axum::extract::Request) -> Response {
    match find(mounts, request.uri().path()) {
        Some(file) => match ServeFile::new(file).try_call(request).await {
            Ok(response) => response.into_response(),
            Err(error) => (StatusCode::INTERNAL_SERVER_ERROR, error.to_string()).into_response(),
        },
        None => StatusCode::NOT_FOUND.into_response(),
    }
}

/// The file for a path: of the longest mount that has it.
fn find(mounts: &Mounts, path: &str) -> Option<PathBuf> {
    if path.split('/').any(|part| part == "..") {
        return None;
    }
    let mounts = mounts.read().unwrap_or_else(PoisonError::into_inner);
    let mut fitting: Vec<_> = mounts
        .iter()
        .filter_map(|(at, directory)| Some((at.len(), directory.join(path.strip_prefix(at)?))))
        .collect();
    fitting.sort_by_key(|(length, _)| std::cmp::Reverse(*length));
    fitting.into_iter().map(|(_, file)| file).find_map(|file| {
        let file = if file.is_dir() { file.join("index.html") } else { file };
        file.is_file().then_some(file)
    })
}

/// Reads a file of this crate as text.
///
/// # Errors
/// When it is not there.
pub fn crate_text(relative: &str) -> Result<String> {
    let path = environment::crate_path(relative);
    std::fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))
}
