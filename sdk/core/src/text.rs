//! Texts that are kept and handed on.

use alloc::{boxed::Box, string::String};

/// A text that does not change any more, behind one pointer.
///
/// Facts, orders and records are full of texts. A [`String`] is three words, which are copied one by
/// one wherever a record is made, moved or taken apart; as one pointer, a text is moved by one
/// instruction and an absent one is null. That was 1.5 kB of the npm
/// client (docs/adr/0005). What apps show to people (evidence, checks) is a [`String`] still.
#[derive(Default, PartialEq, Eq, PartialOrd, Ord)]
pub struct Text(
    #[allow(clippy::box_collection, reason = "a thin pointer is the point")] Box<String>,
);

impl Text {
    /// The `parts` one after the other.
    #[inline(never)]
    pub(crate) fn concat(parts: &[&str]) -> Self {
        parts.concat().into()
    }

    /// The text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        self
    }
}

impl Clone for Text {
    #[inline(never)]
    fn clone(&self) -> Self {
        Self(self.0.clone())
    }
}

impl core::ops::Deref for Text {
    type Target = str;

    fn deref(&self) -> &str {
        &self.0
    }
}

impl From<String> for Text {
    #[inline(never)]
    fn from(text: String) -> Self {
        Self(Box::new(text))
    }
}

impl From<&str> for Text {
    #[inline(never)]
    fn from(text: &str) -> Self {
        String::from(text).into()
    }
}

impl From<Text> for String {
    fn from(text: Text) -> Self {
        *text.0
    }
}

impl AsRef<str> for Text {
    fn as_ref(&self) -> &str {
        self
    }
}

impl PartialEq<str> for Text {
    fn eq(&self, other: &str) -> bool {
        **self == *other
    }
}

impl PartialEq<&str> for Text {
    fn eq(&self, other: &&str) -> bool {
        **self == **other
    }
}

impl PartialEq<Text> for &str {
    fn eq(&self, other: &Text) -> bool {
        **self == **other
    }
}

impl core::fmt::Debug for Text {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        core::fmt::Debug::fmt(&**self, f)
    }
}

impl core::fmt::Display for Text {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str(self)
    }
}
