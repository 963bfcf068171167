//! The start of a page: the ladder, cheapest rung first, and what keeps it from looping.

use gatepass_core::{
    error::Code,
    wire::{Command, Ending, Failure, Mode, OnLoad, Outcome, Scope, Signal, Status},
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
fn d13_the_breaker_stops_at_the_second_redirect_without_a_session() {
    let world = World::new();
    // Each answer is lost: the page is loaded again and again.
    world.provider().always(Endpoint::Token, |reply| reply.fail(Failure::Network));
    world.person_signs_in("richard");
    let page = load(&world, OnLoad::Auto);
    page.expect_status(Status::Offline);
    assert_eq!(world.visits(), 1);
    for _ in 0..3 {
        page.load("/", OnLoad::Auto);
        page.expect_status(Status::Anonymous);
        assert_eq!(page.code(), Some(Code::RedirectLoop));
        assert_eq!(broken_by(&page), "issuer_unreachable");
    }
    assert_eq!(world.visits(), 1);
    // A click goes, and a session resets the count.
    world.provider().behave();
    page.sign_in();
    page.expect_status(Status::Authenticated);
    page.load("/", OnLoad::Auto);
    page.expect_status(Status::Authenticated);
}

#[test]
fn a_page_that_is_come_back_to_forgets_no_redirect_of_the_pages_after_it() {
    let world = World::new();
    let page = load(&world, OnLoad::Manual);
    // The next page asks by itself, in vain, and writes that down.
    page.load("/", OnLoad::Auto);
    assert_eq!(world.visits(), 1);
    page.back();
    // What the first page writes down does not take that back.
    page.leave_only_this_app();
    page.load("/", OnLoad::Auto);
    assert_eq!(world.visits(), 1);
}

/// What the breaker says that it saw.
fn broken_by(page: &Page) -> String {
    let error = page.session().error.unwrap();
    assert_eq!(error.code, Code::RedirectLoop);
    error.evidence.as_ref().unwrap().found.as_str().to_owned()
}

#[test]
fn d13_the_breaker_says_what_it_saw() {
    // The answer comes back, and the tab has lost what it is to be known by.
    let world = World::new();
    world.person_signs_in("richard");
    world.provider().next_callback(|parameters| {
        for (name, value) in parameters {
            if name == "state" {
                *value = "lost".into();
            }
        }
    });
    let page = load(&world, OnLoad::Auto);
    assert_eq!(page.code(), Some(Code::StateUnknown));
    page.load("/", OnLoad::Auto);
    assert_eq!(broken_by(&page), "state_unknown");
    // Nothing comes back.
    let world = World::new();
    world.inside().stays = true;
    let page = load(&world, OnLoad::Auto);
    page.load("/", OnLoad::Auto);
    assert_eq!(broken_by(&page), "no answer that could be known again");
    // Nor does it say what the trip before was told.
    let world = World::new();
    let page = world.open();
    page.sign_in();
    page.person_cancels();
    assert_eq!(page.code(), Some(Code::AccessDenied));
    world.inside().stays = true;
    page.load("/", OnLoad::Auto);
    page.load("/", OnLoad::Auto);
    assert_eq!(broken_by(&page), "no answer that could be known again");
    // A click forgets it.
    world.inside().stays = false;
    world.person_signs_in("richard");
    page.sign_in();
    page.load("/", OnLoad::Auto);
    page.expect_status(Status::Authenticated);
    assert_eq!(page.code(), None);
}

/// An app that signs in whenever nobody is signed in, at a provider that refuses.
#[test]
fn d13_f14_a_sign_in_that_is_asked_for_ten_times_in_a_minute_is_no_persons() {
    let world = World::new();
    let page = world.open();
    let refuse = || {
        page.sign_in();
        page.person_cancels();
        assert_eq!(page.code(), Some(Code::AccessDenied));
    };
    (0..9).for_each(|_| refuse());
    let visits = world.visits();
    for _ in 0..2 {
        let outcome = page.run(sign_in_to("/"));
        assert!(
            matches!(outcome, Some(Outcome::Failed { error }) if error.code == Code::RedirectLoop)
        );
        assert_eq!(broken_by(&page), "access_denied");
    }
    // Nor does a reload begin anew.
    page.load("/", OnLoad::Manual);
    page.run(sign_in_to("/"));
    assert_eq!(broken_by(&page), "access_denied");
    assert_eq!(world.visits(), visits);
    // A window leaves no page, and takes a person to open.
    let mut window = sign_in_to("/");
    if let Command::SignIn { mode, .. } = &mut window {
        *mode = Some(Mode::Popup);
    }
    page.begin(window);
    world.settle();
    assert_eq!(world.inside().popups.len(), 1);
    world.advance(61);
    refuse();
    // Whoever reaches a session has not failed.
    (0..7).for_each(|_| refuse());
    world.person_signs_in("richard");
    page.sign_in();
    page.expect_status(Status::Authenticated);
    page.sign_out();
    world.inside().provider.cookie = None;
    (0..9).for_each(|_| refuse());
}

/// The same beside a tab whose session is not enough for what is asked for.
#[test]
fn d13_a_session_of_another_tab_makes_no_loop_shorter() {
    let world = World::new();
    let (_beside, page) = (world.signed_in("richard"), world.tab());
    for _ in 0..9 {
        page.load("/", OnLoad::Manual);
        page.expect_status(Status::Authenticated);
        page.begin(stepping_up());
        world.settle();
        page.person_cancels();
    }
    let outcome = page.run(stepping_up());
    assert!(matches!(outcome, Some(Outcome::Failed { error }) if error.code == Code::RedirectLoop));
}

/// A sign-in for which the session is not enough.
fn stepping_up() -> Command {
    let mut command = sign_in_to("/");
    if let Command::SignIn { prompt, .. } = &mut command {
        *prompt = Some("login".into());
    }
    command
}

/// A provider so slow that somebody stops it and clicks again, on the same page.
#[test]
fn d13_a_person_who_is_impatient_is_no_loop() {
    let world = World::new();
    let page = world.open();
    world.inside().stays = true;
    for _ in 0..12 {
        page.run(sign_in_to("/"));
        assert_eq!(page.code(), None);
        world.inside().stop_loading();
        world.advance(2);
    }
}

/// Why nothing is asked any more is said on each page, until somebody clicks.
#[test]
fn d13_a_provider_that_refuses_is_named_after_a_reload_too() {
    for code in ["interaction_required", "access_denied"] {
        let world = World::new();
        world.provider().next_callback(move |parameters| {
            parameters.retain(|(name, _)| name != "code" && name != "error");
            parameters.push(("error".into(), code.into()));
        });
        let page = load(&world, OnLoad::Auto);
        assert_eq!(page.code().map(Code::as_str), Some(code));
        let visits = world.visits();
        for _ in 0..2 {
            page.load("/", OnLoad::Auto);
            page.expect_status(Status::Anonymous);
            assert_eq!(broken_by(&page), code);
        }
        assert_eq!(world.visits(), visits);
        page.load("/", OnLoad::Manual);
        assert_eq!(page.code(), None);
    }
    // That nobody is signed in is no failure.
    let world = World::new();
    let page = load(&world, OnLoad::Auto);
    page.load("/", OnLoad::Auto);
    assert_eq!((page.status(), page.code()), (Status::Anonymous, None));
}

#[test]
fn the_breaker_stops_at_the_tenth_redirect_in_a_minute() {
    let world = World::new();
    let page = world.signed_in("richard");
    let before = world.visits();
    for _ in 0..9 {
        page.load("/", OnLoad::Auto);
        page.expect_status(Status::Authenticated);
        world.advance(1);
    }
    assert_eq!(world.visits(), before + 9);
    page.load("/", OnLoad::Auto);
    page.expect_status(Status::Anonymous);
    assert_eq!(page.code(), Some(Code::RedirectLoop));
    assert_eq!(broken_by(&page), "too many of them in a minute");
    assert_eq!(world.visits(), before + 9);
    world.advance(61);
    page.load("/", OnLoad::Auto);
    page.expect_status(Status::Authenticated);
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
