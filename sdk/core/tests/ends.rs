//! The end of a session as several tabs of one origin learn of it: told, or found written down.

use gatepass_core::{
    error::Code,
    wire::{Command, Ending, Mode, OnLoad, Outcome, Scope, Status},
};
use serde_json::{Value, json};

use crate::world::{CLIENT, Endpoint, ISSUER, World, page::sign_in_to};

#[test]
fn f7_a_sign_out_is_seen_by_the_other_tabs() {
    let world = World::new();
    let first = world.signed_in("richard");
    let second = world.open();
    let third = world.open();
    second.sign_out();
    for page in [&first, &third] {
        page.expect_status(Status::Anonymous);
        assert_eq!(page.cause(), Some(Ending::SignedOut));
        assert_eq!(page.token(), Err(Code::NotSignedIn));
    }
    assert_eq!(world.inside().open_streams(), 0);
}

#[test]
fn leaving_only_this_app_signs_all_its_tabs_out_and_goes_nowhere() {
    let world = World::new();
    let first = world.signed_in("richard");
    let second = world.open();
    let visits = world.visits();
    assert_eq!(second.leave_only_this_app(), Some(Outcome::Done {}));
    for page in [&first, &second] {
        page.expect_status(Status::Anonymous);
        assert_eq!(page.cause(), Some(Ending::SignedOutHere));
    }
    assert_eq!(world.visits(), visits);
    assert!(!world.provider().sessions[0].ended);
    // Nor does a reload of either bring it back, before somebody clicks.
    for page in [&second, &first] {
        page.load("/", OnLoad::Auto);
        page.expect_status(Status::Anonymous);
    }
    assert_eq!(world.visits(), visits);
    first.sign_in();
    for page in [&first, &second] {
        page.expect_status(Status::Authenticated);
    }
}

/// Until somebody signs in there again, in whichever tab.
#[test]
fn leaving_only_this_app_is_over_in_each_tab_with_the_next_sign_in() {
    let world = World::new();
    let first = world.signed_in("richard");
    let second = world.open();
    first.leave_only_this_app();
    world.advance(1);
    first.sign_in();
    second.expect_status(Status::Authenticated);
    first.close();
    second.load("/", OnLoad::Auto);
    second.expect_status(Status::Authenticated);
}

/// A page that comes back finds the end of its session written down, and pages after it went on.
#[test]
fn leaving_only_this_app_is_over_for_a_page_before_the_next_sign_in_too() {
    let world = World::new();
    let page = world.signed_in("richard");
    page.load("/next", OnLoad::Auto);
    page.expect_status(Status::Authenticated);
    page.leave_only_this_app();
    world.advance(1);
    // In a window: the page stays, and the one before it too.
    let mut window = sign_in_to("/");
    if let Command::SignIn { mode, .. } = &mut window {
        *mode = Some(Mode::Popup);
    }
    page.begin(window);
    world.settle();
    page.expect_status(Status::Authenticated);
    page.back();
    page.expect_status(Status::Anonymous);
    page.load("/", OnLoad::Auto);
    page.expect_status(Status::Authenticated);
}

/// The same, where another tab has signed in again.
#[test]
fn leaving_only_this_app_is_over_for_a_page_before_a_sign_in_elsewhere_too() {
    let world = World::new();
    let page = world.signed_in("richard");
    page.load("/next", OnLoad::Auto);
    page.expect_status(Status::Authenticated);
    let other = world.open();
    other.leave_only_this_app();
    world.advance(1);
    other.sign_in();
    page.expect_status(Status::Authenticated);
    other.close();
    page.back();
    page.expect_status(Status::Anonymous);
    page.load("/", OnLoad::Auto);
    page.expect_status(Status::Authenticated);
}

#[test]
fn what_failed_before_another_tab_signed_in_is_no_reason_afterwards() {
    let world = World::new();
    let (first, second) = (world.open(), world.tab());
    world.provider().next_callback(|parameters| {
        parameters.retain(|(name, _)| name != "code" && name != "error");
        parameters.push(("error".into(), "interaction_required".into()));
    });
    second.load("/", OnLoad::Auto);
    assert_eq!(second.code(), Some(Code::InteractionRequired));
    world.person_signs_in("richard");
    first.sign_in();
    second.expect_status(Status::Authenticated);
    second.sign_out();
    second.load("/", OnLoad::Auto);
    assert_eq!((second.status(), second.code()), (Status::Anonymous, None));
}

