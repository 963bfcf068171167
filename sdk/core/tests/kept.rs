//! The session that is kept in storage: recalled by the next page, and by nobody else.

use gatepass_core::{
    config::StorageKind,
    error::Code,
    wire::{Ending, Failure, OnLoad, Scope, Signal, Status},
};
use serde_json::{Value, json};

use crate::world::{CLIENT, Endpoint, ISSUER, Page, Vault, World};

const KINDS: [StorageKind; 2] = [StorageKind::Session, StorageKind::Local];

fn world(storage: StorageKind) -> World {
    World::with(|config| config.storage = Some(storage))
}

fn key(what: &str) -> String {
    format!("gatepass:1:{ISSUER}#{CLIENT}#{what}")
}

/// What lies where this tab's session is kept.
fn record(page: &Page) -> Option<String> {
    let everywhere = [page.storage(), page.world.origin_storage()];
    everywhere.iter().find_map(|storage| storage.get(&key("kept")).cloned())
}

/// The page crashes: it tells nobody, and keeps nothing more. Some time later the tab is there again.
fn crash(page: &Page, seconds: i64) {
    page.close();
    page.world.advance(seconds);
}

/// Requests that a person would wait for: all but those of the stream.
fn asked(world: &World) -> usize {
    world.requests() - world.count(Endpoint::Events)
}

fn open(world: &World) -> Page {
    let page = world.tab();
    page.load("/", OnLoad::Manual);
    page
}

#[test]
fn a_start_ends_although_storage_answers_the_other_way_round() {
    for storage in KINDS {
        let world = world(storage);
        let mut provider = world.provider();
        provider.gives_refresh_token = false;
        for endpoint in ["userinfo_endpoint", "session_events_endpoint"] {
            provider.publishes_no(endpoint);
        }
        drop(provider);
        let page = world.signed_in("richard");
        world.advance(60);
        page.begin_load("/", OnLoad::Manual);
        world.inside().settle_backwards();
        page.expect_status(Status::Authenticated);
    }
}

#[test]
fn s10_a_reload_asks_nobody() {
    for storage in KINDS {
        let world = world(storage);
        let page = world.signed_in("richard");
        let token = page.token();
        world.advance_with_heartbeat(200);
        let (asked_before, visits) = (asked(&world), world.visits());
        page.load("/", OnLoad::Auto);
        page.expect_status(Status::Authenticated);
        assert_eq!(page.claim("sub"), "richard");
        assert_eq!(page.token(), token);
        assert_eq!((asked(&world), world.visits()), (asked_before, visits));
        assert_eq!(page.notices(), 2, "not known yet, then known");
        assert_eq!(world.inside().open_streams(), 1);
    }
}

#[test]
fn s10_in_memory_nothing_is_kept() {
    for storage in [None, Some(StorageKind::Memory)] {
        let world = World::with(|config| config.storage = storage);
        let page = world.signed_in("richard");
        assert_eq!(record(&page), None);
        assert_eq!(world.origin_storage().get(&key("mark")), None);
        page.load("/", OnLoad::Manual);
        page.expect_status(Status::Anonymous);
    }
}

#[test]
fn s13_what_is_kept_shows_no_token() {
    for storage in KINDS {
        let world = world(storage);
        let page = world.signed_in("richard");
        assert!(record(&page).is_some_and(|text| text.starts_with("sealed ")));
        world.advance_with_heartbeat(290);
        page.token().unwrap();
        // Whatever else is stored is looked at by the world's rules.
        let secrets = world.provider().secrets.clone();
        for storage in [page.storage(), world.origin_storage()] {
            for (kind, secret) in secrets.iter().filter(|(kind, _)| *kind != "state") {
                let found = storage.values().any(|value| value.contains(secret.as_str()));
                assert!(!found || matches!(*kind, "nonce" | "verifier"), "{kind}");
            }
        }
    }
}

#[test]
fn f12_local_outlives_the_browser_and_session_does_not() {
    for (storage, status) in
        [(StorageKind::Session, Status::Anonymous), (StorageKind::Local, Status::Authenticated)]
    {
        let world = world(storage);
        crash(&world.signed_in("richard"), 60);
        // Whatever tab is opened next.
        let page = open(&world);
        page.expect_status(status);
        assert_eq!(world.visits(), 1);
    }
}

