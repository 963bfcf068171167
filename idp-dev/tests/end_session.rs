//! `/end_session`: who is asked, who is sent back, and what is refused by name.

#![allow(clippy::unwrap_used, reason = "what fails here is a failed test")]

mod common;

use common::{Ask, FORM, HOOLI, PIPER, Reply, World, encoded};

async fn is_over(world: &World) -> bool {
    world.sessions().await.is_empty()
}

#[tokio::test]
async fn f2_op12_hint_of_this_session_signs_out_without_a_page() {
    let world = World::new().await;
    let mut browser = world.browser();
    let tokens = browser.piper("richard").await;
    let params = [
        ("id_token_hint", tokens.id()),
        ("post_logout_redirect_uri", PIPER),
        ("state", "after & all"),
    ];
    let first = browser.get(&format!("/end_session?{}", encoded(&params))).await;
    assert_eq!(first.status, 303);
    let clean = first.location();
    assert!(clean.starts_with("/end_session/continue?r="), "{clean}");
    assert!(!clean.contains(tokens.id()) && !clean.contains("id_token_hint"), "{clean}");
    let reply = browser.follow(first).await;
    assert_eq!(reply.location(), format!("{PIPER}?state=after+%26+all"));
    assert!(is_over(&world).await);
    assert!(browser.session_cookie().is_none(), "the cookie is removed");
    browser.ask(&Ask::piper().set("prompt", "none")).await.assert_error_redirect(
        "login_required",
        &world.issuer,
        "after sign-out",
    );
}

#[tokio::test]
async fn op12_expired_hint_is_fine() {
    let world = World::new().await;
    let mut browser = world.browser();
    let tokens = browser.piper("richard").await;
    world.advance(1200);
    let reply = browser
        .sign_out(&[("id_token_hint", tokens.id()), ("post_logout_redirect_uri", PIPER)])
        .await;
    assert_eq!(reply.location(), PIPER);
    assert!(is_over(&world).await);
}

#[tokio::test]
async fn op12_without_a_hint_of_this_session_the_person_is_asked() {
    let world = World::new().await;
    let stranger = world.browser().piper("gavin").await;
    let mut browser = world.browser();
    let earlier = browser.piper("richard").await;
    browser.sign_out(&[("id_token_hint", earlier.id())]).await;
    let tokens = browser.piper("richard").await;
    for params in [
        vec![],
        vec![("client_id", "pied-piper")],
        vec![("client_id", "pied-piper"), ("post_logout_redirect_uri", PIPER)],
        vec![("state", "x")],
        vec![("id_token_hint", stranger.id())],
        vec![("id_token_hint", earlier.id())],
    ] {
        let page = browser.sign_out(&params).await;
        assert_eq!(page.status, 200, "{params:?}");
        assert!(page.shows("submit") && page.body.contains("Richard Hendricks"), "{params:?}");
    }
    assert_eq!(world.userinfo(tokens.access()).await.status, 200, "nothing ended");
    assert_eq!(world.userinfo(stranger.access()).await.status, 200);
    assert_eq!(world.last_step("end_session.confirm_page").await["user"], "richard");
}

async fn answer(browser: &mut common::Browser<'_>, page: &Reply, action: &str) -> Reply {
    let (r, csrf) = (page.hidden("r"), page.hidden("csrf"));
    browser.post("/end_session/confirm", &[("r", &r), ("csrf", &csrf), ("action", action)]).await
}

#[tokio::test]
async fn op12_saying_yes_ends_the_session_and_returns() {
    let world = World::new().await;
    let mut browser = world.browser();
    browser.piper("richard").await;
    let params = [("client_id", "pied-piper"), ("post_logout_redirect_uri", PIPER), ("state", "s")];
    let page = browser.sign_out(&params).await;
    assert!(page.body.contains("Pied Piper asks to sign you out"));
    let reply = answer(&mut browser, &page, "sign-out").await;
    assert_eq!((reply.status, reply.location()), (303, format!("{PIPER}?state=s")));
    assert!(is_over(&world).await && browser.session_cookie().is_none());

    browser.piper("richard").await;
    let page = browser.sign_out(&[]).await;
    let reply = answer(&mut browser, &page, "sign-out").await;
    let page = browser.follow(reply).await;
    assert!(page.body.contains("You are signed out") && !page.shows("back-to-app"));
    assert!(is_over(&world).await);
}

