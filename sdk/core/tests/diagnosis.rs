//! What the machine tells about how it fares.

use crate::world::{CLIENT, ISSUER, Page, World};
use gatepass_core::{
    config::StorageKind,
    wire::{
        Came, Command, Diagnosis, Noted, OnLoad, Outcome, Part, Status, StreamState, Write as _,
    },
};

fn diagnosis(page: &Page) -> Diagnosis {
    match page.run(Command::Diagnose {}) {
        Some(Outcome::Diagnosis { diagnosis }) => *diagnosis,
        other => panic!("expected a diagnosis, got {other:?}"),
    }
}

#[test]
fn r14_each_way_of_a_session_has_its_name() {
    let world = World::new();
    let stranger = world.open();
    assert_eq!(diagnosis(&stranger).came, Came::No);
    world.person_signs_in("u1");
    stranger.sign_in();
    assert_eq!(diagnosis(&stranger).came, Came::Click);
    let second = world.open();
    assert_eq!(diagnosis(&second).came, Came::Tab);
    second.close();
    stranger.close();
    let third = world.tab();
    third.load("/", OnLoad::Auto);
    assert_eq!(diagnosis(&third).came, Came::Redirect);
}

#[test]
fn r14_what_was_kept_is_told_from_what_was_asked_for() {
    let world = World::with(|config| config.storage = Some(StorageKind::Session));
    let page = world.signed_in("u1");
    page.load("/", OnLoad::Manual);
    page.expect_status(Status::Authenticated);
    assert_eq!(diagnosis(&page).came, Came::Storage);
}

#[test]
fn r14_who_leads_and_who_waits() {
    let world = World::new();
    let stranger = world.open();
    let told = diagnosis(&stranger);
    assert_eq!((told.part, told.stream), (Part::None, StreamState::Closed));
    stranger.close();
    let leader = world.signed_in("u1");
    let other = world.open();
    let (first, second) = (diagnosis(&leader), diagnosis(&other));
    assert_eq!((first.part, first.stream, first.opened), (Part::Leads, StreamState::Open, 1));
    assert_eq!((second.part, second.stream, second.opened), (Part::Waits, StreamState::Closed, 0));
    assert!(first.heard_ms.is_some() && second.heard_ms.is_none());
}

#[test]
fn r14_a_stream_that_breaks_is_opened_again_and_counted() {
    let world = World::new();
    let page = world.signed_in("u1");
    world.close_streams();
    world.advance(40);
    let told = diagnosis(&page);
    assert_eq!((told.stream, told.opened), (StreamState::Open, 2));
}

#[test]
fn r14_a_provider_without_session_events_has_no_stream() {
    let world = World::eventless();
    let page = world.signed_in("u1");
    assert_eq!(diagnosis(&page).stream, StreamState::Absent);
}

#[test]
fn r14_it_is_told_while_the_start_waits() {
    let world = World::new();
    let first = world.signed_in("u1");
    let page = world.tab();
    page.begin_load("/", OnLoad::Manual);
    page.expect_status(Status::Restoring);
    let id = page.begin(Command::Diagnose {});
    assert!(matches!(page.outcome(id), Some(Outcome::Diagnosis { .. })));
    drop(first);
}

#[test]
fn r14_the_last_ten_refusals_are_remembered() {
    let world = World::new();
    let page = world.open();
    assert!(diagnosis(&page).errors.is_empty());
    for _ in 0..12 {
        page.get_token();
        world.advance(1);
    }
    page.run(crate::world::page::sign_in_to("//evil.example"));
    let errors = diagnosis(&page).errors;
    assert_eq!(errors.len(), 10);
    let codes: Vec<_> = errors.iter().map(|error| error.code).collect();
    assert_eq!(codes[8..], ["not_signed_in", "return_to_refused"]);
    assert!(errors.windows(2).all(|pair| pair[0].at <= pair[1].at));
}

#[test]
fn r14_the_clock_is_told_once_it_is_known() {
    let world = World::new();
    let page = world.open();
    world.local_clock_jumps(-120_000);
    assert_eq!(diagnosis(&page).offset_ms, None);
    world.person_signs_in("u1");
    page.sign_in();
    let offset = diagnosis(&page).offset_ms.unwrap();
    assert!((119_000..=121_000).contains(&offset), "{offset}");
}

#[test]
fn r14_no_secret_and_no_name_is_in_it() {
    let world = World::new();
    let page = world.signed_in("u1");
    let mut writer = gatepass_core::json::Writer::default();
    diagnosis(&page).write(&mut writer);
    let text = writer.finish();
    let provider = world.provider();
    assert!(provider.secrets.len() > 2);
    for (kind, secret) in &provider.secrets {
        assert!(!text.contains(secret.as_str()), "a {kind} is in {text}");
    }
    for name in ["u1", &provider.sessions[0].sid, "eyJ"] {
        assert!(!text.contains(name), "{name} is in {text}");
    }
}

#[test]
fn r14_f17_what_the_browser_has_shown_of_the_ways_is_told() {
    let world = World::new();
    assert_eq!(diagnosis(&world.open()).noted, []);
    let key = format!("gatepass:1:{ISSUER}#{CLIENT}#rungs");
    for (words, noted) in [
        ("frame ", vec![Noted::Frame]),
        ("sees recall ", vec![Noted::Recall, Noted::Sees]),
        (
            "unseen redirect frame recall sees ",
            vec![Noted::Recall, Noted::Frame, Noted::Redirect, Noted::Sees, Noted::Unseen],
        ),
        ("frames, nonsense ", vec![]),
    ] {
        world.inside().storage.insert(key.clone(), words.into());
        assert_eq!(diagnosis(&world.open()).noted, noted, "{words}");
    }
}
