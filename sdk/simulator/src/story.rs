//! What happened, for people. Nothing is written while nobody will read it.

/// The lines of a story.
#[derive(Clone, Debug, Default)]
pub(crate) struct Story(Option<Vec<String>>);

impl Story {
    /// A story that is written down.
    pub(crate) const fn kept() -> Self {
        Self(Some(Vec::new()))
    }

    /// What happens by itself after a turn.
    pub(crate) fn tell(&mut self, line: impl FnOnce() -> String) {
        if let Some(lines) = &mut self.0 {
            lines.push(format!("        {}", line()));
        }
    }

    /// A turn, or a part of the story.
    pub(crate) fn begin(&mut self, line: impl FnOnce() -> String) {
        if let Some(lines) = &mut self.0 {
            lines.push(line());
        }
    }

    pub(crate) fn text(self) -> String {
        self.0.unwrap_or_default().join("\n")
    }
}
