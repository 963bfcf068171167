//! The session's own lifetime, and `extend`, which starts it anew for all tabs.

use gatepass_core::{
    config::StorageKind,
    error::Code,
    wire::{Command, Ending, OnLoad, Outcome, Signal, Status},
};

use crate::world::{Endpoint, Page, World, page::leave_slowly};

const LIFETIME: i64 = 600;

fn world() -> World {
    World::with(|config| config.session_lifetime = Some(LIFETIME))
}

fn code(outcome: Option<Outcome>) -> Code {
    match outcome {
        Some(Outcome::Failed { error }) => error.code,
        other => panic!("{other:?}"),
    }
}

impl Page {
    fn extend(&self) -> Option<Outcome> {
        self.run(Command::Extend {})
    }

    /// Seconds until the session ends by itself.
    fn left(&self) -> i64 {
        let now = self.world.inside().provider_time();
        self.session().expires_at.unwrap() - now
    }
}

#[test]
fn f11_whoever_extends_the_session_has_it_for_another_lifetime() {
    for gives_refresh_token in [true, false] {
        let world = world();
        world.provider().gives_refresh_token = gives_refresh_token;
        world.provider().access_token_lifetime = 10_000;
        let page = world.signed_in("richard");
        let (began, notices) = (page.session().started_at, page.notices());
        world.advance_with_heartbeat(500);
        assert_eq!(page.left(), LIFETIME - 500);
        assert_eq!(page.extend(), Some(Outcome::Done {}));
        assert_eq!((page.left(), page.notices()), (LIFETIME, notices + 1));
        assert_eq!(page.session().started_at, began, "that is when the person signed in");
        // The provider was asked, once.
        let asked = (world.refreshes(), world.count(Endpoint::UserInfo));
        assert_eq!(asked, if gives_refresh_token { (1, 0) } else { (0, 1) });
        world.advance_with_heartbeat(LIFETIME - 10);
        page.expect_status(Status::Authenticated);
        world.advance_with_heartbeat(10);
        page.expect_status(Status::Expired);
        assert_eq!(page.cause(), Some(Ending::Lifetime));
        assert_eq!(code(page.extend()), Code::NotSignedIn);
    }
}

#[test]
fn f11_extending_in_one_tab_extends_in_all() {
    for gives_refresh_token in [true, false] {
        let world = world();
        world.provider().gives_refresh_token = gives_refresh_token;
        world.provider().access_token_lifetime = 10_000;
        let leader = world.signed_in("richard");
        let (second, third) = (world.open(), world.open());
        assert!(leader.leads());
        for page in [&second, &leader, &third] {
            world.advance_with_heartbeat(400);
            assert_eq!(page.extend(), Some(Outcome::Done {}));
            for tab in [&leader, &second, &third] {
                assert_eq!(tab.left(), LIFETIME);
            }
        }
        // Also for one that is opened later.
        world.advance_with_heartbeat(400);
        assert_eq!(world.open().left(), LIFETIME - 400);
        assert_eq!(world.refreshes(), if gives_refresh_token { 3 } else { 0 });
    }
}

#[test]
fn f11_a_refresh_by_itself_extends_nothing() {
    let world = world();
    let page = world.signed_in("richard");
    world.advance_with_heartbeat(290);
    page.token().unwrap();
    assert_eq!(world.refreshes(), 1);
    assert_eq!(page.left(), LIFETIME - 290);
    page.check();
    assert_eq!(page.left(), LIFETIME - 290);
}

#[test]
fn f11_extending_joins_a_refresh_that_is_under_way() {
    let world = world();
    let (leader, second) = (world.signed_in("richard"), world.open());
    world.advance_with_heartbeat(290);
    world.hold(Endpoint::Token);
    let token = leader.begin(crate::world::page::get_token());
    let extended = [leader.begin(Command::Extend {}), second.begin(Command::Extend {})];
    world.settle();
    world.release();
    assert!(matches!(leader.outcome(token), Some(Outcome::Token { .. })));
    for (page, command) in [&leader, &second].into_iter().zip(extended) {
        assert_eq!(page.outcome(command), Some(Outcome::Done {}));
        assert_eq!(page.left(), LIFETIME);
    }
    assert_eq!(world.refreshes(), 1);
}

