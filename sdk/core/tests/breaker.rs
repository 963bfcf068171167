//! What keeps a page from going round: redirects that nobody has clicked for, and sign-ins that no person
//! can have asked for.

use gatepass_core::{
    error::Code,
    wire::{Command, Failure, Mode, OnLoad, Outcome, Status},
};

use crate::world::{Endpoint, Page, World, page::sign_in_to};

fn load(world: &World, on_load: OnLoad) -> Page {
    let page = world.tab();
    page.load("/", on_load);
    page
}

#[test]
fn d13_the_breaker_stops_at_the_second_redirect_without_a_session() {
    let world = World::new();
    // Each answer is lost: the page is loaded again and again.
    world.provider().always(Endpoint::Token, |reply| reply.fail(Failure::Network));
    world.person_signs_in("richard");
    let page = load(&world, OnLoad::Auto);
    page.expect_status(Status::Offline);
    assert_eq!(world.visits(), 1);
    for _ in 0..3 {
        page.load("/", OnLoad::Auto);
        page.expect_status(Status::Anonymous);
        assert_eq!(page.code(), Some(Code::RedirectLoop));
        assert_eq!(broken_by(&page), "issuer_unreachable");
    }
    assert_eq!(world.visits(), 1);
    // A click goes, and a session resets the count.
    world.provider().behave();
    page.sign_in();
    page.expect_status(Status::Authenticated);
    page.load("/", OnLoad::Auto);
    page.expect_status(Status::Authenticated);
}

#[test]
fn a_page_that_is_come_back_to_forgets_no_redirect_of_the_pages_after_it() {
    let world = World::new();
    let page = load(&world, OnLoad::Manual);
    // The next page asks by itself, in vain, and writes that down.
    page.load("/", OnLoad::Auto);
    assert_eq!(world.visits(), 1);
    page.back();
    // What the first page writes down does not take that back.
    page.leave_only_this_app();
    page.load("/", OnLoad::Auto);
    assert_eq!(world.visits(), 1);
}

/// What the breaker says that it saw.
fn broken_by(page: &Page) -> String {
    let error = page.session().error.unwrap();
    assert_eq!(error.code, Code::RedirectLoop);
    error.evidence.as_ref().unwrap().found.as_str().to_owned()
}

#[test]
fn d13_the_breaker_says_what_it_saw() {
    // The answer comes back, and the tab has lost what it is to be known by.
    let world = World::new();
    world.person_signs_in("richard");
    world.provider().next_callback(|parameters| {
        for (name, value) in parameters {
            if name == "state" {
                *value = "lost".into();
            }
        }
    });
    let page = load(&world, OnLoad::Auto);
    assert_eq!(page.code(), Some(Code::StateUnknown));
    page.load("/", OnLoad::Auto);
    assert_eq!(broken_by(&page), "state_unknown");
    // Nothing comes back.
    let world = World::new();
    world.inside().stays = true;
    let page = load(&world, OnLoad::Auto);
    page.load("/", OnLoad::Auto);
    assert_eq!(broken_by(&page), "no answer that could be known again");
    // Nor does it say what the trip before was told.
    let world = World::new();
    let page = world.open();
    page.sign_in();
    page.person_cancels();
    assert_eq!(page.code(), Some(Code::AccessDenied));
    world.inside().stays = true;
    page.load("/", OnLoad::Auto);
    page.load("/", OnLoad::Auto);
    assert_eq!(broken_by(&page), "no answer that could be known again");
    // A click forgets it.
    world.inside().stays = false;
    world.person_signs_in("richard");
    page.sign_in();
    page.load("/", OnLoad::Auto);
    page.expect_status(Status::Authenticated);
    assert_eq!(page.code(), None);
}

