//! Several tabs of one origin: one session, one leader, one stream.

use gatepass_core::{
    error::Code,
    wire::{Command, OnLoad, Outcome, Signal, Status},
};
use serde_json::{Value, json};

use crate::world::{CLIENT, Endpoint, ISSUER, Page, World, page::get_token};

#[test]
fn the_seventh_tab_adopts_too() {
    let world = World::new();
    let first = world.signed_in("richard");
    let requests = world.requests();
    let others: Vec<_> = (0..6).map(|_| world.open()).collect();
    for page in &others {
        page.expect_status(Status::Authenticated);
        assert_eq!(page.token(), first.token());
    }
    assert_eq!(world.requests(), requests);
    assert_eq!(world.inside().open_streams(), 1, "one stream per origin");
}

#[test]
fn a_sign_in_is_seen_by_the_other_tabs() {
    let world = World::new();
    let other = world.open();
    other.expect_status(Status::Anonymous);
    let notices = other.notices();
    world.signed_in("richard");
    other.expect_status(Status::Authenticated);
    assert_eq!(other.notices(), notices + 1, "subscribers are told once");
}

#[test]
fn a_follower_takes_over_when_the_leader_closes() {
    let world = World::new();
    let first = world.signed_in("richard");
    let second = world.open();
    assert!(first.leads());
    first.close();
    assert!(second.leads());
    assert_eq!(world.inside().open_streams(), 1);
    world.provider_ends_session();
    second.expect_status(Status::Anonymous);
}

#[test]
fn a_frozen_leader_hands_over() {
    let world = World::new();
    let first = world.signed_in("richard");
    let second = world.open();
    first.freeze();
    assert!(second.leads());
    assert_eq!(world.inside().open_streams(), 1);
    first.thaw();
    first.expect_status(Status::Authenticated);
    assert!(second.leads(), "who thaws does not take the lead back");
}

#[test]
fn a_hidden_tab_stays_leader() {
    let world = World::new();
    let first = world.signed_in("richard");
    world.open();
    first.signal(Signal::Hidden {});
    assert!(first.leads());
}

#[test]
fn without_locks_every_tab_acts_for_itself() {
    let world = World::new();
    world.inside().locks_missing = true;
    let first = world.signed_in("richard");
    let second = world.open();
    second.expect_status(Status::Authenticated);
    assert_eq!(world.inside().open_streams(), 2);
    world.provider_ends_session();
    for page in [&first, &second] {
        page.expect_status(Status::Anonymous);
    }
}

#[test]
fn rp20_words_that_make_no_sense_are_no_news() {
    let world = World::new();
    let page = world.signed_in("richard");
    let good = world.overheard("session");
    let (notices, requests) = (page.notices(), world.requests());
    let keys = world.count(Endpoint::Keys);
    let mut forgeries = vec![
        String::new(),
        "{".into(),
        "null".into(),
        "[]".into(),
        "{}".into(),
        r#"{"kind":"hello","kind":"ended"}"#.into(),
        r#"{"kind":"unheard"}"#.into(),
        r#"{"kind":"renew"}"#.into(),
        r#"{"kind":"ended"}"#.into(),
        r#"{"kind":"ended","version":[1,"x"],"cause":"signed_out","at":1}"#.into(),
        r#"{"kind":"ended","began":[1,"x"],"sid":"another","cause":"signed_out","at":1}"#.into(),
        r#"{"kind":"ended","began":[1800000000000,"x"],"cause":"bored","at":1}"#.into(),
        r#"{"kind":"ended","began":[9007199254740991,"x"],"cause":"signed_out","at":1}"#.into(),
        r#"{"kind":"refreshing"}"#.into(),
        r#"{"kind":"idle"}"#.into(),
        r#"{"kind":"busy"}"#.into(),
    ];
    let newer = json!([crate::world::BEGIN_MS + 1_000_000, "forger"]);
    for (name, value) in [
        ("id_token", json!("a.b.c")),
        ("id_token", json!(7)),
        ("access_token", json!(null)),
        ("refresh_token", json!(7)),
        ("started_at", json!("soon")),
        ("version", json!("newest")),
        ("version", json!([1, 2])),
        ("keys", json!({})),
    ] {
        let mut message = good.clone();
        message["version"] = newer.clone();
        message[name] = value;
        forgeries.push(message.to_string());
    }
    // A token of another issuer, for somebody else, or not signed by the provider.
    let mut message = good.clone();
    message["version"] = newer.clone();
    let token = good["id_token"].as_str().unwrap().to_owned();
    message["id_token"] = json!(format!("{}AAAA", &token[..token.len() - 4]));
    forgeries.push(message.to_string());
    // Another access token than the one that the ID token was issued with.
    let mut message = good;
    message["version"] = newer.clone();
    message["began"] = newer;
    message["access_token"] = json!("another");
    forgeries.push(message.to_string());
    for forgery in forgeries {
        world.say(&forgery);
        page.expect_status(Status::Authenticated);
        assert_eq!(page.notices(), notices, "{forgery}");
    }
    // Whether the provider has replaced the key is found out, once for all of them.
    assert_eq!((world.requests(), world.count(Endpoint::Keys)), (requests + 1, keys + 1));
    assert!(page.token().is_ok());
}

