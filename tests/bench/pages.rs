//! The server of the pages: each client's bundle under a name of its own, so that each is a site.

use anyhow::Result;
use axum::Router;
use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, Uri, header};
use axum::response::sse::{Event, Sse};
use axum::response::{Html, IntoResponse, Response};
use axum::routing::{get, post};
use futures_util::{Stream, StreamExt};
use serde_json::json;
use std::convert::Infallible;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use std::path::PathBuf;
use std::sync::{Arc, OnceLock};
use tokio::net::TcpListener;
use tokio::sync::broadcast;
use tokio::task::JoinHandle;
use tower_http::services::ServeFile;

use gatepass_tests::environment;
use gatepass_tests::site::{certificate, serve_at};

/// Running pages. Dropping them ends their server.
#[derive(Debug)]
pub(crate) struct Pages {
    scheme: &'static str,
    port: u16,
    shared: Arc<Shared>,
    servers: Vec<JoinHandle<()>>,
}

#[derive(Debug)]
struct Shared {
    /// Where `cargo xtask bench` has put the bundles, one directory a client.
    bundles: PathBuf,
    /// Known only after the pages' own port is.
    issuer: OnceLock<String>,
    /// The bare push: what is sent to all who listen.
    push: broadcast::Sender<()>,
}

impl Pages {
    /// Listens on a free port, by http or https.
    ///
    /// # Errors
    /// When it cannot.
    pub(crate) async fn start(is_tls: bool) -> Result<Self> {
        let bundles = environment::file("GATEPASS_BENCH_PAGES")?;
        let (push, _) = broadcast::channel(16);
        let shared = Arc::new(Shared { bundles, issuer: OnceLock::new(), push });
        let first = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await?;
        let port = first.local_addr()?.port();
        let mut listeners = vec![first];
        // Browsers try both addresses; a machine without the second has only one to try.
        listeners.extend(TcpListener::bind(SocketAddr::from((Ipv6Addr::LOCALHOST, port))).await);
        let app = Router::new()
            .route("/", get(page))
            // Where a frame comes back to, with what a page is served.
            .route("/silent", get(page))
            .route("/blank", get(async || Html("<!doctype html><title>blank</title>")))
            .route("/push/page", get(async || Html(PUSH_PAGE)))
            .route("/push/now", post(push_now))
            .route("/push/events", get(push_events))
            .fallback(bundle)
            .with_state(Arc::clone(&shared));
        let tls = if is_tls { Some(certificate().await?) } else { None };
        let servers = listeners
            .into_iter()
            .map(|listener| {
                let (app, tls) = (app.clone(), tls.clone());
                tokio::spawn(async move {
                    if let Err(error) = serve_at(listener, app, tls).await {
                        eprintln!("warning: the pages' server has stopped: {error}");
                    }
                })
            })
            .collect();
        let scheme = if is_tls { "https" } else { "http" };
        Ok(Self { scheme, port, shared, servers })
    }

    /// A name's origin. The name is the client that is served there, with anything after a dot.
    pub(crate) fn origin(&self, name: &str) -> String {
        format!("{}://{name}.localhost:{}", self.scheme, self.port)
    }

    /// Says where the provider is, from now on.
    pub(crate) fn provider_is_at(&self, issuer: &str) {
        // A second provider for the same pages is never started.
        let _ = self.shared.issuer.set(issuer.to_owned());
    }
}

impl Drop for Pages {
    fn drop(&mut self) {
        self.servers.iter().for_each(JoinHandle::abort);
    }
}

/// The same page for every client: the bundle differs, and the client id, which is the host's name.
async fn page(State(shared): State<Arc<Shared>>, uri: Uri, headers: HeaderMap) -> Response {
    let (Some(name), Some(issuer)) = (name_of(&uri, &headers), shared.issuer.get()) else {
        return StatusCode::NOT_FOUND.into_response();
    };
    let config = json!({ "issuer": issuer, "clientId": name }).to_string().replace('"', "&quot;");
    let html = format!(
        "<!doctype html><html lang=\"en\"><head><meta charset=\"utf-8\"><title>{name}</title>\
         <meta name=\"config\" content=\"{config}\">\
         <script type=\"module\" src=\"/app.js\"></script></head><body>\
         <p data-testid=\"status\">loading</p><p data-testid=\"ready\"></p>\
         <button data-testid=\"sign-in\">Sign in</button>\
         <button data-testid=\"sign-out\">Sign out</button></body></html>"
    );
    ([(header::CACHE_CONTROL, "no-cache")], Html(html)).into_response()
}

