//! A page that is being left: whatever it did would be lost with it. It may stay all the same.

use gatepass_core::wire::{Command, Outcome, Signal, Status};

use crate::world::{
    Endpoint, World,
    page::{leave_slowly, sign_in_to},
};

/// A token that is good for longer than the one that is held.
fn wanted() -> Command {
    Command::GetToken {
        min_ttl: Some(1000),
        origin: None,
        refused: None,
        resource: None,
        scope: None,
    }
}

#[test]
fn rp17_a_page_that_is_being_left_refreshes_for_nobody() {
    let world = World::eventless();
    let (first, second) = (world.signed_in("richard"), world.open());
    assert!(first.leads());
    world.advance(90);
    leave_slowly(&first);
    second.look();
    second.run(wanted());
    assert_eq!(world.refreshes(), 0);
}

#[test]
fn rp17_a_page_that_is_being_left_refreshes_nothing_for_itself_before_it_stays() {
    let world = World::eventless();
    let page = world.signed_in("richard");
    world.advance(60);
    leave_slowly(&page);
    let (token, extends) = (page.begin(wanted()), page.begin(Command::Extend {}));
    page.signal(Signal::Online {});
    world.settle();
    assert_eq!((world.refreshes(), page.outcome(token)), (0, None));
    // The person has stopped it.
    world.advance(11);
    assert_eq!(world.refreshes(), 1);
    assert!(matches!(page.outcome(token), Some(Outcome::Token { access_token: Some(_), .. })));
    assert_eq!(page.outcome(extends), Some(Outcome::Done {}));
}

#[test]
fn rp17_a_page_that_is_being_left_takes_nobodys_place() {
    let world = World::eventless();
    let (first, second) = (world.signed_in("richard"), world.open());
    world.advance(60);
    world.hold_for(Endpoint::Token, &first);
    second.begin(wanted());
    world.settle();
    assert_eq!(world.refreshes(), 1);
    world.advance(4);
    leave_slowly(&second);
    // The first tab has new tokens, which the page that is being left does not hear.
    world.release();
    world.advance(12);
    first.expect_status(Status::Authenticated);
    second.expect_status(Status::Authenticated);
}

#[test]
fn rp17_a_page_that_stays_hears_the_others_before_it_refreshes() {
    let world = World::eventless();
    let (first, second, third) = (world.signed_in("richard"), world.open(), world.open());
    world.advance(60);
    world.hold_for(Endpoint::Token, &first);
    let token = second.begin(wanted());
    world.settle();
    assert_eq!(world.refreshes(), 1);
    leave_slowly(&second);
    // The first tab has new tokens, which the page that is being left does not hear.
    world.release();
    first.close();
    assert!(second.leads());
    world.inside().stop_loading();
    for _ in 0..12 {
        world.advance(1);
        second.signal(Signal::Wake {});
    }
    assert_eq!((third.status(), third.cause()), (Status::Authenticated, None));
    second.expect_status(Status::Authenticated);
    assert!(matches!(second.outcome(token), Some(Outcome::Token { .. })));
}

#[test]
fn rp17_a_second_click_refreshes_nothing_while_the_first_navigation_goes_on() {
    for asks_before in [true, false] {
        let world = World::eventless();
        let page = world.signed_in("richard");
        world.advance(60);
        leave_slowly(&page);
        if asks_before {
            page.begin(wanted());
        }
        world.advance(2);
        assert_eq!(world.refreshes(), 0);
        assert!(world.inside().is_leaving(page.tab));
        world.hold(Endpoint::Discovery);
        page.begin(sign_in_to("/"));
        page.begin(wanted());
        world.advance(3);
        assert!(world.inside().is_leaving(page.tab));
        assert_eq!(world.refreshes(), 0);
    }
}

#[test]
fn rp17_a_page_that_comes_back_where_there_are_no_locks_sends_what_it_did_not() {
    let world = World::eventless();
    world.inside().locks_missing = true;
    let page = world.signed_in("richard");
    world.advance(10);
    leave_slowly(&page);
    let token = page.begin(wanted());
    world.settle();
    assert_eq!(world.refreshes(), 0);
    page.freeze();
    page.thaw();
    world.advance(1);
    assert_eq!(world.refreshes(), 1);
    assert!(matches!(page.outcome(token), Some(Outcome::Token { .. })));
}

#[test]
fn rp17_a_leader_that_stays_serves_its_own_page_soon() {
    let world = World::eventless();
    let (first, second) = (world.signed_in("richard"), world.open());
    world.advance(60);
    leave_slowly(&first);
    world.advance(5);
    let extended = second.begin(Command::Extend {});
    world.advance_ms(5_100);
    let token = first.begin(wanted());
    world.advance(1);
    assert!(matches!(first.outcome(token), Some(Outcome::Token { .. })));
    world.advance(12);
    assert!(first.leads());
    assert_eq!(second.outcome(extended), Some(Outcome::Done {}));
}

#[test]
fn rp17_a_page_that_wants_nothing_takes_nobodys_place() {
    let world = World::eventless();
    let (first, second) = (world.signed_in("richard"), world.open());
    world.advance(60);
    leave_slowly(&first);
    let extended = second.begin(Command::Extend {});
    world.advance(3);
    // A second click, for which the provider has not answered yet.
    world.hold_for(Endpoint::Discovery, &first);
    first.begin(sign_in_to("/"));
    // The other tab takes its place, and is answered late.
    world.hold_for(Endpoint::Token, &second);
    world.advance(24);
    assert!(second.leads());
    world.release();
    assert_eq!(second.outcome(extended), Some(Outcome::Done {}));
    assert!(second.leads());
}
