//! The test binaries: what cargo is asked to build, and how one is run.

use anyhow::{Context, Result};
use std::path::PathBuf;
use std::process::Command;

use super::libtest::ask_for_events;
use super::members::Member;
use crate::process::{Artifact, build, progress};

/// A test binary of this machine.
pub(super) fn native(binary: &Artifact) -> Command {
    let mut command = Command::new(&binary.file);
    command
        .current_dir(&binary.package_dir)
        .env("CARGO_MANIFEST_DIR", &binary.package_dir)
        // A failure says what and where; a hundred frames around it hide both.
        .env("RUST_BACKTRACE", "0");
    ask_for_events(&mut command);
    command
}

/// The crates with tests for this machine.
pub(super) fn tested(members: &[Member]) -> impl Iterator<Item = &str> {
    members.iter().filter(|member| member.has_native_tests()).map(|member| member.name.as_str())
}

/// Cargo's words for just these crates.
pub(super) fn selected<'a>(
    packages: impl IntoIterator<Item = &'a str>,
) -> impl Iterator<Item = &'a str> {
    packages.into_iter().flat_map(|package| ["--package", package])
}

/// Builds the test binaries of crates, by one call.
///
/// # Errors
/// When one does not compile.
pub(super) fn test_binaries<'a>(
    packages: impl IntoIterator<Item = &'a str>,
    flags: &[&str],
) -> Result<Vec<Artifact>> {
    let packages: Vec<&str> = packages.into_iter().collect();
    progress(&format!("Building the tests of {}", packages.join(", ")));
    let words = ["test", "--no-run"].into_iter().chain(selected(packages));
    let built = build(words.chain(flags.iter().copied()))?;
    let mut tests: Vec<_> = built.into_iter().filter(|artifact| artifact.is_test).collect();
    // Cargo tells them as they are done, which differs from run to run.
    tests.sort_by(|a, b| a.target.cmp(&b.target));
    Ok(tests)
}

/// The program that runs a wasm test binary in a browser.
pub(super) fn runner() -> Result<PathBuf> {
    progress("Building the runner of browser tests");
    let name = "wasm-test-runner";
    let built = build(["build", "--package", "xtask", "--bin", name, "--features", name])?;
    let found = built.into_iter().find(|artifact| artifact.target == name);
    Ok(found.context("cargo built no runner")?.file)
}
