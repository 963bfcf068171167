//! Access tokens for one resource (RFC 8707) or for less than was granted (RFC 6749, 6): one grant,
//! one refresh at a time.

use gatepass_core::{
    error::{Code, Error},
    secret::Secret,
    wire::{Command, Outcome, Status},
};

use crate::world::{Endpoint, Page, World, page::get_token};

const FILES: &str = "https://files.example";
const MAIL: &str = "https://mail.example";

fn token_for(resource: &str, scope: &str) -> Command {
    let text = |text: &str| (!text.is_empty()).then(|| text.into());
    Command::GetToken {
        min_ttl: None,
        origin: None,
        refused: None,
        resource: text(resource),
        scope: text(scope),
    }
}

fn token_of(outcome: Option<Outcome>) -> Result<String, Error> {
    match outcome {
        Some(Outcome::Token { access_token: Some(Secret(token)), .. }) => Ok(token.into()),
        Some(Outcome::Failed { error }) => Err(error),
        other => panic!("{other:?}"),
    }
}

fn get(page: &Page, resource: &str, scope: &str) -> Result<String, Error> {
    token_of(page.run(token_for(resource, scope)))
}

/// What the last request to the token endpoint asked for.
fn asked(world: &World) -> (Option<String>, Option<String>) {
    let provider = world.provider();
    let token = |request: &&crate::world::provider::Request| request.endpoint == Endpoint::Token;
    let last = provider.requests.iter().rev().find(token).unwrap();
    (last.form.get("resource").cloned(), last.form.get("scope").cloned())
}

#[test]
fn rp17_a_token_for_a_resource_is_kept_beside_the_sessions_own() {
    let world = World::new();
    let page = world.signed_in("richard");
    let own = page.token().unwrap();
    let (notices, identity) = (page.notices(), page.session());
    let files = get(&page, FILES, "").unwrap();
    assert_eq!(asked(&world), (Some(FILES.into()), None));
    assert_ne!(files, own);
    // Neither is asked for again, and nothing of it is to be seen.
    assert_eq!(get(&page, FILES, "").unwrap(), files);
    assert_eq!(page.token().unwrap(), own);
    assert_eq!(world.refreshes(), 1);
    assert_eq!((page.notices(), page.session()), (notices, identity));
    // The refresh token that came with it is the grant's now.
    let less = get(&page, "", "openid").unwrap();
    assert_eq!(asked(&world), (None, Some("openid".into())));
    let both = get(&page, FILES, "openid").unwrap();
    assert_eq!(asked(&world), (Some(FILES.into()), Some("openid".into())));
    assert_eq!(world.refreshes(), 3);
    for (resource, scope, known) in [(FILES, "", &files), ("", "openid", &less)] {
        assert_eq!(&get(&page, resource, scope).unwrap(), known);
    }
    assert_eq!(get(&page, FILES, "openid").unwrap(), both);
    assert_eq!(page.token().unwrap(), own);
    assert_eq!(world.refreshes(), 3);
}

#[test]
fn rp17_each_token_is_refreshed_when_it_runs_out() {
    let world = World::new();
    let page = world.signed_in("richard");
    world.advance_with_heartbeat(200);
    let files = get(&page, FILES, "").unwrap();
    world.advance_with_heartbeat(90);
    // The session's own has run out, this one has not.
    assert_eq!(get(&page, FILES, "").unwrap(), files);
    assert_eq!(world.refreshes(), 1);
    page.token().unwrap();
    assert_eq!((world.refreshes(), asked(&world)), (2, (None, None)));
    assert_eq!(get(&page, FILES, "").unwrap(), files);
    world.advance_with_heartbeat(200);
    assert_ne!(get(&page, FILES, "").unwrap(), files);
    assert_eq!(world.refreshes(), 3);
    page.expect_status(Status::Authenticated);
}

#[test]
fn rp17_tabs_that_want_several_tokens_refresh_one_after_the_other() {
    let world = World::new();
    let first = world.signed_in("richard");
    let (second, third) = (world.open(), world.open());
    world.advance_with_heartbeat(290);
    // A refresh token that comes twice ends the grant.
    let mut wishes = Vec::new();
    for page in [&second, &first, &third] {
        for command in
            [token_for(FILES, ""), get_token(), token_for(MAIL, ""), token_for(FILES, "")]
        {
            wishes.push((page, page.begin(command)));
        }
    }
    world.settle();
    assert_eq!(world.refreshes(), 3);
    let tokens: Vec<_> =
        wishes.iter().map(|(page, id)| token_of(page.outcome(*id)).unwrap()).collect();
    for of_tab in tokens.chunks(4) {
        assert_eq!(of_tab, &tokens[..4]);
        assert_eq!(of_tab[0], of_tab[3]);
    }
    // Whoever opens later has all of them.
    let fourth = world.open();
    assert_eq!(get(&fourth, MAIL, "").unwrap(), tokens[2]);
    assert_eq!(fourth.token().unwrap(), tokens[1]);
    assert_eq!(world.refreshes(), 3);
    first.expect_status(Status::Authenticated);
}

