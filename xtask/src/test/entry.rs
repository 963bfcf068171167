//! What becomes a line of the report.

use anyhow::Result;

use super::libtest::Told;
use super::report::{Entry, Outcome, Ring};
use super::worlds::Limits;

impl Entry {
    pub(super) fn of_step(
        name: &str,
        ring: Ring,
        outcome: Result<()>,
        seconds: Option<f64>,
    ) -> Self {
        let world = "native";
        match outcome {
            Ok(()) => Self {
                name: name.to_owned(),
                ring,
                world,
                outcome: Outcome::Passed,
                seconds,
                cannot: None,
                without: Vec::new(),
                said: None,
            },
            Err(error) => Self { seconds, ..Self::failed(name.to_owned(), ring, world, &error) },
        }
    }

    pub(super) fn failed(
        name: String,
        ring: Ring,
        world: &'static str,
        error: &anyhow::Error,
    ) -> Self {
        let said = Some(format!("{error:#}"));
        let outcome = Outcome::Failed;
        let without = Vec::new();
        Self { name, ring, world, outcome, seconds: None, cannot: None, without, said }
    }

    /// What this run leaves to `test all`.
    pub(super) fn later(name: &str, ring: Ring, world: &'static str) -> Self {
        Self {
            name: name.to_owned(),
            ring,
            world,
            outcome: Outcome::Later,
            seconds: None,
            cannot: None,
            without: Vec::new(),
            said: None,
        }
    }

    pub(super) fn told(told: Told, ring: Ring, world: &'static str) -> Self {
        let Told { name, outcome, seconds, said } = told;
        Self { name, ring, world, outcome, seconds, cannot: None, without: Vec::new(), said }
    }

    /// The same, with what its driver could not do.
    pub(super) fn limited(mut self, limits: Limits) -> Self {
        if self.outcome == Outcome::Passed && limits.cannot.is_some() {
            self.outcome = Outcome::Cannot;
            self.cannot = limits.cannot;
        }
        self.without = limits.without;
        self
    }
}
