//! One refresh at a time, in whatever tab leads: leaders that hang, sleep and come back.

use gatepass_core::{
    error::Code,
    wire::{Command, Failure, Outcome, Signal, Status},
};
use serde_json::json;

use crate::world::{Endpoint, Page, World, page::get_token};

#[test]
fn rp17_a_follower_refreshes_through_the_leader() {
    let world = World::new();
    let first = world.signed_in("richard");
    let second = world.open();
    world.advance_with_heartbeat(290);
    let token = second.token().unwrap();
    assert_eq!(world.refreshes(), 1);
    assert_eq!(first.token().unwrap(), token);
    assert_eq!(world.refreshes(), 1);
}

#[test]
fn rp17_two_tabs_that_ask_at_once_cause_one_refresh() {
    let world = World::new();
    let first = world.signed_in("richard");
    let second = world.open();
    world.advance_with_heartbeat(290);
    let one = second.begin(get_token());
    let two = first.begin(get_token());
    let three = second.begin(get_token());
    world.settle();
    assert_eq!(world.refreshes(), 1);
    assert!(matches!(first.outcome(two), Some(Outcome::Token { .. })));
    assert_eq!(second.outcome(one), first.outcome(two));
    assert_eq!(second.outcome(three), first.outcome(two));
}

#[test]
fn rp17_the_lock_of_a_hanging_leader_is_stolen() {
    let world = World::new();
    let first = world.signed_in("richard");
    let second = world.open();
    world.advance_with_heartbeat(290);
    first.hang();
    let id = second.begin(get_token());
    world.advance(11);
    assert_eq!(second.outcome(id), None, "the leader has its time");
    world.advance(2);
    assert!(matches!(second.outcome(id), Some(Outcome::Token { .. })));
    assert!(second.leads());
    assert_eq!(world.refreshes(), 1);
    first.recover();
    assert!(!first.leads());
    assert_eq!(first.token(), second.token());
    assert_eq!(world.inside().open_streams(), 1);
}

#[test]
fn rp17_a_leader_that_lost_its_place_while_it_waited_for_metadata_sends_nothing() {
    let world = World::new();
    let first = world.signed_in("richard");
    let (second, third) = (world.open(), world.open());
    world.advance_with_heartbeat(290);
    // A tab that adopted its session has not asked for the metadata yet.
    world.hold(Endpoint::Discovery);
    first.close();
    assert!(second.leads());
    let one = second.begin(get_token());
    second.hang();
    let two = third.begin(get_token());
    world.advance(13);
    assert!(third.leads());
    world.release();
    assert_eq!(world.refreshes(), 1);
    second.recover();
    world.advance(1);
    assert_eq!(world.refreshes(), 1);
    assert!(matches!(third.outcome(two), Some(Outcome::Token { .. })));
    assert_eq!(second.outcome(one), third.outcome(two));
}

#[test]
fn rp17_a_check_that_another_tabs_refresh_overtakes_refreshes_nothing() {
    let world = World::new();
    let first = world.signed_in("richard");
    let second = world.open();
    world.advance_with_heartbeat(400);
    world.hold_for(Endpoint::UserInfo, &second);
    second.begin(Command::CheckSession {});
    assert!(first.token().is_ok());
    assert_eq!(world.refreshes(), 1);
    let asked = world.count(Endpoint::UserInfo);
    world.release();
    assert_eq!(world.refreshes(), 1);
    assert_eq!(world.count(Endpoint::UserInfo), asked + 1, "asked again with the new one");
    second.expect_status(Status::Authenticated);
}

#[test]
fn rp17_two_followers_of_a_hanging_leader_refresh_once() {
    // One asks a while after the other, or both at once.
    for apart in [5, 0] {
        let world = World::new();
        let first = world.signed_in("richard");
        let (second, third) = (world.open(), world.open());
        world.advance_with_heartbeat(290);
        first.hang();
        world.hold(Endpoint::Token);
        let one = second.begin(get_token());
        world.advance(apart);
        let two = third.begin(get_token());
        // Time for both to lose patience. The one that leads is being answered.
        world.advance(18);
        assert_eq!(world.refreshes(), 1, "{apart} s apart");
        world.release();
        assert!(matches!(second.outcome(one), Some(Outcome::Token { .. })));
        assert_eq!(third.outcome(two), second.outcome(one));
        // Who hung finds out.
        first.recover();
        assert_eq!(first.token(), second.token());
        assert_eq!(world.refreshes(), 1);
    }
}

