//! What every store must do, tried on the one in memory.

use std::collections::BTreeMap;

use super::memory::Limits;
use super::{
    Code, Grant, MemoryStore, Parked, Redemption, Rotation, SsoSession, Store, StoreFull, Times,
};
use crate::clock::{Seconds, UnixTime};
use crate::params::Params;
use crate::secret::Digest;

const NOW: UnixTime = UnixTime::from_seconds(1000);
const LATER: UnixTime = UnixTime::from_seconds(2000);

fn store() -> MemoryStore {
    MemoryStore::with(Limits { parked: 2, sessions: 2, grants: 3, codes: 2, ended: 2 })
}

fn session(id: &str) -> SsoSession {
    SsoSession {
        id: id.to_owned(),
        cookie: Digest::of(id.as_bytes()),
        silent_cookie: Digest::of(format!("silent {id}").as_bytes()),
        browser_state: "state".to_owned(),
        has_browser: true,
        is_kept: false,
        user: "richard".to_owned(),
        started: NOW,
        auth_time: NOW,
        last_seen: NOW,
        acr: "1".into(),
        amr: vec!["pwd"],
        joined: BTreeMap::from([("app".to_owned(), format!("sid-of-{id}"))]),
    }
}

fn grant(id: &str, is_offline: bool) -> Grant {
    Grant {
        id: id.to_owned(),
        client_id: "app".to_owned(),
        session: "s".to_owned(),
        sid: "sid".to_owned(),
        user: "richard".to_owned(),
        scopes: vec!["openid".to_owned()],
        auth_time: NOW,
        acr: "1".into(),
        amr: vec!["pwd"],
        is_offline,
        refresh_serial: 1,
        rotated_at: None,
        expires: LATER,
        is_revoked: false,
    }
}

fn code(grant: &str) -> Code {
    Code {
        grant: grant.to_owned(),
        client_id: "app".to_owned(),
        redirect_uri: "http://app.localhost/".to_owned(),
        code_challenge: String::new(),
        nonce: None,
        expires: LATER,
    }
}

fn parked() -> Parked {
    Parked::Authorize(Params::default())
}

#[test]
fn op5_code_is_taken_once_and_then_names_what_it_gave() {
    let (store, digest) = (store(), Digest::of(b"code"));
    store.insert_code(digest, code("g"));
    assert!(matches!(store.redeem_code(&digest), Redemption::First(code) if code.grant == "g"));
    for _ in 0..2 {
        assert!(matches!(store.redeem_code(&digest), Redemption::Replayed(grant) if grant == "g"));
    }
    assert!(matches!(store.redeem_code(&Digest::of(b"other")), Redemption::Unknown));
}

/// Without a grace.
fn at(now: UnixTime) -> Times {
    Times { now, grace: Seconds(0), expires: LATER }
}

#[test]
fn op6_only_the_current_serial_rotates() {
    let store = store();
    store.insert_grant(grant("g", false), NOW);
    assert!(matches!(store.rotate("g", 0, at(NOW)), Rotation::Reused));
    let Rotation::Rotated(rotated) = store.rotate("g", 1, at(NOW)) else { panic!() };
    assert_eq!(rotated.refresh_serial, 2);
    assert!(matches!(store.rotate("g", 1, at(NOW)), Rotation::Reused));
    assert!(matches!(store.rotate("g", 2, at(LATER)), Rotation::Gone), "expired");
    assert!(store.revoke_grant("g").is_some());
    assert!(store.revoke_grant("g").is_none(), "revoked once only");
    assert!(matches!(store.rotate("g", 2, at(NOW)), Rotation::Gone));
    assert!(matches!(store.rotate("unknown", 1, at(NOW)), Rotation::Gone));
}

#[test]
fn op6_with_a_grace_the_one_before_rotates_for_that_long() {
    let store = store();
    store.insert_grant(grant("g", false), NOW);
    let after = |seconds: u32| Times {
        now: NOW.plus(Seconds(seconds)),
        grace: Seconds(10),
        expires: LATER,
    };
    assert!(matches!(store.rotate("g", 0, after(0)), Rotation::Reused), "nothing has been rotated");
    assert!(matches!(store.rotate("g", 1, after(0)), Rotation::Rotated(_)));
    // The answer was lost, and the next one too.
    for seconds in [4, 9] {
        let Rotation::Rotated(again) = store.rotate("g", 1, after(seconds)) else { panic!() };
        assert_eq!(again.refresh_serial, 2, "the token that was lost");
    }
    assert!(matches!(store.rotate("g", 1, after(10)), Rotation::Reused), "too late");
    assert!(matches!(store.rotate("g", 2, after(10)), Rotation::Rotated(_)));
    assert!(matches!(store.rotate("g", 1, after(11)), Rotation::Reused), "two before");
}

