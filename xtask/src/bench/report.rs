//! What was measured, for people and for machines.

use anyhow::{Context, Result};
use serde::{Deserialize, Serialize};
use std::fs;

use super::aims;
use super::machine::{self, Machine};
use super::{Part, size};
use crate::test::worlds;
use crate::workspace;

/// All that is known: each part by its last run. `target/report/bench.json`.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(super) struct Report {
    /// When, where and how thoroughly each part was measured, and whether it meets its aim.
    parts: Vec<About>,
    /// What was measured.
    rows: Vec<Row>,
}

/// One part's run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct About {
    pub(super) part: String,
    /// The day, as `2026-11-21`.
    pub(super) date: String,
    pub(super) machine: Machine,
    /// A few runs only.
    pub(super) quick: bool,
    pub(super) aims: Vec<Aim>,
}

/// What is aimed at and whether it was reached in this run.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Aim {
    pub(super) text: String,
    pub(super) met: bool,
}

/// One thing and what was measured of it.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Row {
    pub(super) part: String,
    /// Ours is `gatepass` or `idp-dev`; a peer has its package's name.
    pub(super) name: String,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub(super) note: Option<String>,
    pub(super) measures: Vec<Measure>,
}

/// How the measured values of one kind lie.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct Measure {
    pub(super) name: String,
    pub(super) unit: String,
    pub(super) n: u32,
    pub(super) min: f64,
    pub(super) median: f64,
    pub(super) p95: f64,
    pub(super) max: f64,
}

impl Row {
    /// A measure by its name.
    pub(super) fn measure(&self, name: &str) -> Option<&Measure> {
        self.measures.iter().find(|measure| measure.name == name)
    }
}

/// One part that has just been measured.
pub(super) struct Measured {
    about: About,
    rows: Vec<Row>,
}

impl Measured {
    /// Here and today.
    ///
    /// # Errors
    /// When the machine does not tell what it is.
    pub(super) fn now(part: Part, quick: bool, rows: Vec<Row>) -> Result<Self> {
        let about = About {
            part: part.name().to_owned(),
            date: machine::today()?,
            machine: Machine::here(),
            quick,
            aims: aims::of(part, &rows),
        };
        Ok(Self { about, rows })
    }
}

impl Report {
    /// That of earlier runs, if there is one that can be read.
    pub(super) fn earlier() -> Self {
        let text = fs::read_to_string(workspace::output("report/bench.json"));
        text.ok().and_then(|text| serde_json::from_str(&text).ok()).unwrap_or_default()
    }

    /// Puts a part in the place of what was known of it.
    pub(super) fn put(&mut self, measured: Measured) {
        let part = measured.about.part.clone();
        self.parts.retain(|about| about.part != part);
        self.rows.retain(|row| row.part != part);
        self.parts.push(measured.about);
        self.rows.extend(measured.rows);
        let place = |name: &str| Part::ALL.iter().position(|part| part.name() == name);
        self.parts.sort_by_key(|about| place(&about.part));
        self.rows.sort_by_key(|row| place(&row.part));
    }

    /// What is known of the worlds besides the one that is measured now.
    pub(super) fn rows_of_other_worlds(&self, measured: Option<&str>) -> Vec<Row> {
        let Some(measured) = measured else { return Vec::new() };
        let is_other = |row: &&Row| row.part == Part::Worlds.name() && world_of(row) != measured;
        self.rows.iter().filter(is_other).cloned().collect()
    }

    /// What is known of a part, if it was measured.
    pub(super) fn part(&self, part: Part) -> Option<(&About, Vec<&Row>)> {
        let about = self.parts.iter().find(|about| about.part == part.name())?;
        Some((about, self.rows.iter().filter(|row| row.part == part.name()).collect()))
    }

    /// For machines.
    ///
    /// # Errors
    /// Never, as far as is known.
    pub(super) fn to_json(&self) -> Result<String> {
        serde_json::to_string_pretty(self).context("the report cannot be written")
    }

