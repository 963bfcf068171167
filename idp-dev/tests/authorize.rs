//! `/authorize`: for each accepted request its nearest rejected neighbours.

#![allow(clippy::unwrap_used, reason = "what fails here is a failed test")]

mod common;

use common::{Ask, Browser, CHALLENGE, FORM, HOOLI, PIPER, START, World, claims, encoded};
use idp_dev::UnixTime;

#[tokio::test]
async fn op1_redirect_uri_is_matched_exactly() {
    let world = World::new().await;
    let good = world.get(&Ask::piper().path()).await;
    assert_eq!(good.status, 200);
    for bad in [
        "http://pied-piper.localhost:8081",
        "http://pied-piper.localhost:8081/x",
        "http://pied-piper.localhost:8081//",
        "http://pied-piper.localhost:8081/./",
        "http://pied-piper.localhost:8081/x/../",
        "http://pied-piper.localhost:8081/%2e/",
        "http://pied-piper.localhost:8081/?x=1",
        "http://pied-piper.localhost:8081/?",
        "http://pied-piper.localhost:8081/#",
        "http://pied-piper.localhost:8081/#x",
        "http://pied-piper.localhost:8081/%00",
        "http://pied-piper.localhost:8081/\0",
        "http://pied-piper.localhost:8081/ ",
        " http://pied-piper.localhost:8081/",
        "http://pied-piper.localhost:8082/",
        "http://pied-piper.localhost/",
        "http://Pied-Piper.localhost:8081/",
        "HTTP://pied-piper.localhost:8081/",
        "https://pied-piper.localhost:8081/",
        "http://x.pied-piper.localhost:8081/",
        "http://pied-piper.localhost.evil.example:8081/",
        "http://pied-piper.localhost:8081@evil.example/",
        "http://evil@pied-piper.localhost:8081/",
        "http://pied-piper.localhost:8081\\@evil.example/",
        "http://pied-piper\u{3002}localhost:8081/",
        "http://localhost:8081/",
        "http://127.0.0.1:8081/",
        "http://[::1]:8081/",
        "//pied-piper.localhost:8081/",
        "/",
        "javascript:alert(1)",
        "data:text/html,x",
        "http%3A%2F%2Fpied-piper.localhost%3A8081%2F",
        HOOLI,
    ] {
        let reply = world.get(&Ask::piper().set("redirect_uri", bad).path()).await;
        reply.assert_error_page(bad);
        assert!(reply.body.contains("redirect_uri"), "{bad}");
    }
    let step = world.last_step("authorize.refused").await;
    assert_eq!(step["check"]["name"], "redirect_uri");
    assert_eq!(step["check"]["outcome"], "failed");
}

#[tokio::test]
async fn op2_bad_client_or_uri_gets_a_page_and_never_a_redirect() {
    let world = World::new().await;
    for (why, ask) in [
        ("no client", Ask::piper().without("client_id")),
        ("empty client", Ask::piper().set("client_id", "")),
        ("unknown client", Ask::piper().set("client_id", "nobody")),
        ("client in another case", Ask::piper().set("client_id", "Pied-Piper")),
        ("two clients", Ask::piper().also("client_id", "pied-piper")),
        ("no uri", Ask::piper().without("redirect_uri")),
        ("empty uri", Ask::piper().set("redirect_uri", "")),
        ("two uris", Ask::piper().also("redirect_uri", PIPER)),
        ("another client's uri", Ask::hooli().set("redirect_uri", PIPER)),
        ("bad uri, otherwise bad too", Ask::piper().set("redirect_uri", "x").without("scope")),
        ("prompt none does not change it", {
            Ask::piper().set("client_id", "nobody").set("prompt", "none")
        }),
    ] {
        world.get(&ask.path()).await.assert_error_page(why);
    }
}

