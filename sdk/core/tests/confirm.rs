//! When a page makes sure by itself that its session stands, and what spares the provider that.

use gatepass_core::{
    config::StorageKind,
    error::Code,
    wire::{Command, Ending, Failure, OnLoad, Outcome, Signal, Status},
};
use serde_json::json;

use crate::world::{Endpoint, Page, RELAY, World};

/// What it has shown since.
fn statuses(page: &Page, since: usize) -> Vec<Status> {
    page.shown()[since..].iter().map(|session| session.status).collect()
}

fn end_session(world: &World) {
    let sso = world.provider().cookie.unwrap();
    world.provider().end_sso(sso);
}

#[test]
fn the_stream_of_the_leader_spares_every_tab_its_question() {
    let world = World::new();
    let pages = [world.signed_in("richard"), world.open(), world.open()];
    world.advance_with_heartbeat(15);
    let requests = world.requests();
    for page in &pages {
        page.look();
        page.signal(Signal::Online {});
        world.advance(1);
        page.expect_status(Status::Authenticated);
    }
    assert_eq!(world.requests(), requests);
}

#[test]
fn s15_a_tab_whose_leader_hangs_asks_for_itself_and_shows_nothing_meanwhile() {
    let world = World::new();
    let (first, second) = (world.signed_in("richard"), world.open());
    world.heartbeat();
    second.look();
    assert!(first.leads());
    first.hang();
    world.advance(29);
    world.hold(Endpoint::UserInfo);
    end_session(&world);
    world.advance(2);
    second.look();
    world.advance(1);
    second.expect_status(Status::Restoring);
    world.release();
    assert_ne!(second.status(), Status::Authenticated);
}

#[test]
fn a_word_about_the_stream_counts_for_its_session_and_its_time() {
    let world = World::new();
    let (first, second) = (world.signed_in("richard"), world.open());
    world.heartbeat();
    second.look();
    let word = world.overheard("heard").to_string();
    first.hang();
    world.advance(31);
    // Said half a minute ago, of another session, in the future, or nonsense.
    let mut other = world.overheard("heard");
    other["began"][0] = json!(1);
    other["at"] = json!(world.inside().wall_ms);
    let mut early = world.overheard("heard");
    early["at"] = json!(world.inside().wall_ms + 60_000);
    for word in [&word, &other.to_string(), &early.to_string(), r#"{"kind":"heard"}"#] {
        let asked = world.count(Endpoint::UserInfo);
        second.signal(Signal::Hidden {});
        second.signal(Signal::Shown {});
        world.say(word);
        world.advance(1);
        assert_eq!(world.count(Endpoint::UserInfo), asked + 1, "{word}");
    }
}

#[test]
fn s15_after_a_sleep_in_which_the_pages_clock_went_on_nothing_shows_before_an_answer() {
    for first in [Signal::Online {}, Signal::Shown {}, Signal::Wake {}] {
        let world = World::new();
        let page = world.signed_in("richard");
        world.heartbeat();
        end_session(&world);
        world.hold(Endpoint::UserInfo);
        page.hang();
        world.advance(3600);
        page.recover_by(first.clone());
        page.expect_status(Status::Restoring);
        world.release();
        page.expect_status(Status::Expired);
        assert_eq!(page.cause(), Some(Ending::InvalidGrant), "{first:?}");
    }
}

#[test]
fn a_timer_that_is_late_in_a_hidden_page_is_no_sleep() {
    let world = World::eventless();
    let page = world.signed_in("richard");
    page.signal(Signal::Hidden {});
    page.hang();
    world.advance(1000);
    page.recover_by(Signal::Wake {});
    page.expect_status(Status::Authenticated);
    assert_eq!(world.count(Endpoint::UserInfo), 0);
}

#[test]
fn where_nobody_tells_a_page_stays_as_it_is_while_it_is_asked_about() {
    let world = World::eventless();
    let page = world.signed_in("richard");
    world.hold(Endpoint::UserInfo);
    let notices = page.notices();
    page.look();
    assert_eq!((page.status(), page.notices()), (Status::Authenticated, notices));
    // Clicked to and seen at once is one question.
    page.signal(Signal::Shown {});
    world.release();
    assert_eq!(world.count(Endpoint::UserInfo), 1);
}