/// An app that signs in whenever nobody is signed in, at a provider that refuses.
#[test]
fn d13_f14_a_sign_in_that_is_asked_for_ten_times_in_a_minute_is_no_persons() {
    let world = World::new();
    let page = world.open();
    let refuse = || {
        page.sign_in();
        page.person_cancels();
        assert_eq!(page.code(), Some(Code::AccessDenied));
    };
    (0..9).for_each(|_| refuse());
    let visits = world.visits();
    for _ in 0..2 {
        let outcome = page.run(sign_in_to("/"));
        assert!(
            matches!(outcome, Some(Outcome::Failed { error }) if error.code == Code::RedirectLoop)
        );
        assert_eq!(broken_by(&page), "access_denied");
    }
    // Nor does a reload begin anew.
    page.load("/", OnLoad::Manual);
    page.run(sign_in_to("/"));
    assert_eq!(broken_by(&page), "access_denied");
    assert_eq!(world.visits(), visits);
    // A window leaves no page, and takes a person to open.
    let mut window = sign_in_to("/");
    if let Command::SignIn { mode, .. } = &mut window {
        *mode = Some(Mode::Popup);
    }
    page.begin(window);
    world.settle();
    assert_eq!(world.inside().popups.len(), 1);
    world.advance(61);
    refuse();
    // Whoever reaches a session has not failed.
    (0..7).for_each(|_| refuse());
    world.person_signs_in("richard");
    page.sign_in();
    page.expect_status(Status::Authenticated);
    page.sign_out();
    world.inside().provider.cookie = None;
    (0..9).for_each(|_| refuse());
}

/// The same beside a tab whose session is not enough for what is asked for.
#[test]
fn d13_a_session_of_another_tab_makes_no_loop_shorter() {
    let world = World::new();
    let (_beside, page) = (world.signed_in("richard"), world.tab());
    for _ in 0..9 {
        page.load("/", OnLoad::Manual);
        page.expect_status(Status::Authenticated);
        page.begin(stepping_up());
        world.settle();
        page.person_cancels();
    }
    let outcome = page.run(stepping_up());
    assert!(matches!(outcome, Some(Outcome::Failed { error }) if error.code == Code::RedirectLoop));
}

/// A sign-in for which the session is not enough.
fn stepping_up() -> Command {
    let mut command = sign_in_to("/");
    if let Command::SignIn { prompt, .. } = &mut command {
        *prompt = Some("login".into());
    }
    command
}

/// A provider so slow that somebody stops it and clicks again, on the same page.
#[test]
fn d13_a_person_who_is_impatient_is_no_loop() {
    let world = World::new();
    let page = world.open();
    world.inside().stays = true;
    for _ in 0..12 {
        page.run(sign_in_to("/"));
        assert_eq!(page.code(), None);
        world.inside().stop_loading();
        world.advance(2);
    }
}

/// Why nothing is asked any more is said on each page, until somebody clicks.
#[test]
fn d13_a_provider_that_refuses_is_named_after_a_reload_too() {
    for code in ["interaction_required", "access_denied"] {
        let world = World::new();
        world.provider().next_callback(move |parameters| {
            parameters.retain(|(name, _)| name != "code" && name != "error");
            parameters.push(("error".into(), code.into()));
        });
        let page = load(&world, OnLoad::Auto);
        assert_eq!(page.code().map(Code::as_str), Some(code));
        let visits = world.visits();
        for _ in 0..2 {
            page.load("/", OnLoad::Auto);
            page.expect_status(Status::Anonymous);
            assert_eq!(broken_by(&page), code);
        }
        assert_eq!(world.visits(), visits);
        page.load("/", OnLoad::Manual);
        assert_eq!(page.code(), None);
    }
    // That nobody is signed in is no failure.
    let world = World::new();
    let page = load(&world, OnLoad::Auto);
    page.load("/", OnLoad::Auto);
    assert_eq!((page.status(), page.code()), (Status::Anonymous, None));
}

#[test]
fn the_breaker_stops_at_the_tenth_redirect_in_a_minute() {
    let world = World::new();
    let page = world.signed_in("richard");
    let before = world.visits();
    for _ in 0..9 {
        page.load("/", OnLoad::Auto);
        page.expect_status(Status::Authenticated);
        world.advance(1);
    }
    assert_eq!(world.visits(), before + 9);
    page.load("/", OnLoad::Auto);
    page.expect_status(Status::Anonymous);
    assert_eq!(page.code(), Some(Code::RedirectLoop));
    assert_eq!(broken_by(&page), "too many of them in a minute");
    assert_eq!(world.visits(), before + 9);
    world.advance(61);
    page.load("/", OnLoad::Auto);
    page.expect_status(Status::Authenticated);
}