#[tokio::test]
async fn op3_duplicated_parameters_are_refused() {
    let world = World::new().await;
    for name in ["response_type", "scope", "nonce", "code_challenge", "prompt", "unknown"] {
        let ask = Ask::piper().set(name, "x").also(name, "x");
        let reply = world.get(&ask.path()).await;
        reply.assert_error_redirect("invalid_request", &world.issuer, name);
    }
    // A state that came twice is not repeated: nobody knows which.
    let reply = world.get(&Ask::piper().also("state", "other").path()).await;
    assert_eq!(reply.param("error").as_deref(), Some("invalid_request"));
    assert_eq!(reply.param("state"), None);
}

#[tokio::test]
async fn op4_pkce_with_s256_is_required() {
    let world = World::new().await;
    for (why, ask) in [
        ("no challenge", Ask::piper().without("code_challenge")),
        ("neither", Ask::piper().without("code_challenge").without("code_challenge_method")),
        ("no method, so plain", Ask::piper().without("code_challenge_method")),
        ("plain", Ask::piper().set("code_challenge_method", "plain")),
        ("lower case", Ask::piper().set("code_challenge_method", "s256")),
        ("short", Ask::piper().set("code_challenge", &CHALLENGE[1..])),
        ("long", Ask::piper().set("code_challenge", &format!("{CHALLENGE}A"))),
        ("padded", Ask::piper().set("code_challenge", &format!("{}=", &CHALLENGE[1..]))),
        ("wrong alphabet", Ask::piper().set("code_challenge", &format!("{}+", &CHALLENGE[1..]))),
    ] {
        let reply = world.get(&ask.path()).await;
        reply.assert_error_redirect("invalid_request", &world.issuer, why);
    }
}

#[tokio::test]
async fn op8_iss_and_state_on_every_response() {
    let world = World::new().await;
    for (error, ask) in [
        ("unsupported_response_type", Ask::piper().set("response_type", "token")),
        ("unsupported_response_type", Ask::piper().set("response_type", "code id_token")),
        ("invalid_request", Ask::piper().without("response_type")),
        ("invalid_request", Ask::piper().set("response_mode", "form_post")),
        ("invalid_scope", Ask::piper().without("scope")),
        ("invalid_scope", Ask::piper().set("scope", "profile")),
        ("invalid_scope", Ask::piper().set("scope", "openid2 xopenid")),
        ("invalid_request", Ask::piper().set("max_age", "-1")),
        ("invalid_request", Ask::piper().set("max_age", "+1")),
        ("invalid_request", Ask::piper().set("max_age", "1.5")),
        ("invalid_request", Ask::piper().set("max_age", "soon")),
        ("invalid_request", Ask::piper().set("prompt", "none login")),
        ("invalid_request", Ask::piper().set("prompt", "select_account none")),
        ("invalid_request", Ask::piper().set("prompt", "none consent")),
        ("invalid_request", Ask::piper().set("prompt", "consent create")),
        ("invalid_request", Ask::piper().set("prompt", "Consent")),
        ("consent_required", Ask::piper().set("prompt", "consent")),
        ("consent_required", Ask::piper().set("prompt", "login consent")),
        ("consent_required", Ask::piper().set("prompt", "consent select_account")),
        ("invalid_request", Ask::piper().set("prompt", "None")),
        ("invalid_request", Ask::piper().set("nonce", &"n".repeat(2049))),
        ("request_not_supported", Ask::piper().set("request", "x")),
        ("request_uri_not_supported", Ask::piper().set("request_uri", "urn:x")),
        ("registration_not_supported", Ask::piper().set("registration", "{}")),
        ("login_required", Ask::piper().set("prompt", "none")),
    ] {
        let reply = world.get(&ask.path()).await;
        reply.assert_error_redirect(error, &world.issuer, &ask.query());
        let step = world.last_step("authorize.error").await;
        assert_eq!(step["received"]["error"], error);
    }
    let reply = world.browser().sign_in(&Ask::piper(), "richard").await;
    assert_eq!(reply.param("iss").as_deref(), Some(world.issuer.as_str()));
    assert_eq!(reply.param("state").as_deref(), Some("the-state"));
    // Without a state, none is made up.
    let reply = world.browser().sign_in(&Ask::piper().without("state"), "richard").await;
    assert_eq!(reply.param("state"), None);
    assert_eq!(reply.param("iss").as_deref(), Some(world.issuer.as_str()));
}

