//! A page comes back from the back/forward cache: what it shows before and after it has asked.

use gatepass_core::{
    config::StorageKind,
    wire::{Command, OnLoad, Outcome, Signal, Status},
};

use crate::world::{Endpoint, Page, World, page::get_token};

/// A world in which nobody can be asked whether a session stands.
fn unasked(world: World) -> World {
    let mut provider = world.provider();
    provider.gives_refresh_token = false;
    provider.publishes_no("userinfo_endpoint");
    drop(provider);
    world
}

/// Whom the page has shown after so many notices, each once.
fn subjects_since(page: &Page, since: usize) -> Vec<String> {
    let shown = page.shown();
    let subjects = shown[since..].iter().filter_map(|session| session.subject.as_ref());
    let mut subjects: Vec<_> = subjects.map(ToString::to_string).collect();
    subjects.dedup();
    subjects
}

#[test]
fn s15_a_page_that_comes_back_makes_sure_although_it_asks_already() {
    let world = World::eventless();
    let (page, other) = (world.signed_in("richard"), world.open());
    world.user_info_says(200, r#"{"sub":"richard"}"#);
    page.freeze();
    other.close();
    world.advance(90);
    world.end_session_unheard();
    world.hold(Endpoint::UserInfo);
    page.thaw();
    page.look();
    world.advance(1);
    world.release();
    page.expect_status(Status::Expired);
    assert_eq!(world.count(Endpoint::UserInfo), 1);
}

#[test]
fn rp27_a_page_that_comes_back_shows_nothing_before_it_knows_what_others_have_kept() {
    let world = unasked(World::with(|config| config.storage = Some(StorageKind::Local)));
    let page = world.signed_in("richard");
    let from = page.notices();
    page.load("/", OnLoad::Manual);
    let second = world.open();
    world.person_signs_in("gavin");
    second.sign_in();
    second.close();
    page.back();
    assert_eq!(subjects_since(&page, from), ["gavin"]);
}

#[test]
fn rp27_a_page_that_comes_back_shows_nothing_while_it_verifies_what_another_tab_has() {
    // Nobody can be asked; UserInfo answers for the session before; or the provider is away.
    let worlds = [unasked(World::eventless()), World::eventless(), World::new()];
    let worlds = worlds.map(|world| (world, false)).into_iter().chain([(World::new(), true)]);
    for (world, is_down) in worlds {
        let (page, second) = (world.signed_in("richard"), world.open());
        page.freeze();
        let from = page.notices();
        world.person_signs_in("gavin");
        second.sign_in();
        world.inside().slow_crypto = true;
        world.provider().is_down = is_down;
        page.thaw();
        assert_eq!(subjects_since(&page, from), ["gavin"]);
    }
}

#[test]
fn f7_a_page_that_comes_back_shows_nothing_before_it_knows_what_has_ended() {
    let world = unasked(World::eventless());
    let page = world.signed_in("richard");
    let second = world.open();
    page.freeze();
    let from = page.notices();
    second.leave_only_this_app();
    second.close();
    page.thaw();
    page.expect_status(Status::Anonymous);
    assert_eq!(subjects_since(&page, from), [""; 0]);
    // Where nothing has ended, what it had is shown again.
    let other = world.signed_in("richard");
    other.freeze();
    other.thaw();
    world.advance(1);
    other.expect_status(Status::Authenticated);
}

#[test]
fn a_page_that_came_back_and_was_confirmed_is_not_blanked_again() {
    let world = World::new();
    let page = world.signed_in("richard");
    world.heartbeat();
    let from = page.notices();
    page.freeze();
    // What it shows last is what the browser shows first when it comes back.
    assert_eq!(page.statuses_since(from), [Status::Restoring]);
    assert_eq!(page.session().claims, None);
    world.advance(60);
    // The stream takes a moment to be opened.
    world.hold(Endpoint::Events);
    let asked = world.count(Endpoint::UserInfo);
    page.thaw();
    page.expect_status(Status::Authenticated);
    world.advance_ms(150);
    world.release();
    assert_eq!(
        (page.statuses_since(from), world.count(Endpoint::UserInfo) - asked),
        (vec![Status::Restoring, Status::Authenticated], 1)
    );
}

#[test]
fn a_page_that_came_back_to_a_new_sign_in_is_not_blanked_again() {
    let world = World::new();
    let (page, second) = (world.signed_in("richard"), world.open());
    world.heartbeat();
    let from = page.notices();
    page.freeze();
    second.sign_in();
    world.heartbeat();
    world.advance_with_heartbeat(60);
    assert!(second.leads());
    let asked = world.count(Endpoint::UserInfo);
    page.thaw();
    world.advance_ms(150);
    let shown = page.statuses_since(from);
    assert_eq!(shown.iter().filter(|s| **s == Status::Restoring).count(), 1, "{shown:?}");
    assert!(
        world.count(Endpoint::UserInfo) - asked <= 1,
        "{}",
        world.count(Endpoint::UserInfo) - asked
    );
}

#[test]
fn rp27_without_locks_too_nothing_shows_before_the_others_have_spoken() {
    let world = unasked(World::eventless());
    world.inside().locks_missing = true;
    let (page, second) = (world.signed_in("richard"), world.open());
    page.freeze();
    let from = page.notices();
    world.person_signs_in("gavin");
    second.sign_in();
    page.thaw();
    world.advance(1);
    assert_eq!(subjects_since(&page, from), ["gavin"]);
}

#[test]
fn a_page_that_comes_back_asks_once() {
    for (age, refreshes, is_alone) in [(10, 0, true), (90, 1, true), (10, 0, false), (90, 1, false)]
    {
        let world = World::eventless();
        let page = world.signed_in("richard");
        // It leads from then on.
        let other = (!is_alone).then(|| world.open());
        page.freeze();
        assert!(other.is_none_or(|other| other.leads()));
        world.advance(age);
        page.thaw();
        if is_alone {
            page.expect_status(Status::Authenticated);
            // What another tab has got, and told before it was closed, may be on its way.
            assert_eq!(world.refreshes(), 0);
        }
        world.advance(1);
        page.expect_status(Status::Authenticated);
        assert_eq!((world.count(Endpoint::UserInfo), world.refreshes()), (1, refreshes), "{age}");
    }
}

#[test]
fn what_a_page_that_comes_back_finds_in_storage_is_asked_about_before_anything_is_given_out() {
    let world = World::with(|config| config.storage = Some(StorageKind::Local));
    world.provider().publishes_no("session_events_endpoint");
    let (first, second) = (world.signed_in("richard"), world.open());
    world.hold(Endpoint::Token);
    let token = second.begin(Command::GetToken {
        min_ttl: Some(1000),
        origin: None,
        refused: None,
        resource: None,
        scope: None,
    });
    world.settle();
    let from = second.notices();
    second.freeze();
    world.release();
    first.close();
    world.advance(60);
    world.hold(Endpoint::UserInfo);
    second.thaw();
    world.advance(1);
    assert_eq!(second.statuses_since(from), [Status::Restoring]);
    assert_eq!(second.outcome(token), None);
    world.release();
    second.expect_status(Status::Authenticated);
    assert!(matches!(second.outcome(token), Some(Outcome::Token { .. })));
}

/// A page beside one that leads has come back, and has heard that its session stands; it waits for a
/// word yet.
fn come_back_beside_another(world: &World) -> Page {
    let (page, second) = (world.signed_in("richard"), world.open());
    page.freeze();
    assert!(second.leads());
    page.thaw();
    assert_eq!(world.count(Endpoint::UserInfo), 1);
    page.expect_status(Status::Restoring);
    let token = page.begin(get_token());
    world.settle();
    assert_eq!(page.outcome(token), None);
    world.end_session_unheard();
    world.hold(Endpoint::UserInfo);
    page
}

#[test]
fn what_was_heard_before_a_page_was_left_again_shows_nothing_when_it_comes_back() {
    let world = World::eventless();
    let page = come_back_beside_another(&world);
    let notices = page.notices();
    page.freeze();
    page.thaw();
    world.advance(1);
    page.expect_status(Status::Restoring);
    assert_eq!(page.notices(), notices, "nothing has changed");
    world.release();
    page.expect_status(Status::Expired);
}

#[test]
fn s15_what_was_heard_before_the_machine_slept_shows_nothing_when_it_wakes() {
    let world = World::eventless();
    let page = come_back_beside_another(&world);
    let notices = page.notices();
    world.sleep(60);
    page.signal(Signal::Wake {});
    page.expect_status(Status::Restoring);
    assert_eq!(page.notices(), notices, "nothing has changed");
    world.release();
    page.expect_status(Status::Expired);
}

/// What was under way when the page was left may come before the browser lets it sleep.
#[test]
fn rp24_what_comes_while_a_page_is_left_is_not_shown_before_it_has_asked() {
    let world = World::eventless();
    let page = world.signed_in("richard");
    world.hold(Endpoint::UserInfo);
    page.look();
    page.signal(Signal::Leave {});
    page.expect_status(Status::Restoring);
    world.release();
    page.expect_status(Status::Restoring);
    assert_eq!(page.session().claims, None);
    page.signal(Signal::Return {});
    world.advance(1);
    page.expect_status(Status::Authenticated);
    assert_eq!(world.count(Endpoint::UserInfo), 2);
}

/// What an app sends when it is left is the last thing that it does, and whose data it saves.
#[test]
fn rp24_a_page_that_is_left_has_its_token_still() {
    let world = World::new();
    let page = world.signed_in("richard");
    let token = page.token().unwrap();
    let from = page.notices();
    // Chromium says both that it is left and that it is frozen.
    page.signal(Signal::Leave {});
    page.signal(Signal::Leave {});
    assert_eq!(page.statuses_since(from), [Status::Restoring]);
    assert_eq!(page.session().claims, None);
    assert_eq!(page.token(), Ok(token));
    // Whatever is heard on its way is said no more.
    world.provider().is_down = true;
    page.check();
    assert_eq!(page.statuses_since(from), [Status::Restoring]);
    world.provider().is_down = false;
    // What wakes before the browser says so gets none.
    world.advance(5);
    let asked = page.begin(get_token());
    world.settle();
    assert_eq!(page.outcome(asked), None);
    page.signal(Signal::Return {});
    world.advance(1);
    assert!(matches!(page.outcome(asked), Some(Outcome::Token { .. })));
}

/// UserInfo does not say, and the tokens are young: a page that shows nothing is told by a refresh.
#[test]
fn rp24_a_page_that_came_back_is_not_shown_because_nobody_may_be_asked_now() {
    let world = World::eventless();
    let page = world.signed_in("richard");
    let from = page.notices();
    page.freeze();
    world.end_session_unheard();
    world.user_info_says(429, "{}");
    page.thaw();
    world.advance(1);
    page.expect_status(Status::Expired);
    assert_eq!(subjects_since(&page, from), [""; 0]);
}

#[test]
fn rp24_a_session_that_comes_while_a_page_is_left_is_not_shown_before_it_has_asked() {
    let world = World::new();
    let (page, second) = (world.signed_in("richard"), world.open());
    let from = page.notices();
    page.signal(Signal::Leave {});
    world.person_signs_in("gavin");
    second.sign_in();
    assert_eq!(subjects_since(&page, from), [""; 0]);
    page.signal(Signal::Return {});
    world.advance(1);
    assert_eq!(subjects_since(&page, from), ["gavin"]);
}
