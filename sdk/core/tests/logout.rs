//! The logout token by the rules of Back-Channel Logout 1.0, 2.6, and signing out.

use gatepass_core::{
    error::Code,
    wire::{Cause, Command, Ending, OnLoad, Outcome, Scope, Signal, Status},
};
use serde_json::{Value, json};

use crate::world::{
    APP, BEGIN_MS, CLIENT, Endpoint, ISSUER, Page, World,
    keys::{ES256, ES256_NEXT, RS256, STRANGER, hmac_sha256},
    provider::{Reply, Visit},
    token::Draft,
};

const NOW: i64 = BEGIN_MS / 1000;
const EVENT: &str = "http://schemas.openid.net/event/backchannel-logout";

fn push(change: impl FnMut(&mut Draft)) -> Page {
    let world = World::new();
    let page = world.signed_in("richard");
    world.push_logout_token(change);
    page
}

#[track_caller]
fn accepts(change: impl FnMut(&mut Draft)) {
    let page = push(change);
    page.expect_status(Status::Anonymous);
    assert_eq!(page.cause(), Some(Ending::LogoutToken));
    assert_eq!(page.code(), None);
}

#[track_caller]
fn refuses(change: impl FnMut(&mut Draft)) {
    let page = push(change);
    page.expect_status(Status::Authenticated);
    assert_eq!(page.code(), Some(Code::LogoutTokenInvalid));
    assert!(page.session().error.unwrap().evidence.is_some(), "the evidence names the rule");
    assert_eq!(page.world.count(Endpoint::UserInfo), 0);
    assert_eq!(page.world.inside().open_streams(), 1, "the stream goes on");
}

#[track_caller]
fn refuses_misshapen(name: &'static str) {
    for value in [Value::Null, json!(""), json!(true), json!({}), json!([])] {
        refuses(|token| token.claim(name, value.clone()));
    }
    refuses(|token| {
        let same = token.claims[name].clone();
        token.duplicate(name, &same);
    });
}

#[test]
fn f2_the_good_token_is_accepted() {
    accepts(|_| {});
    accepts(|token| token.header("typ", Value::Null));
    accepts(|token| token.header("typ", json!("application/logout+jwt")));
    accepts(|token| token.header("kid", Value::Null));
}

#[test]
fn oidcc_backchannel_alg_none() {
    for algorithm in ["none", "None"] {
        refuses(|token| {
            token.header("alg", json!(algorithm));
            token.sign = Some(Box::new(|_| Vec::new()));
        });
    }
}

#[test]
fn oidcc_backchannel_wrong_alg() {
    refuses(|token| {
        token.header("alg", json!("HS256"));
        let secret = ES256.jwk()["x"].as_str().unwrap().to_owned();
        token.sign = Some(Box::new(move |input| hmac_sha256(&secret, input)));
    });
    refuses(|token| token.header("alg", json!("RS256")));
    refuses(|token| token.header("alg", Value::Null));
    refuses(|token| token.header("crit", json!(["exp"])));
}

#[test]
fn oidcc_backchannel_wrong_signature() {
    refuses(|token| token.key = &STRANGER);
    refuses(|token| token.key = &ES256_NEXT);
    refuses(|token| token.key = &RS256);
    refuses(|token| token.finish = Some(Box::new(|t| t[..t.rfind('.').unwrap() + 1].into())));
    refuses(|token| token.finish = Some(Box::new(|_| "garbage".into())));
    refuses(|token| token.finish = Some(Box::new(|_| String::new())));
}

#[test]
fn oidcc_backchannel_wrong_iss() {
    for other in
        [format!("{ISSUER}/"), ISSUER.replace("https", "http"), "https://evil.example".into()]
    {
        refuses(|token| token.claim("iss", json!(other)));
    }
    refuses_misshapen("iss");
}

#[test]
fn oidcc_backchannel_wrong_aud() {
    accepts(|token| token.claim("aud", json!([CLIENT])));
    for aud in [json!("hooli"), json!(["hooli"]), json!([CLIENT, "hooli"]), json!([CLIENT, 7])] {
        refuses(|token| token.claim("aud", aud.clone()));
    }
    refuses_misshapen("aud");
}

