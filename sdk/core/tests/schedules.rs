//! Random schedules: whatever people, tabs, network and provider do, and in whatever order answers
//! come, the invariants of the world hold (they are checked after each step), and when everything
//! has come to rest the tabs agree.

use std::collections::BTreeSet;

use gatepass_core::{
    error::Code,
    wire::{Command, Failure, OnLoad, Scope, Signal, Status},
};

use crate::world::{
    Browser, Endpoint, Random, World,
    page::{get_token, sign_in_to},
    provider::Visit,
};

/// What a schedule may contain.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Weather {
    /// Answers come, late and in any order.
    Calm,
    /// Answers get lost, pages hang.
    Rough,
}

const TABS: usize = 2;

/// Says which schedule failed.
struct Report(u64);

impl Drop for Report {
    fn drop(&mut self) {
        if std::thread::panicking() {
            eprintln!("the schedule with seed {} failed", self.0);
        }
    }
}

fn schedule(seed: u64, weather: Weather) {
    let _report = Report(seed);
    let mut random = Random(seed);
    let world = World::with(|config| {
        if seed.is_multiple_of(5) {
            config.session_lifetime = Some(400);
        }
    });
    {
        let mut browser = world.inside();
        browser.shuffle = Some(Random(seed ^ 0xabcd));
        browser.locks_missing = seed.is_multiple_of(11);
        browser.provider.gives_id_token_on_refresh = !seed.is_multiple_of(3);
        browser.provider.rotates = !seed.is_multiple_of(7);
        for _ in 0..TABS {
            browser.new_tab();
        }
    }
    for _ in 0..60 {
        turn(&mut world.inside(), &mut random, weather);
    }
    come_to_rest(&world);
    agree(&world);
}

fn turn(browser: &mut Browser, random: &mut Random, weather: Weather) {
    let tab = random.below(TABS);
    let page = browser.tabs[tab].current;
    let command = |browser: &mut Browser, command: Command| {
        if let Some(page) = page.filter(|page| !browser.documents[page].away) {
            browser.command(page, command);
        }
    };
    match random.below(if weather == Weather::Rough { 30 } else { 26 }) {
        0 | 1 => {
            let on_load =
                [OnLoad::Auto, OnLoad::Hint, OnLoad::Manual, OnLoad::Probe][random.below(4)];
            browser.load(tab, "https://app.example/", on_load);
        }
        2..=4 => command(browser, sign_in_to("/")),
        5 => command(browser, Command::SignOut { scope: Scope::Global }),
        6 => command(browser, Command::SignOut { scope: Scope::Local }),
        7..=9 => command(browser, get_token()),
        10 => command(browser, Command::CheckSession {}),
        11 => command(
            browser,
            Command::GetToken { min_ttl: Some(10_000), origin: None, refused: None },
        ),
        12 | 13 => enter(browser, tab, random),
        14 => {
            if let Some(sso) = browser.provider.cookie.take() {
                browser.push_logout(sso, |_| {});
                browser.provider.end_sso(sso);
            }
        }
        15 => browser.close_streams(),
        16 => browser.provider.is_down = !browser.provider.is_down,
        17 => freeze(browser, tab),
        18 | 19 => thaw(browser, tab),
        20 => {
            if browser.tabs[tab].cached.is_some() {
                browser.back(tab);
            }
        }
        21 => {
            if let Some(page) = page.filter(|page| !browser.documents[page].away) {
                let signal = [Signal::Shown {}, Signal::Hidden {}, Signal::Online {}]
                    [random.below(3)]
                .clone();
                browser.signal(page, signal);
            }
        }
        22 => browser.drift(1 + i64::try_from(random.below(20_000)).unwrap()),
        23 => browser.close(tab),
        24 => browser.settle(),
        25 => browser.say(None, "{\"kind\":\"hello\"}"),
        26 => {
            if let Some(page) = page {
                browser.documents.get_mut(&page).unwrap().hangs ^= true;
            }
        }
        27 => browser.provider.once(Endpoint::Token, |reply| reply.fail(Failure::Network)),
        28 => browser.provider.once(Endpoint::UserInfo, |reply| reply.status = 500),
        _ => browser.provider.once(Endpoint::Discovery, |reply| reply.fail(Failure::Timeout)),
    }
    for _ in 0..random.below(12) {
        browser.deliver_one();
    }
}

