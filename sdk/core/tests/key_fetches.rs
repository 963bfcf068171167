//! When the key set is fetched: rotated keys, sets that age, fetches that fail, and never too often.

use gatepass_core::{
    error::Code,
    wire::{Ending, Failure, Status},
};
use serde_json::json;

use crate::world::{
    Endpoint, Page, World,
    keys::{ES256, ES256_NEXT, STRANGER},
    page::get_token,
};

#[test]
fn rp13_a_key_set_that_changes_on_each_fetch_is_fetched_once_a_sign_in() {
    let world = World::new();
    world.provider().always(Endpoint::Keys, {
        let mut fetched = 0;
        move |reply| {
            fetched += 1;
            let mut key = ES256.jwk();
            key["kid"] = json!(format!("es-{}", fetched + 1));
            reply.member("keys", json!([key]));
        }
    });
    let page = world.open();
    world.person_signs_in("richard");
    page.sign_in();
    page.expect_refused(Code::KeyNotFound);
    assert_eq!(world.count(Endpoint::Keys), 2, "before leaving, and once for the token");
}

#[test]
fn rp13_one_fetch_serves_all_that_wait_for_it() {
    let world = World::new();
    let page = world.signed_in("richard");
    world.advance_with_heartbeat(30);
    let fetched = world.count(Endpoint::Keys);
    {
        let mut provider = world.provider();
        provider.key = &ES256_NEXT;
        provider.published = vec![ES256.jwk(), ES256_NEXT.jwk()];
    }
    world.hold(Endpoint::Keys);
    world.push_logout_token(|token| token.claim("sub", json!("gavin")));
    world.push_logout_token(|_| {});
    page.expect_status(Status::Authenticated);
    world.release();
    assert_eq!(world.count(Endpoint::Keys), fetched + 1);
    page.expect_status(Status::Anonymous);
}

#[test]
fn rp13_a_fetch_that_failed_is_not_repeated_at_once() {
    let world = World::new();
    let page = world.signed_in("richard");
    world.advance_with_heartbeat(30);
    let fetched = world.count(Endpoint::Keys);
    world.provider().once(Endpoint::Keys, |reply| reply.fail(Failure::Network));
    for _ in 0..3 {
        world.push_logout_token(|token| token.header("kid", json!("unheard")));
        assert_eq!(world.count(Endpoint::Keys), fetched + 1);
        // Why there is no key is the network, for all of them.
        assert_eq!(page.code(), Some(Code::IssuerUnreachable));
    }
    page.expect_status(Status::Authenticated);
    world.advance_with_heartbeat(30);
    world.push_logout_token(|token| token.header("kid", json!("unheard")));
    assert_eq!(world.count(Endpoint::Keys), fetched + 2);
    assert_eq!(page.code(), Some(Code::LogoutTokenInvalid));
}

/// Signed in, and so much later that the keys are due. The provider is heard on the way.
fn later(seconds: i64) -> (World, Page) {
    let world = World::new();
    let page = world.signed_in("richard");
    world.advance_with_heartbeat(seconds);
    (world, page)
}

#[test]
fn rp13_keys_that_are_not_fresh_are_used_and_fetched_anew_meanwhile() {
    let (world, page) = later(2 * 3600);
    let fetched = world.count(Endpoint::Keys);
    // The fetch does not come back before the token is needed.
    world.hold(Endpoint::Keys);
    page.token().unwrap();
    assert_eq!(world.count(Endpoint::Keys), fetched + 1);
    world.release();
    assert_eq!(page.code(), None);
    // Fresh again.
    world.advance_with_heartbeat(600);
    page.token().unwrap();
    assert_eq!(world.count(Endpoint::Keys), fetched + 1);
}

#[test]
fn rp13_a_key_that_was_taken_away_verifies_nothing_once_that_is_known() {
    let (world, page) = later(2 * 3600);
    world.provider().published = vec![ES256_NEXT.jwk()];
    page.token().unwrap();
    world.push_logout_token(|_| {});
    page.expect_status(Status::Authenticated);
    assert_eq!(page.code(), Some(Code::LogoutTokenInvalid));
}

#[test]
fn rp13_keys_that_cannot_be_fetched_anew_are_used_for_a_day() {
    const DAY: i64 = 24 * 3600;
    let (world, page) = later(DAY - 1);
    world.provider().always(Endpoint::Keys, |reply| reply.fail(Failure::Network));
    page.token().unwrap();
    assert_eq!(page.code(), None);
    let (world, page) = later(DAY);
    world.provider().rotates = false;
    world.provider().always(Endpoint::Keys, |reply| reply.fail(Failure::Network));
    assert_eq!(page.token(), Err(Code::IssuerUnreachable));
    page.expect_status(Status::Offline);
    world.provider().behave();
    world.advance_with_heartbeat(30);
    page.token().unwrap();
    page.expect_status(Status::Authenticated);
}

#[test]
fn rp13_the_keys_of_one_issuer_verify_nothing_of_another() {
    // Both name their key `es-1`; the channel of tabs is the other issuer's too, by mistake.
    let world = World::new();
    let page = world.signed_in("richard");
    world.push_logout_token(|token| token.key = &STRANGER);
    page.expect_status(Status::Authenticated);
    assert_eq!(page.code(), Some(Code::LogoutTokenInvalid));
}

