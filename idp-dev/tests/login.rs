//! The sign-in page, its form, and the session it begins.

#![allow(clippy::unwrap_used, reason = "what fails here is a failed test")]

mod common;

use common::{Ask, FORM, HOOLI, PIPER, World, encoded, fields};

#[tokio::test]
async fn op9_op20_pages_cannot_be_framed_cached_or_leak_a_referrer() {
    let world = World::new().await;
    let mut browser = world.browser();
    let login = browser.ask(&Ask::piper()).await;
    let error = world.get("/authorize").await;
    let root = world.get("/").await;
    let missing = world.get("/nothing").await;
    let confirm = {
        browser.sign_in(&Ask::piper(), "richard").await;
        browser.sign_out(&[]).await
    };
    for page in [login, error, root, missing, confirm] {
        let policy = page.header("content-security-policy");
        assert!(policy.contains("frame-ancestors 'none'"), "{policy}");
        assert!(policy.contains("default-src 'none'") && !policy.contains("unsafe"), "{policy}");
        assert_eq!(page.header("x-frame-options"), "DENY");
        assert_eq!(page.header("cache-control"), "no-store");
        assert_eq!(page.header("referrer-policy"), "no-referrer");
        assert_eq!(page.header("x-content-type-options"), "nosniff");
        assert_eq!(page.header("x-idp-dev"), "not-for-production");
        assert!(!page.has("access-control-allow-origin"));
    }
}

#[tokio::test]
async fn op7_password_is_answered_by_303() {
    let world = World::new().await;
    let mut browser = world.browser();
    let page = browser.ask(&Ask::piper()).await;
    let wrong = browser.sign_in_at(&page, "richard", "wrong").await;
    assert_eq!(wrong.status, 303);
    let page = browser.follow(wrong).await;
    let right = browser.sign_in_at(&page, "richard", "password").await;
    assert_eq!(right.status, 303);
    assert!(right.location().starts_with(PIPER));
}

#[tokio::test]
async fn op19_wrong_password_and_unknown_person_look_the_same() {
    let world = World::new().await;
    let mut bodies = Vec::new();
    for (user, password) in [("richard", "wrong"), ("nobody1", "password"), ("richard", "")] {
        let mut browser = world.browser();
        let page = browser.ask(&Ask::piper()).await;
        let reply = browser.sign_in_at(&page, user, password).await;
        let page = browser.follow(reply).await;
        assert!(page.shows("error") && page.shows("password"));
        assert!(page.body.contains("aria-describedby=\"problem\""));
        assert!(page.body.contains(&format!("value=\"{user}\"")), "the username is kept");
        assert!(!page.body.contains("value=\"wrong\""), "the password is not");
        let (r, csrf) = (page.hidden("r"), page.hidden("csrf"));
        bodies.push(page.body.replace(&r, "").replace(&csrf, "").replace(user, "USER"));
    }
    // The list of demo accounts names richard; nobody1 is not in it.
    let normal = |body: &str| body.replace("nobody1", "USER").replace("richard", "USER");
    assert_eq!(normal(&bodies[0]), normal(&bodies[1]));
    assert_eq!(normal(&bodies[0]), normal(&bodies[2]));
    assert!(world.sessions().await.is_empty());
}

#[tokio::test]
async fn signs_in_by_username_and_by_email() {
    let world = World::new().await;
    for name in ["richard", "richard@piedpiper.example", "RICHARD@PIEDPIPER.EXAMPLE"] {
        let reply = world.browser().sign_in(&Ask::piper(), name).await;
        assert!(reply.param("code").is_some(), "{name}");
    }
    for name in ["Richard", "richard ", "richard@hooli.example", ""] {
        let reply = world.browser().sign_in(&Ask::piper(), name).await;
        assert!(reply.location().starts_with("/login?r="), "{name}");
    }
}

