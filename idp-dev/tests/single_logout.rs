//! The end of a session reaches apps' servers and framed pages, and those that it is to reach.

#![allow(clippy::unwrap_used, clippy::panic, reason = "what fails here is a failed test")]

mod common;

use std::collections::BTreeSet;
use std::sync::Arc;

use common::{Answers, AppServer, Ask, Browser, HOOLI, PIPER, Tokens, World, jwt_header};
use serde_json::{Value, json};
use tokio::sync::{Barrier, Semaphore};

/// A configuration with so many apps besides the two, each with a server and a page that signs out.
fn with_apps(text: String, count: usize, server: &AppServer) -> String {
    let apps: String = (0..count)
        .map(|number| {
            let (id, home) = (format!("app-{number}"), home(number));
            let uri = server.uri(&id);
            format!(
                "\n[[clients]]\nid = \"{id}\"\nname = \"App {number}\"\n\
                 redirect_uris = [\"{home}\"]\npost_logout_redirect_uris = [\"{home}\"]\n\
                 backchannel_logout_uri = \"{uri}\"\n\
                 frontchannel_logout_uri = \"{home}signed-out?x=1\"\n"
            )
        })
        .collect();
    text + &apps
}

/// Adds a line to the entry of Pied Piper.
fn piper_with(text: String, line: &str) -> String {
    text.replacen("name = \"Pied Piper\"", &format!("name = \"Pied Piper\"\n{line}"), 1)
}

/// Sets how far sign-outs reach where apps say nothing.
fn realm_with(text: String, scope: &str) -> String {
    assert!(text.contains("\nlogout_scope = \"session\"\n"));
    text.replacen("\nlogout_scope = \"session\"\n", &format!("\nlogout_scope = \"{scope}\"\n"), 1)
}

fn home(number: usize) -> String {
    format!("http://app-{number}.localhost:9000/")
}

/// Lets an app join the session; gives its tokens.
async fn join(world: &World, browser: &mut Browser<'_>, number: usize) -> Tokens {
    let (id, home) = (format!("app-{number}"), home(number));
    let code = browser.code(&Ask::of(&id, &home), "richard").await;
    Tokens(world.redeem_for(&id, &home, &code).await.ok_json())
}

async fn deliveries(world: &World) -> Vec<Value> {
    world.control("GET", "/deliveries", None).await.ok_json().as_array().unwrap().clone()
}

/// Waits until each delivery has come to an end.
async fn delivered(world: &World) -> Vec<Value> {
    loop {
        let all = deliveries(world).await;
        if !all.is_empty() && all.iter().all(|one| one["verdict"] != "pending") {
            return all;
        }
        tokio::task::yield_now().await;
    }
}

/// The addresses that a page frames.
fn frames(body: &str) -> Vec<String> {
    let tags = body.split("<iframe").skip(1).map(|rest| rest.split('>').next().unwrap());
    let sources = tags.map(|tag| tag.split("src=\"").nth(1).unwrap().split('"').next().unwrap());
    sources.map(|source| source.replace("&amp;", "&")).collect()
}

fn params(address: &str) -> Vec<(String, String)> {
    url::Url::parse(address).unwrap().query_pairs().into_owned().collect()
}

