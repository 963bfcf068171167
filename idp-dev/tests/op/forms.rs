//! Sign-in: its form, its cookies, its pages (OP7, OP9, OP10, OP11, OP18, OP19).

use crate::person::{Ask, PIPER, Person};
use crate::wire::{Answer, FORM, Op, encoded};

#[test]
fn op7_password_is_answered_by_303() {
    let op = Op::start();
    for password in ["password", "wrong"] {
        let mut person = Person::new(&op);
        let page = person.authorize(&Ask::piper());
        assert_eq!(person.fill(&page, "richard", password).status, 303, "{password}");
    }
}

/// Every page that a person can be shown.
fn pages(op: &Op) -> Vec<(&'static str, Answer)> {
    let mut person = Person::new(op);
    let mut pages = vec![("sign-in", person.authorize(&Ask::piper()))];
    let wrong = person.fill(&pages[0].1, "richard", "wrong");
    pages.push(("sign-in again", person.follow(wrong)));
    let (mut signed_in, tokens) = Person::signed_in(op);
    pages.push(("account", signed_in.authorize(&Ask::piper().set("prompt", "select_account"))));
    let asked = signed_in.get("/end_session");
    pages.push(("confirm", signed_in.follow(asked)));
    let refused = signed_in.get("/end_session?id_token_hint=x");
    pages.push(("refused sign-out", signed_in.follow(refused)));
    let ended = signed_in.get(&format!("/end_session?id_token_hint={}", tokens.id()));
    pages.push(("signed out", signed_in.follow(ended)));
    pages.push(("error", op.get("/authorize")));
    pages.push(("expired", op.get("/login?r=x")));
    pages.push(("start", op.get("/")));
    pages.push(("nothing", op.get("/nothing")));
    pages
}

#[test]
fn op9_no_page_can_be_framed() {
    let op = Op::start();
    for (name, page) in pages(&op) {
        assert!(page.body.contains("<html"), "{name}: {page:?}");
        let policy = page.header("content-security-policy");
        assert!(policy.contains("frame-ancestors 'none'"), "{name}: {policy}");
        assert!(policy.contains("default-src 'none'"), "{name}: {policy}");
        assert!(!policy.contains("unsafe"), "{name}: {policy}");
        assert_eq!(page.header("x-frame-options"), "DENY", "{name}");
        assert_eq!(page.header("x-content-type-options"), "nosniff", "{name}");
    }
}

#[test]
fn op10_form_needs_its_token_its_cookie_and_its_own_page() {
    let op = Op::start();
    let mut person = Person::new(&op);
    let page = person.authorize(&Ask::piper());
    let (r, csrf) = (page.hidden("r"), page.hidden("csrf"));
    let form = |csrf: &str| {
        encoded(&[("r", &r), ("csrf", csrf), ("username", "richard"), ("password", "password")])
    };
    let post = |person: &mut Person<'_>, headers: &[(&str, &str)], body: &str| {
        person.ask("POST /login", &[&[FORM], headers].concat(), body)
    };
    let is_refused = |answer: &Answer| {
        answer.status == 403 && answer.all("set-cookie").iter().all(|c| !c.contains("sso"))
    };
    // Without the cookie, without or with another token, from a page of another site.
    assert!(is_refused(&post(&mut Person::new(&op), &[], &form(&csrf))));
    assert!(is_refused(&post(&mut person, &[], &form(""))));
    assert!(is_refused(&post(&mut person, &[], &form(&"A".repeat(csrf.len())))));
    for site in ["cross-site", "same-site"] {
        let headers = [("Sec-Fetch-Site", site)];
        assert!(is_refused(&post(&mut person, &headers, &form(&csrf))), "{site}");
    }
    // A token of the same browser for another page.
    let other = person.authorize(&Ask::piper()).hidden("csrf");
    assert!(is_refused(&post(&mut person, &[], &form(&other))));
    // The same for the question whether to sign out.
    let (mut signed_in, _) = Person::signed_in(&op);
    let asked = signed_in.get("/end_session");
    let asked = signed_in.follow(asked);
    let body = encoded(&[("r", &asked.hidden("r")), ("csrf", "x"), ("action", "sign-out")]);
    assert_eq!(signed_in.ask("POST /end_session/confirm", &[FORM], &body).status, 403);
    assert!(signed_in.authorize(&Ask::piper()).param("code").is_some());
    // And the good form still works.
    assert!(post(&mut person, &[], &form(&csrf)).param("code").is_some());
}

