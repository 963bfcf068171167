//! From a provider's start to its first verified ID token, keys included; then what it holds idle.

use anyhow::Result;
use std::time::{Duration, Instant};

use crate::arguments::Size;
use crate::connection::Connection;
use crate::login::{Browser, discover, verify};
use crate::rows::{Row, ms, progress};
use crate::server::{Alg, Kind, Server};

/// Starts each provider again and again, in turn.
///
/// # Errors
/// When one does not start or gives no good ID token.
pub(crate) async fn measure(size: Size) -> Result<Vec<Row>> {
    let mut rows = Vec::new();
    for alg in Alg::ALL {
        let mut found = Kind::ALL.map(|kind| (kind, Found::default()));
        for round in 1..=size.of(20, 2) {
            progress(&format!("start, {}, round {round}", alg.name()));
            for (kind, found) in &mut found {
                found.once(*kind, alg).await?;
            }
        }
        for (kind, found) in found {
            let row = Row::new("start", kind.name())
                .note(alg.name())
                .with("ready", "ms", &found.ready)?
                .with("first verified ID token", "ms", &found.verified)?
                .with("idle memory", "MB", &found.memory)?;
            rows.push(row);
        }
    }
    Ok(rows)
}

#[derive(Default)]
struct Found {
    ready: Vec<f64>,
    verified: Vec<f64>,
    memory: Vec<f64>,
}

impl Found {
    async fn once(&mut self, kind: Kind, alg: Alg) -> Result<()> {
        let began = Instant::now();
        let server = Server::start(kind, alg).await?;
        self.ready.push(ms(began.elapsed()));
        let mut connection = Connection::open(server.port).await?;
        let metadata = discover(&mut connection).await?;
        let tokens = Browser::default().sign_in(&mut connection, &metadata).await?;
        verify(&mut connection, &metadata, &tokens.id_token, alg).await?;
        self.verified.push(ms(began.elapsed()));
        tokio::time::sleep(IDLE_AFTER).await;
        self.memory.push(server.memory()? / 1e6);
        Ok(())
    }
}

/// What was taken for the start alone is given back by then.
const IDLE_AFTER: Duration = Duration::from_millis(500);