#[test]
fn end_of_a_session_revokes_all_but_offline_grants() {
    let store = store();
    store.insert_grant(grant("a", false), NOW);
    store.insert_grant(grant("b", true), NOW);
    let mut other = grant("c", false);
    other.session = "another".to_owned();
    store.insert_grant(other, NOW);
    let revoked = store.revoke_grants_of_session("s", &|_| true);
    assert_eq!(revoked.iter().map(|grant| &*grant.id).collect::<Vec<_>>(), ["a"]);
    assert!(!store.grant("b").unwrap().is_revoked);
    assert!(!store.grant("c").unwrap().is_revoked);
}

#[test]
fn session_ends_once_and_is_remembered_by_sid() {
    let store = store();
    store.insert_session(session("s")).unwrap();
    assert!(store.end_session("s", LATER).is_some());
    assert!(store.end_session("s", LATER).is_none());
    assert!(store.session("s").is_none());
    assert!(store.update_session("s", &mut |_| ()).is_none());
    assert_eq!(store.ended_session("app", "sid-of-s").unwrap().at, LATER);
    assert!(store.ended_session("other", "sid-of-s").is_none());
}

#[test]
fn session_is_found_by_its_newest_cookie_only() {
    let store = store();
    store.insert_session(session("s")).unwrap();
    let (old, new) = (Digest::of(b"s"), Digest::of(b"new"));
    store.update_session("s", &mut |session| session.cookie = new).unwrap();
    assert!(store.session_by_cookie(&old).is_none());
    assert_eq!(store.session_by_cookie(&new).unwrap().id, "s");
    // Neither cookie stands for the other.
    let silent = Digest::of(b"silent s");
    assert_eq!(store.session_by_silent_cookie(&silent).unwrap().id, "s");
    assert!(store.session_by_silent_cookie(&new).is_none());
    assert!(store.session_by_cookie(&silent).is_none());
}

#[test]
fn op29_everything_is_bounded() {
    let store = store();
    store.insert_session(session("a")).unwrap();
    store.insert_session(session("b")).unwrap();
    assert_eq!(store.insert_session(session("c")), Err(StoreFull), "nobody is signed out for it");
    for n in 0_u8..5 {
        store.park(Digest::of(&[n]), parked(), LATER);
        store.insert_code(Digest::of(&[n]), code("g"));
        store.insert_grant(grant(&n.to_string(), false), NOW);
    }
    assert!(store.parked(&Digest::of(&[2]), NOW).is_none());
    assert!(store.parked(&Digest::of(&[4]), NOW).is_some());
    assert!(matches!(store.redeem_code(&Digest::of(&[2])), Redemption::Unknown));
    assert!(store.grant("1").is_none() && store.grant("4").is_some());
}

#[test]
fn op29_expired_and_revoked_grants_make_room_first() {
    let store = store();
    store.insert_grant(grant("old but good", false), NOW);
    let mut expired = grant("expired", false);
    expired.expires = NOW;
    store.insert_grant(expired, NOW);
    store.insert_grant(grant("revoked", false), NOW);
    store.revoke_grant("revoked");
    store.insert_grant(grant("new", false), NOW);
    assert!(store.grant("old but good").is_some());
    assert!(store.grant("expired").is_none() && store.grant("revoked").is_none());
}

#[test]
fn parked_request_ends_on_time_and_is_taken_once() {
    let (store, id) = (store(), Digest::of(b"r"));
    store.park(id, parked(), LATER);
    assert!(store.parked(&id, UnixTime::from_millis(1_999_999)).is_some());
    assert!(store.parked(&id, LATER).is_none());
    assert!(store.unpark(&id, NOW).is_some());
    assert!(store.unpark(&id, NOW).is_none());
    // What is gone does not come back.
    store.repark(&id, parked());
    assert!(store.parked(&id, NOW).is_none());
}
