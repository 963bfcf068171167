//! Discovery requests and whole logins per second.

use anyhow::{Result, ensure};
use hyper::{HeaderMap, StatusCode};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::{Duration, Instant};
use tokio::task::JoinSet;

use crate::arguments::Size;
use crate::connection::Connection;
use crate::login::{Browser, DISCOVERY, Metadata, discover, verify};
use crate::rows::{Row, progress};
use crate::server::{Alg, Kind, Server};

/// Loads each provider in turn, round by round, with a fresh process for each round.
///
/// # Errors
/// When one refuses a request.
pub(crate) async fn measure(size: Size) -> Result<Vec<Row>> {
    let mut found = Kind::ALL.map(|kind| (kind, Found::default()));
    for round in 1..=size.of(9, 2) {
        progress(&format!("load, round {round}"));
        for (kind, found) in &mut found {
            found.once(*kind, size).await?;
        }
    }
    let mut rows = Vec::new();
    for (kind, found) in found {
        let row = Row::new("load", kind.name())
            .note(ALG.name())
            .with("discovery", "/s", &found.discovery)?
            .with("its processor time", "us each", &found.discovery_work)?
            .with("code+PKCE logins", "/s", &found.logins)?
            .with("its processor time", "us each", &found.login_work)?;
        rows.push(row);
    }
    Ok(rows)
}

#[derive(Default)]
struct Found {
    discovery: Vec<f64>,
    discovery_work: Vec<f64>,
    logins: Vec<f64>,
    login_work: Vec<f64>,
}

impl Found {
    async fn once(&mut self, kind: Kind, size: Size) -> Result<()> {
        let server = Server::start(kind, ALG).await?;
        let mut connection = Connection::open(server.port).await?;
        let metadata = Arc::new(discover(&mut connection).await?);
        // What is made fast by use is made fast before, and one token is looked at: the rest is
        // taken for as good.
        let tokens = Browser::default().sign_in(&mut connection, &metadata).await?;
        verify(&mut connection, &metadata, &tokens.id_token, ALG).await?;
        let warm = Duration::from_millis(500);
        let login = Work::Login(metadata);
        login.crowd(&server, warm).await?;
        Work::Discovery.crowd(&server, warm).await?;
        let length = Duration::from_millis(u64::try_from(size.of(2000, 500))?);
        let done = Work::Discovery.crowd(&server, length).await?;
        self.discovery.push(done.per_second);
        self.discovery_work.push(done.work);
        let done = login.crowd(&server, length).await?;
        self.logins.push(done.per_second);
        self.login_work.push(done.work);
        Ok(())
    }
}

/// What a server has done under load.
struct Done {
    per_second: f64,
    /// The server's own processor time for each, in microseconds.
    work: f64,
}

/// What is asked for.
#[derive(Clone, Debug)]
enum Work {
    Discovery,
    /// Each by a browser of its own: a login, not a visit.
    Login(Arc<Metadata>),
}

impl Work {
    async fn once(&self, connection: &mut Connection) -> Result<()> {
        match self {
            Self::Discovery => {
                let reply = connection.get(DISCOVERY, HeaderMap::new()).await?;
                ensure!(reply.status == StatusCode::OK, "discovery: {}", reply.status);
            }
            Self::Login(metadata) => {
                Browser::default().sign_in(connection, metadata).await?;
            }
        }
        Ok(())
    }

    /// Does it over some connections at once until the time is over.
    async fn crowd(&self, server: &Server, length: Duration) -> Result<Done> {
        let mut connections = Vec::new();
        for _ in 0..CONNECTIONS {
            connections.push(Connection::open(server.port).await?);
        }
        let used = server.processor_time()?;
        let began = Instant::now();
        let mut workers = JoinSet::new();
        let left = Arc::new(AtomicUsize::new(MOST));
        for mut connection in connections {
            let (work, left) = (self.clone(), Arc::clone(&left));
            workers.spawn(async move {
                let mut done = 0_u32;
                while began.elapsed() < length && take(&left) {
                    work.once(&mut connection).await?;
                    done += 1;
                }
                anyhow::Ok(done)
            });
        }
        let mut done = 0;
        while let Some(worker) = workers.join_next().await {
            done += worker??;
        }
        let took = began.elapsed();
        let used = server.processor_time()?.saturating_sub(used);
        ensure!(done > 0, "nothing was answered");
        let done = f64::from(done);
        Ok(Done { per_second: done / took.as_secs_f64(), work: used.as_secs_f64() * 1e6 / done })
    }
}

/// Takes one of what is left.
fn take(left: &AtomicUsize) -> bool {
    left.fetch_update(Ordering::Relaxed, Ordering::Relaxed, |left| left.checked_sub(1)).is_ok()
}

/// With ES256 a signature is cheap on both sides: what is compared is the servers.
const ALG: Alg = Alg::Es256;

/// Enough to keep both processors busy.
const CONNECTIONS: usize = 16;

/// In two goes, one of which warms up, fewer than the sessions that idp-dev keeps (10,000).
const MOST: usize = 4_500;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn no_more_is_taken_than_there_is() {
        let left = AtomicUsize::new(2);
        assert_eq!([take(&left), take(&left), take(&left)], [true, true, false]);
    }
}
