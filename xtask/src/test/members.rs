//! The crates of the workspace, and what kinds of test each one holds.

use anyhow::{Context, Result, bail};
use serde::Deserialize;
use std::fs;
use std::path::PathBuf;

use crate::process::{cargo, read};
use crate::stamp::files_below;

/// Crates that are programs or libraries of this machine.
const NATIVE: [&str; 8] = [
    "gatepass-core",
    "gatepass-verifier",
    "gatepass-vectors",
    "gatepass-simulator",
    "idp-dev",
    "gatepass-tests",
    "demo-api",
    "xtask",
];

/// Crates that are made for the browser.
const BROWSER: [&str; 6] =
    ["gatepass", "gatepass-leptos", "gatepass-npm", "demo-bones", "demo-pied-piper", "demo-hooli"];

/// One crate of the workspace.
#[derive(Debug)]
pub(super) struct Member {
    pub(super) name: String,
    pub(super) home: PathBuf,
    pub(super) is_native: bool,
    has_library: bool,
    /// All its Rust source.
    source: String,
}

impl Member {
    /// Whether it holds tests for this machine.
    pub(super) fn has_native_tests(&self) -> bool {
        self.lines().any(|line| line == "#[test]" || line.starts_with("#[tokio::test"))
    }

    /// Whether it holds tests for a browser.
    pub(super) fn has_browser_tests(&self) -> bool {
        self.lines().any(|line| line.starts_with("#[wasm_bindgen_test"))
    }

    /// Whether its documentation holds examples, which are compiled and mostly run.
    pub(super) fn has_examples(&self) -> bool {
        self.has_library
            && self.lines().any(|line| line.starts_with("/// ```") || line.starts_with("//! ```"))
    }

    fn lines(&self) -> impl Iterator<Item = &str> {
        self.source.lines().map(str::trim)
    }
}

/// All crates of the workspace.
///
/// # Errors
/// When a crate is in neither list of this file: its lints and tests would be left out in silence.
pub(super) fn all() -> Result<Vec<Member>> {
    let metadata =
        read(cargo().args(["metadata", "--no-deps", "--format-version", "1", "--quiet"]))?;
    let metadata: Metadata =
        serde_json::from_str(&metadata).context("cannot read cargo's metadata")?;
    metadata.packages.into_iter().map(member).collect()
}

fn member(package: Package) -> Result<Member> {
    let is_native = NATIVE.contains(&package.name.as_str());
    if !is_native && !BROWSER.contains(&package.name.as_str()) {
        bail!("the crate {} is in neither list of xtask/src/test/members.rs", package.name);
    }
    let home = package.manifest_path.parent().context("a manifest has a directory")?;
    let mut source = String::new();
    for directory in ["src", "tests", "examples"] {
        for file in files_below(&home.join(directory))? {
            if file.extension().is_some_and(|end| end == "rs") {
                source.push_str(&fs::read_to_string(&file)?);
                source.push('\n');
            }
        }
    }
    let is_library = |kind: &String| kind.contains("lib");
    let has_library = package.targets.iter().any(|target| target.kind.iter().any(is_library));
    Ok(Member { name: package.name, home: home.to_path_buf(), is_native, has_library, source })
}

#[derive(Deserialize)]
struct Metadata {
    packages: Vec<Package>,
}

#[derive(Deserialize)]
struct Package {
    name: String,
    manifest_path: PathBuf,
    targets: Vec<Target>,
}

#[derive(Deserialize)]
struct Target {
    kind: Vec<String>,
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(source: &str) -> Member {
        Member {
            name: "x".to_owned(),
            home: PathBuf::new(),
            is_native: true,
            has_library: true,
            source: source.to_owned(),
        }
    }

    #[test]
    fn sees_the_kinds_of_test() {
        assert!(of("    #[test]\n    fn a() {}").has_native_tests());
        assert!(of("#[tokio::test(flavor = \"multi_thread\")]").has_native_tests());
        assert!(of("#[wasm_bindgen_test]\nasync fn a() {}").has_browser_tests());
        assert!(of("/// ```\n/// let a = 1;\n/// ```").has_examples());
    }

    #[test]
    fn sees_none_where_there_is_none() {
        let member = of("// a #[test] in a sentence\nfn a() {}");
        assert!(!member.has_native_tests());
        assert!(!member.has_browser_tests());
        assert!(!member.has_examples());
    }

    #[test]
    fn knows_every_crate_of_the_workspace() {
        let members = all().unwrap();
        assert_eq!(members.len(), NATIVE.len() + BROWSER.len());
        assert!(members.iter().any(|member| member.name == "xtask" && member.has_native_tests()));
    }
}
