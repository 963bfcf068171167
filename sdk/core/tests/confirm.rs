//! When a page makes sure by itself that its session stands, and what spares the provider that.

use gatepass_core::wire::{Command, Ending, Failure, OnLoad, Signal, Status};
use serde_json::json;

use crate::world::{Endpoint, Page, RELAY, World};

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
    assert!(first.leads());
    first.hang();
    world.advance(29);
    world.hold(Endpoint::UserInfo);
    world.end_session_unheard();
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
        world.end_session_unheard();
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
    world.end_session_unheard();
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
    world.end_session_unheard();
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
    world.end_session_unheard();
    page.look();
    page.expect_status(Status::Expired);
    let visits = world.visits();
    page.load("/", OnLoad::Hint);
    assert_eq!((page.status(), world.visits()), (Status::Anonymous, visits));
}

#[test]
fn where_only_a_refresh_can_tell_looks_that_follow_each_other_ask_nobody() {
    let world = World::eventless();
    world.provider().publishes_no("userinfo_endpoint");
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
    world.user_info_says(200, r#"{"sub":"richard"}"#);
    world.advance(60);
    world.end_session_unheard();
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
    world.provider().publishes_no("userinfo_endpoint");
    let page = world.signed_in("richard");
    // The logout token was lost on its way.
    world.end_session_unheard();
    world.advance_with_heartbeat(61);
    page.look();
    page.expect_status(Status::Expired);
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
    world.user_info_says(403, "{}");
    pages[0].check();
    let refreshes = world.refreshes();
    world.advance(90);
    pages[0].signal(Signal::Online {});
    assert_eq!(world.refreshes(), refreshes);
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
    world.user_info_says(200, r#"{"sub":"richard"}"#);
    world.advance(61);
    world.end_session_unheard();
    world.provider().once(Endpoint::UserInfo, |reply| reply.fail(Failure::Network));
    page.look();
    page.expect_status(Status::Offline);
    world.advance(5);
    page.expect_status(Status::Expired);
}

#[test]
fn where_a_stream_has_fallen_silent_and_only_a_refresh_can_tell_looks_wait_for_each_other() {
    let world = World::new();
    world.provider().publishes_no("userinfo_endpoint");
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
    world.provider().publishes_no("userinfo_endpoint");
    world.provider().access_token_lifetime = 100_000;
    world.local_clock_jumps(600_000);
    let page = world.signed_in("richard");
    world.local_clock_jumps(-600_000);
    page.signal(Signal::Online {});
    world.advance(1);
    let refreshes = world.refreshes();
    world.end_session_unheard();
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
fn a_hidden_page_whose_token_is_nearly_over_refreshes_nothing_when_the_network_is_back() {
    let world = World::eventless();
    world.provider().publishes_no("userinfo_endpoint");
    let page = world.signed_in("richard");
    page.signal(Signal::Hidden {});
    world.advance(280);
    page.signal(Signal::Online {});
    world.advance(1);
    assert_eq!(world.refreshes(), 0);
}

#[test]
fn rp27_what_one_session_was_to_be_made_sure_of_is_not_asked_of_another() {
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
    // Somebody signs in anew in the other tab.
    let refreshes = world.refreshes();
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
    assert_eq!(world.refreshes(), refreshes);
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

#[test]
fn what_the_stream_has_answered_is_not_made_sure_of_later() {
    let world = World::new();
    let page = world.signed_in("richard");
    world.heartbeat();
    world.provider().always(Endpoint::Events, |reply| reply.status = 503);
    world.close_streams();
    world.advance(61);
    world.provider().is_down = true;
    page.look();
    page.expect_status(Status::Offline);
    world.provider().behave();
    world.provider().is_down = false;
    world.advance(60);
    page.expect_status(Status::Authenticated);
    assert_eq!(world.inside().open_streams(), 1);
    let refreshes = world.refreshes();
    page.check();
    world.advance(1);
    assert_eq!(world.refreshes(), refreshes);
}

#[test]
fn a_question_about_the_session_before_spares_none_about_the_one_that_is_there() {
    let world = World::eventless();
    let (page, second) = (world.signed_in("richard"), world.open());
    world.hold_for(Endpoint::UserInfo, &page);
    page.look();
    second.sign_in();
    world.advance(1);
    world.end_session_unheard();
    let asked = world.count(Endpoint::UserInfo);
    page.look();
    world.advance(1);
    assert_eq!(world.count(Endpoint::UserInfo), asked + 1);
    world.release();
    page.expect_status(Status::Expired);
}

#[test]
fn a_page_that_is_looked_at_as_the_leading_tab_is_closed_does_not_go_blank() {
    let world = World::new();
    let (first, second) = (world.signed_in("richard"), world.open());
    world.heartbeat();
    second.look();
    second.signal(Signal::Hidden {});
    world.advance_with_heartbeat(60);
    let (notices, asked) = (second.notices(), world.count(Endpoint::UserInfo));
    // It is on its way out, and answers nobody.
    first.hang();
    second.signal(Signal::Shown {});
    first.close();
    assert!(second.leads());
    world.advance(1);
    assert_eq!((second.notices(), world.count(Endpoint::UserInfo)), (notices, asked));
}
