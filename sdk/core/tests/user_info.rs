//! What an answer of `UserInfo`, or none, says about the session, and when it is of no use.

use gatepass_core::{
    error::Code,
    wire::{Command, Failure, Outcome, Signal, Status},
};
use serde_json::json;

use crate::world::{Endpoint, World};

#[test]
fn a_user_info_that_no_script_may_read_is_no_provider_that_is_away() {
    for (refreshes, last) in [(true, None), (false, Some(Code::TokenUnavailable))] {
        let world = World::eventless();
        world.provider().gives_refresh_token = refreshes;
        let page = world.signed_in("richard");
        world.provider().always(Endpoint::UserInfo, |reply| reply.fail(Failure::Network));
        page.look();
        page.expect_status(Status::Offline);
        world.advance(5);
        page.expect_status(Status::Authenticated);
        assert_eq!(page.code(), None);
        // From then on it is not asked.
        let asked = world.count(Endpoint::UserInfo);
        let code = match page.check() {
            Some(Outcome::Failed { error }) => Some(error.code),
            _ => None,
        };
        assert_eq!(code, last);
        assert_eq!(world.count(Endpoint::UserInfo), asked);
        page.expect_status(Status::Authenticated);
    }
}

#[test]
fn a_network_that_was_away_says_nothing_about_user_info() {
    let world = World::eventless();
    let page = world.signed_in("richard");
    for _ in 0..3 {
        world.provider().is_down = true;
        page.look();
        world.advance(40);
        page.expect_status(Status::Offline);
        world.provider().is_down = false;
        world.advance(40);
        page.expect_status(Status::Authenticated);
    }
    let asked = world.count(Endpoint::UserInfo);
    page.look();
    assert_eq!(world.count(Endpoint::UserInfo), asked + 1);
}

#[test]
fn a_user_info_that_is_not_for_these_tokens_is_no_provider_that_is_away() {
    for status in [400, 403, 404, 405, 422, 501] {
        for refreshes in [true, false] {
            let world = World::eventless();
            world.provider().gives_refresh_token = refreshes;
            let page = world.signed_in("richard");
            world.user_info_says(status, "{}");
            page.look();
            assert_eq!((page.status(), page.code()), (Status::Authenticated, None), "{status}");
            // It comes back from elsewhere, and is not asked again so soon.
            page.freeze();
            page.thaw();
            world.advance(1);
            page.expect_status(Status::Authenticated);
            assert_eq!(world.count(Endpoint::UserInfo), 2, "once more, to be sure");
            world.end_session_unheard();
            world.advance(61);
            page.look();
            let status = if refreshes { Status::Expired } else { Status::Authenticated };
            page.expect_status(status);
        }
    }
}

#[test]
fn a_user_info_of_no_use_is_asked_again_after_ten_minutes() {
    let world = World::eventless();
    world.provider().gives_refresh_token = false;
    let page = world.signed_in("richard");
    world.user_info_says(403, "{}");
    page.look();
    world.provider().behave();
    world.end_session_unheard();
    world.advance(599);
    page.look();
    page.expect_status(Status::Authenticated);
    world.advance(1);
    page.look();
    page.expect_status(Status::Expired);
    assert_eq!(world.count(Endpoint::UserInfo), 3);
}

#[test]
fn somebody_on_the_way_says_nothing_about_user_info() {
    for status in [200, 403] {
        let world = World::eventless();
        world.provider().gives_refresh_token = false;
        let page = world.signed_in("richard");
        // One answer, or the network's own page until it is left, whatever is asked for.
        world.provider().once(Endpoint::UserInfo, move |reply| {
            reply.html();
            reply.status = status;
        });
        page.look();
        assert_eq!((page.status(), page.code()), (Status::Authenticated, None));
        for endpoint in [Endpoint::UserInfo, Endpoint::Discovery] {
            world.provider().always(endpoint, move |reply| {
                reply.html();
                reply.status = status;
            });
        }
        page.look();
        world.advance(60);
        world.provider().behave();
        world.advance(31);
        page.expect_status(Status::Authenticated);
        world.end_session_unheard();
        page.look();
        page.expect_status(Status::Expired);
    }
}