fn enter(browser: &mut Browser, tab: usize, random: &mut Random) {
    let Some(Visit::Login(request)) = browser.tabs[tab].at_provider else { return };
    let now = browser.provider_time();
    let visit = match random.below(4) {
        0 => browser.provider.cancel_login(request),
        1 => browser.provider.submit_login(request, "gavin", now),
        _ => browser.provider.submit_login(request, "richard", now),
    };
    browser.follow(tab, visit);
}

fn freeze(browser: &mut Browser, tab: usize) {
    if let Some(page) = browser.tabs[tab].current.filter(|page| !browser.documents[page].away) {
        browser.signal(page, Signal::Leave {});
        browser.documents.get_mut(&page).unwrap().away = true;
    }
}

fn thaw(browser: &mut Browser, tab: usize) {
    if let Some(page) = browser.tabs[tab].current.filter(|page| browser.documents[page].away) {
        browser.documents.get_mut(&page).unwrap().away = false;
        browser.signal(page, Signal::Return {});
    }
}

/// The weather clears, and a minute passes.
fn come_to_rest(world: &World) {
    let mut browser = world.inside();
    browser.provider.is_down = false;
    browser.provider.behave();
    for page in browser.documents.values_mut() {
        page.hangs = false;
    }
    for tab in 0..TABS {
        thaw(&mut browser, tab);
    }
    browser.settle();
    for _ in 0..6 {
        browser.advance(10_000);
        browser.push_bytes(b":\n\n");
    }
    browser.settle();
}

fn agree(world: &World) {
    let pages: Vec<u64> = {
        let browser = world.inside();
        browser.tabs.iter().filter_map(|tab| tab.current).collect()
    };
    {
        let browser = world.inside();
        let mut subjects = BTreeSet::new();
        for page in &pages {
            let page = &browser.documents[page];
            assert!(page.outcomes.values().all(Option::is_some), "each command is over");
            let session = page.sessions.last().unwrap();
            assert_ne!(session.status, Status::Restoring);
            assert_eq!(session.subject.is_some(), session.claims.is_some());
            subjects.extend(session.subject.clone());
            if session.status != Status::Authenticated && session.status != Status::Offline {
                assert_eq!(session.claims, None);
            }
        }
        assert!(subjects.len() <= 1, "one session per origin: {subjects:?}");
        let streams = browser.open_streams();
        assert!(streams <= if browser.locks_missing { TABS } else { 1 }, "{streams} streams");
    }
    // The person signs out in one tab: no tab has a token any more.
    let Some(first) = pages.first() else { return };
    world.inside().command(*first, Command::SignOut { scope: Scope::Local });
    world.settle();
    for page in &pages {
        let id = world.inside().command(*page, get_token());
        world.settle();
        let browser = world.inside();
        let outcome = browser.documents[page].outcomes[&id].clone();
        let refused = matches!(
            &outcome,
            Some(gatepass_core::wire::Outcome::Failed { error }) if error.code == Code::NotSignedIn
        );
        assert!(refused, "after a sign-out: {outcome:?}");
    }
    assert_eq!(world.inside().open_streams(), 0);
}

#[test]
fn two_tabs_in_calm_weather() {
    (0..1000).for_each(|seed| schedule(seed, Weather::Calm));
}

#[test]
fn two_tabs_in_calm_weather_and_other_orders() {
    (1000..2000).for_each(|seed| schedule(seed, Weather::Calm));
}

#[test]
fn two_tabs_in_rough_weather() {
    (10_000..11_000).for_each(|seed| schedule(seed, Weather::Rough));
}

#[test]
fn two_tabs_in_rough_weather_and_other_orders() {
    (11_000..12_000).for_each(|seed| schedule(seed, Weather::Rough));
}

/// `GATEPASS_SEED` chooses a schedule to look at (with `GATEPASS_TRACE`, step by step), and
/// `GATEPASS_SEEDS` how many to go on with.
#[test]
fn the_schedules_that_are_asked_for() {
    let number = |name| std::env::var(name).ok().and_then(|text| text.parse().ok());
    let first: u64 = number("GATEPASS_SEED").unwrap_or(1);
    for seed in first..first + number("GATEPASS_SEEDS").unwrap_or(1) {
        schedule(seed, if seed < 10_000 { Weather::Calm } else { Weather::Rough });
    }
}
