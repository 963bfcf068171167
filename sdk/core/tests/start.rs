//! The start of a page: the ladder, cheapest rung first.

use gatepass_core::{
    error::Code,
    wire::{Command, Ending, OnLoad, Outcome, Scope, Signal, Status},
};

use serde_json::json;

use crate::world::{APP, CLIENT, Endpoint, ISSUER, Page, World, page::sign_in_to, provider::Visit};

fn hint() -> String {
    format!("gatepass:1:{ISSUER}#{CLIENT}#hint")
}

fn load(world: &World, on_load: OnLoad) -> Page {
    let page = world.tab();
    page.load("/place?a=b#c", on_load);
    page
}

#[test]
fn s1_a_check_signs_in_without_a_click_if_the_provider_knows_the_person() {
    let world = World::new();
    world.person_signs_in("richard");
    let page = load(&world, OnLoad::Auto);
    page.expect_status(Status::Authenticated);
    assert_eq!(world.visits(), 1);
    let asked = world.last_visit();
    assert_eq!(asked["prompt"], "none");
    // The person is brought back to where they were.
    let state = crate::world::parameters(&page.loaded())["state"].clone();
    assert_eq!(page.storage()[&format!("gatepass:1:return:{state}")], "/place?a=b#c");
}

#[test]
fn s2_a_check_that_finds_nobody_is_no_fault_and_is_not_repeated() {
    let world = World::new();
    let page = load(&world, OnLoad::Auto);
    page.expect_status(Status::Anonymous);
    assert_eq!(page.code(), None);
    assert_eq!(world.visits(), 1);
    for _ in 0..3 {
        page.load("/", OnLoad::Auto);
        page.expect_status(Status::Anonymous);
        assert_eq!(page.code(), None);
    }
    assert_eq!(world.visits(), 1, "the marker stops automatic checks in this tab");
    page.sign_in();
    page.person_enters("richard");
    page.load("/", OnLoad::Auto);
    page.expect_status(Status::Authenticated);
    assert_eq!(world.visits(), 3, "a click opens the way again");
}

#[test]
fn other_answers_to_a_check_are_faults_and_not_repeated() {
    for (error, code) in [
        ("interaction_required", Code::InteractionRequired),
        ("consent_required", Code::ConsentRequired),
        ("account_selection_required", Code::AccountSelectionRequired),
        ("access_denied", Code::AccessDenied),
        ("server_error", Code::ProviderError),
    ] {
        let world = World::new();
        world.provider().next_callback(move |p| p[0].1 = error.into());
        let page = load(&world, OnLoad::Auto);
        page.expect_refused(code);
        page.load("/", OnLoad::Auto);
        assert_eq!(world.visits(), 1);
    }
}

#[test]
fn s10_without_a_hint_nothing_is_asked() {
    let world = World::new();
    world.person_signs_in("richard");
    let page = load(&world, OnLoad::Hint);
    page.expect_status(Status::Anonymous);
    assert_eq!((world.visits(), world.requests()), (0, 0));
}

#[test]
fn s10_with_a_hint_it_is_asked_once() {
    let world = World::new();
    let page = world.signed_in("richard");
    assert_eq!(world.origin_storage().get(&hint()).map(String::as_str), Some("1"));
    page.load("/", OnLoad::Hint);
    page.expect_status(Status::Authenticated);
    assert_eq!(world.visits(), 2);
    // The provider's session ends while the page is closed.
    page.close();
    world.inside().provider.end_sso(0);
    let page = load(&world, OnLoad::Hint);
    page.expect_status(Status::Anonymous);
    assert_eq!(world.visits(), 3);
    assert_eq!(world.origin_storage().get(&hint()), None, "the hint was wrong");
    let page = load(&world, OnLoad::Hint);
    page.expect_status(Status::Anonymous);
    assert_eq!(world.visits(), 3);
}

#[test]
fn none_never_redirects() {
    let world = World::new();
    let page = world.signed_in("richard");
    page.load("/", OnLoad::Manual);
    page.expect_status(Status::Anonymous);
    assert_eq!(world.visits(), 1);
}

#[test]
fn the_other_tabs_come_before_a_redirect() {
    let world = World::new();
    world.signed_in("richard");
    for on_load in [OnLoad::Auto, OnLoad::Hint, OnLoad::Manual] {
        load(&world, on_load).expect_status(Status::Authenticated);
    }
    assert_eq!(world.visits(), 1);
}

#[test]
fn a_page_whose_neighbour_says_nothing_goes_on_after_300_ms() {
    let world = World::new();
    let first = world.signed_in("richard");
    first.hang();
    let second = load(&world, OnLoad::Manual);
    second.expect_status(Status::Restoring);
    world.advance_ms(299);
    second.expect_status(Status::Restoring);
    world.advance_ms(1);
    second.expect_status(Status::Anonymous);
}

