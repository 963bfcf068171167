//! The tables in README.md, written in place.

use anyhow::{Context, Result, bail};
use std::collections::BTreeSet;
use std::fs;

use super::Part;
use super::report::{About, Report, lines, title};
use crate::process::progress;
use crate::workspace;

/// Between these lines the README is ours to write.
const BEGIN: &str = "<!-- figures: written by cargo xtask bench --readme -->";
const END: &str = "<!-- end of figures -->";

/// Puts the report's tables into the README.
///
/// # Errors
/// When a part was never measured, or only quickly, or the README has no place for them.
pub(super) fn write(report: &Report) -> Result<()> {
    let file = workspace::path("README.md");
    let old = fs::read_to_string(&file).context("cannot read README.md")?;
    let new = put(&old, &text(report)?)?;
    fs::write(&file, new).context("cannot write README.md")?;
    progress("README.md has the new tables");
    Ok(())
}

fn put(readme: &str, text: &str) -> Result<String> {
    let places = readme.split_once(BEGIN).and_then(|(before, rest)| {
        let (_, after) = rest.split_once(END)?;
        Some((before, after))
    });
    let (before, after) = places.with_context(|| format!("README.md lacks {BEGIN} ... {END}"))?;
    Ok(format!("{before}{BEGIN}\n{text}\n{END}{after}"))
}

fn text(report: &Report) -> Result<String> {
    let mut tables = String::new();
    let mut circumstances = BTreeSet::new();
    for part in Part::ALL {
        let Some((about, rows)) = report.part(part) else {
            bail!("{} was never measured: run `cargo xtask bench --readme`", part.name());
        };
        if about.quick {
            bail!("{} was measured quickly only: run it without --quick", part.name());
        }
        circumstances.insert(circumstance(about));
        tables.push_str(&format!("\n**{}**\n\n", title(part)));
        tables.push_str(&markdown(&lines(part, &rows)));
        let aims = about.aims.iter().map(|aim| {
            let verdict = if aim.met { "met" } else { "missed" };
            format!("{}: {verdict}", aim.text)
        });
        tables.push_str(&format!("\nAim: {}.\n", aims.collect::<Vec<_>>().join("; ")));
    }
    let circumstances: Vec<_> = circumstances.into_iter().collect();
    Ok(format!("Last run: {}.\n{tables}", circumstances.join("; ")))
}

fn circumstance(about: &About) -> String {
    let machine = &about.machine;
    format!(
        "{}, {} ({} of {}), Node {}, {}",
        about.date,
        machine.system,
        machine.processors,
        machine.processor,
        machine.node,
        machine.browser
    )
}

fn markdown(lines: &[Vec<String>]) -> String {
    let mut out = String::new();
    for (index, line) in lines.iter().enumerate() {
        // A bar in a cell would end it.
        let cells: Vec<_> = line.iter().map(|cell| cell.replace('|', "\\|")).collect();
        out.push_str(&format!("| {} |\n", cells.join(" | ")));
        if index == 0 {
            let rules: Vec<_> =
                (0..line.len()).map(|column| if column == 0 { "---" } else { "---:" }).collect();
            out.push_str(&format!("|{}|\n", rules.join("|")));
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::super::report::tests::full;
    use super::*;

    #[test]
    fn replaces_what_is_between_the_marks_only() {
        let readme = format!("# A\n{BEGIN}\nold\n{END}\n# B\n");
        let once = put(&readme, "new").unwrap();
        assert_eq!(once, format!("# A\n{BEGIN}\nnew\n{END}\n# B\n"));
        assert_eq!(put(&once, "new").unwrap(), once);
        assert!(put("# A\n", "new").is_err());
        assert!(put(&format!("{END}{BEGIN}"), "new").is_err());
    }

    #[test]
    fn the_readme_of_the_tree_has_a_place_for_them() {
        let readme = fs::read_to_string(workspace::path("README.md")).unwrap();
        assert!(put(&readme, "new").is_ok());
    }

    #[test]
    fn writes_a_table_for_each_part() {
        let text = text(&full(false)).unwrap();
        for part in Part::ALL {
            assert!(text.contains(title(part)), "{text}");
        }
        assert!(text.contains("|  | time, ms |\n|---|---:|\n| gatepass |"), "{text}");
    }

    #[test]
    fn refuses_what_is_not_whole() {
        assert!(text(&full(true)).is_err());
        assert!(text(&Report::default()).is_err());
    }
}
