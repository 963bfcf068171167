//! A provider of its own for each test, on a real socket, with a stopped clock, and browsers that
//! keep cookies by hand: HTTP clients drop `Secure` cookies over plain http.

#![allow(dead_code, reason = "each test file uses a part of this")]
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    reason = "what fails here is a failed test"
)]

use std::collections::BTreeMap;
use std::sync::Arc;
use std::time::Duration;

use futures_util::StreamExt;
use futures_util::stream::BoxStream;
use idp_dev::{Clock, Config, MemoryStore, Provider, Secret, UnixTime};
use serde_json::Value;
use tokio::net::TcpListener;
use tokio::time::timeout;

pub(crate) const VERIFIER: &str = "a-code-verifier-of-43-characters-or-a-bit-more";
/// SHA-256 of [`VERIFIER`], made with `openssl dgst -sha256 -binary | basenc --base64url`.
pub(crate) const CHALLENGE: &str = "HKo6Is6Fa1c6I4Y9cwovFcoH2wexkjsyfYUB2BF__uw";
pub(crate) const PIPER: &str = "http://pied-piper.localhost:8081/";
pub(crate) const HOOLI: &str = "http://hooli.localhost:8082/";
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
        let store = Arc::new(MemoryStore::new());
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
        Browser { world: self, jar: BTreeMap::new() }
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
        self.token(&[
            ("grant_type", "authorization_code"),
            ("client_id", client),
            ("code", code),
            ("redirect_uri", redirect_uri),
            ("code_verifier", VERIFIER),
        ])
        .await
    }

    pub(crate) async fn refresh(&self, client: &str, refresh_token: &str) -> Reply {
        self.token(&[
            ("grant_type", "refresh_token"),
            ("client_id", client),
            ("refresh_token", refresh_token),
        ])
        .await
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

    /// A stream of steps.
    pub(crate) async fn steps(&self, path: &str, origin: Option<&str>) -> Events {
        let mut request = self.http.get(format!("{}{path}", self.base));
        if let Some(origin) = origin {
            request = request.header("origin", origin);
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

/// What every authorization request has; changed by name.
#[derive(Clone)]
pub(crate) struct Ask(Vec<(String, String)>);

impl Ask {
    pub(crate) fn piper() -> Self {
        Self::of("pied-piper", PIPER)
    }

    pub(crate) fn hooli() -> Self {
        Self::of("hooli", HOOLI)
    }

    fn of(client: &str, redirect_uri: &str) -> Self {
        let params = [
            ("response_type", "code"),
            ("client_id", client),
            ("redirect_uri", redirect_uri),
            ("scope", "openid profile email"),
            ("state", "the-state"),
            ("nonce", "the-nonce"),
            ("code_challenge", CHALLENGE),
            ("code_challenge_method", "S256"),
        ];
        Self(params.map(|(n, v)| (n.to_owned(), v.to_owned())).to_vec())
    }

    pub(crate) fn set(mut self, name: &str, value: &str) -> Self {
        self.0.retain(|(n, _)| n != name);
        self.0.push((name.to_owned(), value.to_owned()));
        self
    }

    pub(crate) fn without(mut self, name: &str) -> Self {
        self.0.retain(|(n, _)| n != name);
        self
    }

    /// Adds a parameter even if it is there already.
    pub(crate) fn also(mut self, name: &str, value: &str) -> Self {
        self.0.push((name.to_owned(), value.to_owned()));
        self
    }

    pub(crate) fn query(&self) -> String {
        let pairs: Vec<(&str, &str)> = self.0.iter().map(|(n, v)| (&**n, &**v)).collect();
        encoded(&pairs)
    }

    pub(crate) fn path(&self) -> String {
        format!("/authorize?{}", self.query())
    }
}

/// A browser: a jar of cookies.
#[derive(Clone)]
pub(crate) struct Browser<'w> {
    world: &'w World,
    pub(crate) jar: BTreeMap<String, String>,
}

impl Browser<'_> {
    pub(crate) async fn get(&mut self, path: &str) -> Reply {
        self.send("GET", path, &[], None).await
    }

    pub(crate) async fn ask(&mut self, ask: &Ask) -> Reply {
        self.get(&ask.path()).await
    }

    pub(crate) async fn post(&mut self, path: &str, form: &[(&str, &str)]) -> Reply {
        self.send("POST", path, &[FORM], Some(encoded(form))).await
    }

    pub(crate) async fn send(
        &mut self,
        method: &str,
        path: &str,
        headers: &[(&str, &str)],
        body: Option<String>,
    ) -> Reply {
        let cookie: Vec<String> = self.jar.iter().map(|(n, v)| format!("{n}={v}")).collect();
        let cookie = cookie.join("; ");
        let mut all = headers.to_vec();
        if !cookie.is_empty() {
            all.push(("cookie", &cookie));
        }
        let reply = self.world.send(method, path, &all, body).await;
        for line in reply.all("set-cookie") {
            let (name, rest) = line.split_once('=').unwrap();
            let value = rest.split(';').next().unwrap();
            if line.contains("Max-Age=0") {
                self.jar.remove(name);
            } else {
                self.jar.insert(name.to_owned(), value.to_owned());
            }
        }
        reply
    }

    /// Follows our own redirects, as a browser does; stops at a page or at another site.
    pub(crate) async fn follow(&mut self, mut reply: Reply) -> Reply {
        while reply.status == 303 && reply.location().starts_with('/') {
            let location = reply.location();
            reply = self.get(&location).await;
        }
        reply
    }

    /// Sends the sign-in form of `page`.
    pub(crate) async fn sign_in_at(&mut self, page: &Reply, user: &str, password: &str) -> Reply {
        let (r, csrf) = (page.hidden("r"), page.hidden("csrf"));
        let form = [
            ("r", &*r),
            ("csrf", &*csrf),
            ("username", user),
            ("password", password),
            ("action", "sign-in"),
        ];
        self.post("/login", &form).await
    }

    /// Asks, signs in with the right password, and gives the redirect that follows.
    pub(crate) async fn sign_in(&mut self, ask: &Ask, user: &str) -> Reply {
        let page = self.ask(ask).await;
        assert_eq!(page.status, 200, "{}", page.body);
        self.sign_in_at(&page, user, "password").await
    }

    /// A code for Pied Piper: by the form, or silently if somebody is signed in.
    pub(crate) async fn code(&mut self, ask: &Ask, user: &str) -> String {
        let reply = self.ask(ask).await;
        let reply = if reply.status == 200 {
            self.sign_in_at(&reply, user, "password").await
        } else {
            reply
        };
        assert_eq!(reply.status, 303, "{}", reply.body);
        reply.param("code").unwrap_or_else(|| panic!("no code in {}", reply.location()))
    }

    /// Tokens of Pied Piper.
    pub(crate) async fn piper(&mut self, user: &str) -> Tokens {
        let code = self.code(&Ask::piper(), user).await;
        Tokens(self.world.redeem(&code).await.ok_json())
    }

    /// Tokens of Hooli.
    pub(crate) async fn hooli(&mut self, user: &str) -> Tokens {
        let code = self.code(&Ask::hooli(), user).await;
        Tokens(self.world.redeem_for("hooli", HOOLI, &code).await.ok_json())
    }

    /// The name and value of the session cookie.
    pub(crate) fn session_cookie(&self) -> Option<(&String, &String)> {
        self.jar.iter().find(|(name, _)| name.starts_with("__Host-sso-"))
    }

    /// Signs out with a hint and follows to the end.
    pub(crate) async fn sign_out(&mut self, params: &[(&str, &str)]) -> Reply {
        let first = self.get(&format!("/end_session?{}", encoded(params))).await;
        assert_eq!(first.status, 303);
        self.follow(first).await
    }
}

/// A token response.
pub(crate) struct Tokens(pub(crate) Value);

impl Tokens {
    pub(crate) fn access(&self) -> &str {
        self.0["access_token"].as_str().unwrap()
    }

    pub(crate) fn refresh(&self) -> &str {
        self.0["refresh_token"].as_str().unwrap()
    }

    pub(crate) fn id(&self) -> &str {
        self.0["id_token"].as_str().unwrap()
    }

    pub(crate) fn claims(&self) -> Value {
        claims(self.id())
    }
}

/// A response, read to its end.
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) headers: reqwest::header::HeaderMap,
    pub(crate) body: String,
}

