//! Watching the provider's frame (Session Management 1.0), where there is no stream: what it says makes
//! us ask, and ends nothing.

use gatepass_core::{
    config::StorageKind,
    error::Code,
    wire::{Answer, Ending, Failure, OnLoad, Signal, Status},
};
use serde_json::json;

use crate::world::{CLIENT, Endpoint, ISSUER, Page, RELAY, World, provider::Reply};

const FRAME: &str = "https://idp.example/check_session";

/// What the frame says once it has shown that it can tell.
const CHANGED: Answer = Answer::Done {};
const BLIND: Answer = Answer::Failed { reason: Failure::Unavailable };

/// The same world, whose provider has a frame.
fn framing(world: World) -> World {
    world.provider().metadata["check_session_iframe"] = json!(FRAME);
    world
}

fn framed() -> World {
    framing(World::eventless())
}

/// Somebody who has signed in, with this `session_state`.
fn signed_in_with(world: &World, state: &str) -> Page {
    answer_with(world, &[state]);
    world.signed_in("richard")
}

/// The next answer of the provider carries these.
fn answer_with(world: &World, states: &[&str]) {
    let states: Vec<String> = states.iter().map(|&state| state.to_owned()).collect();
    world.provider().next_callback(move |answer| {
        answer.extend(states.iter().map(|state| ("session_state".to_owned(), state.clone())));
    });
}

fn watched(world: &World) -> Vec<(String, String)> {
    world.inside().watched()
}

#[test]
fn f4_frame_is_watched_where_there_is_no_stream() {
    let world = framed();
    let page = signed_in_with(&world, "hash.salt");
    let words = format!("{CLIENT} hash.salt");
    assert_eq!(watched(&world), [(FRAME.to_owned(), words)]);
    assert_eq!(page.wake_in(), Some(270_000), "the machine sleeps until the token is nearly over");
}

#[test]
fn f4_frame_is_not_watched_where_there_is_a_stream_or_nothing_to_ask() {
    let world = framing(World::new());
    signed_in_with(&world, "hash.salt");
    assert_eq!((watched(&world).len(), world.inside().open_streams()), (0, 1));

    let relay = World::with(|config| config.session_events_endpoint = Some(RELAY.into()));
    relay.provider().publishes_no("session_events_endpoint");
    let world = framing(relay);
    signed_in_with(&world, "hash.salt");
    assert_eq!((watched(&world).len(), world.inside().open_streams()), (0, 1));

    let world = framed();
    world.signed_in("richard");
    assert_eq!(watched(&world).len(), 0, "no session_state came");
    for wrong in [&[""][..], &["a b"], &["a", "a"], &["a", "b"]] {
        let world = framed();
        answer_with(&world, wrong);
        let page = world.signed_in("richard");
        assert_eq!((watched(&world).len(), page.code()), (0, None), "{wrong:?}");
    }

    let world = World::eventless();
    signed_in_with(&world, "hash.salt");
    assert_eq!(watched(&world).len(), 0, "the provider has no frame");
}

#[test]
fn f4_frame_is_watched_where_the_stream_is_not_for_us() {
    for status in [403, 404] {
        let world = framing(World::new());
        world.provider().always(Endpoint::Events, move |reply| reply.status = status);
        signed_in_with(&world, "hash.salt");
        assert_eq!(watched(&world).len(), 1);
        assert_eq!(world.count(Endpoint::Events), 1);
    }
}

#[test]
fn f2_change_that_is_an_end_ends_the_session_in_all_tabs() {
    let world = framed();
    let page = signed_in_with(&world, "hash.salt");
    let other = world.open();
    world.end_session_unheard();
    for tab in [&page, &other] {
        tab.expect_status(Status::Authenticated);
    }
    world.inside().frames_say(&CHANGED);
    for tab in [&page, &other] {
        tab.expect_status(Status::Expired);
        assert_eq!(tab.cause(), Some(Ending::InvalidGrant));
    }
    assert_eq!((watched(&world).len(), world.refreshes()), (0, 1));
}

#[test]
fn f9_change_after_which_the_session_stands_ends_nothing_and_is_asked_about_once() {
    let world = framed();
    let page = signed_in_with(&world, "hash.salt");
    let other = world.open();
    world.inside().frames_say(&CHANGED);
    for tab in [&page, &other] {
        tab.expect_status(Status::Authenticated);
        assert_eq!(tab.code(), None);
    }
    assert_eq!(world.refreshes(), 1);
    // It would say so for ever, to whichever tab asks.
    page.signal(Signal::Shown {});
    page.close();
    assert_eq!(watched(&world).len(), 0);
    other.expect_status(Status::Authenticated);
    // Checks remain.
    let asked = world.count(Endpoint::UserInfo);
    other.signal(Signal::Shown {});
    assert_eq!(world.count(Endpoint::UserInfo), asked + 1);
    // A new sign-in comes with something new to ask.
    answer_with(&world, &["new.salt"]);
    other.sign_in();
    assert_eq!(watched(&world)[0].1, format!("{CLIENT} new.salt"));
}

