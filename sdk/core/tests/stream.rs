//! The event stream: opened by the leader, reopened with patience, given up when there is none.

use gatepass_core::{
    error::Code,
    wire::{Failure, Signal, Status},
};

use crate::world::{Endpoint, Page, Reply, World, expect_growing_pauses, keys::STRANGER};

fn opened(page: &Page) -> usize {
    page.world.count(Endpoint::Events)
}

fn is_open(page: &Page) -> bool {
    page.world.inside().open_streams() == 1
}

#[test]
fn it_stays_open_while_it_is_heard() {
    let world = World::new();
    let page = world.signed_in("richard");
    world.advance_with_heartbeat(3600);
    assert_eq!(opened(&page), 1);
    assert!(is_open(&page));
}

#[test]
fn silence_of_40_seconds_opens_it_anew() {
    let world = World::new();
    let page = world.signed_in("richard");
    world.advance_ms(39_999);
    assert!(is_open(&page));
    world.advance_ms(1);
    assert!(!is_open(&page));
    world.advance(31);
    assert!(is_open(&page));
    assert_eq!(opened(&page), 2);
    page.expect_status(Status::Authenticated);
}

#[test]
fn a_close_opens_it_anew_within_a_second_or_two() {
    let world = World::new();
    let page = world.signed_in("richard");
    world.close_streams();
    let pause = page.wake_in().unwrap();
    assert!((1000..2000).contains(&pause), "{pause}");
    world.advance(2);
    assert!(is_open(&page));
    page.expect_status(Status::Authenticated);
}

#[test]
fn pauses_grow_to_half_a_minute_and_no_further() {
    expect_growing_pauses(World::new, |world| {
        let page = world.signed_in("richard");
        world.provider().always(Endpoint::Events, |reply| reply.status = 500);
        world.close_streams();
        page
    });
}

#[test]
fn patience_is_new_after_a_success() {
    let world = World::new();
    let page = world.signed_in("richard");
    world.provider().always(Endpoint::Events, |reply| reply.fail(Failure::Network));
    world.close_streams();
    world.advance(120);
    page.expect_status(Status::Offline);
    world.provider().behave();
    world.advance(31);
    assert!(is_open(&page));
    page.expect_status(Status::Authenticated);
    assert_eq!(page.code(), None);
    world.close_streams();
    assert!((1000..2000).contains(&page.wake_in().unwrap()));
}

#[test]
fn retry_after_is_obeyed() {
    for status in [429, 503] {
        let world = World::new();
        let page = world.signed_in("richard");
        world.provider().always(Endpoint::Events, move |reply| {
            reply.status = status;
            reply.retry_after = Some(120);
        });
        world.close_streams();
        world.advance(2);
        let tries = opened(&page);
        world.advance(117);
        assert_eq!(opened(&page), tries);
        world.advance(4);
        assert_eq!(opened(&page), tries + 1);
        // Nonsense is not obeyed.
        for nonsense in [-5, i64::MAX, 100_000_000] {
            world.provider().behave();
            world.provider().always(Endpoint::Events, move |reply| {
                reply.status = status;
                reply.retry_after = Some(nonsense);
            });
            world.advance(3600);
            assert!(page.wake_in().unwrap() <= 3_600_000);
        }
        page.expect_status(Status::Authenticated);
    }
}

/// Where several apps of one site share a browser's connections, a provider has no place for each.
#[test]
fn f3_a_place_that_is_taken_is_asked_for_whenever_the_provider_says() {
    let world = World::new();
    let page = world.signed_in("richard");
    let is_taken = |reply: &mut Reply| {
        reply.status = 429;
        reply.retry_after = Some(5);
    };
    world.provider().always(Endpoint::Events, is_taken);
    world.close_streams();
    world.advance(2);
    let tries = opened(&page);
    world.advance(50);
    assert_eq!(opened(&page), tries + 10, "the pauses do not grow");
    page.expect_status(Status::Authenticated);
    // It is an answer all the same: who was offline is not any more.
    world.provider().behave();
    world.provider().always(Endpoint::Events, |reply| reply.fail(Failure::Network));
    world.advance(10);
    page.expect_status(Status::Offline);
    world.provider().behave();
    world.provider().always(Endpoint::Events, is_taken);
    world.advance(31);
    page.expect_status(Status::Authenticated);
    assert_eq!(page.code(), None);
}

#[test]
fn a_401_refreshes_once() {
    let world = World::new();
    let page = world.signed_in("richard");
    world.advance_with_heartbeat(400);
    assert_eq!(world.refreshes(), 0);
    world.close_streams();
    world.advance(2);
    assert_eq!(world.refreshes(), 1, "the token had run out");
    assert!(is_open(&page));
    // A provider that refuses fresh tokens too is not flooded.
    world.provider().always(Endpoint::Events, |reply| {
        *reply = Reply::json(401, &serde_json::json!({ "error": "invalid_token" }));
    });
    world.close_streams();
    world.advance(600);
    assert_eq!(world.refreshes(), 2);
    page.expect_status(Status::Authenticated);
}

#[test]
fn a_401_whose_refresh_failed_is_tried_again_with_a_fresh_token() {
    let world = World::new();
    let page = world.signed_in("richard");
    world.advance_with_heartbeat(400);
    world.provider().once(Endpoint::Token, |reply| reply.status = 503);
    world.provider().rotates = false;
    world.close_streams();
    world.advance(60);
    assert!(is_open(&page));
    page.expect_status(Status::Authenticated);
}