#[test]
fn rp20_keys_that_came_with_a_forged_session_verify_nothing_later() {
    let world = World::new();
    let page = world.signed_in("richard");
    let mut forged = world.overheard("session");
    page.close();
    // A page that knows no keys yet hears of a session with somebody else's.
    let page = world.open();
    page.expect_status(Status::Anonymous);
    let jwks = json!({ "keys": [crate::world::keys::STRANGER.jwk()] });
    forged["keys"] = json!(jwks.to_string());
    world.hold(Endpoint::Keys);
    world.say(&forged.to_string());
    page.expect_status(Status::Anonymous);
    // The token is the provider's, as its own keys show; those are the page's from then on.
    world.release();
    page.expect_status(Status::Authenticated);
    world.push_logout_token(|token| token.key = &crate::world::keys::STRANGER);
    page.expect_status(Status::Authenticated);
    assert_eq!(page.code(), Some(Code::LogoutTokenInvalid));
}

#[test]
fn rp12_a_tab_adopts_what_a_replaced_key_has_signed() {
    let world = World::new();
    let first = world.signed_in("richard");
    let second = world.open();
    world.advance_with_heartbeat(290);
    // What the second tab knows of the keys is not fresh, then its own.
    for _ in 0..2 {
        world.provider().key = &crate::world::keys::STRANGER;
        world.provider().published = vec![crate::world::keys::STRANGER.jwk()];
        let token = first.token().unwrap();
        assert_eq!(second.token(), Ok(token));
        world.advance_with_heartbeat(290);
        world.provider().key = &crate::world::keys::ES256;
        world.provider().published = vec![crate::world::keys::ES256.jwk()];
        let token = first.token().unwrap();
        assert_eq!(second.token(), Ok(token));
        world.advance_with_heartbeat(290);
    }
    assert_eq!(world.refreshes(), 4);
}

#[test]
fn rp20_a_forged_session_does_not_disturb_a_callback() {
    let world = World::new();
    let page = world.signed_in("richard");
    let mut forged = world.overheard("session");
    page.close();
    let page = world.open();
    world.hold(Endpoint::Token);
    page.sign_in();
    forged["access_token"] = json!("another");
    world.say(&forged.to_string());
    page.expect_status(Status::Restoring);
    world.release();
    page.expect_status(Status::Authenticated);
}

#[test]
fn a_tab_that_opens_late_adopts_although_the_id_token_has_run_out() {
    let world = World::new();
    let first = world.signed_in("richard");
    world.advance_with_heartbeat(3600);
    first.expect_status(Status::Authenticated);
    let requests = world.requests();
    let second = world.open();
    second.expect_status(Status::Authenticated);
    assert_eq!(world.requests(), requests);
    // What it shows was compared when the token was accepted.
    for name in ["exp", "iat"] {
        let find = |page: &Page| page.checks().into_iter().find(|check| check.name == name);
        assert_eq!(find(&second), find(&first));
    }
}

#[test]
fn a_tab_adopts_in_spite_of_a_local_clock_that_is_off() {
    for offset in [-600_000, 600_000] {
        let world = World::with(|config| config.session_lifetime = Some(700));
        world.provider().clock_offset_ms = offset;
        let first = world.signed_in("richard");
        let second = world.open();
        second.expect_status(Status::Authenticated);
        assert_eq!(second.session().clock_offset, first.session().clock_offset);
        first.expect_status(Status::Authenticated);
    }
}

#[test]
fn a_tab_waits_for_another_that_is_signing_in() {
    let world = World::new();
    let first = world.open();
    world.person_signs_in("richard");
    world.hold(Endpoint::Token);
    first.sign_in();
    let second = world.tab();
    second.load("/", OnLoad::Auto);
    world.advance(5);
    second.expect_status(Status::Restoring);
    assert_eq!(world.visits(), 1, "it does not redirect meanwhile");
    world.release();
    second.expect_status(Status::Authenticated);
    assert_eq!(world.count(Endpoint::Token), 1);
}