/// Nor is a click that was cancelled, once somebody has signed out.
#[test]
fn a_sign_out_is_no_failure() {
    let world = World::new();
    let page = world.open();
    page.sign_in();
    page.person_cancels();
    assert_eq!(page.code(), Some(Code::AccessDenied));
    page.leave_only_this_app();
    page.load("/", OnLoad::Auto);
    assert_eq!((page.status(), page.code()), (Status::Anonymous, None));
}

#[test]
fn leaving_only_this_app_counts_for_a_tab_that_slept() {
    let world = World::new();
    let first = world.signed_in("richard");
    let second = world.open();
    second.freeze();
    first.leave_only_this_app();
    second.thaw();
    second.load("/", OnLoad::Auto);
    second.expect_status(Status::Anonymous);
}

#[test]
fn f2_a_logout_token_reaches_the_tabs_without_a_stream() {
    let world = World::new();
    let first = world.signed_in("richard");
    let second = world.open();
    world.provider_ends_session();
    for page in [&first, &second] {
        page.expect_status(Status::Anonymous);
        assert_eq!(page.cause(), Some(Ending::LogoutToken));
    }
}

#[test]
fn a_session_announced_late_does_not_revive_one_that_ended() {
    let world = World::new();
    let first = world.signed_in("richard");
    let second = world.open();
    world.advance_with_heartbeat(290);
    first.token().unwrap();
    let announced = world.overheard("session").to_string();
    let before: Value = serde_json::from_str(&announced).unwrap();
    assert!(before["version"][0].as_i64().unwrap() > crate::world::BEGIN_MS);
    second.leave_only_this_app();
    world.say(&announced);
    first.expect_status(Status::Anonymous);
    second.expect_status(Status::Anonymous);
}

#[test]
fn an_ended_of_an_earlier_sign_in_does_not_end_a_later_one() {
    let world = World::new();
    let first = world.signed_in("richard");
    first.leave_only_this_app();
    let ended = world.overheard("ended").to_string();
    world.advance(1);
    // The provider's session is the same, so is `sid`.
    first.sign_in();
    first.expect_status(Status::Authenticated);
    world.say(&ended);
    first.expect_status(Status::Authenticated);
}

#[test]
fn rp24_a_page_that_missed_everything_shows_nothing_before_a_check() {
    let world = World::new();
    let first = world.signed_in("richard");
    let second = world.open();
    first.freeze();
    second.sign_out();
    world.hold(Endpoint::UserInfo);
    world.hold(Endpoint::Events);
    // Not even the mark of the sign-out is there.
    world.inside().storage.clear();
    first.thaw();
    first.expect_status(Status::Restoring);
    assert_eq!(first.session().claims, None);
    world.release();
    assert_ne!(first.status(), Status::Authenticated);
    assert_eq!(first.session().claims, None);
}

#[test]
fn rp24_a_page_that_missed_a_local_sign_out_does_not_show_the_session_again() {
    let world = World::new();
    let first = world.signed_in("richard");
    let second = world.open();
    first.freeze();
    second.leave_only_this_app();
    world.advance(7);
    first.thaw();
    first.expect_status(Status::Anonymous);
    assert_eq!(first.session().claims, None);
    assert_eq!(first.session().cause, second.session().cause, "why and when");
}