#[test]
fn sub_or_sid_is_there_and_of_this_session() {
    accepts(|token| token.claim("sub", Value::Null));
    accepts(|token| token.claim("sid", Value::Null));
    refuses(|token| {
        token.claim("sid", Value::Null);
        token.claim("sub", Value::Null);
    });
    refuses(|token| token.claim("sid", json!("another")));
    refuses(|token| token.claim("sub", json!("gavin")));
    refuses(|token| {
        token.claim("sid", json!("another"));
        token.claim("sub", Value::Null);
    });
    refuses(|token| {
        token.claim("sub", json!("gavin"));
        token.claim("sid", Value::Null);
    });
    for value in [json!(""), json!(7), json!([])] {
        refuses(|token| token.claim("sid", value.clone()));
        refuses(|token| token.claim("sub", value.clone()));
    }
}

#[test]
fn oidcc_backchannel_no_event_and_wrong_event() {
    accepts(|token| token.claim("events", json!({ EVENT: {}, "https://x.example": {} })));
    accepts(|token| token.claim("events", json!({ EVENT: { "more": 1 } })));
    for events in [
        Value::Null,
        json!({}),
        json!([EVENT]),
        json!(EVENT),
        json!({ EVENT: null }),
        json!({ EVENT: true }),
        json!({ EVENT: [] }),
        json!({ EVENT: "" }),
        json!({ "http://schemas.openid.net/event/backchannel-logout/": {} }),
        json!({ "https://schemas.openid.net/event/backchannel-logout": {} }),
        json!({ "https://schemas.openid.net/secevent/caep/event-type/session-revoked": {} }),
    ] {
        refuses(|token| token.claim("events", events.clone()));
    }
}

#[test]
fn oidcc_backchannel_with_nonce() {
    for nonce in [json!("x"), json!(""), json!(7), json!(false)] {
        refuses(|token| token.claim("nonce", nonce.clone()));
    }
    refuses(|token| {
        let text = Value::Object(token.claims.clone()).to_string();
        token.claims_text = Some(text.replacen('{', "{\"nonce\":null,", 1));
    });
}

#[test]
fn jti_is_there() {
    refuses_misshapen("jti");
    refuses(|token| token.claim("jti", json!(7)));
}

#[test]
fn typ_if_present_is_that_of_a_logout_token() {
    for typ in ["LOGOUT+JWT", "application/logout+jwt", "Application/Logout+JWT"] {
        accepts(|token| token.header("typ", json!(typ)));
    }
    accepts(|token| token.header("typ", Value::Null));
    refuses(|token| token.header("typ", json!(7)));
    refuses(|token| token.header("typ", json!("application/jwt")));
    for typ in [json!("JWT"), json!("at+jwt"), json!("secevent+jwt"), json!("logout")] {
        refuses(|token| token.header("typ", typ.clone()));
    }
}

#[test]
fn an_id_token_is_no_logout_token() {
    let world = World::new();
    let page = world.signed_in("richard");
    let id_token = world.overheard("session")["id_token"].as_str().unwrap().to_owned();
    world.push(format!("event: logout\ndata: {id_token}\n\n").as_bytes());
    page.expect_status(Status::Authenticated);
    assert_eq!(page.code(), Some(Code::LogoutTokenInvalid));
}

