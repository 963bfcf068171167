//! Away from the provider: nothing ends, and the page comes back by itself, also where no stream tells.

use gatepass_core::wire::{Command, Ending, Outcome, Signal, Status};

use crate::world::{Endpoint, Page, World, expect_growing_pauses};

/// A page that has found out that the provider is away.
fn away(world: &World) -> Page {
    let page = world.signed_in("richard");
    world.provider().is_down = true;
    page.check();
    page.expect_status(Status::Offline);
    page
}

fn asked(world: &World) -> usize {
    world.requests()
}

#[test]
fn without_a_stream_a_page_comes_back_by_itself_and_keeps_its_tokens() {
    for (has_user_info, refreshes) in [(true, true), (true, false), (false, true)] {
        let world = World::eventless();
        world.provider().gives_refresh_token = refreshes;
        if !has_user_info {
            world.provider().publishes_no("userinfo_endpoint");
        }
        let page = away(&world);
        world.advance(200);
        page.expect_status(Status::Offline);
        assert_eq!(page.claim("sub"), "richard");
        world.provider().is_down = false;
        world.advance(30);
        page.expect_status(Status::Authenticated);
        assert_eq!((page.code(), page.claim("sub")), (None, "richard".into()));
        assert!(page.token().is_ok());
        // It is over: nobody is asked any more, and nobody looks.
        page.signal(Signal::Hidden {});
        let requests = asked(&world);
        world.advance(200);
        assert_eq!(asked(&world), requests);
    }
}

#[test]
fn a_token_that_ran_out_meanwhile_is_refreshed_once() {
    let world = World::eventless();
    let page = away(&world);
    world.advance(4000);
    world.provider().is_down = false;
    world.advance(30);
    page.expect_status(Status::Authenticated);
    assert_eq!(world.refreshes(), 1);
}

#[test]
fn a_refresh_that_found_nobody_is_made_up_for() {
    let world = World::eventless();
    let page = world.signed_in("richard");
    page.signal(Signal::Hidden {});
    world.advance(290);
    world.provider().is_down = true;
    assert!(matches!(page.get_token(), Some(Outcome::Failed { .. })));
    page.expect_status(Status::Offline);
    world.provider().is_down = false;
    world.advance(2);
    page.expect_status(Status::Authenticated);
}

#[test]
fn pauses_are_spread_and_grow_to_half_a_minute() {
    expect_growing_pauses(World::eventless, away);
}

#[test]
fn when_the_network_is_back_nobody_waits() {
    for signal in [Signal::Online {}, Signal::Shown {}] {
        let world = World::eventless();
        let page = away(&world);
        world.advance(300);
        world.provider().is_down = false;
        page.signal(signal.clone());
        page.expect_status(Status::Authenticated);
        // And if it was not back yet, patience begins anew.
        let world = World::eventless();
        let page = away(&world);
        world.advance(300);
        page.signal(signal);
        page.expect_status(Status::Offline);
        assert!(page.wake_in().unwrap() <= 2000);
    }
}

#[test]
fn one_question_at_a_time() {
    let world = World::eventless();
    let page = away(&world);
    world.provider().is_down = false;
    world.hold(Endpoint::UserInfo);
    let before = world.count(Endpoint::UserInfo);
    world.advance(9);
    assert_eq!(world.count(Endpoint::UserInfo), before + 1);
    world.release();
    page.expect_status(Status::Authenticated);
}

#[test]
fn what_the_provider_says_when_it_is_back_counts() {
    let world = World::eventless();
    let page = away(&world);
    world.inside().provider.end_sso(0);
    world.advance(100);
    page.expect_status(Status::Offline);
    world.provider().is_down = false;
    world.advance(30);
    page.expect_status(Status::Expired);
    assert_eq!(page.cause(), Some(Ending::InvalidGrant));
    world.advance(30);
    assert_eq!(page.wake_in(), None);
}

#[test]
fn beside_a_stream_nobody_else_asks() {
    let world = World::new();
    let page = world.signed_in("richard");
    world.provider().is_down = true;
    world.close_streams();
    world.advance(200);
    page.expect_status(Status::Offline);
    assert_eq!(world.count(Endpoint::UserInfo), 0);
    world.provider().is_down = false;
    world.advance(30);
    page.expect_status(Status::Authenticated);
    assert_eq!(world.count(Endpoint::UserInfo), 0);
}

#[test]
fn a_tab_that_does_not_lead_comes_back_by_itself_too() {
    for with_stream_or_not in [World::new(), World::eventless()] {
        let world = with_stream_or_not;
        let (leader, second) = (world.signed_in("richard"), world.open());
        assert!(leader.leads());
        world.provider().once(Endpoint::UserInfo, |reply| {
            reply.fail(gatepass_core::wire::Failure::Network);
        });
        second.run(Command::CheckSession {});
        second.expect_status(Status::Offline);
        leader.expect_status(Status::Authenticated);
        world.advance(2);
        second.expect_status(Status::Authenticated);
    }
}

#[test]
fn a_page_that_signs_out_while_it_is_away_asks_no_more() {
    let world = World::eventless();
    let page = away(&world);
    page.leave_only_this_app();
    page.expect_status(Status::Anonymous);
    let requests = asked(&world);
    world.provider().is_down = false;
    world.advance(200);
    assert_eq!(asked(&world), requests);
    page.expect_status(Status::Anonymous);
}
