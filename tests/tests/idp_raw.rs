//! What the provider answers to addresses, in a real browser.

use anyhow::{Context, ensure};
use gatepass_tests::pages::{App, SignInPage, idp};
use gatepass_tests::{Client, Result, journey};
use serde_json::Value;

#[test]
fn op2_a_bad_request_gets_a_page_and_never_a_redirect() -> Result {
    journey().go(async |stage, browser| {
        let tab = browser.first_tab();
        let home = format!("{}/", stage.origin(Client::PiedPiper));
        let rest = "response_type=code&scope=openid&state=s&nonce=n&code_challenge_method=S256\
                    &code_challenge=E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM";
        for query in [
            String::new(),
            format!("{rest}&redirect_uri={home}"),
            format!("{rest}&client_id=nobody&redirect_uri={home}"),
            format!("{rest}&client_id=pied-piper"),
            format!("{rest}&client_id=pied-piper&redirect_uri=javascript:alert(1)"),
            format!("{rest}&client_id=pied-piper&redirect_uri={home}&redirect_uri={home}"),
            format!("{rest}&client_id=<script>alert(1)</script>&redirect_uri={home}"),
        ] {
            tab.goto(&format!("{}/authorize?{query}", stage.issuer())).await?;
            ensure!(!idp::wait_error(stage, &tab).await?.is_empty());
            ensure!(tab.address().await?.starts_with(&stage.issuer()), "{query}");
        }
        Ok(())
    })
}

#[test]
fn op11_the_session_cookie_is_out_of_reach() -> Result {
    journey().go(async |stage, browser| {
        App::open(stage, Client::PiedPiper, browser).await?.sign_in("richard").await?;
        let tab = browser.new_tab().await?;
        tab.goto(&format!("{}/", stage.issuer())).await?;
        let cookies = tab.cookies().await?;
        let of_the_session = |cookie: &&Value| {
            cookie["name"].as_str().is_some_and(|name| name.starts_with("__Host-sso-"))
        };
        let session = cookies.iter().find(of_the_session).context("no session cookie")?;
        ensure!(session["httpOnly"] == true && session["secure"] == true, "{session}");
        // WebDriver's protocols write it differently.
        let same_site = session["sameSite"].as_str().unwrap_or_default();
        ensure!(same_site.eq_ignore_ascii_case("lax") && session["path"] == "/", "{session}");
        // What it may see says nothing about the person (Session Management 1.0, 3.2).
        let seen = tab.run("return document.cookie", vec![]).await?;
        let is_state = |cookie: &str| cookie.trim().starts_with("__Host-state-");
        let only_state = seen.as_str().is_some_and(|seen| seen.split(';').all(is_state));
        ensure!(only_state, "a script sees {seen}");
        Ok(())
    })
}

#[test]
fn op9_no_page_of_the_provider_can_be_framed() -> Result {
    journey().go(async |stage, browser| {
        let tab = browser.first_tab();
        let frame = stage.site.origin("framing");
        for path in ["/", "/authorize?client_id=nobody", "/end_session"] {
            let address = format!("{}{path}", stage.issuer());
            tab.goto(&format!("{frame}/probe/frame?address={address}")).await?;
            let mut response = stage.http.get(&address).send().await?;
            // A sign-out goes on at a clean address.
            while let Some(next) = response.headers().get("location") {
                let next = format!("{}{}", stage.issuer(), path_of(next.to_str()?));
                response = stage.http.get(next).send().await?;
            }
            let policy = response.headers().get("content-security-policy");
            let policy = policy.and_then(|value| value.to_str().ok()).unwrap_or_default();
            ensure!(policy.contains("frame-ancestors 'none'"), "{path}: {policy}");
        }
        let console = browser.console().await?.join("\n");
        ensure!(console.contains("frame-ancestors"), "nothing was refused: {console}");
        Ok(())
    })
}

#[test]
fn op12_sign_out_without_a_hint_asks_first() -> Result {
    journey().go(async |stage, browser| {
        let app = App::open(stage, Client::PiedPiper, browser).await?;
        app.sign_in("richard").await?;
        app.mark().await?;
        let tab = browser.new_tab().await?;
        let home = format!("{}/", app.origin());
        for query in ["", "?client_id=pied-piper", "?id_token_hint=eyJhbGciOiJub25lIn0.e30."] {
            tab.goto(&format!("{}/end_session{query}", stage.issuer())).await?;
            stage.control.timeline().await?.exactly(0, "session.ended")?;
        }
        ensure!(app.is_marked().await?);
        app.wait_signed_in().await?;
        let address = format!(
            "{}/end_session?client_id=pied-piper&post_logout_redirect_uri={home}",
            stage.issuer()
        );
        tab.goto(&address).await?;
        tab.click("submit").await?;
        app.wait_signed_out().await?;
        let shown = App::of(stage, Client::PiedPiper, tab);
        shown.wait_signed_out().await
    })
}

