//! The rules of the tree that a machine can check: which crate may know which, and what each one
//! promises in its manifest and its root.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, Result};
use cargo_metadata::{Metadata, MetadataCommand, Package};

/// Each crate and what it may depend on of ours, for its tests too. Nothing else is allowed.
///
/// idp-dev, the tests and xtask know nothing of ours: a specification that is misread in the client
/// must not be misread the same way by what it is tested against.
const ARROWS: [(&str, &[&str]); 14] = [
    ("demo-pied-piper", &["demo-bones", "gatepass-leptos", "gatepass"]),
    ("demo-hooli", &["demo-bones", "gatepass-leptos", "gatepass"]),
    ("demo-bones", &["gatepass-leptos", "gatepass"]),
    ("gatepass-leptos", &["gatepass"]),
    ("gatepass", &["gatepass-core", "gatepass-verifier", "gatepass-vectors"]),
    ("gatepass-npm", &["gatepass-core"]),
    ("gatepass-core", &["gatepass-verifier", "gatepass-vectors"]),
    ("gatepass-verifier", &["gatepass-vectors"]),
    ("gatepass-simulator", &["gatepass-core"]),
    ("gatepass-vectors", &[]),
    ("idp-dev", &[]),
    ("gatepass-tests", &[]),
    ("demo-api", &[]),
    ("xtask", &[]),
];

/// What the core has no use for, directly or through others: a browser, a clock, randomness, I/O.
const NOT_IN_THE_CORE: [&str; 9] = [
    "wasm-bindgen",
    "js-sys",
    "web-sys",
    "getrandom",
    "rand",
    "tokio",
    "chrono",
    "time",
    "reqwest",
];

/// What would make the npm package large: its effects are the driver's.
const NOT_IN_THE_NPM_FACE: [&str; 6] =
    ["js-sys", "web-sys", "gloo", "wasm-bindgen-futures", "serde-wasm-bindgen", "serde_json"];

/// What each crate root must say.
const ROOTS: [(&str, &str); 4] = [
    ("sdk/core/src/lib.rs", "#![no_std]"),
    ("sdk/core/src/lib.rs", "#![forbid(unsafe_code)]"),
    ("idp-dev/src/lib.rs", "#![forbid(unsafe_code)]"),
    ("idp-dev/src/main.rs", "#![forbid(unsafe_code)]"),
];

#[test]
fn every_arrow_is_a_permitted_one() -> Result<()> {
    let metadata = metadata(false)?;
    let members: BTreeSet<&str> = metadata.packages.iter().map(|it| it.name.as_str()).collect();
    let mut forbidden = Vec::new();
    for package in &metadata.packages {
        let permitted = permitted(&package.name);
        for dependency in &package.dependencies {
            let name = dependency.name.as_str();
            if members.contains(name) && !permitted.contains(&name) {
                forbidden.push(format!("{} -> {name}", package.name));
            }
        }
    }
    assert!(forbidden.is_empty(), "arrows that ARROWS does not permit: {forbidden:?}");
    Ok(())
}

#[test]
fn every_crate_has_its_line_of_arrows() -> Result<()> {
    let metadata = metadata(false)?;
    let members: BTreeSet<&str> = metadata.packages.iter().map(|it| it.name.as_str()).collect();
    let listed: BTreeSet<&str> = ARROWS.iter().map(|(name, _)| *name).collect();
    assert_eq!(members, listed);
    Ok(())
}

#[test]
fn rp32_the_core_reaches_no_browser_clock_or_randomness() -> Result<()> {
    let metadata = metadata(true)?;
    let reached = reached_by(&metadata, "gatepass-core")?;
    let found: Vec<_> = NOT_IN_THE_CORE.iter().filter(|name| reached.contains(**name)).collect();
    assert!(found.is_empty(), "gatepass-core reaches {found:?}");
    Ok(())
}

#[test]
fn the_npm_face_leaves_effects_to_the_driver() -> Result<()> {
    let metadata = metadata(true)?;
    let reached = reached_by(&metadata, "gatepass-npm")?;
    let found: Vec<_> =
        NOT_IN_THE_NPM_FACE.iter().filter(|name| reached.contains(**name)).collect();
    assert!(found.is_empty(), "gatepass-npm reaches {found:?}");
    Ok(())
}

