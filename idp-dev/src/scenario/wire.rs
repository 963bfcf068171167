//! What is done to an answer as HTTP carries it: its status, its headers, its bytes, its pace.

use std::convert::Infallible;
use std::io;
use std::time::Duration;

use axum::body::{Body, Bytes};
use axum::http::response::Parts;
use axum::http::{HeaderName, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use futures_util::stream;

use super::fault::Answer;

/// The answer that the fault describes. `body` is what it would have been; `fill` fills in marks.
pub(super) async fn treated(
    mut parts: Parts,
    body: String,
    answer: &Answer,
    fill: impl Fn(&str) -> String,
) -> Response {
    if answer.silent {
        return silence().await;
    }
    if let Some(status) = answer.status.and_then(|code| StatusCode::from_u16(code).ok()) {
        parts.status = status;
    }
    parts.headers.remove(header::CONTENT_LENGTH);
    for (name, value) in &answer.headers {
        let name = HeaderName::from_bytes(name.as_bytes());
        if let (Ok(name), Ok(value)) = (name, HeaderValue::from_str(&fill(value))) {
            parts.headers.insert(name, value);
        }
    }
    let body = match &answer.body {
        Some(text) => fill(text),
        None => body,
    };
    let mut bytes = [answer.before.as_bytes(), body.as_bytes(), answer.after.as_bytes()].concat();
    if answer.bad_utf8 {
        bytes.insert(bytes.len() / 2, 0xff);
    }
    bytes.resize(bytes.len() + answer.padding, b' ');
    if answer.lost {
        let nothing = stream::once(async { Err::<Bytes, _>(broken()) });
        return Response::from_parts(parts, Body::from_stream(nothing));
    }
    if answer.cut {
        // The length is that of the whole: a reader knows that something is missing.
        parts.headers.insert(header::CONTENT_LENGTH, HeaderValue::from(bytes.len()));
        bytes.truncate(bytes.len() / 2);
        let first = stream::once(async move { Ok(Bytes::from(bytes)) });
        let rest = stream::once(async {
            // What was written goes out first: otherwise nothing would have come at all.
            tokio::time::sleep(FLUSH).await;
            Err(broken())
        });
        let half = futures_util::StreamExt::chain(first, rest);
        return Response::from_parts(parts, Body::from_stream(half));
    }
    if answer.endless {
        let first = stream::once(async move { Ok::<_, Infallible>(Bytes::from(bytes)) });
        let rest = stream::repeat_with(|| Ok(Bytes::from_static(&[b' '; 4096])));
        let all = futures_util::StreamExt::chain(first, rest);
        return Response::from_parts(parts, Body::from_stream(all));
    }
    if answer.pieces > 0 {
        let size = bytes.len().div_ceil(answer.pieces).max(1);
        let pieces: Vec<Bytes> = bytes.chunks(size).map(Bytes::copy_from_slice).collect();
        let pause = Duration::from_millis(answer.pause_ms);
        let slow = stream::unfold(pieces.into_iter(), move |mut pieces| async move {
            let piece = pieces.next()?;
            tokio::time::sleep(pause).await;
            Some((Ok::<_, Infallible>(piece), pieces))
        });
        return Response::from_parts(parts, Body::from_stream(slow));
    }
    Response::from_parts(parts, Body::from(bytes))
}

/// No answer for as long as anybody may wait.
pub(super) async fn silence() -> Response {
    tokio::time::sleep(SILENCE).await;
    StatusCode::GATEWAY_TIMEOUT.into_response()
}

fn broken() -> io::Error {
    io::Error::other("the scenario breaks the connection here")
}

/// Long enough for what was written to leave.
const FLUSH: Duration = Duration::from_millis(30);

/// Longer than any client waits.
const SILENCE: Duration = Duration::from_secs(600);
