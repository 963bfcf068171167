//! `cargo xtask simulate`: schedules of the simulated world (`sdk/simulator`), as many as wished.

use anyhow::{Context, Result};
use clap::Args;
use std::path::PathBuf;
use std::process::{Command, ExitCode};

use crate::process::{build, progress, run as run_command};

/// Which schedules.
#[derive(Args)]
pub(crate) struct Options {
    /// How many.
    #[arg(long, value_name = "N", default_value_t = 20_000)]
    seeds: u64,
    /// The first seed.
    #[arg(long, value_name = "S", default_value_t = 0)]
    from: u64,
    /// Tell one story of each rule that is broken, instead of stopping at the first.
    #[arg(long)]
    all: bool,
}

/// Plays them and gives the exit code.
pub(crate) fn run(options: &Options) -> Result<ExitCode> {
    let mut command = command(options.from, options.seeds)?;
    if options.all {
        command.arg("--all");
    }
    let status = command.status().context("cannot start the simulator")?;
    Ok(if status.success() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Plays `seeds` schedules, from this one on.
///
/// # Errors
/// When one breaks a rule; its story is on standard error.
pub(crate) fn play(from: u64, seeds: u64) -> Result<()> {
    run_command(&mut command(from, seeds)?)
}

fn command(from: u64, seeds: u64) -> Result<Command> {
    let mut command = Command::new(program()?);
    command.args(["--from", &from.to_string(), "--seeds", &seeds.to_string()]);
    Ok(command)
}

/// The simulator, built as it is tested: optimised, with overflow checks.
///
/// # Errors
/// When cargo cannot build it.
pub(crate) fn program() -> Result<PathBuf> {
    progress("Building the simulator");
    let name = "simulate";
    let package = ["--package", "gatepass-simulator", "--bin", name];
    let built = build(["build", "--profile", "optimised"].into_iter().chain(package))?;
    let found = built.into_iter().find(|artifact| artifact.target == name);
    Ok(found.context("cargo built no simulator")?.file)
}