#[tokio::test]
async fn argon2id_passwords_work_beside_plain_ones() {
    // Of "hunter2", with little memory so that the test is quick.
    let phc = hashed("hunter2");
    let world = World::with(|text| {
        text.replacen("password = \"password\"", &format!("password = \"{phc}\""), 1)
    })
    .await;
    let mut browser = world.browser();
    let page = browser.ask(&Ask::piper()).await;
    assert!(!page.body.contains("argon2"), "the list of demo accounts shows no hash");
    for wrong in ["password", &phc, "hunter3", ""] {
        let reply = browser.sign_in_at(&page, "richard", wrong).await;
        assert!(reply.location().starts_with("/login"), "{wrong}");
    }
    let reply = browser.sign_in_at(&page, "richard", "hunter2").await;
    assert!(reply.param("code").is_some());
    assert!(world.browser().sign_in(&Ask::piper(), "gavin").await.param("code").is_some());
}

fn hashed(password: &str) -> String {
    use argon2::{Algorithm, Argon2, Params, PasswordHasher, Version};
    let argon2 =
        Argon2::new(Algorithm::Argon2id, Version::V0x13, Params::new(64, 1, 1, None).unwrap());
    argon2.hash_password_with_salt(password.as_bytes(), b"a-salt-of-16-byt").unwrap().to_string()
}

#[tokio::test]
async fn op10_form_of_another_browser_or_without_token_is_refused() {
    let world = World::new().await;
    let mut victim = world.browser();
    let page = victim.ask(&Ask::piper()).await;
    let mut attacker = world.browser();
    let foreign = attacker.ask(&Ask::piper()).await;
    let (r, csrf) = (page.hidden("r"), page.hidden("csrf"));
    let (foreign_r, foreign_csrf) = (foreign.hidden("r"), foreign.hidden("csrf"));
    let login = |r: &str, csrf: &str| {
        encoded(&[("r", r), ("csrf", csrf), ("username", "gavin"), ("password", "password")])
    };
    let changed = format!("{}{}", if csrf.starts_with('A') { 'B' } else { 'A' }, &csrf[1..]);
    for (why, body) in [
        ("no token", login(&r, "")),
        ("another form's token", login(&r, &foreign_csrf)),
        ("the attacker's own form", login(&foreign_r, &foreign_csrf)),
        ("changed token", login(&r, &changed)),
    ] {
        let reply = victim.send("POST", "/login", &[FORM], Some(body)).await;
        assert_eq!(reply.status, 403, "{why}");
        assert!(reply.shows("error") && !reply.has("location"), "{why}");
    }
    let cross = [FORM, ("sec-fetch-site", "cross-site")];
    let reply = victim.send("POST", "/login", &cross, Some(login(&r, &csrf))).await;
    assert_eq!(reply.status, 403, "a browser that says cross-site");
    let reply = world.send("POST", "/login", &[FORM], Some(login(&r, &csrf))).await;
    assert_eq!(reply.status, 403, "no cookie");
    assert!(world.sessions().await.is_empty());
    // The genuine form still works, also from a browser that says same-origin.
    let own = [FORM, ("sec-fetch-site", "same-origin")];
    let reply = victim.send("POST", "/login", &own, Some(login(&r, &csrf))).await;
    assert!(reply.param("code").is_some());
}

#[tokio::test]
async fn op11_session_cookie_is_new_after_every_sign_in() {
    let world = World::new().await;
    let mut browser = world.browser();
    let planted = "p".repeat(43);
    // The name depends on the issuer; a first sign-in tells it.
    let mut other = world.browser();
    other.sign_in(&Ask::piper(), "gavin").await;
    let name = other.session_cookie().unwrap().0.clone();
    browser.jar.insert(name.clone(), planted.clone());
    let page = browser.ask(&Ask::piper()).await;
    let reply = browser.sign_in_at(&page, "richard", "password").await;
    let line = reply.all("set-cookie").into_iter().find(|c| c.starts_with(&name)).unwrap();
    for attribute in ["; Path=/", "; Secure", "; HttpOnly", "; SameSite=Lax"] {
        assert!(line.contains(attribute), "{line}");
    }
    assert!(name.starts_with("__Host-") && !line.contains("Domain"), "{line}");
    let first = browser.session_cookie().unwrap().1.clone();
    assert_ne!(first, planted);
    let again = browser.sign_in(&Ask::piper().set("prompt", "login"), "richard").await;
    assert_eq!(again.status, 303);
    let second = browser.session_cookie().unwrap().1.clone();
    assert_ne!(first, second);
    // The old value holds nothing any more.
    browser.jar.insert(name, first);
    assert_eq!(browser.ask(&Ask::piper()).await.status, 200);
}

