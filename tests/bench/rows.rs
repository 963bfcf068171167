//! What is printed: one row for each thing that was measured.

use anyhow::{Context, Result};
use serde::Serialize;

use crate::spread::Spread;

/// One thing and what was measured of it.
#[derive(Debug, Serialize)]
pub(crate) struct Row {
    /// The part that it belongs to.
    part: &'static str,
    /// Ours is `gatepass` or `idp-dev`; a peer has its package's name.
    name: &'static str,
    /// What the name does not say.
    #[serde(skip_serializing_if = "Option::is_none")]
    note: Option<String>,
    measures: Vec<Measure>,
}

/// What was measured of a thing.
#[derive(Debug, Serialize)]
struct Measure {
    name: &'static str,
    unit: &'static str,
    #[serde(flatten)]
    spread: Spread,
}

impl Row {
    pub(crate) fn new(part: &'static str, name: &'static str) -> Self {
        Self { part, name, note: None, measures: Vec::new() }
    }

    /// The same with a note.
    pub(crate) fn note(self, note: impl Into<String>) -> Self {
        Self { note: Some(note.into()), ..self }
    }

    /// The same with one more measure.
    ///
    /// # Errors
    /// When nothing was measured.
    pub(crate) fn with(
        mut self,
        name: &'static str,
        unit: &'static str,
        values: &[f64],
    ) -> Result<Self> {
        let spread = Spread::of(values)
            .with_context(|| format!("{} {}: nothing was measured", self.name, name))?;
        self.measures.push(Measure { name, unit, spread });
        Ok(self)
    }
}

/// A duration in milliseconds.
pub(crate) fn ms(duration: std::time::Duration) -> f64 {
    duration.as_secs_f64() * 1000.0
}

/// Says how far a part is.
pub(crate) fn progress(what: &str) {
    eprintln!("    {what}");
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_row_says_part_name_and_measures() {
        let row = Row::new("load", "idp-dev").with("logins", "/s", &[1.0, 3.0, 2.0]).unwrap();
        let expected = serde_json::json!({
            "part": "load",
            "name": "idp-dev",
            "measures": [
                { "name": "logins", "unit": "/s", "n": 3,
                  "min": 1.0, "median": 2.0, "p95": 3.0, "max": 3.0 },
            ],
        });
        assert_eq!(serde_json::to_value(row).unwrap(), expected);
        assert!(Row::new("load", "idp-dev").with("logins", "/s", &[]).is_err());
    }
}