#[test]
fn where_nobody_tells_a_page_that_is_looked_at_refreshes_before_its_token_is_over() {
    let world = World::eventless();
    let pages = [world.signed_in("richard"), world.open()];
    world.advance(280);
    assert_eq!(world.refreshes(), 1, "one for all tabs");
    end_session(&world);
    world.advance(280);
    for page in &pages {
        page.expect_status(Status::Expired);
        assert_eq!(page.cause(), Some(Ending::InvalidGrant));
    }
}

#[test]
fn a_page_that_nobody_looks_at_or_that_is_told_refreshes_nothing_by_itself() {
    let (unseen, told) = (World::eventless(), World::new());
    let page = unseen.signed_in("richard");
    page.signal(Signal::Hidden {});
    told.signed_in("richard");
    let requests = (unseen.requests(), told.requests());
    unseen.advance(900);
    told.advance_with_heartbeat(900);
    assert_eq!((unseen.requests(), told.requests()), requests);
    // Seen again, it goes on as it would have.
    page.signal(Signal::Shown {});
    assert_eq!(unseen.refreshes(), 1);
    unseen.advance(290);
    assert_eq!(unseen.refreshes(), 2);
}

#[test]
fn tokens_of_a_short_life_are_not_refreshed_without_a_pause() {
    let world = World::eventless();
    world.provider().access_token_lifetime = 5;
    world.signed_in("richard");
    world.advance(100);
    assert!((2..=10).contains(&world.refreshes()), "{}", world.refreshes());
}

