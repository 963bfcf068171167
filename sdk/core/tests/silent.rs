//! The hidden frame as a rung of the ladder: the page is not left where a frame is likely to see the
//! provider's cookie, and is left where that says nothing.

use gatepass_core::{
    error::Code,
    wire::{Answer, Came, Command, Ending, OnLoad, Outcome, Status},
};
use serde_json::json;

use crate::world::{APP, CLIENT, Endpoint, Page, World};

/// An app at `origin` that says where its page for frames is.
fn world_of(origin: &str) -> World {
    let silent = format!("{origin}/silent.html");
    let world = World::with(|config| {
        config.origin = origin.into();
        config.silent_redirect_uri = Some(silent.as_str().into());
    });
    world.provider().silent = silent;
    world
}

/// The app's name ends as the provider's does.
fn near() -> World {
    world_of("https://www.idp.example")
}

/// Only the port is another one.
fn same_host() -> World {
    world_of("https://idp.example:8443")
}

fn blind(world: &World) {
    world.inside().frames_are_blind = true;
}

fn open(world: &World, on_load: OnLoad) -> Page {
    let page = world.tab();
    page.load("/here?a=b", on_load);
    page
}

fn came(page: &Page) -> Came {
    match page.run(Command::Diagnose {}) {
        Some(Outcome::Diagnosis { diagnosis }) => diagnosis.came,
        other => panic!("expected a diagnosis, got {other:?}"),
    }
}

/// A frame of this browser has brought a session of a provider elsewhere; then all tabs are closed.
fn seen_in_a_frame(world: &World) {
    world.person_signs_in("richard");
    let page = open(world, OnLoad::Probe);
    assert_eq!(came(&page), Came::Frame);
    page.close();
}

#[test]
fn f17_a_provider_of_the_same_site_is_asked_without_leaving_the_page() {
    for world in [near(), same_host()] {
        world.person_signs_in("richard");
        let page = open(&world, OnLoad::Auto);
        page.expect_status(Status::Authenticated);
        assert_eq!((came(&page), world.visits()), (Came::Frame, 1));
        assert_eq!(world.last_visit()["prompt"].as_str(), "none");
        assert!(page.loaded().ends_with("/here?a=b"), "the page was not left");
        assert_eq!(page.notices(), 2, "restoring, and then who is signed in");
        assert!(page.token().is_ok());
        // With a hint too; and without one nobody is asked.
        page.close();
        let page = open(&world, OnLoad::Hint);
        assert_eq!((came(&page), world.visits()), (Came::Frame, 2));
    }
    let world = near();
    world.person_signs_in("richard");
    let page = open(&world, OnLoad::Hint);
    page.expect_status(Status::Anonymous);
    assert_eq!(world.visits(), 0);
}

#[test]
fn f17_an_app_that_names_no_page_for_frames_is_not_framed() {
    let world = World::with(|config| config.origin = "https://www.idp.example".into());
    world.person_signs_in("richard");
    let page = open(&world, OnLoad::Auto);
    assert_eq!((came(&page), world.visits()), (Came::Redirect, 1));
}

#[test]
fn f17_a_provider_elsewhere_is_not_asked_in_a_frame_before_one_has_seen_it() {
    let world = world_of(APP);
    world.person_signs_in("richard");
    let page = open(&world, OnLoad::Auto);
    assert_eq!((came(&page), world.visits()), (Came::Redirect, 1));
}

#[test]
fn f17_nobody_in_a_frame_means_unknown_where_it_may_be_blind() {
    let world = near();
    world.person_signs_in("richard");
    blind(&world);
    let page = open(&world, OnLoad::Auto);
    page.expect_status(Status::Authenticated);
    assert_eq!((came(&page), world.visits()), (Came::Redirect, 2));

    let world = near();
    let page = open(&world, OnLoad::Auto);
    page.expect_status(Status::Anonymous);
    assert_eq!((world.visits(), page.code()), (2, None));
    page.load("/", OnLoad::Auto);
    assert_eq!(world.visits(), 2, "that answer stops this tab until a click");
}

