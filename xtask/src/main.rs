//! `cargo xtask VERB`: build, serve, test and measure Gatepass.
//!
//! One file per verb. Verbs share `workspace` (where things are), `process` (running programs),
//! `needs` (what a machine must have), `stamp` (what need not be done again) and `bindgen`.
//!
//! Standard output belongs to a verb's result, so that a script can read it; progress and the
//! output of every program that is started go to standard error.

mod audit;
mod bench;
mod bindgen;
mod demo;
mod deny;
mod fuzz;
mod guard;
mod mutants;
mod needs;
mod npm;
mod peers;
mod process;
mod simulate;
mod size;
mod stamp;
mod test;
mod types;
mod workspace;

use clap::{Parser, Subcommand};
use std::process::ExitCode;

/// Build, serve, test and measure Gatepass.
#[derive(Parser)]
#[command(name = "cargo xtask", bin_name = "cargo xtask")]
struct Arguments {
    #[command(subcommand)]
    verb: Verb,
}

#[derive(Subcommand)]
enum Verb {
    /// Build the two apps, the provider and the lobby, and serve them on this machine.
    Demo(demo::Options),
    /// Run every test there is, or one ring of them.
    Test(test::Options),
    /// Build the npm package: target/npm/gatepass-VERSION.tgz.
    Npm,
    /// Print what the npm client weighs when an app bundles it.
    Size(size::Options),
    /// Measure ours beside the peers, in tables for people or as JSON.
    Bench(bench::Options),
    /// Change the verification files one place at a time: does a test notice each change?
    Mutants(mutants::Options),
    /// Give random bytes to what reads messages, guided by coverage.
    Fuzz(fuzz::Options),
    /// Play schedules of the simulated world, and tell the story of the first that breaks a rule.
    Simulate(simulate::Options),
    /// Write what other people's clients make of idp-dev's scenarios to docs/peers.md.
    Peers(peers::Options),
    /// Write the types and docs that are generated from the core's definitions.
    Types,
    /// Look the dependencies up in the database of known vulnerabilities.
    Audit,
    /// Run a program that ends when this process's parent ends.
    #[command(hide = true)]
    Guard(guard::Options),
}

fn main() -> ExitCode {
    let outcome = match Arguments::parse().verb {
        Verb::Demo(options) => demo::run(options),
        Verb::Test(options) => test::run(&options),
        Verb::Npm => npm::run(),
        Verb::Size(options) => size::run(&options),
        Verb::Bench(options) => bench::run(&options),
        Verb::Mutants(options) => mutants::run(&options),
        Verb::Fuzz(options) => fuzz::run(&options),
        Verb::Simulate(options) => simulate::run(&options),
        Verb::Peers(options) => peers::run(&options),
        Verb::Types => types::run(),
        Verb::Audit => audit::run(),
        Verb::Guard(options) => guard::run(options),
    };
    match outcome {
        Ok(code) => code,
        Err(error) => {
            eprintln!("error: {error:#}");
            ExitCode::FAILURE
        }
    }
}
