//! What failed at a start is not tried again, in any page of the browser, until a session was reached.

use gatepass_core::{
    config::StorageKind,
    error::Code,
    wire::{Failure, OnLoad, Status},
};

use crate::world::{Endpoint, Page, Vault, World};

/// A page in a new tab, which knows nothing but what the browser keeps for the origin.
fn open(world: &World, on_load: OnLoad) -> Page {
    let page = world.tab();
    page.load("/", on_load);
    page
}

/// What such a page that asks in a frame shows, while it is open.
fn look(world: &World) -> Status {
    let page = open(world, OnLoad::Probe);
    let status = page.status();
    page.close();
    status
}

/// Somebody clicks and is signed in; then all tabs are closed, and with them that session.
fn reach_a_session(world: &World) {
    world.person_signs_in("richard");
    let page = world.open();
    page.sign_in();
    page.expect_status(Status::Authenticated);
    page.close();
}

fn error(world: &World, code: &'static str) {
    world.provider().next_callback(move |parameters| {
        parameters.retain(|(name, _)| name != "code");
        parameters.push(("error".into(), code.into()));
    });
}

#[test]
fn f17_a_frame_that_failed_is_not_tried_again_until_a_session_was_reached() {
    let world = World::new();
    world.person_signs_in("richard");
    error(&world, "server_error");
    let page = open(&world, OnLoad::Probe);
    assert_eq!(world.visits(), 1);
    page.load("/", OnLoad::Probe);
    page.expect_status(Status::Anonymous);
    let requests = world.requests();
    assert_eq!(look(&world), Status::Anonymous);
    assert_eq!((world.visits(), world.requests()), (1, requests));
    page.close();
    reach_a_session(&world);
    let visits = world.visits();
    assert_eq!(look(&world), Status::Authenticated);
    assert_eq!(world.visits(), visits + 1);
}

#[test]
fn f17_that_nobody_is_signed_in_is_no_failure_of_a_frame() {
    let world = World::new();
    world.inside().frames_are_blind = true;
    for visits in 1..4 {
        assert_eq!(look(&world), Status::Anonymous);
        assert_eq!(world.visits(), visits);
    }
    // Who signs in at another app is signed in here by the next page.
    world.inside().frames_are_blind = false;
    world.person_signs_in("richard");
    assert_eq!(look(&world), Status::Authenticated);
}

#[test]
fn f17_a_frame_that_brings_something_else_has_failed_and_one_that_could_not_ask_has_not() {
    for (fails, change) in [
        (true, (|world| error(world, "server_error")) as fn(&World)),
        (true, |world| {
            world.provider().next_callback(|parameters| {
                parameters.retain(|(name, _)| name != "state");
            });
        }),
        (true, |world| world.provider().next_id_token(|draft| draft.claim("nonce", "x".into()))),
        (false, |world| {
            world.provider().once(Endpoint::Token, |reply| reply.fail(Failure::Network));
        }),
        (false, |world| {
            world.provider().once(Endpoint::Discovery, |reply| reply.fail(Failure::Timeout));
        }),
    ] {
        let world = World::new();
        world.person_signs_in("richard");
        change(&world);
        assert!(!open(&world, OnLoad::Probe).is_signed_in());
        let second = open(&world, OnLoad::Probe);
        assert_eq!(second.is_signed_in(), !fails);
    }
}

#[test]
fn s10_storage_that_could_not_be_read_is_not_waited_for_again() {
    for vault in [Vault::Hangs, Vault::Missing] {
        let world = World::with(|config| config.storage = Some(StorageKind::Local));
        reach_a_session(&world);
        world.inside().vault = vault;
        let page = world.tab();
        page.load("/", OnLoad::Manual);
        world.advance(2);
        page.expect_status(Status::Anonymous);
        page.close();
        // The next start asks nobody and waits for nothing.
        let page = open(&world, OnLoad::Manual);
        page.expect_status(Status::Anonymous);
        page.close();
        // It works again, which nobody looks for until there is something to keep.
        world.inside().vault = Vault::Works;
        let page = open(&world, OnLoad::Manual);
        page.expect_status(Status::Anonymous);
        page.close();
        reach_a_session(&world);
        open(&world, OnLoad::Manual).expect_status(Status::Authenticated);
    }
}

#[test]
fn rp26_a_redirect_that_brought_nonsense_is_not_tried_by_the_next_tab() {
    for change in [(|world| error(world, "server_error")) as fn(&World), |world| {
        world.provider().next_id_token(|draft| draft.claim("nonce", "x".into()))
    }] {
        let world = World::new();
        world.person_signs_in("richard");
        change(&world);
        let page = open(&world, OnLoad::Auto);
        assert!(page.code().is_some());
        page.close();
        let visits = world.visits();
        for on_load in [OnLoad::Auto, OnLoad::Hint] {
            let page = open(&world, on_load);
            page.expect_status(Status::Anonymous);
            page.close();
        }
        assert_eq!(world.visits(), visits);
        reach_a_session(&world);
        open(&world, OnLoad::Auto).expect_status(Status::Authenticated);
    }
}

#[test]
fn f1_that_nobody_was_signed_in_is_an_answer_and_the_next_tab_asks() {
    for answer in ["login_required", "interaction_required", "consent_required", "access_denied"] {
        let world = World::new();
        world.person_signs_in("richard");
        error(&world, answer);
        open(&world, OnLoad::Auto).expect_status(Status::Anonymous);
        open(&world, OnLoad::Auto).expect_status(Status::Authenticated);
    }
}

#[test]
fn rp26_a_provider_that_was_away_is_asked_again() {
    let world = World::new();
    world.person_signs_in("richard");
    world.provider().once(Endpoint::Token, |reply| reply.fail(Failure::Network));
    let page = open(&world, OnLoad::Auto);
    assert_eq!(page.code(), Some(Code::IssuerUnreachable));
    page.close();
    open(&world, OnLoad::Auto).expect_status(Status::Authenticated);
}

#[test]
fn f17_where_storage_is_blocked_nothing_is_known_and_nothing_breaks() {
    let world = World::new();
    world.inside().origin_storage_blocked = true;
    world.inside().frames_are_blind = true;
    for visits in 1..3 {
        let page = open(&world, OnLoad::Probe);
        page.expect_status(Status::Anonymous);
        assert_eq!((page.code(), world.visits()), (None, visits));
    }
}

#[test]
fn f17_what_is_noted_is_words_for_one_issuer_and_client() {
    let world = World::new();
    error(&world, "server_error");
    open(&world, OnLoad::Probe);
    let storage = world.origin_storage();
    let noted: Vec<_> = storage.iter().filter(|(key, _)| key.ends_with("#rungs")).collect();
    assert_eq!(
        noted,
        [(&"gatepass:1:https://idp.example#pied-piper#rungs".into(), &"frame ".into())]
    );
    // What is written there by somebody else keeps the ladder from asking at most.
    for words in ["", " ", "nonsense", "{\"frame\":1}"] {
        let world = World::new();
        world.person_signs_in("richard");
        let key = "gatepass:1:https://idp.example#pied-piper#rungs";
        world.inside().storage.insert(key.into(), words.into());
        open(&world, OnLoad::Probe).expect_status(Status::Authenticated);
    }
}

#[test]
fn f17_a_provider_that_is_busy_for_a_moment_is_no_failure_of_a_frame() {
    let world = World::new();
    world.person_signs_in("richard");
    error(&world, "temporarily_unavailable");
    assert_eq!(look(&world), Status::Anonymous);
    assert_eq!(look(&world), Status::Authenticated);
}