#[tokio::test]
async fn c7_cookie_value_is_in_no_answer_of_the_control_api() {
    let world = World::new().await;
    let mut browser = world.browser();
    browser.piper("richard").await;
    let cookie = browser.session_cookie().unwrap().1.clone();
    for path in ["/sessions", "/timeline"] {
        assert!(!world.control("GET", path, None).await.body.contains(&cookie), "{path}");
    }
}

#[tokio::test]
async fn another_person_replaces_the_session_and_the_first_ones_apps_are_told() {
    let world = World::new().await;
    let mut browser = world.browser();
    let richard = browser.piper("richard").await;
    let mut events = world.events(richard.access(), None).await;
    assert_eq!(events.next().await.unwrap().event, "open");
    browser.sign_in(&Ask::piper().set("prompt", "login"), "gavin").await;
    assert_eq!(events.next().await.unwrap().event, "logout");
    assert_eq!(world.userinfo(richard.access()).await.status, 401);
    let sessions = world.sessions().await;
    assert_eq!(sessions.len(), 1);
    assert_eq!(sessions[0]["user"], "gavin");
}

#[tokio::test]
async fn f14_cancel_gives_access_denied() {
    let world = World::new().await;
    let mut browser = world.browser();
    let page = browser.ask(&Ask::piper()).await;
    let (r, csrf) = (page.hidden("r"), page.hidden("csrf"));
    let form = [("r", &*r), ("csrf", &*csrf), ("action", "cancel")];
    let reply = browser.post("/login", &form).await;
    reply.assert_error_redirect("access_denied", &world.issuer, "cancel");
    assert!(world.step_names().await.contains(&"authorize.cancelled".to_owned()));
    assert!(world.sessions().await.is_empty());
}

#[tokio::test]
async fn f14_person_not_assigned_gets_a_page_with_ways_on() {
    let world = World::new().await;
    let mut browser = world.browser();
    // By the form.
    let page = browser.ask(&Ask::hooli()).await;
    let reply = browser.sign_in_at(&page, "dinesh", "password").await;
    assert_eq!(reply.status, 303);
    let page = browser.follow(reply).await;
    assert_eq!(page.status, 403);
    assert!(page.body.contains("Dinesh Chugtai") && page.body.contains("Hooli"));
    let back = page.href("back-to-app");
    assert!(back.starts_with(HOOLI) && back.contains("error=access_denied"), "{back}");
    assert!(back.contains("state=the-state") && back.contains("iss="), "{back}");
    // By the session: the same page, no loop.
    let page = browser.ask(&Ask::hooli()).await;
    assert_eq!(page.status, 403);
    // Silently: an error response.
    let reply = browser.ask(&Ask::hooli().set("prompt", "none")).await;
    assert_eq!(reply.param("error").as_deref(), Some("access_denied"));
    assert_eq!(reply.param("state").as_deref(), Some("the-state"));
    // At the app that he may use: signed in.
    assert!(browser.ask(&Ask::piper()).await.param("code").is_some());
    // As somebody else.
    let form = browser.get(&page.href("other-account")).await;
    let reply = browser.sign_in_at(&form, "gavin", "password").await;
    assert!(reply.location().starts_with(HOOLI) && reply.param("code").is_some());
    let step = world.last_step("authorize.not_assigned").await;
    assert_eq!((&step["user"], &step["client_id"]), (&"dinesh".into(), &"hooli".into()));
}

