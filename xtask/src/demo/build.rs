//! Building what the demo serves; what is up to date is not built again.

use anyhow::{Context, Result, bail};
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};

use super::places::App;
use crate::bindgen;
use crate::needs::{self, WASM};
use crate::process::{Artifact, build as cargo_build, progress};
use crate::stamp::files_below;
use crate::workspace;

/// What the demo serves.
#[derive(Serialize, Deserialize)]
pub(crate) struct Built {
    /// The provider's program.
    pub(crate) idp_dev: PathBuf,
    /// The API's program.
    pub(crate) demo_api: PathBuf,
}

impl Built {
    /// What an earlier run has built.
    ///
    /// # Errors
    /// When there was none.
    pub(crate) fn earlier() -> Result<Self> {
        let record = workspace::output("demo/built.json");
        let text = fs::read_to_string(&record)
            .context("nothing is built yet: run it once without --no-build")?;
        serde_json::from_str(&text).with_context(|| format!("cannot read {}", record.display()))
    }

    /// An app's files.
    pub(crate) fn app_dir(&self, app: App) -> PathBuf {
        workspace::output("demo").join(app.id())
    }
}

/// Builds the provider, the API and both apps.
///
/// # Errors
/// When the machine lacks something or something does not compile.
pub(crate) fn build() -> Result<Built> {
    needs::wasm_target()?;
    needs::npm_packages()?;
    progress("Building the provider (idp-dev) and the API that the apps call");
    // One call for both: what they share is resolved and compiled once.
    let programs = ["idp-dev", "demo-api"];
    let [provider, api] = programs;
    let built = cargo_build(["build", "--package", provider, "--package", api, "--bins"])?;
    let _lock = workspace::lock("demo")?;
    let [idp_dev, demo_api] = programs.map(|program| artifact(&built, program));
    let built = Built { idp_dev: idp_dev?.to_path_buf(), demo_api: demo_api?.to_path_buf() };
    progress("Building Pied Piper and Hooli for the browser");
    // One call for both: what they share is resolved and compiled once.
    let [first, second] = App::ALL.map(App::package);
    let apps = cargo_build(["build", "--target", WASM, "--package", first, "--package", second])?;
    for app in App::ALL {
        let glue = workspace::output("demo/bindgen").join(app.id());
        bindgen::web(artifact(&apps, app.package())?, &glue, "app")?;
        assemble(&glue, app, &built.app_dir(app))?;
    }
    let record = workspace::output("demo/built.json");
    fs::write(&record, serde_json::to_vec_pretty(&built)?)?;
    Ok(built)
}

fn artifact<'a>(artifacts: &'a [Artifact], target: &str) -> Result<&'a Path> {
    artifacts
        .iter()
        .find(|artifact| artifact.target == target)
        .map(|artifact| artifact.file.as_path())
        .with_context(|| format!("cargo built no {target}"))
}

/// Puts an app's page, its assets, those that both share, the tokens and the bound module side by
/// side.
fn assemble(glue: &Path, app: App, directory: &Path) -> Result<()> {
    let home = workspace::path(app.package());
    let mut files = BTreeMap::new();
    let mut add = |name: PathBuf, source: PathBuf| {
        if let Some(other) = files.insert(name.clone(), source.clone()) {
            bail!(
                "{} and {} both want to be {}",
                other.display(),
                source.display(),
                name.display()
            );
        }
        Ok(())
    };
    let bones = workspace::path("demo-pied-piper/bones/assets");
    for base in [glue.to_path_buf(), bones, home.join("assets")] {
        for file in files_below(&base)? {
            let name = file.strip_prefix(&base)?.to_path_buf();
            // A stamp of ours, or a file that an editor or a desktop keeps for itself.
            if name.file_name().is_some_and(|name| !name.to_string_lossy().starts_with('.')) {
                add(name, file)?;
            }
        }
    }
    add("index.html".into(), home.join("index.html"))?;
    add("tokens.css".into(), tokens())?;
    for (name, source) in &files {
        copy_if_changed(source, &directory.join(name))?;
    }
    for file in files_below(directory)? {
        if !files.contains_key(file.strip_prefix(directory)?) {
            fs::remove_file(&file)?;
        }
    }
    Ok(())
}

/// The colours and measures that every page shares.
pub(super) fn tokens() -> PathBuf {
    workspace::path("idp-dev/assets/tokens.css")
}

/// Copies unless both are the same: the time of change is part of what browsers compare.
fn copy_if_changed(source: &Path, target: &Path) -> Result<()> {
    let bytes = fs::read(source).with_context(|| format!("cannot read {}", source.display()))?;
    if fs::read(target).is_ok_and(|old| old == bytes) {
        return Ok(());
    }
    if let Some(parent) = target.parent() {
        fs::create_dir_all(parent)?;
    }
    fs::write(target, bytes).with_context(|| format!("cannot write {}", target.display()))
}