#[test]
fn where_nobody_tells_and_user_info_judges_the_token_alone_a_refresh_makes_sure() {
    let world = World::eventless();
    let page = world.signed_in("richard");
    page.look();
    assert_eq!(world.refreshes(), 0, "the provider has just answered");
    end_session(&world);
    world.provider().always(Endpoint::UserInfo, |reply| {
        (reply.status, reply.body) = (200, br#"{"sub":"richard"}"#.to_vec());
        reply.content_type = Some("application/json".into());
    });
    world.advance(60);
    page.look();
    page.expect_status(Status::Expired);
    assert_eq!(page.cause(), Some(Ending::InvalidGrant));
}

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
fn a_token_that_was_worn_out_leaves_a_page_that_asks_who_is_there() {
    let world = World::eventless();
    world.provider().gives_refresh_token = false;
    let page = world.signed_in("richard");
    world.advance(310);
    page.expect_status(Status::Authenticated);
    page.look();
    page.expect_status(Status::Expired);
    assert_eq!(page.cause(), Some(Ending::InvalidToken));
    page.load("/", OnLoad::Hint);
    page.expect_status(Status::Authenticated);
    // One that is refused before its time is over is of a session that is.
    end_session(&world);
    page.look();
    page.expect_status(Status::Expired);
    let visits = world.visits();
    page.load("/", OnLoad::Hint);
    assert_eq!((page.status(), world.visits()), (Status::Anonymous, visits));
}

/// What the endpoint says of each token that it is asked with.
fn user_info_says(world: &World, status: u32, body: &'static str) {
    world.provider().always(Endpoint::UserInfo, move |reply| {
        (reply.status, reply.body) = (status, body.into());
    });
}

#[test]
fn a_user_info_that_is_not_for_these_tokens_is_no_provider_that_is_away() {
    for status in [400, 403, 404, 405, 422, 501] {
        for refreshes in [true, false] {
            let world = World::eventless();
            world.provider().gives_refresh_token = refreshes;
            let page = world.signed_in("richard");
            user_info_says(&world, status, "{}");
            page.look();
            assert_eq!((page.status(), page.code()), (Status::Authenticated, None), "{status}");
            // It comes back from elsewhere, and is not asked again so soon.
            page.freeze();
            page.thaw();
            world.advance(1);
            page.expect_status(Status::Authenticated);
            assert_eq!(world.count(Endpoint::UserInfo), 2, "once more, to be sure");
            end_session(&world);
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
    user_info_says(&world, 403, "{}");
    page.look();
    world.provider().behave();
    end_session(&world);
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
        end_session(&world);
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
            user_info_says(&world, 200, body);
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
fn where_only_a_refresh_can_tell_looks_that_follow_each_other_ask_nobody() {
    let world = World::eventless();
    world.provider().metadata.as_object_mut().unwrap().remove("userinfo_endpoint");
    let pages = [world.signed_in("richard"), world.open()];
    // A tab that has asked the provider nothing so far does not know what there is to ask.
    pages.iter().for_each(Page::look);
    world.advance(1);
    let refreshes = world.refreshes();
    for _ in 0..3 {
        pages.iter().for_each(Page::look);
        world.advance(1);
    }
    assert_eq!(world.refreshes(), refreshes);
    world.advance(60);
    for _ in 0..3 {
        pages.iter().for_each(Page::look);
        world.advance(1);
    }
    assert_eq!(world.refreshes(), refreshes + 1);
}

#[test]
fn where_nothing_tells_the_tab_that_leads_makes_sure_for_one_that_is_looked_at() {
    let world = World::eventless();
    let (first, second) = (world.signed_in("richard"), world.open());
    assert!(first.leads());
    first.signal(Signal::Hidden {});
    user_info_says(&world, 200, r#"{"sub":"richard"}"#);
    world.advance(60);
    end_session(&world);
    second.look();
    for page in [&first, &second] {
        page.expect_status(Status::Expired);
        assert_eq!(page.cause(), Some(Ending::InvalidGrant));
    }
}

#[test]
fn a_tab_that_hears_the_stream_refreshes_nothing_for_the_others() {
    let world = World::new();
    let (first, second) = (world.signed_in("richard"), world.open());
    assert!(first.leads());
    world.advance(60);
    let refreshes = world.refreshes();
    second.look();
    world.advance(1);
    assert_eq!(world.refreshes(), refreshes);
}

#[test]
fn a_page_that_nobody_looks_at_is_not_made_sure_of_by_a_refresh() {
    let world = World::eventless();
    let page = world.signed_in("richard");
    page.signal(Signal::Hidden {});
    world.advance(90);
    page.signal(Signal::Online {});
    assert_eq!((world.count(Endpoint::UserInfo), world.refreshes()), (1, 0));
}

#[test]
fn a_look_that_crosses_the_applications_own_question_still_makes_sure() {
    let world = World::eventless();
    let page = world.signed_in("richard");
    world.advance(90);
    world.hold(Endpoint::UserInfo);
    page.begin(Command::CheckSession {});
    page.look();
    world.release();
    assert_eq!((world.count(Endpoint::UserInfo), world.refreshes()), (1, 1));
}

#[test]
fn s15_a_page_that_comes_back_makes_sure_although_it_asks_already() {
    let world = World::eventless();
    let (page, other) = (world.signed_in("richard"), world.open());
    user_info_says(&world, 200, r#"{"sub":"richard"}"#);
    page.freeze();
    other.close();
    world.advance(90);
    end_session(&world);
    world.hold(Endpoint::UserInfo);
    page.thaw();
    page.look();
    world.advance(1);
    world.release();
    page.expect_status(Status::Expired);
    assert_eq!(world.count(Endpoint::UserInfo), 1);
}

#[test]
fn a_page_comes_back_by_itself_where_only_the_events_are_in_trouble() {
    for (status, retry_after) in [(500, None), (503, Some(3600)), (429, None)] {
        let world = World::new();
        let page = world.signed_in("richard");
        world.provider().is_down = true;
        world.close_streams();
        world.advance(40);
        page.expect_status(Status::Offline);
        world.provider().is_down = false;
        world.provider().always(Endpoint::Events, move |reply| {
            (reply.status, reply.retry_after) = (status, retry_after);
        });
        world.advance(31);
        page.expect_status(Status::Authenticated);
        assert_eq!(page.code(), None);
    }
}

#[test]
fn a_stream_that_is_refused_for_good_is_waited_for_no_more() {
    let world = World::new();
    let page = world.signed_in("richard");
    world.heartbeat();
    world.provider().always(Endpoint::Events, |reply| reply.status = 403);
    world.close_streams();
    world.advance(60);
    world.hold(Endpoint::UserInfo);
    page.look();
    page.expect_status(Status::Authenticated);
    world.release();
    assert_eq!(world.refreshes(), 1, "nothing tells of the session's end any more");
}

#[test]
fn f2_where_a_relay_tells_and_only_a_refresh_can_answer_a_look_asks_it() {
    let world = World::with(|config| config.session_events_endpoint = Some(RELAY.into()));
    world.provider().metadata.as_object_mut().unwrap().remove("userinfo_endpoint");
    let page = world.signed_in("richard");
    // The logout token was lost on its way.
    end_session(&world);
    world.advance_with_heartbeat(61);
    page.look();
    page.expect_status(Status::Expired);
}

#[test]
fn rp27_a_page_that_comes_back_shows_nothing_before_it_knows_what_others_have_kept() {
    let world = World::with(|config| config.storage = Some(StorageKind::Local));
    let mut provider = world.provider();
    provider.gives_refresh_token = false;
    provider.metadata.as_object_mut().unwrap().remove("userinfo_endpoint");
    drop(provider);
    let page = world.signed_in("richard");
    page.load("/", OnLoad::Manual);
    let second = world.open();
    world.person_signs_in("gavin");
    second.sign_in();
    second.close();
    page.back();
    assert_eq!(page.claim("sub"), "gavin");
    let shown = page.shown();
    let since = shown.iter().rposition(|session| session.status == Status::Restoring).unwrap();
    let subjects = shown[since..].iter().filter_map(|session| session.subject.as_deref());
    assert!(
        subjects.clone().all(|subject| subject == "gavin"),
        "{:?}",
        subjects.collect::<Vec<_>>()
    );
}

#[test]
fn rp27_a_page_that_comes_back_shows_nothing_while_it_verifies_what_another_tab_has() {
    let world = World::eventless();
    let mut provider = world.provider();
    provider.gives_refresh_token = false;
    provider.metadata.as_object_mut().unwrap().remove("userinfo_endpoint");
    drop(provider);
    let (page, second) = (world.signed_in("richard"), world.open());
    page.freeze();
    world.person_signs_in("gavin");
    second.sign_in();
    world.inside().slow_crypto = true;
    page.thaw();
    assert_eq!(page.claim("sub"), "gavin");
    let shown = page.shown();
    let since = shown.iter().rposition(|session| session.status == Status::Restoring).unwrap();
    let mut subjects = shown[since..].iter().filter_map(|session| session.subject.as_deref());
    assert!(subjects.all(|subject| subject == "gavin"), "{shown:?}");
}

#[test]
fn f7_a_page_that_comes_back_shows_nothing_before_it_knows_what_has_ended() {
    let world = World::eventless();
    let mut provider = world.provider();
    provider.gives_refresh_token = false;
    provider.metadata.as_object_mut().unwrap().remove("userinfo_endpoint");
    drop(provider);
    let page = world.signed_in("richard");
    let second = world.open();
    page.freeze();
    second.leave_only_this_app();
    second.close();
    page.thaw();
    page.expect_status(Status::Anonymous);
    let shown = page.shown();
    let since = shown.iter().rposition(|session| session.status == Status::Restoring).unwrap();
    assert!(shown[since..].iter().all(|session| session.subject.is_none()), "{shown:?}");
    // Where nothing has ended, what it had is shown again.
    let other = world.signed_in("richard");
    other.freeze();
    other.thaw();
    world.advance(1);
    other.expect_status(Status::Authenticated);
}

#[test]
fn pages_that_nobody_looks_at_refresh_nothing_for_each_other() {
    let world = World::eventless();
    let pages = [world.signed_in("richard"), world.open()];
    for page in &pages {
        page.signal(Signal::Hidden {});
    }
    world.advance(90);
    for page in &pages {
        page.signal(Signal::Online {});
    }
    world.advance(1);
    assert_eq!(world.refreshes(), 0);
    // Nor where only a refresh could answer.
    user_info_says(&world, 403, "{}");
    pages[0].check();
    let refreshes = world.refreshes();
    world.advance(90);
    pages[0].signal(Signal::Online {});
    assert_eq!(world.refreshes(), refreshes);
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
    world.provider().once(Endpoint::Token, |reply| reply.status = 503);
    page.run(Command::Extend {});
    assert_eq!(page.code(), Some(Code::IssuerUnreachable));
    page.check();
    assert_eq!((page.code(), page.status()), (None, Status::Authenticated));
    world.provider().once(Endpoint::UserInfo, |reply| reply.member("sub", json!("gavin")));
    page.check();
    assert!(page.code().is_some());
    page.run(Command::Extend {});
    assert_eq!(page.code(), None);
    user_info_says(&world, 200, "{}");
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
    end_session(&world);
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
    end_session(&world);
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
    user_info_says(&world, 403, "{}");
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
        user_info_says(&world, status, "");
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
fn a_stream_that_wishes_to_be_left_alone_for_an_hour_is_not_what_a_page_waits_for() {
    let world = World::new();
    let page = world.signed_in("richard");
    for endpoint in [Endpoint::Events, Endpoint::UserInfo] {
        world.provider().always(endpoint, |reply| {
            (reply.status, reply.retry_after) = (503, Some(3600));
        });
    }
    world.close_streams();
    world.advance(40);
    page.look();
    page.expect_status(Status::Offline);
    world.provider().behave();
    world.advance(31);
    page.expect_status(Status::Authenticated);
}

#[test]
fn a_stream_that_leads_elsewhere_says_that_somebody_is_there() {
    let world = World::new();
    let page = world.signed_in("richard");
    world.provider().is_down = true;
    world.close_streams();
    world.advance(40);
    page.expect_status(Status::Offline);
    world.provider().is_down = false;
    world.provider().always(Endpoint::Events, |reply| reply.fail(Failure::Redirected));
    world.advance(31);
    page.expect_status(Status::Authenticated);
}

#[test]
fn a_look_that_finds_no_network_still_makes_sure_afterwards() {
    let world = World::eventless();
    let page = world.signed_in("richard");
    user_info_says(&world, 200, r#"{"sub":"richard"}"#);
    world.advance(61);
    end_session(&world);
    world.provider().once(Endpoint::UserInfo, |reply| reply.fail(Failure::Network));
    page.look();
    page.expect_status(Status::Offline);
    world.advance(5);
    page.expect_status(Status::Expired);
}

#[test]
fn where_a_stream_has_fallen_silent_and_only_a_refresh_can_tell_looks_wait_for_each_other() {
    let world = World::new();
    world.provider().metadata.as_object_mut().unwrap().remove("userinfo_endpoint");
    let page = world.signed_in("richard");
    world.heartbeat();
    world.provider().always(Endpoint::Events, |reply| reply.status = 503);
    world.close_streams();
    world.advance(61);
    for _ in 0..3 {
        page.look();
        world.advance(1);
    }
    assert_eq!(world.refreshes(), 1);
    world.advance(31);
    page.look();
    assert_eq!(world.refreshes(), 2);
}

#[test]
fn a_clock_that_was_set_back_keeps_no_page_from_making_sure() {
    let world = World::eventless();
    world.provider().metadata.as_object_mut().unwrap().remove("userinfo_endpoint");
    world.provider().access_token_lifetime = 100_000;
    world.local_clock_jumps(600_000);
    let page = world.signed_in("richard");
    world.local_clock_jumps(-600_000);
    page.signal(Signal::Online {});
    world.advance(1);
    let refreshes = world.refreshes();
    end_session(&world);
    world.advance(61);
    page.look();
    page.expect_status(Status::Expired);
    assert_eq!(world.refreshes(), refreshes + 1);
}

#[test]
fn where_user_info_answers_and_no_refresh_does_the_provider_is_not_asked_all_the_time() {
    for age in [61, 280] {
        let world = World::eventless();
        let page = world.signed_in("richard");
        page.signal(Signal::Hidden {});
        world.advance(age);
        world.provider().always(Endpoint::Token, |reply| reply.status = 503);
        let before = (world.count(Endpoint::Token), page.notices());
        page.signal(Signal::Shown {});
        world.advance(60);
        let asked = world.count(Endpoint::Token) - before.0;
        assert!((1..=4).contains(&asked), "{asked} at {age}");
        assert!(page.notices() - before.1 <= 12, "{}", page.notices() - before.1);
    }
}

#[test]
fn what_was_asked_before_it_was_known_that_user_info_is_of_no_use_changes_nothing() {
    let world = World::eventless();
    world.provider().gives_refresh_token = false;
    let page = world.signed_in("richard");
    user_info_says(&world, 403, "{}");
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
    end_session(&world);
    world.provider().once(Endpoint::UserInfo, |reply| reply.status = 404);
    world.advance(31);
    page.expect_status(Status::Expired);
}

#[test]
fn a_hidden_page_whose_token_is_nearly_over_refreshes_nothing_when_the_network_is_back() {
    let world = World::eventless();
    world.provider().metadata.as_object_mut().unwrap().remove("userinfo_endpoint");
    let page = world.signed_in("richard");
    page.signal(Signal::Hidden {});
    world.advance(280);
    page.signal(Signal::Online {});
    world.advance(1);
    assert_eq!(world.refreshes(), 0);
}

#[test]
fn a_page_that_came_back_and_was_confirmed_is_not_blanked_again() {
    let world = World::new();
    let page = world.signed_in("richard");
    world.heartbeat();
    page.freeze();
    world.advance(60);
    // The stream takes a moment to be opened.
    world.hold(Endpoint::Events);
    let (from, asked) = (page.notices(), world.count(Endpoint::UserInfo));
    page.thaw();
    page.expect_status(Status::Authenticated);
    world.advance_ms(150);
    world.release();
    assert_eq!(
        (statuses(&page, from), world.count(Endpoint::UserInfo) - asked),
        (vec![Status::Restoring, Status::Authenticated], 1)
    );
}

#[test]
fn a_page_that_came_back_to_a_new_sign_in_is_not_blanked_again() {
    let world = World::new();
    let (page, second) = (world.signed_in("richard"), world.open());
    world.heartbeat();
    page.freeze();
    second.sign_in();
    world.heartbeat();
    world.advance_with_heartbeat(60);
    assert!(second.leads());
    let (from, asked) = (page.notices(), world.count(Endpoint::UserInfo));
    page.thaw();
    world.advance_ms(150);
    let shown = statuses(&page, from);
    assert_eq!(shown.iter().filter(|s| **s == Status::Restoring).count(), 1, "{shown:?}");
    assert!(
        world.count(Endpoint::UserInfo) - asked <= 1,
        "{}",
        world.count(Endpoint::UserInfo) - asked
    );
}

#[test]
fn rp27_what_one_session_was_to_be_made_sure_of_ends_no_other() {
    let world = World::eventless();
    world.provider().access_token_lifetime = 10_000;
    let (page, second) = (world.signed_in("richard"), world.open());
    let files = Command::GetToken {
        min_ttl: None,
        origin: None,
        refused: None,
        resource: Some("https://files.example".into()),
        scope: None,
    };
    page.run(files);
    world.advance(90);
    world.hold_for(Endpoint::UserInfo, &page);
    page.look();
    // Somebody signs in anew in the other tab, and gets no refresh token this time.
    world.provider().gives_refresh_token = false;
    world.person_signs_in("gavin");
    second.sign_in();
    assert_eq!(page.claim("sub"), "gavin");
    world.release();
    world.advance(1);
    page.expect_status(Status::Authenticated);
    page.check();
    world.advance(1);
    assert_eq!((page.status(), page.cause()), (Status::Authenticated, Some(Ending::UserChanged)));
    second.expect_status(Status::Authenticated);
}

#[test]
fn rp27_without_locks_too_nothing_shows_before_the_others_have_spoken() {
    let world = World::eventless();
    world.inside().locks_missing = true;
    let mut provider = world.provider();
    provider.gives_refresh_token = false;
    provider.metadata.as_object_mut().unwrap().remove("userinfo_endpoint");
    drop(provider);
    let (page, second) = (world.signed_in("richard"), world.open());
    page.freeze();
    world.person_signs_in("gavin");
    second.sign_in();
    page.thaw();
    world.advance(1);
    assert_eq!(page.claim("sub"), "gavin");
    let shown = page.shown();
    let since = shown.iter().rposition(|session| session.status == Status::Restoring).unwrap();
    let mut subjects = shown[since..].iter().filter_map(|session| session.subject.as_deref());
    assert!(subjects.all(|subject| subject == "gavin"), "{shown:?}");
}

#[test]
fn nothing_is_made_sure_of_for_a_page_that_is_hidden_since() {
    let world = World::eventless();
    world.provider().access_token_lifetime = 10_000;
    let page = world.signed_in("richard");
    world.advance(60);
    world.provider().is_down = true;
    page.look();
    page.expect_status(Status::Offline);
    page.signal(Signal::Hidden {});
    world.provider().is_down = false;
    world.advance(40);
    page.expect_status(Status::Authenticated);
    assert_eq!(world.refreshes(), 0);
}
