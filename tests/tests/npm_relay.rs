//! The two examples of docs/relay.md: an app's own server passes logout tokens on to its tabs, for a
//! provider that offers no session events.

use anyhow::{Context, ensure};
use futures_util::StreamExt;
use gatepass_tests::pages::{App, SignInPage};
use gatepass_tests::process::Program;
use gatepass_tests::stage::{GUEST_HOST, PASSWORD};
use gatepass_tests::wire::Wire;
use gatepass_tests::world::World;
use gatepass_tests::{
    Browser, Client, LONG_LIMIT, Result, Stage, Tab, environment, journey, npm_app, until,
};
use reqwest::{RequestBuilder, Response, StatusCode};
use serde_json::json;
use std::ffi::OsString;
use tokio::net::TcpListener;

/// Which of the examples.
#[derive(Clone, Copy)]
enum Kind {
    Axum,
    Node,
}

impl Kind {
    /// Starts it for an app of this origin; gives its own.
    fn start(self, userinfo: String, app: &str) -> Result<(Program, String)> {
        let script = environment::crate_path("../docs/relay/node/relay.mjs");
        let words: Vec<OsString> = match self {
            Self::Axum => vec![env!("CARGO_BIN_EXE_relay").into()],
            Self::Node => vec!["node".into(), script.into()],
        };
        let surroundings = [
            ("USERINFO_ENDPOINT", userinfo.into()),
            ("APP_ORIGIN", app.into()),
            ("LISTEN", "127.0.0.1:0".into()),
        ];
        let ready = |line: &str| line.strip_prefix("ready ").map(str::to_owned);
        Program::start_in("the relay", words, &surroundings, ready)
    }
}

#[test]
fn f2_sign_out_elsewhere_arrives_through_the_axum_relay() -> Result {
    sign_out_arrives(Kind::Axum)
}

#[test]
fn f2_sign_out_elsewhere_arrives_through_the_node_relay() -> Result {
    sign_out_arrives(Kind::Node)
}

fn sign_out_arrives(kind: Kind) -> Result {
    journey().with_a_wire().go(async |stage, browser| {
        let userinfo = format!("{}/userinfo", stage.provider_by_address());
        let (_relay, relay) = kind.start(userinfo, &stage.site.origin(GUEST_HOST))?;
        let (_wire, shown) = shown_to_browsers(&relay).await?;
        stage.change_provider(|text| {
            let uri = format!("backchannel_logout_uri = \"{relay}/backchannel-logout\"");
            text.replacen("session_events = true", "session_events = false", 1).replacen(
                "id = \"npm-app\"",
                &format!("id = \"npm-app\"\n{uri}"),
                1,
            )
        })?;
        let tab = browser.first_tab();
        npm_app::open_relayed(stage, &tab, &format!("{shown}/session-events")).await?;
        npm_app::wait(&tab, "status", "anonymous").await?;
        tab.click("sign-in").await?;
        SignInPage::wait(tab.clone()).await?.submit("richard", PASSWORD).await?;
        npm_app::wait(&tab, "status", "authenticated").await?;
        // The relay has asked whose the stream is: from before that on it misses nothing.
        stage.control.wait_for(1, "userinfo.served@npm-app").await?;
        for name in REFUSED {
            refuses(stage, &tab, name).await.with_context(|| name.to_owned())?;
        }
        is_signed_out_elsewhere(stage, browser, &tab).await?;
        // Nobody asked: the provider has no stream, and it was not the next refresh that told.
        let timeline = stage.control.timeline().await?;
        timeline.exactly(0, "stream.opened")?;
        timeline.exactly(0, "token.refreshed@npm-app")
    })
}

/// Where pages find the relay: those by https load nothing by http.
async fn shown_to_browsers(relay: &str) -> Result<(Option<Wire>, String)> {
    if !World::of_this_run()?.needs_tls() {
        return Ok((None, relay.to_owned()));
    }
    let port = relay.rsplit(':').next().context("no port")?.parse()?;
    let wire = Wire::over_tls(port).await?;
    let shown = format!("https://relay.localhost:{}", wire.port());
    Ok((Some(wire), shown))
}

