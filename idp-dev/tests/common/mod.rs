//! A provider of its own for each test, on a real socket, with a stopped clock, and browsers that
//! keep cookies by hand: HTTP clients drop `Secure` cookies over plain http.

#![allow(dead_code, unused_imports, reason = "each test file uses a part of this")]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "what fails here is a failed test"
)]

mod app_server;
mod ask;
mod browser;
mod events;
pub(crate) mod fields;
mod registered;
mod reply;
mod tokens;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;
use std::time::Duration;

use idp_dev::{Clock, Config, MemoryStore, Provider, Secret, UnixTime};
use serde_json::Value;
use tokio::net::TcpListener;

pub(crate) use app_server::{Answers, AppServer, Told};
pub(crate) use ask::Ask;
pub(crate) use browser::Browser;
pub(crate) use events::{Event, Events};
pub(crate) use registered::{CHALLENGE, HOOLI, PIPER, VERIFIER};
pub(crate) use reply::Reply;
pub(crate) use tokens::Tokens;

use tokens::part;

pub(crate) const PIPER_ORIGIN: &str = "http://pied-piper.localhost:8081";
pub(crate) const HOOLI_ORIGIN: &str = "http://hooli.localhost:8082";
pub(crate) const START: i64 = 1_763_697_600;
const CONTROL_TOKEN: &str = "control-token";

/// One provider.
pub(crate) struct World {
    pub(crate) base: String,
    pub(crate) control: String,
    pub(crate) issuer: String,
    pub(crate) clock: Clock,
    http: reqwest::Client,
}

impl World {
    /// The demo's configuration.
    pub(crate) async fn new() -> Self {
        Self::with(|text| text).await
    }