impl Reply {
    async fn read(response: reqwest::Response) -> Self {
        let status = response.status().as_u16();
        let headers = response.headers().clone();
        let body = response.text().await.unwrap();
        Self { status, headers, body }
    }

    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    pub(crate) fn has(&self, name: &str) -> bool {
        self.headers.contains_key(name)
    }

    pub(crate) fn all(&self, name: &str) -> Vec<String> {
        let values = self.headers.get_all(name).iter();
        values.map(|value| value.to_str().unwrap().to_owned()).collect()
    }

    pub(crate) fn location(&self) -> String {
        self.header("location").to_owned()
    }

    /// A query parameter of the location.
    pub(crate) fn param(&self, name: &str) -> Option<String> {
        let location = url::Url::parse(&self.location()).ok()?;
        location.query_pairs().find(|(n, _)| n == name).map(|(_, v)| v.into_owned())
    }

    pub(crate) fn json(&self) -> Value {
        serde_json::from_str(&self.body).unwrap_or_else(|_| panic!("no JSON: {}", self.body))
    }

    pub(crate) fn ok_json(&self) -> Value {
        assert_eq!(self.status, 200, "{}", self.body);
        self.json()
    }

    /// The error code of a JSON error response.
    pub(crate) fn error(&self) -> String {
        self.json()["error"].as_str().unwrap_or_default().to_owned()
    }

