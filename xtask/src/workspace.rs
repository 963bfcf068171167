//! Where things are in the working tree.

use anyhow::{Context, Result};
use std::fs::{self, File};
use std::path::{Path, PathBuf};

/// The top of the working tree.
///
/// Fixed when xtask is compiled: it serves the tree that it was built from, from whatever
/// directory it is started.
pub(crate) fn root() -> PathBuf {
    let manifest = Path::new(env!("CARGO_MANIFEST_DIR"));
    manifest.parent().unwrap_or(manifest).to_path_buf()
}

/// A path below the top of the working tree; `/` separates on every system.
pub(crate) fn path(relative: &str) -> PathBuf {
    relative.split('/').fold(root(), |path, part| path.join(part))
}

/// Where everything that xtask makes goes: below `target`, so that it is never committed.
pub(crate) fn output(relative: &str) -> PathBuf {
    relative.split('/').fold(root().join("target"), |path, part| path.join(part))
}

/// Writes a report for machines: `target/report/NAME`.
///
/// # Errors
/// When it cannot be written.
pub(crate) fn report(name: &str, text: &str) -> Result<()> {
    let file = output("report").join(name);
    fs::create_dir_all(output("report"))?;
    fs::write(&file, text).with_context(|| format!("cannot write {}", file.display()))
}

/// Waits until no other xtask writes to a directory below `target`, and keeps others from it for as
/// long as the answer lives. Two demos may be started at once.
///
/// # Errors
/// When the directory cannot be made.
pub(crate) fn lock(relative: &str) -> Result<File> {
    let directory = output(relative);
    fs::create_dir_all(&directory)
        .with_context(|| format!("cannot make {}", directory.display()))?;
    let file = File::create(directory.join(".lock"))?;
    file.lock().with_context(|| format!("cannot lock {}", directory.display()))?;
    Ok(file)
}

/// A path as people read it: relative to the top where possible.
pub(crate) fn shown(path: &Path) -> String {
    path.strip_prefix(root()).unwrap_or(path).display().to_string()
}