async fn f3_of(count: usize) {
    let server = AppServer::start().await;
    // Whoever is told one after the other would wait for ever: each answers when all were asked.
    let barrier = Arc::new(Barrier::new(count - 1));
    for number in 1..count {
        server.answers(&format!("app-{number}"), Answers::Together(barrier.clone()));
    }
    server.answers("app-0", Answers::Never);
    let world = World::with(|text| with_apps(text, count, &server)).await;
    let mut browser = world.browser();
    let piper = browser.piper("richard").await;
    let mut sids = BTreeSet::new();
    for number in 0..count {
        sids.insert(join(&world, &mut browser, number).await.claims()["sid"].to_string());
    }
    let query =
        [("id_token_hint", piper.id()), ("post_logout_redirect_uri", PIPER), ("state", "s")];
    // It answers, although one app hangs.
    let page = browser.sign_out(&query).await;
    assert_eq!(page.status, 200);
    let (mut told, mut heard) = (BTreeSet::new(), BTreeSet::new());
    while told.len() < count {
        let one = server.next().await;
        assert_eq!(one.content_type, "application/x-www-form-urlencoded");
        assert_eq!(one.form.len(), 1, "Back-Channel Logout 2.5: one parameter");
        let claims = one.claims();
        assert_eq!(jwt_header(one.token())["typ"], "logout+jwt");
        assert_eq!((&claims["aud"], &claims["iss"]), (&json!(one.app), &json!(world.issuer)));
        assert_eq!(claims["sub"], piper.claims()["sub"]);
        assert_eq!(claims.get("nonce"), None);
        heard.insert(claims["sid"].to_string());
        told.insert(one.app);
    }
    assert_eq!((told.len(), &heard), (count, &sids), "each by the name that it knows");
    // All but the one that hangs have a verdict soon.
    let mut all = deliveries(&world).await;
    while all.iter().filter(|one| one["verdict"] == "delivered").count() < count - 1 {
        tokio::task::yield_now().await;
        all = deliveries(&world).await;
    }
    assert_eq!(all.len(), count);
    assert!(all.iter().all(|one| one["client_id"] != "app-0" || one["verdict"] != "delivered"));
    assert_eq!(world.sessions().await.len(), 0);

    // The page frames each app's own page, and leads on whatever they do.
    let framed = frames(&page.body);
    assert_eq!(framed.len(), count);
    for address in &framed {
        let params = params(address);
        let names: Vec<&str> = params.iter().map(|(name, _)| name.as_str()).collect();
        assert_eq!(names, ["x", "iss", "sid"], "{address}");
        assert_eq!(params[1].1, world.issuer);
        assert!(sids.contains(&json!(params[2].1).to_string()));
        assert!(page.header("content-security-policy").contains("frame-src http://app-"));
    }
    assert_eq!(page.href("continue"), format!("{PIPER}?state=s"));
    assert!(page.body.contains("/assets/sign-out.js"), "goes on by itself");
    assert_eq!(page.header("x-frame-options"), "DENY");
    assert!(browser.session_cookie().is_none());
}

#[tokio::test]
async fn f3_two_apps_are_told_and_one_that_hangs_holds_nobody_up() {
    f3_of(2).await;
}

#[tokio::test]
async fn f3_five_apps_are_told_and_one_that_hangs_holds_nobody_up() {
    f3_of(5).await;
}

#[tokio::test]
async fn f3_ten_apps_are_told_and_one_that_hangs_holds_nobody_up() {
    f3_of(10).await;
}

#[tokio::test]
async fn f3_fifty_apps_are_told_and_one_that_hangs_holds_nobody_up() {
    f3_of(50).await;
}

#[tokio::test]
async fn f3_each_app_has_a_verdict_and_what_time_mends_is_tried_again() {
    let server = AppServer::start().await;
    server.answers("app-0", Answers::With(vec![503, 200]));
    server.answers("app-1", Answers::With(vec![400]));
    server.answers("app-2", Answers::With(vec![303]));
    server.answers("app-3", Answers::With(vec![204]));
    let world = World::with(|text| with_apps(text, 4, &server)).await;
    let mut browser = world.browser();
    for number in 0..4 {
        join(&world, &mut browser, number).await;
    }
    let session = world.sessions().await[0]["id"].as_str().unwrap().to_owned();
    assert_eq!(world.control("DELETE", &format!("/sessions/{session}"), None).await.status, 204);
    let all = delivered(&world).await;
    let judged: Vec<_> = all
        .iter()
        .map(|one| (&one["client_id"], &one["verdict"], &one["attempts"], &one["status"]))
        .collect();
    for (client_id, verdict, attempts, status) in [
        ("app-0", "delivered", 2, 200),
        ("app-1", "refused", 1, 400),
        // A token goes to the registered address and to no other.
        ("app-2", "refused", 1, 303),
        ("app-3", "delivered", 1, 204),
    ] {
        let wanted = (&json!(client_id), &json!(verdict), &json!(attempts), &json!(status));
        assert!(judged.contains(&wanted), "{client_id}: {judged:?}");
    }
    let mut tokens = Vec::new();
    for _ in 0..5 {
        let told = server.next().await;
        tokens.extend((told.app == "app-0").then(|| told.token().to_owned()));
    }
    assert_eq!(tokens[0], tokens[1], "it is one message");
    let steps = world.timeline().await;
    let of = |name: &str| steps.iter().filter(|step| step["step"] == name).count();
    assert_eq!(
        (of("backchannel.delivered"), of("backchannel.retried"), of("backchannel.failed")),
        (2, 1, 2)
    );
    assert!(!serde_json::to_string(&steps).unwrap().contains(&tokens[0]));
}

