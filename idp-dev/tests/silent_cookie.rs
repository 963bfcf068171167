//! The silent cookie: what an app's hidden frame may ask, and that it opens nothing else.

#![allow(clippy::unwrap_used, reason = "what fails here is a failed test")]

mod common;

use common::{Ask, HOOLI, PIPER, World};

fn silent(ask: Ask) -> Ask {
    ask.set("prompt", "none")
}

#[tokio::test]
async fn op11_sign_in_sets_a_second_opaque_cookie() {
    let world = World::new().await;
    let mut browser = world.browser();
    let reply = browser.sign_in(&Ask::piper(), "richard").await;
    let lines = reply.all("set-cookie");
    assert_eq!(lines.len(), 3, "{lines:?}");
    let line = lines.iter().find(|line| line.starts_with("__Host-silent-")).unwrap();
    assert!(line.ends_with("; Path=/; Secure; HttpOnly; SameSite=None"), "{line}");
    let session = browser.session_cookie().unwrap().1.clone();
    let (_, second) = browser.silent_cookie().unwrap();
    assert_eq!(second.len(), 43);
    assert_ne!(*second, session, "one tells nothing about the other");
    // Whoever reads the third one, which scripts may, has neither of them.
    let (_, third) = browser.state_cookie().unwrap();
    assert!(*third != session && third != second, "{lines:?}");
}

#[tokio::test]
async fn op11_framed_request_is_answered_by_the_silent_cookie() {
    let world = World::new().await;
    let mut browser = world.browser();
    browser.sign_in(&Ask::piper(), "richard").await;
    let mut frame = browser.framed();
    assert!(frame.session_cookie().is_none());
    for (ask, place) in [(Ask::piper(), PIPER), (Ask::hooli(), HOOLI)] {
        let reply = frame.ask(&silent(ask)).await;
        assert_eq!(reply.status, 303);
        assert!(reply.location().starts_with(place), "{}", reply.location());
        assert!(reply.param("code").is_some(), "{}", reply.location());
        assert!(!reply.has("set-cookie"));
        // A redirect has no page that could be refused in a frame.
        assert!(!reply.has("x-frame-options") && !reply.has("content-security-policy"));
    }
    assert_eq!(world.last_step("session.reused").await["received"]["cookie"], "silent");
    browser.ask(&Ask::piper()).await;
    assert_eq!(world.last_step("session.reused").await["received"]["cookie"], "session");
}

#[tokio::test]
async fn op11_framed_request_by_post_is_answered_too() {
    let world = World::new().await;
    let mut browser = world.browser();
    browser.sign_in(&Ask::piper(), "richard").await;
    let mut frame = browser.framed();
    let body = Some(silent(Ask::piper()).query());
    let reply = frame.send("POST", "/authorize", &[common::FORM], body).await;
    let reply = frame.follow(reply).await;
    assert!(reply.param("code").is_some(), "{}", reply.location());
}

#[tokio::test]
async fn op11_silent_cookie_opens_nothing_but_prompt_none() {
    let world = World::new().await;
    let mut browser = world.browser();
    let tokens = browser.piper("richard").await;
    let mut frame = browser.framed();
    for ask in [
        Ask::piper(),
        Ask::piper().set("prompt", "login"),
        Ask::piper().set("prompt", "select_account"),
    ] {
        let page = frame.ask(&ask).await;
        assert!(page.shows("password") && !page.shows("continue"));
        assert_eq!(page.header("x-frame-options"), "DENY");
    }
    let root = frame.get("/").await;
    assert!(root.body.contains("Nobody is signed in"), "{}", root.body);
    // Sign-out by it: the person is asked, as a stranger to this session would be.
    let page = frame.sign_out(&[("id_token_hint", tokens.id())]).await;
    assert!(page.shows("submit"), "{}", page.body);
    assert_eq!(world.sessions().await.len(), 1);
}

#[tokio::test]
async fn op11_value_of_one_cookie_is_not_taken_as_the_other() {
    let world = World::new().await;
    let mut browser = world.browser();
    browser.sign_in(&Ask::piper(), "richard").await;
    let (session_name, session) = browser.session_cookie().unwrap();
    let (silent_name, second) = browser.silent_cookie().unwrap();
    let swapped = [(session_name.clone(), second.clone()), (silent_name.clone(), session.clone())];
    let mut other = world.browser();
    other.jar.extend(swapped);
    let reply = other.ask(&silent(Ask::piper())).await;
    reply.assert_error_redirect("login_required", &world.issuer, "swapped");
    assert_eq!(other.ask(&Ask::piper()).await.status, 200);
}

#[tokio::test]
async fn op11_silent_cookie_is_new_after_every_sign_in_and_gone_after_sign_out() {
    let world = World::new().await;
    let mut browser = world.browser();
    let tokens = browser.piper("richard").await;
    let mut before = browser.framed();
    browser.sign_in(&Ask::piper().set("prompt", "login"), "richard").await;
    let reply = before.ask(&silent(Ask::piper())).await;
    reply.assert_error_redirect("login_required", &world.issuer, "the old value");
    let mut after = browser.framed();
    assert!(after.ask(&silent(Ask::piper())).await.param("code").is_some());
    browser.sign_out(&[("id_token_hint", tokens.id())]).await;
    assert!(browser.session_cookie().is_none() && browser.silent_cookie().is_none());
    let reply = after.ask(&silent(Ask::piper())).await;
    reply.assert_error_redirect("login_required", &world.issuer, "after the sign-out");
}

#[tokio::test]
async fn op11_frame_gets_every_answer_by_redirect() {
    let world = World::new().await;
    let mut browser = world.browser();
    let reply = browser.framed().ask(&silent(Ask::piper())).await;
    reply.assert_error_redirect("login_required", &world.issuer, "nobody is signed in");
    browser.sign_in(&Ask::piper(), "dinesh").await;
    let mut frame = browser.framed();
    let reply = frame.ask(&silent(Ask::hooli())).await;
    assert_eq!(reply.param("error").as_deref(), Some("access_denied"));
    let reply = frame.ask(&silent(Ask::piper()).set("max_age", "0")).await;
    reply.assert_error_redirect("login_required", &world.issuer, "too old");
    let reply = frame.ask(&Ask::piper().set("prompt", "none login")).await;
    reply.assert_error_redirect("invalid_request", &world.issuer, "none with another value");
    world.advance(1800);
    let reply = frame.ask(&silent(Ask::piper())).await;
    reply.assert_error_redirect("login_required", &world.issuer, "the session is over");
    // What has no place to answer to is a page, and no page can be framed (OP2, OP9).
    let page = frame.ask(&silent(Ask::piper()).set("redirect_uri", "http://evil.example/")).await;
    page.assert_error_page("foreign redirect URI");
    assert_eq!(page.header("x-frame-options"), "DENY");
}

#[tokio::test]
async fn c7_silent_cookie_is_in_no_answer_of_the_control_api() {
    let world = World::new().await;
    let mut browser = world.browser();
    browser.sign_in(&Ask::piper(), "richard").await;
    browser.framed().ask(&silent(Ask::piper())).await;
    let cookie = browser.silent_cookie().unwrap().1.clone();
    for path in ["/sessions", "/timeline"] {
        assert!(!world.control("GET", path, None).await.body.contains(&cookie), "{path}");
    }
}