#[test]
fn op7_op20_the_login_form_leaves_no_trace() -> Result {
    journey().go(async |stage, browser| {
        let app = App::open(stage, Client::PiedPiper, browser).await?;
        app.wait_signed_out().await?;
        app.tab.click("sign-in").await?;
        SignInPage::wait(app.tab.clone()).await?.submit("richard", "password").await?;
        app.wait_signed_in().await?;
        for request in browser.requests().await? {
            if request.host() != "idp.localhost" {
                continue;
            }
            let at = format!("{} {}", request.method, request.path());
            ensure!(!request.url.contains("password="), "{at}");
            if request.method == "POST" && request.path().ends_with("/login") {
                ensure!(request.status == 303, "{at} answered {}", request.status);
            }
            if request.kind == "Document" {
                let cache = request.answer.get("cache-control").map(String::as_str);
                ensure!(cache.is_some_and(|value| value.contains("no-store")), "{at}: {cache:?}");
                let referrer = request.answer.get("referrer-policy").map(String::as_str);
                ensure!(referrer == Some("no-referrer"), "{at}: {referrer:?}");
            }
        }
        Ok(())
    })
}

/// What would run if any of these fields reached a page as markup.
const SCRIPT: &str = "\"'><script>window.ran=1</script><img src=x onerror=\"window.ran=1\">";

#[test]
fn op18_no_script_runs_whatever_is_echoed() -> Result {
    journey().go(async |stage, browser| {
        let tab = browser.first_tab();
        let home = format!("{}/", stage.origin(Client::PiedPiper));
        let unharmed = async |what: &str| {
            let seen = "return [typeof window.ran, document.querySelectorAll('img').length, \
                        document.scripts.length].join()";
            let seen = tab.run(seen, vec![]).await?;
            let seen = seen.as_str().unwrap_or_default().to_owned();
            // The sign-in page has one script of its own.
            ensure!(["undefined,0,0", "undefined,0,1"].contains(&&*seen), "{what}: {seen}");
            Ok(())
        };
        let good = [
            ("response_type", "code"),
            ("client_id", "pied-piper"),
            ("redirect_uri", &*home),
            ("scope", "openid"),
            ("state", "s"),
            ("code_challenge_method", "S256"),
            ("code_challenge", "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"),
        ];
        for name in ["client_id", "redirect_uri", "login_hint", "ui_locales", "display", SCRIPT] {
            let kept = good.iter().copied().filter(|(known, _)| *known != name);
            let asked: Vec<_> = kept.chain([(name, SCRIPT)]).collect();
            let address =
                reqwest::Url::parse_with_params(&format!("{}/authorize", stage.issuer()), asked)?;
            tab.goto(address.as_str()).await?;
            unharmed(name).await?;
        }
        // What a person typed is shown again, beside the error.
        let address =
            reqwest::Url::parse_with_params(&format!("{}/authorize", stage.issuer()), good)?;
        tab.goto(address.as_str()).await?;
        let page = SignInPage::wait(tab.clone()).await?;
        page.submit(SCRIPT, SCRIPT).await?;
        ensure!(!idp::wait_error(stage, &tab).await?.is_empty());
        unharmed("username").await?;
        for name in ["id_token_hint", "client_id", "post_logout_redirect_uri", "state"] {
            let asked = [(name, SCRIPT)];
            let address = format!("{}/end_session", stage.issuer());
            tab.goto(reqwest::Url::parse_with_params(&address, asked)?.as_str()).await?;
            unharmed(name).await?;
        }
        // Nothing was stopped by the policy either: there was nothing to stop.
        let console = browser.console().await?.join("\n");
        ensure!(!console.contains("Content Security Policy"), "{console}");
        Ok(())
    })
}

/// An address of the provider without its origin.
fn path_of(address: &str) -> &str {
    match address.split_once("://") {
        Some((_, rest)) => rest.find('/').map_or("/", |at| &rest[at..]),
        None => address,
    }
}
