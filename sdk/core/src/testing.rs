//! What the crate's own tests share.

use std::{fs, string::ToString as _};

/// Fails if the file at `path` differs from `text`; with `GATEPASS_BLESS=1` writes it instead.
pub(crate) fn keep_current(path: &str, text: &str) {
    if std::env::var_os("GATEPASS_BLESS").is_some() {
        fs::write(path, text).unwrap();
    }
    let found = fs::read_to_string(path).map_err(|error| error.to_string());
    assert_eq!(found.as_deref(), Ok(text), "{path} is not current: run `cargo xtask types`");
}
