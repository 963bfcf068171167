//! `cargo xtask peers`: what other people's clients make of the scenarios, as a table in docs/peers.md.

use anyhow::{Context, Result};
use clap::Args;
use std::process::{Command, ExitCode};

use crate::process::{build, progress, run as run_command};
use crate::{needs, workspace};

/// All scenarios, or one.
#[derive(Args)]
pub(crate) struct Options {
    /// Prints what becomes of this scenario and leaves the table as it is.
    #[arg(long, value_name = "NAME")]
    scenario: Option<String>,
}

/// Writes the table.
pub(crate) fn run(options: &Options) -> Result<ExitCode> {
    needs::npm_packages_of("tests")?;
    progress("Building idp-dev");
    let built = build(["build", "--package", "idp-dev"])?;
    let idp_dev =
        built.into_iter().find(|artifact| artifact.target == "idp-dev" && !artifact.is_test);
    let idp_dev = idp_dev.context("cargo built no idp-dev")?.file;
    progress("Other people's clients against each scenario: this takes minutes");
    run_command(
        Command::new("node")
            .arg(workspace::path("tests/peers/judge.mjs"))
            .arg(idp_dev)
            .arg(workspace::path("docs/peers.md"))
            .args(&options.scenario),
    )?;
    Ok(ExitCode::SUCCESS)
}
