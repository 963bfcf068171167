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
use crate::server::{Alg, Kind, Server};

/// Opens streams in two arrangements and signs out.
///
/// Eight streams are the most for one sign-in at one app. So either many people have eight tabs
/// each, and one of them signs out; or one person has signed in again and again, and all streams
/// are of one session, which is the worst that a sign-out can meet.
///
/// # Errors
/// When a stream does not open or a sign-out does not arrive.
pub(crate) async fn measure(size: Size) -> Result<Vec<Row>> {
    let sign_ins = size.of(250, 10);
    let mut people = Found::default();
    for round in 1..=size.of(3, 1) {
        progress(&format!("streams, {sign_ins} people, round {round}"));
        people.many_people(sign_ins, size.of(50, 3)).await?;
    }
    let mut person = Found::default();
    for round in 1..=size.of(5, 1) {
        progress(&format!("streams, one person, round {round}"));
        person.one_person(sign_ins).await?;
    }
    let all = sign_ins * TABS;
    Ok(vec![
        Row::new("streams", "idp-dev")
            .note(format!("{all} streams of {sign_ins} people; one signs out, {TABS} tabs hear it"))
            .with("memory of a stream", "kB", &people.memory)?
            .with("sign-out to the last stream", "ms", &people.arrival)?,
        Row::new("streams", "idp-dev")
            .note(format!("{all} streams of one person, who signs out; all of them hear it"))
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
    async fn many_people(&mut self, people: usize, sign_outs: usize) -> Result<()> {
        let (server, mut connection, metadata) = begin().await?;
        let mut sessions = Vec::new();
        for _ in 0..people {
            let mut browser = Browser::default();
            let tokens = browser.sign_in(&mut connection, &metadata).await?;
            sessions.push((browser, tokens));
        }
        let before = server.settled().await?;
        let mut open = Vec::new();
        for (browser, tokens) in sessions {
            let streams = open_streams(&server, &tokens).await?;
            open.push((browser, tokens, streams));
        }
        self.weigh(&server, before, people * TABS).await?;
        for (mut browser, tokens, streams) in open.drain(..sign_outs) {
            self.sign_out(&mut browser, &mut connection, &tokens, streams).await?;
        }
        Ok(())
    }

    async fn one_person(&mut self, sign_ins: usize) -> Result<()> {
        let (server, mut connection, metadata) = begin().await?;
        let mut browser = Browser::default();
        let mut tokens = Vec::new();
        for _ in 0..sign_ins {
            tokens.push(browser.sign_in(&mut connection, &metadata).await?);
        }
        let before = server.settled().await?;
        let mut streams = Vec::new();
        for tokens in &tokens {
            streams.extend(open_streams(&server, tokens).await?);
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

async fn begin() -> Result<(Server, Connection, Metadata)> {
    let server = Server::start(Kind::IdpDev, Alg::Rs256).await?;
    let mut connection = Connection::open(server.port).await?;
    let metadata = discover(&mut connection).await?;
    Ok((server, connection, metadata))
}

/// The streams of one sign-in, each on a connection of its own, each open.
async fn open_streams(server: &Server, tokens: &Tokens) -> Result<Vec<Stream>> {
    let mut headers = HeaderMap::new();
    let token = HeaderValue::from_str(&format!("Bearer {}", tokens.access_token))?;
    headers.insert(header::AUTHORIZATION, token);
    let mut streams = Vec::new();
    for _ in 0..TABS {
        let connection = Connection::open(server.port).await?;
        let mut stream = connection.follow("/session_events", headers.clone()).await?;
        stream.read_until("event: open").await?;
        streams.push(stream);
    }
    Ok(streams)
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

const REST: Duration = Duration::from_millis(500);