#[test]
fn a_user_info_in_another_form_leaves_no_page_without_its_data() {
    for body in ["eyJhbGciOiJFUzI1NiJ9.e30.c2ln", "<html>", "[]", r#"{"sub":7}"#] {
        for refreshes in [true, false] {
            let world = World::new();
            world.provider().gives_refresh_token = refreshes;
            let page = world.signed_in("richard");
            world.user_info_says(200, body);
            page.freeze();
            page.thaw();
            world.advance(1);
            page.expect_status(Status::Authenticated);
        }
    }
}

#[test]
fn a_user_info_that_once_answered_is_away_with_its_network() {
    let world = World::eventless();
    let page = world.signed_in("richard");
    page.look();
    let refreshes = world.refreshes();
    world.provider().always(Endpoint::UserInfo, |reply| reply.fail(Failure::Network));
    page.look();
    world.advance(120);
    page.expect_status(Status::Offline);
    assert_eq!(world.refreshes(), refreshes);
    world.provider().behave();
    world.advance(30);
    page.expect_status(Status::Authenticated);
}

#[test]
fn a_user_info_that_never_answers_in_time_is_of_no_use_where_the_provider_does() {
    let world = World::eventless();
    let page = world.signed_in("richard");
    world.provider().always(Endpoint::UserInfo, |reply| reply.fail(Failure::Timeout));
    page.look();
    page.expect_status(Status::Offline);
    world.advance(5);
    page.expect_status(Status::Authenticated);
    assert_eq!((world.count(Endpoint::UserInfo), world.refreshes()), (2, 1));
}

#[test]
fn an_answer_to_an_older_question_proves_nothing_more() {
    let world = World::eventless();
    world.provider().gives_refresh_token = false;
    let page = world.signed_in("richard");
    for _ in 0..2 {
        world.provider().once(Endpoint::UserInfo, |reply| reply.status = 403);
    }
    world.hold(Endpoint::UserInfo);
    let asked = [page.begin(Command::CheckSession {}), page.begin(Command::CheckSession {})];
    world.settle();
    // The first answer comes, and the provider's own, and only then the second one.
    let held = core::mem::take(&mut world.inside().held_endpoints);
    assert!(world.inside().deliver_one());
    world.inside().held_endpoints = held;
    world.settle();
    assert_eq!(world.count(Endpoint::UserInfo), 3);
    world.release();
    for id in asked {
        assert_eq!(page.outcome(id), Some(Outcome::Done {}));
    }
}

#[test]
fn what_a_check_has_failed_by_goes_with_the_next_one_that_does_not() {
    let world = World::eventless();
    world.provider().rotates = false;
    let page = world.signed_in("richard");
    // A refresh, a check, and what UserInfo says.
    world.provider().once(Endpoint::Token, |reply| reply.html());
    page.run(Command::Extend {});
    assert_eq!(
        (page.code(), page.status()),
        (Some(Code::TokenResponseInvalid), Status::Authenticated)
    );
    page.check();
    assert_eq!((page.code(), page.status()), (None, Status::Authenticated));
    world.provider().once(Endpoint::UserInfo, |reply| reply.member("sub", json!("gavin")));
    page.check();
    assert!(page.code().is_some());
    page.run(Command::Extend {});
    assert_eq!(page.code(), None);
    world.user_info_says(200, "{}");
    page.check();
    assert_eq!(page.code(), Some(Code::UserInfoInvalid));
    world.provider().behave();
    world.advance(601);
    page.check();
    assert_eq!((page.code(), page.status()), (None, Status::Authenticated));
}

#[test]
fn two_questions_at_once_prove_no_more_than_one() {
    let world = World::eventless();
    world.provider().gives_refresh_token = false;
    let page = world.signed_in("richard");
    // A gateway in the provider's place, for all that it serves.
    for endpoint in [Endpoint::UserInfo, Endpoint::Discovery] {
        world.provider().always(endpoint, |reply| {
            reply.html();
            reply.status = 403;
        });
    }
    world.hold(Endpoint::UserInfo);
    let asked = [page.begin(Command::CheckSession {}), page.begin(Command::CheckSession {})];
    world.release();
    for id in asked {
        let outcome = page.outcome(id);
        let Some(Outcome::Failed { error }) = outcome else { panic!("{outcome:?}") };
        assert_eq!(error.code, Code::IssuerUnreachable);
    }
    world.advance(60);
    page.expect_status(Status::Offline);
    world.provider().behave();
    world.end_session_unheard();
    world.advance(31);
    page.expect_status(Status::Expired);
}

