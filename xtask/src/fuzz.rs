//! `cargo xtask fuzz TARGET`: coverage-guided fuzzing of what the client and the provider read.
//!
//! cargo-fuzz builds `tests/fuzz`, a workspace of its own, with the stable compiler: without a
//! sanitizer, for nothing in it is unsafe. What it finds interesting is kept below `target`; the
//! corpora of the tree stay small and are replayed by the ordinary tests of the two crates.

use anyhow::{Result, bail};
use clap::{Args, ValueEnum};
use std::fs;
use std::process::{Command, ExitCode};

use crate::process::{progress, run as run_command};
use crate::{needs, workspace};

/// What to fuzz, and for how long.
#[derive(Args)]
pub(crate) struct Options {
    /// What is given random bytes; all of them one after the other without it.
    #[arg(value_enum)]
    target: Option<Target>,
    /// For each target.
    #[arg(long, value_name = "N", default_value_t = 60)]
    seconds: u32,
}

/// What is fuzzed.
#[derive(Clone, Copy, Debug, ValueEnum)]
#[value(rename_all = "snake_case")]
enum Target {
    /// The address that the provider sends the browser back to.
    Callback,
    /// The JSON reader, against serde_json.
    Json,
    /// ID tokens.
    Jwt,
    /// The provider's keys.
    Jwks,
    /// The provider's metadata.
    Discovery,
    /// What the token endpoint answers.
    TokenResponse,
    /// The session-events stream.
    EventStream,
    /// The attempt's record, as storage gives it back.
    Attempt,
    /// What other tabs say.
    Broadcast,
    /// Facts in any order.
    Door,
    /// Requests to idp-dev.
    IdpRequest,
    /// Configurations of idp-dev.
    IdpConfig,
}

impl Target {
    fn name(self) -> String {
        self.to_possible_value().map(|value| value.get_name().to_owned()).unwrap_or_default()
    }

    /// The provider's own dependencies take minutes to build for the fuzzer.
    fn features(self) -> &'static [&'static str] {
        match self {
            Self::IdpRequest | Self::IdpConfig => &["--features", "provider"],
            _ => &[],
        }
    }
}

/// Fuzzes and gives the exit code: a failure if an input broke something.
pub(crate) fn run(options: &Options) -> Result<ExitCode> {
    let targets = options.target.map_or(Target::value_variants().to_vec(), |target| vec![target]);
    fuzz(&targets, options.seconds)?;
    Ok(ExitCode::SUCCESS)
}

/// Every target for so long.
///
/// # Errors
/// When cargo-fuzz cannot be had, or an input broke something; the message says where it is.
pub(crate) fn all(seconds: u32) -> Result<()> {
    fuzz(Target::value_variants(), seconds)
}

fn fuzz(targets: &[Target], seconds: u32) -> Result<()> {
    let program = needs::cargo_fuzz()?;
    let mut broken = Vec::new();
    for target in targets {
        let name = target.name();
        progress(&format!("Fuzzing {name} for {seconds} s"));
        let found = workspace::output("fuzz-corpus").join(&name);
        let crashes = workspace::output("fuzz-crashes").join(&name);
        for directory in [&found, &crashes] {
            fs::create_dir_all(directory)?;
        }
        let mut command = Command::new(&program);
        command
            .args(["fuzz", "run", "--fuzz-dir", ".", "--sanitizer", "none"])
            .args(target.features())
            .arg("--target-dir")
            .arg(workspace::output("fuzz"))
            .arg(&name)
            // New inputs go to the first; those of the tree are where it begins.
            .arg(&found)
            .arg(workspace::path("tests/fuzz/corpus").join(&name))
            .arg("--")
            .arg(format!("-max_total_time={seconds}"))
            // An input that takes longer than this is a finding too.
            .args(["-timeout=20", "-rss_limit_mb=2048", "-max_len=20000", "-print_final_stats=1"])
            .arg(format!("-artifact_prefix={}/", crashes.display()))
            .current_dir(workspace::path("tests/fuzz"));
        if let Err(error) = run_command(&mut command) {
            eprintln!("{error:#}");
            broken.push(format!("{name} (inputs: {})", crashes.display()));
        }
    }
    if broken.is_empty() {
        return Ok(());
    }
    bail!(
        "broken: {}. Mend it, and keep the input in tests/fuzz/corpus: it is replayed from then on",
        broken.join(", ")
    )
}

#[cfg(test)]
mod tests {
    use anyhow::Context as _;

    use super::*;

    /// A target without a corpus would be replayed by nothing.
    #[test]
    fn every_target_has_a_corpus_and_a_program() -> Result<()> {
        let manifest = fs::read_to_string(workspace::path("tests/fuzz/Cargo.toml"))?;
        for target in Target::value_variants() {
            let name = target.name();
            let corpus = workspace::path("tests/fuzz/corpus").join(&name);
            let count = fs::read_dir(&corpus).with_context(|| name.clone())?.count();
            assert!(count > 0, "{name} has no corpus");
            assert!(manifest.contains(&format!("name = \"{name}\"")), "{name}");
        }
        Ok(())
    }
}
