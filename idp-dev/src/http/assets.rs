//! Style sheets and small scripts, from the binary.

use std::sync::LazyLock;

use axum::extract::{Path, RawQuery};
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse, Response};

use crate::secret::{Digest, base64url};

struct Asset {
    name: &'static str,
    media_type: &'static str,
    text: &'static str,
    /// Changes with the content.
    version: String,
}

static ASSETS: LazyLock<[Asset; 6]> = LazyLock::new(|| {
    [
        load("tokens.css", "text/css; charset=utf-8", include_str!("../../assets/tokens.css")),
        load("idp.css", "text/css; charset=utf-8", include_str!("../../assets/idp.css")),
        load("login.js", "text/javascript; charset=utf-8", include_str!("../../assets/login.js")),
        load(
            "sign-out.js",
            "text/javascript; charset=utf-8",
            include_str!("../../assets/sign-out.js"),
        ),
        load(
            "check-session.js",
            "text/javascript; charset=utf-8",
            include_str!("../../assets/check-session.js"),
        ),
        load("icon.svg", "image/svg+xml", include_str!("../../assets/icon.svg")),
    ]
});

fn load(name: &'static str, media_type: &'static str, text: &'static str) -> Asset {
    let version = base64url(&Digest::of(text.as_bytes()).bytes()[..9]);
    Asset { name, media_type, text, version }
}

/// Where a page finds an asset: the address changes with the content, so it may be kept for ever.
pub(crate) fn asset_path(name: &str) -> String {
    let version = ASSETS.iter().find(|asset| asset.name == name).map(|asset| &*asset.version);
    format!("/assets/{name}?v={}", version.unwrap_or_default())
}

/// `GET /assets/{name}`
pub(crate) async fn asset(
    Path(name): Path<String>,
    RawQuery(query): RawQuery,
    headers: HeaderMap,
) -> Response {
    let Some(asset) = ASSETS.iter().find(|asset| asset.name == name) else {
        return StatusCode::NOT_FOUND.into_response();
    };
    let is_versioned = query.is_some_and(|query| query == format!("v={}", asset.version));
    let caching = if is_versioned { "public, max-age=31536000, immutable" } else { "no-cache" };
    let etag = format!("\"{}\"", asset.version);
    let is_known = headers
        .get(header::IF_NONE_MATCH)
        .and_then(|value| value.to_str().ok())
        .is_some_and(|known| known.split(',').any(|tag| tag.trim() == etag));
    let common = [(header::ETAG, etag.as_str()), (header::CACHE_CONTROL, caching)];
    if is_known {
        return (StatusCode::NOT_MODIFIED, common).into_response();
    }
    (common, [(header::CONTENT_TYPE, asset.media_type)], asset.text).into_response()
}
