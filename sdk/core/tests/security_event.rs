//! Security Event Tokens (RFC 8417) with events of CAEP 1.0 on the stream (docs/session-events.md, 4.4):
//! something about the session changed, and the tokens say what.

use gatepass_core::{error::Code, wire::Status};
use serde_json::{Value, json};

use crate::world::{
    BEGIN_MS, CLIENT, Endpoint, ISSUER, Page, World,
    keys::{ES256, ES256_NEXT, STRANGER, hmac_sha256},
    token::Draft,
};

const NOW: i64 = BEGIN_MS / 1000;
const LEVEL: &str = "https://schemas.openid.net/secevent/caep/event-type/assurance-level-change";
const CLAIMS: &str = "https://schemas.openid.net/secevent/caep/event-type/token-claims-change";

fn push(change: impl FnOnce(&mut Draft)) -> Page {
    let world = World::new();
    let page = world.signed_in("richard");
    world.push_security_event(change);
    page.expect_status(Status::Authenticated);
    assert_eq!(world.inside().open_streams(), 1, "the stream goes on");
    page
}

#[track_caller]
fn accepts(change: impl FnOnce(&mut Draft)) {
    let page = push(change);
    assert_eq!((page.code(), page.world.refreshes()), (None, 1));
}

/// Nothing is done, but the app can see that it came.
#[track_caller]
fn refuses(change: impl FnOnce(&mut Draft)) {
    let page = push(change);
    assert_eq!(page.code(), Some(Code::SecurityEventInvalid));
    assert!(page.session().error.unwrap().evidence.is_some(), "the evidence names the rule");
    assert_eq!((page.world.refreshes(), page.world.count(Endpoint::UserInfo)), (0, 0));
}

#[track_caller]
fn refuses_misshapen(name: &'static str) {
    for value in [Value::Null, json!(""), json!(true), json!({}), json!([])] {
        refuses(|token| token.claim(name, value));
    }
    refuses(|token| {
        let same = token.claims[name].clone();
        token.duplicate(name, &same);
    });
}

/// The next ID token is of this level.
fn level_becomes(world: &World, acr: &'static str) {
    world.provider().next_id_token(move |token| token.claim("acr", json!(acr)));
}

#[test]
fn c10_level_that_changed_is_shown_in_all_tabs_by_one_notice() {
    let world = World::new();
    let page = world.signed_in("richard");
    let other = world.open();
    let tabs = [&page, &other];
    let before = tabs.map(Page::notices);
    level_becomes(&world, "2");
    world.push_security_event(|_| {});
    for (tab, before) in tabs.into_iter().zip(before) {
        tab.expect_status(Status::Authenticated);
        assert_eq!(tab.claim("acr"), "2");
        assert_eq!((tab.notices(), tab.code()), (before + 1, None));
    }
    assert_eq!(world.refreshes(), 1);
}

/// What it says is not taken from it: the tokens say what holds.
#[test]
fn c10_level_is_the_one_of_the_tokens() {
    let world = World::new();
    let page = world.signed_in("richard");
    world.push_security_event(|_| {});
    assert_eq!((world.refreshes(), page.claim("acr")), (1, json!("1")));
}

#[test]
fn c10_good_events_are_accepted() {
    accepts(|_| {});
    accepts(|token| token.header("typ", json!("application/secevent+jwt")));
    accepts(|token| token.header("typ", json!("SecEvent+JWT")));
    accepts(|token| token.header("kid", Value::Null));
    accepts(|token| token.claim("aud", json!([CLIENT])));
    accepts(|token| token.claim("events", json!({ LEVEL: {} })));
    accepts(|token| token.claim("events", json!({ CLAIMS: { "claims": { "name": null } } })));
    accepts(|token| token.claim("nbf", json!(NOW + 60)));
    accepts(|token| token.claim("iat", json!(NOW + 60)));
}

#[test]
fn c10_event_that_somebody_else_signed_is_ignored() {
    refuses(|token| token.key = &STRANGER);
    refuses(|token| token.key = &ES256_NEXT);
    refuses(|token| {
        token.header("alg", json!("none"));
        token.sign = Some(Box::new(|_| Vec::new()));
    });
    refuses(|token| {
        token.header("alg", json!("HS256"));
        let secret = ES256.jwk()["x"].as_str().unwrap().to_owned();
        token.sign = Some(Box::new(move |input| hmac_sha256(&secret, input)));
    });
    refuses(|token| token.finish = Some(Box::new(|_| "garbage".into())));
}

#[test]
fn c10_event_of_another_issuer_or_for_another_app_is_ignored() {
    refuses(|token| token.claim("iss", json!(format!("{ISSUER}/"))));
    refuses_misshapen("iss");
    for aud in [json!("hooli"), json!([CLIENT, "hooli"])] {
        refuses(|token| token.claim("aud", aud));
    }
    refuses_misshapen("aud");
}

