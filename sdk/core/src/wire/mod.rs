//! What crosses between the machine and the rings around it, and its one codec.
//!
//! The types are defined once, here; [`record!`](crate::wire::macros) and `union!` give each its
//! JSON form and its TypeScript declaration, so that the machine and the driver cannot drift apart.
//! `sdk/driver/wire.d.ts` is generated from them and a test keeps it current.

mod codec;
mod diagnosis;
mod fact;
pub(crate) mod macros;
mod order;
mod session;

pub use codec::{read_fact, step_text, write_orders};
pub use diagnosis::{Came, Diagnosis, Noted, Part, PastError, StreamState};
pub use fact::{Answer, Command, Fact, Failure, Mode, OnLoad, Response, Scope, Signal};
pub use order::{Area, Effect, Order, Outcome};
pub use session::{Cause, Check, Ending, Session, Status};

use crate::{
    json::{Value, Writer},
    text::Text,
};
use alloc::{boxed::Box, string::String, vec::Vec};

/// Has a JSON form to write.
pub trait Write {
    /// Appends the value.
    fn write(&self, writer: &mut Writer);

    /// Appends the value as a member; an absent option appends nothing.
    fn write_member(&self, name: &str, writer: &mut Writer) {
        writer.name(name);
        self.write(writer);
    }
}

/// Has a JSON form to read.
pub trait Read: Sized {
    /// The value; where the JSON is not of this type, `wrong` is set and the value means nothing.
    /// (Leaving early at each member would cost kilobytes of wasm for dropping what was read.)
    fn take(value: Option<&Value>, wrong: &mut bool) -> Self;

    /// The value, or `None` if the JSON is not of this type.
    fn read(value: Option<&Value>) -> Option<Self> {
        let mut wrong = false;
        let taken = Self::take(value, &mut wrong);
        if wrong { None } else { Some(taken) }
    }
}

/// Has a name, and if it is not a built-in type a declaration, in TypeScript.
pub trait Declare {
    /// How TypeScript refers to it.
    fn type_name() -> String;

    /// Whether a member of this type may be absent.
    const OPTIONAL: bool = false;
}

/// The member `name` of what may be an object.
#[inline(never)]
pub(crate) fn member<'a>(value: Option<&'a Value>, name: &str) -> Option<&'a Value> {
    value?.get(name)
}

/// JSON text that is passed on as it is: it was read strictly before.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Raw(pub Text);

macro_rules! plain {
    ($($type:ty, $name:literal, |$self:ident, $writer:ident| $write:expr, |$value:ident| $read:expr;)*) => {$(
        impl Write for $type {
            fn write(&self, $writer: &mut Writer) { let $self = self; $write }
        }
        impl Read for $type {
            #[inline(never)]
            fn take(value: Option<&Value>, wrong: &mut bool) -> Self {
                let read: Option<Self> = value.and_then(|$value| $read);
                if read.is_none() {
                    *wrong = true;
                }
                read.unwrap_or_default()
            }
        }
        impl Declare for $type {
            fn type_name() -> String { $name.into() }
        }
    )*};
}

plain! {
    Text, "string", |this, writer| writer.string(this), |value| value.as_str().map(Into::into);
    i64, "number", |this, writer| writer.integer(*this), |value| value.as_integer();
    u32, "number", |this, writer| writer.integer(i64::from(*this)),
        |value| value.as_integer().and_then(|n| n.try_into().ok());
    bool, "boolean", |this, writer| writer.raw(if *this { "true" } else { "false" }),
        |value| if let Value::Bool(b) = value { Some(*b) } else { None };
}

impl Write for String {
    fn write(&self, writer: &mut Writer) {
        writer.string(self);
    }
}
impl Declare for String {
    fn type_name() -> String {
        "string".into()
    }
}

impl Write for &'static str {
    fn write(&self, writer: &mut Writer) {
        writer.string(self);
    }
}
impl Declare for &'static str {
    fn type_name() -> String {
        "string".into()
    }
}