#[test]
fn rp17_what_comes_for_a_resource_serves_nobody_who_waits_for_the_sessions_own() {
    let world = World::new();
    let first = world.signed_in("richard");
    let second = world.open();
    let old = second.token().unwrap();
    world.hold_for(Endpoint::Token, &first);
    first.begin(token_for(FILES, ""));
    world.settle();
    let refused = Command::GetToken {
        min_ttl: None,
        origin: None,
        refused: Some(Secret(old.as_str().into())),
        resource: None,
        scope: None,
    };
    let id = second.begin(refused);
    world.settle();
    world.release();
    assert_ne!(token_of(second.outcome(id)).unwrap(), old);
    assert_eq!(world.refreshes(), 2);
}

#[test]
fn rp17_a_resource_that_the_provider_refuses_is_the_apps_fault_and_nobody_elses() {
    let world = World::new();
    let first = world.signed_in("richard");
    let second = world.open();
    let (notices, now) = (first.notices(), world.inside().monotonic_ms);
    for page in [&first, &second] {
        let error = get(page, "https://unknown.example", "").unwrap_err();
        assert_eq!(error.code, Code::ProviderError);
        assert_eq!(error.evidence.as_ref().unwrap().found, "invalid_target");
        page.expect_status(Status::Authenticated);
        assert_eq!(page.code(), None);
    }
    // At once, and the leader leads on.
    assert_eq!((first.notices(), world.inside().monotonic_ms), (notices, now));
    assert_eq!(world.refreshes(), 2);
    world.advance(30);
    assert!(first.leads());
    // What others wait for comes all the same.
    let bad = second.begin(token_for("https://unknown.example", ""));
    let good = second.begin(token_for(FILES, ""));
    world.settle();
    assert!(token_of(second.outcome(bad)).is_err());
    assert!(token_of(second.outcome(good)).is_ok());
}

#[test]
fn rp17_a_hanging_leader_is_replaced_for_a_resource_too() {
    let world = World::new();
    let first = world.signed_in("richard");
    let second = world.open();
    first.hang();
    let id = second.begin(token_for(FILES, ""));
    world.advance(13);
    assert!(second.leads());
    let files = token_of(second.outcome(id)).unwrap();
    first.recover();
    assert_eq!(get(&first, FILES, "").unwrap(), files);
    assert_eq!(world.refreshes(), 1);
}

#[test]
fn rp27_tokens_for_resources_go_with_their_session() {
    let world = World::new();
    let first = world.signed_in("richard");
    let second = world.open();
    let files = get(&first, FILES, "").unwrap();
    world.advance(1);
    world.person_signs_in("gavin");
    second.sign_in();
    for page in [&first, &second] {
        assert_ne!(get(page, FILES, "").unwrap(), files);
    }
    second.leave_only_this_app();
    for page in [&first, &second] {
        assert_eq!(get(page, FILES, "").unwrap_err().code, Code::NotSignedIn);
    }
}

#[test]
fn rp17_without_a_refresh_token_there_is_none_for_a_resource() {
    let world = World::new();
    world.provider().gives_refresh_token = false;
    let page = world.signed_in("richard");
    assert_eq!(get(&page, FILES, "").unwrap_err().code, Code::TokenUnavailable);
    assert!(page.token().is_ok());
}

#[test]
fn rp17_an_id_token_that_came_for_a_resource_is_verified_and_not_the_sessions() {
    let world = World::new();
    let page = world.signed_in("richard");
    let checks = page.checks();
    get(&page, FILES, "").unwrap();
    assert_eq!(page.checks(), checks);
    world.provider().next_id_token(|token| token.claim("sub", "gavin".into()));
    let error = get(&page, MAIL, "").unwrap_err();
    assert_eq!(error.code, Code::RefreshedTokenInvalid);
    page.expect_status(Status::Authenticated);
}