#[test]
fn rp17_a_lead_that_is_taken_twice_at_once_sends_one_refresh() {
    let world = World::new();
    let first = world.signed_in("richard");
    let (second, third) = (world.open(), world.open());
    world.advance_with_heartbeat(290);
    first.hang();
    world.hold(Endpoint::Token);
    let one = second.begin(get_token());
    let two = third.begin(get_token());
    // What the one says reaches the other too late: both take the lead.
    third.hang();
    world.advance_ms(12_000);
    assert!(second.leads());
    second.hang();
    third.wake_deaf();
    assert!(third.leads());
    world.advance_ms(200);
    second.recover();
    third.recover();
    world.advance(1);
    assert_eq!(world.refreshes(), 1);
    world.release();
    assert!(matches!(third.outcome(two), Some(Outcome::Token { .. })));
    assert_eq!(second.outcome(one), third.outcome(two));
}

#[test]
fn a_tab_adopts_a_session_that_was_refreshed_without_an_id_token() {
    for id_token in [false, true] {
        let world = World::new();
        world.provider().gives_id_token_on_refresh = id_token;
        let first = world.signed_in("richard");
        world.advance_with_heartbeat(290);
        let token = first.token().unwrap();
        let requests = world.requests();
        let second = world.open();
        second.expect_status(Status::Authenticated);
        assert_eq!(second.token().unwrap(), token);
        assert_eq!(world.requests(), requests);
    }
}

#[test]
fn rp17_a_refresh_that_waits_for_the_metadata_is_sent_once() {
    let world = World::new();
    let first = world.signed_in("richard");
    // Both have adopted the session, and have not asked the provider for anything.
    let (second, third) = (world.open(), world.open());
    world.hold_for(Endpoint::Discovery, &second);
    first.close();
    assert!(second.leads());
    let fresh = || Command::GetToken {
        min_ttl: Some(10_000),
        origin: None,
        refused: None,
        resource: None,
        scope: None,
    };
    second.begin(fresh());
    world.settle();
    // Another tab signs in anew: what waited has its answer.
    third.sign_in();
    let id = second.begin(fresh());
    world.settle();
    world.release();
    assert!(matches!(second.outcome(id), Some(Outcome::Token { .. })));
    assert_eq!(world.refreshes(), 1);
}

#[test]
fn a_refresh_that_crosses_a_sign_out_revives_nothing() {
    let world = World::new();
    let leader = world.signed_in("richard");
    let other = world.open();
    world.advance_with_heartbeat(290);
    world.hold(Endpoint::Token);
    leader.begin(get_token());
    world.settle();
    // The person signs out in the other tab; the leader's page is slow to hear it.
    leader.hang();
    other.leave_only_this_app();
    other.expect_status(Status::Anonymous);
    leader.recover();
    world.release();
    for page in [&leader, &other] {
        page.expect_status(Status::Anonymous);
        assert_eq!(page.token(), Err(Code::NotSignedIn));
    }
}

#[test]
fn a_leader_whose_refresh_fails_for_the_network_keeps_the_session_of_all() {
    let world = World::new();
    let first = world.signed_in("richard");
    let second = world.open();
    world.advance_with_heartbeat(290);
    world.provider().is_down = true;
    // Whoever waits for the leader hears at once what came of it.
    assert_eq!(second.token(), Err(Code::IssuerUnreachable));
    for page in [&first, &second] {
        page.expect_status(Status::Offline);
        assert!(page.session().claims.is_some(), "the session is kept");
    }
    world.provider().is_down = false;
    assert!(second.token().is_ok());
    second.expect_status(Status::Authenticated);
}

#[test]
fn what_the_leader_is_told_instead_of_tokens_is_told_to_who_waits() {
    let world = World::new();
    let first = world.signed_in("richard");
    let second = world.open();
    world.advance_with_heartbeat(290);
    world.provider().rotates = false;
    world.provider().once(Endpoint::Token, |reply| reply.html());
    assert_eq!(second.token(), Err(Code::TokenResponseInvalid));
    for page in [&first, &second] {
        page.expect_status(Status::Authenticated);
        assert_eq!(page.code(), Some(Code::TokenResponseInvalid));
    }
    assert_eq!(first.token(), second.token());
    assert_eq!((world.refreshes(), second.code()), (2, None));
}