    /// For people.
    pub(super) fn tables(&self) -> String {
        let mut out = String::new();
        for part in Part::ALL {
            if let Some((about, rows)) = self.part(part) {
                let quick = if about.quick { ", quick" } else { "" };
                out.push_str(&format!("\n{} ({}{quick})\n", title(part), about.date));
                out.push_str(&plain(&lines(part, &rows)));
                for aim in &about.aims {
                    let verdict = if aim.met { "met" } else { "missed" };
                    out.push_str(&format!("Aim: {}: {verdict}\n", aim.text));
                }
            }
        }
        out
    }
}

/// The world of a row: its note begins with it.
fn world_of(row: &Row) -> &str {
    row.note.as_deref().and_then(|note| note.split(',').next()).unwrap_or_default()
}

/// Rows in the order of the worlds.
pub(super) fn by_world(mut rows: Vec<Row>) -> Vec<Row> {
    rows.sort_by_key(|row| worlds::ALL.iter().position(|world| *world == world_of(row)));
    rows
}

/// What a part is about.
pub(super) fn title(part: Part) -> &'static str {
    match part {
        Part::Size => "The whole npm client, bundled by esbuild, as transferred",
        Part::Logout => "Sign-out: click at one app to `anonymous` at the other, cookies blocked",
        Part::Worlds => {
            "Sign-out in each world: click at one app to `anonymous` at the other, on another site"
        }
        Part::Tabs => "Ten tabs of one app whose access token has expired",
        Part::Callback => "Callback: load to `authenticated`, against the same idp-dev",
        Part::Reload => {
            "Reload of an app's only tab to `authenticated`, by where the session is kept"
        }
        Part::Start => "Provider: start to the first verified ID token, keys included",
        Part::Load => "Provider: requests per second, ES256, no password hash",
        Part::Streams => "Provider: many open event streams",
        Part::Verify => "Verification of one ID token, from JSON to the last rule",
        Part::Schedules => {
            "Simulated world: schedules, each with all rules checked after each step"
        }
    }
}

/// The rows of `cargo xtask size` in the form of all rows.
pub(super) fn rows_of_weights(weights: &[size::Row]) -> Vec<Row> {
    let measure = |name: &str, bytes: u64| {
        // Exact: no client weighs 2^53 bytes.
        #[expect(clippy::cast_precision_loss, reason = "a client weighs less than 2^53 bytes")]
        let kilo = bytes as f64 / 1000.0;
        let (name, unit) = (name.to_owned(), "kB".to_owned());
        Measure { name, unit, n: 1, min: kilo, median: kilo, p95: kilo, max: kilo }
    };
    let row = |row: &size::Row| Row {
        part: Part::Size.name().to_owned(),
        name: row.name.clone(),
        note: row.version.clone(),
        measures: vec![
            measure("brotli", row.brotli),
            measure("gzip", row.gzip),
            measure("asked for later, brotli", row.later),
        ],
    };
    weights.iter().map(row).collect()
}

/// A part's table: the head, then a line for each row.
pub(super) fn lines(part: Part, rows: &[&Row]) -> Vec<Vec<String>> {
    let Some(first) = rows.first() else { return Vec::new() };
    let head = |measure: &Measure| match measure.unit.as_str() {
        "" => measure.name.clone(),
        unit => format!("{}, {unit}", measure.name),
    };
    let mut lines = vec![
        std::iter::once(String::new()).chain(first.measures.iter().map(head)).collect::<Vec<_>>(),
    ];
    for row in rows {
        let label = match &row.note {
            Some(note) => format!("{}, {note}", row.name),
            None => row.name.clone(),
        };
        let cell = |measure: &Measure| match part {
            Part::Size => format!("{:.2}", measure.median),
            _ => spread(measure),
        };
        lines.push(std::iter::once(label).chain(row.measures.iter().map(cell)).collect());
    }
    lines
}

