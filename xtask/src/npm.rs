//! `cargo xtask npm`: the npm package, as a tarball.
//!
//! The package mirrors the tree below `sdk` (`npm/ts`, `npm/wasm`, `driver`), so that no import has
//! to be rewritten: what the compiler checked is what is shipped.

use anyhow::{Context, Result, bail};
use serde::Deserialize;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use crate::needs::{self, WASM};
use crate::process::{Artifact, build, node_script, npm, progress, read, run as run_command};
use crate::stamp::files_below;
use crate::{bindgen, workspace};

/// The base name of what wasm-bindgen writes, which `sdk/npm/ts/load.ts` imports.
const MODULE: &str = "gatepass";

/// The same for the portable verifier, which `sdk/npm/ts/verifier.ts` imports.
const VERIFIER: &str = "verifier";

/// What the compiler is told besides the profile. A stack of 64 KiB in place of 1 MiB makes the
/// addresses of constants a byte shorter; it lies below them, so running over it traps. Loops are
/// not rewritten for speed, and a call counts double when it is weighed against inlining.
const SMALL_CODE: [&str; 3] = [
    "-Clink-arg=-zstack-size=65536",
    "-Cllvm-args=-disable-lsr",
    "-Cllvm-args=-inline-call-penalty=50",
];

/// What the optimiser is told, by what it gained after brotli (docs/adr/0005): functions that are
/// called once stay functions, loops and blocks are built anew, and the lowest kilobyte of memory,
/// the end of the stack, counts as never read.
const SMALL_MODULE: [&str; 6] = [
    "--low-memory-unused",
    "--flatten",
    "--rereloop",
    "-Oz",
    "-Oz",
    "--one-caller-inline-max-function-size=0",
];

/// Builds the package and says where it is.
pub(crate) fn run() -> Result<ExitCode> {
    let tarball = pack()?;
    println!("{}", workspace::shown(&tarball));
    Ok(ExitCode::SUCCESS)
}

/// Builds the package and gives its tarball.
///
/// # Errors
/// When a part does not build, or npm refuses to pack it.
pub(crate) fn pack() -> Result<PathBuf> {
    needs::wasm_target()?;
    needs::npm_packages()?;
    let _lock = workspace::lock("npm")?;
    let package = workspace::output("npm/package");
    if package.exists() {
        fs::remove_dir_all(&package)
            .with_context(|| format!("cannot empty {}", package.display()))?;
    }
    fs::create_dir_all(&package)?;
    modules(&package.join("npm").join("wasm"))?;
    scripts(&package)?;
    papers(&package)?;
    tarball(&package)
}

/// The wasm modules and their glue: the client, and the portable verifier that few pages load.
fn modules(directory: &Path) -> Result<()> {
    fs::create_dir_all(directory)?;
    let client = module(&compiled()?, MODULE, &SMALL_MODULE, directory)?;
    let base64 = base64(&fs::read(client)?);
    fs::write(directory.join("inline.js"), format!("export default \"{base64}\";\n"))?;
    module(&compiled_verifier()?, VERIFIER, &["-Oz"], directory)?;
    Ok(())
}

/// Writes one module and its glue, and says where it is.
fn module(compiled: &Path, name: &str, flags: &[&str], directory: &Path) -> Result<PathBuf> {
    let bound = workspace::output("npm/bindgen").join(name);
    bindgen::bundler(compiled, &bound, name)?;
    let glue = format!("{name}_bg.js");
    fs::copy(bound.join(&glue), directory.join(&glue))?;
    let file = format!("{name}_bg.wasm");
    let small = directory.join(&file);
    // What the compiler noted about its features has served once the optimiser has read it.
    run_command(
        node_script("binaryen/bin/wasm-opt")
            .args(flags)
            .args(["--strip-debug", "--strip-producers", "--strip-target-features", "-o"])
            .args([&small, &bound.join(&file)]),
    )?;
    Ok(small)
}

/// The client's module as the compiler makes it.
fn compiled() -> Result<PathBuf> {
    progress("Building the npm package's wasm");
    let arguments = ["rustc", "--package", "gatepass-npm", "--target", WASM, "--profile", "npm"];
    let built = build(arguments.into_iter().chain(["--"]).chain(SMALL_CODE))?;
    wasm_of(built, "gatepass_npm")
}

/// The verifier's. Its stack stays as it is: big numbers lie on it.
fn compiled_verifier() -> Result<PathBuf> {
    progress("Building the portable verifier's wasm");
    let built = build(
        ["rustc", "--package", "gatepass-verifier", "--lib", "--crate-type", "cdylib"]
            .into_iter()
            .chain(["--features", "module", "--target", WASM, "--profile", "npm"]),
    )?;
    wasm_of(built, "gatepass_verifier")
}

fn wasm_of(built: Vec<Artifact>, target: &str) -> Result<PathBuf> {
    let wasm = built.into_iter().find(|artifact| artifact.target == target);
    Ok(wasm.with_context(|| format!("cargo built no {target}"))?.file)
}

