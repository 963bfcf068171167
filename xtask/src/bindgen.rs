//! wasm-bindgen, as a library pinned by Cargo.lock.

use anyhow::{Context, Result};
use std::fs;
use std::path::Path;
use wasm_bindgen_cli_support::Bindgen;

use crate::process::progress;
use crate::stamp::Stamp;
use crate::workspace;

/// Writes `NAME.js`, `NAME_bg.wasm` and the snippets for a browser's own module loader.
///
/// Does nothing when `directory` already holds the result for this module.
///
/// # Errors
/// When the module cannot be read or the directory not be written.
pub(crate) fn web(module: &Path, directory: &Path, name: &str) -> Result<()> {
    // Without the default path a bare `init()` throws.
    write(module, directory, name, |bindgen| Ok(bindgen.web(true)?.omit_default_module_path(false)))
}

/// Writes `NAME_bg.js`, glue that is given its instance, and `NAME_bg.wasm`.
///
/// # Errors
/// When the module cannot be read or the directory not be written.
pub(crate) fn bundler(module: &Path, directory: &Path, name: &str) -> Result<()> {
    write(module, directory, name, |bindgen| {
        Ok(bindgen.bundler(true)?.remove_name_section(true).remove_producers_section(true))
    })
}

/// The same with the functions' names kept, for a look at what they weigh.
///
/// # Errors
/// As those of [`bundler`].
pub(crate) fn bundler_with_names(module: &Path, directory: &Path, name: &str) -> Result<()> {
    write(module, directory, name, |bindgen| {
        Ok(bindgen.bundler(true)?.remove_producers_section(true))
    })
}

fn write(
    module: &Path,
    directory: &Path,
    name: &str,
    configure: impl FnOnce(&mut Bindgen) -> Result<&mut Bindgen>,
) -> Result<()> {
    let stamp = Stamp::of(concat!("bindgen 1, xtask ", env!("CARGO_PKG_VERSION")))
        .text(bindgen_version())
        .text(name)
        .state(module)?
        .finish();
    let kept = directory.join(".stamp");
    if stamp.is_kept_in(&kept) {
        return Ok(());
    }
    progress(&format!("Binding {}", workspace::shown(module)));
    if directory.exists() {
        fs::remove_dir_all(directory)
            .with_context(|| format!("cannot empty {}", directory.display()))?;
    }
    fs::create_dir_all(directory)?;
    let mut bindgen = Bindgen::new();
    bindgen.input_path(module).typescript(false).out_name(name);
    configure(&mut bindgen)?
        .generate(directory)
        .with_context(|| format!("wasm-bindgen refused {}", module.display()))?;
    stamp.keep_in(&kept)
}

/// The version that wrote the glue; another one may write it otherwise.
fn bindgen_version() -> &'static str {
    include_str!("../../Cargo.toml")
        .lines()
        .find(|line| line.starts_with("wasm-bindgen-cli-support"))
        .unwrap_or_default()
}
