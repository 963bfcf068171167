//! Where something stands in the file, for messages.

use std::ops::Range;

use super::ConfigError;

/// The file at hand, for messages that name a line.
pub(super) struct Place<'a> {
    pub(super) name: &'a str,
    pub(super) text: &'a str,
}

impl Place<'_> {
    /// TOML itself, unknown keys, missing keys, wrong types.
    pub(super) fn syntax(&self, error: &toml::de::Error) -> ConfigError {
        let span = error.span().unwrap_or(0..0);
        let found = self.line_text(span.start);
        // The message repeats values, so it is as secret as the line.
        let said =
            if found == HIDDEN { "text in quotes, under a known key" } else { error.message() };
        ConfigError {
            code: "config_syntax",
            file: self.name.to_owned(),
            line: self.line(span.start),
            expected: format!("a valid configuration (see --print-config): {said}"),
            found: if found.is_empty() { "nothing".to_owned() } else { format!("`{found}`") },
        }
    }

    /// A value that cannot be used.
    pub(super) fn value(&self, span: Range<usize>, expected: &str, found: &str) -> ConfigError {
        ConfigError {
            code: "config_value",
            file: self.name.to_owned(),
            line: self.line(span.start),
            expected: expected.to_owned(),
            found: format!("`{found}`"),
        }
    }

    fn line(&self, offset: usize) -> usize {
        let before = self.text.as_bytes().get(..offset).unwrap_or(self.text.as_bytes());
        before.iter().filter(|byte| **byte == b'\n').count() + 1
    }

    /// The line itself, unless it could hold a password.
    fn line_text(&self, offset: usize) -> String {
        let line = self.text.lines().nth(self.line(offset) - 1).unwrap_or_default().trim();
        // Misspelt keys too.
        let key = line.to_ascii_lowercase();
        if ["pas", "pwd", "secret"].into_iter().any(|word| key.contains(word)) {
            return HIDDEN.to_owned();
        }
        line.chars().take(120).collect()
    }
}

const HIDDEN: &str = "a line that is not shown, because it may hold a password";