#[tokio::test]
async fn accepts_what_the_specifications_let_a_client_leave_out_or_add() {
    let world = World::new().await;
    for ask in [
        Ask::piper().without("nonce"),
        Ask::piper().without("state"),
        Ask::piper().set("response_mode", "query"),
        Ask::piper().set("response_mode", "fragment"),
        Ask::piper().set("response_mode", ""),
        Ask::piper().set("prompt", ""),
        Ask::piper().set("prompt", "login select_account"),
        Ask::piper().set("scope", "email openid phone unknown"),
        Ask::piper().set("acr_values", "9 phr"),
        Ask::piper().set("display", "popup").set("ui_locales", "de en"),
        Ask::piper().set("unknown", "x"),
    ] {
        assert_eq!(world.get(&ask.path()).await.status, 200, "{}", ask.query());
    }
}

#[tokio::test]
async fn f1_second_app_gets_a_code_without_a_page() {
    let world = World::new().await;
    let mut browser = world.browser();
    browser.sign_in(&Ask::piper(), "richard").await;
    let reply = browser.ask(&Ask::hooli()).await;
    assert_eq!(reply.status, 303);
    assert!(reply.location().starts_with(HOOLI));
    assert!(reply.param("code").is_some());
    let pages = world.step_names().await.iter().filter(|s| *s == "authorize.login_page").count();
    assert_eq!(pages, 1);
}

#[tokio::test]
async fn prompt_none_answers_by_redirect_whatever_the_state() {
    let world = World::new().await;
    let mut browser = world.browser();
    let silent = Ask::piper().set("prompt", "none");
    let reply = browser.ask(&silent).await;
    reply.assert_error_redirect("login_required", &world.issuer, "nobody signed in");
    assert!(browser.jar.is_empty(), "a silent request sets no cookie");
    browser.sign_in(&Ask::piper(), "richard").await;
    let reply = browser.ask(&silent).await;
    assert!(reply.param("code").is_some());
}

#[tokio::test]
async fn prompt_consent_is_answered_by_redirect_whoever_is_signed_in() {
    let world = World::new().await;
    let mut browser = world.browser();
    browser.sign_in(&Ask::piper(), "richard").await;
    for prompt in ["consent", "consent login"] {
        let reply = browser.ask(&Ask::piper().set("prompt", prompt)).await;
        reply.assert_error_redirect("consent_required", &world.issuer, prompt);
    }
    let document = world.get("/.well-known/openid-configuration").await.ok_json();
    let prompts = serde_json::json!(["none", "login", "select_account"]);
    assert_eq!(document["prompt_values_supported"], prompts);
}

#[tokio::test]
async fn prompt_login_asks_again_and_moves_auth_time() {
    let world = World::new().await;
    let mut browser = world.browser();
    let first = browser.piper("richard").await.claims();
    world.advance(10);
    let ask = Ask::piper().set("prompt", "login");
    let page = browser.ask(&ask).await;
    assert!(page.shows("password"));
    let code = browser.sign_in_at(&page, "richard", "password").await.param("code").unwrap();
    let second = claims(world.redeem(&code).await.ok_json()["id_token"].as_str().unwrap());
    assert_eq!(first["auth_time"], START);
    assert_eq!(second["auth_time"], START + 10);
    assert_eq!(first["sid"], second["sid"], "the same session goes on");
    assert_eq!(world.sessions().await.len(), 1);
}