#[test]
fn every_crate_takes_the_lints_of_the_workspace() -> Result<()> {
    for (name, manifest) in manifests()? {
        let takes = manifest
            .get("lints")
            .and_then(|lints| lints.get("workspace"))
            .and_then(toml::Value::as_bool);
        assert_eq!(takes, Some(true), "{name} needs `[lints] workspace = true`");
    }
    Ok(())
}

#[test]
fn every_version_stands_in_the_workspace() -> Result<()> {
    for (name, manifest) in manifests()? {
        for (dependency, value) in dependencies(&manifest) {
            let is_shared = value.get("workspace").and_then(toml::Value::as_bool) == Some(true);
            assert!(is_shared, "{name}: {dependency} needs `workspace = true`");
        }
    }
    Ok(())
}

#[test]
fn crate_roots_say_what_they_promise() -> Result<()> {
    for (file, promise) in ROOTS {
        let path = root()?.join(file);
        let source = fs::read_to_string(&path).with_context(|| file.to_owned())?;
        let says = source.lines().any(|line| line.trim() == promise);
        assert!(says, "{file} needs {promise}");
    }
    Ok(())
}

#[test]
fn rp32_licences_and_dependency_rules_are_there() -> Result<()> {
    for file in ["deny.toml", "LICENSE-MIT", "LICENSE-APACHE"] {
        assert!(root()?.join(file).is_file(), "{file} is missing");
    }
    Ok(())
}

fn permitted(name: &str) -> &'static [&'static str] {
    ARROWS.iter().find(|(from, _)| *from == name).map_or(&[], |(_, to)| to)
}

/// All packages that one is built with, for any target; what only tests use is not counted.
fn reached_by(metadata: &Metadata, from: &str) -> Result<BTreeSet<String>> {
    let resolve = metadata.resolve.as_ref().context("cargo resolves no graph")?;
    let names: BTreeMap<_, &Package> = metadata.packages.iter().map(|it| (&it.id, it)).collect();
    let nodes: BTreeMap<_, _> = resolve.nodes.iter().map(|node| (&node.id, node)).collect();
    let start = metadata.packages.iter().find(|it| it.name.as_str() == from);
    let mut open = vec![&start.context("the crate is no member")?.id];
    let mut reached = BTreeSet::new();
    while let Some(id) = open.pop() {
        for next in &nodes[id].deps {
            let is_built = next
                .dep_kinds
                .iter()
                .any(|kind| kind.kind == cargo_metadata::DependencyKind::Normal);
            if is_built && reached.insert(names[&next.pkg].name.to_string()) {
                open.push(&next.pkg);
            }
        }
    }
    Ok(reached)
}

fn metadata(with_dependencies: bool) -> Result<Metadata> {
    let mut command = MetadataCommand::new();
    command.manifest_path(root()?.join("Cargo.toml"));
    if !with_dependencies {
        command.no_deps();
    }
    command.exec().context("cargo does not describe the workspace")
}

/// Each member's name and manifest.
fn manifests() -> Result<Vec<(String, toml::Table)>> {
    let read = |package: &Package| {
        let text = fs::read_to_string(&package.manifest_path)?;
        Ok((package.name.to_string(), text.parse()?))
    };
    metadata(false)?.packages.iter().map(read).collect()
}

/// Each dependency of a manifest, of every kind and target.
fn dependencies(manifest: &toml::Table) -> Vec<(String, toml::Value)> {
    const KINDS: [&str; 3] = ["dependencies", "dev-dependencies", "build-dependencies"];
    let targets = manifest.get("target").and_then(toml::Value::as_table);
    let tables = targets.into_iter().flatten().filter_map(|(_, value)| value.as_table());
    std::iter::once(manifest)
        .chain(tables)
        .flat_map(|table| KINDS.iter().filter_map(|kind| table.get(*kind)?.as_table()))
        .flat_map(|kind| kind.iter().map(|(name, value)| (name.clone(), value.clone())))
        .collect()
}

fn root() -> Result<PathBuf> {
    let manifest = Path::new(env!("CARGO_MANIFEST_DIR"));
    Ok(manifest.parent().context("the crate has no parent")?.to_path_buf())
}
