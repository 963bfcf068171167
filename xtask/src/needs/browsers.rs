//! The browsers that tests drive, and what drives them.

use anyhow::{Context, Result, bail};
use std::path::{Path, PathBuf};
use std::process::Command;

use super::{geckodriver, in_path, is_root};
use crate::process::{progress, run};

/// A Chromium and the driver that fits it.
#[derive(Clone, Debug)]
pub(crate) struct Browser {
    /// The browser's program.
    pub(crate) chromium: PathBuf,
    /// The program that speaks WebDriver for it.
    pub(crate) driver: PathBuf,
}

/// A Firefox and its driver.
#[derive(Clone, Debug)]
pub(crate) struct Firefox {
    /// The browser's program.
    pub(crate) firefox: PathBuf,
    /// The program that speaks WebDriver for it.
    pub(crate) driver: PathBuf,
}

/// A small browser of WebKitGTK, its driver, and a screen for it: it has no mode without one.
#[derive(Clone, Debug)]
pub(crate) struct WebKit {
    /// The browser's program.
    pub(crate) browser: PathBuf,
    /// The program that speaks WebDriver for it.
    pub(crate) driver: PathBuf,
    /// The program that is a screen which nobody sees.
    pub(crate) screen: PathBuf,
}

/// Finds Chromium and its driver; installs them on Debian as root.
///
/// # Errors
/// When they are missing elsewhere; the message says what to install.
pub(crate) fn browser() -> Result<Browser> {
    found_or_installed(&["chromium", "chromium-driver"], find_browser, || {
        "the tests need Chromium and chromedriver of the same version in PATH: on Debian \
         `sudo apt-get install chromium chromium-driver`, elsewhere Chrome and \
         `npx @puppeteer/browsers install chromedriver`"
    })
}

/// Finds Firefox and its driver; installs the first on Debian as root and builds the second.
///
/// # Errors
/// When Firefox is missing elsewhere, or the driver cannot be built.
pub(crate) fn firefox() -> Result<Firefox> {
    let find = || in_path(&["firefox-esr", "firefox"]);
    let firefox = found_or_installed(
        &["firefox-esr"],
        find,
        || "the tests need Firefox in PATH: on Debian `sudo apt-get install firefox-esr`",
    )?;
    Ok(Firefox { firefox, driver: geckodriver()? })
}

/// Finds WebKitGTK's browser, its driver and a screen; installs them on Debian as root.
///
/// # Errors
/// When they are missing elsewhere; the message says what to install.
pub(crate) fn webkit() -> Result<WebKit> {
    found_or_installed(&["webkit2gtk-driver", "xvfb"], find_webkit, || {
        "the tests need WebKitGTK's MiniBrowser, its driver and Xvfb, which only Linux has: on \
         Debian `sudo apt-get install webkit2gtk-driver xvfb`"
    })
}

/// The tool that fills the store of certificates that Chromium and Firefox read on Linux; installed
/// on Debian as root. Without it the tests of https fail and say what to install; the others do not
/// need it.
///
/// # Errors
/// When Debian cannot install it.
pub(crate) fn certutil() -> Result<Option<PathBuf>> {
    if !cfg!(target_os = "linux") {
        // Windows has another program of that name.
        return Ok(None);
    }
    let find = || in_path(&["certutil"]);
    if find().is_none() && !can_install() {
        return Ok(None);
    }
    found_or_installed(&["libnss3-tools"], find, String::new).map(Some)
}

/// What is looked for, or what Debian's packages bring.
fn found_or_installed<T, S: std::fmt::Display>(
    packages: &[&str],
    find: impl Fn() -> Option<T>,
    advice: impl Fn() -> S,
) -> Result<T> {
    if let Some(found) = find() {
        return Ok(found);
    }
    if !can_install() {
        bail!("{}", advice());
    }
    progress(&format!("Installing {}", packages.join(" and ")));
    run(apt().arg("update"))?;
    run(apt().args(["install", "--yes", "--no-install-recommends"]).args(packages))?;
    find().with_context(|| format!("apt installed {}, yet PATH has none", packages.join(" and ")))
}

fn find_browser() -> Option<Browser> {
    let mac = Path::new("/Applications/Google Chrome.app/Contents/MacOS/Google Chrome");
    let chromium = in_path(&["chromium", "chromium-browser", "google-chrome", "chrome"])
        .or_else(|| mac.exists().then(|| mac.to_path_buf()))?;
    Some(Browser { chromium, driver: in_path(&["chromedriver"])? })
}

fn find_webkit() -> Option<WebKit> {
    // No program of PATH: it lies beside the library that it shows.
    let browser = ["x86_64-linux-gnu", "aarch64-linux-gnu"]
        .map(|machine| Path::new("/usr/lib").join(machine).join("webkit2gtk-4.1/MiniBrowser"))
        .into_iter()
        .chain(["/usr/libexec/webkit2gtk-4.1/MiniBrowser".into()])
        .find(|program| program.is_file())?;
    let (driver, screen) = (in_path(&["WebKitWebDriver"])?, in_path(&["Xvfb"])?);
    Some(WebKit { browser, driver, screen })
}

/// Whether this is Debian, and root.
fn can_install() -> bool {
    in_path(&["apt-get"]).is_some_and(|_| is_root())
}

fn apt() -> Command {
    let mut command = Command::new("apt-get");
    command.env("DEBIAN_FRONTEND", "noninteractive").arg("--quiet=2");
    command
}
