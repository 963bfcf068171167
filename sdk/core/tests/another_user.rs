//! Somebody else signs in in another tab: one notice, and nothing of the person before.

use gatepass_core::wire::{Command, Ending, Outcome, Status};
use serde_json::json;

use crate::world::{Endpoint, World, page::get_token};

#[test]
fn rp27_another_user_in_one_tab_is_one_notice_in_the_others() {
    let world = World::new();
    let first = world.signed_in("richard");
    let second = world.open();
    world.advance(1);
    let notices = first.notices();
    world.person_signs_in("gavin");
    second.sign_in();
    second.expect_status(Status::Authenticated);
    assert_eq!(second.claim("sub"), "gavin");
    assert_eq!(first.claim("sub"), "gavin");
    assert_eq!(first.notices(), notices + 1);
    assert_eq!(first.cause(), Some(Ending::UserChanged));
    assert_eq!(first.token(), second.token());
    assert_eq!(world.inside().open_streams(), 1);
    // The stream is of the new session.
    world.provider_ends_session();
    first.expect_status(Status::Anonymous);
}

#[test]
fn rp27_another_account_in_the_only_tab_is_one_notice_too() {
    for (user, cause) in [("gavin", Some(Ending::UserChanged)), ("richard", None)] {
        let world = World::new();
        let page = world.signed_in("richard");
        world.person_signs_in(user);
        page.sign_in();
        page.expect_status(Status::Authenticated);
        assert_eq!(page.claim("sub"), user);
        assert_eq!(page.cause(), cause);
    }
}

#[test]
fn rp27_the_tokens_of_the_person_before_are_taken_back() {
    let world = World::new();
    let first = world.signed_in("richard");
    let old = first.token().unwrap();
    let second = world.open();
    world.advance(1);
    world.person_signs_in("gavin");
    second.sign_in();
    let now = world.inside().provider_time();
    assert!(!world.provider().accepts(&old, now));
    assert_ne!(first.token(), Ok(old));
}

#[test]
fn rp27_a_check_of_the_old_user_says_nothing_about_the_new_one() {
    let world = World::new();
    let first = world.signed_in("richard");
    let second = world.open();
    world.advance(1);
    world.hold_for(Endpoint::UserInfo, &first);
    let id = first.begin(Command::CheckSession {});
    world.settle();
    world.person_signs_in("gavin");
    second.sign_in();
    world.release();
    assert_eq!(first.outcome(id), Some(Outcome::Done {}));
    first.expect_status(Status::Authenticated);
    assert_eq!(first.code(), None);
}

#[test]
fn rp27_tokens_refreshed_for_the_old_user_are_not_given_to_the_new_one() {
    let world = World::new();
    world.provider().gives_id_token_on_refresh = false;
    let first = world.signed_in("richard");
    let second = world.open();
    world.advance_with_heartbeat(290);
    world.hold_for(Endpoint::Token, &first);
    first.begin(get_token());
    world.settle();
    assert_eq!(world.refreshes(), 1);
    // Meanwhile somebody else signs in in the other tab.
    world.person_signs_in("gavin");
    second.sign_in();
    world.release();
    assert_eq!(first.claim("sub"), "gavin");
    let tokens = [first.token().unwrap(), second.token().unwrap()];
    for token in tokens {
        let browser = world.inside();
        let sso = browser.provider.session_of(&format!("Bearer {token}")).unwrap();
        assert_eq!(browser.provider.sessions[sso].user, "gavin");
    }
}

#[test]
fn rp27_a_page_that_missed_a_change_of_user_shows_the_new_one() {
    let world = World::new();
    let first = world.signed_in("richard");
    let second = world.open();
    first.freeze();
    world.advance(1);
    world.person_signs_in("gavin");
    second.sign_in();
    first.thaw();
    first.expect_status(Status::Authenticated);
    assert_eq!(first.claim("sub"), "gavin");
}

#[test]
fn rp27_a_late_refusal_of_the_old_users_tokens_stops_no_refresh_of_the_new_one() {
    let world = World::new();
    let first = world.signed_in("richard");
    let second = world.open();
    world.advance_with_heartbeat(290);
    // The refreshed ID token names a key that is asked for, and the answer is slow.
    world.provider().next_id_token(|token| token.header("kid", json!("unheard")));
    world.hold_for(Endpoint::Keys, &first);
    first.begin(get_token());
    world.settle();
    assert_eq!(world.refreshes(), 1);
    world.person_signs_in("gavin");
    second.sign_in();
    assert_eq!(first.claim("sub"), "gavin");
    // The new person's tokens are refreshed when the old one's turn out to be signed by nobody.
    world.advance_with_heartbeat(290);
    world.hold_for(Endpoint::Token, &first);
    let id = first.begin(get_token());
    world.settle();
    assert_eq!(world.refreshes(), 2);
    world.inside().held_endpoints.retain(|(held, _)| *held != Endpoint::Keys);
    world.settle();
    assert_eq!(first.outcome(id), None);
    world.release();
    assert!(matches!(first.outcome(id), Some(Outcome::Token { access_token: Some(_), .. })));
    assert_eq!(first.code(), None);
}
