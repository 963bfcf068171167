//! Sign-out: who may end whose session, and where it leads (OP12), with the conformance suite's
//! modules for RP-initiated logout.

use crate::person::{Ask, HOOLI, PIPER, Person};
use crate::wire::{Answer, Op, encoded};

fn end(person: &mut Person<'_>, query: &[(&str, &str)]) -> Answer {
    let answer = person.get(&format!("/end_session?{}", encoded(query)));
    assert_eq!(answer.status, 303, "{answer:?}");
    person.follow(answer)
}

fn is_signed_in(person: &mut Person<'_>) -> bool {
    person.authorize(&Ask::piper().set("prompt", "none")).param("code").is_some()
}

/// A page, no way elsewhere, and the session is as it was.
fn assert_stays(person: &mut Person<'_>, query: &[(&str, &str)], why: &str) {
    let answer = end(person, query);
    assert!([200, 400].contains(&answer.status), "{why}: {answer:?}");
    assert_eq!(answer.location(), "", "{why}");
    assert!(is_signed_in(person), "{why}");
}

/// The same token with other bytes in its header.
fn with_header(token: &str, header: &str) -> String {
    use base64ct::{Base64UrlUnpadded, Encoding};
    let rest = token.split_once('.').unwrap().1;
    format!("{}.{rest}", Base64UrlUnpadded::encode_string(header.as_bytes()))
}

#[test]
fn op12_nobody_is_signed_out_by_a_link() {
    let op = Op::start();
    let (mut person, tokens) = Person::signed_in(&op);
    let (_, others) = {
        let mut other = Person::new(&op);
        let page = other.authorize(&Ask::piper());
        let code = other.fill(&page, "gavin", "password").param("code").unwrap();
        let tokens = crate::person::Tokens(op.redeem(&code).json());
        (other, tokens)
    };
    let unsigned = with_header(tokens.id(), "{\"alg\":\"none\"}");
    let without_signature = unsigned.rsplit_once('.').unwrap().0.to_owned() + ".";
    assert_stays(&mut person, &[], "no hint");
    assert_stays(&mut person, &[("client_id", "pied-piper")], "an app's name");
    assert_stays(&mut person, &[("id_token_hint", others.id())], "another person's hint");
    assert_stays(&mut person, &[("id_token_hint", &without_signature)], "alg none");
    assert_stays(&mut person, &[("id_token_hint", tokens.access())], "an access token");
    assert_stays(&mut person, &[("id_token_hint", tokens.refresh())], "a refresh token");
    let back = [("id_token_hint", others.id()), ("post_logout_redirect_uri", PIPER)];
    assert_stays(&mut person, &back, "another person's hint with a way back");
    let wrong = [("id_token_hint", tokens.id()), ("client_id", "hooli")];
    assert_stays(&mut person, &wrong, "hint and client of two apps");
    let twice = [("id_token_hint", tokens.id()), ("id_token_hint", tokens.id())];
    assert_stays(&mut person, &twice, "twice");
}

#[test]
fn op12_way_back_is_matched_exactly() {
    let op = Op::start();
    let (mut person, tokens) = Person::signed_in(&op);
    for wrong in [
        HOOLI,
        "http://pied-piper.localhost:8081",
        "http://pied-piper.localhost:8081/x",
        "http://pied-piper.localhost:8081/?x",
        "http://pied-piper.localhost:8081/#",
        "http://pied-piper.localhost:8081/gatepass-silent.html",
        "https://pied-piper.localhost:8081/",
        "//pied-piper.localhost:8081/",
        "javascript:alert(1)",
        "http://pied-piper.localhost:8081/\r\nX: y",
        "http://pied-piper.localhost:8081/\0",
    ] {
        let query = [("id_token_hint", tokens.id()), ("post_logout_redirect_uri", wrong)];
        assert_stays(&mut person, &query, wrong);
    }
}

#[test]
fn op12_expired_hint_is_good() {
    let op = Op::start();
    let (mut person, tokens) = Person::signed_in(&op);
    op.advance(1000);
    let query = [("id_token_hint", tokens.id()), ("post_logout_redirect_uri", PIPER)];
    assert_eq!(end(&mut person, &query).location(), PIPER);
    assert!(!is_signed_in(&mut person));
}

