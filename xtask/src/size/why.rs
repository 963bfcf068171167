//! What the wasm consists of: its functions by name, its crates, its texts.

use anyhow::{Context, Result};
use rustc_demangle::demangle;
use serde::{Deserialize, Serialize};
use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use wasmparser::{Data, KnownCustom, Name, NameSectionReader, Parser, Payload, TypeRef};

/// What something in the module weighs, uncompressed.
#[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
pub(super) struct Piece {
    pub(super) name: String,
    pub(super) bytes: usize,
}

/// Where the module's bytes are.
#[derive(Debug, Default, Serialize, Deserialize)]
pub(super) struct Why {
    /// The functions' code by the crate that they come from, heaviest first.
    pub(super) crates: Vec<Piece>,
    /// Each function's code, heaviest first.
    pub(super) functions: Vec<Piece>,
    /// Texts and tables.
    pub(super) data: usize,
}

/// Looks into a module that has its names.
///
/// # Errors
/// When it is no module or has no names.
pub(super) fn look(module: &Path) -> Result<Why> {
    let bytes = fs::read(module).with_context(|| format!("cannot read {}", module.display()))?;
    look_at(&bytes).with_context(|| format!("cannot look into {}", module.display()))
}

fn look_at(bytes: &[u8]) -> Result<Why> {
    let (mut imported, mut bodies, mut data) = (0, Vec::new(), 0);
    let mut names = BTreeMap::new();
    for payload in Parser::new(0).parse_all(bytes) {
        match payload? {
            Payload::ImportSection(imports) => {
                for import in imports.into_imports() {
                    imported += u32::from(matches!(import?.ty, TypeRef::Func(_)));
                }
            }
            Payload::CodeSectionEntry(body) => bodies.push(body.range().len()),
            Payload::DataSection(segments) => {
                for segment in segments {
                    let Data { data: segment, .. } = segment?;
                    data += segment.len();
                }
            }
            Payload::CustomSection(section) => {
                if let KnownCustom::Name(section) = section.as_known() {
                    names = function_names(section)?;
                }
            }
            _ => {}
        }
    }
    anyhow::ensure!(!names.is_empty(), "it has no names");
    let mut functions: Vec<Piece> = (imported..)
        .zip(bodies)
        .map(|(index, bytes)| {
            let name = names.get(&index).cloned();
            Piece { name: name.unwrap_or_else(|| format!("function {index}")), bytes }
        })
        .collect();
    heaviest_first(&mut functions);
    let mut crates = BTreeMap::<String, usize>::new();
    for function in &functions {
        *crates.entry(crate_of(&function.name).to_owned()).or_default() += function.bytes;
    }
    let mut crates: Vec<_> =
        crates.into_iter().map(|(name, bytes)| Piece { name, bytes }).collect();
    heaviest_first(&mut crates);
    Ok(Why { crates, functions, data })
}

fn function_names(section: NameSectionReader<'_>) -> Result<BTreeMap<u32, String>> {
    let mut names = BTreeMap::new();
    for subsection in section {
        if let Name::Function(functions) = subsection? {
            for naming in functions {
                let naming = naming?;
                names.insert(naming.index, readable(naming.name));
            }
        }
    }
    Ok(names)
}

/// A function's name as its source says it, without the hash.
fn readable(name: &str) -> String {
    let name = format!("{:#}", demangle(name));
    // wasm-bindgen has demangled it already, and leaves the hashes: `a::b::h...`, `a[...]::b`.
    let is_hash = |text: &str| text.len() == 16 && text.chars().all(|c| c.is_ascii_hexdigit());
    if let Some((path, hash)) = name.rsplit_once("::h")
        && is_hash(hash)
    {
        return path.to_owned();
    }
    let mut parts = name.split('[');
    let mut out = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        match part.split_once(']') {
            Some((hash, rest)) if is_hash(hash) => out.push_str(rest),
            _ => out.extend(["[", part]),
        }
    }
    out
}