#[test]
fn rp13_an_unknown_key_is_looked_for_once_and_not_too_often() {
    let world = World::new();
    let page = world.signed_in("richard");
    world.advance_with_heartbeat(30);
    let fetched = world.count(Endpoint::Keys);
    for _ in 0..5 {
        world.push_logout_token(|token| token.header("kid", json!("unheard")));
    }
    assert_eq!(world.count(Endpoint::Keys), fetched + 1);
    assert_eq!(page.code(), Some(Code::LogoutTokenInvalid));
    page.expect_status(Status::Authenticated);
    world.advance_with_heartbeat(29);
    world.push_logout_token(|token| token.header("kid", json!("unheard")));
    assert_eq!(world.count(Endpoint::Keys), fetched + 1);
    world.advance_with_heartbeat(1);
    world.push_logout_token(|token| token.header("kid", json!("unheard")));
    assert_eq!(world.count(Endpoint::Keys), fetched + 2);
}

/// From now on the provider has another key of the same name.
fn replace_key(world: &World) {
    let mut provider = world.provider();
    provider.key = &STRANGER;
    provider.published = vec![STRANGER.jwk()];
}

#[test]
fn rp_key_replaced_under_its_kid_in_an_old_page() {
    // The set is fetched anew meanwhile: it comes after the verdict, or before it.
    for comes_first in [false, true] {
        let (world, page) = later(2);
        // It has fetched them itself before.
        page.token().unwrap();
        world.advance_with_heartbeat(2 * 3600);
        replace_key(&world);
        if comes_first {
            // What is late is the token.
            world.hold(Endpoint::Token);
            page.begin(get_token());
            world.settle();
            world.push_logout_token(|token| token.claim("sub", json!("gavin")));
        } else {
            world.hold(Endpoint::Keys);
            page.begin(get_token());
            world.settle();
        }
        world.release();
        page.expect_status(Status::Authenticated);
        // Rotated: the refresh token that came beside it would be lost with it.
        let now = world.inside().provider_time();
        let token = page.token().unwrap();
        assert!(world.provider().accepts(&token, now));
        world.advance_with_heartbeat(300);
        page.token().unwrap();
    }
}

#[test]
fn rp_key_replaced_under_its_kid_in_a_young_page() {
    let (world, page) = later(2);
    page.token().unwrap();
    world.advance_with_heartbeat(290);
    let fetched = world.count(Endpoint::Keys);
    replace_key(&world);
    page.token().unwrap();
    assert_eq!(page.code(), None);
    assert_eq!(world.count(Endpoint::Keys), fetched + 1);
    // What came beside the token is kept: the next refresh is good too.
    world.advance_with_heartbeat(290);
    page.token().unwrap();
    assert_eq!(world.count(Endpoint::Keys), fetched + 1);
}

#[test]
fn rp12_a_key_replaced_just_after_it_was_fetched_loses_no_refresh() {
    let world = World::new();
    let page = world.signed_in("richard");
    world.advance_with_heartbeat(280);
    // Less than half a minute ago somebody asked in vain.
    world.push_logout_token(|token| token.header("kid", json!("unheard")));
    let fetched = world.count(Endpoint::Keys);
    world.advance_with_heartbeat(10);
    replace_key(&world);
    page.token().unwrap();
    assert_eq!(world.count(Endpoint::Keys), fetched + 1);
}

#[test]
fn rp13_a_wrong_signature_makes_the_keys_be_fetched_not_too_often() {
    let world = World::new();
    let page = world.signed_in("richard");
    world.advance_with_heartbeat(30);
    let fetched = world.count(Endpoint::Keys);
    for _ in 0..5 {
        world.push_logout_token(|token| token.key = &STRANGER);
    }
    assert_eq!(world.count(Endpoint::Keys), fetched + 1);
    assert_eq!(page.code(), Some(Code::LogoutTokenInvalid));
    world.advance_with_heartbeat(29);
    world.push_logout_token(|token| token.key = &STRANGER);
    assert_eq!(world.count(Endpoint::Keys), fetched + 1);
    world.advance_with_heartbeat(1);
    replace_key(&world);
    world.push_logout_token(|_| {});
    assert_eq!(world.count(Endpoint::Keys), fetched + 2);
    page.expect_status(Status::Anonymous);
}

#[test]
fn rp13_a_verdict_by_a_set_that_was_replaced_meanwhile_is_none() {
    let (world, page) = later(2);
    replace_key(&world);
    // A set that is not fresh judges the token while the fetch is under way, and it is over before
    // the verdict comes: so soon nobody asks again.
    world.inside().slow_crypto = true;
    world.push_logout_token(|_| {});
    page.expect_status(Status::Anonymous);
    assert_eq!(page.cause(), Some(Ending::LogoutToken));
}

#[test]
fn rp13_why_the_keys_could_not_be_had_before_leaving_is_remembered() {
    let (world, page) = later(2);
    let other = world.open();
    // It asks for the keys before it leaves, in vain, and then stays.
    world.inside().stays = true;
    world.provider().once(Endpoint::Keys, |reply| reply.fail(Failure::Network));
    page.sign_in();
    world.inside().stop_loading();
    world.inside().stays = false;
    world.push_logout_token(|token| token.header("kid", json!("unheard")));
    assert_eq!(page.code(), Some(Code::IssuerUnreachable));
    drop(other);
}