#[test]
fn f18_nothing_of_a_session_is_stored_for_the_origin_but_a_hint() {
    let world = World::new();
    let page = world.signed_in("richard");
    let stored = world.origin_storage();
    assert_eq!(stored.values().collect::<Vec<_>>(), ["1"]);
    page.sign_out();
    // Up to which moment what began is over, the chance name of the tab that says so, why and when.
    let stored = world.origin_storage();
    let keys: Vec<_> = stored.keys().collect();
    assert_eq!(keys, [&format!("gatepass:1:{ISSUER}#{CLIENT}#ended")]);
    let mark: Value = serde_json::from_str(stored.values().next().unwrap()).unwrap();
    assert_eq!(mark["began"][0], crate::world::BEGIN_MS + 1);
    assert_eq!(mark["began"][1].as_str().unwrap().len(), 12);
    let began = &mark["began"];
    let at = crate::world::BEGIN_MS / 1000;
    let all = json!({ "kind": "ended", "began": began, "cause": "signed_out", "at": at });
    assert_eq!(mark, all);
}

#[test]
fn a_sign_out_that_crosses_a_sign_in_leaves_the_new_session_and_its_hint() {
    let world = World::new();
    let first = world.signed_in("richard");
    let (second, third) = (world.open(), world.open());
    first.leave_only_this_app();
    let ended = world.overheard("ended").to_string();
    world.advance(1);
    world.person_signs_in("gavin");
    second.sign_in();
    // Only now the others hear of that sign-out, and what it has written arrives.
    let storage = |name: &str| format!("gatepass:1:{ISSUER}#{CLIENT}#{name}");
    world.inside().storage.remove(&storage("hint"));
    world.inside().storage.insert(storage("ended"), ended.clone());
    third.freeze();
    world.say(&ended);
    third.thaw();
    for page in [&second, &third, &first] {
        page.expect_status(Status::Authenticated);
        assert_eq!(page.claim("sub"), "gavin");
    }
    assert!(world.origin_storage().contains_key(&storage("hint")));
    // The mark of that end ends no later one either.
    third.freeze();
    third.thaw();
    third.expect_status(Status::Authenticated);
}

#[test]
fn a_sign_out_ends_a_sign_in_of_which_the_page_has_not_heard() {
    for scope in [Scope::Local, Scope::Global] {
        let world = World::new();
        let first = world.signed_in("richard");
        let (second, third) = (world.open(), world.open());
        first.hang();
        world.advance(1);
        second.sign_in();
        third.freeze();
        world.hold(Endpoint::Discovery);
        world.advance_ms(1);
        first.begin(Command::SignOut { scope });
        first.recover();
        world.settle();
        third.thaw();
        for page in [&first, &second, &third] {
            page.expect_status(Status::Anonymous);
            assert_eq!(page.token(), Err(Code::NotSignedIn));
        }
        // Nor does a page that opens now come back to it.
        let fourth = world.open();
        fourth.expect_status(Status::Anonymous);
    }
}

#[test]
fn a_mark_of_an_end_that_makes_no_sense_is_none() {
    let hello = r#"{"kind":"hello","began":[9007199254740991,"z"],"cause":"signed_out","at":1}"#;
    let early = r#"{"kind":"ended","began":[1,"z"],"cause":"signed_out","at":1}"#;
    for mark in ["", "1", "[]", "{}", hello, early, &hello.replace("hello", "ended")[..60]] {
        let world = World::new();
        let page = world.signed_in("richard");
        world.inside().storage.insert(format!("gatepass:1:{ISSUER}#{CLIENT}#ended"), mark.into());
        page.freeze();
        page.thaw();
        page.expect_status(Status::Authenticated);
    }
}

#[test]
fn whoever_had_a_session_says_once_that_it_is_over() {
    let world = World::new();
    let first = world.signed_in("richard");
    let others = [world.open(), world.open()];
    first.leave_only_this_app();
    for page in &others {
        page.expect_status(Status::Anonymous);
    }
    let browser = world.inside();
    let ended = browser.channel.iter().filter(|text| text.contains("\"ended\""));
    assert_eq!(ended.count(), 3);
}

#[test]
fn the_end_of_a_later_sign_in_is_the_end_of_what_it_had_replaced() {
    let world = World::new();
    let first = world.signed_in("richard");
    let began = world.overheard("session")["began"][0].as_i64().unwrap();
    let later = json!([began + 1, "x"]);
    let word = json!({
        "kind": "ended", "began": later, "sid": "another", "cause": "signed_out", "at": 1,
    });
    world.say(&word.to_string());
    first.expect_status(Status::Anonymous);
    // Whatever came of that, the next sign-in counts in all tabs.
    let second = world.open();
    second.sign_in();
    first.expect_status(Status::Authenticated);
}