#[test]
fn f4_change_without_a_refresh_token_is_asked_about_at_user_info() {
    let world = framed();
    world.provider().gives_refresh_token = false;
    let page = signed_in_with(&world, "hash.salt");
    world.inside().frames_say(&CHANGED);
    page.expect_status(Status::Authenticated);
    assert_eq!((world.refreshes(), world.count(Endpoint::UserInfo)), (0, 1));
}

#[test]
fn f4_frame_that_cannot_see_signs_nobody_out_and_is_not_asked_again() {
    let world = framed();
    let page = signed_in_with(&world, "hash.salt");
    let asked = world.requests();
    world.inside().frames_say(&BLIND);
    page.expect_status(Status::Authenticated);
    assert_eq!((page.code(), world.requests()), (None, asked));
    page.freeze();
    page.thaw();
    page.expect_status(Status::Authenticated);
    assert_eq!(watched(&world).len(), 0);
}

#[test]
fn f4_frame_that_does_not_load_in_time_is_tried_again_and_not_for_ever() {
    let world = framed();
    let page = signed_in_with(&world, "hash.salt");
    for _ in 0..4 {
        assert_eq!(watched(&world).len(), 1);
        world.inside().frames_say(&Answer::Failed { reason: Failure::Timeout });
        assert_eq!(watched(&world).len(), 0, "not at once");
        world.advance(30);
    }
    assert_eq!(watched(&world).len(), 0);
    page.expect_status(Status::Authenticated);
    assert_eq!(page.code(), None);
}

#[test]
fn f21_a_page_that_watches_a_frame_is_not_offline_for_ever() {
    let world = framed();
    let page = signed_in_with(&world, "hash.salt");
    world.provider().is_down = true;
    page.check();
    page.expect_status(Status::Offline);
    assert_eq!(watched(&world).len(), 1);
    world.provider().is_down = false;
    // No browser has said that it is online again.
    world.advance(60);
    page.expect_status(Status::Authenticated);
}

#[test]
fn f4_change_while_the_token_endpoint_is_away_is_not_forgotten() {
    let world = framed();
    let page = signed_in_with(&world, "hash.salt");
    // It asks about the token, which is good for a while yet.
    let user_info = json!({ "sub": page.claim("sub") });
    world.provider().always(Endpoint::UserInfo, move |reply| *reply = Reply::json(200, &user_info));
    world.provider().once(Endpoint::Token, |reply| reply.fail(Failure::Network));
    world.end_session_unheard();
    world.inside().frames_say(&CHANGED);
    page.expect_status(Status::Offline);
    world.advance(60);
    page.expect_status(Status::Expired);
    assert_eq!(page.cause(), Some(Ending::InvalidGrant));
}

#[test]
fn f4_change_while_the_provider_is_away_is_learnt_when_it_is_back() {
    let world = framed();
    let page = signed_in_with(&world, "hash.salt");
    world.end_session_unheard();
    world.provider().is_down = true;
    world.inside().frames_say(&CHANGED);
    page.expect_status(Status::Offline);
    assert_eq!(page.code(), Some(Code::IssuerUnreachable));
    world.provider().is_down = false;
    page.signal(Signal::Online {});
    page.expect_status(Status::Expired);
}

#[test]
fn f4_only_the_tab_that_leads_watches_and_lets_go_when_it_sleeps() {
    let world = framed();
    let page = signed_in_with(&world, "hash.salt");
    let other = world.open();
    assert_eq!(watched(&world).len(), 1);
    // A page with the frame would be kept out of the back/forward cache.
    page.freeze();
    other.expect_status(Status::Authenticated);
    assert_eq!(watched(&world).len(), 1, "the other one leads now");
    other.close();
    assert_eq!(watched(&world).len(), 0);
    page.thaw();
    assert_eq!(watched(&world).len(), 1);
    page.leave_only_this_app();
    assert_eq!(watched(&world).len(), 0);
}

#[test]
fn s10_kept_session_is_watched_again() {
    let world = World::with(|config| config.storage = Some(StorageKind::Session));
    world.provider().publishes_no("session_events_endpoint");
    let world = framing(world);
    let page = signed_in_with(&world, "hash.salt");
    page.load("/", OnLoad::Manual);
    page.expect_status(Status::Authenticated);
    assert_eq!(watched(&world), [(FRAME.to_owned(), format!("{CLIENT} hash.salt"))]);
}

#[test]
fn rp13_address_of_the_frame_is_one_that_may_be_used() {
    for wrong in ["javascript:alert(1)", "http://idp.example/frame", "https://idp.example/#f", ""] {
        let world = framed();
        world.provider().metadata["check_session_iframe"] = json!(wrong);
        let page = world.open();
        page.sign_in();
        assert_eq!(page.code(), Some(Code::MetadataInvalid), "{wrong}");
    }
    assert!(FRAME.starts_with(ISSUER));
}