/// An app that hangs has a few connections at a time, and what waits for them is told with a token
/// of that moment: by then an older one could be past its time.
#[tokio::test]
async fn f3_app_that_hangs_holds_up_its_own_deliveries_only_and_their_tokens_are_fresh() {
    const AT_ONCE: usize = 8;
    let server = AppServer::start().await;
    let gate = Arc::new(Semaphore::new(0));
    server.answers("app-0", Answers::When(gate.clone()));
    let world = World::with(|text| with_apps(text, 2, &server)).await;
    for _ in 0..=AT_ONCE {
        join(&world, &mut world.browser(), 0).await;
    }
    join(&world, &mut world.browser(), 1).await;
    assert_eq!(world.control("DELETE", "/users/richard/sessions", None).await.status, 204);
    let mut waiting = BTreeSet::new();
    let mut is_other_told = false;
    while waiting.len() < AT_ONCE || !is_other_told {
        let told = server.next().await;
        is_other_told |= told.app == "app-1";
        if told.app == "app-0" {
            assert_eq!(told.claims()["iat"], common::START);
            waiting.insert(told.token().to_owned());
        }
    }
    world.advance(100);
    gate.add_permits(1_000);
    let last = loop {
        let told = server.next().await;
        if !waiting.contains(told.token()) {
            break told;
        }
    };
    assert_eq!(last.claims()["iat"], common::START + 100);
    assert!(delivered(&world).await.iter().all(|one| one["verdict"] == "delivered"));
}

#[tokio::test]
async fn f3_session_that_runs_out_and_an_account_that_is_disabled_reach_servers_too() {
    let server = AppServer::start().await;
    let world = World::with(|text| with_apps(text, 1, &server)).await;
    join(&world, &mut world.browser(), 0).await;
    world.control("POST", "/clock", Some(json!({ "advance": 1800 }))).await.ok_json();
    assert_eq!(server.next().await.app, "app-0");
    assert_eq!(world.last_step("session.ended").await["received"]["cause"], "expired");
    join(&world, &mut world.browser(), 0).await;
    world.control("POST", "/users/richard", Some(json!({ "disabled": true }))).await.ok_json();
    assert_eq!(server.next().await.app, "app-0");
    assert_eq!(world.last_step("session.ended").await["received"]["cause"], "disabled");
}

/// The conformance suite's modules for back-channel logout reach a server as they reach a stream.
#[tokio::test]
async fn scenarios_logout_token_goes_to_servers_too() {
    let server = AppServer::start().await;
    let world = World::with(|text| with_apps(text, 1, &server)).await;
    join(&world, &mut world.browser(), 0).await;
    let name = "oidcc-client-test-rp-backchannel-rpinitlogout-with-nonce";
    world.control("POST", &format!("/scenarios/{name}"), None).await.ok_json();
    let sent = world.control("POST", &format!("/scenarios/{name}/logout_token"), None).await;
    assert_eq!(sent.ok_json(), json!({ "streams": 0, "servers": 1 }));
    assert_eq!(server.next().await.claims()["nonce"], "a-nonce");
    assert_eq!(world.sessions().await.len(), 1, "the session goes on");
}