#[test]
fn f11_tokens_that_came_for_something_else_prove_nothing() {
    let world = world();
    let (leader, second) = (world.signed_in("richard"), world.open());
    world.advance_with_heartbeat(290);
    // The leader has refreshed, and the second tab asks before it has heard of that.
    world.hold_for(Endpoint::Token, &leader);
    let token = leader.begin(crate::world::page::get_token());
    world.advance(1);
    world.inside().held_endpoints.clear();
    while leader.outcome(token).is_none() {
        assert!(world.inside().deliver_one());
    }
    let extended = second.begin(Command::Extend {});
    world.settle();
    assert!(matches!(leader.outcome(token), Some(Outcome::Token { .. })));
    assert_eq!(second.outcome(extended), Some(Outcome::Done {}));
    for page in [&leader, &second] {
        assert_eq!(page.left(), LIFETIME);
    }
}

#[test]
fn f11_extending_a_session_that_the_provider_has_ended_ends_it() {
    for gives_refresh_token in [true, false] {
        let world = world();
        world.provider().gives_refresh_token = gives_refresh_token;
        let (page, other) = (world.signed_in("richard"), world.open());
        world.inside().provider.end_sso(0);
        assert_eq!(code(page.extend()), Code::NotSignedIn);
        let ending = if gives_refresh_token { Ending::InvalidGrant } else { Ending::InvalidToken };
        for tab in [&page, &other] {
            tab.expect_status(Status::Expired);
            assert_eq!(tab.cause(), Some(ending));
        }
    }
}

#[test]
fn f11_a_provider_that_is_away_extends_nothing_and_ends_nothing() {
    for gives_refresh_token in [true, false] {
        let world = world();
        world.provider().gives_refresh_token = gives_refresh_token;
        let page = world.signed_in("richard");
        world.advance_with_heartbeat(100);
        world.provider().is_down = true;
        assert_eq!(code(page.extend()), Code::IssuerUnreachable);
        page.expect_status(Status::Offline);
        assert_eq!(page.left(), LIFETIME - 100);
        // What failed is not made up for later.
        world.provider().is_down = false;
        page.check();
        page.expect_status(Status::Authenticated);
        assert_eq!(page.left(), LIFETIME - 100);
        world.advance_with_heartbeat(LIFETIME);
        page.expect_status(Status::Expired);
    }
}

#[test]
fn f11_where_nobody_can_be_asked_extending_is_refused_and_the_session_stays() {
    let world = world();
    world.provider().gives_refresh_token = false;
    world.provider().publishes_no("userinfo_endpoint");
    let page = world.signed_in("richard");
    assert_eq!(code(page.extend()), Code::TokenUnavailable);
    assert_eq!(code(page.check()), Code::TokenUnavailable);
    page.expect_status(Status::Authenticated);
    page.freeze();
    page.thaw();
    world.advance(1);
    page.expect_status(Status::Authenticated);
}

#[test]
fn f11_a_page_that_slept_through_an_extension_does_not_end_the_session() {
    for gives_refresh_token in [true, false] {
        let world = world();
        world.provider().gives_refresh_token = gives_refresh_token;
        world.provider().access_token_lifetime = 10_000;
        let (page, sleeper) = (world.signed_in("richard"), world.open());
        sleeper.freeze();
        world.advance_with_heartbeat(500);
        page.extend();
        world.advance_with_heartbeat(300);
        sleeper.thaw();
        world.advance_ms(400);
        for tab in [&page, &sleeper] {
            tab.expect_status(Status::Authenticated);
            assert_eq!(tab.left(), LIFETIME - 300);
        }
        // And one whose timer goes off first, before it has heard what was said meanwhile.
        let deaf = world.open();
        deaf.hang();
        world.advance_with_heartbeat(200);
        page.extend();
        world.advance_with_heartbeat(300);
        deaf.wake_deaf();
        assert_eq!(deaf.status(), Status::Restoring, "nothing is shown that may be over");
        deaf.recover();
        world.advance_ms(400);
        for tab in [&page, &deaf] {
            tab.expect_status(Status::Authenticated);
        }
    }
}

