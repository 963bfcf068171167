//! What mutation testing found that no other test held (`cargo xtask mutants`): the words of the
//! evidence, and branches that only an unusual order of events reaches.

use gatepass_core::{
    error::Code,
    wire::{OnLoad, Status},
};
use serde_json::{Value, json};

use crate::{
    id_token::{arrive, arrive_at},
    world::{
        Endpoint, Page, World,
        keys::{ES256, STRANGER},
        page::sign_in_to,
        token::Draft,
    },
};

/// What the refusal says that it found.
fn found(page: &Page) -> String {
    let error = page.session().error.unwrap();
    error.evidence.as_ref().unwrap().found.as_str().to_owned()
}

#[test]
fn rp26_the_evidence_says_what_kind_of_value_came() {
    for (value, words) in [
        (json!(""), "an empty string"),
        (json!([1]), "an array"),
        (json!({}), "another type"),
        (json!(true), "another type"),
        (json!(7), "another number"),
        (json!(1.5), "another number"),
        (json!(1e300), "another number"),
    ] {
        let page = arrive(move |token| token.claim("sub", value.clone()));
        page.expect_refused(Code::ClaimInvalid);
        assert_eq!(found(&page), words);
    }
    let page = arrive(|token| token.claim("exp", json!("soon")));
    assert_eq!(found(&page), "a string");
    let page = arrive(|token| token.claim("sub", Value::Null));
    assert_eq!(found(&page), "");
}

#[test]
fn rp12_the_evidence_tells_several_keys_from_none() {
    let with = |keys: Vec<Value>| {
        let page = arrive_at(|provider| provider.published = keys, sign_in_to("/"), |_| {});
        page.expect_refused(Code::KeyNotFound);
        found(&page)
    };
    assert_eq!(with(vec![ES256.jwk(), STRANGER.jwk()]), "several that fit");
    assert_eq!(with(Vec::new()), "es-1");
}

#[test]
fn rp3_a_tab_that_was_doubled_on_its_way_redeems_nothing_again() {
    // "Duplicate tab" copies sessionStorage, with it the record of an attempt that is still open.
    let world = World::new();
    let page = world.open();
    page.sign_in();
    let copy = world.tab();
    for (key, value) in page.storage() {
        copy.set_storage(&key, &value);
    }
    page.person_enters("richard");
    page.expect_status(Status::Authenticated);
    assert_eq!(world.count(Endpoint::Token), 1);
    let callback = page.loaded();
    copy.visit(&callback, OnLoad::Manual);
    copy.expect_status(Status::Authenticated);
    assert_eq!(copy.code(), None);
    page.expect_status(Status::Authenticated);
    assert_eq!(world.count(Endpoint::Token), 1, "the code was sent once");
}

#[test]
fn oidcc_refresh_token_what_a_refreshed_id_token_says_is_shown_if_it_says_all() {
    let refreshed = |change: fn(&mut Draft)| {
        let world = World::new();
        let page = world.signed_in("richard");
        world.provider().next_id_token(move |token| {
            token.claim("name", json!("R. Hendricks"));
            change(token);
        });
        world.advance_with_heartbeat(290);
        assert!(page.token().is_ok());
        assert_eq!(world.refreshes(), 1);
        page.claim("name") == json!("R. Hendricks")
    };
    assert!(refreshed(|_| ()));
    // Without what a logout token or a step-up is compared with, the first one stays.
    assert!(!refreshed(|token| token.claim("sid", Value::Null)));
    assert!(!refreshed(|token| token.claim("auth_time", Value::Null)));
}