#[tokio::test]
async fn f8_by_default_the_apps_of_the_session_are_told_and_by_realm_all() {
    for (realm, apps) in [(false, vec!["app-1"]), (true, vec!["app-0", "app-1", "app-2"])] {
        let server = AppServer::start().await;
        let world = World::with(|text| {
            let text = if realm { realm_with(text, "realm") } else { text };
            with_apps(text, 3, &server)
        })
        .await;
        let mut browser = world.browser();
        let piper = browser.piper("richard").await;
        join(&world, &mut browser, 1).await;
        let page = browser.sign_out(&[("id_token_hint", piper.id())]).await;
        let framed = frames(&page.body);
        let hosts: Vec<String> = framed
            .iter()
            .map(|address| {
                address.split("//").nth(1).unwrap().split('.').next().unwrap().to_owned()
            })
            .collect();
        assert_eq!(hosts, apps);
        // Who holds no session is not told of one: it has no name for it.
        let told = framed.iter().filter(|address| address.contains("sid=")).count();
        assert_eq!(told, 1);
        assert_eq!(delivered(&world).await.len(), 1, "a server is told of its own session only");
    }
}

/// Reads what came of a sign-out of Pied Piper for Hooli and an app beside it.
struct After {
    hooli: bool,
    app: bool,
    piper: bool,
    browser: bool,
    sessions: usize,
}

async fn sign_out_with(setting: &str, asked: Option<&str>) -> After {
    let server = AppServer::start().await;
    let world = World::with(|text| piper_with(with_apps(text, 1, &server), setting)).await;
    let mut browser = world.browser();
    let piper = browser.piper("richard").await;
    let hooli = browser.hooli("richard").await;
    let app = join(&world, &mut browser, 0).await;
    let mut at_piper = world.events(piper.access(), None).await;
    let mut at_hooli = world.events(hooli.access(), None).await;
    assert_eq!(at_piper.next().await.unwrap().event, "open");
    assert_eq!(at_hooli.next().await.unwrap().event, "open");
    let mut query = vec![("id_token_hint", piper.id()), ("post_logout_redirect_uri", PIPER)];
    query.extend(asked.map(|asked| ("logout_scope", asked)));
    browser.sign_out(&query).await;
    assert_eq!(at_piper.next().await.unwrap().event, "logout", "the initiator always is");
    let is_good = async |client: &str, tokens: &Tokens| {
        let is_active = world.userinfo(tokens.access()).await.status == 200;
        let is_renewed = world.refresh(client, tokens.refresh()).await.status == 200;
        assert_eq!(is_active, is_renewed, "{client}");
        is_active
    };
    let silent = browser.ask(&Ask::hooli().set("prompt", "none")).await;
    assert!(silent.location().starts_with(HOOLI));
    let after = After {
        hooli: is_good("hooli", &hooli).await,
        app: is_good("app-0", &app).await,
        piper: is_good("pied-piper", &piper).await,
        browser: silent.param("code").is_some(),
        sessions: world.sessions().await.len(),
    };
    let is_told = !deliveries(&world).await.is_empty();
    assert_eq!(is_told, !after.app);
    if !after.hooli {
        assert_eq!(at_hooli.next().await.unwrap().event, "logout");
    }
    after
}

/// F9 "redirect only": the initiator alone is signed out. The others go on, although nobody in this
/// browser is signed in at the provider any more.
#[tokio::test]
async fn f9_only_the_initiator_is_signed_out_where_its_registration_says_so() {
    let after = sign_out_with("logout_scope = \"initiator\"", None).await;
    assert!(!after.piper && after.hooli && after.app);
    assert_eq!((after.browser, after.sessions), (false, 1));
}

