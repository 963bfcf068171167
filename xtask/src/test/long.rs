//! The long parts: what `cargo xtask test all` adds, and `cargo xtask test long` runs alone.
//!
//! They look for what no change of a day brings back: rules that no test holds, inputs and schedules
//! that nobody thought of. Each is a step that passes or says what it found.

use anyhow::{Result, bail};

use crate::{fuzz, mutants, simulate};

/// One long part.
pub(super) struct Part {
    pub(super) name: &'static str,
    pub(super) run: fn() -> Result<()>,
}

/// All of them, in one place.
pub(super) const PARTS: [Part; 3] = [
    Part { name: "mutants: every rule is held by a test", run: every_mutant },
    Part { name: "fuzz: random bytes break nothing", run: every_target },
    Part { name: "simulation: a million schedules break no rule", run: many_schedules },
];

fn every_mutant() -> Result<()> {
    let score = mutants::test(&[], false)?;
    let told = score.told();
    eprint!("{told}");
    if !score.is_good() {
        bail!("{told}");
    }
    Ok(())
}

/// Two minutes for each of twelve targets.
fn every_target() -> Result<()> {
    fuzz::all(120)
}

/// Other schedules than those of every change.
fn many_schedules() -> Result<()> {
    simulate::play(1_000_000, 1_000_000)
}
