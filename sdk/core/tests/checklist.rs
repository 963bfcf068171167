//! What of the security checklist no other file tries: rows about more than one message.

use gatepass_core::{
    error::Code,
    wire::{Ending, Failure, Status},
};
use serde_json::{Value, json};

use crate::world::{Endpoint, Provider, World, keys::STRANGER, provider::Parameters};

/// OIDC Core 15.5.2: an ID token answers one sign-in, of one tab.
#[test]
fn rp16_an_id_token_of_another_tabs_sign_in_is_refused() {
    let world = World::new();
    let first = world.signed_in("richard");
    let before = world.overheard("session")["id_token"].clone();
    first.close();
    let second = world.open();
    second.expect_status(Status::Anonymous);
    world.provider().once(Endpoint::Token, move |reply| reply.member("id_token", before.clone()));
    second.sign_in();
    second.expect_refused(Code::NonceInvalid);
    // The next sign-in has a nonce of its own.
    second.sign_in();
    second.expect_status(Status::Authenticated);
}

#[test]
fn rp19_a_new_sign_in_leaves_nothing_of_the_person_before() {
    let world = World::new();
    let page = world.signed_in("richard");
    let old = [page.token().unwrap(), world.overheard("session")["id_token"].to_string()];
    world.advance(1);
    world.person_signs_in("gavin");
    page.sign_in();
    page.expect_status(Status::Authenticated);
    assert_eq!(page.claim("sub"), "gavin");
    assert_eq!(page.cause(), Some(Ending::UserChanged));
    let kept: String =
        page.storage().into_values().chain(world.origin_storage().into_values()).collect();
    let session = format!("{:?}{}", page.session(), world.overheard("session"));
    for word in old.iter().map(String::as_str).chain(["richard"]) {
        assert!(!kept.contains(word.trim_matches('"')), "kept: {word}");
        assert!(!session.contains(word.trim_matches('"')), "in the session: {word}");
    }
    assert_ne!(page.token().unwrap(), old[0]);
    // Nor does the provider hear of the first one again.
    page.sign_out();
    let hint = world.last_visit().remove("id_token_hint").unwrap();
    assert!(!old[1].contains(&hint));
}

/// A lie's name, and who tells it.
type Lie = (&'static str, fn(&mut Provider));

/// What a provider, or somebody on the way, can do to one sign-in.
const LIES: [Lie; 14] = [
    ("state", |provider| provider.next_callback(|query| set(query, "state", "another"))),
    ("iss", |provider| provider.next_callback(|query| set(query, "iss", "https://evil.example"))),
    ("code", |provider| provider.next_callback(|query| set(query, "code", "another"))),
    ("error", |provider| provider.next_callback(|query| set(query, "error", "server_error"))),
    ("html", |provider| provider.once(Endpoint::Token, |reply| reply.html())),
    ("status", |provider| provider.once(Endpoint::Token, |reply| reply.status = 400)),
    ("redirect", |provider| {
        provider.once(Endpoint::Token, |reply| reply.fail(Failure::Redirected));
    }),
    ("no ID token", |provider| {
        provider.once(Endpoint::Token, |reply| reply.member("id_token", Value::Null));
    }),
    ("signature", |provider| provider.next_id_token(|token| token.key = &STRANGER)),
    ("alg", |provider| provider.next_id_token(|token| token.header("alg", json!("none")))),
    ("nonce", |provider| provider.next_id_token(|token| token.claim("nonce", json!("another")))),
    ("aud", |provider| provider.next_id_token(|token| token.claim("aud", json!("hooli")))),
    ("exp", |provider| provider.next_id_token(|token| token.claim("exp", json!(1)))),
    ("at_hash", |provider| provider.next_id_token(|token| token.claim("at_hash", json!("AAAA")))),
];

fn set(query: &mut Parameters, name: &str, value: &str) {
    query.retain(|(key, _)| key != name);
    query.push((name.into(), value.into()));
}

/// Whatever came: no half-made session, an earlier one as it was, and a next sign-in that works.
#[test]
fn f5_a_refused_sign_in_leaves_everything_as_it_was() {
    for (lie, tell) in LIES {
        let world = World::new();
        let first = world.signed_in("richard");
        let second = world.open();
        second.expect_status(Status::Authenticated);
        world.person_signs_in("richard");
        let (before, token, told) = (first.session(), first.token(), first.notices());
        tell(&mut world.provider());
        second.sign_in();
        assert_eq!(first.session(), before, "{lie}");
        assert_eq!((first.token(), first.notices()), (token.clone(), told), "{lie}");
        // The tab that came back says why (but for an answer that it never asked for, which is no
        // news where somebody is signed in), and shows what the other one has.
        assert_eq!(second.code().is_some(), lie != "state", "{lie}");
        assert_eq!(second.token(), token, "{lie}");
        second.sign_in();
        second.expect_status(Status::Authenticated);
        assert_eq!(second.code(), None, "{lie}");
        assert_ne!(second.token(), token, "{lie}");
    }
}

/// The same where nobody was signed in before.
#[test]
fn f5_a_refused_sign_in_makes_no_session() {
    for (lie, tell) in LIES {
        let world = World::new();
        let page = world.open();
        world.person_signs_in("richard");
        tell(&mut world.provider());
        page.sign_in();
        page.expect_status(Status::Anonymous);
        let error = page.session().error.unwrap();
        assert!(error.evidence.is_some() || error.code != Code::SignatureInvalid, "{lie}");
        assert_eq!((page.session().claims, page.session().checks), (None, None), "{lie}");
        assert_eq!(page.token(), Err(Code::NotSignedIn), "{lie}");
        assert_eq!(world.count(Endpoint::UserInfo), 0, "{lie}");
        page.sign_in();
        page.expect_status(Status::Authenticated);
        assert_eq!(page.code(), None, "{lie}");
    }
}
