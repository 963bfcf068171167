//! The API that the apps call with their access tokens: who is answered, until when, and who never
//! gets to see a token.

use anyhow::{Context, ensure};
use gatepass_tests::engine::Ability;
use gatepass_tests::npm_app::{open, signed_in, wait};
use gatepass_tests::pages::{App, SignInPage};
use gatepass_tests::stage::PASSWORD;
use gatepass_tests::{Browser, Client, Result, Stage, journey, until};
use serde_json::Value;

/// The token that the pages of an origin have: what they sent to the provider with it.
fn sent_token(stage: &Stage, origin: &str) -> Result<String> {
    let requests = stage.wire()?.requests();
    let mut of_origin = requests.iter().filter(|request| request.document == origin);
    let token = of_origin.find_map(|request| request.bearer()).context("no token was sent")?;
    Ok(token.to_owned())
}

/// What the API says to a program that has the token: status, challenge, body.
async fn ask(stage: &Stage, path: &str, token: &str) -> Result<(u16, String, Value)> {
    let response =
        stage.http.get(format!("{}{path}", stage.api())).bearer_auth(token).send().await?;
    let status = response.status().as_u16();
    let challenge = response.headers().get("www-authenticate");
    let challenge = challenge.map_or("", |value| value.to_str().unwrap_or_default()).to_owned();
    Ok((status, challenge, response.json().await?))
}

/// Tokens went to the provider and to the API, and nowhere else.
async fn refuse_strays(stage: &Stage, browser: &Browser) -> Result {
    let to_site = stage.site.requests();
    ensure!(to_site.iter().all(|request| request.bearer().is_none()), "a token went to the site");
    if !browser.can(Ability::Requests)? {
        return Ok(());
    }
    let requests = browser.requests().await?;
    let hosts: Vec<_> = requests
        .iter()
        .filter(|request| request.headers.contains_key("authorization"))
        .map(|request| request.host())
        .collect();
    ensure!(hosts.contains(&"api.localhost"), "the log does not see the API: {hosts:?}");
    let strays: Vec<_> =
        hosts.iter().filter(|host| !["api.localhost", "idp.localhost"].contains(host)).collect();
    ensure!(strays.is_empty(), "tokens went to {strays:?}");
    Ok(())
}

#[test]
fn s15_the_api_answers_while_signed_in_and_refuses_after_a_sign_out_elsewhere() -> Result {
    journey().with_a_wire().go(async |stage, browser| {
        let app = App::open(stage, Client::PiedPiper, browser).await?;
        app.sign_in("richard").await?;
        let hooli = App::open_beside(stage, Client::Hooli, browser).await?;
        hooli.wait_signed_in().await?;
        for client in Client::ALL {
            stage.control.wait_for(1, &format!("stream.opened@{}", client.id())).await?;
        }
        for app in [&app, &hooli] {
            let said = app.ask_server("given").await?;
            ensure!(said.contains("provider"), "it did not ask the provider: {said}");
        }
        stage.control.timeline().await?.exactly(2, "introspection.answered")?;
        let token = sent_token(stage, app.origin())?;
        let (status, _, files) = ask(stage, "/files?strict=1", &token).await?;
        ensure!(status == 200 && files["client_id"] == "pied-piper", "{status} {files}");

        hooli.sign_out().await?;
        app.wait_signed_out().await?;
        // The panel is gone with the session.
        ensure!(app.tab.text("api-panel").await?.is_none(), "the panel is still there");
        let (status, challenge, _) = ask(stage, "/files?strict=1", &token).await?;
        ensure!(status == 401, "the old token got {status}");
        ensure!(challenge.contains("error=\"invalid_token\""), "{challenge}");
        // Who only looks at the signature takes it until it expires: that is why strict exists.
        let (status, _, files) = ask(stage, "/files", &token).await?;
        ensure!(status == 200 && files["checked"] == "signature", "{status} {files}");
        refuse_strays(stage, browser).await
    })
}

#[test]
fn s15_the_api_takes_access_tokens_of_the_provider_and_nothing_else() -> Result {
    journey().with_a_wire().go(async |stage, browser| {
        let app = App::open(stage, Client::PiedPiper, browser).await?;
        app.sign_in("richard").await?;
        app.ask_server("given").await?;
        stage.control.wait_for(1, "stream.opened@pied-piper").await?;
        let token = sent_token(stage, app.origin())?;
        let parts: Vec<&str> = token.split('.').collect();
        let [head, body, signature] = parts[..] else { anyhow::bail!("no JWT") };
        let other = if signature.starts_with('A') { "B" } else { "A" };
        let flipped = format!("{head}.{body}.{other}{}", &signature[1..]);
        // {"alg":"none","typ":"at+jwt"}
        let unsigned = format!("eyJhbGciOiJub25lIiwidHlwIjoiYXQrand0In0.{body}.");
        for wrong in [flipped.as_str(), &unsigned, "x", "a.b.c"] {
            let (status, challenge, _) = ask(stage, "/files", wrong).await?;
            ensure!(status == 401 && challenge.contains("invalid_token"), "{status} {challenge}");
        }
        // Without a token, the challenge names no error (RFC 6750, 3.1).
        let bare = stage.http.get(format!("{}/files", stage.api())).send().await?;
        let challenge = bare.headers().get("www-authenticate").context("no challenge")?;
        ensure!(bare.status() == 401 && challenge == "Bearer realm=\"demo-api\"");
        let address = format!("{}/files?access_token={token}", stage.api());
        ensure!(stage.http.get(address).send().await?.status() == 401, "a token in the address");
        // CORS: the apps' pages and no others.
        let home = stage.origin(Client::PiedPiper);
        for (origin, is_allowed) in [(home.as_str(), true), ("http://evil.localhost:1", false)] {
            let request = stage.http.get(format!("{}/files", stage.api())).header("origin", origin);
            let response = request.send().await?;
            let allowed = response.headers().get("access-control-allow-origin");
            ensure!(allowed.is_some_and(|it| it == origin) == is_allowed, "{origin}: {allowed:?}");
            ensure!(!response.headers().contains_key("access-control-allow-credentials"));
        }
        // A provider that starts anew has other keys: the old token is refused, the keys are
        // fetched once more, and a new one is taken.
        stage.stop_provider();
        stage.start_provider()?;
        let (status, _, _) = ask(stage, "/files?strict=1", &token).await?;
        ensure!(status == 401, "the token of the provider before got {status}");
        Ok(())
    })
}