#[tokio::test]
async fn op12_saying_no_changes_nothing() {
    let world = World::new().await;
    let mut browser = world.browser();
    let tokens = browser.piper("richard").await;
    let page =
        browser.sign_out(&[("client_id", "pied-piper"), ("post_logout_redirect_uri", PIPER)]).await;
    let reply = answer(&mut browser, &page, "stay").await;
    let page = browser.follow(reply).await;
    assert!(page.body.contains("You are still signed in"));
    assert_eq!(page.href("back-to-app"), PIPER);
    assert_eq!(world.userinfo(tokens.access()).await.status, 200);
}

#[tokio::test]
async fn op10_op12_foreign_confirmation_is_refused() {
    let world = World::new().await;
    let mut browser = world.browser();
    browser.piper("richard").await;
    let page = browser.sign_out(&[]).await;
    let (r, csrf) = (page.hidden("r"), page.hidden("csrf"));
    let mut attacker = world.browser();
    attacker.piper("gavin").await;
    let foreign = attacker.sign_out(&[]).await;
    let (foreign_r, foreign_csrf) = (foreign.hidden("r"), foreign.hidden("csrf"));
    for (why, r, csrf) in [
        ("no token", &*r, ""),
        ("another form's token", &*r, &*foreign_csrf),
        ("the attacker's form", &*foreign_r, &*foreign_csrf),
    ] {
        let form = [("r", r), ("csrf", csrf), ("action", "sign-out")];
        let reply = browser.post("/end_session/confirm", &form).await;
        assert_eq!(reply.status, 403, "{why}");
    }
    let body = encoded(&[("r", &*r), ("csrf", &*csrf), ("action", "sign-out")]);
    let cross = [FORM, ("sec-fetch-site", "cross-site")];
    let reply = browser.send("POST", "/end_session/confirm", &cross, Some(body)).await;
    assert_eq!(reply.status, 403);
    assert_eq!(world.sessions().await.len(), 2);
}

#[tokio::test]
async fn op12_made_up_and_foreign_hints_are_refused() {
    let world = World::new().await;
    let other = World::new().await;
    let foreign = other.browser().piper("richard").await;
    let mut browser = world.browser();
    let tokens = browser.piper("richard").await;
    let body = tokens.id().split('.').nth(1).unwrap().to_owned();
    let none = format!("eyJhbGciOiJub25lIiwidHlwIjoiSldUIn0.{body}.");
    for hint in [&*none, foreign.id(), tokens.access(), tokens.refresh(), "x", &tokens.id()[1..]] {
        let page =
            browser.sign_out(&[("id_token_hint", hint), ("post_logout_redirect_uri", PIPER)]).await;
        page.assert_error_page(hint);
        assert!(page.body.contains("id_token_hint"), "{hint}");
        // Nobody is stranded: the registered address is a link, not a redirect.
        assert_eq!(page.href("back-to-app"), PIPER);
    }
    assert_eq!(world.userinfo(tokens.access()).await.status, 200);
    let step = world.last_step("end_session.refused").await;
    assert_eq!(step["check"]["name"], "id_token_hint");
}

#[tokio::test]
async fn f23_wrong_parameter_is_named_and_nobody_is_redirected() {
    let world = World::new().await;
    let mut browser = world.browser();
    let tokens = browser.piper("richard").await;
    let hint = ("id_token_hint", tokens.id());
    for (parameter, params) in [
        (
            "post_logout_redirect_uri",
            vec![hint, ("post_logout_redirect_uri", "http://evil.example/")],
        ),
        ("post_logout_redirect_uri", vec![hint, ("post_logout_redirect_uri", HOOLI)]),
        (
            "post_logout_redirect_uri",
            vec![hint, ("post_logout_redirect_uri", "http://pied-piper.localhost:8081")],
        ),
        (
            "post_logout_redirect_uri",
            vec![hint, ("post_logout_redirect_uri", "http://pied-piper.localhost:8081/?x=1")],
        ),
        ("post_logout_redirect_uri", vec![("post_logout_redirect_uri", PIPER)]),
        ("client_id", vec![hint, ("client_id", "hooli")]),
        ("client_id", vec![("client_id", "nobody")]),
        ("id_token_hint", vec![hint, hint]),
        (
            "post_logout_redirect_uri",
            vec![hint, ("post_logout_redirect_uri", PIPER), ("post_logout_redirect_uri", PIPER)],
        ),
        ("state", vec![hint, ("state", "a"), ("state", "b")]),
    ] {
        let page = browser.sign_out(&params).await;
        page.assert_error_page(parameter);
        assert!(page.body.contains(&format!("<code>{parameter}</code>")), "{params:?}");
        assert_eq!(world.last_step("end_session.refused").await["check"]["name"], parameter);
    }
    assert_eq!(world.userinfo(tokens.access()).await.status, 200, "nothing ended");
}

