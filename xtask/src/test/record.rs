//! Recording the demo: one journey of the tests, which takes a picture at each step.

use anyhow::{Context, Result, bail};
use std::path::{Path, absolute};
use std::process::Command;

use super::System;
use super::binaries::test_binaries;
use super::worlds::CHROMIUM;
use crate::process::{progress, run};

/// The test file that records, and nothing else.
const TARGET: &str = "record";

/// Writes a page with every picture, and each picture as a file if a directory is given.
///
/// # Errors
/// When something does not build, or the journey fails: then there is nothing to show.
pub(crate) fn record(page: &Path, pictures: Option<&Path>) -> Result<()> {
    if page.extension().is_none_or(|end| end != "html") {
        bail!("--record writes one page with all pictures: name it such as demo.html");
    }
    let system = System::without_npm(&std::env::current_exe()?)?;
    let binaries = test_binaries(["gatepass-tests"], &[])?;
    let recorder = binaries.iter().find(|binary| binary.target == TARGET);
    let recorder = recorder.context("the tests have no recorder")?;
    progress("Walking through the demo");
    let mut command = Command::new(&recorder.file);
    command
        .current_dir(&recorder.package_dir)
        .env("CARGO_MANIFEST_DIR", &recorder.package_dir)
        .env("RUST_BACKTRACE", "0")
        .envs(system.environment(CHROMIUM[0])?)
        // The journey runs elsewhere than the person who names the files.
        .env("GATEPASS_RECORD_PAGE", absolute(page)?);
    if let Some(directory) = pictures {
        command.env("GATEPASS_RECORD_PICTURES", absolute(directory)?);
    }
    run(&mut command)?;
    progress(&format!("Recorded in {}", page.display()));
    Ok(())
}