#[tokio::test]
async fn f14_person_not_assigned_never_joins_the_app() {
    let world = World::new().await;
    let mut browser = world.browser();
    browser.sign_in(&Ask::hooli(), "dinesh").await;
    browser.ask(&Ask::hooli()).await;
    assert_eq!(world.sessions().await[0]["clients"], serde_json::json!([]));
    assert!(!world.step_names().await.contains(&"code.issued".to_owned()));
}

#[tokio::test]
async fn demo_accounts_work_without_the_script() {
    let world = World::new().await;
    let mut browser = world.browser();
    let page = browser.ask(&Ask::piper()).await;
    assert!(page.body.contains("data-testid=\"demo-account\" data-username=\"gavin\""));
    let (r, csrf) = (page.hidden("r"), page.hidden("csrf"));
    let form = [("r", &*r), ("csrf", &*csrf), ("fill", "gavin")];
    let reply = browser.post("/login", &form).await;
    let page = browser.follow(reply).await;
    assert!(page.body.contains("value=\"gavin\"") && !page.shows("error"));
    let world = World::with(|text| text.replace("demo_accounts = true", "")).await;
    assert!(!world.get(&Ask::piper().path()).await.shows("demo-account"));
}

#[tokio::test]
async fn page_that_was_open_for_too_long_says_so() {
    let world = World::new().await;
    let mut browser = world.browser();
    let page = browser.ask(&Ask::piper()).await;
    world.advance(30 * 60);
    browser.sign_in_at(&page, "richard", "password").await.assert_error_page("stale");
    browser.get("/login?r=unknown").await.assert_error_page("unknown");
    browser.get("/login").await.assert_error_page("missing");
}

#[tokio::test]
async fn form_with_a_doubled_field_is_refused() {
    let world = World::new().await;
    let mut browser = world.browser();
    let page = browser.ask(&Ask::piper()).await;
    let (r, csrf) = (page.hidden("r"), page.hidden("csrf"));
    let form = [
        ("r", &*r),
        ("csrf", &*csrf),
        ("username", "richard"),
        ("username", "gavin"),
        ("password", "password"),
    ];
    browser.post("/login", &form).await.assert_error_page("doubled");
}

#[tokio::test]
async fn assets_are_typed_and_cached_by_content() {
    let world = World::new().await;
    let page = world.get("/").await;
    for (name, media_type) in [
        ("tokens.css", "text/css; charset=utf-8"),
        ("idp.css", "text/css; charset=utf-8"),
        ("icon.svg", "image/svg+xml"),
    ] {
        let at = page.body.find(&format!("/assets/{name}?v=")).unwrap();
        let path = page.body[at..].split('"').next().unwrap();
        let asset = world.get(path).await;
        assert_eq!((asset.status, asset.header("content-type")), (200, media_type));
        assert!(asset.header("cache-control").contains("immutable"));
        let plain = world.get(&format!("/assets/{name}")).await;
        assert_eq!(plain.header("cache-control"), "no-cache");
        let headers = [("if-none-match", plain.header("etag"))];
        let again = world.send("GET", &format!("/assets/{name}"), &headers, None).await;
        assert_eq!((again.status, again.body.as_str()), (304, ""));
    }
    assert_eq!(world.get("/assets/nothing.css").await.status, 404);
    assert_eq!(world.get("/assets/..%2Ftokens.css").await.status, 404);
}

#[tokio::test]
async fn form_sent_twice_gives_one_code_and_the_same_answer() {
    let world = World::new().await;
    let mut browser = world.browser();
    let page = browser.ask(&Ask::piper()).await;
    let first = browser.sign_in_at(&page, "richard", "password").await;
    // The browser threw the first answer away: the second one has cookies that work.
    let before = browser.session_cookie().unwrap().1.clone();
    let second = browser.sign_in_at(&page, "richard", "password").await;
    assert_eq!(second.status, 303);
    assert_eq!(second.location(), first.location());
    assert_ne!(*browser.session_cookie().unwrap().1, before);
    assert!(browser.ask(&Ask::hooli()).await.param("code").is_some());
    assert_eq!(world.sessions().await.len(), 1);
    let names = world.step_names().await;
    let given = names.iter().filter(|name| *name == "code.issued").count();
    assert_eq!(given, 2, "one for Pied Piper, one for Hooli");
    // Redeemed, there is nothing to repeat.
    assert_eq!(world.redeem(&first.param("code").unwrap()).await.status, 200);
    let third = browser.sign_in_at(&page, "richard", "password").await;
    assert!(third.status == 409 && third.shows("error") && !third.has("location"));
    assert_eq!(third.href("back-to-app"), PIPER);
    assert_eq!(browser.get(&format!("/login?r={}", page.hidden("r"))).await.status, 409);
}

