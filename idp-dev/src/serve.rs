//! Listening and serving, with limits on what a connection may take.

use std::convert::Infallible;
use std::io::ErrorKind;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::Body;
use axum::extract::Request;
use axum::http::{HeaderValue, header};
use axum::response::Response;
use http_body_util::BodyExt;
use hyper::body::Incoming;
use hyper::server::conn::{http1, http2};
use hyper::service::service_fn;
use hyper_util::rt::{TokioExecutor, TokioIo, TokioTimer};
use idp_dev::log_line;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpSocket, TcpStream};
use tokio_rustls::TlsAcceptor;
use tower::ServiceExt;

use crate::cli::Failure;
use crate::places::{Place, Places};
use crate::tls;

/// One or two sockets with the same port.
pub(crate) struct Listeners {
    sockets: Vec<TcpListener>,
    address: SocketAddr,
}

impl Listeners {
    /// The first socket's address, with the real port.
    pub(crate) fn address(&self) -> SocketAddr {
        self.address
    }

    /// The real port.
    pub(crate) fn port(&self) -> u16 {
        self.address.port()
    }
}

/// Listens on one address.
pub(crate) fn bind_one(option: &'static str, address: SocketAddr) -> Result<Listeners, Failure> {
    let failed = |error| Failure::Listen { option, address, error };
    let socket = listen(address).map_err(failed)?;
    let address = socket.local_addr().map_err(failed)?;
    Ok(Listeners { sockets: vec![socket], address })
}

/// As `TcpListener::bind`, with room for more than a hundred connections at once.
fn listen(address: SocketAddr) -> std::io::Result<TcpListener> {
    let socket = if address.is_ipv4() { TcpSocket::new_v4() } else { TcpSocket::new_v6() }?;
    // Elsewhere it would let others take the port away.
    #[cfg(unix)]
    socket.set_reuseaddr(true)?;
    socket.bind(address)?;
    socket.listen(BACKLOG)
}

/// Listens on 127.0.0.1 and on the same port of ::1, to which browsers may resolve names under
/// `.localhost` too. A machine without ::1 is common in containers: a warning. A port of ::1 that
/// somebody else holds is not: some browsers would type passwords into their pages.
pub(crate) fn bind_both(option: &'static str, address: SocketAddr) -> Result<Listeners, Failure> {
    let mut attempts = if address.port() == 0 { FREE_PORT_ATTEMPTS } else { 1 };
    loop {
        let mut listeners = bind_one(option, address)?;
        if address.ip() != IpAddr::V4(Ipv4Addr::LOCALHOST) {
            return Ok(listeners);
        }
        let second = SocketAddr::new(IpAddr::V6(Ipv6Addr::LOCALHOST), listeners.port());
        attempts -= 1;
        match listen(second) {
            Ok(socket) => {
                listeners.sockets.push(socket);
                return Ok(listeners);
            }
            Err(error) if error.kind() != ErrorKind::AddrInUse => {
                log_line(&format!("not listening on {second}: {error}"));
                return Ok(listeners);
            }
            Err(error) if attempts == 0 => {
                return Err(Failure::Listen { option, address: second, error });
            }
            Err(_) => {}
        }
    }
}

/// Serves until the process ends, so many connections at once: https with an acceptor, http without.
pub(crate) fn serve(
    listeners: Listeners,
    router: Router,
    tls: Option<TlsAcceptor>,
    connections: usize,
) {
    let places = Arc::new(Places::new(connections, MAX_SILENT));
    for socket in listeners.sockets {
        tokio::spawn(accept(socket, router.clone(), tls.clone(), places.clone()));
    }
}

async fn accept(
    socket: TcpListener,
    router: Router,
    tls: Option<TlsAcceptor>,
    places: Arc<Places>,
) {
    loop {
        match socket.accept().await {
            Ok((stream, _)) => {
                let place = Arc::new(places.take().await);
                let (router, tls) = (router.clone(), tls.clone());
                tokio::spawn(connection(stream, router, tls, place));
            }
            // Out of file handles, for instance: somebody who says nothing gives one back.
            Err(_) => {
                places.make_room();
                tokio::time::sleep(Duration::from_millis(50)).await;
            }
        }
    }
}

async fn connection(
    stream: TcpStream,
    router: Router,
    tls: Option<TlsAcceptor>,
    place: Arc<Place>,
) {
    // Events are small and must not wait for each other.
    let _is_set = stream.set_nodelay(true);
    match tls {
        None => requests(stream, router, place).await,
        // Boxed: what it may grow to would weigh on every connection that is none.
        Some(tls) => Box::pin(secure(stream, router, tls, place)).await,
    }
}

/// By https.
async fn secure(stream: TcpStream, router: Router, tls: TlsAcceptor, place: Arc<Place>) {
    let accepted = tokio::select! {
        accepted = tokio::time::timeout(HEADER_TIME, tls.accept(stream)) => accepted,
        () = place.is_wanted() => return,
    };
    // Who does not get through the handshake, because it does not trust the certificate for
    // instance, has nobody to be told but itself.
    let Ok(Ok(stream)) = accepted else { return };
    if stream.get_ref().1.alpn_protocol() == Some(tls::HTTP_2) {
        Box::pin(multiplexed(stream, router, place)).await;
    } else {
        requests(stream, router, place).await;
    }
}

