//! The provider's timeline: every step of every flow, and what can be asserted of it.

use anyhow::{Context, Result, bail, ensure};
use serde::Deserialize;
use serde_json::Value;
use std::fmt;

/// One step of a flow, as the provider tells it.
#[derive(Clone, Debug, Deserialize)]
pub struct Step {
    /// Counts up by one, from the provider's start or its last reset.
    pub seq: u64,
    /// Milliseconds by the provider's clock.
    pub at: u64,
    /// A stable name, such as `code.issued`.
    pub step: String,
    /// The client that the step is about.
    pub client_id: Option<String>,
    /// The session as that client knows it.
    pub sid: Option<String>,
    /// The user's name.
    pub user: Option<String>,
    /// What came, with secrets masked.
    #[serde(default)]
    pub received: Value,
    /// Which check decided.
    pub check: Option<Check>,
}

/// The check that decided a step.
#[derive(Clone, Debug, Deserialize)]
pub struct Check {
    /// The check's name.
    pub name: String,
    /// `passed` or `failed`.
    pub outcome: String,
}

impl Step {
    /// A received parameter as text.
    #[must_use]
    pub fn received(&self, name: &str) -> Option<&str> {
        self.received.get(name).and_then(Value::as_str)
    }

    /// Whether this step is `name`, or with `name@client` that step of that client.
    #[must_use]
    pub fn is(&self, wanted: &str) -> bool {
        match wanted.split_once('@') {
            Some((step, client)) => self.step == step && self.client_id.as_deref() == Some(client),
            None => self.step == wanted,
        }
    }
}

impl fmt::Display for Step {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{:>4} {}", self.seq, self.step)?;
        if let Some(client) = &self.client_id {
            write!(f, "@{client}")?;
        }
        if let Some(user) = &self.user {
            write!(f, " user={user}")?;
        }
        if let Some(check) = &self.check {
            write!(f, " {}={}", check.name, check.outcome)?;
        }
        if let Value::Object(received) = &self.received
            && !received.is_empty()
        {
            write!(f, " {}", self.received)?;
        }
        Ok(())
    }
}

/// Steps in the order in which they happened.
#[derive(Clone, Debug, Default)]
pub struct Timeline(pub Vec<Step>);

impl Timeline {
    /// How often a step happened. A step is written `name` or `name@client`.
    #[must_use]
    pub fn count(&self, wanted: &str) -> usize {
        self.0.iter().filter(|step| step.is(wanted)).count()
    }

    /// The first such step.
    ///
    /// # Errors
    /// When there is none.
    pub fn first(&self, wanted: &str) -> Result<&Step> {
        let found = self.0.iter().find(|step| step.is(wanted));
        found.with_context(|| format!("no step {wanted} in:\n{self}"))
    }

    /// The last such step.
    ///
    /// # Errors
    /// When there is none.
    pub fn last(&self, wanted: &str) -> Result<&Step> {
        let found = self.0.iter().rfind(|step| step.is(wanted));
        found.with_context(|| format!("no step {wanted} in:\n{self}"))
    }

    /// Fails unless these steps happened in this order; others may stand between them.
    ///
    /// # Errors
    /// When a step is missing at its place.
    pub fn in_order(&self, wanted: &[&str]) -> Result<()> {
        let mut steps = self.0.iter();
        for (index, name) in wanted.iter().enumerate() {
            if !steps.any(|step| step.is(name)) {
                let before = &wanted[..index];
                bail!("no step {name} after {before:?} in:\n{self}");
            }
        }
        Ok(())
    }

    /// Fails unless a step happened exactly so often.
    ///
    /// # Errors
    /// When it happened more or less often.
    pub fn exactly(&self, count: usize, wanted: &str) -> Result<()> {
        let found = self.count(wanted);
        ensure!(found == count, "{wanted} happened {found} times, expected {count}, in:\n{self}");
        Ok(())
    }
}

impl fmt::Display for Timeline {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|step| writeln!(f, "{step}"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn timeline(names: &[&str]) -> Timeline {
        let steps = names.iter().enumerate().map(|(seq, name)| {
            let (step, client) = name.split_once('@').map_or((*name, None), |(s, c)| (s, Some(c)));
            serde_json::json!({ "seq": seq, "at": 0, "step": step, "client_id": client })
        });
        Timeline(steps.map(|step| serde_json::from_value(step).unwrap()).collect())
    }

    #[test]
    fn finds_an_order_with_others_between() {
        let timeline = timeline(&["a@x", "b@x", "a@y", "c"]);
        timeline.in_order(&["a@x", "a@y", "c"]).unwrap();
        timeline.in_order(&["a", "a"]).unwrap();
    }

    #[test]
    fn refuses_another_order() {
        let timeline = timeline(&["a@x", "b@x"]);
        assert!(timeline.in_order(&["b", "a"]).is_err());
        assert!(timeline.in_order(&["a", "a"]).is_err());
        assert!(timeline.in_order(&["a@y"]).is_err());
    }

    #[test]
    fn counts_by_client() {
        let timeline = timeline(&["a@x", "a@y", "a@x"]);
        assert_eq!(timeline.count("a@x"), 2);
        timeline.exactly(3, "a").unwrap();
        assert!(timeline.exactly(1, "a@x").is_err());
    }
}