#[test]
fn a_tab_stops_waiting_for_another_whose_sign_in_failed() {
    let world = World::new();
    let first = world.open();
    world.person_signs_in("richard");
    world.hold(Endpoint::Token);
    world.provider().once(Endpoint::Token, crate::world::Reply::html);
    first.sign_in();
    let second = world.open();
    second.expect_status(Status::Restoring);
    world.advance(5);
    second.expect_status(Status::Restoring);
    world.release();
    first.expect_refused(Code::TokenResponseInvalid);
    second.expect_status(Status::Anonymous);
}

#[test]
fn two_tabs_opened_at_once_ask_one_after_the_other_and_once_each() {
    let world = World::new();
    let (first, second) = (world.tab(), world.tab());
    first.begin_load("/", OnLoad::Auto);
    second.begin_load("/", OnLoad::Auto);
    world.settle();
    world.advance(1);
    first.expect_status(Status::Anonymous);
    second.expect_status(Status::Anonymous);
    assert_eq!(world.visits(), 2);
}

#[test]
fn a_sign_in_during_another_tabs_start_is_adopted_by_it_without_leaving() {
    let world = World::new();
    let first = world.signed_in("richard");
    first.leave_only_this_app();
    let second = world.tab();
    // It is about to redirect by itself when the first tab has a session again.
    world.hold_for(Endpoint::Discovery, &second);
    second.load("/", OnLoad::Auto);
    first.sign_in();
    world.advance(16);
    second.expect_status(Status::Authenticated);
    let visits = world.visits();
    world.release();
    assert_eq!(world.visits(), visits, "nothing is left to ask");
    second.expect_status(Status::Authenticated);
}

#[test]
fn a_page_that_missed_a_sign_in_adopts_it_when_it_returns() {
    let world = World::new();
    let first = world.open();
    first.freeze();
    world.signed_in("richard");
    first.thaw();
    first.expect_status(Status::Authenticated);
}

#[test]
fn a_page_that_adopts_before_it_knows_whether_it_leads_waits_for_the_lock_once() {
    let world = World::new();
    let first = world.signed_in("richard");
    let second = world.open();
    first.close();
    assert!(second.leads());
    second.leave_only_this_app();
    assert_eq!(world.inside().leader(), None, "who has no session holds no lock");
}

#[test]
fn a_sign_in_after_the_clock_was_set_back_is_the_newer_one() {
    let world = World::new();
    let first = world.signed_in("richard");
    let second = world.open();
    first.freeze();
    world.local_clock_jumps(-600_000);
    world.person_signs_in("gavin");
    second.sign_in();
    first.thaw();
    for page in [&first, &second] {
        page.expect_status(Status::Authenticated);
        assert_eq!(page.claim("sub"), "gavin");
    }
    // After a sign-out too.
    second.leave_only_this_app();
    world.local_clock_jumps(-60_000);
    first.freeze();
    second.sign_in();
    first.thaw();
    for page in [&first, &second] {
        page.expect_status(Status::Authenticated);
    }
    // And in a tab that has heard of neither.
    second.leave_only_this_app();
    world.local_clock_jumps(-60_000);
    let third = world.open();
    third.sign_in();
    for page in [&first, &second, &third] {
        page.expect_status(Status::Authenticated);
        page.freeze();
        page.thaw();
        page.expect_status(Status::Authenticated);
    }
}

#[test]
fn a_page_that_is_left_lets_go_of_the_lock_that_its_start_asked_for() {
    let world = World::new();
    let page = world.tab();
    page.begin_load("/", OnLoad::Manual);
    page.load("/next", OnLoad::Manual);
    page.expect_status(Status::Anonymous);
    assert_eq!(world.inside().leader(), None);
}

#[test]
fn a_page_that_sleeps_again_before_its_check_tells_nothing_twice() {
    let world = World::new();
    let page = world.signed_in("richard");
    world.hold(Endpoint::UserInfo);
    page.freeze();
    page.thaw();
    page.expect_status(Status::Restoring);
    let notices = page.notices();
    page.freeze();
    page.thaw();
    assert_eq!(page.notices(), notices);
}

#[test]
fn whoever_had_an_older_sign_in_tells_of_the_new_one() {
    let world = World::new();
    let first = world.signed_in("richard");
    let second = world.open();
    world.person_signs_in("gavin");
    second.sign_in();
    first.expect_status(Status::Authenticated);
    let browser = world.inside();
    let last: Value = serde_json::from_str(browser.channel.last().unwrap()).unwrap();
    let told: Vec<_> = browser
        .channel
        .iter()
        .map(|text| serde_json::from_str::<Value>(text).unwrap())
        .filter(|message| message["kind"] == "session" && message["began"] == last["began"])
        .collect();
    assert!(told.len() >= 2, "by the tab that signed in, and by the one that had another");
}

