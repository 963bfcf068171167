//! What apps learn of a session that changes: by a frame of ours (Session Management 1.0) and by
//! Security Event Tokens on their stream (docs/session-events.md, 4.4). And how an app is opened
//! from the provider's own page (OIDC Core 4).

#![allow(clippy::unwrap_used, reason = "what fails here is a failed test")]

mod common;

use aws_lc_rs::digest::{SHA256, digest};
use base64ct::{Base64UrlUnpadded, Encoding};
use common::{Ask, Browser, HOOLI_ORIGIN, PIPER_ORIGIN, Reply, Tokens, World, claims, jwt_header};
use serde_json::{Value, json};

/// What our frame answers an app that asks with this `session_state`.
fn frame_says(
    browser: &Browser<'_>,
    client: &str,
    origin: &str,
    session_state: &str,
) -> &'static str {
    let Some((_, state)) = browser.state_cookie() else { return "error" };
    let (hash, salt) = session_state.split_once('.').unwrap();
    let text = format!("{client} {origin} {state} {salt}");
    let own = Base64UrlUnpadded::encode_string(digest(&SHA256, text.as_bytes()).as_ref());
    if own == hash { "unchanged" } else { "changed" }
}

fn state_of(reply: &Reply) -> String {
    reply.param("session_state").unwrap()
}

#[tokio::test]
async fn f4_session_state_is_the_apps_own_and_changes_with_the_session() {
    let world = World::new().await;
    let mut browser = world.browser();
    let reply = browser.sign_in(&Ask::piper(), "richard").await;
    let line = reply.all("set-cookie").into_iter().find(|line| line.starts_with("__Host-state-"));
    // Scripts of our frame read it; it crosses sites as far as browsers let it.
    assert!(line.unwrap().ends_with("; Path=/; Secure; SameSite=None"));
    let piper = state_of(&reply);
    let hooli = state_of(&browser.ask(&Ask::hooli()).await);
    let at_piper = |browser: &Browser<'_>| frame_says(browser, "pied-piper", PIPER_ORIGIN, &piper);
    assert_eq!(at_piper(&browser), "unchanged");
    assert_eq!(frame_says(&browser, "hooli", HOOLI_ORIGIN, &hooli), "unchanged");
    // Nobody else's: not by another client, and not from another page.
    assert_eq!(frame_says(&browser, "hooli", HOOLI_ORIGIN, &piper), "changed");
    assert_eq!(frame_says(&browser, "pied-piper", HOOLI_ORIGIN, &piper), "changed");
    assert_ne!(piper.split_once('.').unwrap().1, hooli.split_once('.').unwrap().1);

    // Proving once more who they are is no change of session.
    let page = browser.ask(&Ask::piper().set("prompt", "login")).await;
    browser.sign_in_at(&page, "richard", "password").await;
    assert_eq!(at_piper(&browser), "unchanged");
    // Somebody else is.
    let page = browser.ask(&Ask::piper().set("prompt", "login")).await;
    let reply = browser.sign_in_at(&page, "gavin", "password").await;
    assert_eq!(at_piper(&browser), "changed");
    let gavins = state_of(&reply);
    assert_eq!(frame_says(&browser, "pied-piper", PIPER_ORIGIN, &gavins), "unchanged");
    // So is a sign-out, and the cookie stays: a frame that sees none cannot tell.
    let page = browser.sign_out(&[]).await;
    browser.confirm(&page, "sign-out").await;
    assert!(browser.session_cookie().is_none());
    assert_eq!(frame_says(&browser, "pied-piper", PIPER_ORIGIN, &gavins), "changed");
}

