//! Each rule is broken once on purpose, by a defect between the world and its machines, and the
//! simulator has to find it, by its name. A rule that finds nothing guards nothing.

#![allow(clippy::expect_used, clippy::panic, missing_docs)]

use std::collections::{BTreeMap, BTreeSet};

use gatepass_core::{
    error::Code,
    secret::Secret,
    wire::{
        Answer, Command, Effect, Fact, Failure as Reason, Order, Outcome, Response, Signal, Status,
    },
};
use gatepass_simulator::{Failure, Meddler, Rule, Schedule, run_with};

/// More than any of these defects needs.
const SCHEDULES: u64 = 3000;

/// Plays schedules with a defect until one breaks `rule`; what else the defect breaks before is not
/// looked at. The failure is shrunk, and its story is told.
#[track_caller]
fn finds<M: Meddler + Default + 'static>(rule: Rule) -> Failure {
    let defect = || -> Option<Box<dyn Meddler>> { Some(Box::new(M::default())) };
    let found = (0..SCHEDULES)
        .map(Schedule::from_seed)
        .find(|schedule| run_with(schedule, &defect).is_err_and(|broken| broken.rule == rule));
    let schedule = found.unwrap_or_else(|| panic!("nothing breaks {}", rule.name()));
    let failure = Failure::of(&schedule, &defect).expect("it fails again");
    assert_eq!(failure.broken.rule, rule);
    assert!(failure.schedule.turns() <= failure.turns_before);
    let story = failure.to_string();
    assert!(story.contains(rule.name()), "{story}");
    assert!(story.contains("BROKEN"), "{story}");
    failure
}

fn kind(text: &str) -> String {
    let message: serde_json::Value = serde_json::from_str(text).unwrap_or_default();
    message["kind"].as_str().unwrap_or_default().to_owned()
}

/// The application's face keeps the last token, and gives it out when there is none any more.
#[derive(Default)]
struct KeptToken(BTreeMap<u32, (Secret, Option<i64>)>);

impl Meddler for KeptToken {
    fn orders(&mut self, page: u32, orders: Vec<Order>) -> Vec<Order> {
        let changed = orders.into_iter().map(|order| match order {
            Order::Completed {
                command,
                outcome: Outcome::Token { access_token: Some(token), expires_at },
            } => {
                self.0.insert(page, (token.clone(), expires_at));
                let access_token = Some(token);
                Order::Completed { command, outcome: Outcome::Token { access_token, expires_at } }
            }
            Order::Completed { command, outcome: Outcome::Failed { error } }
                if error.code == Code::NotSignedIn && self.0.contains_key(&page) =>
            {
                let (token, expires_at) = self.0[&page].clone();
                let access_token = Some(token);
                Order::Completed { command, outcome: Outcome::Token { access_token, expires_at } }
            }
            other => other,
        });
        changed.collect()
    }
}

#[test]
fn a_token_that_is_kept_after_a_sign_out() {
    finds::<KeptToken>(Rule::NoTokenAfterSignOut);
}

/// Sessions that other tabs share are not heard once one is held.
#[derive(Default)]
struct DeafToOthers(BTreeSet<u32>);

impl Meddler for DeafToOthers {
    fn fact(&mut self, page: u32, fact: Fact, _: &mut Vec<u8>) -> Option<Fact> {
        match &fact {
            Fact::Signal { signal: Signal::Message { text } }
                if self.0.contains(&page) && kind(text) == "session" =>
            {
                None
            }
            _ => Some(fact),
        }
    }

    fn orders(&mut self, page: u32, orders: Vec<Order>) -> Vec<Order> {
        for order in &orders {
            if let Order::Session { session } = order
                && session.status == Status::Authenticated
            {
                self.0.insert(page);
            }
        }
        orders
    }
}

#[test]
fn a_tab_that_keeps_the_user_before() {
    finds::<DeafToOthers>(Rule::OneUser);
}

/// Every signature is right.
#[derive(Default)]
struct Credulous;

impl Meddler for Credulous {
    fn fact(&mut self, _: u32, fact: Fact, _: &mut Vec<u8>) -> Option<Fact> {
        Some(match fact {
            Fact::Answer { effect, answer: Answer::Verdict { .. } } => {
                Fact::Answer { effect, answer: Answer::Verdict { valid: true } }
            }
            other => other,
        })
    }
}