/// HTTP/1.1.
async fn requests(
    stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
    router: Router,
    place: Arc<Place>,
) {
    let asked = place.clone();
    let served = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEADER_TIME)
        .max_buf_size(MAX_HEADER)
        .serve_connection(
            TokioIo::new(stream),
            service_fn(move |request| {
                asked.keep();
                answer(router.clone(), request)
            }),
        );
    tokio::select! {
        // A peer that hangs up or speaks no HTTP has nobody to be told.
        _ended = served => {}
        () = place.is_wanted() => {}
    }
}

/// HTTP/2, so that event streams leave room for requests: browsers open few connections to a host.
async fn multiplexed(
    stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
    router: Router,
    place: Arc<Place>,
) {
    let asked = place.clone();
    let served = http2::Builder::new(TokioExecutor::new())
        .timer(TokioTimer::new())
        .max_header_list_size(MAX_HEADER_LIST)
        .max_concurrent_streams(MAX_REQUESTS)
        // One that is gone without a word is found out.
        .keep_alive_interval(HEADER_TIME)
        .keep_alive_timeout(HEADER_TIME)
        .serve_connection(
            TokioIo::new(stream),
            service_fn(move |mut request| {
                let asking = asked.ask();
                name_host(&mut request);
                let answer = answer(router.clone(), request);
                // Until all of it is handed over.
                async move { answer.await.map(|answer| answer.map(|body| held(body, asking))) }
            }),
        );
    let mut served = pin!(served);
    tokio::select! {
        _ended = &mut served => {}
        // What it asks just now is answered still.
        () = place.is_wanted() => if place.has_asked() {
            served.as_mut().graceful_shutdown();
            let _ended = tokio::time::timeout(LEAVING_TIME, served).await;
        }
    }
}

async fn answer(router: Router, request: Request<Incoming>) -> Result<Response, Infallible> {
    router.oneshot(request.map(Body::new)).await
}

/// A body that keeps something for as long as it is sent.
fn held<T: Send + 'static>(body: Body, kept: T) -> Body {
    Body::new(body.map_frame(move |frame| {
        let _kept = &kept;
        frame
    }))
}

/// RFC 9113, 8.3.1: by HTTP/2 the host is named in `:authority`. One that is named otherwise too, by
/// `Host`, is named twice, which is refused.
fn name_host<B>(request: &mut Request<B>) {
    let authority = request.uri().authority().map(|authority| authority.as_str().to_owned());
    if let Some(Ok(host)) = authority.as_deref().map(HeaderValue::from_str)
        && request.headers().get(header::HOST) != Some(&host)
    {
        request.headers_mut().append(header::HOST, host);
    }
}

/// Done at Ctrl-C or SIGTERM, which are listened for from this call on.
#[cfg(unix)]
pub(crate) fn told_to_stop() -> impl Future<Output = ()> {
    use tokio::signal::unix::{SignalKind, signal};
    let listened = [SignalKind::interrupt(), SignalKind::terminate()].map(signal);
    let [interrupted, terminated] = listened.map(async |listened| match listened {
        Ok(mut signal) => {
            signal.recv().await;
        }
        // The system then ends the process by itself.
        Err(_) => std::future::pending().await,
    });
    async {
        tokio::select! {
            () = interrupted => {}
            () = terminated => {}
        }
    }
}

/// Done at Ctrl-C.
#[cfg(not(unix))]
pub(crate) async fn told_to_stop() {
    if tokio::signal::ctrl_c().await.is_err() {
        std::future::pending::<()>().await;
    }
}

/// A port that is free on 127.0.0.1 is nearly always free on ::1 too.
const FREE_PORT_ATTEMPTS: u32 = 16;

/// For whoever opens a connection and says nothing (OP29).
const HEADER_TIME: Duration = Duration::from_secs(20);

/// For an HTTP/2 connection whose place somebody else waits for, to get the answers that it has asked for
/// in the same moment.
const LEAVING_TIME: Duration = Duration::from_secs(2);

const MAX_HEADER: usize = 64 * 1024;

/// The same by HTTP/2.
const MAX_HEADER_LIST: u32 = 64 * 1024;

/// Requests of one HTTP/2 connection at once: a browser's, with a stream of each of its apps.
const MAX_REQUESTS: u32 = 200;

/// Those that have not asked anything yet. Browsers open a few before they need them.
const MAX_SILENT: usize = 1_000;

/// How many connections may wait to be accepted; the system may allow fewer.
const BACKLOG: u32 = 4_096;

#[cfg(test)]
mod tests {
    use super::*;

    fn hosts(authority: &str, host: Option<&str>) -> Vec<String> {
        let mut request = Request::builder().uri(format!("https://{authority}/jwks"));
        if let Some(host) = host {
            request = request.header(header::HOST, host);
        }
        let mut request = request.body(()).unwrap();
        name_host(&mut request);
        let hosts = request.headers().get_all(header::HOST).iter();
        hosts.map(|host| host.to_str().unwrap().to_owned()).collect()
    }

    #[test]
    fn op33_a_host_that_is_named_in_two_ways_is_named_twice() {
        assert_eq!(hosts("idp.localhost", None), ["idp.localhost"]);
        assert_eq!(hosts("evil.example", None), ["evil.example"]);
        assert_eq!(hosts("idp.localhost", Some("idp.localhost")), ["idp.localhost"]);
        // Whichever is ours.
        for (authority, host) in
            [("evil.example", "idp.localhost"), ("idp.localhost", "evil.example")]
        {
            assert_eq!(hosts(authority, Some(host)), [host, authority]);
        }
    }
}
