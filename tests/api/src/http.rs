//! Questions to the provider, by http or https, and answers in JSON.

use axum::body::{Body, to_bytes};
use axum::http::{Request, header};
use base64ct::{Base64, Encoding};
use hyper_rustls::{HttpsConnector, HttpsConnectorBuilder};
use hyper_util::client::legacy::Client;
use hyper_util::client::legacy::connect::HttpConnector;
use hyper_util::client::legacy::connect::dns::Name;
use hyper_util::rt::TokioExecutor;
use rustls::ClientConfig;
use serde::de::DeserializeOwned;
use std::future::Future;
use std::io;
use std::net::{Ipv4Addr, SocketAddr};
use std::pin::Pin;
use std::task::{Context, Poll};
use std::time::Duration;
use tower_service::Service;

/// Who asks. Redirects are not followed: whom to ask was said by discovery.
pub(crate) struct Http(Client<HttpsConnector<HttpConnector<Names>>, Body>);

impl Http {
    /// Asks by https as `tls` says.
    pub(crate) fn new(tls: ClientConfig) -> Self {
        let mut connector = HttpConnector::new_with_resolver(Names);
        connector.enforce_http(false);
        let connector = HttpsConnectorBuilder::new()
            .with_tls_config(tls)
            .https_or_http()
            .enable_http1()
            .wrap_connector(connector);
        Self(Client::builder(TokioExecutor::new()).build(connector))
    }

    /// What is there; `None` for errors of the network and of HTTP, and for anything but the JSON
    /// that is wanted.
    pub(crate) async fn get<T: DeserializeOwned>(&self, address: &str) -> Option<T> {
        self.ask(Request::get(address).body(Body::empty()).ok()?).await
    }

    /// What a form is answered, sent with the sender's name and secret (RFC 6749, 2.3.1).
    pub(crate) async fn post<T: DeserializeOwned>(
        &self,
        address: &str,
        (id, secret): (&str, &str),
        form: &[(&str, &str)],
    ) -> Option<T> {
        let encoded =
            |text: &str| -> String { form_urlencoded::byte_serialize(text.as_bytes()).collect() };
        let sender =
            Base64::encode_string(format!("{}:{}", encoded(id), encoded(secret)).as_bytes());
        let body = form_urlencoded::Serializer::new(String::new()).extend_pairs(form).finish();
        let request = Request::post(address)
            .header(header::AUTHORIZATION, format!("Basic {sender}"))
            .header(header::CONTENT_TYPE, "application/x-www-form-urlencoded");
        self.ask(request.body(Body::from(body)).ok()?).await
    }

    async fn ask<T: DeserializeOwned>(&self, request: Request<Body>) -> Option<T> {
        let answered = async {
            let response = self.0.request(request).await.ok()?;
            let body = Body::new(response.status().is_success().then_some(response)?.into_body());
            serde_json::from_slice(&to_bytes(body, MAX_ANSWER).await.ok()?).ok()
        };
        tokio::time::timeout(ANSWER_WITHIN, answered).await.ok()?
    }
}

/// Names below `localhost` are this machine: browsers know that, and not every system does.
#[derive(Clone)]
struct Names;

impl Service<Name> for Names {
    type Response = std::vec::IntoIter<SocketAddr>;
    type Error = io::Error;
    type Future = Pin<Box<dyn Future<Output = io::Result<Self::Response>> + Send>>;

    fn poll_ready(&mut self, _: &mut Context<'_>) -> Poll<io::Result<()>> {
        Poll::Ready(Ok(()))
    }

    fn call(&mut self, name: Name) -> Self::Future {
        Box::pin(async move {
            let name = name.as_str();
            // The port is the address's: who connects puts it in.
            let found = if name.ends_with(".localhost") {
                vec![SocketAddr::from((Ipv4Addr::LOCALHOST, 0))]
            } else {
                tokio::net::lookup_host((name, 0)).await?.collect()
            };
            Ok(found.into_iter())
        })
    }
}

const ANSWER_WITHIN: Duration = Duration::from_secs(5);

/// A provider's metadata and keys are a few kilobytes.
const MAX_ANSWER: usize = 1 << 20;