#[tokio::test]
async fn good_hint_without_this_browsers_cookie_asks_before_ending_the_named_session() {
    let world = World::new().await;
    let mut browser = world.browser();
    let tokens = browser.piper("richard").await;
    browser.jar.clear();
    let params = [("id_token_hint", tokens.id()), ("post_logout_redirect_uri", PIPER)];
    let page = browser.sign_out(&params).await;
    assert_eq!(page.status, 200);
    assert_eq!(world.userinfo(tokens.access()).await.status, 200, "not before a yes");
    let reply = answer(&mut browser, &page, "sign-out").await;
    assert_eq!(reply.location(), PIPER);
    assert!(is_over(&world).await);
    // Once it is over, the same request just returns.
    let reply = browser.sign_out(&params).await;
    assert_eq!((reply.status, reply.location().as_str()), (303, PIPER));
}

#[tokio::test]
async fn op12_named_session_is_ended_and_not_another_ones() {
    let world = World::new().await;
    let richard = world.browser().piper("richard").await;
    let mut browser = world.browser();
    let gavin = browser.piper("gavin").await;
    // Gavin's browser, richard's hint, and gavin says yes: he signs himself out.
    let page = browser.sign_out(&[("id_token_hint", richard.id())]).await;
    answer(&mut browser, &page, "sign-out").await;
    assert_eq!(world.userinfo(richard.access()).await.status, 200);
    assert_eq!(world.userinfo(gavin.access()).await.status, 401);
}

#[tokio::test]
async fn without_session_and_hint_nobody_is_redirected() {
    let world = World::new().await;
    let mut browser = world.browser();
    let params = [("client_id", "pied-piper"), ("post_logout_redirect_uri", PIPER)];
    let page = browser.sign_out(&params).await;
    assert_eq!(page.status, 200);
    assert_eq!(page.href("back-to-app"), PIPER);
    let page = browser.sign_out(&[]).await;
    assert!(page.body.contains("You are signed out"));
    assert_eq!(browser.get("/signed_out").await.status, 200, "F18: stays reachable");
}

#[tokio::test]
async fn cross_site_post_is_put_aside_so_that_the_cookie_comes_along() {
    let world = World::new().await;
    let mut browser = world.browser();
    let tokens = browser.piper("richard").await;
    let body = encoded(&[("id_token_hint", tokens.id()), ("post_logout_redirect_uri", PIPER)]);
    let reply = world.send("POST", "/end_session", &[FORM], Some(body)).await;
    assert_eq!(reply.status, 303);
    let reply = browser.follow(reply).await;
    assert_eq!(reply.location(), PIPER);
    assert!(is_over(&world).await);
}

#[tokio::test]
async fn f7_order_of_a_sign_out() {
    let world = World::new().await;
    let mut browser = world.browser();
    let piper = browser.piper("richard").await;
    let hooli = browser.hooli("richard").await;
    let mut at_piper = world.events(piper.access(), None).await;
    let mut at_hooli = world.events(hooli.access(), None).await;
    assert_eq!(at_piper.next().await.unwrap().event, "open");
    assert_eq!(at_hooli.next().await.unwrap().event, "open");
    let before = world.timeline().await.len();
    browser.sign_out(&[("id_token_hint", piper.id()), ("post_logout_redirect_uri", PIPER)]).await;
    let steps: Vec<String> = world.timeline().await[before..]
        .iter()
        .map(|s| {
            let client = s["client_id"].as_str().unwrap_or("-");
            format!("{} {client}", s["step"].as_str().unwrap())
        })
        .collect();
    assert_eq!(
        steps,
        [
            "end_session.received pied-piper",
            "session.ended -",
            "logout_token.sent pied-piper",
            "logout_token.sent hooli",
            "grants.revoked hooli",
            "grants.revoked pied-piper",
            "stream.closed pied-piper",
            "stream.closed hooli",
            "end_session.returned pied-piper",
        ]
    );
    assert_eq!(world.last_step("session.ended").await["received"]["cause"], "rp_initiated");
    assert_eq!(world.last_step("end_session.returned").await["received"]["uri"], PIPER);
}

#[tokio::test]
async fn f6_order_of_two_sign_ins() {
    let world = World::new().await;
    let mut browser = world.browser();
    let piper = browser.piper("richard").await;
    world.userinfo(piper.access()).await;
    browser.hooli("richard").await;
    assert_eq!(
        world.step_names().await,
        [
            "authorize.received",
            "authorize.login_page",
            "login.submitted",
            "login.succeeded",
            "session.started",
            "session.joined",
            "code.issued",
            "token.received",
            "token.issued",
            "userinfo.served",
            "authorize.received",
            "session.reused",
            "session.joined",
            "code.issued",
            "token.received",
            "token.issued",
        ]
    );
}