#[test]
fn a_signature_that_is_not_checked() {
    finds::<Credulous>(Rule::EveryCheck);
}

/// Each refresh is sent twice.
#[derive(Default)]
struct Twice;

impl Meddler for Twice {
    fn orders(&mut self, _: u32, orders: Vec<Order>) -> Vec<Order> {
        let mut all = Vec::new();
        for order in orders {
            if let Order::Effect { id, effect: effect @ Effect::Fetch { form: Some(form), .. } } =
                &order
                && form.0.contains("grant_type=refresh_token")
            {
                all.push(Order::Effect { id: id + 1_000_000, effect: effect.clone() });
            }
            all.push(order);
        }
        all
    }
}

#[test]
fn a_second_refresh() {
    finds::<Twice>(Rule::OneRefresh);
}

/// A lock that another tab holds is taken for one that the browser has not.
#[derive(Default)]
struct Lawless;

impl Meddler for Lawless {
    fn fact(&mut self, _: u32, fact: Fact, _: &mut Vec<u8>) -> Option<Fact> {
        Some(match fact {
            Fact::Answer { effect, answer: Answer::Failed { reason: Reason::Held } } => {
                let answer = Answer::Failed { reason: Reason::Unavailable };
                Fact::Answer { effect, answer }
            }
            other => other,
        })
    }
}

#[test]
fn a_refresh_without_the_lock() {
    finds::<Lawless>(Rule::RefreshNeedsLock);
}

/// What a tab remembers of its redirects is lost.
#[derive(Default)]
struct Forgetful(BTreeSet<(u32, u32)>);

impl Meddler for Forgetful {
    fn fact(&mut self, page: u32, fact: Fact, _: &mut Vec<u8>) -> Option<Fact> {
        Some(match fact {
            Fact::Answer { effect, answer: Answer::Loaded { .. } }
                if self.0.contains(&(page, effect)) =>
            {
                Fact::Answer { effect, answer: Answer::Loaded { value: None } }
            }
            other => other,
        })
    }

    fn orders(&mut self, page: u32, orders: Vec<Order>) -> Vec<Order> {
        for order in &orders {
            if let Order::Effect { id, effect: Effect::Load { key, .. } } = order
                && key.ends_with("#memory")
            {
                self.0.insert((page, *id));
            }
        }
        orders
    }
}

#[test]
fn a_second_automatic_redirect() {
    finds::<Forgetful>(Rule::OneRedirect);
}

/// Each command is over twice.
#[derive(Default)]
struct Stutter;

impl Meddler for Stutter {
    fn orders(&mut self, _: u32, orders: Vec<Order>) -> Vec<Order> {
        let twice = |order: Order| {
            let again = matches!(order, Order::Completed { .. }).then(|| order.clone());
            [Some(order), again]
        };
        orders.into_iter().flat_map(twice).flatten().collect()
    }
}

#[test]
fn a_command_that_is_over_twice() {
    finds::<Stutter>(Rule::OneCompletion);
}

/// No timer ever fires.
#[derive(Default)]
struct Asleep;

impl Meddler for Asleep {
    fn orders(&mut self, _: u32, orders: Vec<Order>) -> Vec<Order> {
        orders.into_iter().filter(|order| !matches!(order, Order::WakeAt { .. })).collect()
    }
}

#[test]
fn a_page_that_waits_for_ever() {
    finds::<Asleep>(Rule::NothingWaits);
}

/// A lock that was granted is never heard of.
#[derive(Default)]
struct NoLock;

impl Meddler for NoLock {
    fn fact(&mut self, _: u32, fact: Fact, _: &mut Vec<u8>) -> Option<Fact> {
        (!matches!(fact, Fact::Answer { answer: Answer::Granted {}, .. })).then_some(fact)
    }
}

#[test]
fn a_lock_that_nobody_hears_of() {
    finds::<NoLock>(Rule::NothingWaits);
}

/// A network that is away is taken for a provider that refuses.
#[derive(Default)]
struct Touchy(BTreeSet<(u32, u32)>);

impl Meddler for Touchy {
    fn fact(&mut self, page: u32, fact: Fact, bytes: &mut Vec<u8>) -> Option<Fact> {
        Some(match fact {
            Fact::Answer {
                effect,
                answer: Answer::Failed { reason: Reason::Network | Reason::Timeout },
            } if self.0.contains(&(page, effect)) => {
                *bytes = br#"{"error":"invalid_grant"}"#.to_vec();
                let response = Response { status: 400, ..Response::default() };
                Fact::Answer { effect, answer: Answer::Response { response } }
            }
            other => other,
        })
    }

