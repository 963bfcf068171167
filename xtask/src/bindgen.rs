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
    let stamp = Stamp::of(concat!("web 1, xtask ", env!("CARGO_PKG_VERSION")))
        .text(wasm_bindgen_cli_support_version())
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
    Bindgen::new()
        .input_path(module)
        .web(true)?
        .typescript(false)
        .out_name(name)
        // Without the default path a bare `init()` throws.
        .omit_default_module_path(false)
        .generate(directory)
        .with_context(|| format!("wasm-bindgen refused {}", module.display()))?;
    stamp.keep_in(&kept)
}

/// The version that wrote the glue; another one may write it otherwise.
fn wasm_bindgen_cli_support_version() -> &'static str {
    include_str!("../../Cargo.toml")
        .lines()
        .find(|line| line.starts_with("wasm-bindgen-cli-support"))
        .unwrap_or_default()
}
