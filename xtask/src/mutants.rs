//! `cargo xtask mutants`: whether every rule is held by a test.
//!
//! cargo-mutants changes the verification files in one place after another, in a copy of the tree,
//! and runs the core's tests. A change that no test notices is a rule that no test holds. Most changes
//! are noticed by the quick tests; what those let pass is tried again with all of them.
//!
//! A change that makes a loop endless is noticed by the processor time that its tests take, never by the
//! clock on the wall: on a machine that is busy, tests that pass are late too. Tests that are late and have
//! spent nothing have decided nothing, and count as such.

use anyhow::{Context, Result, bail};
use clap::Args;
use serde::Deserialize;
use std::fs;
use std::io::ErrorKind;
use std::path::Path;
use std::process::{Command, ExitCode};

use crate::process::progress;
use crate::{needs, workspace};

/// What decides whether a message of somebody else is believed.
const FILES: [&str; 13] = [
    "sdk/core/src/id_token.rs",
    "sdk/core/src/event_token.rs",
    "sdk/core/src/user_info.rs",
    "sdk/core/src/machine/verification.rs",
    "sdk/core/src/jws.rs",
    "sdk/core/src/jwk.rs",
    "sdk/core/src/authorization.rs",
    "sdk/core/src/token.rs",
    "sdk/core/src/metadata.rs",
    "sdk/core/src/attempt.rs",
    "sdk/core/src/learnt.rs",
    "sdk/core/src/claims.rs",
    "sdk/core/src/json/read.rs",
];

/// The eight tests that take three quarters of the time: inputs by the thousand, and slow keys. The
/// first round goes without them.
const SLOW: [&str; 8] = [
    "f5_no_flipped_bit_of_a_good_logout_token_ends_a_session",
    "f5_no_flipped_bit_of_a_good_token_makes_a_session",
    "f5_nothing_made_up_is_a_session",
    "rfc9864_ed25519_is_eddsa_by_its_full_name",
    "rp10_both_verifiers_refuse_the_neighbours_of_a_good_signature",
    "rp12_a_set_of_many_keys_is_bounded",
    "rp12_kid_is_compared_and_nothing_else",
    "rp26_any_document_is_read_as_serde_json_wrote_it",
];

/// How many seconds of a processor a process of a run may take: all tests take some 20, a compiler less.
/// One that takes more does not come to an end.
const PROCESSOR_SECONDS: u32 = 60;

/// How many seconds on the wall the tests of one change may take before they are given up. A processor
/// that is shared with others is no reason to get there.
const GIVEN_UP_AFTER: u32 = 900;

/// Which files, and whether an earlier run counts.
#[derive(Args)]
pub(crate) struct Options {
    /// Only these files instead of all that verify.
    #[arg(long = "file", value_name = "PATH")]
    files: Vec<String>,
    /// Go on where a run of the same files was stopped.
    #[arg(long)]
    resume: bool,
}

/// Runs the mutants and gives the exit code: a failure if one survived.
pub(crate) fn run(options: &Options) -> Result<ExitCode> {
    let score = test(&options.files, options.resume)?;
    print!("{}", score.told());
    Ok(if score.is_good() { ExitCode::SUCCESS } else { ExitCode::FAILURE })
}

/// Runs the mutants of these files, or of all that verify; with `resume`, those that an earlier run has
/// not seen noticed.
///
/// # Errors
/// When cargo-mutants cannot be had, or the tests fail without any change.
pub(crate) fn test(files: &[String], resume: bool) -> Result<Score> {
    let output = workspace::output("mutants");
    fs::create_dir_all(&output)?;
    progress("Changing the verification files, one place after another");
    let quick = round(files, resume, &SLOW)?;
    let earlier =
        if resume { lines(&output.join("mutants.out/previously_caught.txt"))? } else { 0 };
    if quick.survivors.is_empty() && quick.undecided.is_empty() {
        return Ok(Score { earlier, ..quick });
    }
    progress("Trying again, with all tests, what the quick ones let pass");
    let whole = round(files, true, &[])?;
    Ok(Score {
        earlier,
        caught: quick.caught + whole.caught,
        unviable: quick.unviable + whole.unviable,
        ..whole
    })
}

/// One run of cargo-mutants. With `known`, without the changes that the last one saw noticed.
fn round(files: &[String], known: bool, skipped: &[&str]) -> Result<Score> {
    let output = workspace::output("mutants");
    // The limit of the shell is that of each process that it becomes or starts.
    let mut command = Command::new("sh");
    command
        .args(["-c", &format!("ulimit -t {PROCESSOR_SECONDS} && exec \"$0\" \"$@\"")])
        .arg(needs::cargo_mutants()?)
        .arg("mutants")
        .args(["--package", "gatepass-core", "--test-package", "gatepass-core"])
        .args(["--timeout", &GIVEN_UP_AFTER.to_string(), "--colors", "never", "--no-times"])
        .args(known.then_some("--iterate"))
        .arg("--output")
        .arg(&output)
        // Kept, so that what the core's tests are made of is built once.
        .env("CARGO_TARGET_DIR", output.join("build"))
        // Nobody looks for the line in which a changed core fails.
        .env("CARGO_PROFILE_DEV_DEBUG", "0")
        .current_dir(workspace::root());
    if files.is_empty() {
        command.args(FILES.iter().flat_map(|file| ["--file", *file]));
    } else {
        command.args(files.iter().flat_map(|file| ["--file", file.as_str()]));
    }
    // Inputs by the thousand for each change: rules are held by tests that name them.
    // (And no examples: they show how, not whether.)
    command.args(["--", "--lib", "--test", "machine", "--", "--skip", "fuzz_corpus"]);
    command.args(skipped.iter().flat_map(|name| ["--skip", *name]));
    let status =
        command.stdout(std::io::stderr()).status().context("cannot start cargo-mutants")?;
    // All were noticed, some were not, some were late: the report tells better which. Anything else, the
    // limit for instance, cut it short.
    if !matches!(status.code(), Some(0 | 2 | 3)) {
        bail!("cargo-mutants ended with {status}");
    }
    let report = output.join("mutants.out/outcomes.json");
    let report = fs::read_to_string(&report)
        .with_context(|| format!("cargo-mutants ended with {status} and left no report"))?;
    read(&report)
}

