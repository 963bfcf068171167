//! The `Host` header, against pages whose name was made to resolve to loopback (DNS rebinding).
//!
//! Such a page is same-origin with us in its browser and sends no `Origin` with a `GET`, but the
//! browser still sends the page's own host name.

use std::net::IpAddr;

use axum::extract::{Request, State};
use axum::http::{HeaderMap, StatusCode, header};
use axum::middleware::Next;
use axum::response::Response;
use serde_json::json;

use super::respond::json as respond_json;
use crate::provider::Shared;

/// Refuses requests for hosts that are not ours (OP33): a page of such a host would read our
/// answers as its own, and people would type passwords into our form at its address.
pub(crate) async fn refuse_other_hosts(
    State(provider): State<Shared>,
    request: Request,
    next: Next,
) -> Response {
    if is_own_host(provider.config.issuer(), request.headers()) {
        next.run(request).await
    } else {
        let body = json!({
            "error": "wrong_host",
            "error_description": "Host is neither the issuer's nor loopback",
        });
        respond_json(StatusCode::MISDIRECTED_REQUEST, &body)
    }
}

/// Is the request's one `Host` a loopback address or `localhost`?
pub(crate) fn is_loopback_host(headers: &HeaderMap) -> bool {
    host_name(headers).is_some_and(is_loopback)
}

/// Is the request's one `Host` that of the issuer, or loopback?
fn is_own_host(issuer: &str, headers: &HeaderMap) -> bool {
    let own = issuer.split_once("://").map_or(issuer, |(_, rest)| rest);
    let own = own.split('/').next().unwrap_or(own);
    host_name(headers).is_some_and(|host| host == without_port(own) || is_loopback(host))
}

fn is_loopback(name: &str) -> bool {
    name == "localhost" || name.parse::<IpAddr>().is_ok_and(|address| address.is_loopback())
}

/// The host's name without its port. `None` unless there is exactly one header.
fn host_name(headers: &HeaderMap) -> Option<&str> {
    let mut hosts = headers.get_all(header::HOST).iter();
    let host = hosts.next()?.to_str().ok()?;
    hosts.next().is_none().then(|| without_port(host))
}

fn without_port(authority: &str) -> &str {
    match authority.strip_prefix('[') {
        Some(rest) => rest.split(']').next().unwrap_or_default(),
        None => authority.split(':').next().unwrap_or_default(),
    }
}

#[cfg(test)]
mod tests {
    use axum::http::HeaderValue;

    use super::*;

    fn hosts(names: &[&str]) -> HeaderMap {
        let mut headers = HeaderMap::new();
        for name in names {
            headers.append(header::HOST, HeaderValue::from_str(name).unwrap());
        }
        headers
    }

    #[test]
    fn op30_only_loopback_hosts() {
        for good in ["127.0.0.1", "127.0.0.1:8084", "localhost:1", "[::1]:8084", "127.1.2.3:9"] {
            assert!(is_loopback_host(&hosts(&[good])), "{good}");
        }
        for bad in ["evil.example:8084", "localhost.evil.example", "0.0.0.0:8084", "", "[::2]:1"] {
            assert!(!is_loopback_host(&hosts(&[bad])), "{bad}");
        }
        assert!(!is_loopback_host(&hosts(&[])));
        assert!(!is_loopback_host(&hosts(&["127.0.0.1", "evil.example"])));
    }

    #[test]
    fn op30_issuers_host_is_own() {
        let issuer = "http://idp.localhost:8083";
        for good in ["idp.localhost:8083", "idp.localhost", "127.0.0.1:8083"] {
            assert!(is_own_host(issuer, &hosts(&[good])), "{good}");
        }
        for bad in ["evil.example:8083", "idp.localhost.evil.example:8083", "x.localhost:8083"] {
            assert!(!is_own_host(issuer, &hosts(&[bad])), "{bad}");
        }
    }
}
