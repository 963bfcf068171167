//! What need not be done again: the state of a step's inputs, kept beside its output.

use anyhow::{Context, Result};
use sha2::{Digest, Sha256};
use std::fs;
use std::path::{Path, PathBuf};
use std::time::UNIX_EPOCH;

/// The state of a step's inputs.
pub(crate) struct Stamp(Sha256);

impl Stamp {
    /// Begins with what the step does; change it when the step changes.
    pub(crate) fn of(step: &str) -> Self {
        Self(Sha256::new()).text(step)
    }

    /// Adds a text.
    pub(crate) fn text(mut self, text: &str) -> Self {
        // The length keeps "ab" + "c" apart from "a" + "bc".
        self.0.update((text.len() as u64).to_le_bytes());
        self.0.update(text);
        self
    }

    /// Adds a file by content: for small files that a checkout may touch without changing.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub(crate) fn content(self, path: &Path) -> Result<Self> {
        let bytes = fs::read(path).with_context(|| format!("cannot read {}", path.display()))?;
        Ok(self.text(&hex(&Sha256::digest(bytes))))
    }

    /// Adds a file by size and time of change: for large files that a compiler wrote.
    ///
    /// # Errors
    /// When the file cannot be looked at.
    pub(crate) fn state(self, path: &Path) -> Result<Self> {
        let meta = fs::metadata(path).with_context(|| format!("cannot read {}", path.display()))?;
        let changed = meta.modified()?.duration_since(UNIX_EPOCH).unwrap_or_default();
        Ok(self.text(&format!("{} {} {}", path.display(), meta.len(), changed.as_nanos())))
    }

    /// The stamp as it is written down.
    pub(crate) fn finish(self) -> Written {
        Written(hex(&self.0.finalize()))
    }
}

/// A stamp that can be compared with one kept in a file.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Written(String);

impl Written {
    /// Whether the step has been done with these inputs.
    pub(crate) fn is_kept_in(&self, path: &Path) -> bool {
        fs::read_to_string(path).is_ok_and(|kept| kept == self.0)
    }

    /// Says that the step has been done. Call it last: a step that was cut short is done again.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub(crate) fn keep_in(&self, path: &Path) -> Result<()> {
        fs::write(path, &self.0).with_context(|| format!("cannot write {}", path.display()))
    }
}

/// All files below a directory, sorted; none when there is no such directory.
///
/// # Errors
/// When a directory cannot be listed.
pub(crate) fn files_below(directory: &Path) -> Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    let mut open = vec![directory.to_path_buf()];
    while let Some(next) = open.pop() {
        if !next.is_dir() {
            continue;
        }
        for entry in
            fs::read_dir(&next).with_context(|| format!("cannot list {}", next.display()))?
        {
            let path = entry?.path();
            if path.is_dir() {
                open.push(path);
            } else {
                files.push(path);
            }
        }
    }
    files.sort();
    Ok(files)
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scratch(name: &str) -> PathBuf {
        let path =
            std::env::temp_dir().join(format!("gatepass-stamp-{}-{name}", std::process::id()));
        fs::create_dir_all(&path).unwrap();
        path
    }

    #[test]
    fn is_kept_until_an_input_changes() {
        let dir = scratch("changes");
        let (input, kept) = (dir.join("input"), dir.join("kept"));
        let stamp = || Stamp::of("step").content(&input).unwrap().finish();
        fs::write(&input, "one").unwrap();
        assert!(!stamp().is_kept_in(&kept));
        stamp().keep_in(&kept).unwrap();
        assert!(stamp().is_kept_in(&kept));
        fs::write(&input, "two").unwrap();
        assert!(!stamp().is_kept_in(&kept));
        fs::remove_dir_all(dir).unwrap();
    }

    #[test]
    fn state_sees_a_changed_size() {
        let dir = scratch("size");
        let input = dir.join("input");
        fs::write(&input, "one").unwrap();
        let before = Stamp::of("step").state(&input).unwrap().finish();
        fs::write(&input, "longer").unwrap();
        assert_ne!(before, Stamp::of("step").state(&input).unwrap().finish());
        fs::remove_dir_all(dir).unwrap();
    }

    #[test]
    fn keeps_neighbouring_texts_apart() {
        assert_ne!(
            Stamp::of("s").text("ab").text("c").finish(),
            Stamp::of("s").text("a").text("bc").finish()
        );
    }

    #[test]
    fn refuses_a_missing_input() {
        assert!(Stamp::of("step").content(Path::new("/nowhere/at/all")).is_err());
    }

    #[test]
    fn lists_files_in_order_and_nothing_for_a_missing_directory() {
        let dir = scratch("list");
        fs::create_dir_all(dir.join("b")).unwrap();
        fs::write(dir.join("b").join("2"), "").unwrap();
        fs::write(dir.join("a"), "").unwrap();
        assert_eq!(files_below(&dir).unwrap(), [dir.join("a"), dir.join("b").join("2")]);
        fs::remove_dir_all(&dir).unwrap();
        assert!(files_below(&dir).unwrap().is_empty());
    }
}
