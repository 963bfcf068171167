//! The clocks: the provider's is learnt from its answers, within bounds.

use gatepass_core::{error::Code, wire::Status};
use serde_json::json;

use crate::world::{BEGIN_MS, Endpoint, World};

/// Signs in with the provider's clock this far off, in milliseconds.
fn offset(ms: i64) -> (World, crate::world::Page) {
    let world = World::new();
    world.provider().clock_offset_ms = ms;
    let page = world.open();
    world.person_signs_in("richard");
    page.sign_in();
    (world, page)
}

#[test]
fn rp15_the_skew_is_what_the_app_says() {
    for skew in [0, 5, 300] {
        let with = |name: &'static str, distance: i64| {
            let world = World::with(|config| config.clock_skew = Some(skew));
            let page = world.open();
            world.person_signs_in("richard");
            let time = BEGIN_MS / 1000 + distance;
            world.provider().next_id_token(move |token| token.claim(name, json!(time)));
            page.sign_in();
            page
        };
        with("exp", 1 - skew).expect_status(Status::Authenticated);
        with("exp", -skew).expect_refused(Code::ExpInvalid);
        with("iat", skew).expect_status(Status::Authenticated);
        with("iat", skew + 1).expect_refused(Code::IatInvalid);
        with("nbf", skew).expect_status(Status::Authenticated);
        with("nbf", skew + 1).expect_refused(Code::IatInvalid);
    }
}

#[test]
fn rp15_clocks_that_nearly_agree_are_taken_as_one() {
    for ms in [-1000, 0, 500, 1000, 1500] {
        let (_, page) = offset(ms);
        page.expect_status(Status::Authenticated);
        assert_eq!(page.session().clock_offset, None, "{ms}");
    }
}

#[test]
fn rp15_a_difference_is_learnt_and_shown() {
    for seconds in [-899, -300, -61, -5, 5, 61, 300, 898] {
        let (_, page) = offset(seconds * 1000);
        page.expect_status(Status::Authenticated);
        let learnt = page.session().clock_offset.unwrap();
        assert!((learnt - seconds).abs() <= 1, "{seconds}: {learnt}");
    }
}

#[test]
fn rp15_a_difference_of_more_than_a_quarter_of_an_hour_is_said() {
    for seconds in [-90_000, -1000, 1000, 90_000] {
        let (_, page) = offset(seconds * 1000);
        page.expect_refused(Code::ClockWrong);
        assert_eq!(page.session().clock_offset, None, "and not followed");
    }
}

#[test]
fn rp15_the_bound_is_a_quarter_of_an_hour() {
    let (_, page) = offset(899_000);
    page.expect_status(Status::Authenticated);
    let (_, page) = offset(901_000);
    page.expect_refused(Code::ClockWrong);
}

#[test]
fn the_providers_clock_is_followed_however_far_if_the_app_says_so() {
    for seconds in [-31_536_000, -90_000, -4000, 4000, 90_000, 31_536_000] {
        let world = World::with(|config| config.dangerously_follow_provider_clock = Some(true));
        world.provider().clock_offset_ms = seconds * 1000;
        let page = world.signed_in("richard");
        assert!((page.session().clock_offset.unwrap() - seconds).abs() <= 1);
        // Expiry is by that clock too.
        world.advance_with_heartbeat(280);
        page.token().unwrap();
        assert_eq!(world.refreshes(), 1);
    }
}

#[test]
fn rp15_a_provider_that_hides_its_clock_is_held_against_ours() {
    let world = World::new();
    world.provider().sends_date = false;
    world.provider().clock_offset_ms = 300_000;
    let page = world.open();
    world.person_signs_in("richard");
    page.sign_in();
    page.expect_refused(Code::IatInvalid);
}

#[test]
fn rp15_a_local_clock_that_jumps_is_followed_at_the_next_answer() {
    let world = World::new();
    let page = world.signed_in("richard");
    world.local_clock_jumps(600_000);
    // The token seems to have run out; the provider's answer puts that right.
    page.token().unwrap();
    assert!((page.session().clock_offset.unwrap() + 600).abs() <= 1);
    let refreshes = world.refreshes();
    page.token().unwrap();
    assert_eq!(world.refreshes(), refreshes);
    world.local_clock_jumps(-600_000);
    page.check();
    assert_eq!(page.session().clock_offset, None);
    page.expect_status(Status::Authenticated);
}

#[test]
fn rp15_a_lifetime_is_not_cut_by_a_local_clock_that_jumps() {
    let world = World::with(|config| config.session_lifetime = Some(3600));
    let page = world.signed_in("richard");
    world.local_clock_jumps(-600_000);
    page.check();
    world.advance_with_heartbeat(3000);
    page.expect_status(Status::Authenticated);
    world.advance_with_heartbeat(700);
    page.expect_status(Status::Expired);
}

#[test]
fn a_provider_whose_clock_is_set_forward_ends_lifetimes() {
    let world = World::with(|config| {
        config.session_lifetime = Some(3600);
        config.dangerously_follow_provider_clock = Some(true);
    });
    let page = world.signed_in("richard");
    world.provider().clock_offset_ms = 4_000_000;
    page.check();
    page.expect_status(Status::Expired);
}

#[test]
fn nobody_can_be_confused_by_a_date_at_the_end_of_time() {
    for offset in [i64::MAX / 2000 * 1000, i64::MIN / 2000 * 1000] {
        let world = World::new();
        world.provider().always(Endpoint::Keys, |reply| reply.member("x", json!(1)));
        world.provider().clock_offset_ms = offset / 1000;
        let page = world.open();
        page.sign_in();
        assert!(page.at_provider().is_some() || page.code().is_some());
    }
}
