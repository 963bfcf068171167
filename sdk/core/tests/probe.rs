//! Asking in a hidden frame (`probe`): what is seen there signs in, what is not seen says nothing.

use gatepass_core::{
    error::Code,
    wire::{Failure, OnLoad, Status},
};

use serde_json::json;

use crate::world::{
    Endpoint, Page, World,
    keys::{ES256, ES256_NEXT},
    provider::SILENT,
};

/// A page that has asked in a frame.
fn probed(prepare: impl FnOnce(&World)) -> Page {
    let world = World::new();
    prepare(&world);
    let page = world.tab();
    page.load("/here?a=b", OnLoad::Probe);
    page
}

fn blind(world: &World) {
    world.inside().frames_are_blind = true;
}

#[test]
fn f17_a_frame_that_sees_the_session_signs_in_without_leaving_the_page() {
    let page = probed(|world| world.person_signs_in("richard"));
    page.expect_status(Status::Authenticated);
    assert_eq!(page.code(), None);
    let asked = page.world.last_visit();
    assert_eq!((asked["prompt"].as_str(), asked["redirect_uri"].as_str()), ("none", SILENT));
    // The same page, and nothing in its storage that could be taken for an attempt.
    assert!(page.loaded().ends_with("/here?a=b"));
    assert!(!page.storage().keys().any(|key| key.contains(":attempt:")));
    assert_eq!(page.world.inside().open_streams(), 1);
    assert!(page.token().is_ok());
}

#[test]
fn f17_a_frame_that_sees_nothing_says_nothing() {
    let nobody = probed(|_| {});
    let unseen = probed(|world| {
        world.person_signs_in("richard");
        blind(world);
    });
    for page in [nobody, unseen] {
        page.expect_status(Status::Anonymous);
        assert_eq!((page.code(), page.cause()), (None, None));
        assert_eq!((page.world.visits(), page.world.count(Endpoint::Token)), (1, 0));
        // Nothing has been stopped by it: the next page may ask again.
        page.load("/", OnLoad::Probe);
        assert_eq!(page.world.visits(), 2);
        page.expect_status(Status::Anonymous);
    }
}

#[test]
fn f17_the_start_does_not_wait_for_the_frame() {
    let world = World::new();
    world.person_signs_in("richard");
    world.hold(Endpoint::Discovery);
    let page = world.tab();
    page.load("/", OnLoad::Probe);
    page.expect_status(Status::Anonymous);
    world.release();
    page.expect_status(Status::Authenticated);
}

#[test]
fn f17_a_click_is_faster_than_the_frame() {
    let world = World::new();
    world.person_signs_in("richard");
    world.hold(Endpoint::Token);
    let page = world.tab();
    page.load("/", OnLoad::Probe);
    let other = world.open();
    other.sign_in();
    world.release();
    for tab in [&page, &other] {
        tab.expect_status(Status::Authenticated);
        assert_eq!(tab.cause(), None);
    }
    assert_eq!(page.token(), other.token());
}

#[test]
fn f17_a_probe_signs_nobody_out() {
    let world = World::new();
    let first = world.signed_in("richard");
    blind(&world);
    let second = world.tab();
    second.load("/", OnLoad::Probe);
    for page in [&first, &second] {
        page.expect_status(Status::Authenticated);
    }
    assert_eq!(world.visits(), 1, "where a tab has a session nobody is asked");
}

#[test]
fn f17_after_a_sign_out_nothing_is_asked_before_a_click() {
    let page = probed(|world| world.person_signs_in("richard"));
    page.leave_only_this_app();
    let visits = page.world.visits();
    page.load("/", OnLoad::Probe);
    page.expect_status(Status::Anonymous);
    assert_eq!(page.world.visits(), visits);
    page.sign_in();
    page.expect_status(Status::Authenticated);
}