// What the simulator found (sdk/simulator), each with the smallest way to it.

#[test]
fn an_old_session_that_was_refreshed_since_does_not_replace_a_new_sign_in() {
    let world = World::new();
    let first = world.signed_in("richard");
    let second = world.open();
    let mut old = world.overheard("session");
    world.person_signs_in("gavin");
    second.sign_in();
    old["version"][0] = json!(old["version"][0].as_i64().unwrap() + 60_000);
    world.say(&old.to_string());
    for page in [&first, &second] {
        assert_eq!(page.claim("sub"), "gavin");
    }
}

#[test]
fn a_sign_in_in_the_middle_of_a_refresh_leaves_nothing_waiting() {
    let world = World::new();
    let first = world.signed_in("richard");
    let second = world.open();
    world.hold_for(Endpoint::Token, &second);
    second.sign_in();
    let fresh = || Command::GetToken {
        min_ttl: Some(10_000),
        origin: None,
        refused: None,
        resource: None,
        scope: None,
    };
    // The second adopts what the first shares, while its own callback is still on its way.
    first.run(fresh());
    second.expect_status(Status::Authenticated);
    first.close();
    assert!(second.leads());
    let id = second.begin(fresh());
    world.settle();
    world.release();
    assert!(matches!(second.outcome(id), Some(Outcome::Token { .. })));
    assert!(matches!(second.run(fresh()), Some(Outcome::Token { .. })));
}

#[test]
fn rp17_a_leader_that_needs_several_requests_is_not_replaced() {
    let world = World::new();
    let first = world.signed_in("richard");
    // A tab that adopted its session has not asked for the metadata yet, nor for the new keys.
    let (second, third) = (world.open(), world.open());
    world.advance_with_heartbeat(290);
    world.provider().key = &crate::world::keys::ES256_NEXT;
    world.provider().published = vec![crate::world::keys::ES256_NEXT.jwk()];
    world.hold_for(Endpoint::Discovery, &second);
    first.close();
    assert!(second.leads());
    let one = third.begin(get_token());
    world.advance_ms(4_900);
    world.release();
    world.hold_for(Endpoint::Token, &second);
    world.advance_ms(9_900);
    assert!(second.leads(), "its request has its own time");
    world.release();
    world.hold_for(Endpoint::Keys, &second);
    world.advance_ms(9_900);
    assert!(second.leads(), "so has its look for keys");
    world.release();
    assert_eq!(world.refreshes(), 1);
    assert!(matches!(third.outcome(one), Some(Outcome::Token { .. })));
    assert_eq!(third.token(), second.token());
}

#[test]
fn rp17_a_refresh_waits_for_the_one_that_the_leader_before_has_sent() {
    let world = World::new();
    let first = world.signed_in("richard");
    let (second, third) = (world.open(), world.open());
    world.advance_with_heartbeat(290);
    let version = &world.overheard("session")["version"];
    let word = json!({ "kind": "refreshing", "version": version }).to_string();
    first.hang();
    let one = second.begin(get_token());
    world.advance_ms(12_000);
    assert!(second.leads(), "it waits a moment before it sends");
    world.say(&word);
    world.advance(11);
    assert_eq!(world.refreshes(), 0);
    world.advance(2);
    assert_eq!(world.refreshes(), 1);
    assert!(matches!(second.outcome(one), Some(Outcome::Token { .. })));
    assert_eq!(third.token(), second.token());
}