#[tokio::test]
async fn op10_answer_is_repeated_for_the_same_person_and_browser_only() {
    let world = World::new().await;
    let mut browser = world.browser();
    let page = browser.ask(&Ask::piper()).await;
    browser.sign_in_at(&page, "richard", "password").await;
    for (user, password) in [("gavin", "password"), ("richard", "wrong"), ("", "")] {
        let reply = browser.sign_in_at(&page, user, password).await;
        assert!(reply.status == 409 && !reply.has("set-cookie"), "{user}");
    }
    let mut other = world.browser();
    other.ask(&Ask::piper()).await;
    assert_eq!(other.sign_in_at(&page, "richard", "password").await.status, 403);
    // The code's life is the limit.
    world.advance(60);
    assert_eq!(browser.sign_in_at(&page, "richard", "password").await.status, 400);
}

#[tokio::test]
async fn op5_of_two_forms_at_once_one_gets_a_code() {
    let world = World::new().await;
    for _ in 0..10 {
        let mut browser = world.browser();
        let page = browser.ask(&Ask::piper()).await;
        let mut beside = browser.clone();
        let (a, b) = tokio::join!(
            browser.sign_in_at(&page, "richard", "password"),
            beside.sign_in_at(&page, "richard", "password"),
        );
        let mut codes: Vec<String> = [a, b].iter().filter_map(|r| r.param("code")).collect();
        codes.sort();
        codes.dedup();
        assert_eq!(codes.len(), 1, "{codes:?}");
    }
}

#[tokio::test]
async fn cancelled_page_cannot_be_used_again() {
    let world = World::new().await;
    let mut browser = world.browser();
    let page = browser.ask(&Ask::piper()).await;
    let (r, csrf) = (page.hidden("r"), page.hidden("csrf"));
    let form = [("r", &*r), ("csrf", &*csrf), ("action", "cancel")];
    let reply = browser.post("/login", &form).await;
    assert_eq!(reply.param("error").as_deref(), Some("access_denied"));
    assert_eq!(browser.post("/login", &form).await.status, 400);
    assert_eq!(browser.sign_in_at(&page, "richard", "password").await.status, 400);
}

/// F12: ticked, the cookies outlive the browser; the session lasts no longer for it. Without it, the
/// next start of the browser asks again.
#[tokio::test]
async fn f12_keep_me_signed_in_decides_whether_the_cookies_outlive_the_browser() {
    let world = World::new().await;
    for keep in [false, true] {
        let mut browser = world.browser();
        let page = browser.ask(&Ask::piper()).await;
        assert!(page.shows("keep"));
        let (r, csrf) = (page.hidden("r"), page.hidden("csrf"));
        let mut form = fields::sign_in(&r, &csrf, "richard", "password").to_vec();
        form.extend(keep.then_some(("keep", "1")));
        let reply = browser.post("/login", &form).await;
        let lines = reply.all("set-cookie");
        assert_eq!(lines.len(), 3);
        for line in &lines {
            assert_eq!(line.contains("; Max-Age=28800; Secure"), keep, "{line}");
        }
        // What the browser has when it is started again.
        browser.jar.retain(|name, _| {
            lines.iter().any(|line| line.starts_with(name.as_str()) && line.contains("Max-Age"))
        });
        let again = browser.ask(&Ask::hooli()).await;
        assert_eq!(again.param("code").is_some(), keep);
        if keep {
            world.advance(28_800);
            assert_eq!(browser.ask(&Ask::hooli()).await.status, 200, "its time is over");
        }
    }
}