#[tokio::test]
async fn op9_frame_is_framed_by_apps_only_and_learns_of_ends_elsewhere() {
    let world = World::new().await;
    let document = world.get("/.well-known/openid-configuration").await.ok_json();
    assert_eq!(document["check_session_iframe"], format!("{}/check_session", world.issuer));
    let mut browser = world.browser();
    let state = state_of(&browser.sign_in(&Ask::piper(), "richard").await);
    let says = |browser: &Browser<'_>| frame_says(browser, "pied-piper", PIPER_ORIGIN, &state);
    let frame = browser.get("/check_session").await;
    let policy = frame.header("content-security-policy");
    assert!(
        policy.ends_with(&format!("frame-ancestors {HOOLI_ORIGIN} {PIPER_ORIGIN}")),
        "{policy}"
    );
    assert!(policy.starts_with("default-src 'none'; script-src 'self'"), "{policy}");
    assert!(!frame.has("x-frame-options") && !frame.has("set-cookie"));
    let (name, value) = browser.state_cookie().unwrap();
    assert!(frame.body.contains(name.as_str()) && !frame.body.contains(value.as_str()));
    // The session ends without this browser: the frame sees it when it is loaded.
    world.control("DELETE", "/users/richard/sessions", None).await;
    assert_eq!(says(&browser), "unchanged");
    browser.get("/check_session").await;
    assert_eq!(says(&browser), "changed");
    // Such an answer may come late, when somebody has signed in meanwhile: the frame that is loaded
    // next puts it right.
    let state = state_of(&browser.sign_in(&Ask::piper(), "richard").await);
    let says = |browser: &Browser<'_>| frame_says(browser, "pied-piper", PIPER_ORIGIN, &state);
    let name = browser.state_cookie().unwrap().0.clone();
    browser.jar.insert(name, "of-an-answer-that-came-late".to_owned());
    assert_eq!(says(&browser), "changed");
    browser.get("/check_session").await;
    assert_eq!(says(&browser), "unchanged");
    // A browser that keeps its cookies from frames is given none there: it would be of no use.
    assert!(!world.browser().get("/check_session").await.has("set-cookie"));
}

const TYPES: &str = "https://schemas.openid.net/secevent/caep/event-type/";

/// A stream's next security event: its claims, and what it says.
async fn event(events: &mut common::Events, kind: &str) -> (Value, Value) {
    let event = events.next().await.unwrap();
    assert_eq!(event.event, "security_event");
    assert_eq!(jwt_header(&event.data)["typ"], "secevent+jwt");
    let claims = claims(&event.data);
    let body = claims["events"][format!("{TYPES}{kind}")].clone();
    assert_eq!(claims["events"].as_object().unwrap().len(), 1, "{claims}");
    (claims, body)
}

async fn listening(world: &World, tokens: &Tokens) -> common::Events {
    let mut events = world.events(tokens.access(), None).await;
    assert_eq!(events.next().await.unwrap().event, "open");
    events
}

#[tokio::test]
async fn c10_another_level_is_told_and_stands_in_new_tokens() {
    let world = World::new().await;
    let mut browser = world.browser();
    let tokens = browser.piper("richard").await;
    let mut events = listening(&world, &tokens).await;
    let id = world.sessions().await[0]["id"].as_str().unwrap().to_owned();
    let path = format!("/sessions/{id}");
    let set = async |level: &str| {
        let asked = Some(json!({ "acr": level }));
        world.control("POST", &path, asked).await.status
    };
    assert_eq!(set("2").await, 204);
    let (claims, body) = event(&mut events, "assurance-level-change").await;
    assert_eq!((&body["previous_level"], &body["current_level"]), (&json!("1"), &json!("2")));
    assert_eq!(
        (&body["change_direction"], &body["namespace"]),
        (&json!("increase"), &json!(world.issuer))
    );
    assert_eq!((&claims["iss"], &claims["aud"]), (&json!(world.issuer), &json!("pied-piper")));
    // RFC 8417, 2.2: it is no ID token and no logout token.
    for absent in ["sub", "exp", "nonce", "sid"] {
        assert_eq!(claims.get(absent), None, "{absent}");
    }
    assert_eq!(claims["sub_id"]["user"]["sub"], tokens.claims()["sub"]);
    assert_eq!(claims["sub_id"]["session"]["id"], tokens.claims()["sid"]);
    let renewed = Tokens(world.refresh("pied-piper", tokens.refresh()).await.ok_json());
    assert_eq!(renewed.claims()["acr"], "2");
    assert_eq!(set("2").await, 204, "no change, no event");
    // Levels are numbers or names: of 10 and 2, the first is higher, and of names nobody knows.
    for (level, direction) in [("10", json!("increase")), ("gold", Value::Null), ("1", Value::Null)]
    {
        let code = browser.code(&Ask::piper(), "richard").await;
        assert_eq!(set(level).await, 204);
        let (_, body) = event(&mut events, "assurance-level-change").await;
        assert_eq!(body["change_direction"], direction, "{level}");
        let redeemed = Tokens(world.redeem(&code).await.ok_json());
        assert_eq!(redeemed.claims()["acr"], level, "also for a code that was on its way");
    }
    assert_eq!(set("").await, 400);
    let reply = world.control("POST", "/sessions/none", Some(json!({ "acr": "1" }))).await;
    assert_eq!((reply.status, reply.error().as_str()), (404, "no_such_session"));
    assert_eq!(world.last_step("security_event.sent").await["client_id"], "pied-piper");
}