#[tokio::test]
async fn prompt_select_account_offers_the_account_and_others() {
    let world = World::new().await;
    let mut browser = world.browser();
    browser.sign_in(&Ask::piper(), "richard").await;
    let ask = Ask::hooli().set("prompt", "select_account");
    let page = browser.ask(&ask).await;
    assert!(page.shows("continue") && page.shows("other-account") && !page.shows("password"));
    let (r, csrf) = (page.hidden("r"), page.hidden("csrf"));
    let form = [("r", &*r), ("csrf", &*csrf), ("action", "continue")];
    let reply = browser.post("/login", &form).await;
    assert!(reply.location().starts_with(HOOLI) && reply.param("code").is_some());
    // Sent twice: the same answer.
    assert_eq!(browser.post("/login", &form).await.location(), reply.location());
}

#[tokio::test]
async fn prompt_select_account_leads_to_another_account() {
    let world = World::new().await;
    let mut browser = world.browser();
    let richard = browser.piper("richard").await;
    // The hint fills the form in; it neither selects nor takes the choice away.
    let ask = Ask::hooli().set("prompt", "select_account").set("login_hint", "gavin");
    let page = browser.ask(&ask).await;
    assert!(page.shows("continue") && page.body.contains("Richard Hendricks"));
    let form = browser.get(&page.href("other-account")).await;
    assert_eq!(form.username_field(), "gavin");
    let reply = browser.sign_in_at(&form, "gavin", "password").await;
    assert!(reply.location().starts_with(HOOLI) && reply.param("code").is_some());
    // The other person's session takes the place of the first one's.
    let sessions = world.sessions().await;
    assert_eq!((sessions.len(), &sessions[0]["user"]), (1, &"gavin".into()));
    assert_eq!(world.userinfo(richard.access()).await.status, 401);
}

#[tokio::test]
async fn prompt_select_account_without_a_session_is_a_sign_in() {
    let world = World::new().await;
    let page = world.browser().ask(&Ask::piper().set("prompt", "select_account")).await;
    assert!(page.shows("password") && !page.shows("continue"));
}

#[tokio::test]
async fn continue_button_means_the_person_it_names() {
    let world = World::new().await;
    let mut browser = world.browser();
    browser.sign_in(&Ask::piper(), "richard").await;
    let page = browser.ask(&Ask::hooli().set("prompt", "select_account")).await;
    // In another tab somebody else signs in.
    browser.sign_in(&Ask::piper().set("prompt", "login"), "gavin").await;
    let (r, csrf, account) = (page.hidden("r"), page.hidden("csrf"), page.hidden("account"));
    assert_eq!(account, "richard");
    let form = [("r", &*r), ("csrf", &*csrf), ("account", &*account), ("action", "continue")];
    let reply = browser.post("/login", &form).await;
    assert!(reply.location().starts_with("/login?r="), "{}", reply.location());
}

#[tokio::test]
async fn op24_continue_button_does_not_skip_a_sign_in_that_is_due() {
    let world = World::new().await;
    let mut browser = world.browser();
    browser.sign_in(&Ask::piper(), "richard").await;
    for ask in [Ask::piper().set("prompt", "login"), Ask::piper().set("max_age", "0")] {
        let page = browser.ask(&ask).await;
        let (r, csrf) = (page.hidden("r"), page.hidden("csrf"));
        let form = [("r", &*r), ("csrf", &*csrf), ("action", "continue")];
        let reply = browser.post("/login", &form).await;
        assert!(reply.location().starts_with("/login?r="), "{}", reply.location());
    }
}

#[tokio::test]
async fn c5_max_age_at_its_limit() {
    let world = World::new().await;
    let mut browser = world.browser();
    browser.sign_in(&Ask::piper(), "richard").await;
    let status = async |browser: &mut Browser<'_>, elapsed, max_age: &str| {
        world.clock.set(UnixTime::from_seconds(START + elapsed));
        browser.ask(&Ask::piper().set("max_age", max_age)).await.status
    };
    assert_eq!(status(&mut browser, 59, "60").await, 303);
    assert_eq!(status(&mut browser, 60, "60").await, 303);
    assert_eq!(status(&mut browser, 61, "60").await, 200);
    assert_eq!(status(&mut browser, 0, "0").await, 200, "0 always asks");
    assert_eq!(status(&mut browser, 0, "1").await, 303);
    let silent = Ask::piper().set("max_age", "0").set("prompt", "none");
    let reply = browser.ask(&silent).await;
    reply.assert_error_redirect("login_required", &world.issuer, "max_age and none");
    let step = world.last_step("authorize.error").await;
    assert_eq!(step["check"]["name"], "max_age");
}