#[test]
fn rp20_an_end_at_the_end_of_time_does_not_keep_the_tabs_from_agreeing() {
    let world = World::new();
    let (first, second) = (world.open(), world.open());
    let word = r#"{"kind":"ended","began":[9007199254740991,"x"],"cause":"signed_out","at":1}"#;
    world.say(word);
    let key = format!("gatepass:1:{ISSUER}#{CLIENT}");
    world.inside().storage.insert(format!("{key}#ended"), word.into());
    first.set_storage(&format!("{key}#memory"), r#"{"latest":9007199254740991}"#);
    first.load("/", OnLoad::Manual);
    world.person_signs_in("richard");
    first.sign_in();
    for page in [&first, &second] {
        page.expect_status(Status::Authenticated);
    }
    assert_eq!(first.token(), second.token());
}

#[test]
fn the_mark_of_a_later_end_is_kept_although_an_older_one_is_told_after_it() {
    let world = World::new();
    let first = world.signed_in("richard");
    let (second, third) = (world.open(), world.open());
    world.advance(1);
    // The first hears of nothing, and signs out of what it has.
    first.hang();
    second.sign_in();
    third.expect_status(Status::Authenticated);
    third.freeze();
    second.leave_only_this_app();
    let key = format!("gatepass:1:{ISSUER}#{CLIENT}#ended");
    let mark = world.origin_storage()[&key].clone();
    first.begin(Command::SignOut { scope: Scope::Local });
    assert_ne!(world.origin_storage()[&key], mark);
    first.recover();
    assert_eq!(world.origin_storage()[&key], mark);
    // Who slept all the while learns of it before anything is shown.
    world.hold(Endpoint::UserInfo);
    third.thaw();
    third.expect_status(Status::Anonymous);
}

#[test]
fn the_mark_of_a_later_end_is_put_back_by_whoever_knows_it() {
    let world = World::new();
    let page = world.signed_in("richard");
    page.leave_only_this_app();
    let key = format!("gatepass:1:{ISSUER}#{CLIENT}#ended");
    let mark = world.origin_storage()[&key].clone();
    let older = r#"{"kind":"ended","began":[1767225600000,"z"],"cause":"invalid_grant","at":1}"#;
    // Somebody who has heard of nothing says what it knows, and closes.
    let tell = || {
        world.inside().storage.insert(key.clone(), older.into());
        world.say(older);
        world.origin_storage()[&key].clone()
    };
    assert_eq!(tell(), mark);
    // Also one who has just opened.
    let second = world.open();
    page.close();
    assert_eq!(tell(), mark);
    // Also one who slept, and finds the older one.
    second.freeze();
    assert_ne!(tell(), mark);
    second.thaw();
    assert_eq!(world.origin_storage()[&key], mark);
    // But no later one is written over.
    let latest = mark.replace("1767225600001", "1767225700001");
    assert_ne!(latest, mark);
    world.inside().storage.insert(key.clone(), latest.clone());
    world.say(older);
    assert_eq!(world.origin_storage()[&key], latest);
    let mark = latest;
    // Also one who has a session again.
    world.advance(200);
    second.sign_in();
    assert_eq!(tell(), mark);
    second.expect_status(Status::Authenticated);
    // Whose end nobody has told it of: somebody wrote it down.
    let latest = mark.replace("1767225700001", "1767225800001");
    world.inside().storage.insert(key.clone(), latest.clone());
    world.say(older);
    assert_eq!(world.origin_storage()[&key], latest);
    second.expect_status(Status::Anonymous);
}

#[test]
fn a_page_that_slept_without_a_session_hears_what_ended_meanwhile() {
    let world = World::new();
    let first = world.open();
    first.freeze();
    let second = world.signed_in("richard");
    let session = world.overheard("session").to_string();
    second.leave_only_this_app();
    first.thaw();
    // Somebody who has not heard of the end tells of the session once more.
    world.say(&session);
    first.expect_status(Status::Anonymous);
}