#[test]
fn f11_a_page_that_slept_past_the_end_says_so_when_nobody_has_extended() {
    let world = world();
    let page = world.signed_in("richard");
    page.freeze();
    world.advance(LIFETIME + 100);
    page.thaw();
    page.expect_status(Status::Restoring);
    assert_eq!(page.session().claims, None);
    world.advance_ms(400);
    page.expect_status(Status::Expired);
    assert_eq!(page.cause(), Some(Ending::Lifetime));
}

#[test]
fn f11_whoever_stays_in_time_is_not_put_out_by_a_slow_answer() {
    // (Without a refresh token each tab asks for itself, and the others do not hear that it does.)
    for (gives_refresh_token, by_follower) in [(true, false), (true, true), (false, false)] {
        let world = world();
        world.provider().gives_refresh_token = gives_refresh_token;
        world.provider().access_token_lifetime = 10_000;
        let pages = [world.signed_in("richard"), world.open()];
        world.advance_with_heartbeat(LIFETIME - 1);
        world.hold(if gives_refresh_token { Endpoint::Token } else { Endpoint::UserInfo });
        let page = &pages[usize::from(by_follower)];
        let stays = page.begin(Command::Extend {});
        world.advance(5);
        page.expect_status(Status::Restoring);
        assert_eq!(page.session().claims, None);
        world.release();
        assert_eq!(page.outcome(stays), Some(Outcome::Done {}));
        world.advance(1);
        for page in &pages {
            page.expect_status(Status::Authenticated);
            assert!(page.left() >= LIFETIME - 6);
        }
    }
}

#[test]
fn f11_whoever_stays_and_gets_no_answer_is_out_in_the_end() {
    let world = world();
    let page = world.signed_in("richard");
    world.advance_with_heartbeat(LIFETIME - 1);
    world.hold(Endpoint::Token);
    page.begin(Command::Extend {});
    world.advance(30);
    page.expect_status(Status::Restoring);
    // Whoever does it again gets no more time.
    page.begin(Command::Extend {});
    world.advance(12);
    page.expect_status(Status::Expired);
    assert_eq!(page.cause(), Some(Ending::Lifetime));
}

#[test]
fn f11_whoever_stays_only_when_it_is_over_does_not() {
    for gives_refresh_token in [true, false] {
        let world = world();
        world.provider().gives_refresh_token = gives_refresh_token;
        world.provider().access_token_lifetime = 10_000;
        let page = world.signed_in("richard");
        page.freeze();
        world.advance(LIFETIME + 100);
        page.thaw();
        page.expect_status(Status::Restoring);
        let asked = (world.refreshes(), world.count(Endpoint::UserInfo));
        let stays = page.begin(Command::Extend {});
        world.advance_ms(400);
        page.expect_status(Status::Expired);
        assert_eq!(page.cause(), Some(Ending::Lifetime));
        assert_eq!(code(page.outcome(stays)), Code::NotSignedIn);
        assert_eq!((world.refreshes(), world.count(Endpoint::UserInfo)), asked);
    }
}

#[test]
fn f11_a_page_that_thinks_it_is_over_by_a_wrong_clock_shows_the_session_again() {
    let world = world();
    world.provider().access_token_lifetime = 10_000;
    let page = world.signed_in("richard");
    page.freeze();
    world.local_clock_jumps((LIFETIME + 100) * 1000);
    page.thaw();
    world.advance_ms(400);
    page.expect_status(Status::Authenticated);
    assert_eq!(page.left(), LIFETIME);
}

#[test]
fn rp17_whoever_extends_again_and_again_gives_a_leader_that_hangs_no_more_time() {
    let world = world();
    let first = world.signed_in("richard");
    let second = world.open();
    first.hang();
    let mut commands = Vec::new();
    for _ in 0..4 {
        commands.push(second.begin(Command::Extend {}));
        world.advance(4);
    }
    assert!(second.leads());
    for command in commands {
        assert_eq!(second.outcome(command), Some(Outcome::Done {}));
    }
    assert_eq!(world.refreshes(), 1);
}