#[tokio::test]
async fn c5_max_age_0_is_satisfied_by_signing_in() {
    let world = World::new().await;
    let mut browser = world.browser();
    let reply = browser.sign_in(&Ask::piper().set("max_age", "0"), "richard").await;
    assert!(reply.param("code").is_some());
}

#[tokio::test]
async fn c6_client_without_sso_asks_every_time() {
    let world =
        World::with(|text| text.replacen("id = \"hooli\"", "id = \"hooli\"\nsso = false", 1)).await;
    let mut browser = world.browser();
    browser.sign_in(&Ask::piper(), "richard").await;
    assert_eq!(browser.ask(&Ask::hooli()).await.status, 200);
    assert_eq!(browser.ask(&Ask::piper()).await.status, 303);
}

#[tokio::test]
async fn d4_login_hint_prefills_and_never_selects_another_person() {
    let world = World::new().await;
    let mut browser = world.browser();
    let hinted = Ask::piper().set("login_hint", "gavin@hooli.example");
    let page = browser.ask(&hinted).await;
    assert!(page.body.contains("value=\"gavin@hooli.example\""));
    browser.sign_in(&Ask::piper(), "richard").await;
    assert_eq!(browser.ask(&hinted).await.status, 200, "richard is not who is meant");
    let silent = hinted.clone().set("prompt", "none");
    browser.ask(&silent).await.assert_error_redirect("login_required", &world.issuer, "other");
    for own in ["richard", "richard@piedpiper.example", "Richard@PiedPiper.example"] {
        assert_eq!(browser.ask(&Ask::piper().set("login_hint", own)).await.status, 303, "{own}");
    }
}

#[tokio::test]
async fn id_token_hint_of_another_person_is_never_answered_positively() {
    let world = World::new().await;
    let gavin = world.browser().piper("gavin").await;
    let mut browser = world.browser();
    let richard = browser.piper("richard").await;
    let ask = |hint: &str| Ask::piper().set("id_token_hint", hint);
    assert_eq!(browser.ask(&ask(richard.id())).await.status, 303);
    let silent = ask(gavin.id()).set("prompt", "none");
    browser.ask(&silent).await.assert_error_redirect("login_required", &world.issuer, "gavin");
    // With a page: prefilled, and the wrong person cannot sign in there.
    let page = browser.ask(&ask(gavin.id())).await;
    assert_eq!(page.username_field(), "gavin");
    let reply = browser.sign_in_at(&page, "richard", "password").await;
    let page = browser.follow(reply).await;
    assert!(page.shows("error"));
    let reply = browser.sign_in_at(&page, "gavin", "password").await;
    assert!(reply.param("code").is_some());
    // An expired hint is fine.
    world.advance(1000);
    assert_eq!(browser.ask(&ask(gavin.id())).await.status, 303);
}

#[tokio::test]
async fn post_is_put_aside_so_that_the_cookie_comes_along() {
    let world = World::new().await;
    let mut browser = world.browser();
    browser.sign_in(&Ask::piper(), "richard").await;
    // Cross-site: the browser sends no Lax cookie.
    let body = Some(Ask::hooli().query());
    let reply = world.send("POST", "/authorize", &[FORM], body).await;
    assert_eq!(reply.status, 303);
    let location = reply.location();
    assert!(location.starts_with("/authorize/continue?r="), "{location}");
    assert!(!location.contains("the-state"));
    let reply = browser.get(&location).await;
    assert!(reply.location().starts_with(HOOLI) && reply.param("code").is_some());
    // Its faults are found too.
    let body = Some(Ask::hooli().set("client_id", "nobody").query());
    let reply = world.send("POST", "/authorize", &[FORM], body).await;
    browser.get(&reply.location()).await.assert_error_page("unknown client by POST");
}

