//! Several tabs of one origin: one session, one leader, one stream.

use gatepass_core::{
    error::Code,
    wire::{Command, Ending, OnLoad, Outcome, Scope, Signal, Status},
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
fn f7_a_sign_out_is_seen_by_the_other_tabs() {
    let world = World::new();
    let first = world.signed_in("richard");
    let second = world.open();
    let third = world.open();
    second.sign_out();
    for page in [&first, &third] {
        page.expect_status(Status::Anonymous);
        assert_eq!(page.cause(), Some(Ending::SignedOut));
        assert_eq!(page.token(), Err(Code::NotSignedIn));
    }
    assert_eq!(world.inside().open_streams(), 0);
}

#[test]
fn leaving_only_this_app_signs_all_its_tabs_out_and_goes_nowhere() {
    let world = World::new();
    let first = world.signed_in("richard");
    let second = world.open();
    let visits = world.visits();
    assert_eq!(second.leave_only_this_app(), Some(Outcome::Done {}));
    for page in [&first, &second] {
        page.expect_status(Status::Anonymous);
        assert_eq!(page.cause(), Some(Ending::SignedOutHere));
    }
    assert_eq!(world.visits(), visits);
    assert!(!world.provider().sessions[0].ended);
}

#[test]
fn f2_a_logout_token_reaches_the_tabs_without_a_stream() {
    let world = World::new();
    let first = world.signed_in("richard");
    let second = world.open();
    world.provider_ends_session();
    for page in [&first, &second] {
        page.expect_status(Status::Anonymous);
        assert_eq!(page.cause(), Some(Ending::LogoutToken));
    }
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
fn a_session_announced_late_does_not_revive_one_that_ended() {
    let world = World::new();
    let first = world.signed_in("richard");
    let second = world.open();
    world.advance_with_heartbeat(290);
    first.token().unwrap();
    let announced = world.overheard("session").to_string();
    let before: Value = serde_json::from_str(&announced).unwrap();
    assert!(before["version"][0].as_i64().unwrap() > crate::world::BEGIN_MS);
    second.leave_only_this_app();
    world.say(&announced);
    first.expect_status(Status::Anonymous);
    second.expect_status(Status::Anonymous);
}

#[test]
fn an_ended_of_an_earlier_sign_in_does_not_end_a_later_one() {
    let world = World::new();
    let first = world.signed_in("richard");
    first.leave_only_this_app();
    let ended = world.overheard("ended").to_string();
    world.advance(1);
    // The provider's session is the same, so is `sid`.
    first.sign_in();
    first.expect_status(Status::Authenticated);
    world.say(&ended);
    first.expect_status(Status::Authenticated);
}

#[test]
fn rp24_a_page_that_missed_everything_shows_nothing_before_a_check() {
    let world = World::new();
    let first = world.signed_in("richard");
    let second = world.open();
    first.freeze();
    second.sign_out();
    world.hold(Endpoint::UserInfo);
    world.hold(Endpoint::Events);
    // Not even the mark of the sign-out is there.
    world.inside().storage.clear();
    first.thaw();
    first.expect_status(Status::Restoring);
    assert_eq!(first.session().claims, None);
    world.release();
    assert_ne!(first.status(), Status::Authenticated);
    assert_eq!(first.session().claims, None);
}

#[test]
fn rp24_a_page_that_missed_a_local_sign_out_does_not_show_the_session_again() {
    let world = World::new();
    let first = world.signed_in("richard");
    let second = world.open();
    first.freeze();
    second.leave_only_this_app();
    world.advance(7);
    first.thaw();
    first.expect_status(Status::Anonymous);
    assert_eq!(first.session().claims, None);
    assert_eq!(first.session().cause, second.session().cause, "why and when");
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
fn f18_nothing_of_a_session_is_stored_for_the_origin_but_a_hint() {
    let world = World::new();
    let page = world.signed_in("richard");
    let stored = world.origin_storage();
    assert_eq!(stored.values().collect::<Vec<_>>(), ["1"]);
    page.sign_out();
    // Up to which moment what began is over, the chance name of the tab that says so, why and when.
    let stored = world.origin_storage();
    let keys: Vec<_> = stored.keys().collect();
    assert_eq!(keys, [&format!("gatepass:1:{ISSUER}#{CLIENT}#ended")]);
    let mark: Value = serde_json::from_str(stored.values().next().unwrap()).unwrap();
    assert_eq!(mark["began"][0], crate::world::BEGIN_MS + 1);
    assert_eq!(mark["began"][1].as_str().unwrap().len(), 12);
    let began = &mark["began"];
    let at = crate::world::BEGIN_MS / 1000;
    let all = json!({ "kind": "ended", "began": began, "cause": "signed_out", "at": at });
    assert_eq!(mark, all);
}

#[test]
fn a_sign_out_that_crosses_a_sign_in_leaves_the_new_session_and_its_hint() {
    let world = World::new();
    let first = world.signed_in("richard");
    let (second, third) = (world.open(), world.open());
    first.leave_only_this_app();
    let ended = world.overheard("ended").to_string();
    world.advance(1);
    world.person_signs_in("gavin");
    second.sign_in();
    // Only now the others hear of that sign-out, and what it has written arrives.
    let storage = |name: &str| format!("gatepass:1:{ISSUER}#{CLIENT}#{name}");
    world.inside().storage.remove(&storage("hint"));
    world.inside().storage.insert(storage("ended"), ended.clone());
    third.freeze();
    world.say(&ended);
    third.thaw();
    for page in [&second, &third, &first] {
        page.expect_status(Status::Authenticated);
        assert_eq!(page.claim("sub"), "gavin");
    }
    assert!(world.origin_storage().contains_key(&storage("hint")));
    // The mark of that end ends no later one either.
    third.freeze();
    third.thaw();
    third.expect_status(Status::Authenticated);
}

#[test]
fn a_sign_out_ends_a_sign_in_of_which_the_page_has_not_heard() {
    for scope in [Scope::Local, Scope::Global] {
        let world = World::new();
        let first = world.signed_in("richard");
        let (second, third) = (world.open(), world.open());
        first.hang();
        world.advance(1);
        second.sign_in();
        third.freeze();
        world.hold(Endpoint::Discovery);
        first.begin(Command::SignOut { scope });
        first.recover();
        world.settle();
        third.thaw();
        for page in [&first, &second, &third] {
            page.expect_status(Status::Anonymous);
            assert_eq!(page.token(), Err(Code::NotSignedIn));
        }
        // Nor does a page that opens now come back to it.
        let fourth = world.open();
        fourth.expect_status(Status::Anonymous);
    }
}

#[test]
fn a_mark_of_an_end_that_makes_no_sense_is_none() {
    let hello = r#"{"kind":"hello","began":[9007199254740991,"z"],"cause":"signed_out","at":1}"#;
    let early = r#"{"kind":"ended","began":[1,"z"],"cause":"signed_out","at":1}"#;
    for mark in ["", "1", "[]", "{}", hello, early, &hello.replace("hello", "ended")[..60]] {
        let world = World::new();
        let page = world.signed_in("richard");
        world.inside().storage.insert(format!("gatepass:1:{ISSUER}#{CLIENT}#ended"), mark.into());
        page.freeze();
        page.thaw();
        page.expect_status(Status::Authenticated);
    }
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
fn whoever_had_a_session_says_once_that_it_is_over() {
    let world = World::new();
    let first = world.signed_in("richard");
    let others = [world.open(), world.open()];
    first.leave_only_this_app();
    for page in &others {
        page.expect_status(Status::Anonymous);
    }
    let browser = world.inside();
    let ended = browser.channel.iter().filter(|text| text.contains("\"ended\""));
    assert_eq!(ended.count(), 3);
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

// What a review found, each with the smallest way to it.

#[test]
fn the_end_of_a_later_sign_in_is_the_end_of_what_it_had_replaced() {
    let world = World::new();
    let first = world.signed_in("richard");
    let began = world.overheard("session")["began"][0].as_i64().unwrap();
    let later = json!([began + 1, "x"]);
    let word = json!({
        "kind": "ended", "began": later, "sid": "another", "cause": "signed_out", "at": 1,
    });
    world.say(&word.to_string());
    first.expect_status(Status::Anonymous);
    // Whatever came of that, the next sign-in counts in all tabs.
    let second = world.open();
    second.sign_in();
    first.expect_status(Status::Authenticated);
}

#[test]
fn rp20_an_end_at_the_end_of_time_does_not_keep_the_tabs_from_agreeing() {
    let world = World::new();
    let (first, second) = (world.open(), world.open());
    let word = r#"{"kind":"ended","began":[9007199254740991,"x"],"cause":"signed_out","at":1}"#;
    world.say(word);
    let key = format!("gatepass:1:{ISSUER}#{CLIENT}");
    world.inside().storage.insert(format!("{key}#ended"), word.into());
    first.set_storage(&format!("{key}#memory"), r#"{"latest":9007199254740991}"#);
    first.load("/", OnLoad::Manual);
    world.person_signs_in("richard");
    first.sign_in();
    for page in [&first, &second] {
        page.expect_status(Status::Authenticated);
    }
    assert_eq!(first.token(), second.token());
}

#[test]
fn the_mark_of_a_later_end_is_kept_although_an_older_one_is_told_after_it() {
    let world = World::new();
    let first = world.signed_in("richard");
    let (second, third) = (world.open(), world.open());
    world.advance(1);
    // The first hears of nothing, and signs out of what it has.
    first.hang();
    second.sign_in();
    third.expect_status(Status::Authenticated);
    third.freeze();
    second.leave_only_this_app();
    let key = format!("gatepass:1:{ISSUER}#{CLIENT}#ended");
    let mark = world.origin_storage()[&key].clone();
    first.begin(Command::SignOut { scope: gatepass_core::wire::Scope::Local });
    assert_ne!(world.origin_storage()[&key], mark);
    first.recover();
    assert_eq!(world.origin_storage()[&key], mark);
    // Who slept all the while learns of it before anything is shown.
    world.hold(Endpoint::UserInfo);
    third.thaw();
    third.expect_status(Status::Anonymous);
}

#[test]
fn the_mark_of_a_later_end_is_put_back_by_whoever_knows_it() {
    let world = World::new();
    let page = world.signed_in("richard");
    page.leave_only_this_app();
    let key = format!("gatepass:1:{ISSUER}#{CLIENT}#ended");
    let mark = world.origin_storage()[&key].clone();
    let older = r#"{"kind":"ended","began":[1767225600000,"z"],"cause":"invalid_grant","at":1}"#;
    // Somebody who has heard of nothing says what it knows, and closes.
    let tell = || {
        world.inside().storage.insert(key.clone(), older.into());
        world.say(older);
        world.origin_storage()[&key].clone()
    };
    assert_eq!(tell(), mark);
    // Also one who has just opened.
    let second = world.open();
    page.close();
    assert_eq!(tell(), mark);
    // Also one who slept, and finds the older one.
    second.freeze();
    assert_ne!(tell(), mark);
    second.thaw();
    assert_eq!(world.origin_storage()[&key], mark);
    // But no later one is written over.
    let latest = mark.replace("1767225600001", "1767225700001");
    assert_ne!(latest, mark);
    world.inside().storage.insert(key.clone(), latest.clone());
    world.say(older);
    assert_eq!(world.origin_storage()[&key], latest);
    let mark = latest;
    // Also one who has a session again.
    world.advance(200);
    second.sign_in();
    assert_eq!(tell(), mark);
    second.expect_status(Status::Authenticated);
    // Whose end nobody has told it of: somebody wrote it down.
    let latest = mark.replace("1767225700001", "1767225800001");
    world.inside().storage.insert(key.clone(), latest.clone());
    world.say(older);
    assert_eq!(world.origin_storage()[&key], latest);
    second.expect_status(Status::Anonymous);
}

#[test]
fn a_page_that_slept_without_a_session_hears_what_ended_meanwhile() {
    let world = World::new();
    let first = world.open();
    first.freeze();
    let second = world.signed_in("richard");
    let session = world.overheard("session").to_string();
    second.leave_only_this_app();
    first.thaw();
    // Somebody who has not heard of the end tells of the session once more.
    world.say(&session);
    first.expect_status(Status::Anonymous);
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
