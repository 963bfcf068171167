//! A small API as an app's owner would write it: it takes access tokens (RFC 9068) and nothing else.
//!
//! It finds the provider's keys by discovery, verifies every token itself, and, when it is strict,
//! asks the provider whether the token still counts (RFC 7662): then a sign-out anywhere ends its
//! answers at once, and not only when the token expires.

#![forbid(unsafe_code)]

mod files;
mod http;
mod provider;
mod refusal;
mod tls;
mod token;

use anyhow::{Context, Result};
use axum::Router;
use axum::http::{HeaderValue, Method, header};
use axum::routing::get;
use axum_server::tls_rustls::RustlsConfig;
use clap::Parser;
use std::io::Write;
use std::net::{Ipv6Addr, SocketAddr};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;
use tokio::net::TcpListener;
use tower_http::cors::CorsLayer;

use http::Http;
use provider::Provider;

/// Serves `GET /files` to whoever holds an access token for it.
#[derive(Parser)]
struct Options {
    /// Where to listen: a loopback address.
    #[arg(long, default_value = "127.0.0.1:8085")]
    listen: SocketAddr,
    /// The provider whose tokens count.
    #[arg(long)]
    issuer: String,
    /// The name that `aud` must have.
    #[arg(long)]
    audience: String,
    /// An origin whose pages may call; may be repeated.
    #[arg(long = "origin")]
    origins: Vec<HeaderValue>,
    /// The name of this resource server at the provider's introspection endpoint.
    #[arg(long, default_value = "demo-api")]
    id: String,
    /// Its secret there.
    #[arg(long, env = "DEMO_API_SECRET", hide_env_values = true)]
    secret: String,
    /// Ask the provider about every token; without it, only for `?strict=1`.
    #[arg(long)]
    strict: bool,
    /// Serve https with this certificate and those that signed it, in PEM.
    #[arg(long, value_name = "FILE", requires = "tls_key")]
    tls_cert: Option<PathBuf>,
    /// The certificate's key, in PEM.
    #[arg(long, value_name = "FILE", requires = "tls_cert")]
    tls_key: Option<PathBuf>,
    /// The authority that an https provider must be certified by, in PEM. There is no other one.
    #[arg(long, value_name = "FILE")]
    trust: Option<PathBuf>,
}

/// What every answer needs.
struct Api {
    provider: Provider,
    audience: String,
    is_strict: bool,
}

#[tokio::main(flavor = "current_thread")]
async fn main() -> Result<()> {
    let options = Options::parse();
    let mut listeners = vec![
        TcpListener::bind(options.listen)
            .await
            .with_context(|| format!("cannot listen on {}", options.listen))?,
    ];
    let port = listeners.iter().find_map(|it| it.local_addr().ok()).map(|at| at.port());
    if let (true, Some(port)) = (options.listen.ip().is_loopback(), port) {
        // Browsers try both addresses; a machine without the second has only one to try.
        listeners.extend(TcpListener::bind(SocketAddr::from((Ipv6Addr::LOCALHOST, port))).await);
    }
    let tls = match (&options.tls_cert, &options.tls_key) {
        (Some(cert), Some(key)) => Some(tls::server(cert, key)?),
        _ => None,
    };
    let app = router(options)?;
    say_ready(port.unwrap_or_default())?;
    let mut servers = tokio::task::JoinSet::new();
    for listener in listeners {
        servers.spawn(serve_one(listener, app.clone(), tls.clone()));
    }
    match servers.join_next().await {
        Some(ended) => Ok(ended??),
        None => Ok(()),
    }
}

async fn serve_one(
    listener: TcpListener,
    app: Router,
    tls: Option<RustlsConfig>,
) -> std::io::Result<()> {
    match tls {
        Some(tls) => {
            let server = axum_server::from_tcp_rustls(listener.into_std()?, tls)?;
            server.serve(app.into_make_service()).await
        }
        None => axum::serve(listener, app).await,
    }
}

fn router(options: Options) -> Result<Router> {
    // Exactly the apps' origins, and no cookies: the token is the only thing that counts. The
    // challenge is exposed, because it tells a client whether another token would help (RFC 6750, 3).
    let cors = CorsLayer::new()
        .allow_origin(options.origins)
        .allow_methods([Method::GET])
        .allow_headers([header::AUTHORIZATION])
        .expose_headers([header::WWW_AUTHENTICATE])
        .max_age(Duration::from_secs(600));
    let http = Http::new(tls::client(options.trust.as_deref())?);
    let api = Api {
        provider: Provider::new(options.issuer, options.id, options.secret, http)?,
        audience: options.audience,
        is_strict: options.strict,
    };
    Ok(Router::new()
        .route("/files", get(files::get))
        .layer(cors)
        .route("/health", get(async || "ok"))
        .with_state(Arc::new(api)))
}

/// One line on standard output: whoever waits for it may begin.
fn say_ready(port: u16) -> Result<()> {
    let mut out = std::io::stdout().lock();
    writeln!(out, "ready port={port}")?;
    out.flush()?;
    Ok(())
}
