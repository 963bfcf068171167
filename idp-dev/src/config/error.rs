//! What is wrong with a configuration, and where.

use std::fmt;

/// A configuration that cannot be used. Nobody is to guess: the message names the file, the line,
/// what was expected and what was found.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConfigError {
    /// Stable: `config_syntax` or `config_value`.
    pub code: &'static str,
    /// The file's name as it was given.
    pub file: String,
    /// The line, counted from 1.
    pub line: usize,
    /// What belongs there.
    pub expected: String,
    /// What is there.
    pub found: String,
}

impl fmt::Display for ConfigError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { file, line, expected, found, code } = self;
        write!(f, "{file}:{line}: expected {expected}, found {found} ({code})")
    }
}

impl std::error::Error for ConfigError {}
