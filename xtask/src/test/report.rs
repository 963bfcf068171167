//! What ran and how it ended: for people at the end, for machines in `target/report/tests.json`.

use anyhow::{Context, Result};
use serde::Serialize;
use std::collections::BTreeMap;
use std::fmt;
use std::fs;

use super::{rows, table, worlds};
use crate::workspace;

/// How a test ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Outcome {
    Passed,
    Failed,
    Ignored,
    /// The browser's driver cannot do what the journey needs.
    Cannot,
    /// Not of this run: `cargo xtask test all` has it.
    Later,
}

/// A kind of test, by what it needs.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Ring {
    /// Format, lints, types, licences: one entry per check.
    Check,
    Core,
    Effects,
    Npm,
    E2e,
    /// Mutants and the like: one entry per part.
    Long,
}

impl fmt::Display for Ring {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Check => "check",
            Self::Core => "core",
            Self::Effects => "effects",
            Self::Npm => "npm",
            Self::E2e => "e2e",
            Self::Long => "long",
        })
    }
}

/// One test that ran.
#[derive(Debug, Serialize)]
pub(crate) struct Entry {
    pub(crate) name: String,
    pub(crate) ring: Ring,
    /// Where it ran: a compiler profile, or a browser with its cookie rule.
    pub(crate) world: &'static str,
    pub(crate) outcome: Outcome,
    /// Measured by the test harness or around the step; none where neither can tell.
    pub(crate) seconds: Option<f64>,
    /// Why its driver cannot walk it, if so.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) cannot: Option<String>,
    /// What it went on without, because its driver cannot tell or do that.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub(crate) without: Vec<String>,
    /// What it said when it failed. In the summary, not in the file.
    #[serde(skip)]
    pub(crate) said: Option<String>,
}

/// Everything that ran.
#[derive(Default)]
pub(crate) struct Report {
    entries: Vec<Entry>,
}

impl Report {
    /// Adds one and says so.
    pub(crate) fn add(&mut self, entry: Entry) {
        let outcome = match entry.outcome {
            Outcome::Passed => "ok",
            Outcome::Failed => "FAILED",
            Outcome::Ignored => "ignored",
            Outcome::Cannot => "driver cannot",
            Outcome::Later => "later",
        };
        let seconds = entry.seconds.map(|took| format!(" ({took:.2} s)")).unwrap_or_default();
        println!("{:7} {:18} {} ... {outcome}{seconds}", entry.ring, entry.world, entry.name);
        self.entries.push(entry);
    }

    /// How many ended so.
    pub(crate) fn count(&self, outcome: Outcome) -> usize {
        self.entries.iter().filter(|entry| entry.outcome == outcome).count()
    }

    /// How many tests of a ring there are so far.
    pub(crate) fn count_of(&self, ring: Ring) -> usize {
        self.entries.iter().filter(|entry| entry.ring == ring).count()
    }

    /// Writes the file for machines, and the tables of rows by worlds.
    ///
    /// # Errors
    /// When one cannot be written.
    pub(crate) fn write(&self) -> Result<()> {
        let path = workspace::output("report/tests.json");
        if let Some(parent) = path.parent() {
            fs::create_dir_all(parent)?;
        }
        fs::write(&path, serde_json::to_vec_pretty(&self.entries)?)
            .with_context(|| format!("cannot write {}", path.display()))?;
        let path = workspace::output("report/worlds.md");
        let tables = [table::Detail::Behaviours, table::Detail::Journeys]
            .map(|detail| table::of(&self.entries, detail));
        fs::write(&path, tables.join("\n"))
            .with_context(|| format!("cannot write {}", path.display()))
    }

    /// The promised behaviours that no test has shown; and, where `is_all` the journeys were walked, those
    /// that none has shown in a browser that can show each.
    fn missing(&self, is_all: bool) -> Vec<String> {
        let passed = || self.entries.iter().filter(|entry| entry.outcome == Outcome::Passed);
        let shown = passed().map(|entry| entry.name.as_str());
        let mut missing: Vec<_> = rows::without_a_test(shown).map(str::to_owned).collect();
        for world in worlds::COMPLETE.into_iter().filter(|_| is_all) {
            let is_there = |entry: &&Entry| {
                entry.world == world && matches!(entry.ring, Ring::Npm | Ring::E2e)
            };
            let shown = passed().filter(is_there).map(|entry| entry.name.as_str());
            missing.extend(rows::without_a_test(shown).map(|row| format!("{row} in {world}")));
        }
        missing
    }

    /// Prints the summary for people. Its last line is the count, alone. Whether all is well: nothing has
    /// failed, something has passed, and where the run `is_whole` nothing that is promised is missing.
    pub(crate) fn print(&self, is_whole: bool, is_all: bool) -> bool {
        for entry in self.entries.iter().filter(|entry| entry.outcome == Outcome::Failed) {
            println!("\nFAILED {} in {} ({})", entry.name, entry.world, entry.ring);
            if let Some(said) = &entry.said {
                println!("{}", said.trim_end());
            }
        }
        println!();
        let mut groups: BTreeMap<(Ring, &str), Vec<&Entry>> = BTreeMap::new();
        for entry in &self.entries {
            groups.entry((entry.ring, entry.world)).or_default().push(entry);
        }
        for ((ring, world), entries) in groups {
            let count = |outcome| entries.iter().filter(|entry| entry.outcome == outcome).count();
            println!(
                "{ring:7} {world:18} {:5} passed {:3} failed {:3} ignored {:3} driver cannot{}",
                count(Outcome::Passed),
                count(Outcome::Failed),
                count(Outcome::Ignored),
                count(Outcome::Cannot),
                match count(Outcome::Later) {
                    0 => String::new(),
                    later => format!(" {later:3} by `test all`"),
                },
            );
        }
        if self.count_of(Ring::E2e) > 0 {
            println!("\n{}", table::of(&self.entries, table::Detail::Behaviours));
        }
        let missing = if is_whole { self.missing(is_all) } else { Vec::new() };
        if is_whole && missing.is_empty() {
            println!("Every behaviour that is promised so far has a test that passed.");
        } else if is_whole {
            println!("FAILED: behaviours without a test that passed: {}", missing.join(", "));
        }
        println!("Report: target/report/tests.json, target/report/worlds.md");
        let (passed, failed) = (self.count(Outcome::Passed), self.count(Outcome::Failed));
        println!("{passed} passed, {failed} failed");
        passed > 0 && failed == 0 && missing.is_empty()
    }
}