#[test]
fn f17_a_provider_that_is_away_is_not_told_before_a_click() {
    let page = probed(|world| world.provider().is_down = true);
    page.expect_status(Status::Anonymous);
    assert_eq!(page.code(), None);
    let lost = probed(|world| {
        world.person_signs_in("richard");
        world.provider().once(Endpoint::Token, |reply| reply.fail(Failure::Network));
    });
    lost.expect_status(Status::Anonymous);
    assert_eq!(lost.code(), None);
}

#[test]
fn f17_what_the_provider_does_wrong_in_a_frame_is_told() {
    let page = probed(|world| {
        world.person_signs_in("richard");
        world.provider().next_id_token(|draft| draft.claim("nonce", "another".into()));
    });
    page.expect_refused(Code::NonceInvalid);
}

#[test]
fn f17_an_answer_to_another_question_is_none() {
    let page = probed(|world| {
        world.person_signs_in("richard");
        world.provider().next_callback(|parameters| {
            for (name, value) in parameters {
                if name == "state" {
                    *value = "another".into();
                }
            }
        });
    });
    page.expect_status(Status::Anonymous);
    assert_eq!((page.code(), page.world.count(Endpoint::Token)), (None, 0));
}

#[test]
fn f17_a_sign_out_while_the_frame_asks_is_not_undone() {
    let world = World::new();
    world.person_signs_in("richard");
    world.hold(Endpoint::Token);
    let page = world.tab();
    page.load("/", OnLoad::Probe);
    page.expect_status(Status::Anonymous);
    page.leave_only_this_app();
    world.release();
    page.expect_status(Status::Anonymous);
    assert_eq!(page.token(), Err(Code::NotSignedIn));
    // Nobody will use what came, so that it is taken back.
    assert_eq!(world.count(Endpoint::Revocation), 1);
    page.sign_in();
    page.expect_status(Status::Authenticated);
}

#[test]
fn rp13_an_answer_in_a_frame_has_its_look_at_the_keys_although_they_were_just_fetched() {
    let page = probed(|world| {
        world.person_signs_in("richard");
        let mut provider = world.provider();
        provider.published = vec![ES256.jwk(), ES256_NEXT.jwk()];
        // The second key comes after the page has looked.
        provider.once(Endpoint::Keys, |reply| reply.member("keys", json!([ES256.jwk()])));
        provider.next_id_token(|token| {
            token.key = &ES256_NEXT;
            token.header("kid", json!(ES256_NEXT.id));
        });
    });
    page.expect_status(Status::Authenticated);
    assert_eq!(page.world.count(Endpoint::Keys), 2);
}

#[test]
fn f17_a_sign_out_in_another_tab_while_the_frame_asks_is_not_undone() {
    // What came already is nobody's, and is taken back; whoever has not asked yet asks no more.
    for (held, asked) in [(Endpoint::Discovery, 0), (Endpoint::Token, 1)] {
        let world = World::new();
        let first = world.signed_in("richard");
        first.leave_only_this_app();
        let page = world.tab();
        world.hold_for(held, &page);
        page.load("/", OnLoad::Probe);
        page.expect_status(Status::Anonymous);
        first.sign_in();
        page.expect_status(Status::Authenticated);
        first.leave_only_this_app();
        let visits = world.visits();
        let taken_back = world.count(Endpoint::Revocation);
        world.release();
        for tab in [&first, &page] {
            tab.expect_status(Status::Anonymous);
        }
        assert_eq!(world.visits(), visits, "{held:?}");
        assert_eq!(world.count(Endpoint::Revocation), taken_back + asked, "{held:?}");
    }
}

#[test]
fn f17_what_a_slower_frame_brings_is_taken_back() {
    let world = World::new();
    world.person_signs_in("richard");
    let page = world.tab();
    world.hold_for(Endpoint::Token, &page);
    page.load("/", OnLoad::Probe);
    let other = world.open();
    other.sign_in();
    page.expect_status(Status::Authenticated);
    world.release();
    assert_eq!(world.count(Endpoint::Revocation), 1);
    let token = page.token();
    assert_eq!(token, other.token());
    let now = world.inside().provider_time();
    assert!(world.provider().accepts(&token.unwrap(), now));
}
