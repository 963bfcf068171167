//! Listening and serving, with limits on what a connection may take.

use std::io::ErrorKind;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use hyper::server::conn::http1;
use hyper_util::rt::{TokioIo, TokioTimer};
use hyper_util::service::TowerToHyperService;
use idp_dev::log_line;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio_rustls::TlsAcceptor;

use crate::cli::Failure;

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
pub(crate) async fn bind_one(
    option: &'static str,
    address: SocketAddr,
) -> Result<Listeners, Failure> {
    let failed = |error| Failure::Listen { option, address, error };
    let socket = TcpListener::bind(address).await.map_err(failed)?;
    let address = socket.local_addr().map_err(failed)?;
    Ok(Listeners { sockets: vec![socket], address })
}

/// Listens on 127.0.0.1 and on the same port of ::1, to which browsers may resolve names under
/// `.localhost` too. A machine without ::1 is common in containers: a warning. A port of ::1 that
/// somebody else holds is not: some browsers would type passwords into their pages.
pub(crate) async fn bind_both(
    option: &'static str,
    address: SocketAddr,
) -> Result<Listeners, Failure> {
    let mut attempts = if address.port() == 0 { FREE_PORT_ATTEMPTS } else { 1 };
    loop {
        let mut listeners = bind_one(option, address).await?;
        if address.ip() != IpAddr::V4(Ipv4Addr::LOCALHOST) {
            return Ok(listeners);
        }
        let second = SocketAddr::new(IpAddr::V6(Ipv6Addr::LOCALHOST), listeners.port());
        attempts -= 1;
        match TcpListener::bind(second).await {
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

/// Serves until the process ends: https with an acceptor, http without.
pub(crate) fn serve(listeners: Listeners, router: Router, tls: Option<TlsAcceptor>) {
    let connections = Arc::new(Semaphore::new(MAX_CONNECTIONS));
    for socket in listeners.sockets {
        tokio::spawn(accept(socket, router.clone(), tls.clone(), connections.clone()));
    }
}

async fn accept(
    socket: TcpListener,
    router: Router,
    tls: Option<TlsAcceptor>,
    connections: Arc<Semaphore>,
) {
    loop {
        let Ok(permit) = connections.clone().acquire_owned().await else { return };
        match socket.accept().await {
            Ok((stream, _)) => {
                let (router, tls) = (router.clone(), tls.clone());
                tokio::spawn(async move {
                    connection(stream, router, tls).await;
                    drop(permit);
                });
            }
            // Out of file handles, for instance: wait until some connection ends.
            Err(_) => tokio::time::sleep(Duration::from_millis(50)).await,
        }
    }
}

async fn connection(stream: TcpStream, router: Router, tls: Option<TlsAcceptor>) {
    // Events are small and must not wait for each other.
    let _is_set = stream.set_nodelay(true);
    let Some(tls) = tls else { return requests(stream, router).await };
    // Who does not get through the handshake, because it does not trust the certificate for
    // instance, has nobody to be told but itself.
    if let Ok(Ok(stream)) = tokio::time::timeout(HEADER_TIME, tls.accept(stream)).await {
        requests(stream, router).await;
    }
}

async fn requests(stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static, router: Router) {
    let served = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEADER_TIME)
        .max_buf_size(MAX_HEADER)
        .serve_connection(TokioIo::new(stream), TowerToHyperService::new(router))
        .await;
    // A peer that hangs up or speaks no HTTP has nobody to be told.
    drop(served);
}

/// Until Ctrl-C or SIGTERM.
pub(crate) async fn until_told_to_stop() {
    let interrupted = async {
        if tokio::signal::ctrl_c().await.is_err() {
            std::future::pending::<()>().await;
        }
    };
    tokio::select! {
        () = interrupted => {}
        () = terminated() => {}
    }
}

#[cfg(unix)]
async fn terminated() {
    use tokio::signal::unix::{SignalKind, signal};
    match signal(SignalKind::terminate()) {
        Ok(mut signal) => {
            signal.recv().await;
        }
        Err(_) => std::future::pending().await,
    }
}

#[cfg(not(unix))]
async fn terminated() {
    std::future::pending().await
}

/// A port that is free on 127.0.0.1 is nearly always free on ::1 too.
const FREE_PORT_ATTEMPTS: u32 = 16;

/// For whoever opens a connection and says nothing (OP29).
const HEADER_TIME: Duration = Duration::from_secs(20);

const MAX_HEADER: usize = 64 * 1024;

/// All the streams that may be open (4,000), and room for requests beside them.
const MAX_CONNECTIONS: usize = 5_000;