#[test]
fn f11_an_extension_that_is_proven_while_the_others_are_asked_counts() {
    for gives_refresh_token in [true, false] {
        let world = world();
        world.provider().gives_refresh_token = gives_refresh_token;
        world.provider().access_token_lifetime = 10_000;
        let page = world.signed_in("richard");
        // The answer tells that the provider's clock was moved past the end.
        world.provider().clock_offset_ms = (LIFETIME + 100) * 1000;
        assert_eq!(page.extend(), Some(Outcome::Done {}));
        world.advance_ms(400);
        page.expect_status(Status::Authenticated);
        assert_eq!(page.left(), LIFETIME);
    }
}

#[test]
fn f11_a_page_that_slept_gives_nobody_what_is_over() {
    let world = world();
    let (page, sleeper) = (world.signed_in("richard"), world.open());
    sleeper.freeze();
    world.advance_with_heartbeat(500);
    page.extend();
    world.advance_with_heartbeat(300);
    // It is asked by a new tab before it has asked itself, and the one that knows is slow.
    page.hang();
    sleeper.thaw();
    let new = world.tab();
    new.load("/", OnLoad::Manual);
    assert!(!new.is_signed_in());
    page.recover();
    world.advance_ms(400);
    page.expect_status(Status::Authenticated);
}

#[test]
fn f11_an_extension_is_kept_over_a_restart() {
    for gives_refresh_token in [true, false] {
        let world = World::with(|config| {
            config.session_lifetime = Some(LIFETIME);
            config.storage = Some(StorageKind::Local);
        });
        world.provider().gives_refresh_token = gives_refresh_token;
        world.provider().access_token_lifetime = 10_000;
        let page = world.signed_in("richard");
        world.advance_with_heartbeat(500);
        page.extend();
        world.inside().finish_sealing();
        page.close();
        world.advance(400);
        let page = world.open();
        page.expect_status(Status::Authenticated);
        assert_eq!(page.left(), LIFETIME - 400);
    }
}

#[test]
fn f11_without_a_lifetime_extending_asks_the_provider_all_the_same() {
    let world = World::new();
    let page = world.signed_in("richard");
    assert_eq!(page.extend(), Some(Outcome::Done {}));
    assert_eq!((world.refreshes(), page.session().expires_at), (1, None));
    assert_eq!(code(World::new().open().extend()), Code::NotSignedIn);
}

#[test]
fn f11_the_word_of_another_tab_that_extends_is_no_more_than_a_wish() {
    let world = world();
    let page = world.signed_in("richard");
    world.advance_with_heartbeat(100);
    world.inside().provider.end_sso(0);
    let version = world.overheard("session")["version"].clone();
    let now = world.inside().wall_ms;
    let wish = serde_json::json!({"kind": "renew", "version": version, "at": now, "extends": true});
    world.say(&wish.to_string());
    page.expect_status(Status::Expired);
    assert_eq!(page.cause(), Some(Ending::InvalidGrant));
}

#[test]
fn f11_whoever_extends_in_time_is_not_put_out_by_one_wrong_answer() {
    // It comes after the end, or before.
    for (before, first) in [(1, 9), (2, 1)] {
        let world = world();
        world.provider().gives_refresh_token = false;
        world.provider().access_token_lifetime = 3600;
        let page = world.signed_in("richard");
        world.advance_with_heartbeat(LIFETIME - before);
        world.hold(Endpoint::UserInfo);
        world.provider().once(Endpoint::UserInfo, crate::world::provider::Reply::html);
        let id = page.begin(Command::Extend {});
        world.settle();
        for (next, seconds) in [(Endpoint::Discovery, first), (Endpoint::UserInfo, 4)] {
            world.advance_with_heartbeat(seconds);
            world.inside().held_endpoints = vec![(next, None)];
            world.settle();
        }
        world.advance_with_heartbeat(10);
        world.release();
        assert_eq!(page.outcome(id), Some(Outcome::Done {}));
        page.expect_status(Status::Authenticated);
    }
}