#[tokio::test]
async fn op29_bodies_and_addresses_are_bounded() {
    let world = World::new().await;
    let send = async |headers: &[(&str, &str)], body: String| {
        world.send("POST", "/authorize", headers, Some(body)).await.status
    };
    assert_eq!(send(&[FORM], encoded(&[("state", &"x".repeat(70_000))])).await, 413);
    assert_eq!(send(&[("content-type", "application/json")], "{}".to_owned()).await, 415);
    assert_eq!(send(&[], String::new()).await, 415);
    assert_eq!(send(&[FORM], "a=%FF".to_owned()).await, 400);
    let long = Ask::piper().set("x", &"y".repeat(20_000));
    assert_eq!(world.get(&long.path()).await.status, 414);
    let many = "a=1&".repeat(100);
    world.get(&format!("/authorize?{many}")).await.assert_error_page("many");
}

#[tokio::test]
async fn head_and_other_methods_do_nothing() {
    let world = World::new().await;
    let mut browser = world.browser();
    browser.sign_in(&Ask::piper(), "richard").await;
    for method in ["HEAD", "PUT", "DELETE", "OPTIONS"] {
        let reply = browser.send(method, &Ask::piper().path(), &[], None).await;
        assert_eq!(reply.status, 405, "{method}");
        assert!(reply.header("allow").contains("GET"), "{method}");
    }
    let codes = world.step_names().await.iter().filter(|s| *s == "code.issued").count();
    assert_eq!(codes, 1);
}

#[tokio::test]
async fn op18_op28_what_is_echoed_is_escaped() {
    let world = World::with(|text| {
        text.replacen("name = \"Pied Piper\"", "name = \"<b>Pied</b> & \\\"Piper\\\"\"", 1)
    })
    .await;
    let nasty = "\"><script>alert(1)</script>\r\nSet-Cookie: a=b";
    let ask = Ask::piper().set("login_hint", nasty).set("state", nasty);
    let mut browser = world.browser();
    let page = browser.ask(&ask).await;
    assert!(
        !page.body.contains("<script>alert") && !page.body.contains("<b>Pied"),
        "{}",
        page.body
    );
    assert!(page.body.contains("&lt;script&gt;"));
    let reply = browser.sign_in_at(&page, "richard", "password").await;
    assert_eq!(reply.param("state").as_deref(), Some(nasty));
    assert!(!reply.all("set-cookie").iter().any(|cookie| cookie.starts_with("a=b")));
    let page = world.get("/authorize?client_id=%3Cscript%3Ealert(1)%3C/script%3E").await;
    assert!(!page.body.contains("<script>alert"));
}

#[tokio::test]
async fn op33_discovery_is_of_the_issuer_whatever_the_host_header() {
    let world = World::new().await;
    let path = "/.well-known/openid-configuration";
    let reply = world.send("GET", path, &[("host", "evil.example")], None).await;
    assert_eq!((reply.status, reply.error().as_str()), (421, "wrong_host"));
    let reply = world.send("GET", path, &[("host", "localhost:1")], None).await;
    let document = reply.ok_json();
    assert_eq!(document["issuer"], world.issuer.as_str());
    assert!(!reply.body.contains("localhost:1/"));
    assert_eq!(document["session_events_endpoint"], format!("{}/session_events", world.issuer));
    assert_eq!(document["authorization_response_iss_parameter_supported"], true);
    assert_eq!(document["code_challenge_methods_supported"], serde_json::json!(["S256"]));
    assert_eq!(document["response_modes_supported"], serde_json::json!(["query", "fragment"]));
    assert_eq!(document["request_uri_parameter_supported"], false);
}
