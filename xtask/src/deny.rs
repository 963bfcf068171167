//! cargo-deny over the whole dependency graph, by `deny.toml`.

use anyhow::Result;
use std::process::Command;

use crate::needs;
use crate::process::run;
use crate::workspace;

/// Runs these checks of cargo-deny (`licenses`, `sources`, `bans`, `advisories`).
///
/// # Errors
/// When one finds something, or cargo-deny cannot be had.
pub(crate) fn check(which: &[&str]) -> Result<()> {
    let program = needs::cargo_deny()?;
    run(Command::new(program)
        .current_dir(workspace::root())
        .args(["--workspace", "--all-features", "--log-level", "error", "check"])
        .args(which))
}