/// A file of a bundle, kept by the browser as a deployed bundle is.
async fn bundle(State(shared): State<Arc<Shared>>, request: Request) -> Response {
    let path = request.uri().path().trim_start_matches('/').to_owned();
    let Some(name) = name_of(request.uri(), request.headers()) else {
        return StatusCode::NOT_FOUND.into_response();
    };
    if path.split('/').any(|part| part == "..") {
        return StatusCode::NOT_FOUND.into_response();
    }
    let client = name.split('.').next().unwrap_or_default();
    let file = shared.bundles.join(client).join(path);
    match ServeFile::new(file).try_call(request).await {
        Ok(response) => {
            let mut response = response.map(Body::new);
            let kept = HeaderValue::from_static("public, max-age=31536000, immutable");
            response.headers_mut().insert(header::CACHE_CONTROL, kept);
            response
        }
        Err(error) => (StatusCode::INTERNAL_SERVER_ERROR, error.to_string()).into_response(),
    }
}

/// The first name of the request's host: `two.gatepass` of `two.gatepass.localhost:1`. By HTTP/2 it stands
/// in the address (RFC 9113, 8.3.1).
fn name_of(uri: &Uri, headers: &HeaderMap) -> Option<String> {
    let host = match uri.host() {
        Some(host) => host,
        None => headers.get(header::HOST)?.to_str().ok()?.split(':').next()?,
    };
    Some(host.strip_suffix(".localhost")?.to_owned())
}

async fn push_now(State(shared): State<Arc<Shared>>) -> StatusCode {
    // Nobody listening is told by the page that waits in vain.
    let _ = shared.push.send(());
    StatusCode::NO_CONTENT
}

async fn push_events(
    State(shared): State<Arc<Shared>>,
) -> Sse<impl Stream<Item = Result<Event, Infallible>>> {
    let pushes = futures_util::stream::unfold(shared.push.subscribe(), async |mut pushes| {
        pushes.recv().await.ok()?;
        Some((Ok(Event::default().event("push").data("x")), pushes))
    });
    let hello = futures_util::stream::iter([Ok(Event::default().event("hello").data("x"))]);
    Sse::new(hello.chain(pushes))
}

/// A page that sends a push when clicked, and listens for pushes.
const PUSH_PAGE: &str = r#"<!doctype html><html lang="en"><title>push</title>
<p data-testid="status">loading</p><button data-testid="push">Push</button>
<script>
  const status = document.querySelector("[data-testid=status]");
  const events = new EventSource("/push/events");
  events.addEventListener("hello", () => (status.textContent = "listening"));
  events.addEventListener("push", () => performance.mark("pushed"));
  document.querySelector("[data-testid=push]").onclick = (event) => {
    sessionStorage.setItem("bench:clicked", performance.timeOrigin + event.timeStamp);
    fetch("/push/now", { method: "POST" });
  };
</script></html>"#;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_host_says_which_client_is_served() {
        let by_http_2 = |host: &str| {
            let uri = format!("https://{host}/app.js").parse().ok()?;
            name_of(&uri, &HeaderMap::new())
        };
        let name = |host: &'static str| {
            let headers = [(header::HOST, HeaderValue::from_static(host))];
            let name = name_of(&Uri::from_static("/app.js"), &HeaderMap::from_iter(headers));
            assert_eq!(name, by_http_2(host), "{host}");
            name
        };
        assert_eq!(name("gatepass.localhost:1").as_deref(), Some("gatepass"));
        assert_eq!(name("gatepass.two.localhost:1").as_deref(), Some("gatepass.two"));
        assert_eq!(name("127.0.0.1:1"), None);
    }
}