#[test]
fn a_stream_that_there_is_not_for_us_is_given_up() {
    for change in [
        (|reply: &mut Reply| reply.status = 404) as fn(&mut Reply),
        |reply| reply.status = 403,
        |reply| reply.status = 400,
        |reply| reply.content_type = Some("text/html".into()),
        |reply| reply.content_type = None,
    ] {
        let world = World::new();
        world.provider().always(Endpoint::Events, change);
        let page = world.signed_in("richard");
        page.signal(Signal::Hidden {});
        world.advance(600);
        assert_eq!(opened(&page), 1);
        assert!(!is_open(&page) || page.world.inside().open_streams() <= 1);
        page.expect_status(Status::Authenticated);
        // Checks remain.
        page.signal(Signal::Shown {});
        assert_eq!(world.count(Endpoint::UserInfo), 1);
    }
}

#[test]
fn what_was_missed_is_learnt_on_reconnect() {
    let world = World::new();
    let page = world.signed_in("richard");
    world.close_streams();
    // The session ends while nobody listens.
    world.provider_ends_session();
    world.advance(2);
    assert_ne!(page.status(), Status::Authenticated);
    assert_eq!(page.session().claims, None);
}

/// A session that is over is told of by 200 too: that the provider answers does not say that it stands.
#[test]
fn rp24_a_page_that_was_offline_does_not_show_a_session_that_ended_meanwhile() {
    let world = World::new();
    let page = world.signed_in("richard");
    let other = world.open();
    world.provider().is_down = true;
    world.close_streams();
    page.check();
    page.expect_status(Status::Offline);
    world.end_session_unheard();
    let from = [page.notices(), other.notices()];
    world.provider().is_down = false;
    world.advance(60);
    for (page, from) in [&page, &other].into_iter().zip(from) {
        page.expect_status(Status::Anonymous);
        let shown = page.statuses_since(from);
        assert!(!shown.contains(&Status::Authenticated), "{shown:?}");
    }
}

#[test]
fn a_stream_that_spoke_of_an_end_spares_no_check_until_it_is_opened_anew() {
    let world = World::new();
    let page = world.signed_in("richard");
    page.look();
    assert_eq!(world.count(Endpoint::UserInfo), 0);
    world.push_logout_token(|token| token.key = &STRANGER);
    for asked in [1, 2] {
        page.look();
        assert_eq!(world.count(Endpoint::UserInfo), asked);
        world.advance_with_heartbeat(60);
    }
    page.expect_status(Status::Authenticated);
    world.close_streams();
    world.advance(2);
    page.look();
    assert_eq!(world.count(Endpoint::UserInfo), 2);
}

/// Somebody on the way takes the stream and ends it.
#[test]
fn a_stream_that_ends_before_it_says_anything_keeps_no_page_offline_and_is_opened_less_often() {
    let world = World::new();
    let page = world.signed_in("richard");
    world.provider().is_down = true;
    world.close_streams();
    page.check();
    page.expect_status(Status::Offline);
    world.inside().streams_are_mute = true;
    world.provider().is_down = false;
    let before = opened(&page);
    // At most a thirtieth of a second open.
    while opened(&page) == before {
        world.advance_ms(30);
    }
    assert_eq!(page.status(), Status::Offline);
    world.close_streams();
    page.expect_status(Status::Authenticated);
    for _ in 0..10_000 {
        world.advance_ms(30);
        world.close_streams();
    }
    // In five minutes: with pauses of a second or two it were 200.
    let times = opened(&page) - before;
    assert!((10..50).contains(&times), "{times}");
}

#[test]
fn a_stream_without_end_of_line_is_closed() {
    let world = World::new();
    let page = world.signed_in("richard");
    for _ in 0..70 {
        world.push(&[b'x'; 1000]);
    }
    assert!(!is_open(&page));
    world.advance(3);
    assert!(is_open(&page));
    for _ in 0..70 {
        world.push(&[b"data: ".as_slice(), &[b'x'; 1000], b"\n"].concat());
    }
    assert!(!is_open(&page));
    page.expect_status(Status::Authenticated);
}

#[test]
fn bytes_that_are_no_text_are_survived() {
    let world = World::new();
    let page = world.signed_in("richard");
    world.push(b"event: logout\ndata: \xff\xfe\x00\n\n");
    page.expect_status(Status::Authenticated);
    assert_eq!(page.code(), Some(Code::LogoutTokenInvalid));
    world.push(b"\xef\xbb\xbf: hello\n\n");
    world.provider_ends_session();
    page.expect_status(Status::Anonymous);
}

#[test]
fn a_page_that_leaves_lets_the_stream_go() {
    let world = World::new();
    let page = world.signed_in("richard");
    page.freeze();
    assert_eq!(world.inside().open_streams(), 0);
    assert_eq!(world.inside().leader(), None);
    world.advance(100);
    assert_eq!(world.inside().open_streams(), 0);
    page.thaw();
    assert!(is_open(&page));
    page.expect_status(Status::Authenticated);
}

#[test]
fn no_stream_is_opened_for_nobody() {
    let world = World::new();
    let page = world.open();
    world.advance(100);
    assert_eq!(opened(&page), 0);
    assert_eq!(page.wake_in(), None, "a page without a session sleeps");
}