#[test]
fn one_refusal_of_a_user_info_that_answers_and_a_network_that_fails_are_not_two() {
    let world = World::eventless();
    world.provider().gives_refresh_token = false;
    let page = world.signed_in("richard");
    page.look();
    world.provider().once(Endpoint::UserInfo, |reply| reply.status = 404);
    world.provider().once(Endpoint::UserInfo, |reply| reply.fail(Failure::Network));
    page.look();
    page.expect_status(Status::Offline);
    world.end_session_unheard();
    world.advance(5);
    page.expect_status(Status::Expired);
}

#[test]
fn after_ten_minutes_a_network_that_fails_once_proves_nothing() {
    let world = World::eventless();
    world.provider().gives_refresh_token = false;
    let page = world.signed_in("richard");
    world.provider().always(Endpoint::UserInfo, |reply| reply.fail(Failure::Network));
    page.look();
    world.advance(5);
    page.expect_status(Status::Authenticated);
    world.advance(601);
    world.provider().is_down = true;
    page.look();
    world.advance(60);
    page.expect_status(Status::Offline);
}

#[test]
fn a_user_info_that_was_of_no_use_for_one_sign_in_is_asked_about_the_next() {
    let world = World::eventless();
    world.provider().gives_refresh_token = false;
    let (page, other) = (world.signed_in("richard"), world.open());
    world.user_info_says(403, "{}");
    page.look();
    world.provider().behave();
    world.advance(1);
    other.sign_in();
    assert_eq!(page.check(), Some(Outcome::Done {}));
}

#[test]
fn answers_without_content_or_from_elsewhere_are_of_no_use_either() {
    for status in [204, 206, 302] {
        let world = World::eventless();
        let page = world.signed_in("richard");
        world.user_info_says(status, "");
        page.look();
        page.expect_status(Status::Authenticated);
        assert_eq!(world.refreshes(), 1);
    }
}

#[test]
fn a_page_comes_back_by_a_refresh_where_events_are_in_trouble_and_user_info_is_unreadable() {
    let world = World::new();
    let page = world.signed_in("richard");
    world.provider().is_down = true;
    world.close_streams();
    world.advance(40);
    page.expect_status(Status::Offline);
    world.provider().is_down = false;
    world.provider().always(Endpoint::Events, |reply| reply.status = 503);
    world.provider().always(Endpoint::UserInfo, |reply| reply.fail(Failure::Network));
    world.advance(65);
    page.expect_status(Status::Authenticated);
}

#[test]
fn what_was_asked_before_it_was_known_that_user_info_is_of_no_use_changes_nothing() {
    let world = World::eventless();
    world.provider().gives_refresh_token = false;
    let page = world.signed_in("richard");
    world.user_info_says(403, "{}");
    world.hold(Endpoint::UserInfo);
    for _ in 0..5 {
        page.begin(Command::CheckSession {});
    }
    world.release();
    assert!(world.count(Endpoint::UserInfo) <= 10, "{}", world.count(Endpoint::UserInfo));
    let asked = world.count(Endpoint::UserInfo);
    page.check();
    assert_eq!(world.count(Endpoint::UserInfo), asked);
}

#[test]
fn a_slow_provider_with_an_unreadable_user_info_is_asked_by_one_question_at_a_time() {
    let world = World::eventless();
    world.provider().gives_refresh_token = false;
    let page = world.signed_in("richard");
    world.provider().always(Endpoint::UserInfo, |reply| reply.fail(Failure::Network));
    page.look();
    page.expect_status(Status::Offline);
    world.hold(Endpoint::Discovery);
    world.advance(20);
    world.release();
    world.advance(1);
    page.expect_status(Status::Authenticated);
    assert_eq!(world.count(Endpoint::UserInfo), 2);
}

#[test]
fn a_refusal_after_a_network_that_was_away_is_the_first_one() {
    let world = World::eventless();
    world.provider().gives_refresh_token = false;
    let page = world.signed_in("richard");
    world.provider().is_down = true;
    page.look();
    page.expect_status(Status::Offline);
    world.provider().is_down = false;
    world.end_session_unheard();
    world.provider().once(Endpoint::UserInfo, |reply| reply.status = 404);
    world.advance(31);
    page.expect_status(Status::Expired);
}

