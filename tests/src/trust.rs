//! Trusting the authority of `demo --tls`, as a person would: by the browsers' own tool, in a
//! directory of its own, so that nothing of the machine trusts it.

use anyhow::{Context, Result, ensure};
use std::ffi::OsStr;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicU32, Ordering};

use crate::environment;

/// A directory with a store of certificates (NSS) that has the authority of this tree's demo.
/// Dropping it removes it.
#[derive(Debug)]
pub(crate) struct Store {
    directory: PathBuf,
}

impl Store {
    /// A home directory, as Chromium reads its store on Linux.
    ///
    /// # Errors
    /// When the tool is missing or refuses, or no demo has been started with `--tls`.
    pub(crate) fn as_home() -> Result<Self> {
        Self::make(Path::new(".pki/nssdb"))
    }

    /// A profile of Firefox.
    ///
    /// # Errors
    /// When the tool is missing or refuses, or no demo has been started with `--tls`.
    pub(crate) fn as_profile() -> Result<Self> {
        Self::make(Path::new(""))
    }

    fn make(place: &Path) -> Result<Self> {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let count = COUNT.fetch_add(1, Ordering::Relaxed);
        let name = format!("home-{}-{count}", std::process::id());
        let made = Self { directory: environment::output("journeys").join(name) };
        let store = made.directory.join(place);
        fs::create_dir_all(&store)?;
        let database = format!("sql:{}", store.display());
        let authority = environment::output("demo/tls/authority.pem");
        certutil(["-d", &database, "-N", "--empty-password"].map(OsStr::new))?;
        let words = ["-d", &database, "-A", "-t", "C,,", "-n", "the demo's authority", "-i"];
        certutil(words.map(OsStr::new).into_iter().chain([authority.as_os_str()]))?;
        Ok(made)
    }

    /// Where it is.
    pub(crate) fn path(&self) -> &Path {
        &self.directory
    }
}

impl Drop for Store {
    fn drop(&mut self) {
        // It holds nothing that a later look would need.
        let _ = fs::remove_dir_all(&self.directory);
    }
}
fn certutil<'a>(words: impl IntoIterator<Item = &'a OsStr>) -> Result<()> {
    let program = environment::file(environment::CERTUTIL)
        .context("the tests of https need certutil (on Debian: apt-get install libnss3-tools)")?;
    let output = Command::new(program).args(words).output().context("cannot start certutil")?;
    ensure!(output.status.success(), "certutil: {}", String::from_utf8_lossy(&output.stderr));
    Ok(())
}
