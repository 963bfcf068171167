//! The sites of the lobby and the two apps: files, one generated document each, and headers.

use anyhow::{Context, Result};
use axum::Router;
use axum::extract::{Request, State};
use axum::http::{HeaderValue, StatusCode, header};
use axum::middleware::map_response;
use axum::response::{Html, IntoResponse, Json, Response};
use axum::routing::{MethodRouter, get};
use serde_json::json;
use std::fs;
use std::path::{Path, PathBuf};
use tower_http::services::{ServeDir, ServeFile};

use super::build::{Built, tokens};
use super::desk::{self, Desk};
use super::places::{App, Place, Places};
use super::policy;
use crate::workspace;

/// An app: its files, and its page under every path that is no file.
pub(super) fn app(app: App, places: &Places, built: &Built) -> Result<Router> {
    let issuer = places.origin(Place::Provider);
    let api = places.origin(Place::Api);
    let other = app.other();
    let config = json!({
        "api": api,
        "issuer": issuer,
        "clientId": app.id(),
        "lobby": places.origin(Place::Lobby),
        "other": { "name": other.name(), "url": places.origin(other.place()) },
    });
    let router = Router::new()
        .route("/config.json", get(move || async move { Json(config) }))
        .fallback_service(single_page(&built.app_dir(app)));
    let page = workspace::path("sdk/driver/gatepass-silent.html");
    let html =
        fs::read_to_string(&page).with_context(|| format!("cannot read {}", page.display()))?;
    let silent = Router::new().route_service(SILENT, ServeFile::new(&page));
    Ok(with_headers(router, &policy::app(&[&issuer, &api]))?
        .merge(with_headers(silent, &policy::silent(&html))?))
}

/// Where the SDK's page for hidden frames is served.
const SILENT: &str = "/gatepass-silent.html";

/// The lobby: one page, its scripts and styles, the shared tokens, where everything is, and what it
/// may ask of the provider's control API.
pub(super) fn lobby(places: &Places, desk: Desk) -> Result<Router> {
    let page = workspace::path("index.html");
    let html =
        fs::read_to_string(&page).with_context(|| format!("cannot read {}", page.display()))?;
    let connect = [Place::Provider, Place::PiedPiper, Place::Hooli].map(|at| places.origin(at));
    let policy = policy::lobby(&places.moved(&html), &connect);
    let demo = json!({
        "lobby": places.origin(Place::Lobby),
        "piedPiper": places.origin(Place::PiedPiper),
        "hooli": places.origin(Place::Hooli),
        "issuer": places.origin(Place::Provider),
        "api": places.origin(Place::Api),
    });
    let places = *places;
    // Its links are right before any script has run. Read anew each time: whoever works on it sees it.
    let lobby_page = get(move || async move {
        match tokio::fs::read_to_string(page).await {
            Ok(html) => Html(places.moved(&html)).into_response(),
            Err(error) => (StatusCode::INTERNAL_SERVER_ERROR, error.to_string()).into_response(),
        }
    });
    let router = Router::new()
        .route("/demo.json", get(move || async move { Json(demo) }))
        .route("/", lobby_page.clone())
        .route("/index.html", lobby_page)
        .route_service("/tokens.css", ServeFile::new(tokens()))
        .nest_service("/lobby", ServeDir::new(workspace::path("xtask/lobby")))
        .merge(desk::routes(desk));
    with_headers(router, &policy)
}

/// Files of a directory; any other path that does not look like a file is the app's own, and is
/// answered with its page (`/private` is a place in the app).
fn single_page(directory: &Path) -> ServeDir<MethodRouter> {
    let page = get(page_or_nothing).with_state(directory.join("index.html"));
    ServeDir::new(directory).fallback(page)
}

async fn page_or_nothing(State(page): State<PathBuf>, request: Request) -> Response {
    let last = request.uri().path().rsplit('/').next().unwrap_or_default();
    // A missing script answered with a page would fail later and further away.
    if last.contains('.') {
        return (StatusCode::NOT_FOUND, "no such file").into_response();
    }
    match ServeFile::new(page).try_call(request).await {
        Ok(response) => response.into_response(),
        Err(error) => (StatusCode::INTERNAL_SERVER_ERROR, error.to_string()).into_response(),
    }
}