#[test]
fn f12_what_was_kept_longer_ago_is_shown_when_the_provider_says_that_it_stands() {
    let world = world(StorageKind::Local);
    crash(&world.signed_in("richard"), 60);
    world.hold(Endpoint::UserInfo);
    world.hold(Endpoint::Events);
    let page = open(&world);
    page.expect_status(Status::Restoring);
    assert_eq!(page.session().claims, None);
    world.release();
    page.expect_status(Status::Authenticated);
    assert_eq!(world.count(Endpoint::UserInfo), 1);
    assert_eq!(world.refreshes(), 0);
}

#[test]
fn f12_on_monday_one_refresh_brings_the_session_back() {
    let world = world(StorageKind::Local);
    crash(&world.signed_in("richard"), 60 * 3600);
    let page = open(&world);
    page.expect_status(Status::Authenticated);
    assert_eq!((world.refreshes(), world.count(Endpoint::UserInfo)), (1, 0));
    // And the next page needs no further one.
    page.load("/", OnLoad::Manual);
    page.expect_status(Status::Authenticated);
    assert_eq!(world.refreshes(), 1);
}

#[test]
fn f11_a_session_that_ended_meanwhile_is_never_shown() {
    for hours in [0, 60] {
        let world = world(StorageKind::Local);
        crash(&world.signed_in("richard"), 60 + hours * 3600);
        world.inside().provider.end_sso(0);
        // Nor by a provider that says nothing of it but to who asks.
        world.hold(Endpoint::Events);
        let page = open(&world);
        page.expect_status(Status::Expired);
        assert_eq!(page.cause(), Some(Ending::InvalidGrant));
        assert!(
            page.world
                .inside()
                .documents
                .values()
                .all(|page| { page.sessions.iter().all(|session| session.claims.is_none()) })
        );
        assert_eq!(record(&page), None);
    }
}

#[test]
fn f11_a_lifetime_that_is_over_ends_what_was_kept() {
    let world = World::with(|config| {
        config.storage = Some(StorageKind::Local);
        config.session_lifetime = Some(600);
    });
    crash(&world.signed_in("richard"), 601);
    let page = open(&world);
    page.expect_status(Status::Expired);
    assert_eq!(page.cause(), Some(Ending::Lifetime));
    assert_eq!((record(&page), world.refreshes()), (None, 0));
}

#[test]
fn f11_without_the_provider_what_was_kept_is_held_offline() {
    let world = world(StorageKind::Local);
    crash(&world.signed_in("richard"), 60);
    world.provider().is_down = true;
    let page = open(&world);
    page.expect_status(Status::Offline);
    assert_eq!(page.claim("sub"), "richard");
    assert!(record(&page).is_some());
    world.provider().is_down = false;
    page.signal(Signal::Online {});
    page.expect_status(Status::Authenticated);
}

/// Shown at once, because the provider said a moment ago that it stands; and nothing hides that it
/// cannot be asked now.
#[test]
fn f11_without_the_provider_what_was_confirmed_a_moment_ago_is_offline_too() {
    for storage in KINDS {
        let world = world(storage);
        let page = world.signed_in("richard");
        world.advance(10);
        world.provider().is_down = true;
        page.load("/", OnLoad::Manual);
        world.advance(10);
        page.expect_status(Status::Offline);
        assert_eq!(page.claim("sub"), "richard");
        assert_eq!(page.code(), Some(Code::IssuerUnreachable));
        world.provider().is_down = false;
        world.advance(31);
        page.expect_status(Status::Authenticated);
        assert_eq!(page.code(), None);
    }
}

#[test]
fn f7_whatever_ends_the_session_erases_what_was_kept() {
    type End = fn(&World, &Page);
    let endings: [(&str, End); 5] = [
        ("sign-out", |_, page| drop(page.sign_out())),
        ("leaving only this app", |_, page| drop(page.leave_only_this_app())),
        ("logout token", |world, _| world.provider_ends_session()),
        ("invalid_grant", |world, page| {
            world.inside().provider.end_sso(0);
            page.check();
        }),
        ("lifetime", |world, _| world.advance_with_heartbeat(3000)),
    ];
    for storage in KINDS {
        for (name, end) in endings {
            let world = World::with(|config| {
                config.storage = Some(storage);
                config.session_lifetime = Some(3000);
            });
            let page = world.signed_in("richard");
            let other = world.open();
            for page in [&page, &other] {
                page.expect_status(Status::Authenticated);
                assert!(record(page).is_some(), "{name}");
            }
            end(&world, &page);
            for page in [&page, &other] {
                assert_eq!(record(page), None, "{name}");
            }
            other.load("/", OnLoad::Manual);
            assert!(!other.is_signed_in(), "{name}");
        }
    }
}

