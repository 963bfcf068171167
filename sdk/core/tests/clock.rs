//! The clocks: the provider's is learnt from its answers, within bounds.

use gatepass_core::{
    error::Code,
    wire::{Command, Status},
};
use serde_json::json;

use crate::world::{
    BEGIN_MS, Endpoint, Page, World, keys::STRANGER, page::sign_in_to, token::Draft,
};

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
fn rp15_a_wrong_clock_is_warned_of() {
    let warning = |page: &Page| {
        let warning = page.session().warning?;
        Some((warning.code, warning.evidence.as_ref().unwrap().found.clone()))
    };
    for (ms, expected) in [
        (0, None),
        (1500, None),
        (59_000, None),
        (-59_500, None),
        (61_000, Some((Code::ClockDiffers, "61 seconds behind it"))),
        (-62_000, Some((Code::ClockDiffers, "61 seconds ahead"))),
        (898_000, Some((Code::ClockDiffers, "898 seconds behind it"))),
    ] {
        let (_, page) = offset(ms);
        page.expect_status(Status::Authenticated);
        let expected = expected.map(|(code, found): (_, &str)| (code, found.to_owned()));
        assert_eq!(warning(&page), expected, "{ms}");
        assert_eq!(page.code(), None);
    }
    for ms in [902_000, -902_000] {
        let (_, page) = offset(ms);
        assert_eq!(warning(&page).map(|(code, _)| code), Some(Code::ClockWrong));
    }
    // It ends with its cause, and comes with it, also while somebody is signed in.
    let world = World::new();
    let page = world.signed_in("richard");
    world.local_clock_jumps(-100_000);
    page.check();
    assert_eq!(warning(&page), Some((Code::ClockDiffers, "100 seconds behind it".into())));
    world.local_clock_jumps(-1_000_000);
    page.check();
    assert_eq!(warning(&page).map(|(code, _)| code), Some(Code::ClockWrong));
    page.expect_status(Status::Authenticated);
    world.local_clock_jumps(1_100_000);
    page.check();
    assert_eq!(warning(&page), None);
    // Where the app wants any clock to be followed there is nothing to warn of.
    let world = World::with(|config| config.dangerously_follow_provider_clock = Some(true));
    world.provider().clock_offset_ms = 4_000_000;
    assert_eq!(warning(&world.signed_in("richard")), None);
}

/// As [`offset`], at a provider whose `Date` no script may read.
fn hidden_offset(ms: i64) -> (World, Page) {
    let world = World::new();
    world.provider().sends_date = false;
    world.provider().clock_offset_ms = ms;
    let page = world.open();
    world.person_signs_in("richard");
    page.sign_in();
    (world, page)
}

#[test]
fn rp15_a_provider_that_hides_its_date_shows_its_clock_by_what_it_signs() {
    for seconds in [3, 61, 300, 900] {
        let (_, page) = hidden_offset(seconds * 1000);
        page.expect_status(Status::Authenticated);
        assert_eq!(page.session().clock_offset, Some(seconds));
        assert_eq!(page.session().warning.is_some(), seconds > 60);
    }
    let (_, page) = hidden_offset(901_000);
    page.expect_refused(Code::ClockWrong);
    // A clock of ours that is ahead cannot be told from a token that is old: nothing lives longer.
    let (_, page) = hidden_offset(-359_000);
    page.expect_status(Status::Authenticated);
    assert_eq!(page.session().clock_offset, None);
    let (_, page) = hidden_offset(-360_000);
    page.expect_refused(Code::ExpInvalid);
}

#[test]
fn rp15_only_a_token_with_a_right_signature_shows_a_clock() {
    let with = |change: fn(&mut Draft)| {
        let world = World::new();
        world.provider().sends_date = false;
        let page = world.open();
        world.person_signs_in("richard");
        world.provider().next_id_token(change);
        page.sign_in();
        page
    };
    let page = with(|token| token.claim("iat", json!(BEGIN_MS / 1000 + 500)));
    // It has run out before it was issued.
    page.expect_refused(Code::ExpInvalid);
    assert_eq!(page.session().clock_offset, Some(500));
    let page = with(|token| {
        token.claim("iat", json!(BEGIN_MS / 1000 + 500));
        token.key = &STRANGER;
    });
    page.expect_refused(Code::SignatureInvalid);
    assert_eq!(page.session().clock_offset, None);
    // Nor does one that another tab shares.
    let world = World::new();
    let page = world.signed_in("richard");
    let message = world.overheard("session");
    page.close();
    world.provider().sends_date = false;
    let page = world.open();
    world.local_clock_jumps(-300_000);
    world.say(&message.to_string());
    page.expect_status(Status::Authenticated);
    assert_eq!(page.session().clock_offset, None);
}

#[test]
fn rp15_a_date_that_can_be_read_counts_more_than_what_is_signed() {
    for seconds in [61, 300, 900] {
        let world = World::new();
        let page = world.open();
        world.person_signs_in("richard");
        let late = BEGIN_MS / 1000 + seconds;
        world.provider().next_id_token(move |token| token.claim("iat", json!(late)));
        page.sign_in();
        page.expect_refused(Code::IatInvalid);
        assert_eq!(page.session().clock_offset, None);
    }
}

#[test]
fn rp15_with_a_clock_that_is_far_off_no_time_says_anything_about_the_token() {
    let world = World::new();
    world.provider().clock_offset_ms = -1_000_000;
    let page = world.open();
    world.person_signs_in("richard");
    let Command::SignIn { return_to, .. } = sign_in_to("/") else { unreachable!() };
    world.provider().next_id_token(|token| token.claim("exp", json!(BEGIN_MS / 1000 + 1000)));
    page.run(Command::SignIn {
        mode: None,
        return_to,
        prompt: None,
        login_hint: None,
        acr_values: None,
        max_age: Some(300),
        ui_locales: None,
    });
    page.expect_refused(Code::ClockWrong);
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
    // The other tabs may know of an extension.
    world.advance_ms(300);
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

#[test]
fn rp15_the_date_of_what_a_cache_may_have_kept_says_nothing() {
    for endpoint in [Endpoint::Discovery, Endpoint::Keys] {
        let world = World::new();
        world.provider().always(endpoint, |reply| reply.age = 7200);
        let page = world.signed_in("richard");
        assert_eq!((page.session().clock_offset, page.session().warning), (None, None));
    }
    // Of what is made for this page it does.
    let world = World::new();
    let page = world.signed_in("richard");
    world.provider().once(Endpoint::UserInfo, |reply| reply.age = 7200);
    page.check();
    assert_eq!(page.session().warning.unwrap().code, Code::ClockWrong);
}

#[test]
fn whoever_does_not_lead_follows_the_clock_of_who_asks_the_provider() {
    let (world, first) = offset(120_000);
    let second = world.open();
    world.advance_with_heartbeat(290);
    world.provider().clock_offset_ms = 300_000;
    assert!(first.token().is_ok(), "the leader refreshes, and is told the time");
    assert_eq!(first.session().clock_offset, Some(300));
    assert_eq!(second.session().clock_offset, Some(300));
}

#[test]
fn whoever_leads_goes_by_what_it_was_told_itself() {
    let (world, first) = offset(120_000);
    let second = world.open();
    world.advance_with_heartbeat(10);
    assert!(first.leads());
    world.provider().clock_offset_ms = 300_000;
    second.sign_in();
    assert_eq!(second.session().clock_offset, Some(300));
    assert_eq!(first.session().started_at, second.session().started_at);
    assert_eq!(first.session().clock_offset, Some(120));
}