#[tokio::test]
async fn f10_none_some_or_all_others_are_signed_out() {
    let after = sign_out_with("logout_scope = [\"hooli\"]", None).await;
    assert!(!after.piper && !after.hooli && after.app && !after.browser);
    let after = sign_out_with("logout_scope = \"session\"", None).await;
    assert!(!after.piper && !after.hooli && !after.app && !after.browser);
    assert_eq!(after.sessions, 0);
    // In one request, whatever the registration.
    let after = sign_out_with("", Some("initiator")).await;
    assert!(!after.piper && after.hooli && after.app && !after.browser);
    let after = sign_out_with("", Some("app-0")).await;
    assert!(!after.piper && after.hooli && !after.app && !after.browser);
}

#[tokio::test]
async fn f10_request_reaches_no_further_than_the_registration() {
    let world = World::with(|text| piper_with(text, "logout_scope = \"initiator\"")).await;
    let mut browser = world.browser();
    let tokens = browser.piper("richard").await;
    browser.hooli("richard").await;
    for wide in ["session", "realm", "hooli", "nobody", " ", "initiator initiator"] {
        let page =
            browser.sign_out(&[("id_token_hint", tokens.id()), ("logout_scope", wide)]).await;
        page.assert_error_page(wide);
        assert!(page.body.contains("<code>logout_scope</code>"), "{wide}");
    }
    assert_eq!(world.userinfo(tokens.access()).await.status, 200, "nothing ended");
}

/// The request may name the app itself, which is meant anyway.
#[tokio::test]
async fn f10_app_that_names_itself_asks_for_no_more() {
    let own = "logout_scope = [\"hooli\"]";
    let after = sign_out_with(own, Some("pied-piper hooli")).await;
    assert!(!after.piper && !after.hooli && after.app);
    let after = sign_out_with("logout_scope = \"initiator\"", Some("pied-piper")).await;
    assert!(!after.piper && after.hooli && after.app);
}

/// An app that stays in a session which its browser holds no longer can end it: with the person's
/// consent, whoever is signed in there by now.
#[tokio::test]
async fn f9_app_that_was_left_behind_can_end_its_session() {
    let world = World::with(|text| piper_with(text, "logout_scope = \"initiator\"")).await;
    for again in [None, Some("richard"), Some("gavin")] {
        let mut browser = world.browser();
        let piper = browser.piper("richard").await;
        let hooli = browser.hooli("richard").await;
        browser.sign_out(&[("id_token_hint", piper.id())]).await;
        assert_eq!(world.userinfo(hooli.access()).await.status, 200);
        let newer = match again {
            Some(user) => Some(browser.piper(user).await),
            None => None,
        };
        let page = browser.sign_out(&[("id_token_hint", hooli.id())]).await;
        assert!(page.body.contains("Hooli"), "{}", page.body);
        assert_eq!(world.userinfo(hooli.access()).await.status, 200, "nobody agreed yet");
        browser.confirm(&page, "sign-out").await;
        assert_eq!(world.userinfo(hooli.access()).await.status, 401, "{again:?}");
        if let Some(newer) = newer {
            assert_eq!(world.userinfo(newer.access()).await.status, 401, "{again:?}");
        }
        assert!(world.sessions().await.is_empty());
    }
}

#[tokio::test]
async fn f9_last_app_that_leaves_ends_the_session() {
    let world = World::with(|text| piper_with(text, "logout_scope = \"initiator\"")).await;
    let mut browser = world.browser();
    let tokens = browser.piper("richard").await;
    browser.sign_out(&[("id_token_hint", tokens.id())]).await;
    assert!(world.sessions().await.is_empty());
    // A tab that comes late is told.
    let mut late = world.events(tokens.access(), None).await;
    assert_eq!(late.next().await.unwrap().event, "logout");
}

