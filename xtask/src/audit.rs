//! `cargo xtask audit`: known vulnerabilities in the dependencies.
//!
//! Apart from `cargo xtask test`, because it needs a machine that reaches the database, and because
//! its answer changes without a change of ours.

use anyhow::Result;
use std::process::ExitCode;

use crate::deny;

/// Looks every dependency up.
pub(crate) fn run() -> Result<ExitCode> {
    deny::check(&["advisories"])?;
    Ok(ExitCode::SUCCESS)
}
