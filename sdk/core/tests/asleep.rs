//! The machine under the pages sleeps, or its clock is set: the clock of the day goes on, and the pages'
//! own stands still.

use gatepass_core::wire::{Ending, Signal, Status};

use crate::world::{Endpoint, Page, World};

/// What reaches a page first once the machine is awake.
const FIRST: [Signal; 3] = [Signal::Online {}, Signal::Shown {}, Signal::Wake {}];

fn wake(page: &Page, first: &Signal) {
    page.signal(first.clone());
}

#[test]
fn s15_what_ended_while_the_machine_slept_is_gone_before_data_shows() {
    for first in FIRST {
        let world = World::new();
        let page = world.signed_in("richard");
        world.heartbeat();
        world.end_session_unheard();
        world.hold(Endpoint::UserInfo);
        world.sleep(3600);
        page.expect_status(Status::Authenticated);
        wake(&page, &first);
        page.expect_status(Status::Restoring);
        assert_eq!(page.session().claims, None, "{first:?}");
        world.release();
        page.expect_status(Status::Expired);
        assert_eq!(page.cause(), Some(Ending::InvalidGrant));
    }
}

#[test]
fn f11_a_session_that_stands_goes_on_when_the_machine_wakes() {
    for first in FIRST {
        let world = World::new();
        let pages = [world.signed_in("richard"), world.open()];
        world.sleep(3600);
        for page in &pages {
            wake(page, &first);
        }
        for page in &pages {
            page.expect_status(Status::Authenticated);
            assert_eq!((page.cause(), page.code()), (None, None));
        }
        assert_eq!(world.refreshes(), 1, "the token had run out, in both tabs");
    }
}

#[test]
fn f11_a_provider_that_is_away_when_the_machine_wakes_ends_nothing() {
    let world = World::new();
    let page = world.signed_in("richard");
    world.provider().is_down = true;
    world.sleep(3600);
    wake(&page, &Signal::Shown {});
    page.expect_status(Status::Offline);
    assert!(page.session().claims.is_some());
    world.provider().is_down = false;
    world.advance(60);
    page.expect_status(Status::Authenticated);
}

#[test]
fn f11_a_lifetime_that_ran_out_while_the_machine_slept_is_over_when_it_wakes() {
    let world = World::with(|config| config.session_lifetime = Some(600));
    let page = world.signed_in("richard");
    world.sleep(700);
    wake(&page, &Signal::Wake {});
    page.expect_status(Status::Restoring);
    world.advance_ms(400);
    page.expect_status(Status::Expired);
    assert_eq!(page.cause(), Some(Ending::Lifetime));
}

#[test]
fn f11_a_clock_that_is_put_right_ends_no_session_early_in_any_tab() {
    for wrong_ms in [-600_000, 600_000] {
        let world = World::with(|config| config.session_lifetime = Some(900));
        world.provider().access_token_lifetime = 10_000;
        world.local_clock_jumps(wrong_ms);
        let pages = [world.signed_in("richard"), world.open()];
        world.advance_with_heartbeat(30);
        world.local_clock_jumps(-wrong_ms);
        world.advance_with_heartbeat(800);
        for page in &pages {
            page.expect_status(Status::Authenticated);
            let now = world.inside().provider_time();
            assert_eq!(page.session().expires_at.map(|end| end - now), Some(70), "{wrong_ms}");
        }
        world.advance_with_heartbeat(80);
        for page in &pages {
            page.expect_status(Status::Expired);
        }
    }
}