/// The module that ships, with its functions' names, and with functions that have one caller left
/// apart: inlined, most of the code would stand under one name. That costs it about a hundredth.
///
/// # Errors
/// When a step fails.
pub(crate) fn named_module() -> Result<PathBuf> {
    needs::wasm_target()?;
    needs::npm_packages()?;
    let _lock = workspace::lock("npm")?;
    let bound = workspace::output("npm/named");
    bindgen::bundler_with_names(&compiled()?, &bound, MODULE)?;
    let small = bound.join("small.wasm");
    run_command(
        node_script("binaryen/bin/wasm-opt")
            .args(["-Oz", "--debuginfo", "--one-caller-inline-max-function-size=0"])
            .args(["--strip-producers", "--strip-target-features", "-o"])
            .args([&small, &bound.join(format!("{MODULE}_bg.wasm"))]),
    )?;
    Ok(small)
}

/// Installs the package into an app of its own below `target`, and gives the app's directory: what
/// is weighed and timed is what npm installs, not what lies in the tree.
///
/// # Errors
/// When the package cannot be built or npm not install it.
pub(crate) fn installed() -> Result<PathBuf> {
    let tarball = pack()?;
    let app = workspace::output("npm/app");
    fs::create_dir_all(&app)?;
    fs::write(app.join("package.json"), "{ \"private\": true }\n")?;
    run_command(
        npm()
            .args(["install", "--no-save", "--no-audit", "--no-fund", "--loglevel=error"])
            .args(["--no-package-lock", "--force"])
            .arg(&tarball)
            .current_dir(&app),
    )?;
    Ok(app)
}

fn base64(bytes: &[u8]) -> String {
    use base64ct::Encoding;
    base64ct::Base64::encode_string(bytes)
}

/// The face and the driver: compiled where they are TypeScript, with their types.
fn scripts(package: &Path) -> Result<()> {
    progress("Compiling the npm package's TypeScript");
    run_command(
        node_script("typescript/bin/tsc")
            .arg("--project")
            .arg(workspace::path("sdk/npm"))
            .arg("--outDir")
            .arg(package),
    )?;
    // The compiler leaves written declarations where they are.
    for source in ["driver", "npm/wasm"] {
        for file in files_below(&workspace::path("sdk").join(source))? {
            if file.to_string_lossy().ends_with(".d.ts") {
                copy_into(&file, &package.join(source))?;
            }
        }
    }
    Ok(())
}

/// What a package has besides its code.
fn papers(package: &Path) -> Result<()> {
    let manifest = workspace::path("sdk/npm/package.json");
    let text = fs::read_to_string(&manifest)
        .with_context(|| format!("cannot read {}", manifest.display()))?;
    let found: Manifest = serde_json::from_str(&text).context("sdk/npm/package.json")?;
    let ours = env!("CARGO_PKG_VERSION");
    if found.version != ours {
        bail!("sdk/npm/package.json says version {}, the workspace {ours}", found.version);
    }
    for file in [
        "sdk/npm/package.json",
        "sdk/npm/README.md",
        "sdk/driver/gatepass-front-channel.html",
        "sdk/driver/gatepass-silent.html",
        "LICENSE-MIT",
        "LICENSE-APACHE",
    ] {
        copy_into(&workspace::path(file), package)?;
    }
    Ok(())
}

fn copy_into(file: &Path, directory: &Path) -> Result<()> {
    fs::create_dir_all(directory)?;
    let name = file.file_name().with_context(|| format!("{} has no name", file.display()))?;
    fs::copy(file, directory.join(name))
        .with_context(|| format!("cannot copy {}", file.display()))?;
    Ok(())
}

fn tarball(package: &Path) -> Result<PathBuf> {
    progress("Packing the npm package");
    let target = workspace::output("npm");
    let told = read(
        npm()
            .args(["pack", "--json", "--loglevel=error", "--pack-destination"])
            .arg(&target)
            .current_dir(package),
    )?;
    let name = packed_name(&told).context("npm pack named no file")?;
    Ok(target.join(name))
}

/// The file that `npm pack --json` says it wrote: npm 12 tells by name what older ones list.
fn packed_name(told: &str) -> Option<String> {
    let told: serde_json::Value = serde_json::from_str(told).ok()?;
    let first = match &told {
        serde_json::Value::Array(list) => list.first()?,
        serde_json::Value::Object(map) => map.values().next()?,
        _ => return None,
    };
    first.get("filename")?.as_str().map(str::to_owned)
}

#[derive(Deserialize)]
struct Manifest {
    version: String,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_the_name_of_the_tarball() {
        let told = r#"[{"id":"gatepass@0.1.0","filename":"gatepass-0.1.0.tgz","files":[]}]"#;
        assert_eq!(packed_name(told).as_deref(), Some("gatepass-0.1.0.tgz"));
        let told = r#"{"gatepass":{"filename":"gatepass-0.1.0.tgz"}}"#;
        assert_eq!(packed_name(told).as_deref(), Some("gatepass-0.1.0.tgz"));
        assert_eq!(packed_name("[]"), None);
        assert_eq!(packed_name("npm notice"), None);
    }
}