#[tokio::test]
async fn d12_changed_claims_are_told_to_whom_they_were_granted() {
    let world = World::new().await;
    let mut browser = world.browser();
    let piper = browser.piper("richard").await;
    let code = browser.code(&Ask::hooli().set("scope", "openid email"), "richard").await;
    let hooli = world.redeem_for("hooli", common::HOOLI, &code).await;
    let hooli = Tokens(hooli.ok_json());
    let (mut at_piper, mut at_hooli) =
        (listening(&world, &piper).await, listening(&world, &hooli).await);
    let change = async |asked: Value| world.control("POST", "/users/richard", Some(asked)).await;
    change(json!({ "name": "Richard H.", "claims": { "locale": null } })).await.ok_json();
    let (_, body) = event(&mut at_piper, "token-claims-change").await;
    assert_eq!(body["claims"], json!({ "name": "Richard H.", "locale": null }));
    // Hooli was not told a name, and is not told another one.
    change(json!({ "email": "r@piedpiper.example" })).await.ok_json();
    let (_, body) = event(&mut at_hooli, "token-claims-change").await;
    assert_eq!(body["claims"], json!({ "email": "r@piedpiper.example" }));
    let info = world.userinfo(piper.access()).await.ok_json();
    assert_eq!(
        (&info["name"], &info["email"]),
        (&json!("Richard H."), &json!("r@piedpiper.example"))
    );
    // And that is what they sign in with from now on.
    let mut another = world.browser();
    let page = another.ask(&Ask::piper()).await;
    let reply = another.sign_in_at(&page, "r@piedpiper.example", "password").await;
    assert!(reply.param("code").is_some());
    for wrong in [
        json!({ "name": " " }),
        json!({ "password": "x" }),
        json!({ "email": "" }),
        json!({ "email": "richard" }),
        json!({ "email": "richard @piedpiper.example" }),
        // Somebody else signs in with it.
        json!({ "email": "Gavin@Hooli.example" }),
    ] {
        assert_eq!(change(wrong).await.error(), "invalid_request");
    }
    change(json!({ "email": "R@PiedPiper.example" })).await.ok_json();
    world.control("POST", "/reset", None).await;
    let users = world.control("GET", "/users", None).await.ok_json();
    assert_eq!(users[0]["name"], "Richard Hendricks", "as at the start");
    assert!(!users.to_string().contains("password"));
}

/// OIDC Core 4: the app is told who sends the person, and comes back to ask.
#[tokio::test]
async fn oidcc_3rd_party_init_login_begins_at_the_providers_page() {
    let uri = "http://pied-piper.localhost:8081/sign-in?from=idp";
    let world = World::with(|text| {
        let line = format!("name = \"Pied Piper\"\ninitiate_login_uri = \"{uri}\"");
        text.replacen("name = \"Pied Piper\"", &line, 1)
    })
    .await;
    let page = world.get("/").await;
    let address = url::Url::parse(&page.href("open-pied-piper")).unwrap();
    let pairs: Vec<(String, String)> = address.query_pairs().into_owned().collect();
    let pair = |name: &str, value: &str| (name.to_owned(), value.to_owned());
    assert_eq!(pairs, [pair("from", "idp"), pair("iss", &world.issuer)]);
    assert_eq!(address.path(), "/sign-in");
    assert!(!page.shows("open-hooli"), "it has no such page");
}
