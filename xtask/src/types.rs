//! `cargo xtask types`: writes what is generated from the core's definitions (the driver's types,
//! the page of error codes).
//!
//! The generators are tests of the core, which compare the files with the definitions and write
//! them when told to. So a file that is not current fails the core ring, and no generator is part of
//! a library.

use anyhow::Result;
use std::process::ExitCode;

use crate::process::{cargo, progress, run as run_command};

/// The variable that the core's tests read (`sdk/core/src/testing.rs`).
const BLESS: &str = "GATEPASS_BLESS";

/// Writes the files.
pub(crate) fn run() -> Result<ExitCode> {
    progress("Writing the generated types and docs/errors.md");
    run_command(cargo().args(["test", "--package", "gatepass-core", "--lib"]).env(BLESS, "1"))?;
    Ok(ExitCode::SUCCESS)
}
