//! What a page learns of the provider before it leaves: that the page which comes back asks for
//! nothing but tokens, and that what is kept can be old, broken or wrong without harm.

use gatepass_core::{
    error::Code,
    wire::{Failure, OnLoad, Status},
};
use serde_json::json;

use crate::world::{
    Endpoint, Page, World,
    keys::{ES256_NEXT, STRANGER},
    provider::ISSUER,
};

const KEY: &str = "gatepass:1:https://idp.example#pied-piper#learnt";

/// The requests of the page that comes back, by endpoint; its event stream is the session's.
fn requests_since(world: &World, from: usize) -> Vec<Endpoint> {
    let provider = world.provider();
    let asked = provider.requests[from..].iter().map(|request| request.endpoint);
    asked.filter(|endpoint| *endpoint != Endpoint::Events).collect()
}

/// At the login page; gives how many requests there were.
fn leave(world: &World) -> (Page, usize) {
    let page = world.open();
    page.sign_in();
    let before = world.requests();
    (page, before)
}

#[test]
fn callback_needs_one_request() {
    let world = World::new();
    let (page, before) = leave(&world);
    assert_eq!(requests_since(&world, 0), [Endpoint::Discovery, Endpoint::Keys]);
    page.person_enters("richard");
    page.expect_status(Status::Authenticated);
    assert_eq!(requests_since(&world, before), [Endpoint::Token]);
    // The same for a page that asks by itself; the keys are known by now.
    let before = world.requests();
    page.load("/", OnLoad::Auto);
    page.expect_status(Status::Authenticated);
    assert_eq!(requests_since(&world, before), [Endpoint::Discovery, Endpoint::Token]);
}

#[test]
fn the_provider_is_asked_anew_before_every_departure() {
    let world = World::new();
    let page = world.signed_in("richard");
    let discoveries = world.count(Endpoint::Discovery);
    world.provider().is_down = true;
    page.load("/", OnLoad::Auto);
    page.expect_status(Status::Offline);
    assert_eq!(page.code(), Some(Code::IssuerUnreachable));
    assert_eq!(world.count(Endpoint::Discovery), discoveries + 1);
    assert_eq!(world.visits(), 1, "the page was not left");
}

#[test]
fn what_was_kept_ends_after_an_hour() {
    for (seconds, asked) in [
        (3599, vec![Endpoint::Token]),
        (3600, vec![Endpoint::Discovery, Endpoint::Token, Endpoint::Keys]),
    ] {
        let world = World::new();
        let (page, before) = leave(&world);
        let record = page.storage()[KEY].clone();
        // As if it were an earlier departure's.
        let at = crate::world::BEGIN_MS / 1000;
        let old = at + 3000 - seconds;
        page.set_storage(KEY, &record.replace(&at.to_string(), &old.to_string()));
        world.advance(3000);
        page.person_enters("richard");
        page.expect_status(Status::Authenticated);
        assert_eq!(requests_since(&world, before), asked, "{seconds}");
    }
}

#[test]
fn rp2_a_promise_counts_too_where_nothing_was_kept() {
    for (promise, code) in [(true, Some(Code::ResponseIssuerMissing)), (false, None)] {
        let world = World::new();
        world.provider().metadata["authorization_response_iss_parameter_supported"] =
            json!(promise);
        let (page, before) = leave(&world);
        page.set_storage(KEY, "");
        world.provider().next_callback(|parameters| parameters.retain(|(name, _)| name != "iss"));
        page.person_enters("richard");
        assert_eq!(page.code(), code);
        let tokens = requests_since(&world, before).contains(&Endpoint::Token);
        assert_eq!((tokens, page.is_signed_in()), (!promise, !promise));
    }
}

