//! What `cargo xtask test` tells the tests. A missing name fails the test: nothing is skipped.

use anyhow::{Context, Result};
use std::path::{Path, PathBuf};

/// Which browser and which cookie rule.
pub const WORLD: &str = "GATEPASS_WORLD";
/// The provider's program.
pub const IDP_DEV: &str = "GATEPASS_IDP_DEV";
/// The program that serves the demo.
pub const XTASK: &str = "GATEPASS_XTASK";
/// Chromium's program.
pub const CHROMIUM: &str = "GATEPASS_CHROMIUM";
/// The program that speaks WebDriver for it.
pub const CHROMEDRIVER: &str = "GATEPASS_CHROMEDRIVER";
/// Firefox's program.
pub const FIREFOX: &str = "GATEPASS_FIREFOX";
/// The program that speaks WebDriver for it.
pub const GECKODRIVER: &str = "GATEPASS_GECKODRIVER";
/// WebKitGTK's small browser.
pub const MINIBROWSER: &str = "GATEPASS_MINIBROWSER";
/// The program that speaks WebDriver for it.
pub const WEBKITDRIVER: &str = "GATEPASS_WEBKITDRIVER";
/// The program that is a screen which nobody sees.
pub const XVFB: &str = "GATEPASS_XVFB";
/// A directory with a certificate of the demo's authority, for what tests serve by https.
pub const CERTIFICATE: &str = "GATEPASS_CERTIFICATE";
/// The file for what a driver could not do.
pub const NOTES: &str = "GATEPASS_NOTES";
/// The program that makes and fills a store of certificates, as Chromium and Firefox read it.
pub const CERTUTIL: &str = "GATEPASS_CERTUTIL";
/// Where a recording writes its page; without it, one is made all the same and kept with the reports.
pub const RECORD_PAGE: &str = "GATEPASS_RECORD_PAGE";
/// Where a recording writes each picture, if it should.
pub const RECORD_PICTURES: &str = "GATEPASS_RECORD_PICTURES";
/// The packed npm package.
pub const NPM_TARBALL: &str = "GATEPASS_NPM_TARBALL";

/// A name's value.
///
/// # Errors
/// When it is not set.
pub fn text(name: &str) -> Result<String> {
    std::env::var(name).with_context(|| {
        format!("{name} is not set: run this test by `cargo xtask test e2e --filter NAME`")
    })
}

/// A name's value as a path to something that exists.
///
/// # Errors
/// When it is not set, or leads nowhere.
pub fn file(name: &str) -> Result<PathBuf> {
    let path = PathBuf::from(text(name)?);
    anyhow::ensure!(path.exists(), "{name} names {}, which does not exist", path.display());
    Ok(path)
}

/// A path below this crate.
#[must_use]
pub fn crate_path(relative: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(relative)
}

/// A path below the workspace's `target`, for what a run leaves behind.
#[must_use]
pub fn output(relative: &str) -> PathBuf {
    crate_path("../target").join(relative)
}