/// Median, 95th percentile, and from where to where.
fn spread(measure: &Measure) -> String {
    let Measure { n, min, median, p95, max, .. } = measure;
    if min == max {
        return short(*median);
    }
    let [min, median, p95, max] = [min, median, p95, max].map(|value| short(*value));
    // The 95th percentile of fewer than twenty values is the largest of them.
    if *n < 20 {
        return format!("{median} ({min} to {max})");
    }
    format!("{median}, p95 {p95} ({min} to {max})")
}

/// Three digits that tell something.
fn short(value: f64) -> String {
    if value.fract() == 0.0 {
        return format!("{value:.0}");
    }
    match value.abs() {
        large if large >= 100.0 => format!("{value:.0}"),
        middle if middle >= 10.0 => format!("{value:.1}"),
        _ => format!("{value:.2}"),
    }
}

/// A table whose columns stand under each other.
fn plain(lines: &[Vec<String>]) -> String {
    let columns = lines.iter().map(Vec::len).max().unwrap_or(0);
    let width = |column: usize| {
        let cells = lines.iter().filter_map(|line| line.get(column));
        cells.map(|cell| cell.chars().count()).max().unwrap_or(0)
    };
    let widths: Vec<usize> = (0..columns).map(width).collect();
    let mut out = String::new();
    for line in lines {
        let cells = line.iter().zip(&widths).map(|(cell, width)| format!("{cell:width$}"));
        out.push_str(cells.collect::<Vec<_>>().join("  ").trim_end());
        out.push('\n');
    }
    out
}

#[cfg(test)]
pub(super) mod tests {
    use super::*;

    /// A row with one measure.
    pub(crate) fn row(part: Part, name: &str, measure: &str, values: [f64; 4]) -> Row {
        let [min, median, p95, max] = values;
        let (measure, unit) = (measure.to_owned(), "ms".to_owned());
        Row {
            part: part.name().to_owned(),
            name: name.to_owned(),
            note: None,
            measures: vec![Measure { name: measure, unit, n: 50, min, median, p95, max }],
        }
    }

    /// A report with one row in each part.
    pub(crate) fn full(quick: bool) -> Report {
        let mut report = Report::default();
        for part in Part::ALL {
            let rows = vec![row(part, "gatepass", "time", [1.0, 2.25, 30.0, 400.4])];
            report.put(Measured::now(part, quick, rows).unwrap());
        }
        report
    }

    #[test]
    fn a_part_measured_again_takes_its_own_place() {
        let mut report = full(true);
        let rows = vec![row(Part::Logout, "gatepass", "time", [5.0; 4])];
        report.put(Measured::now(Part::Logout, false, rows).unwrap());
        let order: Vec<_> = report.parts.iter().map(|about| about.part.as_str()).collect();
        assert_eq!(order, Part::ALL.map(Part::name));
        let (about, rows) = report.part(Part::Logout).unwrap();
        assert!(!about.quick);
        assert_eq!(rows.len(), 1);
        assert!(rows[0].measure("time").is_some_and(|measure| measure.median == 5.0));
        assert!(rows[0].measure("other").is_none());
    }

    #[test]
    fn survives_the_way_through_json() {
        let report = full(false);
        let read: Report = serde_json::from_str(&report.to_json().unwrap()).unwrap();
        assert_eq!(read.rows, report.rows);
        assert_eq!(read.parts, report.parts);
    }

    #[test]
    fn shows_spread_in_three_digits() {
        let text = full(false).tables();
        assert!(text.contains("gatepass  2.25, p95 30 (1 to 400)\n"), "{text}");
        let few = Measure {
            n: 3,
            ..row(Part::Load, "x", "y", [10.04, 10.06, 11.0, 11.0]).measures[0].clone()
        };
        assert_eq!(spread(&few), "10.1 (10.0 to 11)");
    }
}