#[test]
fn oidcc_rp_initiated_logout() {
    let op = Op::start();
    let (mut person, tokens) = Person::signed_in(&op);
    let query =
        [("id_token_hint", tokens.id()), ("post_logout_redirect_uri", PIPER), ("state", "s t&=")];
    let answer = end(&mut person, &query);
    assert!(answer.location().starts_with(PIPER));
    assert_eq!(answer.param("state").as_deref(), Some("s t&="));
    assert!(!is_signed_in(&mut person));
}

#[test]
fn oidcc_rp_initiated_logout_no_state() {
    let op = Op::start();
    let (mut person, tokens) = Person::signed_in(&op);
    let query = [("id_token_hint", tokens.id()), ("post_logout_redirect_uri", PIPER)];
    assert_eq!(end(&mut person, &query).location(), PIPER);
}

#[test]
fn oidcc_rp_initiated_logout_bad_post_logout_redirect_uri() {
    let op = Op::start();
    let (mut person, tokens) = Person::signed_in(&op);
    let query =
        [("id_token_hint", tokens.id()), ("post_logout_redirect_uri", "https://evil.example/")];
    assert_stays(&mut person, &query, "not registered");
}

#[test]
fn oidcc_rp_initiated_logout_query_added_to_post_logout_redirect_uri() {
    let op = Op::start();
    let (mut person, tokens) = Person::signed_in(&op);
    let added = format!("{PIPER}?foo=bar");
    let query = [("id_token_hint", tokens.id()), ("post_logout_redirect_uri", &*added)];
    assert_stays(&mut person, &query, "a query was added");
}

#[test]
fn oidcc_rp_initiated_logout_modified_id_token_hint() {
    let op = Op::start();
    let (mut person, tokens) = Person::signed_in(&op);
    let changed = with_header(tokens.id(), "{\"alg\":\"none\",\"typ\":\"JWT\"}");
    let query = [("id_token_hint", &*changed), ("post_logout_redirect_uri", PIPER)];
    assert_stays(&mut person, &query, "alg none");
}

#[test]
fn oidcc_rp_initiated_logout_bad_id_token_hint() {
    let (op, elsewhere) = (Op::start(), Op::start());
    let (mut person, _) = Person::signed_in(&op);
    // Signed by other keys.
    let (_, tokens) = Person::signed_in(&elsewhere);
    let query = [("id_token_hint", tokens.id()), ("post_logout_redirect_uri", PIPER)];
    assert_stays(&mut person, &query, "a foreign signature");
}

#[test]
fn oidcc_rp_initiated_logout_no_id_token_hint() {
    let op = Op::start();
    let (mut person, _) = Person::signed_in(&op);
    assert_stays(&mut person, &[("post_logout_redirect_uri", PIPER)], "no hint");
}

/// The three modules that name no way back: the person is asked, is signed out, and is told.
fn assert_says_so(query: impl Fn(&str) -> Vec<(&'static str, String)>) {
    let op = Op::start();
    let (mut person, tokens) = Person::signed_in(&op);
    let query = query(tokens.id());
    let query: Vec<_> = query.iter().map(|(name, value)| (*name, &**value)).collect();
    let mut answer = end(&mut person, &query);
    if answer.body.contains("/end_session/confirm") {
        let (r, csrf) = (answer.hidden("r"), answer.hidden("csrf"));
        let form = [("r", &*r), ("csrf", &*csrf), ("action", "sign-out")];
        let confirmed = person.post("/end_session/confirm", &form);
        answer = person.follow(confirmed);
    }
    assert!(answer.status == 200 && answer.body.contains("You are signed out"), "{answer:?}");
    assert!(!is_signed_in(&mut person));
}

#[test]
fn oidcc_rp_initiated_logout_no_params() {
    assert_says_so(|_| vec![]);
}

#[test]
fn oidcc_rp_initiated_logout_no_post_logout_redirect_uri() {
    assert_says_so(|hint| {
        vec![("id_token_hint", hint.to_owned()), ("state", "the-state".to_owned())]
    });
}

#[test]
fn oidcc_rp_initiated_logout_only_state() {
    assert_says_so(|_| vec![("state", "the-state".to_owned())]);
}

#[test]
fn oidcc_rp_initiated_logout_discovery_endpoint_verification() {
    let op = Op::start();
    let document = op.get("/.well-known/openid-configuration").json();
    assert_eq!(document["end_session_endpoint"], format!("{}/end_session", op.issuer));
}