/// How many lines a list has that need not be there.
fn lines(list: &Path) -> Result<usize> {
    match fs::read_to_string(list) {
        Ok(text) => Ok(text.lines().count()),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(0),
        Err(error) => Err(error).with_context(|| list.display().to_string()),
    }
}

/// What became of the changes.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Score {
    /// Changes that an earlier run saw noticed, or did not compile.
    earlier: usize,
    caught: usize,
    /// Changes that do not compile: no test is needed.
    unviable: usize,
    /// Those that no test noticed.
    survivors: Vec<String>,
    /// Those whose tests were given up, so that nobody knows.
    undecided: Vec<String>,
}

impl Score {
    /// Whether there was something to notice, and all of it was noticed.
    pub(crate) fn is_good(&self) -> bool {
        self.survivors.is_empty() && self.undecided.is_empty() && self.caught > 0
    }

    /// The score for people.
    pub(crate) fn told(&self) -> String {
        let all = self.caught + self.survivors.len() + self.undecided.len();
        let mut told = format!(
            "{} of {all} changes were noticed, {} survived, {} did not compile\n",
            self.caught,
            self.survivors.len(),
            self.unviable
        );
        if self.earlier > 0 {
            told.push_str(&format!("{} more were noticed by an earlier run\n", self.earlier));
        }
        for survivor in &self.survivors {
            told.push_str(&format!("survived: {survivor}\n"));
        }
        for change in &self.undecided {
            told.push_str(&format!("undecided, its tests did not end in time: {change}\n"));
        }
        told
    }
}

/// Reads the report of cargo-mutants.
fn read(report: &str) -> Result<Score> {
    let report: Report = serde_json::from_str(report).context("outcomes.json")?;
    let named = |summary: &str| {
        let outcomes = report.outcomes.iter().filter(|outcome| outcome.summary == summary);
        outcomes
            .filter_map(|outcome| Some(outcome.scenario["Mutant"]["name"].as_str()?.to_owned()))
            .collect()
    };
    Ok(Score {
        earlier: 0,
        caught: report.caught,
        unviable: report.unviable,
        survivors: named("MissedMutant"),
        undecided: named("Timeout"),
    })
}

#[derive(Deserialize)]
struct Report {
    outcomes: Vec<Outcome>,
    caught: usize,
    unviable: usize,
}

#[derive(Deserialize)]
struct Outcome {
    /// An object for a mutant; a text for the tests without any change.
    scenario: serde_json::Value,
    summary: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    const REPORT: &str = r#"{"outcomes":[
        {"scenario":"Baseline","summary":"Success","phase_results":[]},
        {"scenario":{"Mutant":{"name":"a.rs:1:2: replace < with <=","package":"x"}},
         "summary":"MissedMutant"},
        {"scenario":{"Mutant":{"name":"a.rs:3:4: replace a with b"}},"summary":"CaughtMutant"}],
        "total_mutants":2,"missed":1,"caught":1,"timeout":0,"unviable":3,"success":0}"#;

    #[test]
    fn reads_the_score_and_names_survivors() {
        let score = read(REPORT).unwrap();
        assert!(!score.is_good());
        assert_eq!(score.survivors, ["a.rs:1:2: replace < with <="]);
        let told = score.told();
        assert!(told.starts_with("1 of 2 changes were noticed"), "{told}");
        assert!(told.contains("survived: a.rs:1:2"), "{told}");
    }

    #[test]
    fn late_is_not_noticed() {
        let late = REPORT.replace("MissedMutant", "Timeout");
        let score = read(&late).unwrap();
        assert!(score.survivors.is_empty());
        assert!(!score.is_good());
        assert!(score.told().contains("in time: a.rs:1:2"), "{}", score.told());
    }

    #[test]
    fn nothing_changed_is_no_score() {
        let nothing = r#"{"outcomes":[],"caught":0,"timeout":0,"unviable":0}"#;
        assert!(!read(nothing).unwrap().is_good());
        assert!(read("{}").is_err());
    }

    #[test]
    fn every_file_is_there() {
        for file in FILES {
            assert!(workspace::path(file).is_file(), "{file}");
        }
    }

    #[test]
    fn every_slow_test_is_there() {
        let tests = fs::read_dir(workspace::path("sdk/core/tests")).unwrap();
        let text: String = tests
            .map(|file| file.unwrap().path())
            .filter(|file| file.extension().is_some_and(|ending| ending == "rs"))
            .map(|file| fs::read_to_string(file).unwrap())
            .collect();
        for name in SLOW {
            assert!(text.contains(&format!("fn {name}(")), "{name}");
        }
    }
}
