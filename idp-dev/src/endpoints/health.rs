//! `/health`: is the process there?

use axum::http::StatusCode;
use axum::response::Response;
use serde_json::json;

use crate::http::json as respond_json;

/// Always `{"status":"ok"}`: there is nothing else that could be down.
pub(crate) async fn get() -> Response {
    respond_json(StatusCode::OK, &json!({ "status": "ok" }))
}