#[test]
fn the_breaker_counts_whatever_the_providers_clock_says() {
    for offset in [-86_400_000, 86_400_000] {
        let world = World::with(|config| config.dangerously_follow_provider_clock = Some(true));
        world.provider().clock_offset_ms = offset;
        let page = world.signed_in("richard");
        for _ in 0..12 {
            page.load("/", OnLoad::Auto);
            world.advance(1);
        }
        assert_eq!(page.code(), Some(Code::RedirectLoop));
        assert_eq!(world.visits(), 10);
    }
}

#[test]
fn with_storage_blocked_nothing_redirects_by_itself() {
    let world = World::new();
    world.person_signs_in("richard");
    world.inside().storage_blocked = true;
    for on_load in [OnLoad::Auto, OnLoad::Hint] {
        let page = load(&world, on_load);
        page.expect_status(Status::Anonymous);
    }
    assert_eq!((world.visits(), world.requests()), (0, 0));
}

#[test]
fn with_the_origins_storage_blocked_a_sign_in_still_works() {
    let world = World::new();
    world.inside().origin_storage_blocked = true;
    let page = world.signed_in("richard");
    page.load("/", OnLoad::Hint);
    page.expect_status(Status::Anonymous);
    page.load("/", OnLoad::Auto);
    page.expect_status(Status::Authenticated);
}

#[test]
fn a_provider_down_at_the_start_is_offline_until_it_is_back() {
    let world = World::new();
    world.provider().is_down = true;
    let page = load(&world, OnLoad::Auto);
    page.expect_status(Status::Offline);
    assert_eq!(page.code(), Some(Code::IssuerUnreachable));
    assert!(page.is_here(), "the page was not left");
    world.advance(60);
    page.expect_status(Status::Offline);
    let tries = world.count(Endpoint::Discovery);
    assert!((5..=20).contains(&tries), "it tries soon, and then less often: {tries}");
    world.provider().is_down = false;
    world.advance(30);
    page.expect_status(Status::Anonymous);
    assert_eq!(page.code(), None);
    assert_eq!(world.visits(), 0, "nothing redirects now: that would surprise");
    assert_eq!(page.wake_in(), None);
}

#[test]
fn a_provider_down_at_the_start_is_tried_when_the_network_is_back() {
    for signal in [Signal::Online {}, Signal::Shown {}] {
        let world = World::new();
        world.provider().is_down = true;
        let page = load(&world, OnLoad::Auto);
        world.provider().is_down = false;
        page.signal(signal);
        page.expect_status(Status::Anonymous);
    }
}

#[test]
fn a_page_frozen_while_it_waits_for_the_provider_goes_on_when_thawed() {
    let world = World::new();
    world.hold(Endpoint::Discovery);
    let page = load(&world, OnLoad::Auto);
    page.expect_status(Status::Restoring);
    page.freeze();
    page.thaw();
    world.release();
    world.advance(1);
    page.expect_status(Status::Anonymous);
    assert_eq!(world.visits(), 0, "a page that comes back does not redirect");
    let outcomes = &world.inside().documents;
    for page in outcomes.values() {
        assert!(page.outcomes.values().all(Option::is_some), "each command is over");
    }
}

#[test]
fn rp24_back_from_the_login_page_shows_the_page_as_it_is() {
    let world = World::new();
    let page = world.open();
    page.sign_in();
    assert!(matches!(page.at_provider(), Some(Visit::Login(_))));
    page.back();
    page.expect_status(Status::Anonymous);
    // The button works again.
    page.sign_in();
    page.person_enters("richard");
    page.expect_status(Status::Authenticated);
}

#[test]
fn rp7_d13_return_to_leads_to_a_path_of_this_origin_only() {
    let world = World::new();
    let page = world.open();
    world.inside().stays = true;
    for place in [
        "",
        "private",
        "//evil.example",
        "///evil.example",
        "/\\evil.example",
        "\\/evil.example",
        "\\\\evil.example",
        "/\t/evil.example",
        "/\n/evil.example",
        "/\r/evil.example",
        "\t//evil.example",
        " //evil.example",
        " /private",
        "/private\0",
        "/a\\b",
        "/\u{7f}/evil.example",
        "https://evil.example",
        "https:evil.example",
        "https://app.example/",
        "https://app.example@evil.example",
        "http:/evil.example",
        "javascript:alert(1)",
        "JavaScript:alert(1)",
        "java\nscript:alert(1)",
        "data:text/html,x",
        "blob:https://app.example/x",
        "@evil.example",
        ".evil.example",
        "?x",
        "#x",
        "%2F%2Fevil.example",
        "../private",
        // IDN: a full-width solidus is no slash.
        "\u{ff0f}\u{ff0f}evil.example",
    ] {
        let outcome = page.run(sign_in_to(place));
        let Some(Outcome::Failed { error }) = outcome else { panic!("{place:?} {outcome:?}") };
        assert_eq!(error.code, Code::ReturnToRefused, "{place:?}");
    }
    assert_eq!(world.requests(), 0);
    for place in [
        "/",
        "/private",
        "/a/b?c=d#e",
        "/?next=//evil.example",
        "/@x",
        "/%2F%2Fevil.example",
        "/\u{e9}",
    ] {
        let world = World::new();
        let page = world.open();
        world.inside().stays = true;
        assert_eq!(page.run(sign_in_to(place)), Some(Outcome::Leaving {}), "{place}");
        let stored = page.storage();
        let kept: Vec<_> = stored.iter().filter(|(key, _)| key.contains(":return:")).collect();
        assert_eq!(kept.len(), 1);
        assert_eq!(kept[0].1, place);
    }
}