#[test]
fn rp15_a_token_that_fails_only_for_its_time_causes_a_check() {
    // In time, with a minute of skew either way.
    accepts(|token| token.claim("exp", json!(NOW - 59)));
    accepts(|token| token.claim("iat", json!(NOW + 60)));
    accepts(|token| token.claim("nbf", json!(NOW + 60)));
    for (name, value) in [
        ("exp", NOW - 60),
        ("exp", NOW - 100_000),
        ("iat", NOW + 61),
        ("iat", NOW + 100_000),
        ("nbf", NOW + 61),
    ] {
        // The session is over: the check finds that.
        let world = World::new();
        let page = world.signed_in("richard");
        {
            let mut browser = world.inside();
            let sso = browser.provider.cookie.unwrap();
            browser.push_logout(sso, |token| token.claim(name, json!(value)));
            browser.provider.end_sso(sso);
            browser.settle();
        }
        assert_eq!(world.count(Endpoint::UserInfo), 1);
        assert_ne!(page.status(), Status::Authenticated);
        assert_eq!(page.session().claims, None);
        // The session stands: so it does here.
        let page = push(|token| token.claim(name, json!(value)));
        page.expect_status(Status::Authenticated);
        assert_eq!(page.world.count(Endpoint::UserInfo), 1);
        assert_eq!(page.code(), None);
    }
    // Forged and late is forged.
    refuses(|token| {
        token.claim("exp", json!(NOW - 1000));
        token.key = &STRANGER;
    });
    // Late, and without a time of its own: that is not a matter of clocks.
    for (name, value) in [("iat", Value::Null), ("iat", json!("soon")), ("nbf", json!("soon"))] {
        refuses(|token| {
            token.claim("exp", json!(NOW - 1000));
            token.claim(name, value.clone());
        });
    }
    for name in ["iat", "exp"] {
        refuses_misshapen(name);
        refuses(|token| token.claim(name, json!("1767225600")));
        refuses(|token| token.claim(name, json!(-1)));
    }
}

#[test]
fn a_replayed_jti_counts_once() {
    let world = World::new();
    let page = world.signed_in("richard");
    let other = world.open();
    let mut sent = String::new();
    world.push_logout_token(|token| {
        token.claim("sid", Value::Null);
        token.claim("jti", json!("the-one"));
        sent = format!("{}", token.claims["iat"]);
    });
    page.expect_status(Status::Anonymous);
    other.expect_status(Status::Anonymous);
    assert!(!sent.is_empty());
    // The person signs in again in the other tab; this page adopts, leads and hears the same token.
    world.advance(1);
    other.sign_in();
    page.expect_status(Status::Authenticated);
    other.close();
    world.advance(1);
    assert!(page.leads());
    world.push_logout_token(|token| {
        token.claim("sid", Value::Null);
        token.claim("jti", json!("the-one"));
    });
    page.expect_status(Status::Authenticated);
    world.push_logout_token(|token| token.claim("jti", json!("the-next")));
    page.expect_status(Status::Anonymous);
}

#[test]
fn a_logout_token_of_an_earlier_sign_in_ends_no_later_one() {
    // The same `sid`: the provider's session went on. The page that heard the token is gone, and
    // with it the list of those that have counted.
    let world = World::new();
    let page = world.signed_in("richard");
    world.advance_with_heartbeat(30);
    page.leave_only_this_app();
    page.sign_in();
    page.expect_status(Status::Authenticated);
    world.push_logout_token(|token| token.claim("iat", json!(NOW + 29)));
    page.expect_status(Status::Authenticated);
    // It is not dropped: the provider was asked.
    assert_eq!(world.count(Endpoint::UserInfo), 1);
    assert_eq!(page.code(), None);
    world.push_logout_token(|token| token.claim("iat", json!(NOW + 30)));
    page.expect_status(Status::Anonymous);
}

#[test]
fn a_logout_token_signed_by_a_new_key_is_accepted_after_one_fetch() {
    let world = World::new();
    let page = world.signed_in("richard");
    world.advance_with_heartbeat(30);
    world.provider().published.push(ES256_NEXT.jwk());
    let fetched = world.count(Endpoint::Keys);
    world.push_logout_token(|token| {
        token.key = &ES256_NEXT;
        token.header("kid", json!("es-2"));
    });
    page.expect_status(Status::Anonymous);
    assert_eq!(world.count(Endpoint::Keys), fetched + 1);
}

