//! `GET /files`: what the person keeps here.

use axum::Json;
use axum::extract::{Query, State};
use axum::http::{HeaderMap, HeaderValue, header};
use axum::response::{IntoResponse, Response};
use serde::Deserialize;
use serde_json::json;
use std::sync::Arc;

use crate::Api;
use crate::refusal::Refusal;
use crate::token::{bearer, verify};

#[derive(Deserialize)]
pub(crate) struct Wish {
    /// `1`: ask the provider about the token first.
    strict: Option<String>,
}

/// Answers with the person's files, or says why not.
pub(crate) async fn get(
    State(api): State<Arc<Api>>,
    Query(wish): Query<Wish>,
    headers: HeaderMap,
) -> Response {
    let is_strict = api.is_strict || wish.strict.as_deref() == Some("1");
    let mut response = match answer(&api, is_strict, &headers).await {
        Ok(response) => response,
        Err(refusal) => refusal.into_response(),
    };
    let caching = HeaderValue::from_static("no-store");
    response.headers_mut().insert(header::CACHE_CONTROL, caching);
    response
}

async fn answer(api: &Api, is_strict: bool, headers: &HeaderMap) -> Result<Response, Refusal> {
    let token = bearer(headers)?;
    let claims = verify(&api.provider, &api.audience, token).await?;
    if is_strict && !api.provider.is_active(token).await? {
        return Err(Refusal::Invalid("the provider says that the token counts no more"));
    }
    if !claims.has_scope(SCOPE) {
        return Err(Refusal::Scope(SCOPE));
    }
    Ok(Json(json!({
        "sub": claims.sub,
        "client_id": claims.client_id,
        "checked": if is_strict { "signature and provider" } else { "signature" },
        "expires": claims.exp,
        "files": ["demo-day-final-final.key", "middle-out.tex", "cap-table.csv"],
    }))
    .into_response())
}

/// What a token must be good for.
const SCOPE: &str = "profile";