/// Signing out in one browser leaves the person's other browsers alone, unless they ask for it.
#[tokio::test]
async fn f2_other_browsers_of_the_person_go_on_unless_asked() {
    let world = World::new().await;
    let (mut here, mut there, mut gavins) = (world.browser(), world.browser(), world.browser());
    let elsewhere = there.piper("richard").await;
    let gavin = gavins.piper("gavin").await;
    let mut stream = world.events(elsewhere.access(), None).await;
    assert_eq!(stream.next().await.unwrap().event, "open");
    let tokens = here.piper("richard").await;
    here.sign_out(&[("id_token_hint", tokens.id())]).await;
    assert_eq!(world.userinfo(tokens.access()).await.status, 401);
    assert_eq!(world.userinfo(elsewhere.access()).await.status, 200);

    // From the provider's own page: first here only, then everywhere.
    here.piper("richard").await;
    assert!(here.get("/").await.body.contains("href=\"/end_session\""));
    let page = here.sign_out(&[]).await;
    assert!(page.shows("everywhere") && page.body.contains("other browsers too (1)"));
    here.confirm(&page, "sign-out").await;
    assert_eq!(world.userinfo(elsewhere.access()).await.status, 200);
    here.piper("richard").await;
    let page = here.sign_out(&[]).await;
    here.confirm(&page, "everywhere").await;
    assert_eq!(world.userinfo(elsewhere.access()).await.status, 401);
    assert_eq!(stream.next().await.unwrap().event, "logout");
    assert_eq!(world.userinfo(gavin.access()).await.status, 200, "somebody else");
    // Who is signed in nowhere else is not asked about it.
    here.piper("richard").await;
    assert!(!here.sign_out(&[]).await.shows("everywhere"));
}

#[tokio::test]
async fn f2_administrator_signs_a_person_out_in_all_browsers() {
    let world = World::new().await;
    let first = world.browser().piper("richard").await;
    let second = world.browser().hooli("richard").await;
    let gavin = world.browser().hooli("gavin").await;
    let path = "/users/richard/sessions";
    assert_eq!(world.control("DELETE", path, None).await.status, 204);
    for tokens in [first, second] {
        assert_eq!(world.userinfo(tokens.access()).await.status, 401);
    }
    assert_eq!(world.userinfo(gavin.access()).await.status, 200);
    let reply = world.control("DELETE", "/users/nobody/sessions", None).await;
    assert_eq!((reply.status, reply.error().as_str()), (404, "no_such_user"));
}

/// D1: one directory. Who is disabled there loses access everywhere at the next refresh at the
/// latest, also what was given to outlive the session.
#[tokio::test]
async fn d1_disabled_account_loses_access_at_every_app() {
    let offline = |text: String| piper_with(text, "offline_access = true");
    let world = World::with(offline).await;
    let mut browser = world.browser();
    let ask = Ask::piper().set("scope", "openid offline_access");
    let code = browser.code(&ask, "richard").await;
    let piper = Tokens(world.redeem(&code).await.ok_json());
    let hooli = browser.hooli("richard").await;
    let waiting = browser.code(&Ask::piper(), "richard").await;
    let mut stream = world.events(hooli.access(), None).await;
    assert_eq!(stream.next().await.unwrap().event, "open");
    let disable = async |is: bool| {
        let asked = Some(json!({ "disabled": is }));
        world.control("POST", "/users/richard", asked).await.ok_json()
    };
    assert_eq!(disable(true).await["disabled"], true);
    assert_eq!(stream.next().await.unwrap().event, "logout");
    for (client, tokens) in [("pied-piper", &piper), ("hooli", &hooli)] {
        assert_eq!(world.refresh(client, tokens.refresh()).await.error(), "invalid_grant");
        assert_eq!(world.userinfo(tokens.access()).await.status, 401, "{client}");
    }
    assert_eq!(world.redeem(&waiting).await.error(), "invalid_grant", "a code on its way");
    // The password is right, and opens nothing; a wrong one learns nothing about the account.
    let page = browser.ask(&Ask::piper()).await;
    let reply = browser.sign_in_at(&page, "richard", "password").await;
    let page = browser.follow(reply).await;
    assert!(page.body.contains("This account is disabled"), "{}", page.body);
    assert_eq!(world.last_step("login.failed").await["check"]["name"], "disabled");
    let reply = browser.sign_in_at(&page, "richard", "wrong").await;
    let page = browser.follow(reply).await;
    assert!(page.shows("error") && !page.body.contains("disabled"), "{}", page.body);
    assert!(world.sessions().await.is_empty());

    disable(false).await;
    world.browser().piper("richard").await;
    disable(true).await;
    world.control("POST", "/reset", None).await;
    world.browser().piper("richard").await;
}