#[test]
fn f11_a_page_that_is_being_left_ends_nothing_that_was_extended() {
    for refresh in [true, false] {
        for leader_leaves in [false, true] {
            if refresh && leader_leaves {
                continue;
            }
            let world = world();
            world.provider().gives_refresh_token = refresh;
            world.provider().access_token_lifetime = 10_000;
            let (first, second) = (world.signed_in("richard"), world.open());
            let (leaves, stays) = if leader_leaves { (&first, &second) } else { (&second, &first) };
            world.advance_with_heartbeat(LIFETIME - 5);
            leave_slowly(leaves);
            assert_eq!(stays.run(Command::Extend {}), Some(Outcome::Done {}));
            world.advance(7);
            assert_eq!(
                (stays.status(), stays.cause()),
                (Status::Authenticated, None),
                "refresh {refresh}, leader leaves {leader_leaves}"
            );
        }
    }
}

/// While one tab extends the session, another that waits for that is gone for so many seconds.
fn one_is_gone_while_another_extends(
    leave: impl Fn(&Page),
    seconds: i64,
    come_back: impl Fn(&Page),
) {
    let world = world();
    world.provider().access_token_lifetime = 10_000;
    let (first, second) = (world.signed_in("richard"), world.open());
    world.advance_with_heartbeat(LIFETIME - 1);
    world.hold(Endpoint::Token);
    let stays = first.begin(Command::Extend {});
    world.advance(3);
    second.expect_status(Status::Restoring);
    leave(&second);
    world.release();
    assert_eq!(first.outcome(stays), Some(Outcome::Done {}));
    world.advance_with_heartbeat(seconds);
    first.expect_status(Status::Authenticated);
    come_back(&second);
    world.advance(2);
    assert_eq!((first.status(), first.cause()), (Status::Authenticated, None));
    second.expect_status(Status::Authenticated);
}

#[test]
fn f11_a_page_that_slept_while_it_waited_for_an_extension_asks_again() {
    one_is_gone_while_another_extends(Page::freeze, 60, Page::thaw);
}

#[test]
fn f11_whoever_extends_by_user_info_has_the_same_time_in_other_tabs() {
    let world = world();
    world.provider().gives_refresh_token = false;
    world.provider().access_token_lifetime = 3600;
    let (page, other) = (world.signed_in("richard"), world.open());
    world.advance_with_heartbeat(LIFETIME - 1);
    world.hold(Endpoint::UserInfo);
    world.provider().once(Endpoint::UserInfo, crate::world::provider::Reply::html);
    let id = page.begin(Command::Extend {});
    world.settle();
    for next in [Some(Endpoint::Discovery), Some(Endpoint::UserInfo), None] {
        for _ in 0..9 {
            world.advance_with_heartbeat(1);
            // Nobody takes it for a page that hung.
            other.signal(Signal::Wake {});
        }
        world.inside().held_endpoints = next.map(|next| (next, None)).into_iter().collect();
        world.settle();
    }
    assert_eq!((page.status(), page.cause()), (Status::Authenticated, None));
    assert_eq!(page.outcome(id), Some(Outcome::Done {}));
    world.advance(1);
    other.expect_status(Status::Authenticated);
}

#[test]
fn f11_a_page_that_hung_while_it_waited_for_an_extension_asks_again() {
    // Its timer goes off first.
    let recover = |page: &Page| {
        page.wake_deaf();
        page.recover();
    };
    one_is_gone_while_another_extends(Page::hang, 30, recover);
}

#[test]
fn f11_a_tab_that_begins_ends_nothing_that_another_one_extends() {
    for storage in [StorageKind::Session, StorageKind::Local] {
        for stands in [true, false] {
            let world = World::with(|config| {
                config.session_lifetime = Some(LIFETIME);
                config.storage = Some(storage);
            });
            world.provider().access_token_lifetime = 10_000;
            let (first, second) = (world.signed_in("richard"), world.open());
            world.advance_with_heartbeat(LIFETIME - 1);
            if !stands {
                world.end_session_unheard();
            }
            world.hold(Endpoint::Token);
            let extended = first.begin(Command::Extend {});
            world.advance(3);
            second.load("/", OnLoad::Manual);
            world.advance(5);
            first.expect_status(Status::Restoring);
            world.release();
            world.advance(1);
            if stands {
                assert_eq!(first.outcome(extended), Some(Outcome::Done {}));
                first.expect_status(Status::Authenticated);
                second.expect_status(Status::Authenticated);
            } else {
                first.expect_status(Status::Expired);
                second.expect_status(Status::Anonymous);
            }
        }
    }
}