    /// The demo's configuration, changed.
    pub(crate) async fn with(change: impl FnOnce(String) -> String) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let control = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let port = listener.local_addr().unwrap().port();
        let config = Config::parse("idp.toml", &change(Config::EXAMPLE.to_owned())).unwrap();
        let config = config.with_port(port);
        let issuer = config.issuer().to_owned();
        let clock = Clock::frozen_at(UnixTime::from_seconds(START));
        let store = Arc::new(MemoryStore::keeping(config.limits().sessions));
        let provider = Provider::start(config, clock.clone(), store, false).unwrap();
        let control_base = format!("http://{}", control.local_addr().unwrap());
        let router = provider.router();
        let control_router = provider.control_router(Secret::new(CONTROL_TOKEN));
        tokio::spawn(async move { axum::serve(listener, router).await });
        tokio::spawn(async move { axum::serve(control, control_router).await });
        let http = reqwest::Client::builder()
            .redirect(reqwest::redirect::Policy::none())
            .timeout(Duration::from_secs(20))
            .build()
            .unwrap();
        let base = format!("http://127.0.0.1:{port}");
        Self { base, control: control_base, issuer, clock, http }
    }

    pub(crate) fn browser(&self) -> Browser<'_> {
        Browser { world: self, jar: BTreeMap::new(), crossing: BTreeSet::new() }
    }

    /// A request without cookies.
    pub(crate) async fn send(
        &self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: Option<String>,
    ) -> Reply {
        self.send_to(&self.base, method, path, headers, body).await
    }

    async fn send_to(
        &self,
        base: &str,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: Option<String>,
    ) -> Reply {
        let method = reqwest::Method::from_bytes(method.as_bytes()).unwrap();
        let mut request = self.http.request(method, format!("{base}{path}"));
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        if let Some(body) = body {
            request = request.body(body);
        }
        Reply::read(request.send().await.unwrap()).await
    }

    pub(crate) async fn get(&self, path: &str) -> Reply {
        self.send("GET", path, &[], None).await
    }

    /// A form to the token endpoint.
    pub(crate) async fn token(&self, form: &[(&str, &str)]) -> Reply {
        self.send("POST", "/token", &[FORM], Some(encoded(form))).await
    }

    /// Redeems a code of Pied Piper.
    pub(crate) async fn redeem(&self, code: &str) -> Reply {
        self.redeem_for("pied-piper", PIPER, code).await
    }

    pub(crate) async fn redeem_for(&self, client: &str, redirect_uri: &str, code: &str) -> Reply {
        self.token(&fields::redemption(client, redirect_uri, code)).await
    }

    pub(crate) async fn refresh(&self, client: &str, refresh_token: &str) -> Reply {
        self.token(&fields::renewal(client, refresh_token)).await
    }

    pub(crate) async fn userinfo(&self, access_token: &str) -> Reply {
        let bearer = format!("Bearer {access_token}");
        self.send("GET", "/userinfo", &[("authorization", &bearer)], None).await
    }

    /// Opens a session-events stream; the status first.
    pub(crate) async fn events(&self, access_token: &str, origin: Option<&str>) -> Events {
        let request = self
            .http
            .get(format!("{}/session_events", self.base))
            .bearer_auth(access_token)
            .timeout(Duration::from_secs(60));
        let request = match origin {
            Some(origin) => request.header("origin", origin),
            None => request,
        };
        Events::of(request.send().await.unwrap())
    }

    /// Opens a session-events stream at a path.
    pub(crate) async fn events_at(&self, path: &str, access_token: &str) -> Events {
        let request = self.http.get(format!("{}{path}", self.base)).bearer_auth(access_token);
        Events::of(request.send().await.unwrap())
    }

    /// A stream of steps.
    pub(crate) async fn steps(&self, path: &str, origin: Option<&str>) -> Events {
        let headers: Vec<_> = origin.map(|origin| ("origin", origin)).into_iter().collect();
        self.steps_with(path, &headers).await
    }

    /// A stream of steps, with headers.
    pub(crate) async fn steps_with(&self, path: &str, headers: &[(&str, &str)]) -> Events {
        let mut request = self.http.get(format!("{}{path}", self.base));
        for (name, value) in headers {
            request = request.header(*name, *value);
        }
        Events::of(request.send().await.unwrap())
    }

    pub(crate) async fn control_stream(&self, path: &str) -> Events {
        let request = self.http.get(format!("{}{path}", self.control)).bearer_auth(CONTROL_TOKEN);
        Events::of(request.send().await.unwrap())
    }

    pub(crate) async fn control(&self, method: &str, path: &str, body: Option<Value>) -> Reply {
        let bearer = format!("Bearer {CONTROL_TOKEN}");
        let headers = [("authorization", bearer.as_str())];
        let body = body.map(|body| body.to_string());
        self.send_to(&self.control, method, path, &headers, body).await
    }

    /// The control API with headers of the test's choice.
    pub(crate) async fn control_raw(&self, path: &str, headers: &[(&str, &str)]) -> Reply {
        self.send_to(&self.control, "GET", path, headers, None).await
    }

    pub(crate) async fn timeline(&self) -> Vec<Value> {
        self.control("GET", "/timeline", None).await.json().as_array().unwrap().clone()
    }

    /// The names of all steps so far.
    pub(crate) async fn step_names(&self) -> Vec<String> {
        self.timeline().await.iter().map(|s| s["step"].as_str().unwrap().to_owned()).collect()
    }

    /// The last step of that name.
    pub(crate) async fn last_step(&self, name: &str) -> Value {
        let steps = self.timeline().await;
        let found = steps.iter().rev().find(|step| step["step"] == name);
        found.unwrap_or_else(|| panic!("no step {name}")).clone()
    }

    pub(crate) fn advance(&self, seconds: u32) {
        self.clock.advance(idp_dev::Seconds(seconds));
    }

    pub(crate) async fn sessions(&self) -> Vec<Value> {
        self.control("GET", "/sessions", None).await.json().as_array().unwrap().clone()
    }
}

/// The payload of a JWT, unverified.
pub(crate) fn claims(token: &str) -> Value {
    part(token, 1)
}

/// The header of a JWT, unverified.
pub(crate) fn jwt_header(token: &str) -> Value {
    part(token, 0)
}

/// A form or query.
pub(crate) fn encoded(pairs: &[(&str, &str)]) -> String {
    url::form_urlencoded::Serializer::new(String::new()).extend_pairs(pairs).finish()
}

pub(crate) const FORM: (&str, &str) = ("content-type", "application/x-www-form-urlencoded");