#[test]
fn other_events_of_the_stream_mean_nothing() {
    let world = World::new();
    let page = world.signed_in("richard");
    let sso = world.provider().cookie.unwrap();
    let token = world.provider().logout_token(sso, NOW).sign();
    let notices = page.notices();
    for event in [
        format!("data: {token}\n\n"),
        format!("event: message\ndata: {token}\n\n"),
        format!("event: Logout\ndata: {token}\n\n"),
        format!("event: logout \ndata: {token}\n\n"),
        format!("id: logout\ndata: {token}\n\n"),
        "event: logout\n\n".into(),
        "event: open\ndata: nonsense\n\n".into(),
        "retry: 1\n\n".into(),
    ] {
        world.push(event.as_bytes());
        page.expect_status(Status::Authenticated);
        assert_eq!(page.notices(), notices, "{event}");
    }
    world.push(format!("event: logout\ndata: {token}\n\n").as_bytes());
    page.expect_status(Status::Anonymous);
}

#[test]
fn f2_the_event_may_come_in_any_pieces_and_line_ends() {
    for end in ["\n", "\r\n", "\r"] {
        let world = World::new();
        let page = world.signed_in("richard");
        let sso = world.provider().cookie.unwrap();
        let token = world.provider().logout_token(sso, NOW).sign();
        let event = format!(":comment{end}event:logout{end}data:{token}{end}{end}");
        let (all_but_the_end, last) = event.as_bytes().split_at(event.len() - end.len());
        for byte in all_but_the_end {
            world.push(&[*byte]);
            page.expect_status(Status::Authenticated);
        }
        world.push(last);
        page.expect_status(Status::Anonymous);
    }
    // Every single boundary.
    let world = World::new();
    let sample = {
        let page = world.signed_in("richard");
        page.leave_only_this_app();
        let sso = world.provider().cookie.unwrap();
        world.provider().logout_token(sso, NOW).sign().len()
    };
    for cut in (0..sample + 30).step_by(9) {
        let world = World::new();
        let page = world.signed_in("richard");
        let sso = world.provider().cookie.unwrap();
        let token = world.provider().logout_token(sso, NOW).sign();
        let event = format!("event: logout\r\ndata: {token}\r\n\r\n");
        let cut = cut.min(event.len());
        world.push(&event.as_bytes()[..cut]);
        world.push(&event.as_bytes()[cut..]);
        page.expect_status(Status::Anonymous);
    }
}

// Signing out.

#[test]
fn f7_the_session_is_gone_before_any_request() {
    let world = World::new();
    let page = world.signed_in("richard");
    let other = world.open();
    let (requests, asked) = (world.requests(), world.count(Endpoint::Discovery));
    world.hold(Endpoint::Discovery);
    let id = page.begin(Command::SignOut { scope: Scope::Global });
    page.expect_status(Status::Anonymous);
    assert_eq!(page.outcome(id), None);
    world.settle();
    other.expect_status(Status::Anonymous);
    assert_eq!(world.count(Endpoint::Discovery), asked + 1);
    assert_eq!(world.count(Endpoint::Revocation), 1);
    assert_eq!(world.requests(), requests + 2);
    assert!(!world.provider().sessions[0].ended, "the provider comes last");
    world.release();
    assert!(world.provider().sessions[0].ended);
    page.expect_status(Status::Anonymous);
}

#[test]
fn oidcc_client_test_rp_init_logout() {
    let world = World::new();
    let page = world.signed_in("richard");
    let id_token = world.overheard("session")["id_token"].clone();
    world.inside().stays = true;
    assert_eq!(page.sign_out(), Some(Outcome::Leaving {}));
    world.inside().stays = false;
    world.settle();
    let asked = world.last_visit();
    assert!(world.provider().visits.last().unwrap().starts_with(&format!("{ISSUER}/end_session?")));
    assert_eq!(json!(asked["id_token_hint"]), id_token);
    assert_eq!(asked["client_id"], CLIENT);
    assert_eq!(asked["post_logout_redirect_uri"], format!("{APP}/"));
    assert_eq!(asked["state"].len(), 43);
    assert_eq!(asked.len(), 4);
    // Back, by the registered address, with the state that is ours.
    assert_eq!(crate::world::parameters(&page.loaded())["state"], asked["state"]);
    page.expect_status(Status::Anonymous);
    assert_eq!(page.code(), None);
    assert!(
        !page.storage().keys().any(|key| key.contains(&asked["state"])),
        "the record is used up"
    );
}