#[test]
fn f17_nobody_in_a_frame_of_the_same_host_is_an_answer() {
    let world = same_host();
    let page = open(&world, OnLoad::Auto);
    page.expect_status(Status::Anonymous);
    assert_eq!((world.visits(), page.code(), page.cause()), (1, None, None));
    assert!(page.loaded().ends_with("/here?a=b"));
    page.load("/", OnLoad::Auto);
    assert_eq!(
        world.visits(),
        1,
        "as the answer to a redirect does, it stops this tab until a click"
    );
    world.person_signs_in("richard");
    page.sign_in();
    page.expect_status(Status::Authenticated);
}

#[test]
fn f17_that_a_frame_saw_the_cookie_is_remembered_until_it_is_used() {
    let world = World::new();
    seen_in_a_frame(&world);
    let page = open(&world, OnLoad::Auto);
    assert_eq!((came(&page), world.visits()), (Came::Frame, 2));
    page.close();
    // It counts as an answer once: the person may have had cookies blocked since.
    blind(&world);
    let page = open(&world, OnLoad::Auto);
    page.expect_status(Status::Anonymous);
    assert_eq!((page.code(), world.visits()), (None, 3));
    page.close();
    let page = open(&world, OnLoad::Auto);
    assert_eq!((came(&page), world.visits()), (Came::Redirect, 4));
}

#[test]
fn f4_a_watched_frame_that_sees_its_cookie_is_remembered_for_the_start() {
    for has_page in [true, false] {
        let world = if has_page { world_of(APP) } else { World::new() };
        let mut provider = world.provider();
        let metadata = provider.metadata.as_object_mut().unwrap();
        metadata.insert("check_session_iframe".into(), json!("https://idp.example/check_session"));
        metadata.remove("session_events_endpoint");
        provider.next_callback(|answer| answer.push(("session_state".into(), "hash.salt".into())));
        drop(provider);
        let page = world.signed_in("richard");
        assert_eq!(world.inside().watched()[0].1, format!("{CLIENT} hash.salt"));
        world.inside().frames_see();
        page.expect_status(Status::Authenticated);
        page.close();
        let page = open(&world, OnLoad::Auto);
        assert_eq!(came(&page), if has_page { Came::Frame } else { Came::Redirect });
        // Nothing else is taken from it.
        world.inside().frames_say(&Answer::Done {});
        page.expect_status(Status::Authenticated);
    }
}

#[test]
fn f17_a_frame_that_fails_is_left_out_until_a_session_was_reached() {
    let world = near();
    // What the provider shows instead of an answer never reports.
    world.provider().silent = "https://another.example/".into();
    world.person_signs_in("richard");
    let page = open(&world, OnLoad::Auto);
    assert_eq!((came(&page), world.visits()), (Came::Redirect, 2));
    page.close();
    world.provider().cookie = None;
    for visits in [4, 5] {
        // The session that was reached has made it worth another try; then it is left out.
        let page = open(&world, OnLoad::Auto);
        page.expect_status(Status::Anonymous);
        assert_eq!(world.visits(), visits);
        page.close();
    }
}

#[test]
fn f17_a_provider_that_is_away_is_asked_once() {
    let world = near();
    world.provider().is_down = true;
    let page = open(&world, OnLoad::Auto);
    page.expect_status(Status::Offline);
    assert_eq!(page.code(), Some(Code::IssuerUnreachable));
    assert_eq!((world.visits(), world.count(Endpoint::Discovery)), (0, 1));
}

#[test]
fn f17_a_click_does_not_wait_for_the_frame_of_the_start() {
    let world = near();
    world.person_signs_in("richard");
    world.hold(Endpoint::Token);
    let page = open(&world, OnLoad::Auto);
    page.expect_status(Status::Restoring);
    page.sign_in();
    world.release();
    page.expect_status(Status::Authenticated);
    assert_eq!(page.cause(), None);
}

#[test]
fn f17_a_sign_out_elsewhere_ends_the_asking() {
    let world = near();
    let first = world.signed_in("richard");
    first.freeze();
    world.hold(Endpoint::Token);
    let second = open(&world, OnLoad::Auto);
    second.expect_status(Status::Restoring);
    first.thaw();
    first.leave_only_this_app();
    world.release();
    second.expect_status(Status::Anonymous);
    assert_eq!(second.cause(), Some(Ending::SignedOutHere));
}
