//! `/s/NAME`: a provider of its own for each scenario, with its own discovery, keys and sessions.
//! Users and clients are those of the configuration.

use std::sync::Arc;

use axum::body::{Body, to_bytes};
use axum::extract::{Request, State};
use axum::http::uri::PathAndQuery;
use axum::http::{HeaderValue, StatusCode, Uri, header};
use axum::response::{IntoResponse, Response};
use tower::ServiceExt;

use super::registry::{self, Scenario};
use super::switches::{Scenarios, lock};
use crate::http::page;
use crate::keys::{Keys, Rsa};
use crate::pages;
use crate::provider::{Parts, Provider, Shared, StartError};
use crate::store::MemoryStore;

/// Where they begin, behind the provider's origin.
pub(crate) const PREFIX: &str = "/s/";

/// Everything below [`PREFIX`].
pub(crate) async fn serve(State(provider): State<Shared>, request: Request) -> Response {
    let name = request.uri().path().strip_prefix(PREFIX).and_then(|rest| rest.split('/').next());
    let Some(scenario) = name.and_then(registry::find) else {
        let detail = "There is no scenario of this name. `idp-dev scenarios` lists them.";
        return page(StatusCode::NOT_FOUND, pages::error("Nothing here", detail, None));
    };
    match isolated(&provider, scenario) {
        Ok(isolated) => answer(&isolated, scenario, request).await,
        Err(_) => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
    }
}

/// The provider of a scenario, made when it is asked for first.
fn isolated(provider: &Provider, scenario: &'static Scenario) -> Result<Shared, StartError> {
    let mut all = lock(&provider.scenarios.isolated);
    if let Some(isolated) = all.get(scenario.name.as_str()) {
        return Ok(isolated.clone());
    }
    let mut config = provider.config.clone();
    config.issuer = format!("{}{PREFIX}{}", provider.config.issuer(), scenario.name);
    // It tells one lie, its own; a reset goes back to the configuration.
    config.scenarios.clear();
    let scenarios = Scenarios::of_issuer(scenario, provider.scenarios.book.clone());
    let parts = Parts {
        clock: provider.clock.clone(),
        store: Arc::new(MemoryStore::new()),
        timeline: provider.timeline.of_issuer(&scenario.name),
        scenarios,
        keys: Keys::generate(Rsa::WhenAsked)?,
        people: provider.people.clone(),
    };
    let isolated = Provider::start_with(config, parts)?;
    all.insert(&scenario.name, isolated.clone());
    Ok(isolated)
}

async fn answer(isolated: &Shared, scenario: &Scenario, mut request: Request) -> Response {
    let prefix = format!("{PREFIX}{}", scenario.name);
    let rest = request.uri().path_and_query().map_or("/", PathAndQuery::as_str);
    let rest = rest.strip_prefix(&prefix).unwrap_or(rest);
    let rest = if rest.starts_with('/') { rest.to_owned() } else { format!("/{rest}") };
    let Ok(uri) = rest.parse::<Uri>() else { return StatusCode::BAD_REQUEST.into_response() };
    *request.uri_mut() = uri;
    let Ok(response) = isolated.router().oneshot(request).await;
    moved(response, &prefix).await
}

/// The provider's own pages and redirects name its own paths from the root on: these lead below the
/// prefix. Everything that a program reads names whole addresses, which are right already.
async fn moved(mut response: Response, prefix: &str) -> Response {
    let headers = response.headers_mut();
    if let Some(location) = headers.get(header::LOCATION).and_then(|value| value.to_str().ok())
        && location.starts_with('/')
    {
        match HeaderValue::from_str(&format!("{prefix}{location}")) {
            Ok(location) => headers.insert(header::LOCATION, location),
            Err(_) => return StatusCode::INTERNAL_SERVER_ERROR.into_response(),
        };
    }
    let is_page = headers
        .get(header::CONTENT_TYPE)
        .is_some_and(|value| value.as_bytes().starts_with(b"text/html"));
    if !is_page {
        return response;
    }
    let (mut parts, body) = response.into_parts();
    // Half a page, or none, would look like one of ours.
    let Ok(bytes) = to_bytes(body, MAX_PAGE).await else {
        return StatusCode::INTERNAL_SERVER_ERROR.into_response();
    };
    // What people typed is escaped in our pages: no quotation mark of theirs begins an attribute.
    let text = String::from_utf8_lossy(&bytes)
        .replace("action=\"/", &format!("action=\"{prefix}/"))
        .replace("href=\"/", &format!("href=\"{prefix}/"));
    parts.headers.remove(header::CONTENT_LENGTH);
    Response::from_parts(parts, Body::from(text))
}

const MAX_PAGE: usize = 1024 * 1024;

#[cfg(test)]
mod tests {
    use axum::response::Html;

    use super::*;

    #[tokio::test]
    async fn page_that_cannot_be_read_is_no_empty_page() {
        let long = "x".repeat(MAX_PAGE + 1);
        assert_eq!(moved(Html(long).into_response(), "/s/x").await.status(), 500);
        let page = moved(Html("<a href=\"/y\">").into_response(), "/s/x").await;
        assert_eq!(page.status(), 200);
        let bytes = to_bytes(page.into_body(), MAX_PAGE).await.unwrap();
        assert_eq!(bytes, "<a href=\"/s/x/y\">");
    }
}