/// The modules of the conformance suite's plan for back-channel logout of which the client must
/// refuse the token. The eighth is the honest one, with which each of these tests ends.
const REFUSED: [&str; 7] = [
    "oidcc-client-test-rp-backchannel-rpinitlogout-alg-none",
    "oidcc-client-test-rp-backchannel-rpinitlogout-no-event",
    "oidcc-client-test-rp-backchannel-rpinitlogout-wrong-aud",
    "oidcc-client-test-rp-backchannel-rpinitlogout-wrong-alg",
    "oidcc-client-test-rp-backchannel-rpinitlogout-with-nonce",
    "oidcc-client-test-rp-backchannel-rpinitlogout-wrong-event",
    "oidcc-client-test-rp-backchannel-rpinitlogout-wrong-iss",
];
const HONEST: &str = "oidcc-client-test-rp-backchannel-rpinitlogout";

/// A module's token comes, is refused in the tab, and the session goes on.
async fn refuses(stage: &Stage, tab: &Tab<'_>, name: &str) -> Result {
    let scenarios = stage.control.scenarios().await?;
    let scenario = scenarios.iter().find(|it| it["name"] == name).context("no such scenario")?;
    stage.control.tell_scenario(name, "npm-app").await?;
    tab.run("window.before = auth.state; return null", vec![]).await?;
    ensure!(stage.control.scenario_logout(name).await? == 1, "it did not go to the relay");
    let code = until("what the tab makes of it", async || {
        let script = "return auth.state !== before ? auth.state.error?.code ?? null : null";
        Ok(tab.run(script, vec![]).await?.as_str().map(str::to_owned))
    })
    .await?;
    let codes = scenario["codes"].as_array().context("no codes")?;
    ensure!(codes.contains(&json!(code)), "{code} is not one of {codes:?}");
    npm_app::wait(tab, "status", "authenticated").await?;
    let issuer = stage.issuer();
    let used =
        format!("const [done] = arguments; auth.fetch('{issuer}/userinfo').then(() => done(1))");
    tab.run_async(&used, vec![]).await?;
    let judged = stage.control.asked(name, &json!({})).await?;
    ensure!(judged["verdict"] == "refused", "{judged}");
    stage.control.forget_scenario(name).await
}

/// The honest module: the person signs out at another app.
async fn is_signed_out_elsewhere(stage: &Stage, browser: &Browser, tab: &Tab<'_>) -> Result {
    stage.control.tell_scenario(HONEST, "npm-app").await?;
    let other = App::open_beside(stage, Client::PiedPiper, browser).await?;
    other.wait_signed_in().await?;
    other.sign_out().await?;
    npm_app::wait(tab, "status", "anonymous").await?;
    npm_app::wait(tab, "notice", "logout_token").await?;
    stage.control.wait_for(1, "backchannel.delivered@npm-app").await.map(drop)
}

#[test]
fn relay_keeps_to_its_rules_axum() -> Result {
    keeps_to_its_rules(Kind::Axum)
}

#[test]
fn relay_keeps_to_its_rules_node() -> Result {
    keeps_to_its_rules(Kind::Node)
}

