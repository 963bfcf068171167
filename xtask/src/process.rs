//! Running other programs, with everything they say on standard error.

use anyhow::{Context, Result, bail};
use serde::Deserialize;
use std::ffi::OsStr;
use std::io::{BufRead, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::workspace;

/// Says what begins now.
pub(crate) fn progress(what: &str) {
    eprintln!("==> {what}");
}

/// Cargo, in the working tree.
pub(crate) fn cargo() -> Command {
    let mut command = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    // Set for test binaries only (see test::libtest); a build under it is another build.
    command.current_dir(workspace::root()).env_remove("RUSTC_BOOTSTRAP");
    command
}

/// A script of an npm package in `xtask/node_modules`, run by Node on every system alike.
pub(crate) fn node_script(relative: &str) -> Command {
    let mut command = Command::new("node");
    command.arg(workspace::path("xtask/node_modules").join(relative));
    command
}

/// npm, which is a batch file on Windows.
pub(crate) fn npm() -> Command {
    Command::new(if cfg!(windows) { "npm.cmd" } else { "npm" })
}

/// Runs to the end; its output goes to standard error.
pub(crate) fn run(command: &mut Command) -> Result<()> {
    let status = command
        .stdin(Stdio::null())
        .stdout(Stdio::from(std::io::stderr()))
        .status()
        .with_context(|| format!("cannot start {}", shown(command)))?;
    if !status.success() {
        bail!("{} ended with {status}", shown(command));
    }
    Ok(())
}

/// Runs to the end and gives what it printed.
pub(crate) fn read(command: &mut Command) -> Result<String> {
    let output = command
        .stdin(Stdio::null())
        .stderr(Stdio::inherit())
        .output()
        .with_context(|| format!("cannot start {}", shown(command)))?;
    if !output.status.success() {
        bail!("{} ended with {}", shown(command), output.status);
    }
    String::from_utf8(output.stdout)
        .with_context(|| format!("{} printed something that is not UTF-8", shown(command)))
}

/// A command as it would be typed.
pub(crate) fn shown(command: &Command) -> String {
    let program = Path::new(command.get_program());
    let name = program.file_stem().unwrap_or(program.as_os_str());
    std::iter::once(name)
        .chain(command.get_args())
        .map(OsStr::to_string_lossy)
        .collect::<Vec<_>>()
        .join(" ")
}

/// Something that cargo built and that can be run or read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Artifact {
    /// The directory of the package's manifest.
    pub(crate) package_dir: PathBuf,
    /// The target's name: of the library, binary or test file.
    pub(crate) target: String,
    /// Whether it is a test harness.
    pub(crate) is_test: bool,
    /// The binary; for wasm, the module.
    pub(crate) file: PathBuf,
}

/// Builds with cargo (`build` or `test --no-run`) and gives the binaries that came out.
///
/// Cargo is asked where they are, instead of guessing below `target`: a target directory can be
/// configured in several places.
pub(crate) fn build<'a>(arguments: impl IntoIterator<Item = &'a str>) -> Result<Vec<Artifact>> {
    let mut command = cargo();
    let mut arguments = arguments.into_iter();
    command
        .args(arguments.next())
        // Before the rest, of which a part may be for the compiler.
        .arg("--message-format=json-render-diagnostics")
        .args(arguments)
        .stdin(Stdio::null())
        .stdout(Stdio::piped());
    let mut child = command.spawn().with_context(|| format!("cannot start {}", shown(&command)))?;
    let mut artifacts = Vec::new();
    if let Some(stdout) = child.stdout.take() {
        for line in BufReader::new(stdout).lines() {
            artifacts.extend(artifact(&line?));
        }
    }
    let status = child.wait()?;
    if !status.success() {
        bail!("{} ended with {status}", shown(&command));
    }
    Ok(artifacts)
}

/// Reads one line of cargo's messages.
fn artifact(line: &str) -> Option<Artifact> {
    let message: Message = serde_json::from_str(line).ok()?;
    if message.reason != "compiler-artifact" {
        return None;
    }
    let target = message.target?;
    let is_wasm = |path: &PathBuf| path.extension().is_some_and(|end| end == "wasm");
    let file = message.executable.or_else(|| message.filenames.into_iter().find(is_wasm))?;
    Some(Artifact {
        package_dir: message.manifest_path?.parent()?.to_path_buf(),
        target: target.name,
        is_test: message.profile.is_some_and(|profile| profile.test),
        file,
    })
}

#[derive(Deserialize)]
struct Message {
    reason: String,
    manifest_path: Option<PathBuf>,
    target: Option<Target>,
    profile: Option<Profile>,
    #[serde(default)]
    filenames: Vec<PathBuf>,
    executable: Option<PathBuf>,
}

#[derive(Deserialize)]
struct Target {
    name: String,
}

#[derive(Deserialize)]
struct Profile {
    test: bool,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_a_binary_from_cargos_message() {
        let line = r#"{"reason":"compiler-artifact","manifest_path":"/w/idp/Cargo.toml",
            "target":{"name":"idp-dev","kind":["bin"]},"profile":{"test":false,"opt_level":"0"},
            "filenames":["/t/debug/idp-dev"],"executable":"/t/debug/idp-dev","fresh":true}"#;
        let expected = Artifact {
            package_dir: "/w/idp".into(),
            target: "idp-dev".into(),
            is_test: false,
            file: "/t/debug/idp-dev".into(),
        };
        assert_eq!(artifact(line), Some(expected));
    }

    #[test]
    fn reads_a_wasm_library_which_is_no_executable() {
        let line = r#"{"reason":"compiler-artifact","manifest_path":"/w/npm/Cargo.toml",
            "target":{"name":"gatepass_npm"},"profile":{"test":false},
            "filenames":["/t/x.rlib","/t/x.wasm"],"executable":null}"#;
        assert_eq!(artifact(line).map(|found| found.file), Some("/t/x.wasm".into()));
    }

    #[test]
    fn passes_over_libraries_and_other_messages() {
        let library = r#"{"reason":"compiler-artifact","manifest_path":"/w/Cargo.toml",
            "target":{"name":"x"},"profile":{"test":false},"filenames":["/t/x.rlib"],
            "executable":null}"#;
        assert_eq!(artifact(library), None);
        assert_eq!(artifact(r#"{"reason":"build-finished","success":true}"#), None);
        assert_eq!(artifact("not json"), None);
    }

    #[test]
    fn shows_a_command_as_typed() {
        let mut command = Command::new("/usr/bin/cargo");
        command.args(["build", "-p", "x"]);
        assert_eq!(shown(&command), "cargo build -p x");
    }
}
