//! Taking tokens back at a sign-out (RFC 7009): after the session is gone here, and whatever comes
//! of it.

use gatepass_core::{
    error::Code,
    wire::{Command, Failure, Outcome, Scope, Status},
};

use crate::world::{Endpoint, Page, World};

const SCOPES: [Scope; 2] = [Scope::Global, Scope::Local];

/// Whether the provider still accepts an access token.
fn is_good(world: &World, token: &str) -> bool {
    let now = world.inside().provider_time();
    world.provider().accepts(token, now)
}

/// The form of the last revocation.
fn revocation(world: &World, name: &str) -> String {
    let provider = world.provider();
    let last = provider.requests.iter().rfind(|r| r.endpoint == Endpoint::Revocation);
    last.map(|request| request.form[name].clone()).unwrap_or_default()
}

#[test]
fn s15_leaving_only_this_app_kills_its_tokens_and_no_others() {
    let world = World::new();
    let page = world.signed_in("richard");
    let token = page.token().unwrap();
    assert!(is_good(&world, &token));
    assert_eq!(page.leave_only_this_app(), Some(Outcome::Done {}));
    assert!(!is_good(&world, &token));
    assert_eq!(revocation(&world, "token_type_hint"), "refresh_token");
    assert!(!world.provider().sessions[0].ended, "the person stays signed in elsewhere");
    page.expect_status(Status::Anonymous);
    assert_eq!(page.code(), None);
}

#[test]
fn without_a_refresh_token_the_access_token_is_taken_back() {
    let world = World::new();
    world.provider().gives_refresh_token = false;
    let page = world.signed_in("richard");
    let token = page.token().unwrap();
    page.leave_only_this_app();
    assert_eq!(revocation(&world, "token"), token);
    assert_eq!(revocation(&world, "token_type_hint"), "access_token");
    assert!(!is_good(&world, &token));
}

#[test]
fn f7_tokens_are_taken_back_after_the_session_is_gone_here() {
    for scope in SCOPES {
        let world = World::new();
        let page = world.signed_in("richard");
        let other = world.open();
        world.hold(Endpoint::Revocation);
        let id = page.begin(Command::SignOut { scope });
        page.expect_status(Status::Anonymous);
        world.settle();
        other.expect_status(Status::Anonymous);
        assert_eq!(world.count(Endpoint::Revocation), 1);
        if scope == Scope::Local {
            assert_eq!(page.outcome(id), None, "an app that closes its page waits for it");
        } else {
            assert!(world.provider().sessions[0].ended, "nobody waits for it to leave");
        }
        world.release();
        page.expect_status(Status::Anonymous);
        assert_eq!(page.code(), None);
    }
}

#[test]
fn whatever_comes_of_it_the_sign_out_is_done() {
    for scope in SCOPES {
        for failure in [None, Some(Failure::Network), Some(Failure::Timeout)] {
            let world = World::new();
            let page = world.signed_in("richard");
            world.provider().once(Endpoint::Revocation, move |reply| match failure {
                Some(failure) => reply.fail(failure),
                None => reply.status = 503,
            });
            let outcome = page.run(Command::SignOut { scope });
            if scope == Scope::Local {
                assert_eq!(outcome, Some(Outcome::Done {}));
            }
            page.expect_status(Status::Anonymous);
            assert_eq!(page.code(), None);
            assert_eq!(world.provider().sessions[0].ended, scope == Scope::Global);
            assert_eq!(world.count(Endpoint::Revocation), 1, "once");
        }
    }
}

#[test]
fn a_provider_that_is_away_or_offers_none_keeps_nobody() {
    let leave = |prepare: &dyn Fn(&World) -> Page| {
        let world = World::new();
        let page = prepare(&world);
        assert_eq!(page.leave_only_this_app(), Some(Outcome::Done {}));
        page.expect_status(Status::Anonymous);
        assert_eq!(page.code(), None);
    };
    leave(&|world| {
        world.provider().publishes_no("revocation_endpoint");
        world.signed_in("richard")
    });
    leave(&|world| {
        let page = world.signed_in("richard");
        world.provider().is_down = true;
        page
    });
    // Also where this page has never asked the provider for anything.
    leave(&|world| {
        world.signed_in("richard");
        let second = world.open();
        world.provider().is_down = true;
        second
    });
}

#[test]
fn nothing_is_taken_back_where_nothing_is_held() {
    for scope in SCOPES {
        let world = World::new();
        let page = world.open();
        page.run(Command::SignOut { scope });
        assert_eq!(world.count(Endpoint::Revocation), 0);
    }
}

#[test]
fn a_page_that_adopted_its_session_takes_it_back_too() {
    let world = World::new();
    let first = world.signed_in("richard");
    let token = first.token().unwrap();
    let second = world.open();
    second.leave_only_this_app();
    assert!(!is_good(&world, &token));
    assert_eq!(first.token(), Err(Code::NotSignedIn));
}