#[test]
fn op11_session_cannot_be_planted() {
    let op = Op::start();
    // The names that the provider uses, with values that somebody else chose.
    let (victim, _) = Person::signed_in(&op);
    let mut planted = Person::new(&op);
    for name in victim.jar.keys() {
        planted.jar.insert(name.clone(), "A".repeat(43));
    }
    let before = planted.jar.clone();
    let page = planted.authorize(&Ask::piper());
    let answer = planted.fill(&page, "gavin", "password");
    assert!(answer.param("code").is_some(), "{answer:?}");
    let mut sessions = 0;
    for (name, value) in planted.jar.iter().filter(|(name, _)| !name.starts_with("__Host-pre-")) {
        assert_ne!(before.get(name), Some(value), "{name} kept the planted value");
        sessions += 1;
    }
    assert_eq!(sessions, 3);
    for cookie in answer.all("set-cookie") {
        assert!(cookie.starts_with("__Host-"), "{cookie}");
        for attribute in ["Path=/", "Secure", "SameSite="] {
            assert!(cookie.contains(attribute), "{cookie}");
        }
        // The one that the script of the session frame compares opens nothing.
        let is_for_scripts = cookie.starts_with("__Host-state-");
        assert!(cookie.contains("HttpOnly") != is_for_scripts, "{cookie}");
        assert!(!cookie.contains("Domain"), "{cookie}");
    }
    // A second sign-in in the same browser gives new values, and the old ones are worth nothing.
    let old = planted.clone();
    let again = planted.authorize(&Ask::piper().set("prompt", "login"));
    assert!(planted.fill(&again, "gavin", "password").param("code").is_some());
    let mut old = old;
    let answer = old.authorize(&Ask::piper().set("prompt", "none"));
    assert_eq!(answer.param("error").as_deref(), Some("login_required"));
}

#[test]
fn op18_script_in_every_echoed_field() {
    let op = Op::start();
    let script = "\"'><script>alert(1)</script><img src=x onerror=alert(1)>";
    let of = |answer: &Answer, name: &str| {
        assert!(!answer.body.contains("<script>alert"), "{name}: {}", answer.body);
        assert!(!answer.body.contains("<img"), "{name}: {}", answer.body);
        assert!(!answer.location().contains(['<', '>', '"', ' ']), "{name}: {answer:?}");
        assert!(answer.header("content-type").starts_with("text/html") || answer.body.is_empty());
    };
    for name in [
        "client_id",
        "redirect_uri",
        "response_type",
        "scope",
        "state",
        "nonce",
        "login_hint",
        "ui_locales",
        "claims_locales",
        "display",
        "prompt",
        "max_age",
        "acr_values",
        "id_token_hint",
        "response_mode",
        "code_challenge",
        "colour",
        script,
    ] {
        let mut person = Person::new(&op);
        let answer = person.authorize(&Ask::piper().set(name, script));
        of(&answer, name);
        if answer.status == 200 {
            let wrong = person.fill(&answer, script, script);
            of(&wrong, name);
            let again = person.follow(wrong);
            of(&again, name);
        }
    }
    let (mut person, tokens) = Person::signed_in(&op);
    for name in ["id_token_hint", "client_id", "post_logout_redirect_uri", "state", "logout_hint"] {
        let answer = person.get(&format!("/end_session?{}", encoded(&[(name, script)])));
        let answer = person.follow(answer);
        of(&answer, name);
    }
    let query =
        [("id_token_hint", tokens.id()), ("post_logout_redirect_uri", PIPER), ("state", script)];
    let answer = person.get(&format!("/end_session?{}", encoded(&query)));
    let answer = person.follow(answer);
    of(&answer, "state");
    assert_eq!(answer.param("state").as_deref(), Some(script));
    for path in ["/%3Cscript%3Ealert(1)%3C/script%3E", "/login?r=%3Cscript%3Ealert(1)%3C/script%3E"]
    {
        of(&op.get(path), path);
    }
    // What programs read is JSON, whatever stands in it.
    let answer = op.post("/token", &[("grant_type", script), ("client_id", script)]);
    assert_eq!(answer.header("content-type"), "application/json");
    assert_eq!(answer.header("x-content-type-options"), "nosniff");
}

#[test]
fn op18_script_in_an_apps_name_stays_text() {
    let op = Op::with("op18", |config| {
        config.replace(
            "name = \"Pied Piper\"",
            "name = \"<script>alert(1)</script>\\\"'><img src=x onerror=alert(1)>\"",
        )
    });
    for (name, page) in pages(&op) {
        assert!(!page.body.contains("<script>alert"), "{name}: {}", page.body);
        assert!(!page.body.contains("<img"), "{name}: {}", page.body);
    }
}

#[test]
fn op19_unknown_person_and_wrong_password_look_the_same() {
    let op = Op::start();
    let shown: Vec<_> = ["richard", "nobody"]
        .map(|user| {
            let mut person = Person::new(&op);
            let page = person.authorize(&Ask::piper());
            let answer = person.fill(&page, user, "wrong");
            let again = person.follow(answer.clone());
            let typed = format!("required value=\"{user}\"");
            let body = again.body.replace(&typed, "").replace(&again.hidden("r"), "");
            (answer.status, again.status, body.replace(&again.hidden("csrf"), ""))
        })
        .to_vec();
    assert_eq!(shown[0], shown[1]);
}