/// The crate that a function's name begins with: of the type for what a trait gives it.
fn crate_of(name: &str) -> &str {
    let path = name.trim_start_matches(['<', '&', '[', '(', '*']).trim_start_matches("mut ");
    match path.split_once("::") {
        Some((found, _)) if found.chars().all(|c| c.is_ascii_alphanumeric() || c == '_') => found,
        _ => "(exports and glue)",
    }
}

fn heaviest_first(pieces: &mut [Piece]) {
    pieces.sort_by(|a, b| b.bytes.cmp(&a.bytes).then_with(|| a.name.cmp(&b.name)));
}

/// The breakdown for people.
pub(super) fn table(why: &Why) -> String {
    let code: usize = why.crates.iter().map(|piece| piece.bytes).sum();
    let mut out = String::from(
        "\nThe wasm's bytes, uncompressed, by crate (functions with one caller are not inlined here)\n",
    );
    for piece in &why.crates {
        out.push_str(&format!("{:>8} {}\n", piece.bytes, piece.name));
    }
    out.push_str(&format!("{:>8} texts and tables\n", why.data));
    out.push_str(&format!("{:>8} together\n", code + why.data));
    out.push_str(&format!("\nIts {SHOWN} heaviest functions of {}\n", why.functions.len()));
    for piece in why.functions.iter().take(SHOWN) {
        out.push_str(&format!("{:>8} {}\n", piece.bytes, piece.name));
    }
    out
}

/// The others are in the report for machines.
const SHOWN: usize = 40;

#[cfg(test)]
mod tests {
    use super::*;

    /// A module with one import and two functions; the second is longer.
    fn module() -> Vec<u8> {
        let text: &[&[u8]] = &[
            b"\0asm\x01\0\0\0",
            // One type without parameters; an import of it; two functions of it.
            b"\x01\x04\x01\x60\0\0",
            b"\x02\x07\x01\x01a\x01b\0\0",
            b"\x03\x03\x02\0\0",
            // Bodies: `end`, and `nop nop end`.
            b"\x0a\x09\x02\x02\0\x0b\x04\0\x01\x01\x0b",
            // Three bytes of data.
            b"\x0b\x09\x01\0\x41\0\x0b\x03abc",
            // Names of functions 1 and 2.
            b"\0\x1c\x04name\x01\x15\x02\x01\x0bone::a::b::\x02\x05two::",
        ];
        text.concat()
    }

    #[test]
    fn gives_each_body_to_its_name_and_crate() {
        let why = look_at(&module()).unwrap();
        let names: Vec<_> = why.functions.iter().map(|f| (f.name.as_str(), f.bytes)).collect();
        assert_eq!(names, [("two::", 4), ("one::a::b::", 2)]);
        assert_eq!(why.crates[0], Piece { name: "two".to_owned(), bytes: 4 });
        assert_eq!(why.data, 3);
    }

    #[test]
    fn refuses_what_has_no_names() {
        assert!(look_at(b"\0asm\x01\0\0\0").is_err());
        assert!(look_at(b"no module").is_err());
    }

    #[test]
    fn reads_names_and_their_crates() {
        assert_eq!(readable("a::b::h0123456789abcdef"), "a::b");
        assert_eq!(readable("a::hello"), "a::hello");
        assert_eq!(readable("<core[c5930c85a12de822]::str::X>::y"), "<core::str::X>::y");
        assert_eq!(readable("<[u8]>::to_vec"), "<[u8]>::to_vec");
        assert_eq!(readable("_ZN4core3fmt5write17h0123456789abcdefE"), "core::fmt::write");
        assert_eq!(
            crate_of("<gatepass_core::json::Reader as core::Iterator>::next"),
            "gatepass_core"
        );
        assert_eq!(crate_of("<&mut alloc::vec::Vec<T> as core::X>::y"), "alloc");
        assert_eq!(crate_of("step"), "(exports and glue)");
    }
}
