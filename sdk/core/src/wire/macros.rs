//! The macros that give a wire type its JSON form and its TypeScript declaration.

/// Chooses the codec implementations that a type asks for.
macro_rules! codecs {
    ($kind:ident (Read) $name:ident $body:tt) => { $kind!(@Read $name $body); };
    ($kind:ident (Write) $name:ident $body:tt) => { $kind!(@Write $name $body); };
    ($kind:ident (Read, Write) $name:ident $body:tt) => {
        $kind!(@Read $name $body);
        $kind!(@Write $name $body);
    };
}

/// A struct whose fields are the members of a JSON object.
macro_rules! record {
    ($(#[doc = $doc:literal])* pub struct $name:ident $codecs:tt $body:tt) => {
        record!(@Type [$($doc)*] $name $body);
        crate::wire::macros::codecs!(record $codecs $name $body);
    };
    (@Type [$($doc:literal)*] $name:ident {
        $($(#[doc = $field_doc:literal])* $field:ident: $type:ty = $wire:literal,)*
    }) => {
        $(#[doc = $doc])*
        #[derive(Clone, Debug, Default, PartialEq, Eq)]
        pub struct $name {
            $($(#[doc = $field_doc])* pub $field: $type,)*
        }
        impl crate::wire::Declare for $name {
            fn type_name() -> alloc::string::String { stringify!($name).into() }
        }
        #[cfg(test)]
        impl $name {
            pub(crate) fn declaration() -> alloc::string::String {
                let mut out = crate::wire::macros::comment("", &[$($doc),*]);
                out.push_str(concat!("export interface ", stringify!($name), " {\n"));
                $(out.push_str(&crate::wire::macros::member::<$type>("  ", $wire, &[$($field_doc),*]));)*
                out.push_str("}\n");
                out
            }
        }
    };
    (@Write $name:ident {
        $($(#[doc = $field_doc:literal])* $field:ident: $type:ty = $wire:literal,)*
    }) => {
        impl crate::wire::Write for $name {
            fn write(&self, writer: &mut crate::json::Writer) {
                writer.open('{');
                $(crate::wire::Write::write_member(&self.$field, $wire, writer);)*
                writer.close('}');
            }
        }
    };
    (@Read $name:ident {
        $($(#[doc = $field_doc:literal])* $field:ident: $type:ty = $wire:literal,)*
    }) => {
        impl crate::wire::Read for $name {
            fn take(value: Option<&crate::json::Value>, wrong: &mut bool) -> Self {
                Self { $($field: crate::wire::Read::take(crate::wire::member(value, $wire), wrong),)* }
            }
        }
    };
}

/// An enum whose variants are JSON objects told apart by the member `kind`.
macro_rules! union {
    ($(#[doc = $doc:literal])* pub enum $name:ident $codecs:tt $body:tt) => {
        union!(@Type [$($doc)*] $name $body);
        crate::wire::macros::codecs!(union $codecs $name $body);
    };
    (@Type [$($doc:literal)*] $name:ident {
        $($(#[doc = $variant_doc:literal])* $variant:ident = $kind:literal {
            $($(#[doc = $field_doc:literal])* $field:ident: $type:ty = $wire:literal,)*
        })*
    }) => {
        $(#[doc = $doc])*
        #[derive(Clone, Debug, PartialEq, Eq)]
        pub enum $name {
            $($(#[doc = $variant_doc])* $variant { $($(#[doc = $field_doc])* $field: $type,)* },)*
        }
        impl crate::wire::Declare for $name {
            fn type_name() -> alloc::string::String { stringify!($name).into() }
        }
        #[cfg(test)]
        impl $name {
            pub(crate) fn declaration() -> alloc::string::String {
                let mut out = crate::wire::macros::comment("", &[$($doc),*]);
                out.push_str(concat!("export type ", stringify!($name), " =\n"));
                $(
                    out.push_str(&crate::wire::macros::comment("  ", &[$($variant_doc),*]));
                    out.push_str(concat!("  | {\n      kind: \"", $kind, "\";\n"));
                    $(out.push_str(&crate::wire::macros::member::<$type>("      ", $wire, &[$($field_doc),*]));)*
                    out.push_str("    }\n");
                )*
                out.push_str(";\n");
                out
            }
        }
    };
    (@Write $name:ident {
        $($(#[doc = $variant_doc:literal])* $variant:ident = $kind:literal {
            $($(#[doc = $field_doc:literal])* $field:ident: $type:ty = $wire:literal,)*
        })*
    }) => {
        impl crate::wire::Write for $name {
            fn write(&self, writer: &mut crate::json::Writer) {
                writer.open('{');
                match self {
                    $(Self::$variant { $($field,)* } => {
                        writer.member("kind", $kind);
                        $(crate::wire::Write::write_member($field, $wire, writer);)*
                    })*
                }
                writer.close('}');
            }
        }
    };
    (@Read $name:ident {
        $(#[doc = $first_doc:literal])* $first:ident = $first_kind:literal {
            $($(#[doc = $first_field_doc:literal])* $first_field:ident: $first_type:ty = $first_wire:literal,)*
        }
        $($(#[doc = $variant_doc:literal])* $variant:ident = $kind:literal {
            $($(#[doc = $field_doc:literal])* $field:ident: $type:ty = $wire:literal,)*
        })*
    }) => {
        impl crate::wire::Read for $name {
            fn take(value: Option<&crate::json::Value>, wrong: &mut bool) -> Self {
                let kind = crate::wire::member(value, "kind").and_then(|kind| kind.as_str());
                match kind.unwrap_or_default() {
                    $($kind => Self::$variant {
                        $($field: crate::wire::Read::take(crate::wire::member(value, $wire), wrong),)*
                    },)*
                    first => {
                        if first != $first_kind {
                            *wrong = true;
                        }
                        Self::$first {
                            $($first_field: crate::wire::Read::take(
                                crate::wire::member(value, $first_wire), wrong),)*
                        }
                    }
                }
            }
        }
    };
}

/// An enum whose variants are words.
macro_rules! words {
    ($(#[doc = $doc:literal])* pub enum $name:ident $codecs:tt $body:tt) => {
        words!(@Type [$($doc)*] $name $body);
        crate::wire::macros::codecs!(words $codecs $name $body);
    };
    (@Type [$($doc:literal)*] $name:ident {
        $(#[doc = $first_doc:literal])* $first:ident = $first_word:literal,
        $($(#[doc = $variant_doc:literal])* $variant:ident = $word:literal,)*
    }) => {
        $(#[doc = $doc])*
        #[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
        pub enum $name {
            $(#[doc = $first_doc])* #[default] $first,
            $($(#[doc = $variant_doc])* $variant,)*
        }
        impl $name {
            /// The word on the wire.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self { Self::$first => $first_word, $(Self::$variant => $word,)* }
            }
        }
        impl crate::wire::Declare for $name {
            fn type_name() -> alloc::string::String { stringify!($name).into() }
        }
        #[cfg(test)]
        impl $name {
            pub(crate) fn declaration() -> alloc::string::String {
                let mut out = crate::wire::macros::comment("", &[$($doc),*]);
                out.push_str(concat!("export type ", stringify!($name), " =\n"));
                out.push_str(&crate::wire::macros::comment("  ", &[$($first_doc),*]));
                out.push_str(concat!("  | \"", $first_word, "\"\n"));
                $(
                    out.push_str(&crate::wire::macros::comment("  ", &[$($variant_doc),*]));
                    out.push_str(concat!("  | \"", $word, "\"\n"));
                )*
                out.push_str(";\n");
                out
            }
        }
    };
    (@Write $name:ident $body:tt) => {
        impl crate::wire::Write for $name {
            fn write(&self, writer: &mut crate::json::Writer) {
                writer.string(self.as_str());
            }
        }
    };
    (@Read $name:ident { $($(#[doc = $variant_doc:literal])* $variant:ident = $word:literal,)* }) => {
        impl crate::wire::Read for $name {
            fn take(value: Option<&crate::json::Value>, wrong: &mut bool) -> Self {
                match value.and_then(|value| value.as_str()).unwrap_or_default() {
                    $($word => Self::$variant,)*
                    _ => {
                        *wrong = true;
                        Self::default()
                    }
                }
            }
        }
    };
}

pub(crate) use {codecs, record, union, words};

/// A JSDoc comment of the lines of a Rust doc comment.
#[cfg(test)]
pub(crate) fn comment(indent: &str, lines: &[&str]) -> alloc::string::String {
    if lines.is_empty() {
        return alloc::string::String::new();
    }
    let text: alloc::vec::Vec<&str> = lines.iter().map(|line| line.trim()).collect();
    alloc::format!("{indent}/** {} */\n", text.join(" ").replace("[`", "`").replace("`]", "`"))
}

/// One member of an interface.
#[cfg(test)]
pub(crate) fn member<T: crate::wire::Declare>(
    indent: &str,
    name: &str,
    lines: &[&str],
) -> alloc::string::String {
    let optional = if T::OPTIONAL { "?" } else { "" };
    alloc::format!("{}{indent}{name}{optional}: {};\n", comment(indent, lines), T::type_name())
}
