//! Texts that must not leak into logs and error messages.

use crate::{
    json::{Value, Writer},
    text::Text,
    wire::{Declare, Read, Write},
};

/// A token, code, verifier or form that holds one. Its `Debug` form is masked; it reaches the wire
/// only towards the effect or the command that needs it.
#[derive(Clone, Default, PartialEq, Eq)]
pub struct Secret(pub Text);

impl core::fmt::Debug for Secret {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("Secret(..)")
    }
}

impl Write for Secret {
    fn write(&self, writer: &mut Writer) {
        writer.string(&self.0);
    }
}

impl Read for Secret {
    fn take(value: Option<&Value>, wrong: &mut bool) -> Self {
        Self(Text::take(value, wrong))
    }
}

impl Declare for Secret {
    fn type_name() -> alloc::string::String {
        "string".into()
    }
}
