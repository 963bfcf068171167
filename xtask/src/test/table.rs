//! The table of rows by worlds: what passes where, and what a driver cannot do.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write;

use super::report::{Entry, Outcome, Ring};
use super::{rows, worlds};

/// What a row is.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Detail {
    /// One behaviour, by its id: all journeys that show it.
    Behaviours,
    /// One journey.
    Journeys,
}

/// The journeys of a run as a table in Markdown, with its reasons below.
pub(super) fn of(entries: &[Entry], detail: Detail) -> String {
    let mut cells: BTreeMap<(Row, &str), Vec<&Entry>> = BTreeMap::new();
    let is_journey = |entry: &&Entry| matches!(entry.ring, Ring::Npm | Ring::E2e);
    for entry in entries.iter().filter(is_journey) {
        for row in rows_of(entry, detail) {
            cells.entry((row, entry.world)).or_default().push(entry);
        }
    }
    let names: BTreeSet<&Row> = cells.keys().map(|(row, _)| row).collect();
    let mut reasons: Vec<&str> = Vec::new();
    let mut text = format!("| row | {} |\n|---|", worlds::ALL.join(" | "));
    text.push_str(&"---|".repeat(worlds::ALL.len()));
    text.push('\n');
    for row in names {
        let _ = write!(text, "| {} |", row.1);
        for world in worlds::ALL {
            let found = cells.get(&(row.clone(), world)).map(Vec::as_slice).unwrap_or_default();
            let _ = write!(text, " {} |", cell(found, &mut reasons));
        }
        text.push('\n');
    }
    for (index, reason) in reasons.iter().enumerate() {
        let _ = write!(text, "\n[{}] {reason}", index + 1);
    }
    text.push('\n');
    text
}

/// A row's place in the table and its name.
type Row = ((String, u32), String);

fn rows_of(entry: &Entry, detail: Detail) -> Vec<Row> {
    match detail {
        Detail::Journeys => vec![((String::new(), 0), entry.name.clone())],
        Detail::Behaviours => rows::ids(&entry.name).map(|id| (place(&id), id)).collect(),
    }
}

/// F2 stands before F11.
fn place(id: &str) -> (String, u32) {
    let letters = id.trim_end_matches(|c: char| c.is_ascii_digit());
    (letters.to_owned(), id.trim_start_matches(letters).parse().unwrap_or_default())
}

/// What a cell says; a number stands for a reason, which is listed once.
fn cell<'a>(entries: &[&'a Entry], reasons: &mut Vec<&'a str>) -> String {
    let is = |outcome| move |entry: &&&Entry| entry.outcome == outcome;
    if entries.iter().any(|entry| matches!(entry.outcome, Outcome::Failed | Outcome::Ignored)) {
        return "FAILED".to_owned();
    }
    let (passed, cannot) =
        (entries.iter().filter(is(Outcome::Passed)), entries.iter().filter(is(Outcome::Cannot)));
    let later = entries.iter().filter(is(Outcome::Later)).count();
    let mut said = match (passed.count(), cannot.count()) {
        (0, 0) if later > 0 => return "by `test all`".to_owned(),
        (0, 0) => return "not run".to_owned(),
        (_, 0) => "ok".to_owned(),
        (0, _) => "driver cannot".to_owned(),
        (some, _) => format!("ok ({some} of {})", entries.len() - later),
    };
    let told = entries.iter().flat_map(|entry| entry.cannot.iter().chain(&entry.without));
    let mut numbers = BTreeSet::new();
    for reason in told {
        let known = reasons.iter().position(|known| known == reason).unwrap_or_else(|| {
            reasons.push(reason);
            reasons.len() - 1
        });
        numbers.insert(known + 1);
    }
    for number in numbers {
        let _ = write!(said, " [{number}]");
    }
    said
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(name: &str, world: &'static str, outcome: Outcome, cannot: Option<&str>) -> Entry {
        Entry {
            name: name.to_owned(),
            ring: Ring::E2e,
            world,
            outcome,
            seconds: None,
            cannot: cannot.map(str::to_owned),
            without: Vec::new(),
            said: None,
        }
    }

    #[test]
    fn tells_each_world_and_each_reason() {
        let [blocked, .., webkit] = worlds::ALL;
        let entries = [
            entry("f2_f11_a", blocked, Outcome::Passed, None),
            entry("f2_b", blocked, Outcome::Failed, None),
            entry("f2_f11_a", webkit, Outcome::Cannot, Some("it logs nothing")),
            entry("f2_b", webkit, Outcome::Passed, None),
            entry("f2_c", webkit, Outcome::Later, None),
            entry("f12_d", blocked, Outcome::Later, None),
        ];
        let table = of(&entries, Detail::Behaviours);
        let rows: Vec<_> = table.lines().skip(2).take(3).collect();
        assert_eq!(
            rows,
            [
                "| F2 | FAILED | not run | not run | not run | ok (1 of 2) [1] |",
                "| F11 | ok | not run | not run | not run | driver cannot [1] |",
                "| F12 | by `test all` | not run | not run | not run | not run |",
            ]
        );
        assert!(table.ends_with("[1] it logs nothing\n"), "{table}");
    }
}
