//! What the npm package promises to those who compile against it.

use anyhow::{Context, ensure};
use gatepass_tests::npm_app::{built, copy};
use gatepass_tests::{Result, environment};
use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

/// Writes the report instead of comparing with it: for whoever changes the types on purpose.
const BLESS: &str = "GATEPASS_BLESS";

/// The public types of one entry of the installed package.
fn report(package: &Path, entry: &str) -> Result<String> {
    let output = Command::new("node")
        .arg(environment::crate_path("api/report.mjs"))
        .args([package.as_os_str(), entry.as_ref()])
        .stdin(Stdio::null())
        .output()
        .context("cannot start node")?;
    let errors = String::from_utf8_lossy(&output.stderr);
    ensure!(output.status.success(), "no report of {entry}: {errors}");
    Ok(String::from_utf8(output.stdout)?)
}

#[test]
fn the_public_types_are_those_agreed_upon() -> Result {
    let dist = built()?;
    let app = dist.parent().context("the app has no directory")?;
    // Elsewhere: the reporter takes what lies in node_modules for somebody else's.
    let package = environment::output("journeys/npm-api");
    if package.exists() {
        fs::remove_dir_all(&package)?;
    }
    copy(&app.join("node_modules/gatepass"), &package)?;
    let package = package.canonicalize()?;
    let found = report(&package, "npm/ts/index.d.ts")?;
    let inline = report(&package, "npm/ts/inline.d.ts")?;
    ensure!(found.contains("interface Options {"), "the report tells no types:\n{found}");
    ensure!(found == inline, "`gatepass` and `gatepass/inline` differ in their types");
    let agreed_file = environment::crate_path("api/gatepass.api.md");
    if std::env::var_os(BLESS).is_some_and(|value| value == "1") {
        return Ok(fs::write(agreed_file, found)?);
    }
    let agreed = fs::read_to_string(&agreed_file)?.replace("\r\n", "\n");
    let gone: Vec<_> = agreed.lines().filter(|line| !found.contains(line)).collect();
    let new: Vec<_> = found.lines().filter(|line| !agreed.contains(line)).collect();
    ensure!(
        agreed == found,
        "the public types of the npm package have changed:\n- {}\n+ {}\nIf that is wanted, run \
         `{BLESS}=1 cargo xtask test npm --filter public_types` and say so in CHANGELOG.md",
        gone.join("\n- "),
        new.join("\n+ ")
    );
    Ok(())
}