#[test]
fn f11_a_leader_that_was_being_left_and_stays_asks_before_it_ends_the_session() {
    for before in 7..=10 {
        let world = world();
        world.provider().gives_refresh_token = false;
        world.provider().access_token_lifetime = 10_000;
        let (leader, other) = (world.signed_in("richard"), world.open());
        assert!(leader.leads());
        world.advance_with_heartbeat(LIFETIME - before);
        leave_slowly(&leader);
        assert_eq!(other.run(Command::Extend {}), Some(Outcome::Done {}));
        world.advance(14);
        assert_eq!((other.status(), other.cause()), (Status::Authenticated, None), "{before}");
        leader.expect_status(Status::Authenticated);
    }
}

#[test]
fn f11_a_page_that_was_being_left_while_it_waited_for_an_extension_asks_again() {
    let leave = |page: &Page| {
        page.world.advance(1);
        leave_slowly(page);
    };
    // Its timers go off together: that it stays, and that it has waited long enough.
    let stay = |page: &Page| {
        page.hang();
        page.world.advance_ms(1200);
        page.recover_by(Signal::Wake {});
    };
    one_is_gone_while_another_extends(leave, 9, stay);
}

#[test]
fn f11_a_machine_that_slept_while_a_page_waited_for_an_extension_asks_again() {
    let world = world();
    world.provider().access_token_lifetime = 10_000;
    let (first, second) = (world.signed_in("richard"), world.open());
    world.advance_with_heartbeat(LIFETIME - 1);
    world.hold(Endpoint::Token);
    let extended = first.begin(Command::Extend {});
    for _ in 0..3 {
        world.advance(1);
        // Nobody takes it for a page that hung.
        second.signal(Signal::Wake {});
    }
    world.sleep(60);
    second.signal(Signal::Wake {});
    first.signal(Signal::Wake {});
    world.release();
    world.advance(1);
    assert_eq!(first.outcome(extended), Some(Outcome::Done {}));
    first.expect_status(Status::Authenticated);
    second.expect_status(Status::Authenticated);
}

#[test]
fn f11_a_page_whose_timers_are_always_late_asks_no_more_than_twice() {
    let world = world();
    let page = world.signed_in("richard");
    page.hang();
    world.advance(LIFETIME + 60);
    for _ in 0..4 {
        page.wake_deaf();
        world.advance(60);
    }
    page.expect_status(Status::Expired);
}

#[test]
fn f11_a_page_that_missed_a_version_ends_nothing_that_another_tab_extends() {
    for storage in [StorageKind::Memory, StorageKind::Session, StorageKind::Local] {
        let world = World::with(|config| {
            config.session_lifetime = Some(LIFETIME);
            config.storage = Some(storage);
        });
        let (first, second) = (world.signed_in("richard"), world.open());
        world.advance_with_heartbeat(LIFETIME - 20);
        second.freeze();
        assert!(first.token().is_ok());
        world.advance(19);
        world.hold(Endpoint::Token);
        let extended = first.begin(Command::Extend {});
        world.advance(3);
        second.thaw();
        world.advance(3);
        world.release();
        world.advance(1);
        assert_eq!(first.outcome(extended), Some(Outcome::Done {}), "{storage:?}");
        first.expect_status(Status::Authenticated);
        second.expect_status(Status::Authenticated);
    }
}

#[test]
fn f11_what_was_extended_and_kept_is_not_ended_before_it_is_read() {
    let world = World::with(|config| {
        config.session_lifetime = Some(LIFETIME);
        config.storage = Some(StorageKind::Local);
    });
    world.provider().access_token_lifetime = 10_000;
    let (first, second) = (world.signed_in("richard"), world.open());
    world.advance_with_heartbeat(LIFETIME - 10);
    second.freeze();
    assert_eq!(first.extend(), Some(Outcome::Done {}));
    first.close();
    world.advance(100);
    world.hold(Endpoint::Vault);
    second.thaw();
    world.advance(1);
    second.expect_status(Status::Restoring);
    world.release();
    world.advance(2);
    assert_eq!((second.status(), second.cause()), (Status::Authenticated, None));
}
