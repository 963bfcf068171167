//! The schedules that are played on every change.

#![allow(clippy::expect_used, clippy::panic, missing_docs)]

use std::{
    sync::atomic::{AtomicU64, Ordering},
    thread,
};

use gatepass_simulator::{Failure, Schedule, run};

/// How many: what two processors play in less than a minute.
const SCHEDULES: u64 = 20_000;

#[test]
fn no_rule_is_broken_by_twenty_thousand_schedules() {
    let next = AtomicU64::new(0);
    let failed = AtomicU64::new(u64::MAX);
    thread::scope(|scope| {
        for _ in 0..thread::available_parallelism().map_or(1, usize::from) {
            scope.spawn(|| {
                loop {
                    let seed = next.fetch_add(1, Ordering::Relaxed);
                    if seed >= SCHEDULES || failed.load(Ordering::Relaxed) < u64::MAX {
                        return;
                    }
                    if run(&Schedule::from_seed(seed)).is_err() {
                        failed.fetch_min(seed, Ordering::Relaxed);
                    }
                }
            });
        }
    });
    let seed = failed.into_inner();
    if seed < u64::MAX {
        let failure = Failure::of(&Schedule::from_seed(seed), &|| None);
        panic!("{}", failure.expect("it failed before"));
    }
}

#[test]
fn the_same_seed_is_the_same_schedule_and_the_same_world() {
    for seed in [1, 77, 4096] {
        let first = run(&Schedule::from_seed(seed)).expect("it breaks no rule");
        let second = run(&Schedule::from_seed(seed)).expect("it breaks no rule");
        assert_eq!(first, second, "the number of steps");
        let told = |seed| format!("{:?}", Schedule::from_seed(seed));
        assert_eq!(told(seed), told(seed));
        assert_ne!(told(seed), told(seed + 1));
    }
}

#[test]
fn most_schedules_do_something() {
    let steps = |seed| run(&Schedule::from_seed(seed)).expect("it breaks no rule");
    let busy = (0..200).filter(|seed| steps(*seed) > 50).count();
    assert!(busy > 120, "{busy} of 200");
}