    fn orders(&mut self, page: u32, orders: Vec<Order>) -> Vec<Order> {
        for order in &orders {
            if let Order::Effect { id, effect: Effect::Fetch { form: Some(form), .. } } = order
                && form.0.contains("grant_type=refresh_token")
            {
                self.0.insert((page, *id));
            }
        }
        orders
    }
}

#[test]
fn a_network_failure_that_ends_a_session() {
    finds::<Touchy>(Rule::EndsForAReason);
}

/// A page has begun as soon as it asks for tokens.
#[derive(Default)]
struct Hasty(BTreeMap<u32, u32>);

impl Meddler for Hasty {
    fn fact(&mut self, page: u32, fact: Fact, _: &mut Vec<u8>) -> Option<Fact> {
        if let Fact::Command { id, command: Command::Resume { .. } } = &fact {
            self.0.insert(page, *id);
        }
        Some(fact)
    }

    fn orders(&mut self, page: u32, mut orders: Vec<Order>) -> Vec<Order> {
        let redeems = |order: &Order| {
            matches!(order, Order::Effect { effect: Effect::Fetch { form: Some(form), .. }, .. }
                if form.0.contains("grant_type=authorization_code"))
        };
        if let (Some(command), true) = (self.0.get(&page), orders.iter().any(redeems)) {
            orders.push(Order::Completed { command: *command, outcome: Outcome::Done {} });
        }
        orders
    }
}

#[test]
fn a_start_that_is_over_before_its_answer() {
    finds::<Hasty>(Rule::WaitsForTheAnswer);
}

/// What other tabs say about the end of a session is not heard.
#[derive(Default)]
struct DeafToTheEnd;

impl Meddler for DeafToTheEnd {
    fn fact(&mut self, _: u32, fact: Fact, _: &mut Vec<u8>) -> Option<Fact> {
        match &fact {
            Fact::Signal { signal: Signal::Message { text } } if kind(text) == "ended" => None,
            _ => Some(fact),
        }
    }
}

#[test]
fn a_sign_out_that_other_tabs_do_not_hear() {
    finds::<DeafToTheEnd>(Rule::SeenEverywhere);
}

/// Logout tokens are lost, and so is what the provider says when it is asked.
#[derive(Default)]
struct DeafToTheProvider;

impl Meddler for DeafToTheProvider {
    fn fact(&mut self, _: u32, fact: Fact, bytes: &mut Vec<u8>) -> Option<Fact> {
        let is_logout = bytes.windows(6).any(|part| part == b"logout");
        let is_refusal = matches!(
            &fact,
            Fact::Answer { answer: Answer::Response { response }, .. } if response.status == 401
        );
        (!is_logout && !is_refusal).then_some(fact)
    }
}

#[test]
fn a_sign_out_that_the_other_site_does_not_hear() {
    finds::<DeafToTheProvider>(Rule::SeenEverywhere);
}

/// Subscribers are told twice.
#[derive(Default)]
struct Echo;

impl Meddler for Echo {
    fn orders(&mut self, _: u32, orders: Vec<Order>) -> Vec<Order> {
        let twice = |order: Order| {
            let again = matches!(order, Order::Session { .. }).then(|| order.clone());
            [Some(order), again]
        };
        orders.into_iter().flat_map(twice).flatten().collect()
    }
}

#[test]
fn a_notice_that_comes_twice() {
    finds::<Echo>(Rule::OneNotice);
}

/// The machine panics at a message.
#[derive(Default)]
struct Fragile;

impl Meddler for Fragile {
    fn fact(&mut self, _: u32, fact: Fact, _: &mut Vec<u8>) -> Option<Fact> {
        assert!(!matches!(fact, Fact::Signal { signal: Signal::Lost { .. } }), "as if by mistake");
        Some(fact)
    }
}

#[test]
fn a_panic() {
    finds::<Fragile>(Rule::NoPanic);
}

#[test]
fn a_schedule_shrinks_to_what_matters() {
    let failure = finds::<Stutter>(Rule::OneCompletion);
    assert_eq!(failure.schedule.turns(), 1, "one page that begins is enough:\n{failure}");
}
