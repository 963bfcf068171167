//! Short lines for people, on stderr. Nothing that is secret ever comes here.

use std::io::Write;

/// Writes one line. A closed stderr is no reason to stop serving.
pub fn line(text: &str) {
    let _written = writeln!(std::io::stderr().lock(), "idp-dev: {text}");
}