    /// The value of a hidden field.
    pub(crate) fn hidden(&self, name: &str) -> String {
        let mark = format!("name=\"{name}\" value=\"");
        let at = self.body.find(&mark).unwrap_or_else(|| panic!("no field {name}: {}", self.body));
        self.body[at + mark.len()..].split('"').next().unwrap().to_owned()
    }

    /// Is there an element with that test id?
    pub(crate) fn shows(&self, test_id: &str) -> bool {
        self.body.contains(&format!("data-testid=\"{test_id}\""))
    }

    /// The `href` of the element with that test id.
    pub(crate) fn href(&self, test_id: &str) -> String {
        let mark = format!("data-testid=\"{test_id}\"");
        let at = self.body.find(&mark).unwrap_or_else(|| panic!("no {test_id}: {}", self.body));
        let from = self.body[..at].rfind("href=\"").unwrap() + 6;
        self.body[from..].split('"').next().unwrap().replace("&amp;", "&")
    }

    /// An error page: no redirect, a test id, the status of a bad request.
    pub(crate) fn assert_error_page(&self, why: &str) {
        assert_eq!(self.status, 400, "{why}: {} {}", self.location(), self.body);
        assert!(!self.has("location"), "{why}");
        assert!(self.shows("error"), "{why}");
    }

    /// An error response by redirect, with `state` and `iss`.
    pub(crate) fn assert_error_redirect(&self, error: &str, issuer: &str, why: &str) {
        assert_eq!(self.status, 303, "{why}: {}", self.body);
        assert!(self.location().starts_with(PIPER), "{why}: {}", self.location());
        assert_eq!(self.param("error").as_deref(), Some(error), "{why}");
        assert_eq!(self.param("state").as_deref(), Some("the-state"), "{why}");
        assert_eq!(self.param("iss").as_deref(), Some(issuer), "{why}");
        assert_eq!(self.param("code"), None, "{why}");
    }
}

/// An event stream that is being read.
pub(crate) struct Events {
    pub(crate) status: u16,
    pub(crate) headers: reqwest::header::HeaderMap,
    chunks: BoxStream<'static, reqwest::Result<Vec<u8>>>,
    buffer: String,
}

/// One event: its name and its data.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Event {
    pub(crate) event: String,
    pub(crate) data: String,
}

impl Events {
    fn of(response: reqwest::Response) -> Self {
        let status = response.status().as_u16();
        let headers = response.headers().clone();
        let chunks = response.bytes_stream().map(|chunk| chunk.map(|bytes| bytes.to_vec())).boxed();
        Self { status, headers, chunks, buffer: String::new() }
    }

    pub(crate) fn header(&self, name: &str) -> &str {
        self.headers.get(name).map_or("", |value| value.to_str().unwrap())
    }

    /// The next event; comments are skipped. `None` at the end of the stream.
    pub(crate) async fn next(&mut self) -> Option<Event> {
        loop {
            if let Some(end) = self.buffer.find("\n\n") {
                let block: String = self.buffer.drain(..end + 2).collect();
                let field = |name: &str| {
                    block.lines().find_map(|line| line.strip_prefix(name)).map(str::to_owned)
                };
                if let (Some(event), Some(data)) = (field("event: "), field("data: ")) {
                    return Some(Event { event, data });
                }
                continue;
            }
            let chunk = timeout(Duration::from_secs(30), self.chunks.next());
            match chunk.await.expect("the stream says nothing") {
                Some(chunk) => self.buffer += std::str::from_utf8(&chunk.unwrap()).unwrap(),
                None => return None,
            }
        }
    }

    /// Reads until an event that `wanted` picks.
    pub(crate) async fn until(&mut self, wanted: impl Fn(&Event) -> bool) -> Event {
        loop {
            let event = self.next().await.expect("the stream ended");
            if wanted(&event) {
                return event;
            }
        }
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

fn part(token: &str, at: usize) -> Value {
    use base64ct::{Base64UrlUnpadded, Encoding};
    let text = token.split('.').nth(at).unwrap();
    serde_json::from_slice(&Base64UrlUnpadded::decode_vec(text).unwrap()).unwrap()
}

/// A form or query.
pub(crate) fn encoded(pairs: &[(&str, &str)]) -> String {
    url::form_urlencoded::Serializer::new(String::new()).extend_pairs(pairs).finish()
}

pub(crate) const FORM: (&str, &str) = ("content-type", "application/x-www-form-urlencoded");
