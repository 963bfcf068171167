//! The app's own server as the stream, for a provider that knows back-channel logout only
//! (docs/relay.md).

use gatepass_core::{
    error::Code,
    wire::{Ending, Failure, Signal, Status},
};
use serde_json::json;

use crate::world::{Endpoint, RELAY, World};

/// An app with a relay, at a provider that has no session events.
fn relayed() -> World {
    let world = World::with(|config| config.session_events_endpoint = Some(RELAY.into()));
    world.provider().publishes_no("session_events_endpoint");
    world
}

#[test]
fn f2_logout_token_of_the_relay_ends_the_session() {
    let world = relayed();
    let page = world.signed_in("richard");
    let asked: Vec<_> = world.provider().requests.iter().map(|it| it.url.clone()).collect();
    assert!(asked.iter().any(|url| url == RELAY), "{asked:?}");
    world.provider_ends_session();
    page.expect_status(Status::Anonymous);
    assert_eq!(page.cause(), Some(Ending::LogoutToken));
}

#[test]
fn f2_what_the_app_says_counts_where_both_have_a_stream() {
    let world = World::with(|config| config.session_events_endpoint = Some(RELAY.into()));
    world.signed_in("richard");
    let provider = world.provider();
    let streams: Vec<_> =
        provider.requests.iter().filter(|it| it.endpoint == Endpoint::Events).collect();
    assert!(!streams.is_empty() && streams.iter().all(|it| it.url == RELAY));
}

/// The person signed out in another browser: the relay cannot tell the two apart.
#[test]
fn f2_token_of_the_persons_other_session_is_no_fault() {
    let world = relayed();
    let page = world.signed_in("richard");
    world.push_logout_token(|token| token.claim("sid", json!("another")));
    page.expect_status(Status::Authenticated);
    assert_eq!(page.code(), None);
    // Anything else is one, as at the provider's own stream.
    world.push_logout_token(|token| token.claim("aud", json!("another")));
    page.expect_status(Status::Authenticated);
    assert_eq!(page.code(), Some(Code::LogoutTokenInvalid));
}

/// An open stream of the provider says that the session stands; one of a relay says that the relay
/// does.
#[test]
fn f2_relay_that_speaks_spares_no_check() {
    let world = relayed();
    let page = world.signed_in("richard");
    page.signal(Signal::Hidden {});
    world.advance_with_heartbeat(15);
    page.signal(Signal::Shown {});
    assert_eq!(world.count(Endpoint::UserInfo), 1);
}

#[test]
fn relay_that_is_away_is_no_provider_that_is_away() {
    let world = relayed();
    let page = world.signed_in("richard");
    world.provider().always(Endpoint::Events, |reply| reply.fail(Failure::Network));
    world.close_streams();
    world.advance(60);
    page.expect_status(Status::Authenticated);
    assert_eq!(page.code(), None);
    // And one that is back says nothing about a provider that is away.
    world.provider().behave();
    for endpoint in [Endpoint::UserInfo, Endpoint::Discovery] {
        world.provider().always(endpoint, |reply| reply.fail(Failure::Network));
    }
    page.check();
    page.expect_status(Status::Offline);
    world.advance_with_heartbeat(60);
    page.expect_status(Status::Offline);
    world.provider().behave();
    world.advance_with_heartbeat(30);
    page.expect_status(Status::Authenticated);
}
