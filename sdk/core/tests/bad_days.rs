//! Answers that come to the wrong place, late, or twice: what is said, and that nothing loops.

use gatepass_core::{
    error::Code,
    wire::{OnLoad, Status},
};

use crate::world::{APP, Endpoint, ISSUER, Page, World};

/// The keys of this tab's attempts.
fn attempts(page: &Page) -> Vec<String> {
    let storage = page.storage();
    storage.keys().filter(|key| key.starts_with("gatepass:1:attempt:")).cloned().collect()
}

/// An answer of our provider that no tab has asked for.
fn stray() -> String {
    format!("{APP}/?code=c&state=NY&iss={ISSUER}")
}

#[test]
fn an_answer_that_nobody_asked_for_is_told_and_not_followed_by_a_redirect() {
    for on_load in [OnLoad::Auto, OnLoad::Hint, OnLoad::Manual] {
        let world = World::new();
        // Even where a redirect would bring a session: it could as well bring the next such answer.
        world.person_signs_in("richard");
        let page = world.tab();
        page.visit(&stray(), on_load);
        page.expect_refused(Code::StateUnknown);
        assert_eq!((world.visits(), world.requests()), (0, 0));
        // One click is the way forward.
        page.sign_in();
        page.expect_status(Status::Authenticated);
        assert_eq!(page.code(), None);
    }
}

#[test]
fn what_is_left_of_many_trips_does_not_pile_up_in_the_tab() {
    let world = World::new();
    let page = world.signed_in("richard");
    let first = page.loaded();
    for _ in 0..20 {
        page.sign_out();
        page.expect_status(Status::Anonymous);
        world.person_signs_in("richard");
        page.sign_in();
        page.expect_status(Status::Authenticated);
    }
    // Of the last sixteen trips: a sign-out's record goes when it is over.
    assert_eq!(attempts(&page).len(), 8);
    let returns = page.storage().keys().filter(|key| key.starts_with("gatepass:1:return:")).count();
    assert!(returns <= 16, "{returns}");
    // The last answers are still known, such as that of a page that is gone back to; the first is
    // one that nobody here has asked for.
    let last = page.loaded();
    page.visit(&last, OnLoad::Manual);
    assert_eq!(page.code(), None);
    page.visit(&first, OnLoad::Manual);
    page.expect_refused(Code::StateUnknown);
}

#[test]
fn a_bookmarked_callback_shows_the_session_that_another_tab_holds() {
    let world = World::new();
    let first = world.signed_in("richard");
    let (visits, requests) = (world.visits(), world.requests());
    let second = world.tab();
    second.visit(&stray(), OnLoad::Auto);
    second.expect_status(Status::Authenticated);
    assert_eq!(second.code(), None);
    assert_eq!((world.visits(), world.requests()), (visits, requests));
    first.expect_status(Status::Authenticated);
}

#[test]
fn a_callback_bookmarked_in_its_own_tab_finds_the_session_again() {
    let world = World::new();
    let page = world.signed_in("richard");
    let callback = page.loaded();
    world.advance_with_heartbeat(3600);
    page.visit(&callback, OnLoad::Auto);
    page.expect_status(Status::Authenticated);
    assert_eq!(world.count(Endpoint::Token), 2, "one for each code");
}

#[test]
fn what_may_be_an_answer_stops_automatic_redirects_and_nothing_else() {
    // Without `iss` nothing tells whose it is: the app may have a second client.
    for query in ["code=c&state=NY", "error=login_required&state=NY"] {
        let world = World::new();
        world.person_signs_in("richard");
        let page = world.tab();
        page.visit(&format!("{APP}/?{query}"), OnLoad::Auto);
        page.expect_status(Status::Anonymous);
        assert_eq!((page.code(), world.visits()), (None, 0));
    }
    for query in ["code=c", "state=NY", "error=1", "q=1&code=c"] {
        let world = World::new();
        world.person_signs_in("richard");
        let page = world.tab();
        page.visit(&format!("{APP}/?{query}"), OnLoad::Auto);
        page.expect_status(Status::Authenticated);
        assert_eq!(world.visits(), 1, "{query}");
    }
}

#[test]
fn storage_that_loses_everything_on_the_way_does_not_make_a_loop() {
    for promised in [true, false] {
        let world = World::new();
        world.provider().metadata["authorization_response_iss_parameter_supported"] =
            promised.into();
        if !promised {
            world.provider().next_callback(|p| p.retain(|(name, _)| name != "iss"));
        }
        world.person_signs_in("richard");
        let page = world.tab();
        page.begin_load("/", OnLoad::Auto);
        while page.is_here() && world.inside().deliver_one() {
            world.inside().tabs[page.tab].storage.clear();
        }
        world.settle();
        assert_eq!((world.visits(), world.count(Endpoint::Token)), (1, 0));
        page.expect_status(Status::Anonymous);
        assert_eq!(page.code(), promised.then_some(Code::StateUnknown));
    }
}

#[test]
fn a_record_of_an_older_or_newer_version_is_told_as_unknown() {
    for version in ["0", "2", "\"1\"", "null"] {
        let world = World::new();
        let page = world.open();
        page.sign_in();
        for key in attempts(&page) {
            let record =
                page.storage()[&key].replace("\"version\":1", &format!("\"version\":{version}"));
            page.set_storage(&key, &record);
        }
        page.person_enters("richard");
        page.expect_refused(Code::StateUnknown);
        assert_eq!(world.count(Endpoint::Token), 0);
        page.sign_in();
        page.expect_status(Status::Authenticated);
    }
}

#[test]
fn rp16_two_sign_ins_in_two_tabs_end_in_one_session_whichever_is_finished_first() {
    for order in [[0, 1], [1, 0]] {
        let world = World::new();
        let tabs = [world.open(), world.open()];
        for tab in &tabs {
            tab.sign_in();
        }
        for at in order {
            tabs[at].person_enters("richard");
            tabs[at].expect_status(Status::Authenticated);
        }
        let versions = tabs.each_ref().map(Page::session);
        assert_eq!(versions[0].subject, versions[1].subject);
        for tab in &tabs {
            assert_eq!((tab.code(), tab.cause()), (None, None));
        }
        assert_eq!(world.inside().open_streams(), 1);
        assert_eq!(tabs[0].token(), tabs[1].token(), "one session, of both tabs");
    }
}

#[test]
fn an_unknown_kid_is_looked_for_once_and_told() {
    let world = World::new();
    let page = world.open();
    world.person_signs_in("richard");
    world.provider().next_id_token(|draft| draft.header("kid", "nobody's".into()));
    page.sign_in();
    page.expect_refused(Code::KeyNotFound);
    assert!(world.count(Endpoint::Keys) <= 2, "asked once more at most");
    // Not signed in by itself, and not for ever: the next click works.
    page.sign_in();
    page.expect_status(Status::Authenticated);
}
