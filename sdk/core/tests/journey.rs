//! The whole way: sign in, use, share, refresh, sign out.

use gatepass_core::wire::{Ending, OnLoad, Outcome, Status};

use crate::world::{Endpoint, World, provider::Visit};

#[test]
fn f1_a_person_signs_in_by_a_click() {
    let world = World::new();
    let page = world.open();
    page.expect_status(Status::Anonymous);
    assert_eq!(world.requests(), 0, "a page that may not ask asks nothing");

    page.sign_in();
    assert!(matches!(page.at_provider(), Some(Visit::Login(_))));
    page.person_enters("richard");
    page.expect_status(Status::Authenticated);
    assert_eq!(page.claim("sub"), "richard");
    assert_eq!(page.code(), None);
    assert_eq!(world.count(Endpoint::Token), 1);
    assert_eq!(world.inside().open_streams(), 1);
}

#[test]
fn a_command_that_leaves_completes_as_leaving() {
    let world = World::new();
    let page = world.open();
    world.inside().stays = true;
    assert_eq!(page.sign_in(), Some(Outcome::Leaving {}));
}

#[test]
fn f2_a_session_ended_at_the_provider_ends_here_at_once() {
    let world = World::new();
    let page = world.signed_in("richard");
    let requests = world.requests();
    world.provider_ends_session();
    page.expect_status(Status::Anonymous);
    assert_eq!(page.cause(), Some(Ending::LogoutToken));
    assert_eq!(page.session().claims, None);
    assert_eq!(world.requests(), requests, "it was told, it did not ask");
    assert!(page.token().is_err());
}

#[test]
fn a_new_tab_adopts_the_session_without_a_request() {
    let world = World::new();
    let first = world.signed_in("richard");
    let requests = world.requests();
    let second = world.open();
    second.expect_status(Status::Authenticated);
    assert_eq!(second.claim("sub"), "richard");
    assert_eq!(world.requests(), requests);
    assert!(first.leads());
    assert_eq!(first.token(), second.token());
}

#[test]
fn a_token_is_refreshed_when_it_runs_out() {
    let world = World::new();
    let page = world.signed_in("richard");
    let first = page.token().unwrap();
    world.advance_with_heartbeat(280);
    let second = page.token().unwrap();
    assert_ne!(first, second);
    assert_eq!(world.refreshes(), 1);
    assert_eq!(page.token().unwrap(), second);
    assert_eq!(world.refreshes(), 1);
}

#[test]
fn f7_sign_out_clears_here_first_and_comes_back_signed_out() {
    let world = World::new();
    let page = world.signed_in("richard");
    page.sign_out();
    assert!(page.is_here(), "the provider sent the person back");
    page.expect_status(Status::Anonymous);
    assert_eq!(page.code(), None);
    assert!(world.provider().sessions[0].ended);
    page.load("/", OnLoad::Auto);
    page.expect_status(Status::Anonymous);
    assert_eq!(world.visits(), 2, "authorize and end_session, and no check after it");
}