impl Write for Raw {
    fn write(&self, writer: &mut Writer) {
        writer.raw(&self.0);
    }
}
impl Declare for Raw {
    fn type_name() -> String {
        "Record<string, unknown>".into()
    }
}

impl<T: Write> Write for Option<T> {
    fn write(&self, writer: &mut Writer) {
        match self {
            Some(value) => value.write(writer),
            None => writer.raw("null"),
        }
    }
    fn write_member(&self, name: &str, writer: &mut Writer) {
        if let Some(value) = self {
            value.write_member(name, writer);
        }
    }
}
impl<T: Read> Read for Option<T> {
    #[inline(never)]
    fn take(value: Option<&Value>, wrong: &mut bool) -> Self {
        match value {
            None | Some(Value::Null) => None,
            present => Some(T::take(present, wrong)),
        }
    }
}
impl<T: Declare> Declare for Option<T> {
    fn type_name() -> String {
        T::type_name()
    }
    const OPTIONAL: bool = true;
}

impl<T: Write> Write for Box<T> {
    fn write(&self, writer: &mut Writer) {
        (**self).write(writer);
    }
}
impl<T: Declare> Declare for Box<T> {
    fn type_name() -> String {
        T::type_name()
    }
}

impl<T: Write> Write for Vec<T> {
    fn write(&self, writer: &mut Writer) {
        writer.open('[');
        for item in self {
            item.write(writer);
        }
        writer.close(']');
    }
}
impl<T: Read> Read for Vec<T> {
    fn take(value: Option<&Value>, wrong: &mut bool) -> Self {
        let items = value.and_then(Value::as_array);
        if items.is_none() {
            *wrong = true;
        }
        items.unwrap_or_default().iter().map(|item| T::take(Some(item), wrong)).collect()
    }
}
impl<T: Declare> Declare for Vec<T> {
    fn type_name() -> String {
        alloc::format!("{}[]", T::type_name())
    }
}

/// All declarations for `sdk/driver/wire.d.ts`.
#[cfg(test)]
pub(crate) fn typescript() -> String {
    let mut out = String::from(
        "// Generated from sdk/core/src/wire by `cargo xtask types`; do not edit.\n\n",
    );
    out.push_str("/** A stable name of what went wrong: docs/errors.md lists them. */\n");
    out.push_str("export type ErrorCode =\n");
    for code in crate::error::Code::ALL {
        out.push_str(&alloc::format!("  | \"{}\"\n", code.as_str()));
    }
    out.push_str(
        ";\n\n/** A refusal as it leaves the machine. */\nexport interface WireError {\n  \
         code: ErrorCode;\n  blame: \"provider\" | \"application\" | \"environment\";\n  \
         subject?: string;\n  expected?: string;\n  found?: string;\n}\n\n",
    );
    let declarations: &[fn() -> String] = &[
        fact::Fact::declaration,
        fact::Command::declaration,
        fact::OnLoad::declaration,
        fact::Mode::declaration,
        fact::Scope::declaration,
        fact::Answer::declaration,
        fact::Response::declaration,
        fact::Failure::declaration,
        fact::Signal::declaration,
        order::Order::declaration,
        order::Effect::declaration,
        order::Area::declaration,
        order::Outcome::declaration,
        session::Session::declaration,
        session::Status::declaration,
        session::Check::declaration,
        session::Cause::declaration,
        session::Ending::declaration,
        diagnosis::Came::declaration,
        diagnosis::Noted::declaration,
        diagnosis::Part::declaration,
        diagnosis::StreamState::declaration,
        crate::config::StorageKind::declaration,
        crate::config::Config::declaration,
    ];
    for declaration in declarations {
        out.push_str(&declaration());
        out.push('\n');
    }
    out
}

#[cfg(test)]
mod tests {
    #[test]
    fn typescript_declarations_are_current() {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/../driver/wire.d.ts");
        crate::testing::keep_current(path, &super::typescript());
    }
}