#[test]
fn d13_an_automatic_redirect_from_a_strange_address_comes_back_to_the_root() {
    let world = World::new();
    let page = world.tab();
    world.inside().stays = true;
    {
        let mut browser = world.inside();
        browser.load(page.tab, &format!("{APP}//evil.example/x"), OnLoad::Auto);
        browser.settle();
    }
    let stored = page.storage();
    let kept = stored.iter().find(|(key, _)| key.contains(":return:")).unwrap();
    assert_eq!(kept.1, "/");
}

#[test]
fn a_session_ends_with_its_own_lifetime_by_the_providers_clock() {
    let world = World::with(|config| config.session_lifetime = Some(3600));
    world.provider().clock_offset_ms = 600_000;
    let page = world.signed_in("richard");
    let started = page.session().started_at.unwrap();
    assert!((started - crate::world::BEGIN_MS / 1000 - 600).abs() <= 2);
    assert_eq!(page.session().expires_at, Some(started + 3600));
    let other = world.open();
    assert_eq!(other.session().expires_at, Some(started + 3600), "adopted, not begun anew");
    world.advance_with_heartbeat(1800);
    page.token().unwrap();
    world.advance_with_heartbeat(1790);
    page.expect_status(Status::Authenticated);
    world.advance_with_heartbeat(12);
    for page in [&page, &other] {
        page.expect_status(Status::Expired);
        assert_eq!(page.cause(), Some(gatepass_core::wire::Ending::Lifetime));
        assert_eq!(page.token(), Err(Code::NotSignedIn));
    }
    assert!(!world.provider().sessions[0].ended);
}

#[test]
fn a_session_without_a_lifetime_does_not_end_by_itself() {
    let world = World::new();
    let page = world.signed_in("richard");
    world.advance_with_heartbeat(100_000);
    page.expect_status(Status::Authenticated);
    assert_eq!(page.session().expires_at, None);
}

#[test]
fn subscribers_are_told_once_per_change() {
    let world = World::new();
    let page = world.open();
    assert_eq!(page.notices(), 2, "restoring, anonymous");
    let page = world.signed_in("richard");
    assert_eq!(page.notices(), 2, "restoring, authenticated");
    page.run(Command::SignOut { scope: Scope::Local });
    assert_eq!(page.notices(), 3);
    page.run(Command::SignOut { scope: Scope::Local });
    assert_eq!(page.notices(), 3, "nothing changed");
}

#[test]
fn a_session_that_is_over_by_the_providers_word_says_so_where_there_was_one() {
    for (had, on_load, cause) in [
        (true, OnLoad::Hint, Some(Ending::LoginRequired)),
        (false, OnLoad::Hint, None),
        (false, OnLoad::Auto, None),
    ] {
        let world = World::new();
        if had {
            let page = world.signed_in("richard");
            page.close();
            world.provider().cookie = None;
        }
        let page = world.tab();
        page.load("/", on_load);
        page.expect_status(Status::Anonymous);
        assert_eq!((page.cause(), page.code()), (cause, None), "{on_load:?}");
        page.load("/", on_load);
        assert_eq!((page.cause(), page.code()), (None, None), "it is told once");
    }
}

#[test]
fn the_end_of_a_session_before_does_not_shorten_the_wait_for_a_tab_that_is_about_to_have_one() {
    let world = World::new();
    let first = world.signed_in("richard");
    let page = world.tab();
    first.leave_only_this_app();
    let ended = world.overheard("ended").to_string();
    world.hold(Endpoint::Token);
    first.begin(sign_in_to("/"));
    world.settle();
    first.expect_status(Status::Restoring);
    page.load("/", OnLoad::Manual);
    // Nor if an extension was waited for before.
    let version = world.overheard("session")["version"].clone();
    let refreshing = json!({ "kind": "refreshing", "version": version }).to_string();
    for word in [&refreshing, r#"{"kind":"busy"}"#, &ended] {
        world.say(word);
    }
    world.advance(5);
    page.expect_status(Status::Restoring);
    world.release();
    page.expect_status(Status::Authenticated);
}

#[test]
fn a_session_that_ends_while_it_is_verified_is_waited_for_no_more() {
    let world = World::new();
    let first = world.signed_in("richard");
    let page = world.tab();
    world.inside().slow_crypto = true;
    let said = world.inside().channel.len();
    page.begin_load("/", OnLoad::Manual);
    let is_told = |world: &World| {
        world.inside().channel[said..].iter().any(|text| text.contains(r#""kind":"session""#))
    };
    while !is_told(&world) {
        assert!(world.inside().deliver_one());
    }
    first.leave_only_this_app();
    world.advance(1);
    page.expect_status(Status::Anonymous);
}