#[test]
fn s15_the_npm_client_calls_the_api_and_shows_its_token_to_nobody_else() -> Result {
    journey().with_a_wire().go(async |stage, browser| {
        let tab = browser.first_tab();
        let origin = open(stage, &tab).await?;
        wait(&tab, "status", "anonymous").await?;
        tab.click("sign-in").await?;
        SignInPage::wait(tab.clone()).await?.submit("richard", PASSWORD).await?;
        wait(&tab, "status", "authenticated").await?;
        tab.click("fetch-api").await?;
        let read = until("what the API answers", async || {
            Ok(serde_json::from_str::<Value>(&tab.text("api").await?.unwrap_or_default()).ok())
        });
        let read = read.await?;
        ensure!(read["client_id"] == "npm-app", "{read}");
        ensure!(read["checked"] == "signature and provider", "{read}");
        // The same call to a site that is on no list goes without the token, and so does not even
        // ask that site beforehand.
        tab.click("fetch-elsewhere").await?;
        wait(&tab, "elsewhere", "done").await?;
        let requests = stage.site.requests();
        let there: Vec<_> =
            requests.iter().filter(|request| request.host() == "elsewhere.localhost").collect();
        ensure!(!there.is_empty(), "the site does not see the call");
        for request in there {
            ensure!(request.method == "GET", "a preflight went out");
            ensure!(!request.headers.contains_key("authorization"), "a token went elsewhere");
        }
        stage.control.wait_for(1, "stream.opened@npm-app").await?;
        let token = sent_token(stage, &origin)?;
        tab.click("sign-out").await?;
        wait(&tab, "status", "anonymous").await?;
        stage.control.wait_for(1, "session.ended").await?;
        let (status, challenge, _) = ask(stage, "/files?strict=1", &token).await?;
        ensure!(status == 401 && challenge.contains("invalid_token"), "{status} {challenge}");
        // The client itself has no token to send any more, and says so.
        tab.click("fetch-api").await?;
        wait(&tab, "refused", "not_signed_in").await?;
        refuse_strays(stage, browser).await
    })
}

/// A server that may have the token leads the request on to one that may not.
#[test]
fn s15_a_redirect_takes_no_token_elsewhere() -> Result {
    journey().go(async |stage, browser| {
        let tab = browser.first_tab();
        signed_in(stage, &tab).await?;
        let elsewhere = stage.site.origin("elsewhere");
        stage.site.redirect("/moved", format!("{elsewhere}/moved-to"));
        // It answers no other site's pages; what counts is what it was sent.
        let ask = "const done = arguments[arguments.length - 1];\
            auth.fetch('/moved').then(() => done('answered'), (error) => done(error.name))";
        ensure!(tab.run_async(ask, vec![]).await? == "TypeError");
        let requests = stage.site.requests();
        let to = |path: &str| {
            let found = requests.iter().find(|request| request.path().ends_with(path));
            found.with_context(|| format!("nobody asked for {path}"))
        };
        ensure!(to("/moved")?.bearer().is_some(), "the app's own server got no token");
        ensure!(!to("/moved-to")?.headers.contains_key("authorization"), "a token went elsewhere");
        Ok(())
    })
}

/// The page thinks that its token is good, and the API is told otherwise: it is sent once more, with another.
#[test]
fn f21_a_token_that_the_api_refuses_is_refreshed_by_the_rust_client_too() -> Result {
    journey().go(async |stage, browser| {
        let app = App::open(stage, Client::PiedPiper, browser).await?;
        app.sign_in("richard").await?;
        app.ask_server("given").await?;
        stage.control.advance_clock(600).await?;
        app.tab.click("api-ask").await?;
        stage.control.wait_for(1, "token.refreshed@pied-piper").await?;
        app.ask_server("given").await?;
        app.wait_signed_in().await?;
        let timeline = stage.control.timeline().await?;
        timeline.exactly(1, "token.refreshed@pied-piper")?;
        timeline.exactly(1, "login.succeeded")
    })
}