#[test]
fn f7_a_tab_that_was_gone_does_not_bring_an_ended_session_back() {
    let world = world(StorageKind::Session);
    let page = world.signed_in("richard");
    let other = world.open();
    // The browser throws the other tab's page away; its storage stays.
    other.close();
    page.leave_only_this_app();
    assert!(record(&other).is_some());
    other.load("/", OnLoad::Manual);
    other.expect_status(Status::Anonymous);
    assert_eq!(record(&other), None);
}

#[test]
fn f7_what_is_being_written_is_not_written_after_the_end() {
    for storage in KINDS {
        let world = world(storage);
        world.inside().vault = Vault::Slow;
        let page = world.signed_in("richard");
        page.leave_only_this_app();
        world.inside().finish_sealing();
        world.settle();
        assert_eq!(record(&page), None);
    }
}

#[test]
fn f7_a_sign_out_erases_what_an_earlier_version_of_the_app_kept() {
    for storage in KINDS {
        let world = world(storage);
        let page = world.signed_in("richard");
        world.inside().config.storage = None;
        page.load("/", OnLoad::Manual);
        page.expect_status(Status::Anonymous);
        assert!(record(&page).is_some());
        page.run(gatepass_core::wire::Command::SignOut { scope: Scope::Local });
        assert_eq!(record(&page), None);
    }
}

#[test]
fn s7_an_answer_that_nobody_is_signed_in_erases_what_was_kept() {
    let world = world(StorageKind::Session);
    let page = world.signed_in("richard");
    world.provider().next_callback(|p| p[0] = ("error".into(), "login_required".into()));
    page.sign_in();
    page.expect_refused(Code::LoginRequired);
    assert_eq!(record(&page), None);
}

#[test]
fn r5_another_person_takes_the_place_of_the_one_before() {
    for storage in KINDS {
        let world = world(storage);
        let page = world.signed_in("richard");
        world.person_signs_in("dinesh");
        page.sign_in();
        assert_eq!(page.claim("sub"), "dinesh");
        page.load("/", OnLoad::Manual);
        assert_eq!(page.claim("sub"), "dinesh");
    }
}

#[test]
fn rp17_a_copy_that_is_older_than_what_another_tab_had_is_not_used() {
    let world = world(StorageKind::Session);
    let first = world.signed_in("richard");
    // A duplicated tab: its storage is a copy.
    let copy = world.tab();
    let storage = first.storage();
    world.inside().tabs[copy.tab].storage = storage;
    let before = asked(&world);
    copy.load("/", OnLoad::Manual);
    copy.expect_status(Status::Authenticated);
    assert_eq!(asked(&world), before, "the first tab has told it");
    // Its page is thrown away; the first tab refreshes, and closes.
    crash(&copy, 0);
    world.advance_with_heartbeat(290);
    first.token().unwrap();
    assert_eq!(world.refreshes(), 1);
    crash(&first, 60);
    copy.load("/", OnLoad::Manual);
    copy.expect_status(Status::Anonymous);
    assert_eq!(copy.code(), None);
    assert_eq!(world.refreshes(), 1, "a token that is sent twice ends the session for all");
    // The first tab, opened anew, has the latest.
    first.load("/", OnLoad::Manual);
    first.expect_status(Status::Authenticated);
}

#[test]
fn rp17_a_page_that_slept_takes_what_a_later_one_has_kept() {
    for storage in KINDS {
        let world = world(storage);
        let page = world.signed_in("richard");
        // The next page of the tab; the first one sleeps in the cache.
        page.load("/", OnLoad::Manual);
        world.advance_with_heartbeat(290);
        let fresh = page.token().unwrap();
        assert_eq!(world.refreshes(), 1);
        page.back();
        page.expect_status(Status::Authenticated);
        assert_eq!(page.token(), Ok(fresh));
        assert_eq!(world.refreshes(), 1);
    }
}

#[test]
fn rp17_a_rotated_token_counts_from_when_it_came() {
    for storage in KINDS {
        let world = world(storage);
        let page = world.signed_in("richard");
        world.inside().vault = Vault::Slow;
        world.advance_with_heartbeat(290);
        page.token().unwrap();
        // The page is gone before the new token was written: the old one is not sent again.
        crash(&page, 0);
        world.inside().vault = Vault::Works;
        page.load("/", OnLoad::Manual);
        page.expect_status(Status::Anonymous);
        assert_eq!(world.refreshes(), 1);
    }
}

