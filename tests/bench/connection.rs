//! One kept-alive HTTP/1.1 connection: the load generator of all providers alike. It is hyper's
//! lowest level, so that the generator takes as little of the machine as may be.

use anyhow::{Context, Result};
use http_body_util::{BodyExt, Full};
use hyper::body::{Bytes, Incoming};
use hyper::client::conn::http1::{self, SendRequest};
use hyper::header::{self, HeaderValue};
use hyper::{HeaderMap, Method, Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use std::net::Ipv4Addr;
use tokio::net::TcpStream;

/// An open connection to a provider on this machine.
pub(crate) struct Connection {
    sender: SendRequest<Full<Bytes>>,
    host: HeaderValue,
}

/// An answer that has wholly arrived.
#[derive(Debug)]
pub(crate) struct Reply {
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Bytes,
}

impl Connection {
    /// Connects.
    ///
    /// # Errors
    /// When nobody listens.
    pub(crate) async fn open(port: u16) -> Result<Self> {
        let stream = TcpStream::connect((Ipv4Addr::LOCALHOST, port)).await?;
        stream.set_nodelay(true)?;
        let (sender, connection) = http1::handshake(TokioIo::new(stream)).await?;
        // A connection that breaks is told to whoever sends on it.
        tokio::spawn(connection);
        let host = HeaderValue::from_str(&format!("localhost:{port}"))?;
        Ok(Self { sender, host })
    }

    /// Fetches a path.
    ///
    /// # Errors
    /// When the connection breaks.
    pub(crate) async fn get(&mut self, path: &str, headers: HeaderMap) -> Result<Reply> {
        let response = self.send(Method::GET, path, headers, String::new()).await?;
        whole(response).await
    }

    /// Posts a form.
    ///
    /// # Errors
    /// When the connection breaks.
    pub(crate) async fn post(
        &mut self,
        path: &str,
        mut headers: HeaderMap,
        form: String,
    ) -> Result<Reply> {
        let form_type = HeaderValue::from_static("application/x-www-form-urlencoded");
        headers.insert(header::CONTENT_TYPE, form_type);
        let response = self.send(Method::POST, path, headers, form).await?;
        whole(response).await
    }

    /// Fetches a path whose answer goes on.
    ///
    /// # Errors
    /// When the connection breaks.
    pub(crate) async fn follow(mut self, path: &str, headers: HeaderMap) -> Result<Stream> {
        let response = self.send(Method::GET, path, headers, String::new()).await?;
        anyhow::ensure!(response.status() == StatusCode::OK, "{path}: {}", response.status());
        Ok(Stream { body: response.into_body(), _connection: self })
    }

    async fn send(
        &mut self,
        method: Method,
        path: &str,
        headers: HeaderMap,
        body: String,
    ) -> Result<Response<Incoming>> {
        let mut request = Request::builder().method(method).uri(path).body(Full::from(body))?;
        *request.headers_mut() = headers;
        request.headers_mut().insert(header::HOST, self.host.clone());
        self.sender.ready().await?;
        self.sender.send_request(request).await.with_context(|| format!("no answer to {path}"))
    }
}

async fn whole(response: Response<Incoming>) -> Result<Reply> {
    let (head, body) = response.into_parts();
    let body = body.collect().await?.to_bytes();
    Ok(Reply { status: head.status, headers: head.headers, body })
}

/// An answer that goes on.
pub(crate) struct Stream {
    body: Incoming,
    /// Kept open for as long as the answer.
    _connection: Connection,
}

impl Stream {
    /// Reads until a text has come.
    ///
    /// # Errors
    /// When the answer ends before.
    pub(crate) async fn read_until(&mut self, wanted: &str) -> Result<()> {
        let mut read = Vec::new();
        loop {
            let frame = self.body.frame().await;
            let frame = frame.with_context(|| format!("a stream ended before {wanted:?}"))??;
            if let Ok(bytes) = frame.into_data() {
                read.extend_from_slice(&bytes);
                if read.windows(wanted.len()).any(|window| window == wanted.as_bytes()) {
                    return Ok(());
                }
            }
        }
    }
}