#[test]
fn rp17_what_another_tab_says_gives_a_hanging_leader_no_more_time() {
    let world = World::new();
    let first = world.signed_in("richard");
    let (second, _third) = (world.open(), world.open());
    world.advance_with_heartbeat(290);
    let asked = |world: &World| {
        let browser = world.inside();
        browser.channel.iter().filter(|text| text.contains("\"renew\"")).count()
    };
    let before = asked(&world);
    first.hang();
    let id = second.begin(get_token());
    for _ in 0..3 {
        world.advance(4);
        // The third tab answers each new one.
        world.say(r#"{"kind":"hello"}"#);
    }
    assert_eq!(asked(&world), before + 1, "the leader is asked once");
    world.advance(1);
    assert!(second.leads());
    assert!(matches!(second.outcome(id), Some(Outcome::Token { .. })));
}

#[test]
fn rp17_a_page_that_slept_does_not_take_the_leader_for_one_that_hangs() {
    let world = World::new();
    let first = world.signed_in("richard");
    let second = world.open();
    world.advance_with_heartbeat(290);
    world.hold(Endpoint::Token);
    let ids = [first.begin(get_token()), second.begin(get_token())];
    world.settle();
    second.freeze();
    world.advance(13);
    second.thaw();
    assert!(first.leads(), "it works at what both wait for");
    world.release();
    for (page, id) in [&first, &second].into_iter().zip(ids) {
        assert!(matches!(page.outcome(id), Some(Outcome::Token { .. })));
    }
    assert_eq!(world.refreshes(), 1);
}

#[test]
fn rp17_a_leader_asked_for_more_than_it_knows_asks_instead_of_sending_an_old_token() {
    let world = World::new();
    let first = world.signed_in("richard");
    let second = world.open();
    world.advance_with_heartbeat(290);
    assert!(first.leads());
    let version = world.overheard("session")["version"].clone();
    let newer = json!([version[0].as_i64().unwrap() + 1, version[1]]);
    let at = world.inside().wall_ms;
    let said = world.inside().channel.len();
    world.say(&json!({ "kind": "renew", "version": newer, "at": at }).to_string());
    assert_eq!(world.refreshes(), 0);
    assert!(world.inside().channel[said..].iter().any(|text| text == r#"{"kind":"hello"}"#));
    assert_eq!(second.token(), first.token());
    assert_eq!(world.refreshes(), 1);
}

#[test]
fn rp17_a_refresh_that_came_to_nothing_long_ago_fails_nobody_who_waits_now() {
    let world = World::new();
    let first = world.signed_in("richard");
    let (second, third) = (world.open(), world.open());
    world.hold_for(Endpoint::Discovery, &second);
    world.provider().once(Endpoint::Discovery, |reply| reply.fail(Failure::Network));
    first.close();
    assert!(second.leads());
    second.begin(fresh());
    // The third takes the lead, and its tokens are the second's too.
    third.run(fresh());
    world.advance(13);
    assert!(third.leads());
    assert_eq!(world.refreshes(), 1);
    // What the second wants now is the third's to do, which hangs for a while.
    third.hang();
    let id = second.begin(fresh());
    world.release();
    assert_eq!(second.outcome(id), None);
    third.recover();
    assert!(matches!(second.outcome(id), Some(Outcome::Token { .. })));
    world.advance(13);
    assert!(third.leads(), "nobody takes the lead for nothing");
}

const fn fresh() -> Command {
    Command::GetToken {
        min_ttl: Some(10_000),
        origin: None,
        refused: None,
        resource: None,
        scope: None,
    }
}

/// Where the browser has no locks for a page that may store nothing: two requests with one refresh token
/// would look like theft.
#[test]
fn rp17_tabs_without_locks_refresh_one_after_the_other() {
    for is_down in [false, true] {
        let world = World::eventless();
        world.inside().locks_missing = true;
        let pages = [world.signed_in("richard"), world.open(), world.open()];
        for page in &pages {
            page.signal(Signal::Hidden {});
        }
        world.advance(600);
        world.provider().is_down = is_down;
        let asked = pages.each_ref().map(|page| page.begin(get_token()));
        world.settle();
        let due = pages.each_ref().map(Page::wake_in);
        assert!(due.iter().any(|due_in| *due_in != due[0]), "all at once: {due:?}");
        world.advance(1);
        assert_eq!(world.refreshes(), 1);
        // Whoever waits takes its turn where the first has failed.
        world.provider().is_down = false;
        world.advance(30);
        assert_eq!(world.refreshes(), if is_down { 2 } else { 1 });
        let outcomes = pages.iter().zip(asked).map(|(page, asked)| page.outcome(asked));
        let given = outcomes.filter(|outcome| matches!(outcome, Some(Outcome::Token { .. })));
        assert_eq!(given.count(), if is_down { 2 } else { 3 });
        let tokens = pages.each_ref().map(|page| page.token().unwrap());
        assert!(tokens.iter().all(|token| *token == tokens[0]));
        assert_eq!(world.refreshes(), if is_down { 2 } else { 1 });
    }
}