/// Auth0, say, lets each person ask five times a minute.
#[test]
fn a_user_info_that_was_asked_too_often_is_let_alone_and_no_provider_that_is_away() {
    for refreshes in [true, false] {
        for (wished, rests) in [(None, 30), (Some(5), 30), (Some(90), 90), (Some(100_000), 600)] {
            let world = World::eventless();
            world.provider().gives_refresh_token = refreshes;
            let page = world.signed_in("richard");
            world.provider().always(Endpoint::UserInfo, move |reply| {
                (reply.status, reply.retry_after) = (429, wished);
            });
            let from = page.notices();
            for _ in 0..3 {
                page.look();
                world.advance(1);
            }
            assert_eq!(world.count(Endpoint::UserInfo), 1);
            let statuses = page.statuses_since(from);
            assert!(statuses.iter().all(|s| *s == Status::Authenticated), "{statuses:?}");
            world.provider().behave();
            world.advance(rests - 4);
            page.look();
            assert_eq!(world.count(Endpoint::UserInfo), 1, "{wished:?}");
            world.advance(2);
            page.look();
            assert_eq!(world.count(Endpoint::UserInfo), 2, "{wished:?}");
            // Without a refresh token it may have run out meanwhile.
            if refreshes || rests < 300 {
                page.expect_status(Status::Authenticated);
            }
        }
    }
}

/// Entra's, say, where the tokens are for an API of the app's own.
#[test]
fn a_user_info_that_refuses_a_fresh_token_twice_is_not_for_these_tokens() {
    let world = World::eventless();
    let page = world.signed_in("richard");
    world.user_info_says(401, "{}");
    for _ in 0..5 {
        page.look();
        world.advance(2);
        page.expect_status(Status::Authenticated);
    }
    // The first might have been the session's end, which a refresh tells; then the new one is refused.
    assert_eq!((world.count(Endpoint::UserInfo), world.refreshes()), (2, 2));
    // A refresh alone tells from then on.
    world.advance(61);
    world.end_session_unheard();
    page.look();
    page.expect_status(Status::Expired);
    assert_eq!(world.count(Endpoint::UserInfo), 2);
    // One that it has accepted a token in between is for them: somebody may take back a token.
    let world = World::eventless();
    let page = world.signed_in("richard");
    for asked in [1, 3, 5] {
        world.provider().once(Endpoint::UserInfo, |reply| reply.status = 401);
        page.look();
        assert_eq!((world.count(Endpoint::UserInfo), world.refreshes()), (asked, asked / 2 + 1));
        world.advance(2);
        page.look();
        page.expect_status(Status::Authenticated);
        assert_eq!(world.count(Endpoint::UserInfo), asked + 1);
    }
    // A token whose time is over is refused by every provider.
    let world = World::eventless();
    let page = world.signed_in("richard");
    page.signal(Signal::Hidden {});
    for asked in 1..4 {
        world.advance(3700);
        page.check();
        page.expect_status(Status::Authenticated);
        assert_eq!((world.count(Endpoint::UserInfo), world.refreshes()), (asked, asked));
    }
}

#[test]
fn a_token_that_is_refused_to_two_who_ask_at_once_is_one() {
    let world = World::eventless();
    let page = world.signed_in("richard");
    for _ in 0..2 {
        world.provider().once(Endpoint::UserInfo, |reply| reply.status = 401);
    }
    world.hold(Endpoint::UserInfo);
    page.look();
    page.begin(Command::CheckSession {});
    world.release();
    assert_eq!((world.count(Endpoint::UserInfo), world.refreshes()), (2, 1));
    world.advance(2);
    page.look();
    assert_eq!(world.count(Endpoint::UserInfo), 3);
}

#[test]
fn a_check_that_was_put_off_says_so_and_refreshes_nothing_that_is_new() {
    for refreshes in [true, false] {
        let world = World::eventless();
        world.provider().gives_refresh_token = refreshes;
        let page = world.signed_in("richard");
        world.user_info_says(429, "{}");
        let Some(Outcome::Failed { error }) = page.check() else { panic!("it was told") };
        assert_eq!(error.code, Code::IssuerUnreachable);
        assert_eq!(error.evidence.as_ref().unwrap().found.as_str(), "429");
        assert_eq!(world.refreshes(), 0);
        page.expect_status(Status::Authenticated);
        // Where the tokens are older, a refresh tells.
        world.advance(120);
        assert_eq!(page.check() == Some(Outcome::Done {}), refreshes);
    }
}