#[test]
fn rp21_another_state_or_none_after_logout() {
    let world = World::new();
    let page = world.signed_in("richard");
    world.inside().stays = true;
    page.sign_out();
    let page2 = world.tab();
    page2.visit(&format!("{APP}/?state=another"), OnLoad::Auto);
    world.advance(20);
    // A lone `state` that this tab does not know is the app's own.
    page2.expect_status(Status::Anonymous);
    assert_eq!(page2.code(), None);
    let page3 = world.tab();
    page3.visit(&format!("{APP}/"), OnLoad::Manual);
    world.advance(20);
    page3.expect_status(Status::Anonymous);
    assert_eq!(page3.code(), None);
}

#[test]
fn the_marker_of_a_sign_out_survives_reloads_until_a_click() {
    for scope in [Scope::Global, Scope::Local] {
        let world = World::new();
        let page = world.signed_in("richard");
        page.run(Command::SignOut { scope });
        let visits = world.visits();
        for on_load in [OnLoad::Auto, OnLoad::Hint, OnLoad::Auto] {
            page.load("/private", on_load);
            page.expect_status(Status::Anonymous);
        }
        assert_eq!(world.visits(), visits, "nothing asks by itself");
        // F17: a click signs in; without a password if the provider's session stands.
        page.sign_in();
        match scope {
            Scope::Local => page.expect_status(Status::Authenticated),
            Scope::Global => assert!(matches!(page.at_provider(), Some(Visit::Login(_)))),
        }
    }
}

#[test]
fn a_pushed_logout_sets_no_marker() {
    let world = World::new();
    let page = world.signed_in("richard");
    world.provider_ends_session();
    world.person_signs_in("richard");
    page.load("/", OnLoad::Auto);
    page.expect_status(Status::Authenticated);
}

#[test]
fn a_provider_down_at_sign_out_is_told_and_the_person_is_signed_out_here() {
    let world = World::new();
    let page = world.signed_in("richard");
    let other = world.open();
    world.provider().is_down = true;
    let Some(Outcome::Failed { error }) = page.sign_out() else { panic!() };
    assert_eq!(error.code, Code::IssuerUnreachable);
    for page in [&page, &other] {
        page.expect_status(Status::Anonymous);
        assert_eq!(page.cause(), Some(Ending::SignedOut));
        assert_eq!(page.token(), Err(Code::NotSignedIn));
    }
    assert_eq!(page.code(), Some(Code::IssuerUnreachable));
    assert_eq!(world.visits(), 1, "the page was not left");
    assert!(page.is_here());
}

#[test]
fn a_sign_out_without_a_session_asks_the_provider_all_the_same() {
    let world = World::new();
    let page = world.open();
    world.person_signs_in("richard");
    page.sign_out();
    assert!(world.provider().sessions[0].ended);
    assert!(!world.last_visit().contains_key("id_token_hint"));
    let page = world.open();
    assert_eq!(page.leave_only_this_app(), Some(Outcome::Done {}));
}

#[test]
fn a_sign_out_when_storage_is_blocked_still_signs_out() {
    let world = World::new();
    let page = world.signed_in("richard");
    world.inside().storage_blocked = true;
    page.sign_out();
    assert!(world.provider().sessions[0].ended);
    assert!(!world.last_visit().contains_key("state"), "there is nothing to compare it with");
}

#[test]
fn two_sign_outs_at_once_leave_once() {
    let world = World::new();
    let page = world.signed_in("richard");
    world.inside().stays = true;
    let one = page.begin(Command::SignOut { scope: Scope::Global });
    let two = page.begin(Command::SignOut { scope: Scope::Global });
    let three = page.begin(crate::world::page::sign_in_to("/"));
    world.settle();
    let leaving = [one, two, three]
        .iter()
        .filter(|id| page.outcome(**id) == Some(Outcome::Leaving {}))
        .count();
    assert_eq!(leaving, 1);
    assert!([one, two, three].iter().all(|id| page.outcome(*id).is_some()));
}