#[tokio::test]
async fn d1_account_is_disabled_by_the_configuration_too() {
    let disabled = |text: String| {
        text.replacen("username = \"richard\"", "username = \"richard\"\ndisabled = true", 1)
    };
    let world = World::with(disabled).await;
    let mut browser = world.browser();
    let reply = browser.sign_in(&Ask::piper(), "richard").await;
    assert!(browser.follow(reply).await.body.contains("This account is disabled"));
    browser.piper("gavin").await;
}

/// `"cookies"` would take those of sibling hosts along, `"storage"` apps' on the same origin. Our
/// pages are not kept in caches, so that there is nothing to clear there either.
#[tokio::test]
async fn f2_no_sign_out_clears_what_is_not_the_providers() {
    let server = AppServer::start().await;
    let world = World::with(|text| with_apps(text, 1, &server)).await;
    let mut browser = world.browser();
    let piper = browser.piper("richard").await;
    join(&world, &mut browser, 0).await;
    let page = browser.sign_out(&[("id_token_hint", piper.id())]).await;
    assert_eq!(page.status, 200);
    let mut pages = vec![page];
    browser.piper("richard").await;
    let page = browser.sign_out(&[]).await;
    pages.push(browser.confirm(&page, "sign-out").await);
    for page in pages {
        assert!(!page.has("clear-site-data"));
        assert!(page.header("cache-control").contains("no-store"));
    }
}

#[test]
fn f8_f9_wrong_addresses_and_scopes_are_named() {
    for (key, wrong) in [
        ("backchannel_logout_uri", "\"https://app.example/out\""),
        ("backchannel_logout_uri", "\"/out\""),
        ("backchannel_logout_uri", "\"http://app.localhost/#out\""),
        ("backchannel_logout_uri", "\"http://app.example/out\""),
        ("backchannel_logout_uri", "\"http://10.0.0.1/out\""),
        ("backchannel_logout_uri", "\"http://localhost.example/out\""),
        ("frontchannel_logout_uri", "\"http://elsewhere.localhost/out\""),
        ("frontchannel_logout_uri", "\"com.example.app:/out\""),
        ("initiate_login_uri", "\"com.example.app:/in\""),
        ("initiate_login_uri", "\"http://app.example/in\""),
        ("logout_scope", "\"everybody\""),
        ("logout_scope", "[\"nobody\"]"),
    ] {
        let line = format!("{key} = {wrong}");
        let text = piper_with(idp_dev::Config::EXAMPLE.to_owned(), &line);
        let at = text.lines().position(|one| one == line).unwrap() + 1;
        let error = idp_dev::Config::parse("idp.toml", &text).unwrap_err();
        assert_eq!((error.code, error.line), ("config_value", at), "{line}: {error}");
    }
    // Another machine only where the configuration says so.
    let line = "backchannel_logout_uri = \"http://app.example/out\"";
    let text = piper_with(idp_dev::Config::EXAMPLE.to_owned(), line);
    let key = "dangerously_deliver_anywhere = ";
    let text = text.replacen(&format!("{key}false"), &format!("{key}true"), 1);
    assert!(idp_dev::Config::parse("idp.toml", &text).unwrap().delivers_anywhere());
    let text = realm_with(idp_dev::Config::EXAMPLE.to_owned(), "everybody");
    assert_eq!(idp_dev::Config::parse("idp.toml", &text).unwrap_err().code, "config_value");
}

#[tokio::test]
async fn f3_discovery_says_what_is_offered() {
    let world = World::new().await;
    let document = world.get("/.well-known/openid-configuration").await.ok_json();
    for name in [
        "backchannel_logout_supported",
        "backchannel_logout_session_supported",
        "frontchannel_logout_supported",
        "frontchannel_logout_session_supported",
    ] {
        assert_eq!(document[name], true, "{name}");
    }
}