/// Without a browser: a provider of the test's own, whose access tokens are names.
#[tokio::main]
async fn keeps_to_its_rules(kind: Kind) -> Result {
    let listener = TcpListener::bind("127.0.0.1:0").await?;
    let userinfo = format!("http://{}/userinfo", listener.local_addr()?);
    tokio::spawn(async move { axum::serve(listener, axum::Router::new().fallback(whose)).await });
    let (_relay, relay) = kind.start(userinfo, "https://app.example")?;
    let http = reqwest::Client::builder().timeout(LONG_LIMIT).build()?;
    let stream = format!("{relay}/session-events");
    let listen = async |name: &str| http.get(&stream).bearer_auth(name).send().await;
    let post = |form: &[(&str, &str)]| http.post(format!("{relay}/backchannel-logout")).form(form);

    // What is no token that the provider takes opens nothing.
    ensure!(http.get(&stream).send().await?.status() == StatusCode::UNAUTHORIZED);
    ensure!(listen("stranger").await?.status() == StatusCode::UNAUTHORIZED);
    let answer = listen("trouble").await?;
    ensure!(answer.status() == StatusCode::SERVICE_UNAVAILABLE);
    ensure!(answer.headers()["retry-after"] == "15");

    // Only pages of the app may read, and the browser asks first.
    let ask = http.request(reqwest::Method::OPTIONS, &stream);
    let ask = ask.header("origin", "https://app.example");
    let ask = ask.header("access-control-request-method", "GET");
    let ask = ask.header("access-control-request-headers", "authorization").send().await?;
    ensure!(ask.status().is_success());
    ensure!(ask.headers()["access-control-allow-origin"] == "https://app.example");
    ensure!(ask.headers()["access-control-allow-headers"] == "authorization");

    // What is no logout token is not passed on.
    let long = "x".repeat(17_000);
    for wrong in ["", "a", "a.b.c", "e30.e30.", "e30.eyJzdWIiOjF9.", "e30.bnVsbA.", long.as_str()] {
        let status = status(post(&[("logout_token", wrong)])).await?;
        ensure!(status.is_client_error(), "{wrong}: {status}");
    }
    ensure!(status(post(&[("token", RICHARDS)])).await?.is_client_error());

    // A token goes to whom it is about; one that names a session only, to all.
    let mut richard = Events::of(listen("richard").await?);
    let mut gavin = Events::of(listen("gavin").await?);
    for events in [&mut richard, &mut gavin] {
        ensure!(events.head.starts_with("text/event-stream no-store, no-transform no"));
        ensure!(events.next().await?.starts_with("event: open\ndata: {\"heartbeat\":15}"));
    }
    for token in [RICHARDS, GAVINS, SESSIONS] {
        ensure!(status(post(&[("logout_token", token)])).await? == StatusCode::OK);
    }
    for token in [RICHARDS, SESSIONS] {
        ensure!(richard.next().await? == format!("event: logout\ndata: {token}"));
    }
    for token in [GAVINS, SESSIONS] {
        ensure!(gavin.next().await? == format!("event: logout\ndata: {token}"));
    }

    // A tab that was between two streams hears of it at once.
    let mut late = Events::of(listen("richard").await?);
    late.next().await?;
    for token in [RICHARDS, SESSIONS] {
        ensure!(late.next().await? == format!("event: logout\ndata: {token}"));
    }
    Ok(())
}

/// Payloads `{"sub":"richard"}`, `{"sub":"gavin","sid":"s"}` and `{"sid":"s"}`.
const RICHARDS: &str = "e30.eyJzdWIiOiJyaWNoYXJkIn0.c2ln";
const GAVINS: &str = "e30.eyJzdWIiOiJnYXZpbiIsInNpZCI6InMifQ.c2ln";
const SESSIONS: &str = "e30.eyJzaWQiOiJzIn0.c2ln";

async fn whose(headers: axum::http::HeaderMap) -> axum::response::Response {
    use axum::response::IntoResponse;
    let token = headers.get("authorization").and_then(|value| value.to_str().ok());
    match token.and_then(|value| value.strip_prefix("Bearer ")) {
        Some("trouble") => StatusCode::INTERNAL_SERVER_ERROR.into_response(),
        Some("stranger") | None => StatusCode::UNAUTHORIZED.into_response(),
        Some(name) => axum::Json(json!({ "sub": name })).into_response(),
    }
}

async fn status(request: RequestBuilder) -> Result<StatusCode> {
    Ok(request.send().await?.status())
}

/// A stream that is read event by event.
struct Events {
    head: String,
    response: futures_util::stream::BoxStream<'static, reqwest::Result<Vec<u8>>>,
    read: String,
}

impl Events {
    fn of(response: Response) -> Self {
        let names = ["content-type", "cache-control", "x-accel-buffering"];
        let values = names.map(|name| response.headers().get(name)?.to_str().ok());
        let head = values.map(Option::unwrap_or_default).join(" ");
        let parts = futures_util::stream::try_unfold(response, async |mut response| {
            Ok(response.chunk().await?.map(|chunk| (chunk.to_vec(), response)))
        });
        Self { head, response: parts.boxed(), read: String::new() }
    }

    async fn next(&mut self) -> Result<String> {
        loop {
            if let Some((event, rest)) = self.read.split_once("\n\n") {
                let (event, rest) = (event.to_owned(), rest.to_owned());
                self.read = rest;
                return Ok(event);
            }
            let chunk = self.response.next().await.context("the stream ended")??;
            self.read.push_str(std::str::from_utf8(&chunk)?);
        }
    }
}
