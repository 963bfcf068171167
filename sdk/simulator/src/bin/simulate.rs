//! Plays many schedules: `simulate --seeds N [--from S]`. The first failure is told as a story.
#![forbid(unsafe_code)]

use std::{
    process::ExitCode,
    sync::{
        Mutex,
        atomic::{AtomicU64, Ordering},
    },
    thread,
    time::Instant,
};

use clap::Parser;
use gatepass_simulator::{Failure, Schedule, run};

/// Plays schedules of the simulated world.
#[derive(Parser)]
struct Arguments {
    /// How many.
    #[arg(long, default_value_t = 20_000)]
    seeds: u64,
    /// The first seed.
    #[arg(long, default_value_t = 0)]
    from: u64,
    /// Tell of every rule that was broken, once each, and go on.
    #[arg(long)]
    all: bool,
}

fn main() -> ExitCode {
    let Arguments { seeds, from, all } = Arguments::parse();
    // What panics is a rule that is broken, and told as such.
    std::panic::set_hook(Box::new(|_| {}));
    let (next, steps, played) = (AtomicU64::new(from), AtomicU64::new(0), AtomicU64::new(0));
    let failed: Mutex<Vec<(u64, gatepass_simulator::Rule)>> = Mutex::default();
    let end = from.saturating_add(seeds);
    let began = Instant::now();
    thread::scope(|scope| {
        for _ in 0..thread::available_parallelism().map_or(1, usize::from) {
            scope.spawn(|| {
                loop {
                    let seed = next.fetch_add(1, Ordering::Relaxed);
                    if seed >= end {
                        return;
                    }
                    match run(&Schedule::from_seed(seed)) {
                        Ok(count) => drop(steps.fetch_add(count, Ordering::Relaxed)),
                        Err(broken) => {
                            if !all {
                                next.store(end, Ordering::Relaxed);
                            }
                            if let Ok(mut failed) = failed.lock() {
                                failed.push((seed, broken.rule));
                            }
                        }
                    }
                    played.fetch_add(1, Ordering::Relaxed);
                }
            });
        }
    });
    let seconds = began.elapsed().as_secs_f64();
    let (played, steps) = (played.into_inner(), steps.into_inner());
    #[expect(clippy::cast_precision_loss, reason = "a figure for people")]
    let rate = played as f64 / seconds.max(0.001);
    println!("{played} schedules, {steps} steps in {seconds:.1} s: {rate:.0} schedules per second");
    let mut failed = failed.into_inner().unwrap_or_default();
    failed.sort_unstable();
    if failed.is_empty() {
        return ExitCode::SUCCESS;
    }
    let mut rules = Vec::new();
    for (seed, rule) in &failed {
        let count = failed.iter().filter(|(_, other)| other == rule).count();
        if !rules.contains(rule) && (all || rules.is_empty()) {
            rules.push(*rule);
            if let Some(failure) = Failure::of(&Schedule::from_seed(*seed), &|| None) {
                println!("\n{failure}");
            }
            println!("({count} schedules break {})", rule.name());
        }
    }
    ExitCode::FAILURE
}
