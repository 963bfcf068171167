//! The hidden frame as a rung of the ladder: the page is not left where a frame is likely to see the
//! provider's cookie, and is left where that says nothing.

use gatepass_core::{
    config::StorageKind,
    error::Code,
    wire::{Answer, Came, Command, Ending, Failure, Mode, OnLoad, Outcome, Scope, Status},
};
use serde_json::json;

use crate::world::{APP, CLIENT, Endpoint, Page, World, page::sign_in_to};

/// An app at `origin` that says where its page for frames is.
fn world_of(origin: &str) -> World {
    keeping(origin, StorageKind::Memory)
}

/// The same, with a session that is kept there.
fn keeping(origin: &str, storage: StorageKind) -> World {
    let silent = format!("{origin}/silent.html");
    let world = World::with(|config| {
        config.origin = origin.into();
        config.silent_redirect_uri = Some(silent.as_str().into());
        config.storage = Some(storage);
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
    // The person may have had cookies blocked since: that nobody is there is no answer.
    blind(&world);
    for (on_load, visits) in [(OnLoad::Hint, 4), (OnLoad::Auto, 5)] {
        let page = open(&world, on_load);
        assert_eq!((came(&page), world.visits()), (Came::Redirect, visits));
        page.close();
    }
}

#[test]
fn f17_what_a_frame_of_no_start_sees_counts_too() {
    let world = World::new();
    seen_in_a_frame(&world);
    blind(&world);
    let page = open(&world, OnLoad::Probe);
    page.expect_status(Status::Anonymous);
    page.close();
    let page = open(&world, OnLoad::Auto);
    assert_eq!((came(&page), world.visits()), (Came::Redirect, 3));
}

#[test]
fn f17_a_frame_that_a_redirect_has_shown_to_be_blind_is_not_asked_at_each_reload() {
    let world = near();
    world.person_signs_in("richard");
    blind(&world);
    let page = open(&world, OnLoad::Auto);
    assert_eq!((came(&page), world.visits()), (Came::Redirect, 2));
    page.load("/", OnLoad::Auto);
    assert_eq!((came(&page), world.visits()), (Came::Redirect, 3));
    // A click is a reason to try again: the person may have allowed cookies.
    world.inside().frames_are_blind = false;
    page.leave_only_this_app();
    page.sign_in();
    page.load("/", OnLoad::Auto);
    assert_eq!(came(&page), Came::Frame);
}

#[test]
fn f17_a_frame_that_was_right_is_asked_again() {
    let world = near();
    let page = open(&world, OnLoad::Auto);
    page.expect_status(Status::Anonymous);
    assert_eq!(world.visits(), 2, "a frame, and a redirect");
    page.close();
    world.person_signs_in("richard");
    let page = open(&world, OnLoad::Auto);
    assert_eq!((came(&page), world.visits()), (Came::Frame, 3));
}

#[test]
fn f17_that_a_frame_was_right_is_held_against_no_later_one() {
    let world = World::new();
    seen_in_a_frame(&world);
    world.provider().cookie = None;
    let page = open(&world, OnLoad::Auto);
    page.expect_status(Status::Anonymous);
    page.close();
    // It is known of no frame any more that it sees, so that a redirect finds this session.
    world.person_signs_in("richard");
    let page = open(&world, OnLoad::Auto);
    assert_eq!(came(&page), Came::Redirect);
    page.close();
    let page = open(&world, OnLoad::Probe);
    assert_eq!(came(&page), Came::Frame);
}

#[test]
fn f17_what_became_of_a_redirect_that_told_nothing_is_not_held_against_a_frame() {
    let world = World::new();
    seen_in_a_frame(&world);
    world.provider().cookie = None;
    // A frame finds nobody, and the page that then leaves is closed.
    world.inside().stays = true;
    let page = open(&world, OnLoad::Auto);
    assert_eq!(world.visits(), 2);
    page.close();
    world.inside().stays = false;
    world.person_signs_in("richard");
    let page = open(&world, OnLoad::Auto);
    assert_eq!((came(&page), world.visits()), (Came::Redirect, 3), "no frame was asked");
    page.close();
    let page = open(&world, OnLoad::Probe);
    assert_eq!(came(&page), Came::Frame);
}

#[test]
fn f17_a_session_that_was_kept_says_nothing_of_a_frame_that_was_blind() {
    let world = keeping("https://www.idp.example", StorageKind::Session);
    world.person_signs_in("richard");
    blind(&world);
    let page = open(&world, OnLoad::Auto);
    assert_eq!((came(&page), world.visits()), (Came::Redirect, 2));
    page.load("/", OnLoad::Auto);
    assert_eq!((came(&page), world.visits()), (Came::Storage, 2));
    // And so in the next tab.
    let other = open(&world, OnLoad::Auto);
    assert_eq!((came(&other), world.visits()), (Came::Tab, 2));
    other.close();
    page.close();
    let page = open(&world, OnLoad::Auto);
    assert_eq!((came(&page), world.visits()), (Came::Redirect, 3));
}

#[test]
fn f17_an_issuer_of_the_same_host_may_have_its_endpoints_elsewhere() {
    let world = same_host();
    world.provider().metadata["authorization_endpoint"] = json!("https://login.example/authorize");
    world.person_signs_in("richard");
    blind(&world);
    let page = open(&world, OnLoad::Auto);
    assert_eq!((came(&page), world.visits()), (Came::Redirect, 2));
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
    // A redirect has stood in for it, and does so again.
    let page = open(&world, OnLoad::Auto);
    page.expect_status(Status::Anonymous);
    assert_eq!(world.visits(), 3);
    // A click makes it worth another try.
    world.person_signs_in("richard");
    page.sign_in();
    assert_eq!(world.visits(), 4);
    page.load("/", OnLoad::Auto);
    assert_eq!((came(&page), world.visits()), (Came::Redirect, 6));
}

#[test]
fn f17_a_frame_that_could_not_be_opened_has_not_failed() {
    let world = near();
    world.inside().frames_are_missing = true;
    world.person_signs_in("richard");
    let page = open(&world, OnLoad::Auto);
    assert_eq!((came(&page), world.visits()), (Came::Redirect, 1));
    world.inside().frames_are_missing = false;
    page.load("/", OnLoad::Auto);
    assert_eq!((came(&page), world.visits()), (Came::Frame, 2));
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

/// A page that is loaded once the provider's keys are known, so that the sign-in that follows its
/// document follows at once.
fn reloaded_while_held(world: &World, held: Endpoint) -> Page {
    world.person_signs_in("richard");
    let page = open(world, OnLoad::Manual);
    page.sign_in();
    page.leave_only_this_app();
    world.advance(1);
    page.sign_in();
    world.hold(held);
    page.load("/here", OnLoad::Auto);
    page.expect_status(Status::Restoring);
    page
}

#[test]
fn f17_a_click_does_not_wait_for_the_frame_of_the_start() {
    for held in [Endpoint::Discovery, Endpoint::Frame] {
        let world = near();
        let page = reloaded_while_held(&world, held);
        let visits = world.visits();
        world.inside().stays = true;
        let click = page.begin(sign_in_to("/there"));
        world.settle();
        page.expect_status(Status::Anonymous);
        if held == Endpoint::Discovery {
            world.release();
        }
        assert_eq!(page.outcome(click), Some(Outcome::Leaving {}), "{held:?}");
        world.inside().stays = false;
        world.release();
        page.expect_status(Status::Authenticated);
        assert_eq!((came(&page), page.code()), (Came::Click, None));
        assert_eq!(world.visits(), visits + 1, "{held:?}");
    }
}

#[test]
fn f17_a_code_that_a_frame_has_brought_is_redeemed_before_a_click_counts() {
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
fn f17_a_click_before_the_provider_is_asked_is_not_kept_waiting_nor_lost() {
    for near_by in [true, false] {
        for step in 0.. {
            let world = if near_by { near() } else { World::new() };
            let page = world.signed_in("richard");
            page.leave_only_this_app();
            world.advance(1);
            page.sign_in();
            let visits = world.visits();
            page.begin_load("/", OnLoad::Hint);
            assert!((0..step).all(|_| world.inside().deliver_one()), "{step}");
            let is_asked = world.visits() > visits;
            let click = page.begin(sign_in_to("/"));
            world.settle();
            // The page was left before the click, or a frame was asked.
            if is_asked {
                assert!(step > 5, "{step}");
                break;
            }
            assert_eq!(page.outcome(click), Some(Outcome::Leaving {}), "{step}");
            assert_eq!((came(&page), world.visits()), (Came::Click, visits + 1), "{step}");
        }
    }
}

#[test]
fn f17_a_sign_out_while_a_frame_is_asked_ends_the_asking() {
    for held in [Endpoint::Discovery, Endpoint::Frame] {
        let world = near();
        let page = reloaded_while_held(&world, held);
        let visits = world.visits();
        page.begin(Command::SignOut { scope: Scope::Local });
        world.settle();
        page.expect_status(Status::Anonymous);
        world.release();
        page.expect_status(Status::Anonymous);
        assert_eq!(world.visits(), visits, "{held:?}");
    }
}

#[test]
fn f17_a_later_click_takes_the_place_of_one_that_waits() {
    for mode in [None, Some(Mode::Popup)] {
        let world = World::new();
        let page = world.signed_in("richard");
        let sign_in = |user: &str| {
            let mut command = sign_in_to("/");
            if let Command::SignIn { mode: asked, login_hint, .. } = &mut command {
                *asked = mode;
                *login_hint = Some(user.into());
            }
            command
        };
        world.advance(1);
        world.hold(Endpoint::Discovery);
        let first = page.begin(sign_in("gavin"));
        let second = page.begin(sign_in("richard"));
        world.settle();
        world.release();
        match page.outcome(first) {
            Some(Outcome::Failed { error }) => assert_eq!(error.code, Code::Superseded),
            other => panic!("{other:?}"),
        }
        let left = if mode.is_some() { Outcome::Done {} } else { Outcome::Leaving {} };
        assert_eq!(page.outcome(second), Some(left));
        assert_eq!(world.last_visit()["login_hint"].as_str(), "richard");
        page.expect_status(Status::Authenticated);
    }
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
    world.advance(1);
    first.leave_only_this_app();
    world.release();
    second.expect_status(Status::Anonymous);
    assert_eq!(second.cause(), Some(Ending::SignedOutHere));
}

/// A page of an app elsewhere, while its automatic redirect is at one of these: the provider's document
/// is on its way, or the browser has been told to leave and has not yet. With another tab, that one has
/// the lock and says nothing.
fn about_to_leave(held: Option<Endpoint>, has_other: bool) -> (World, Page) {
    let world = World::new();
    world.person_signs_in("richard");
    if has_other {
        let other = open(&world, OnLoad::Auto);
        other.expect_status(Status::Authenticated);
        other.hang();
    }
    match held {
        Some(endpoint) => world.hold(endpoint),
        None => world.inside().stays = true,
    }
    let page = open(&world, OnLoad::Auto);
    world.advance_ms(400);
    page.expect_status(Status::Restoring);
    (world, page)
}

#[test]
fn f17_a_click_takes_the_place_of_a_redirect_that_nobody_clicked_for() {
    for (held, has_other) in [
        (Some(Endpoint::Discovery), false),
        (Some(Endpoint::Discovery), true),
        (None, false),
        (None, true),
    ] {
        for after_ms in [0, 500, 2_000] {
            let (world, page) = about_to_leave(held, has_other);
            world.advance_ms(after_ms);
            let (visits, asked) = (world.visits(), world.count(Endpoint::Discovery));
            let click = page.begin(sign_in_to("/there"));
            world.settle();
            if held.is_some() {
                world.release();
            }
            let case = format!("{held:?} {has_other} {after_ms}");
            assert_eq!(page.outcome(click), Some(Outcome::Leaving {}), "{case}");
            world.inside().stays = false;
            world.advance_ms(400);
            page.expect_status(Status::Authenticated);
            assert_eq!((came(&page), world.visits()), (Came::Click, visits + 1), "{case}");
            assert_eq!(world.count(Endpoint::Discovery), asked, "{case}");
        }
    }
}

#[test]
fn f17_a_click_in_place_of_a_redirect_needs_no_keys() {
    let world = World::new();
    world.person_signs_in("richard");
    world.provider().always(Endpoint::Keys, |reply| reply.fail(Failure::Network));
    world.inside().stays = true;
    let page = open(&world, OnLoad::Auto);
    assert_eq!(world.count(Endpoint::Keys), 1);
    world.hold(Endpoint::Keys);
    let click = page.begin(sign_in_to("/there"));
    world.settle();
    assert_eq!(page.outcome(click), Some(Outcome::Leaving {}));
    assert_eq!(world.count(Endpoint::Keys), 1);
}

#[test]
fn f17_a_click_a_while_after_a_navigation_was_stopped_asks_whether_the_provider_is_there() {
    let (world, page) = about_to_leave(None, false);
    page.begin(sign_in_to("/there"));
    world.settle();
    world.inside().stop_loading();
    world.advance_ms(2_000);
    world.provider().is_down = true;
    page.sign_in();
    assert_eq!((page.code(), world.visits()), (Some(Code::IssuerUnreachable), 0));
}

#[test]
fn f17_a_window_is_not_taken_from_a_page_that_is_as_good_as_left() {
    let (world, page) = about_to_leave(None, false);
    let in_a_window = || {
        let mut command = sign_in_to("/");
        if let Command::SignIn { mode, .. } = &mut command {
            *mode = Some(Mode::Popup);
        }
        command
    };
    let at_once = page.begin(in_a_window());
    world.settle();
    match page.outcome(at_once) {
        Some(Outcome::Failed { error }) => assert_eq!(error.code, Code::Superseded),
        other => panic!("{other:?}"),
    }
    // It is still there a while later: the person has stopped it.
    world.inside().stop_loading();
    world.advance_ms(2_000);
    let later = page.begin(in_a_window());
    world.settle();
    assert_eq!(page.outcome(later), Some(Outcome::Done {}));
    assert_eq!(came(&page), Came::Window);
}

#[test]
fn f7_who_signs_out_while_the_page_leaves_by_itself_is_not_signed_in_by_that() {
    let (world, page) = about_to_leave(None, false);
    // The redirect is faster than the sign-out.
    let click = page.begin(Command::SignOut { scope: Scope::Global });
    world.inside().stays = false;
    assert!(world.inside().navigate());
    world.settle();
    assert_eq!(page.outcome(click), None, "its page is gone");
    assert_eq!(world.visits(), 1);
    page.expect_status(Status::Anonymous);
    assert_eq!(
        (page.code(), world.count(Endpoint::Token)),
        (None, 0),
        "its code is used by nobody"
    );
    page.load("/", OnLoad::Auto);
    assert_eq!(world.visits(), 1, "nor is anybody asked until the person clicks");
}

#[test]
fn f7_a_sign_out_counts_at_each_moment_of_a_start_that_redirects() {
    for step in 0.. {
        let world = World::new();
        world.person_signs_in("richard");
        let page = world.tab();
        page.begin_load("/", OnLoad::Auto);
        // The whole start, and the redirect in it.
        if !(0..step).all(|_| world.inside().deliver_one()) {
            assert!(step > 20, "{step}");
            break;
        }
        let has_arrived = world.visits() > 0;
        page.begin(Command::SignOut { scope: Scope::Global });
        world.settle();
        // Who is about to be signed in is signed out at the provider too, by name.
        let visit = world.last_visit();
        let is_told = visit.get("id_token_hint").is_some_and(|hint| !hint.is_empty());
        assert_eq!(is_told, has_arrived, "{step}: {visit:?}");
        // The provider may show a page of its own; here nobody is signed in.
        page.load("/", OnLoad::Auto);
        page.expect_status(Status::Anonymous);
    }
}