/// How often a session was told since so many words were said.
fn told_since(world: &World, said: usize) -> usize {
    let browser = world.inside();
    browser.channel.iter().skip(said).filter(|text| text.contains("\"kind\":\"session\"")).count()
}

#[test]
fn a_new_sign_in_is_told_on_by_each_tab_and_a_refresh_by_who_made_it() {
    let world = World::new();
    let first = world.signed_in("richard");
    let (second, third) = (world.open(), world.open());
    let said = world.inside().channel.len();
    world.person_signs_in("gavin");
    third.sign_in();
    for page in [&first, &second] {
        assert_eq!(page.claim("sub"), "gavin");
    }
    // Twice by each of two that were greeted twice; then by who signed in, and by both that had another
    // one, of which they may have told: who leads and who follows.
    assert_eq!(told_since(&world, said), 4 + 3);
    world.advance_with_heartbeat(290);
    let said = world.inside().channel.len();
    assert_eq!(first.token(), second.token());
    assert_eq!((world.refreshes(), told_since(&world, said)), (1, 1));
}

#[test]
fn a_page_that_stays_after_all_asks_what_it_has_missed() {
    let world = World::new();
    let first = world.signed_in("richard");
    let second = world.open();
    world.inside().stays = true;
    first.sign_in();
    world.inside().stop_loading();
    world.inside().stays = false;
    world.person_signs_in("gavin");
    second.sign_in();
    assert_eq!(first.claim("sub"), "richard");
    world.advance(11);
    assert_eq!(first.claim("sub"), "gavin");
}

#[test]
fn a_page_that_is_looked_at_without_a_session_asks_the_tabs_again() {
    let world = World::new();
    let page = world.open();
    let said = world.inside().channel.len();
    page.signal(Signal::Shown {});
    let browser = world.inside();
    assert_eq!(browser.channel[said..], [r#"{"kind":"hello"}"#]);
}

#[test]
fn a_second_adoption_does_not_end_the_start_of_a_page_whose_answer_is_on_its_way() {
    let world = World::new();
    let first = world.signed_in("richard");
    let second = world.open();
    world.person_signs_in("gavin");
    world.hold_for(Endpoint::Token, &second);
    second.sign_in();
    let id = second.begin(get_token());
    for _ in 0..2 {
        first.run(Command::GetToken {
            min_ttl: Some(10_000),
            origin: None,
            refused: None,
            resource: None,
            scope: None,
        });
        assert_eq!(second.outcome(id), None, "nobody knows yet who is signed in");
    }
    world.release();
    assert_eq!(second.claim("sub"), "gavin");
    assert!(matches!(second.outcome(id), Some(Outcome::Token { .. })));
    assert_eq!(second.outcome(id), second.get_token());
}

#[test]
fn rp12_a_tab_adopts_what_a_key_has_signed_that_is_gone() {
    let world = World::new();
    let first = world.signed_in("richard");
    world.advance_with_heartbeat(30);
    world.provider().key = &crate::world::keys::ES256_NEXT;
    world.provider().published = vec![crate::world::keys::ES256_NEXT.jwk()];
    // The first tab learns of the new keys, by which the ID token that it holds is nobody's.
    world.push_logout_token(|token| token.claim("sub", json!("gavin")));
    let second = world.open();
    second.expect_status(Status::Authenticated);
    // Whoever adopted it can hand it on.
    first.close();
    world.open().expect_status(Status::Authenticated);
}

#[test]
fn rp12_a_tab_adopts_what_a_key_has_signed_under_whose_name_there_is_another_one() {
    let world = World::new();
    let first = world.signed_in("richard");
    world.provider().key = &crate::world::keys::STRANGER;
    world.provider().published = vec![crate::world::keys::STRANGER.jwk()];
    // The second has learnt the new key on its way to the provider.
    let key = format!("gatepass:1:{ISSUER}#{CLIENT}#learnt");
    let mut record: Value = serde_json::from_str(&first.storage()[&key]).unwrap();
    let keys = json!({ "keys": [crate::world::keys::STRANGER.jwk()] });
    record["keys"] = json!(keys.to_string());
    let second = world.tab();
    second.set_storage(&key, &record.to_string());
    second.load("/", OnLoad::Manual);
    second.expect_status(Status::Authenticated);
    assert_eq!(second.token(), first.token());
    // The provider was asked before its key was passed over.
    assert_eq!(world.count(Endpoint::Keys), 2);
}
