//! What the documents say of the tests.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result, bail, ensure};

#[test]
fn documents_name_tests_that_exist() -> Result<()> {
    let tests = tests()?;
    let text = fs::read_to_string(root()?.join("docs/security.md"))?;
    let missing: Vec<&str> =
        quoted(&text).filter(|word| is_test(word) && !tests.contains(*word)).collect();
    ensure!(missing.is_empty(), "docs/security.md names tests that do not exist: {missing:?}");
    Ok(())
}

/// Each row of the provider's list is there, with a test of its own or a reason in words.
#[test]
fn op_rows_are_all_there() -> Result<()> {
    let text = fs::read_to_string(root()?.join("docs/security.md"))?;
    for number in 1..=33 {
        let id = format!("| OP{number} |");
        let row = text.lines().find(|line| line.starts_with(&id));
        let row = row.with_context(|| format!("docs/security.md has no row OP{number}"))?;
        let says = row.rsplit('|').nth(1).unwrap_or_default();
        let own = format!("op{number}_");
        let has_test = quoted(says).any(|word| word.starts_with(&own));
        let has_reason = says.split_whitespace().count() > 5;
        ensure!(has_test || has_reason, "OP{number} has neither a test nor a reason: {says}");
    }
    Ok(())
}

/// Each row of the client's list is there: with a test of its own or a reason in words, and what it
/// names is where it says.
#[test]
fn rp_rows_are_all_there() -> Result<()> {
    let tests = tests()?;
    let text = fs::read_to_string(root()?.join("docs/security.md"))?;
    for number in 1..=32 {
        let id = format!("RP{number}");
        let row = text.lines().find(|line| line.starts_with(&format!("| {id} |")));
        let row = row.with_context(|| format!("docs/security.md has no row {id}"))?;
        let cells: Vec<&str> = row.split(" | ").collect();
        let [_, _, place, says] = cells[..] else { bail!("{id} has {} cells", cells.len()) };
        // In the last cell nothing but tests stands between backticks.
        let named: Vec<&str> = quoted(says).collect();
        let missing: Vec<_> = named.iter().filter(|name| !tests.contains(**name)).collect();
        ensure!(missing.is_empty(), "{id} names tests that do not exist: {missing:?}");
        let has_reason = named.is_empty() && says.split_whitespace().count() > 5;
        ensure!(!named.is_empty() || has_reason, "{id} has neither a test nor a reason");
        let mut source = String::new();
        for word in quoted(place) {
            if word.contains('.') {
                source = source_of(word).with_context(|| format!("{id}: {word}"))?;
            } else {
                let definition = format!("fn {word}(");
                ensure!(source.contains(&definition), "{id}: {word} is not in the file before it");
            }
        }
        let is_nowhere = place.trim() == "nowhere";
        ensure!(is_nowhere != quoted(place).any(|word| word.contains('.')), "{id} lives nowhere");
    }
    Ok(())
}

/// A file of the client: below the core unless its path says otherwise.
fn source_of(path: &str) -> Result<String> {
    let root = root()?;
    let below = if path.starts_with("sdk/") { root } else { root.join("sdk/core/src") };
    fs::read_to_string(below.join(path)).context("there is no such file")
}

/// The lobby draws each step of the provider in words of its own.
#[test]
fn lobby_has_words_for_each_step_of_the_provider() -> Result<()> {
    let steps = fs::read_to_string(root()?.join("idp-dev/src/timeline/step.rs"))?;
    let words = fs::read_to_string(root()?.join("xtask/lobby/words.js"))?;
    let names = steps.split("#[serde(rename = \"").skip(1).filter_map(|s| s.split('"').next());
    let names: Vec<&str> = names.filter(|name| name.contains('.')).collect();
    ensure!(names.len() > 40, "few steps are found: {names:?}");
    let missing: Vec<_> =
        names.iter().filter(|name| !words.contains(&format!("  \"{name}\": "))).collect();
    ensure!(missing.is_empty(), "xtask/lobby/words.js has no words for {missing:?}");
    Ok(())
}

/// The words between backticks.
fn quoted(text: &str) -> impl Iterator<Item = &str> {
    text.lines().flat_map(|line| line.split('`').skip(1).step_by(2))
}

/// A function's name and not a path, a command or a parameter: these have no number and underscore.
fn is_test(word: &str) -> bool {
    let is_name = word.bytes().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == b'_');
    let prefix = word.split('_').next().unwrap_or_default();
    let is_id = prefix == "oidcc" || prefix.ends_with(|c: char| c.is_ascii_digit());
    is_name && is_id && word.contains('_')
}

/// The names of all functions of the tree that are tests, in Rust.
fn tests() -> Result<BTreeSet<String>> {
    let mut names = BTreeSet::new();
    let mut open: Vec<PathBuf> = ["idp-dev", "sdk", "tests", "xtask"]
        .iter()
        .map(|directory| Ok(root()?.join(directory)))
        .collect::<Result<_>>()?;
    while let Some(directory) = open.pop() {
        for entry in fs::read_dir(&directory)? {
            let path = entry?.path();
            let name = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
            if path.is_dir() {
                if !["target", "node_modules", "dist"].contains(&name.as_str()) {
                    open.push(path);
                }
            } else if name.ends_with(".rs") {
                names.extend(tests_of(&fs::read_to_string(&path)?));
            }
        }
    }
    Ok(names)
}

/// The functions below a `#[test]`, or one of its kin, before the next line that is neither an
/// attribute nor a comment.
fn tests_of(source: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut is_test = false;
    for line in source.lines().map(str::trim) {
        let is_attribute = line.starts_with("#[") && line.trim_end_matches(']').contains("test");
        if is_attribute {
            is_test = true;
        } else if is_test && !line.starts_with("#[") && !line.starts_with("//") {
            let name = line.split("fn ").nth(1).and_then(|rest| rest.split('(').next());
            found.extend(name.map(str::to_owned));
            is_test = false;
        }
    }
    found
}

fn root() -> Result<PathBuf> {
    let manifest = Path::new(env!("CARGO_MANIFEST_DIR"));
    Ok(manifest.parent().context("the crate has no parent")?.to_path_buf())
}
