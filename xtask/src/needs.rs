//! What a machine must have, fetched by the ordinary clients or named in one line.

mod browsers;

use anyhow::{Context, Result, bail};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use crate::process::{cargo, npm, progress, read, run};
use crate::stamp::Stamp;
use crate::workspace;
pub(crate) use browsers::{Browser, Firefox, WebKit, browser, certutil, firefox, webkit};

/// The target that the apps and the npm package are built for.
pub(crate) const WASM: &str = "wasm32-unknown-unknown";

/// Node's oldest version that the scripts are tried with.
const OLDEST_NODE: u32 = 20;

/// The version of cargo-deny that is built when the machine has none.
const CARGO_DENY: &str = "0.20.2";

/// The version of cargo-mutants, likewise.
const CARGO_MUTANTS: &str = "27.1.0";

/// The version of geckodriver, likewise. Debian has no package of it, npm's downloads it from elsewhere,
/// and those that carry it are of strangers: Mozilla's own source takes a minute to build.
const GECKODRIVER: &str = "0.37.1";

/// The version of cargo-fuzz that is built when the machine has none.
const CARGO_FUZZ: &str = "0.13.2";

/// The compiler can build for the browser.
///
/// # Errors
/// When it cannot and rustup cannot add that.
pub(crate) fn wasm_target() -> Result<()> {
    if let Ok(installed) = read(Command::new("rustup").args(["target", "list", "--installed"])) {
        if installed.lines().any(|target| target.trim() == WASM) {
            return Ok(());
        }
        progress(&format!("Adding the target {WASM}"));
        return run(Command::new("rustup").args(["target", "add", WASM]))
            .with_context(|| format!("install it with: rustup target add {WASM}"));
    }
    // A compiler that did not come by rustup.
    let sysroot = read(Command::new("rustc").args(["--print", "sysroot"]))?;
    if Path::new(sysroot.trim()).join("lib/rustlib").join(WASM).is_dir() {
        return Ok(());
    }
    bail!(
        "the compiler lacks the target {WASM}: install rustup, then run: rustup target add {WASM}"
    )
}

/// Node and npm are there, and new enough.
///
/// # Errors
/// When they are not; the message says what to install.
pub(crate) fn node() -> Result<()> {
    let advice = || format!("install Node {OLDEST_NODE} or newer with npm (nodejs.org)");
    let version = read(Command::new("node").arg("--version")).with_context(advice)?;
    match major(&version) {
        Some(found) if found >= OLDEST_NODE => {}
        _ => bail!("Node {} is too old: {}", version.trim(), advice()),
    }
    if !answers(npm().arg("--version")) {
        bail!("npm is missing: {}", advice());
    }
    Ok(())
}

/// The npm packages of `xtask/package-lock.json` are installed, exactly those.
///
/// # Errors
/// When npm cannot install them.
pub(crate) fn npm_packages() -> Result<()> {
    npm_packages_of("xtask")
}

/// The npm packages of a directory's `package-lock.json` are installed, exactly those.
///
/// # Errors
/// When npm cannot install them.
pub(crate) fn npm_packages_of(directory: &str) -> Result<()> {
    node()?;
    let directory = workspace::path(directory);
    let stamp = Stamp::of("npm ci").content(&directory.join("package-lock.json"))?.finish();
    let kept = directory.join("node_modules/.gatepass-stamp");
    if stamp.is_kept_in(&kept) {
        return Ok(());
    }
    progress("Installing npm packages");
    run(npm().args(["ci", "--no-audit", "--no-fund", "--loglevel=error"]).current_dir(&directory))?;
    stamp.keep_in(&kept)
}

/// cargo-deny: the machine's own if it is new enough, otherwise one built into `target/tools`.
///
/// # Errors
/// When cargo cannot build it.
pub(crate) fn cargo_deny() -> Result<PathBuf> {
    cargo_tool("cargo-deny", CARGO_DENY, &["--version"])
}

/// cargo-mutants, likewise.
///
/// # Errors
/// When cargo cannot build it.
pub(crate) fn cargo_mutants() -> Result<PathBuf> {
    cargo_tool("cargo-mutants", CARGO_MUTANTS, &["mutants", "--version"])
}

/// cargo-fuzz: the machine's own if it is new enough, otherwise one built into `target/tools`.
///
/// # Errors
/// When cargo cannot build it.
pub(crate) fn cargo_fuzz() -> Result<PathBuf> {
    cargo_tool("cargo-fuzz", CARGO_FUZZ, &["fuzz", "--version"])
}

/// geckodriver, likewise.
///
/// # Errors
/// When cargo cannot build it.
fn geckodriver() -> Result<PathBuf> {
    cargo_tool("geckodriver", GECKODRIVER, &["--version"])
}

fn cargo_tool(name: &str, version: &str, ask: &[&str]) -> Result<PathBuf> {
    let built = workspace::output("tools").join("bin").join(executable(name));
    let found = in_path(&[name]).into_iter().chain([built.clone()]);
    for candidate in found.filter(|path| path.exists()) {
        if let Ok(told) = read(Command::new(&candidate).args(ask))
            && told.lines().next().is_some_and(|line| says_at_least(line, version))
        {
            return Ok(candidate);
        }
    }
    progress(&format!("Building {name} {version} into target/tools (once)"));
    // Optimising it costs minutes; what it does here takes seconds either way.
    run(cargo()
        .args(["install", name, "--locked", "--version", version, "--profile", "dev"])
        .args(["--force", "--root"])
        .arg(workspace::output("tools"))
        .env("CARGO_PROFILE_DEV_DEBUG", "0"))?;
    Ok(built)
}

/// The first of these programs that PATH has.
fn in_path(names: &[&str]) -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    names.iter().find_map(|name| {
        std::env::split_paths(&path)
            .map(|dir| dir.join(executable(name)))
            .find(|file| file.is_file())
    })
}

fn executable(name: &str) -> String {
    format!("{name}{}", std::env::consts::EXE_SUFFIX)
}

fn is_root() -> bool {
    read(Command::new("id").arg("-u")).is_ok_and(|id| id.trim() == "0")
}

fn answers(command: &mut Command) -> bool {
    command
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status()
        .is_ok_and(|status| status.success())
}

/// The first number of a version such as `v20.11.1`.
fn major(version: &str) -> Option<u32> {
    version.trim().trim_start_matches('v').split('.').next()?.parse().ok()
}

/// Whether one of the words is a version that is new enough.
fn says_at_least(line: &str, oldest: &str) -> bool {
    line.split_whitespace().any(|word| is_at_least(word, oldest))
}

fn is_at_least(version: &str, oldest: &str) -> bool {
    let parts = |text: &str| text.split('.').map(str::parse::<u32>).collect::<Result<Vec<_>, _>>();
    matches!((parts(version), parts(oldest)), (Ok(found), Ok(oldest)) if found >= oldest)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_nodes_major_version() {
        assert_eq!(major("v20.11.1\n"), Some(20));
        assert_eq!(major("22.0.0"), Some(22));
        assert_eq!(major("node"), None);
    }

    #[test]
    fn compares_versions_by_number() {
        assert!(is_at_least("0.20.2", "0.20.2"));
        assert!(is_at_least("0.100.0", "0.20.2"));
        assert!(!is_at_least("0.9.9", "0.20.2"));
        assert!(!is_at_least("", "0.20.2"));
        assert!(says_at_least("geckodriver 0.37.1 ( 2026-01-01)", "0.37.1"));
        assert!(!says_at_least("geckodriver 0.36.0 (abc)", "0.37.1"));
    }
}
