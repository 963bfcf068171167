//! Many open event streams: what each costs idp-dev, and how soon a sign-out arrives.

use anyhow::{Context, Result};
use hyper::HeaderMap;
use hyper::header::{self, HeaderValue};
use std::time::{Duration, Instant};
use tokio::task::JoinSet;

use crate::arguments::Size;
use crate::connection::{Connection, Stream};
use crate::login::{Browser, Metadata, Tokens, discover};
use crate::rows::{Row, ms, progress};
use crate::server::{ANY_PORT, Alg, CLIENT_ID, REDIRECT_URI, Server};

/// Opens streams in two arrangements and signs out.
///
/// Either each session has a stream, and one that fifty apps take part in ends; or all streams are
/// of one session, which is the worst that a sign-out can meet: eight are the most for one sign-in
/// at one app, so that person has signed in again and again.
///
/// # Errors
/// When a stream does not open or a sign-out does not arrive.
pub(crate) async fn measure(size: Size) -> Result<Vec<Row>> {
    let all = size.of(10_000, 80);
    let mut sessions = Found::default();
    progress(&format!("streams, {all} of them, a session each"));
    sessions.many_sessions(all - APPS, size.of(20, 2)).await?;
    let mut person = Found::default();
    for round in 1..=size.of(3, 1) {
        progress(&format!("streams, {all} of one session, round {round}"));
        person.one_session(all / TABS).await?;
    }
    let others = all - APPS;
    let all = all / TABS * TABS;
    Ok(vec![
        Row::new("streams", "idp-dev")
            .note(format!(
                "{others} sessions with a stream each, and one with {APPS} apps, which ends"
            ))
            .with("memory of a stream", "kB", &sessions.memory)?
            .with("sign-out to the last stream", "ms", &sessions.arrival)?,
        Row::new("streams", "idp-dev")
            .note(format!("{all} streams of one session, which ends; all of them hear it"))
            .with("memory of a stream", "kB", &person.memory)?
            .with("sign-out to the last stream", "ms", &person.arrival)?,
    ])
}

#[derive(Default)]
struct Found {
    memory: Vec<f64>,
    arrival: Vec<f64>,
}

impl Found {
    async fn many_sessions(&mut self, others: usize, sign_outs: usize) -> Result<()> {
        let apps: Vec<String> = (0..APPS).map(|number| format!("app-{number}")).collect();
        let clients: Vec<_> = apps.iter().map(|app| (app.as_str(), REDIRECT_URI)).collect();
        let (server, mut connection, metadata) = begin(&clients).await?;
        let mut sessions = Vec::new();
        for number in 0..others {
            let app = &apps[number % APPS];
            sessions.push(Browser::default().sign_in_at(&mut connection, &metadata, app).await?);
        }
        let before = server.settled().await?;
        let mut open = Vec::new();
        for tokens in sessions {
            open.push(open_stream(&server, &tokens).await?);
        }
        self.weigh(&server, before, others).await?;
        for _ in 0..sign_outs {
            let mut browser = Browser::default();
            let (mut streams, mut last) = (Vec::new(), None);
            for app in &apps {
                let tokens = browser.sign_in_at(&mut connection, &metadata, app).await?;
                streams.push(open_stream(&server, &tokens).await?);
                last = Some(tokens);
            }
            let last = last.context("nobody has signed in")?;
            self.sign_out(&mut browser, &mut connection, &last, streams).await?;
        }
        Ok(())
    }

    async fn one_session(&mut self, sign_ins: usize) -> Result<()> {
        let (server, mut connection, metadata) = begin(&[(CLIENT_ID, REDIRECT_URI)]).await?;
        let mut browser = Browser::default();
        let mut tokens = Vec::new();
        for _ in 0..sign_ins {
            tokens.push(browser.sign_in(&mut connection, &metadata).await?);
        }
        let before = server.settled().await?;
        let mut streams = Vec::new();
        for tokens in &tokens {
            for _ in 0..TABS {
                streams.push(open_stream(&server, tokens).await?);
            }
        }
        self.weigh(&server, before, sign_ins * TABS).await?;
        let last = tokens.last().context("nobody has signed in")?;
        self.sign_out(&mut browser, &mut connection, last, streams).await
    }

    async fn weigh(&mut self, server: &Server, before: f64, streams: usize) -> Result<()> {
        let more = server.settled().await? - before;
        self.memory.push(more / f64::from(u32::try_from(streams)?) / 1000.0);
        Ok(())
    }

    /// Signs out and waits until the last of the streams has the logout token.
    async fn sign_out(
        &mut self,
        browser: &mut Browser,
        connection: &mut Connection,
        tokens: &Tokens,
        streams: Vec<Stream>,
    ) -> Result<()> {
        let mut listeners = JoinSet::new();
        for mut stream in streams {
            listeners.spawn(async move {
                stream.read_until("event: logout").await?;
                anyhow::Ok(Instant::now())
            });
        }
        let began = Instant::now();
        let path = format!("/end_session?id_token_hint={}", tokens.id_token);
        let reply = browser.get(connection, &path).await?;
        let next = reply.headers.get(header::LOCATION).context("the sign-out leads nowhere")?;
        let next = next.to_str()?.to_owned();
        browser.get(connection, &next).await?;
        let mut last = began;
        while let Some(arrived) = listeners.join_next().await {
            last = last.max(arrived??);
        }
        self.arrival.push(ms(last - began));
        Ok(())
    }
}

async fn begin(clients: &[(&str, &str)]) -> Result<(Server, Connection, Metadata)> {
    let issuer = "http://localhost:{port}";
    let server = Server::idp_dev(issuer, ANY_PORT, clients, Alg::Rs256).await?;
    let mut connection = Connection::open(server.port).await?;
    let metadata = discover(&mut connection).await?;
    Ok((server, connection, metadata))
}

/// A stream of a sign-in, on a connection of its own, open.
async fn open_stream(server: &Server, tokens: &Tokens) -> Result<Stream> {
    let mut headers = HeaderMap::new();
    let token = HeaderValue::from_str(&format!("Bearer {}", tokens.access_token))?;
    headers.insert(header::AUTHORIZATION, token);
    let connection = Connection::open(server.port).await?;
    let mut stream = connection.follow("/session_events", headers).await?;
    stream.read_until("event: open").await?;
    Ok(stream)
}

impl Server {
    /// Its memory once it has come to rest.
    async fn settled(&self) -> Result<f64> {
        tokio::time::sleep(REST).await;
        self.memory()
    }
}

/// The most streams of one sign-in.
const TABS: usize = 8;

/// The apps of the session that ends.
const APPS: usize = 50;

const REST: Duration = Duration::from_millis(500);