#[test]
fn rp17_ten_tabs_of_a_restored_browser_refresh_once() {
    let world = world(StorageKind::Local);
    crash(&world.signed_in("richard"), 7200);
    let tabs: Vec<_> = (0..10).map(|_| world.tab()).collect();
    for page in &tabs {
        page.begin_load("/", OnLoad::Manual);
    }
    world.settle();
    for page in &tabs {
        page.expect_status(Status::Authenticated);
    }
    assert_eq!((world.refreshes(), world.count(Endpoint::UserInfo)), (1, 0));
}

#[test]
fn rp17_ten_tabs_of_a_restored_browser_hear_that_the_session_is_over() {
    let world = world(StorageKind::Local);
    crash(&world.signed_in("richard"), 7200);
    world.inside().provider.end_sso(0);
    let tabs: Vec<_> = (0..10).map(|_| world.tab()).collect();
    for page in &tabs {
        page.begin_load("/", OnLoad::Manual);
    }
    world.settle();
    world.advance_ms(300);
    for page in &tabs {
        assert!(!page.is_signed_in() && page.status() != Status::Restoring);
    }
    // The stream said so, and nobody had to find it out.
    assert_eq!(world.refreshes(), 0);
}

#[test]
fn s7_storage_that_fails_is_the_next_rung_and_no_error() {
    type Break = fn(&World, &Page);
    let faults: [(&str, Break); 8] = [
        ("no IndexedDB", |world, _| world.inside().vault = Vault::Missing),
        ("IndexedDB hangs", |world, _| world.inside().vault = Vault::Hangs),
        ("the key is gone", |world, _| world.inside().vault_key += 1),
        ("garbled", |world, page| put(world, page, "kept", "sealed 1 !".into())),
        ("no session", |world, page| {
            let sealed = world.inside().seal("{\"kind\":\"hello\"}");
            put(world, page, "kept", sealed);
        }),
        ("another format", |world, page| {
            let sealed = world.inside().seal("[]");
            put(world, page, "kept", sealed);
        }),
        ("a mark that is none", |world, page| put(world, page, "mark", "{}".into())),
        ("cleared", |world, page| {
            world.inside().storage.clear();
            world.inside().tabs[page.tab].storage.clear();
        }),
    ];
    for storage in KINDS {
        for (name, fault) in faults {
            let world = world(storage);
            let page = world.signed_in("richard");
            page.close();
            fault(&world, &page);
            page.load("/", OnLoad::Manual);
            page.expect_status(Status::Anonymous);
            assert_eq!(page.code(), None, "{name}");
            // One redirect brings a session, also if that can be kept no better.
            page.load("/", OnLoad::Auto);
            page.expect_status(Status::Authenticated);
            assert_eq!(world.visits(), 2, "{name}");
        }
    }
}

/// Puts a text where this tab's session is kept, or beside that.
fn put(world: &World, page: &Page, what: &str, text: String) {
    let mut browser = world.inside();
    if browser.config.storage == Some(StorageKind::Session) && what == "kept" {
        browser.tabs[page.tab].storage.insert(key(what), text);
    } else {
        browser.storage.insert(key(what), text);
    }
}

#[test]
fn s7_full_or_blocked_storage_keeps_nobody_from_signing_in() {
    for storage in KINDS {
        let world = world(storage);
        world.inside().vault = Vault::Full;
        let page = world.signed_in("richard");
        assert_eq!((page.code(), record(&page)), (None, None));
        page.load("/", OnLoad::Hint);
        page.expect_status(Status::Authenticated);
        assert_eq!(world.visits(), 2);
    }
}

/// What lies in storage, opened, changed and sealed again.
fn amend(world: &World, page: &Page, change: impl FnOnce(&mut Value)) {
    let text = record(page).unwrap();
    let sealed = text.strip_prefix("sealed 1 ").unwrap();
    let opened = gatepass_core::base64url::decode(sealed).unwrap();
    let mut session = serde_json::from_slice(&opened).unwrap();
    change(&mut session);
    let sealed = world.inside().seal(&session.to_string());
    put(world, page, "kept", sealed);
}