#[test]
fn rp24_back_after_a_sign_out_shows_no_data() {
    let world = World::new();
    let page = world.signed_in("richard");
    page.sign_out();
    page.begin_back();
    assert_ne!(page.status(), Status::Authenticated);
    assert_eq!(page.session().claims, None);
    world.settle();
    page.expect_status(Status::Anonymous);
    assert_eq!(page.token(), Err(Code::NotSignedIn));
}

#[test]
fn rp24_back_to_a_page_that_was_left_signed_in() {
    let world = World::new();
    let page = world.signed_in("richard");
    page.load("/other", OnLoad::Auto);
    page.expect_status(Status::Authenticated);
    page.leave_only_this_app();
    page.back();
    page.expect_status(Status::Anonymous);
    assert_eq!(page.session().claims, None);
}

#[test]
fn s15_the_old_token_is_worth_nothing_after_a_sign_out() {
    let world = World::new();
    let page = world.signed_in("richard");
    let token = page.token().unwrap();
    let now = world.inside().provider_time();
    assert!(world.provider().accepts(&token, now));
    page.sign_out();
    assert!(!world.provider().accepts(&token, now));
}

#[test]
fn a_page_seen_again_checks_unless_the_stream_has_just_been_heard() {
    let world = World::new();
    let page = world.signed_in("richard");
    page.signal(Signal::Hidden {});
    world.advance_with_heartbeat(15);
    page.signal(Signal::Shown {});
    assert_eq!(world.count(Endpoint::UserInfo), 0);
    world.advance(35);
    page.signal(Signal::Shown {});
    assert_eq!(world.count(Endpoint::UserInfo), 1);
    page.signal(Signal::Online {});
    assert_eq!(world.count(Endpoint::UserInfo), 2);
}

#[test]
fn f7_a_sign_out_that_is_too_long_for_an_address_is_posted() {
    for (claim, posts) in [("short".to_owned(), 0), ("x".repeat(6000), 1)] {
        let world = World::new();
        world.provider().next_id_token(move |draft| draft.claim("about", json!(claim)));
        let page = world.signed_in("richard");
        page.sign_out();
        assert_eq!(world.inside().posts, posts);
        // The provider has read it, and the answer was recognised.
        assert_eq!(page.cause(), Some(Ending::SignedOut));
        assert!(world.provider().cookie.is_none());
        assert_eq!(page.code(), None);
    }
}

#[test]
fn f7_a_sign_out_that_could_not_be_told_is_finished_by_the_next_click() {
    let world = World::new();
    let page = world.signed_in("richard");
    world.provider().is_down = true;
    world.advance(90);
    // However often she clicks, and whatever she leaves besides.
    for _ in 0..2 {
        assert!(matches!(page.sign_out(), Some(Outcome::Failed { .. })));
    }
    page.leave_only_this_app();
    page.expect_status(Status::Anonymous);
    assert_eq!(page.code(), Some(Code::IssuerUnreachable));
    // It is back, and nothing happens by itself.
    world.provider().is_down = false;
    let visits = world.visits();
    world.advance(600);
    assert!(page.is_here() && world.visits() == visits && world.provider().cookie.is_some());
    page.sign_out();
    let asked = world.last_visit();
    assert!(!asked["id_token_hint"].is_empty());
    assert!(world.provider().cookie.is_none());
    assert_eq!((page.cause(), page.code()), (Some(Ending::SignedOut), None));
    // What was left of one session is not told at the end of the next one's.
    page.sign_out();
    assert_eq!(world.last_visit().get("id_token_hint").map(String::as_str), None);
}

