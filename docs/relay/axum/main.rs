//! The relay as a program: see docs/relay.md.
#![forbid(unsafe_code)]

mod relay;

use anyhow::{Context, Result};
use tokio::net::TcpListener;

#[tokio::main]
async fn main() -> Result<()> {
    let said = |name: &str| std::env::var(name).with_context(|| format!("{name} is not set"));
    let router = relay::router(relay::Relay {
        userinfo_endpoint: said("USERINFO_ENDPOINT")?,
        app_origin: said("APP_ORIGIN")?.parse()?,
    });
    let listener = TcpListener::bind(said("LISTEN")?).await?;
    println!("ready http://{}", listener.local_addr()?);
    Ok(axum::serve(listener, router).await?)
}