/// Adds what every answer carries.
///
/// `no-cache` and not `no-store`: the browser asks each time, and may still keep the page for its
/// back button. No Cross-Origin-Opener-Policy: the apps report to the lobby that opened
/// them.
fn with_headers(router: Router, policy: &str) -> Result<Router> {
    let headers = [
        (header::CONTENT_SECURITY_POLICY, HeaderValue::from_str(policy)?),
        (header::REFERRER_POLICY, HeaderValue::from_static("no-referrer")),
        (header::X_CONTENT_TYPE_OPTIONS, HeaderValue::from_static("nosniff")),
        (header::CACHE_CONTROL, HeaderValue::from_static("no-cache")),
    ];
    Ok(router.layer(map_response(move |mut response: Response| {
        response.headers_mut().extend(headers.clone());
        async move { response }
    })))
}

#[cfg(test)]
mod tests {
    use super::*;
    use axum::body::Body;
    use tower_service::Service;

    /// A site with a page, a script and a module.
    fn site(name: &str) -> (PathBuf, Router) {
        let dir = std::env::temp_dir().join(format!("gatepass-site-{}-{name}", std::process::id()));
        fs::create_dir_all(&dir).unwrap();
        for (file, text) in [("index.html", "page"), ("app.js", "script"), ("app_bg.wasm", "wasm")]
        {
            fs::write(dir.join(file), text).unwrap();
        }
        let router = Router::new().fallback_service(single_page(&dir));
        let router = with_headers(router, &policy::app(&["http://idp.localhost:8083"])).unwrap();
        (dir, router)
    }

    async fn ask(router: &mut Router, path: &str, etag: Option<&HeaderValue>) -> Response {
        let mut request = Request::builder().uri(path).body(Body::empty()).unwrap();
        if let Some(etag) = etag {
            request.headers_mut().insert(header::IF_NONE_MATCH, etag.clone());
        }
        router.call(request).await.unwrap()
    }

    async fn text(response: Response) -> String {
        let bytes = axum::body::to_bytes(response.into_body(), 1000).await.unwrap();
        String::from_utf8(bytes.to_vec()).unwrap()
    }

    #[tokio::test]
    async fn answers_places_in_the_app_with_its_page() {
        let (dir, mut router) = site("page");
        for path in ["/", "/private", "/public", "/?code=a.b&state=c", "/deep/place"] {
            let response = ask(&mut router, path, None).await;
            assert_eq!(response.status(), StatusCode::OK, "{path}");
            assert_eq!(response.headers()[header::CONTENT_TYPE], "text/html", "{path}");
            assert_eq!(text(response).await, "page", "{path}");
        }
        fs::remove_dir_all(dir).unwrap();
    }

    #[tokio::test]
    async fn does_not_answer_a_missing_file_with_the_page() {
        let (dir, mut router) = site("missing");
        let response = ask(&mut router, "/nothing.js", None).await;
        assert_eq!(response.status(), StatusCode::NOT_FOUND);
        fs::remove_dir_all(dir).unwrap();
    }

    #[tokio::test]
    async fn serves_wasm_as_wasm() {
        let (dir, mut router) = site("wasm");
        let response = ask(&mut router, "/app_bg.wasm", None).await;
        assert_eq!(response.headers()[header::CONTENT_TYPE], "application/wasm");
        fs::remove_dir_all(dir).unwrap();
    }

    #[tokio::test]
    async fn every_answer_has_the_headers() {
        let (dir, mut router) = site("headers");
        for path in ["/", "/app.js", "/private", "/nothing.js"] {
            let response = ask(&mut router, path, None).await;
            let headers = response.headers();
            assert!(headers.contains_key(header::CONTENT_SECURITY_POLICY), "{path}");
            assert_eq!(headers[header::REFERRER_POLICY], "no-referrer", "{path}");
            assert_eq!(headers[header::X_CONTENT_TYPE_OPTIONS], "nosniff", "{path}");
            assert_eq!(headers[header::CACHE_CONTROL], "no-cache", "{path}");
            assert!(!headers.contains_key("cross-origin-opener-policy"), "{path}");
        }
        fs::remove_dir_all(dir).unwrap();
    }

    #[tokio::test]
    async fn answers_an_unchanged_file_with_not_modified() {
        let (dir, mut router) = site("etag");
        for path in ["/", "/app.js", "/private"] {
            let etag = ask(&mut router, path, None).await.headers()[header::ETAG].clone();
            let again = ask(&mut router, path, Some(&etag)).await;
            assert_eq!(again.status(), StatusCode::NOT_MODIFIED, "{path}");
        }
        fs::remove_dir_all(dir).unwrap();
    }
}