#[test]
fn c10_token_of_another_type_is_no_event() {
    for typ in [Value::Null, json!("JWT"), json!("logout+jwt"), json!("at+jwt"), json!("secevent")]
    {
        refuses(|token| token.header("typ", typ));
    }
    for name in ["sub", "nonce"] {
        for value in [json!("richard"), json!(""), json!(7)] {
            refuses(|token| token.claim(name, value));
        }
    }
    // A logout token is none, and an event is no logout token.
    let world = World::new();
    let page = world.signed_in("richard");
    let sso = world.provider().cookie.unwrap();
    let logout = world.provider().logout_token(sso, NOW).sign();
    world.push(format!("event: security_event\ndata: {logout}\n\n").as_bytes());
    assert_eq!((page.code(), world.refreshes()), (Some(Code::SecurityEventInvalid), 0));
    let event = world.provider().security_event(sso, NOW).sign();
    world.push(format!("event: logout\ndata: {event}\n\n").as_bytes());
    assert_eq!((page.code(), world.refreshes()), (Some(Code::LogoutTokenInvalid), 0));
    page.expect_status(Status::Authenticated);
}

#[test]
fn c10_event_about_somebody_else_is_ignored() {
    let subject = |change: fn(&mut Value)| {
        refuses(move |token| change(&mut token.claims["sub_id"]));
    };
    subject(|id| id["format"] = json!("opaque"));
    subject(|id| id["format"] = json!(null));
    subject(|id| id["user"]["format"] = json!("email"));
    subject(|id| id["user"]["iss"] = json!("https://evil.example"));
    subject(|id| id["user"]["iss"] = json!(null));
    subject(|id| id["user"]["sub"] = json!("gavin"));
    subject(|id| id["user"]["sub"] = json!(7));
    subject(|id| id["user"] = json!(null));
    subject(|id| id["session"]["format"] = json!("iss_sub"));
    subject(|id| id["session"]["id"] = json!("another"));
    subject(|id| id["session"]["id"] = json!(""));
    subject(|id| id["session"] = json!("opaque"));
    refuses_misshapen("sub_id");
    refuses(|token| {
        let user = token.claims["sub_id"]["user"].clone();
        token.claim("sub_id", user);
    });
}

#[test]
fn c10_one_event_of_a_known_kind_is_in_it() {
    for events in [
        json!({ LEVEL: {}, CLAIMS: {} }),
        json!({ LEVEL: [] }),
        json!({ LEVEL: null }),
        json!({ LEVEL: "" }),
        json!({ "https://evil.example/assurance-level-change": {} }),
        json!({ "assurance-level-change": {} }),
        json!({ "http://schemas.openid.net/event/backchannel-logout": {} }),
        json!([LEVEL]),
        json!(LEVEL),
    ] {
        refuses(|token| token.claim("events", events));
    }
    refuses_misshapen("events");
}

#[test]
fn c10_jti_and_iat_are_there() {
    refuses_misshapen("jti");
    refuses(|token| token.claim("jti", json!(7)));
    refuses_misshapen("iat");
    refuses(|token| token.claim("iat", json!("1767225600")));
    refuses(|token| token.claim("nbf", json!("soon")));
}

#[test]
fn c10_event_counts_once() {
    let world = World::new();
    let page = world.signed_in("richard");
    for _ in 0..2 {
        world.push_security_event(|token| token.claim("jti", json!("the-one")));
    }
    assert_eq!(world.refreshes(), 1);
    world.push_security_event(|_| {});
    assert_eq!((world.refreshes(), page.code()), (2, None));
}

#[test]
fn c10_event_from_before_the_tokens_or_of_the_future_is_no_news() {
    for iat in [NOW - 1, NOW + 61] {
        let page = push(|token| token.claim("iat", json!(iat)));
        assert_eq!((page.code(), page.world.refreshes()), (None, 0), "{iat}");
    }
    // One that was late on its way is: it has no time to run out.
    let world = World::new();
    world.signed_in("richard");
    world.advance_with_heartbeat(200);
    world.push_security_event(|token| token.claim("iat", json!(NOW + 1)));
    assert_eq!(world.refreshes(), 1);
}

#[test]
fn c10_without_a_refresh_token_the_session_is_checked() {
    let world = World::new();
    world.provider().gives_refresh_token = false;
    let page = world.signed_in("richard");
    world.push_security_event(|_| {});
    page.expect_status(Status::Authenticated);
    assert_eq!((world.refreshes(), world.count(Endpoint::UserInfo)), (0, 1));
}

#[test]
fn c10_change_that_cannot_be_asked_about_leaves_the_session() {
    let world = World::new();
    let page = world.signed_in("richard");
    world.provider().once(Endpoint::Token, |reply| reply.status = 503);
    world.provider().rotates = false;
    world.push_security_event(|_| {});
    page.expect_status(Status::Offline);
    assert_eq!(page.claim("sub"), "richard");
    world.heartbeat();
    page.expect_status(Status::Authenticated);
    // What changed comes with the next refresh.
    level_becomes(&world, "2");
    world.advance_with_heartbeat(400);
    assert!(page.token().is_ok());
    assert_eq!(page.claim("acr"), "2");
}
