//! The app's page that the provider frames (Front-Channel Logout 1.0): whatever it says, it makes one tab
//! ask, not too often, and ends nothing.

use gatepass_core::wire::{Ending, Status};
use serde_json::{Value, json};

use crate::world::{Endpoint, Page, World, provider::Reply};

/// What the page says on the tabs' channel.
fn say(world: &World, sid: &Value) {
    world.say(&json!({ "kind": "check", "sid": sid }).to_string());
}

fn asked(world: &World) -> usize {
    world.count(Endpoint::UserInfo) + world.refreshes()
}

#[test]
fn f2_front_channel_makes_the_client_ask_and_the_answer_ends_the_session_in_all_tabs() {
    let world = World::eventless();
    let page = world.signed_in("richard");
    let other = world.open();
    world.end_session_unheard();
    say(&world, &page.claim("sid"));
    for tab in [&page, &other] {
        tab.expect_status(Status::Expired);
        assert_eq!(tab.cause(), Some(Ending::InvalidGrant));
    }
    assert_eq!((world.count(Endpoint::UserInfo), world.refreshes()), (0, 1));
    // Nobody is signed in: there is nothing to ask.
    say(&world, &json!("any"));
    assert_eq!(asked(&world), 1);
}

#[test]
fn f2_front_channel_reaches_a_client_whose_user_info_asks_only_about_the_token() {
    let world = World::new();
    let page = world.signed_in("richard");
    let sub = page.claim("sub");
    let user_info = json!({ "sub": sub });
    world.provider().always(Endpoint::UserInfo, move |reply| *reply = Reply::json(200, &user_info));
    world.end_session_unheard();
    page.check();
    page.expect_status(Status::Authenticated);
    say(&world, &page.claim("sid"));
    page.expect_status(Status::Expired);
}

#[test]
fn rp20_front_channel_that_anybody_can_frame_signs_nobody_out_and_floods_nobody() {
    let world = World::new();
    let page = world.signed_in("richard");
    let other = world.open();
    let sid = page.claim("sid");
    for _ in 0..5 {
        say(&world, &sid);
    }
    for tab in [&page, &other] {
        tab.expect_status(Status::Authenticated);
        assert_eq!(Page::code(tab), None);
    }
    assert_eq!(asked(&world), 1, "by the tab that leads, once");
    world.advance_ms(9_999);
    say(&world, &sid);
    assert_eq!(asked(&world), 1);
    world.advance_ms(1);
    say(&world, &sid);
    assert_eq!(asked(&world), 2);
}

#[test]
fn rp20_front_channel_that_names_another_session_or_none_is_no_news() {
    let world = World::new();
    let page = world.signed_in("richard");
    let notices = page.notices();
    for sid in [json!("another"), json!(""), json!(null), json!(7), json!({}), json!([])] {
        say(&world, &sid);
    }
    world.say(&json!({ "kind": "check" }).to_string());
    assert_eq!((asked(&world), page.notices()), (0, notices));
}
