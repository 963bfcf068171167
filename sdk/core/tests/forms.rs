//! What was half filled in and lies in the tab (`sdk/driver/keep.js`): when it is erased.

use gatepass_core::wire::{Ending, OnLoad, Signal, Status};

use crate::world::{CLIENT, ISSUER, Page, World};

fn key() -> String {
    format!("gatepass:1:{ISSUER}#{CLIENT}#forms")
}

/// An earlier page of this tab has put something away.
fn put_away(page: &Page) {
    page.set_storage(&key(), "sealed");
}

fn lies_there(page: &Page) -> bool {
    page.storage().contains_key(&key())
}

/// A page with a session, for which an earlier one has put something away.
fn signed_in(world: &World) -> Page {
    let page = world.open();
    put_away(&page);
    world.person_signs_in("richard");
    page.sign_in();
    page.expect_status(Status::Authenticated);
    assert!(lies_there(&page), "whoever signs in is to get it back");
    page
}

type End = fn(&World, &Page);

#[test]
fn s13_whatever_ends_the_session_erases_the_forms_that_lie_in_the_tab() {
    let ends: [(Ending, End); 4] = [
        (Ending::SignedOutHere, |_, page| drop(page.leave_only_this_app())),
        (Ending::LogoutToken, |world, _| world.provider_ends_session()),
        // It is told by another tab.
        (Ending::SignedOutHere, |world, _| drop(world.open().leave_only_this_app())),
        (Ending::InvalidGrant, |world, page| {
            world.provider().end_sso(0);
            page.check();
        }),
    ];
    for (ending, end) in ends {
        let world = World::new();
        let page = signed_in(&world);
        end(&world, &page);
        assert_eq!(page.cause(), Some(ending));
        assert!(!lies_there(&page), "{ending:?}");
    }
}

#[test]
fn s13_a_global_sign_out_has_erased_the_forms_before_the_next_page() {
    let world = World::new();
    let page = signed_in(&world);
    page.sign_out();
    page.expect_status(Status::Anonymous);
    assert_eq!(page.cause(), Some(Ending::SignedOut));
    assert!(!lies_there(&page));
}

#[test]
fn s13_a_sign_out_where_nobody_is_signed_in_erases_them_too() {
    let world = World::new();
    let page = world.open();
    put_away(&page);
    page.leave_only_this_app();
    assert!(!lies_there(&page));
}

#[test]
fn s13_a_page_that_slept_erases_them_when_it_hears_of_the_end() {
    let world = World::new();
    let page = signed_in(&world);
    let other = world.open();
    page.freeze();
    other.leave_only_this_app();
    assert!(lies_there(&page), "it sleeps");
    page.thaw();
    page.expect_status(Status::Anonymous);
    assert!(!lies_there(&page));
}

#[test]
fn rp27_somebody_elses_sign_in_erases_them_and_the_same_persons_does_not() {
    for (user, stay) in [("richard", true), ("gavin", false)] {
        let world = World::new();
        let page = signed_in(&world);
        let other = world.open();
        put_away(&other);
        world.advance(1);
        world.person_signs_in(user);
        page.sign_in();
        // In the tab where it happens, whose page has died meanwhile, and where it is heard of.
        for page in [&page, &other] {
            page.expect_status(Status::Authenticated);
            assert_eq!(page.claim("sub"), user);
            assert_eq!(lies_there(page), stay, "{user}");
        }
    }
}

#[test]
fn s11_nobody_being_signed_in_erases_nothing() {
    let world = World::new();
    let page = world.open();
    put_away(&page);
    // Asked once, in vain; then looked at again.
    page.load("/", OnLoad::Auto);
    page.expect_status(Status::Anonymous);
    page.signal(Signal::Shown {});
    assert!(lies_there(&page));
}
