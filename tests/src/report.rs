//! What a journey tells the report beside whether it passed: what its driver could not do.
//!
//! The harness knows only "passed" and "failed". So the lines go to a file that the runner names and
//! reads when the test has ended; a test run in another way fails here rather than hide it.

use anyhow::{Context, Result};
use serde_json::{Value, json};
use std::fs::OpenOptions;
use std::io::Write;

use crate::engine::Cannot;
use crate::environment;

/// The journey could not be walked at all.
///
/// # Errors
/// When the line cannot be written.
pub(crate) fn note_cannot(cannot: Cannot) -> Result<()> {
    note(&json!({ "test": name()?, "cannot": cannot.why }))
}

/// The journey went on without something.
///
/// # Errors
/// When the line cannot be written.
pub(crate) fn note_without(cannot: Cannot) -> Result<()> {
    note(&json!({ "test": name()?, "without": cannot.why }))
}

/// The test that this thread runs, as the harness calls it.
fn name() -> Result<String> {
    let thread = std::thread::current();
    let name = thread.name().filter(|name| *name != "main");
    Ok(name.context("a journey runs on a thread that is not named after it")?.to_owned())
}

fn note(line: &Value) -> Result<()> {
    let file = environment::text(environment::NOTES)?;
    let opened = OpenOptions::new().append(true).create(true).open(&file);
    let mut opened = opened.with_context(|| format!("cannot open {file}"))?;
    // One write for each line: tests run side by side.
    opened.write_all(format!("{line}\n").as_bytes())?;
    Ok(())
}