#[test]
fn f7_a_sign_out_that_could_not_be_told_is_offered_by_the_next_page_too() {
    let world = World::new();
    let page = world.signed_in("richard");
    world.provider().is_down = true;
    assert!(matches!(page.sign_out(), Some(Outcome::Failed { .. })));
    let at = page.session().cause.unwrap().at;
    world.advance(60);
    for on_load in [OnLoad::Manual, OnLoad::Hint, OnLoad::Auto] {
        page.load("/", on_load);
        page.expect_refused(Code::IssuerUnreachable);
        assert_eq!(page.session().cause.unwrap(), Cause { ending: Ending::SignedOut, at });
    }
    world.provider().is_down = false;
    page.sign_out();
    // The ID token is nowhere any more, so that the provider asks the person; then it leads back.
    let asked = world.last_visit();
    assert_eq!(asked.get("id_token_hint"), None);
    assert_eq!(asked["client_id"], CLIENT);
    page.visit(&format!("{APP}/?state={}", asked["state"]), OnLoad::Manual);
    assert_eq!((page.cause(), page.code()), (Some(Ending::SignedOut), None));
    page.load("/", OnLoad::Manual);
    assert_eq!((page.cause(), page.code()), (None, None));
}

#[test]
fn f7_a_page_that_is_reloaded_while_the_provider_is_slow_offers_its_sign_out_again() {
    let world = World::new();
    let page = world.signed_in("richard");
    world.advance(90);
    world.hold(Endpoint::Discovery);
    page.begin(Command::SignOut { scope: Scope::Global });
    page.begin_load("/", OnLoad::Manual);
    world.release();
    page.expect_refused(Code::IssuerUnreachable);
    assert_eq!(page.cause(), Some(Ending::SignedOut));
    // Told at last, it is offered no more.
    page.sign_out();
    page.load("/", OnLoad::Manual);
    assert_eq!((page.cause(), page.code()), (None, None));
}

#[test]
fn f7_a_sign_in_that_comes_to_nothing_leaves_a_sign_out_that_could_not_be_told() {
    let world = World::new();
    let page = world.signed_in("richard");
    world.provider().is_down = true;
    page.sign_out();
    assert!(matches!(page.sign_in(), Some(Outcome::Failed { .. })));
    page.load("/", OnLoad::Manual);
    page.expect_refused(Code::IssuerUnreachable);
    // A session is what it gives way to, and the next page does not speak of it either.
    world.provider().is_down = false;
    page.sign_in();
    page.expect_status(Status::Authenticated);
    page.leave_only_this_app();
    page.load("/", OnLoad::Manual);
    assert_eq!((page.cause(), page.code()), (None, None));
}

#[test]
fn f7_what_somebody_on_the_way_says_in_the_providers_place_is_no_sign_out_told() {
    let world = World::new();
    let page = world.signed_in("richard");
    world.provider().always(Endpoint::Discovery, Reply::html);
    world.advance(90);
    let Some(Outcome::Failed { error }) = page.sign_out() else { panic!() };
    assert_eq!(error.code, Code::MetadataInvalid);
    world.provider().behave();
    page.load("/", OnLoad::Manual);
    page.expect_refused(Code::IssuerUnreachable);
    assert_eq!(page.cause(), Some(Ending::SignedOut));
}

#[test]
fn a_provider_that_has_no_end_of_sessions_is_not_said_to_be_told_later() {
    let world = World::new();
    world.provider().publishes_no("end_session_endpoint");
    let page = world.signed_in("richard");
    let Some(Outcome::Failed { error }) = page.sign_out() else { panic!() };
    assert_eq!(error.code, Code::SignOutUnsupported);
    page.load("/", OnLoad::Manual);
    assert_eq!((page.cause(), page.code()), (None, None));
}

#[test]
fn a_sign_in_takes_the_place_of_a_sign_out_that_could_not_be_told() {
    let world = World::new();
    let page = world.signed_in("richard");
    world.provider().is_down = true;
    page.sign_out();
    world.provider().is_down = false;
    page.sign_in();
    page.expect_status(Status::Authenticated);
    assert_eq!((page.cause(), page.code()), (None, None));
    page.leave_only_this_app();
    page.load("/", OnLoad::Manual);
    assert_eq!((page.cause(), page.code()), (None, None));
}