#[test]
fn what_is_no_record_of_ours_is_fetched() {
    let all = [Endpoint::Discovery, Endpoint::Token, Endpoint::Keys];
    let spoil = |change: &dyn Fn(&str) -> String, expected: &[Endpoint]| {
        let world = World::new();
        let (page, before) = leave(&world);
        let record = page.storage()[KEY].clone();
        let spoilt = change(&record);
        assert_ne!(spoilt, record);
        page.set_storage(KEY, &spoilt);
        page.person_enters("richard");
        page.expect_status(Status::Authenticated);
        assert_eq!(requests_since(&world, before), expected, "{spoilt}");
    };
    spoil(&|_| String::new(), &all);
    spoil(&|_| "{}".into(), &all);
    spoil(&|_| "[]".into(), &all);
    spoil(&|text| format!("{text}x"), &all);
    spoil(&|text| text.replace("\"version\":1", "\"version\":0"), &all);
    spoil(&|text| text.replace("\"at\":1", "\"at\":2"), &all);
    spoil(&|text| text.replacen(ISSUER, "https://evil.example", 1), &all);
    spoil(&|text| text.replace("https://idp.example/token", "javascript:alert(1)"), &all);
    spoil(&|text| text.replace("token_endpoint", "taken_endpoint"), &all);
    // The keys alone.
    let keys = [Endpoint::Token, Endpoint::Keys];
    spoil(&|text| text.replace("\"keys\":", "\"kees\":"), &keys);
    spoil(&|text| text.replace("\"keys_at\":1", "\"keys_at\":9"), &keys);
    spoil(&|text| text.replace("{\\\"keys", "{\\\"kees"), &keys);
}

#[test]
fn a_key_that_came_since_is_fetched_once() {
    let world = World::new();
    let (page, before) = leave(&world);
    {
        let mut provider = world.provider();
        provider.key = &ES256_NEXT;
        provider.published = vec![ES256_NEXT.jwk()];
    }
    page.person_enters("richard");
    page.expect_status(Status::Authenticated);
    assert_eq!(requests_since(&world, before), [Endpoint::Token, Endpoint::Keys]);
}

#[test]
fn a_key_that_was_replaced_under_its_name_is_fetched_once() {
    let world = World::new();
    // The page that leaves is shown another key of the same name.
    world.provider().once(Endpoint::Keys, |reply| {
        reply.body = json!({ "keys": [STRANGER.jwk()] }).to_string().into_bytes();
    });
    let (page, before) = leave(&world);
    page.person_enters("richard");
    page.expect_status(Status::Authenticated);
    assert_eq!(requests_since(&world, before), [Endpoint::Token, Endpoint::Keys]);
}

#[test]
fn a_signature_that_is_wrong_is_wrong_with_fresh_keys_too() {
    let world = World::new();
    let (page, before) = leave(&world);
    world.provider().next_id_token(|draft| draft.key = &STRANGER);
    page.person_enters("richard");
    page.expect_refused(Code::SignatureInvalid);
    assert_eq!(requests_since(&world, before), [Endpoint::Token, Endpoint::Keys]);
}

#[test]
fn a_provider_that_has_moved_is_found() {
    let world = World::new();
    let (page, before) = leave(&world);
    let record = page.storage()[KEY].clone();
    // What was kept leads to a place that no longer answers.
    page.set_storage(KEY, &record.replace("https://idp.example/token", "https://idp.example/old"));
    page.person_enters("richard");
    page.expect_status(Status::Authenticated);
    assert_eq!(
        requests_since(&world, before),
        [Endpoint::Gone, Endpoint::Discovery, Endpoint::Token]
    );
}

#[test]
fn a_code_is_not_sent_twice_to_one_place() {
    for failure in [Failure::Network, Failure::Timeout, Failure::Redirected] {
        let world = World::new();
        let (page, _) = leave(&world);
        world.provider().once(Endpoint::Token, move |reply| reply.fail(failure));
        page.person_enters("richard");
        assert!(!page.is_signed_in());
        assert_eq!(world.count(Endpoint::Token), 1, "{failure:?}");
        let code = if failure == Failure::Redirected {
            Code::TokenResponseInvalid
        } else {
            Code::IssuerUnreachable
        };
        assert_eq!(page.code(), Some(code));
    }
}

#[test]
fn keys_that_cannot_be_had_keep_nobody_from_leaving() {
    let world = World::new();
    world.provider().once(Endpoint::Keys, |reply| reply.fail(Failure::Timeout));
    let (page, before) = leave(&world);
    page.person_enters("richard");
    page.expect_status(Status::Authenticated);
    assert_eq!(requests_since(&world, before), [Endpoint::Token, Endpoint::Keys]);
}