#[test]
fn s13_the_id_token_is_verified_again() {
    type Change = fn(&mut Value);
    let lies: [(&str, Change); 4] = [
        ("no token", |session| session["id_token"] = json!("a.b.c")),
        ("another signature", |session| {
            let token = session["id_token"].as_str().unwrap();
            let (signed, _) = token.rsplit_once('.').unwrap();
            session["id_token"] = json!(format!("{signed}.AAAA"));
        }),
        ("another access token", |session| session["access_token"] = json!("another")),
        ("accepted before it was issued", |session| session["accepted_at"] = json!(0)),
    ];
    for storage in KINDS {
        for (name, lie) in lies {
            let world = world(storage);
            let page = world.signed_in("richard");
            page.close();
            amend(&world, &page, lie);
            page.load("/", OnLoad::Manual);
            assert_eq!((page.status(), page.code()), (Status::Anonymous, None), "{name}");
        }
    }
}

#[test]
fn s13_without_crypto_nothing_that_was_kept_is_believed() {
    let world = world(StorageKind::Local);
    let page = world.signed_in("richard");
    page.close();
    world.inside().crypto_missing = true;
    page.load("/", OnLoad::Manual);
    assert_eq!((page.status(), page.code()), (Status::Anonymous, None));
}

#[test]
fn f11_an_access_token_alone_is_no_use_once_it_has_expired() {
    let world = world(StorageKind::Local);
    world.provider().gives_refresh_token = false;
    let page = world.signed_in("richard");
    page.load("/", OnLoad::Manual);
    page.expect_status(Status::Authenticated);
    crash(&page, 301);
    // The person may still be signed in: nothing ends, and the next rung asks.
    page.load("/", OnLoad::Hint);
    page.expect_status(Status::Authenticated);
    assert_eq!(world.visits(), 2);
}

#[test]
fn f11_a_provider_without_a_stream_is_asked_after_half_a_minute() {
    let world = world(StorageKind::Session);
    world.provider().publishes_no("session_events_endpoint");
    let page = world.signed_in("richard");
    world.advance(29);
    page.load("/", OnLoad::Manual);
    page.expect_status(Status::Authenticated);
    assert_eq!(world.count(Endpoint::UserInfo), 0);
    world.advance(1);
    world.hold(Endpoint::UserInfo);
    page.load("/", OnLoad::Manual);
    page.expect_status(Status::Restoring);
    // What the app asks for meanwhile waits for the answer.
    let asked = page.begin(crate::world::page::get_token());
    world.settle();
    assert_eq!(page.outcome(asked), None);
    world.release();
    page.expect_status(Status::Authenticated);
    assert!(page.outcome(asked).is_some());
}

#[test]
fn bug_a_clock_set_back_makes_nothing_recent() {
    let world = world(StorageKind::Session);
    let page = world.signed_in("richard");
    page.close();
    world.local_clock_jumps(-100_000);
    world.hold(Endpoint::UserInfo);
    page.load("/", OnLoad::Manual);
    page.expect_status(Status::Restoring);
    world.release();
    page.expect_status(Status::Authenticated);
}

#[test]
fn s7_another_tab_that_answers_late_is_taken_too() {
    let world = world(StorageKind::Local);
    let first = world.signed_in("richard");
    first.hang();
    let second = open(&world);
    second.expect_status(Status::Restoring);
    world.advance_ms(300);
    // The one that leads says nothing: what was kept counts.
    second.expect_status(Status::Authenticated);
    first.recover();
    first.expect_status(Status::Authenticated);
    assert_eq!(first.token(), second.token());
    world.provider().once(Endpoint::UserInfo, |reply| reply.fail(Failure::Network));
    second.sign_out();
    assert!(!first.is_signed_in());
}

/// What another page has written down of its stream is no stream of this one's.
#[test]
fn a_page_whose_stream_is_gone_asks_as_one_that_never_had_any() {
    let world = World::with(|config| config.storage = Some(StorageKind::Local));
    let page = world.signed_in("richard");
    world.advance_with_heartbeat(290);
    page.token().unwrap();
    world.heartbeat();
    assert_eq!(world.refreshes(), 1);
    world.provider().publishes_no("session_events_endpoint");
    page.close();
    // Its metadata is a day old.
    world.advance(86_500);
    let page = world.open();
    page.expect_status(Status::Authenticated);
    let (from, refreshes) = (page.notices(), world.refreshes());
    page.look();
    world.advance(700);
    assert!(!page.statuses_since(from).contains(&Status::Restoring));
    assert!(world.refreshes() >= refreshes + 2, "{}", world.refreshes() - refreshes);
}
